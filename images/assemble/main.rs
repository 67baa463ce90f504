//! Assembles sample images from readable recipes into OCI layouts.
//!
//! ```sh
//! cargo run --release --example assemble -- images/demo target/images/demo
//! cargo run --release --example assemble -- --all target/images
//! ```
//!
//! It shares no code with scant, so that a fault of one shows in the other. `images/README.md` describes recipes.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a tool for this repository's own recipes: it reads and writes files, and starts apt-get, dpkg-deb and rustc"
)]

mod apt;
mod archive;
mod config;
mod content;
mod image;
mod layer;
mod layout;
mod packages;
mod programs;
mod recipe;
mod tree;

use std::{fmt::Display, path::Path, process::ExitCode};

/// Whatever went wrong, in words.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;
/// A result that fails with words.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Puts the name of a thing before an error.
pub(crate) fn context<E: Display>(thing: impl AsRef<Path>) -> impl FnOnce(E) -> Error {
    move |why| format!("{}: {why}", thing.as_ref().display()).into()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["--all", out] => image::all(Path::new(out)),
        [recipe, out] if !recipe.starts_with('-') => image::one(Path::new(recipe), Path::new(out)),
        _ => {
            eprintln!("usage: assemble RECIPE_DIRECTORY LAYOUT | assemble --all DIRECTORY");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("assemble: {why}");
            ExitCode::FAILURE
        }
    }
}
