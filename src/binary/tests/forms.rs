//! Tests of what is a program at all, and of what form.

use super::*;

#[test]
fn what_is_no_program_costs_nothing() {
    let limits = Limits::default();
    let mut inspector = Inspector::new(Catalog::builtin(), &limits);
    for bytes in [
        &b"plain text"[..],
        b"\x7fEL0",
        b"PK\x05\x06",
        b"#\n#!/bin/sh",
        b"!<arch>\n",
    ] {
        inspector.begin(1_000_000, false);
        // One block, in which a tar archive would show itself.
        let mut block = bytes.to_vec();
        block.resize(512, b' ');
        assert!(!inspector.feed(&block), "{bytes:?}");
        assert_eq!(inspector.finish(), None, "{bytes:?}");
        // Of a file that could be started the first lines are read: a shell may take it.
        inspector.begin(1_000_000, true);
        inspector.feed(&block);
        assert_eq!(inspector.finish(), None, "{bytes:?}");
    }
    // An empty file named like a shell is none.
    inspector.begin(0, true);
    assert_eq!(inspector.finish(), None);
    inspector.begin(3, true);
    assert!(inspector.feed(b"\x7fE"));
    assert_eq!(inspector.finish(), None);
    // Of a script the beginning is enough.
    inspector.begin(1_000_000, true);
    assert!(inspector.feed(b"#!/bin/sh\n"));
    // A payload may stand behind any line.
    assert!(inspector.feed(&b"\n".repeat(20_000)));
    assert!(inspector.finish().is_some());
}

#[test]
fn texts_in_what_is_no_program_say_nothing() {
    let texts = texts_of("shell.bash").join("\n");
    for (what, file, program) in [
        ("a text", format!("BusyBox v1.36.1\n{texts}\n"), false),
        (
            "a recipe",
            format!("FROM x\nRUN |\n  #!/bin/sh\n{texts}\n"),
            false,
        ),
        ("a script", format!("#!/bin/sh\n{texts}\n"), true),
    ] {
        let seen = inspect(file.as_bytes());
        assert_eq!(seen.is_some(), program, "{what}");
        assert_eq!(seen.map_or(0, |seen| seen.identities.len()), 0, "{what}");
    }
}

#[test]
fn archives_with_an_entry_point_are_programs() {
    let form = |bytes: &[u8]| inspect(bytes).map(|program| program.form);
    assert_eq!(form(&zip_header("META-INF/MANIFEST.MF")), Some(Form::Archive));
    assert_eq!(
        form(&[zip_header("a"), zip_header("__main__.py")].concat()),
        Some(Form::Archive)
    );
    assert_eq!(form(&zip_header("package/__main__.py")), None);
    assert_eq!(form(&zip_header("data.txt")), None);
}
