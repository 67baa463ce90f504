use std::{
    io::Read,
    path::{Path, PathBuf},
};

use super::*;
use crate::{catalog::Catalog, limits::Limits};

/// What the inspector says of `bytes`, fed in one piece.
fn inspect(bytes: &[u8]) -> Option<Program> {
    inspect_in(bytes, bytes.len().max(1), &Limits::default())
}

fn inspect_in(bytes: &[u8], piece: usize, limits: &Limits) -> Option<Program> {
    let mut inspector = Inspector::new(Catalog::builtin(), limits);
    inspector.begin(bytes.len() as u64, true);
    for piece in bytes.chunks(piece) {
        if !inspector.feed(piece) {
            break;
        }
    }
    inspector.finish()
}

fn read(path: impl AsRef<Path>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "a test reads programs of the machine it runs on")]
    let file = std::fs::File::open(path).ok()?;
    #[expect(clippy::disallowed_methods, reason = "a test reads programs of the machine it runs on")]
    file.take(1 << 30).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn families(program: &Program) -> Vec<&str> {
    program.identities.iter().map(|identity| identity.family.as_str()).collect()
}

/// Says what each file below the directories of `SCANT_LOOK` is, as a table.
#[test]
#[ignore = "looks at this machine, for a person to read"]
fn look_at_this_machine() {
    #[expect(clippy::disallowed_methods, reason = "run by hand")]
    let roots = std::env::var("SCANT_LOOK").unwrap_or_else(|_| "/usr/bin".to_owned());
    let mut pending: Vec<PathBuf> = roots.split(':').map(PathBuf::from).collect();
    while let Some(path) = pending.pop() {
        let Ok(meta) = path.symlink_metadata() else { continue };
        if meta.is_dir() {
            #[expect(clippy::disallowed_methods, reason = "run by hand")]
            let entries = std::fs::read_dir(&path).into_iter().flatten();
            pending.extend(entries.map(|entry| entry.unwrap().path()));
        } else if meta.is_file()
            && let Some(bytes) = read(&path)
            && let Some(program) = inspect(&bytes)
        {
            let form = match &program.form {
                Form::Elf(elf) => {
                    format!("elf\t{}\t{:?}", if elf.startable { "exec" } else { "lib" }, elf.damage)
                }
                Form::Script(script) => format!("script\t{}\t", script.interpreter.escape_ascii()),
                Form::Archive => "archive\t\t".to_owned(),
            };
            println!("LOOK\t{}\t{form}\t{:?}\t{:?}", path.display(), program.opaque, program.identities);
        }
    }
}
