//! `scant identify`: says what a file is and why, looked into as in a layer.

mod page;
mod view;

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{Done, Trouble, to_stdout};
use crate::{
    binary::{Inspector, Program},
    catalog::{Catalog, Module},
    cli::{GlobalArgs, IdentifyArgs},
    config,
    limits::Limits,
};
use view::View;

/// Bytes read at a time.
const CHUNK: usize = 128 << 10;

/// Identifies files.
pub fn run(global: &GlobalArgs, args: &IdentifyArgs) -> Done {
    let catalog = config::identify(global, &args.catalog)?;
    let limits = Limits::default();
    let mut inspector = Inspector::of_libraries(catalog, &limits);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut views = Vec::new();
    let mut unread = false;
    for named in &args.files {
        let many = named.is_dir();
        for path in if many { below(named) } else { vec![named.clone()] } {
            let view = match look(&path, &mut inspector) {
                Ok(program) => {
                    let mut view = View::of(&path, program.as_ref(), inspector.unread(), catalog);
                    if let Some(module) = module(&path, catalog) {
                        view.add_module(module, catalog);
                    }
                    view
                }
                Err(error) => {
                    unread = true;
                    View::unread(&path, &error)
                }
            };
            if many && view.is_nothing() && !global.verbose {
                continue;
            }
            if args.json {
                views.push(view);
                continue;
            }
            let text = if many {
                page::line(&view)
            } else {
                page::page(&view)
            };
            out.write_all(text.as_bytes())
                .map_err(|error| to_stdout(&error))?;
        }
    }
    if args.json {
        let text = view::json(&views).map_err(|error| Trouble::Write(error.to_string()))?;
        out.write_all(text.as_bytes())
            .map_err(|error| to_stdout(&error))?;
    }
    out.flush().map_err(|error| to_stdout(&error))?;
    Ok(ExitCode::from(if unread { 3 } else { 0 }))
}

/// The tool whose code a file is, if an interpreter would run it. Whether there is one is not asked: a scan of the directory
/// (`scant scan rootfs:DIR`) does.
#[expect(
    clippy::disallowed_methods,
    reason = "the user named this file or its directory; only its beginning is read"
)]
fn module<'c>(path: &Path, catalog: &'c Catalog) -> Option<&'c Module> {
    let name = path.as_os_str().as_bytes();
    let fits = |module: &&Module| module.depth(name).is_some();
    catalog.modules().iter().find(fits)?;
    let mut head = Vec::new();
    let file = File::open(path).ok()?;
    file.take(Module::HEAD as u64).read_to_end(&mut head).ok()?;
    let mut fitting = catalog.modules().iter().filter(fits);
    fitting.find(|module| !head.is_empty() && module.shown_in(&head))
}

/// Shows a file's bytes to the inspector, as they come.
#[expect(
    clippy::disallowed_methods,
    reason = "the user named this file; it is read in pieces"
)]
fn look(path: &Path, inspector: &mut Inspector<'_>) -> io::Result<Option<Program>> {
    let meta = fs::metadata(path)?;
    if !meta.is_file() {
        return Err(io::Error::other("is no regular file"));
    }
    let mut file = File::open(path)?;
    inspector.begin(meta.len(), meta.permissions().mode() & 0o111 != 0);
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = match file.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if count == 0 || !inspector.feed(buffer.get(..count).unwrap_or_default()) {
            return Ok(inspector.finish());
        }
    }
}

/// All regular files below a directory, by name; links are not followed. A directory that cannot be read is in the list,
/// so that it is said.
#[expect(clippy::disallowed_methods, reason = "the user named this directory")]
fn below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(path) = pending.pop() {
        let Ok(entries) = fs::read_dir(&path) else {
            found.push(path);
            continue;
        };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => pending.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}
