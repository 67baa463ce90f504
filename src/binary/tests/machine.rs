//! Tests with real programs: those of the machine that runs them, and scant itself.

use std::path::PathBuf;

use super::*;

#[test]
fn the_programs_of_this_machine_are_known() {
    let mut known = 0;
    for (path, family) in [
        ("/bin/bash", "shell.bash"),
        ("/bin/dash", "shell.dash"),
        ("/usr/bin/perl", "interp.perl"),
        ("/usr/bin/curl", "net.curl"),
        ("/bin/busybox", "multi.busybox"),
    ] {
        let Some(bytes) = read(path) else { continue };
        let program = inspect(&bytes).unwrap();
        assert_eq!(families(&program), [family], "{path}");
        assert_eq!(program.identities[0].confidence, Confidence::Certain);
        known += 1;
    }
    assert!(known > 0, "no program to look at");
}

#[test]
fn scant_does_not_find_itself() {
    let own = read(std::env::current_exe().unwrap()).unwrap();
    let program = inspect(&own).unwrap();
    let tools = program.identities.iter().filter(|identity| {
        Catalog::builtin()
            .family(&identity.family)
            .is_some_and(|family| family.rule.is_some())
    });
    assert_eq!(tools.collect::<Vec<_>>(), Vec::<&Identity>::new());
}

/// Says what each file below the directories of `SCANT_LOOK` is, as a table.
#[test]
#[ignore = "looks at this machine, for a person to read"]
fn look_at_this_machine() {
    #[expect(clippy::disallowed_methods, reason = "run by hand")]
    let roots = std::env::var("SCANT_LOOK").unwrap_or_else(|_| "/usr/bin".to_owned());
    let mut pending: Vec<PathBuf> = roots.split(':').map(PathBuf::from).collect();
    while let Some(path) = pending.pop() {
        let Ok(meta) = path.symlink_metadata() else {
            continue;
        };
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
                    format!(
                        "elf\t{}\t{:?}",
                        if elf.startable { "exec" } else { "lib" },
                        elf.damage
                    )
                }
                Form::Script(script) => format!("script\t{}\t", script.interpreter.escape_ascii()),
                Form::Archive => "archive\t\t".to_owned(),
                Form::Text => "text\t\t".to_owned(),
                Form::Data => "data\t\t".to_owned(),
            };
            println!(
                "LOOK\t{}\t{form}\t{:?}\t{:?}",
                path.display(),
                program.opaque,
                program.identities
            );
        }
    }
}
