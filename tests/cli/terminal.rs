//! What a terminal gets to see: colours where they are wanted, progress that goes away, nothing that an image says raw.

use std::{
    fs,
    os::unix::ffi::OsStrExt,
    process::{Command, Stdio},
};

use crate::{
    process::{finish, oci, scant},
    targets::archive,
};

const ESCAPE: char = '\u{1b}';

/// Runs a shell line on a terminal of its own, `columns` wide, and gives all that this terminal got.
fn on_terminal(columns: u16, variables: &[(&str, &str)], line: &str) -> String {
    let line = format!("stty cols {columns} rows 24; {line}");
    let output = Command::new("script")
        .args(["-q", "-e", "-c", &line, "/dev/null"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("SCANT", env!("CARGO_BIN_EXE_scant"))
        .env("TERM", "xterm-256color")
        .env("LC_ALL", "C.UTF-8")
        .env("SHELL", "/bin/sh")
        .envs(variables.iter().copied())
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("script cannot be started ({error}); install the package bsdutils"));
    String::from_utf8(output.stdout).unwrap()
}

fn scan(columns: u16, variables: &[(&str, &str)], words: &str) -> String {
    on_terminal(columns, variables, &format!("\"$SCANT\" scan {words}"))
}

#[test]
fn colours_go_to_terminals_that_want_them() {
    let demo = oci("demo");
    let coloured = |variables: &[(&str, &str)], words: &str| {
        scan(100, variables, &format!("-q {words} {demo}")).contains(ESCAPE)
    };
    assert!(coloured(&[], ""));
    for none in [("NO_COLOR", "1"), ("TERM", "dumb"), ("SCANT_COLOR", "never")] {
        assert!(!coloured(&[none], ""), "{none:?}");
    }
    assert!(
        coloured(&[("NO_COLOR", "")], ""),
        "an empty NO_COLOR says nothing"
    );
    assert!(!coloured(&[], "--color never"));
    assert!(!coloured(&[], "--color=never -o text"));
    assert!(
        coloured(&[("NO_COLOR", "1")], "--color always"),
        "the command line wins"
    );

    let piped = |variables: &[(&str, &str)], words: &[&str]| {
        let words: Vec<&str> = ["scan", &demo].iter().chain(words).copied().collect();
        let ran = finish(scant(&words).envs(variables.iter().copied()), b"");
        assert_eq!(ran.err, "");
        ran.out.contains(ESCAPE)
    };
    assert!(!piped(&[], &[]));
    assert!(piped(&[("CLICOLOR_FORCE", "1")], &[]));
    assert!(piped(&[("FORCE_COLOR", "1")], &[]));
    assert!(!piped(&[("FORCE_COLOR", "0")], &[]), "as Node.js reads it");
    assert!(!piped(&[("FORCE_COLOR", "1"), ("NO_COLOR", "1")], &[]));
    assert!(piped(&[], &["--color", "always"]));
    assert!(!piped(&[], &["--color", "always", "-o", "json"]));
}

#[test]
fn files_get_no_colours() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.txt");
    let words = format!("--color always -o text={} {}", file.display(), oci("demo"));
    scan(100, &[], &words);
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains("/app/healthd") && !text.contains(ESCAPE), "{text}");
}

#[test]
fn lines_fit_the_terminal() {
    for columns in [80, 120] {
        for name in ["demo", "debian-slim", "cut-stream", "distroless-static-nonroot"] {
            let shown = scan(columns, &[], &format!("-q --color never {}", oci(name)));
            assert!(shown.lines().count() >= 3, "{shown}");
            for line in shown.lines() {
                assert!(line.chars().count() <= usize::from(columns), "{columns}: {line}");
            }
        }
    }
}

#[test]
fn a_terminal_without_utf8_gets_ascii() {
    let shown = scan(80, &[("LC_ALL", "C")], &format!("-q {}", oci("demo")));
    assert!(shown.is_ascii(), "{shown}");
    assert!(!scan(80, &[], &format!("-q {}", oci("demo"))).is_ascii());
}

/// Names that would move the cursor, start a command of a CI system, or turn the line around.
#[test]
fn names_of_the_image_never_reach_the_terminal_raw() {
    let root = tempfile::tempdir().unwrap();
    let names: [&[u8]; 5] = [
        b"\x1b]0;owned\x07\x1b[2J\x1b[31mbash",
        b"a\n::error::bash",
        "x\u{202e}hsab".as_bytes(),
        b"\xff\xfe\x9bbash",
        b"tab\tand\rreturn",
    ];
    for name in names {
        fs::copy("/bin/sh", root.path().join(std::ffi::OsStr::from_bytes(name))).unwrap();
    }
    let target = format!("rootfs:{}", root.path().display());
    for words in [
        "-v --color never",
        "-q --color never",
        "-q -o json",
        "-q -o sarif",
    ] {
        let shown = scan(120, &[], &format!("{words} {target}"));
        assert!(shown.contains("bash"), "{words}: {shown}");
        // JSON says what is no UTF-8 twice: with replacement characters, and in hex.
        let mut raw = vec![ESCAPE, '\u{7}', '\t'];
        if !words.contains("-o ") {
            raw.extend(['\u{9b}', '\u{202e}', '\u{fffd}']);
        }
        let raw = shown.chars().find(|c| raw.contains(c));
        assert_eq!(raw, None, "{words}: {shown:?}");
        assert!(!shown.replace("\r\n", "\n").contains('\r'), "{words}: {shown:?}");
        assert!(
            !shown.lines().any(|line| line.trim_start().starts_with("::")),
            "{words}: {shown}"
        );
    }
    // Targets are the user's words, but they may come out of a list that somebody else wrote.
    let ran = finish(&mut scant(&["scan", "oci:/absent/\u{1b}[2Jx"]), b"");
    assert_eq!(ran.code, Some(3));
    assert!(!ran.out.contains(ESCAPE) && !ran.err.contains(ESCAPE), "{ran:?}");
    let ran = finish(&mut scant(&["scan", "-p", "\u{1b}[2Jx", "x"]), b"");
    assert!(ran.code == Some(2) && !ran.err.contains(ESCAPE), "{ran:?}");
}

/// Progress comes after half a second, on standard error, and is gone before the report.
#[test]
fn progress_shows_on_terminals_and_goes_away() {
    let file = archive("demo.tar");
    let slow = format!("(sleep 1.5; cat {}) | ", file.display());
    let shown = on_terminal(80, &[], &format!("{slow}\"$SCANT\" scan --color never -"));
    let (progress, report) = shown
        .rsplit_once("\r\u{1b}[2K")
        .unwrap_or_else(|| panic!("no progress: {shown:?}"));
    assert!(progress.contains("opening"), "{progress:?}");
    assert!(
        report.starts_with("E ") && !report.contains("opening"),
        "{report:?}"
    );

    let quiet = on_terminal(80, &[], &format!("{slow}\"$SCANT\" scan -q --color never -"));
    assert!(quiet.starts_with("E "), "{quiet:?}");
    let apart = on_terminal(
        80,
        &[],
        &format!("{slow}\"$SCANT\" scan --color never - 2>/dev/null"),
    );
    assert!(apart.starts_with("E "), "{apart:?}");
    // Where only the report goes elsewhere, the terminal has progress and nothing else.
    let only = on_terminal(80, &[], &format!("{slow}\"$SCANT\" scan - >/dev/null"));
    assert!(
        only.contains("opening") && only.ends_with("\u{1b}[2K"),
        "{only:?}"
    );
}
