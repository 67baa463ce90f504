//! Tests of findings about what lies inside files.

use super::*;
use crate::binary::{Inner, Program};

/// A jar at `path` that holds programs of these families at these paths.
fn holder(path: &str, held: &[(&str, &str)]) -> Entry {
    let inside = held.iter().map(|(inner, family)| {
        let program = program("/x", [family]).program.unwrap();
        Inner {
            path: (*inner).into(),
            program: *program,
        }
    });
    Entry {
        program: Some(Box::new(Program {
            form: Form::Data,
            identities: Vec::new(),
            opaque: None,
            inside: inside.collect(),
        })),
        ..file(path, 0o666)
    }
}

#[test]
fn a_tool_in_an_archive_is_found_one_step_lower() {
    let entries = [holder(
        "/app/a.jar",
        &[
            ("bin/tool", "shell.dash"),
            ("lib/b.zip!/c", "shell.bash"),
            ("curl", "net.curl"),
        ],
    )];
    let found = in_files("shell", entries.clone());
    assert_eq!(
        messages(&found),
        [
            "`bin/tool` inside /app/a.jar is dash, a shell; it has to be taken out before it starts",
            "`lib/b.zip!/c` inside /app/a.jar is bash, a shell; it has to be taken out before it starts",
        ]
    );
    let plain = in_files("shell", [program("/bin/dash", ["shell.dash"])]);
    assert!(found.iter().all(|inner| inner.severity < plain[0].severity));
    let subjects: Vec<_> = found.iter().map(|finding| finding.subject.as_deref()).collect();
    assert_eq!(subjects, [Some("bin/tool"), Some("lib/b.zip!/c")]);
    assert_eq!(found[0].path, Some(RootPath::from("/app/a.jar")));
    assert_eq!(in_files("network-tool", entries).len(), 1);
}

#[test]
fn an_archive_is_no_program() {
    let jar = holder("/app/a.jar", &[("x", "shell.dash")]);
    let found = in_files("world-writable-path", [jar.clone()]);
    assert_eq!(found.len(), 1);
    assert!(
        !found[0].message.contains("it is a program"),
        "{}",
        found[0].message
    );
    assert!(in_files("packed-executable", [jar]).is_empty());
}

#[test]
fn what_cannot_be_looked_into_inside_is_found() {
    let mut jar = holder("/app/a.jar", &[("x", "shell.dash")]);
    let inside = &mut jar.program.as_mut().unwrap().inside;
    inside[0].program.opaque = Some("packed".to_owned());
    let found = in_files("packed-executable", [jar]);
    assert_eq!(
        messages(&found),
        ["`x` inside /app/a.jar cannot be looked into and may hold any program: packed"]
    );
}

#[test]
fn a_bundle_is_said_to_be_an_application() {
    let found = in_files(
        "interpreter",
        [program("/app/x", ["interp.node", "bundle.node-sea"])],
    );
    assert_eq!(found.len(), 1);
    assert!(
        found[0].message.contains("bundled with scripts of its own"),
        "{}",
        found[0].message
    );
}
