//! Compiles `policies/catalog/*.toml` to tables of hashes: a signature's text never reaches the program.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads the project's own files and says where to put the result"
)]

use std::{env, error::Error, fmt, fs, path::Path};

#[path = "src/catalog/combination.rs"]
#[expect(unreachable_pub, reason = "what it makes is read by scant")]
mod combination;
#[path = "src/catalog/compile.rs"]
mod compile;
#[path = "src/catalog/hash.rs"]
#[expect(dead_code, reason = "the rest of it is for the search")]
mod hash;
#[path = "src/catalog/literal.rs"]
mod literal;
#[path = "src/catalog/module.rs"]
#[expect(unreachable_pub, dead_code, reason = "what it makes is read by scant")]
mod module;
#[path = "src/catalog/tables.rs"]
#[expect(unreachable_pub, reason = "what it makes is read by scant")]
mod tables;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=policies/catalog");
    for source in ["combination", "compile", "hash", "literal", "module", "tables"] {
        println!("cargo::rerun-if-changed=src/catalog/{source}.rs");
    }
    let mut tables = tables::Tables::default();
    compile::compile(&read(Path::new("policies/catalog"))?, &mut tables)?;
    let to = Path::new(&env::var("OUT_DIR")?).join("catalog.bin");
    fs::write(to, postcard::to_allocvec(&tables)?)?;
    Ok(())
}

/// Reads all files of the catalogue into one.
fn read(directory: &Path) -> Result<compile::File, String> {
    let mut all = compile::File::default();
    for entry in fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let at = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| at(&error))?;
        let file: compile::File = toml::from_str(&text).map_err(|error| at(&error))?;
        all.tool.extend(file.tool);
        all.capability.extend(file.capability);
        all.applets.extend(file.applets);
        all.module.extend(file.module);
        all.combination.extend(file.combination);
    }
    Ok(all)
}
