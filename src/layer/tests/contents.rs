//! What is kept of files, and what becomes of an inspector that panics.

use super::{super::contents::Look, *};
use crate::binary::{Form, Program, Script};

#[test]
fn wants_choose_what_is_kept() {
    let blob = Tar::default()
        .file("etc/passwd", b"root:x:0:0:::\n")
        .file("opt/passwd", b"x")
        .file("etc/os-release", b"ID=x")
        .file("usr/lib/os-release", b"no")
        .file("var/lib/dpkg/status.d/base", b"Package: base")
        .file("var/lib/dpkg/status.dx", b"no")
        .file("etc/empty", b"")
        .end();
    let wants = [
        Want::Name("passwd"),
        Want::Path("/etc/os-release"),
        Want::Path("/etc/empty"),
        Want::Below("/var/lib/dpkg/status.d"),
    ];
    let got = read_with(&blob, &wants, &Limits::default()).unwrap();
    let names: Vec<_> = kept(&got).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "/etc/passwd",
            "/opt/passwd",
            "/etc/os-release",
            "/var/lib/dpkg/status.d/base",
            "/etc/empty"
        ]
    );
    assert_eq!(
        got.entries[6].kept,
        Some(Kept {
            bytes: vec![],
            cut: false
        })
    );
    assert_eq!(got.gaps, []);
}

#[test]
fn accounts_are_known_by_their_first_line() {
    for (content, is) in [
        (&b"root:x:0:0:root:/root:/bin/sh\n"[..], true),
        (b"root:x:0:0:root:/root:/bin/sh", true),
        (b"root::0:0::/:", true),
        (b"# a comment\n\nroot:x:0:0:::\n", true),
        (b"root:x:0:\n", true),
        (b"staff:*:20:a,b\n", true),
        (b"root:!:::::::\n", true),
        (b"root::19000:0:99999:7:::\n", true),
        (b"root:!:x::::::\n", false),
        (b"root:!::::::\n", false),
        (b"root:!:::a::::\n", false),
        (b"root:x:zero:0\n", false),
        (b"a:b\n", false),
        (b"12:30:45 started\nroot:x:0:0:::\n", false),
        (b"\x7fELF", false),
        (b"{\"a\": 1}\n", false),
        (b"", false),
        (b":x:0:0\n", false),
    ] {
        let blob = Tar::default().file("opt/whatever", content).end();
        let got = read_with(&blob, &[Want::Accounts], &Limits::default()).unwrap();
        assert_eq!(got.entries[0].kept.is_some(), is, "{}", content.escape_ascii());
        if is {
            assert_eq!(kept(&got)[0].1, content);
        }
    }
    for (size, is) in [(64 << 10, true), ((64 << 10) + 1, false)] {
        let mut content = b"root:x:0:0:::\n".to_vec();
        content.resize(size, b'\n');
        let blob = Tar::default().file("x", &content).end();
        let got = read_with(&blob, &[Want::Accounts], &Limits::default()).unwrap();
        assert_eq!(got.entries[0].kept.is_some(), is, "{size}");
    }
}

#[test]
fn what_is_kept_is_capped() {
    let blob = Tar::default()
        .file("a", b"12345")
        .file("passwd", b"12345")
        .file("c", b"12345")
        .end();
    let read = |kept_file, kept_layer| {
        let limits = Limits {
            kept_file,
            kept_layer,
            ..Limits::default()
        };
        let got = read_with(&blob, &[Want::Below("/")], &limits).unwrap();
        let kept: Vec<_> = got
            .entries
            .iter()
            .map(|entry| {
                entry
                    .kept
                    .as_ref()
                    .map(|kept| (kept.bytes.len(), kept.cut))
                    .unwrap()
            })
            .collect();
        let gaps: Vec<_> = got
            .gaps
            .iter()
            .map(|gap| (gap.path.clone().unwrap().to_string(), gap.hides))
            .collect();
        (kept, gaps)
    };
    let gap = |name: &str, hides| (name.to_owned(), hides);
    assert_eq!(read(5, 15), (vec![(5, false); 3], vec![]));
    assert_eq!(
        read(4, 15),
        (
            vec![(4, true); 3],
            vec![
                gap("/a", Hides::Contents),
                gap("/passwd", Hides::Accounts),
                gap("/c", Hides::Contents)
            ]
        )
    );
    assert_eq!(
        read(5, 8),
        (
            vec![(5, false), (3, true), (0, true)],
            vec![gap("/passwd", Hides::Accounts), gap("/c", Hides::Contents)]
        )
    );
    let limits = Limits {
        kept_file: 4,
        ..Limits::default()
    };
    let blob = Tar::default().file("x", b"root:x:0:0:::\n").end();
    let got = read_with(&blob, &[Want::Accounts], &limits).unwrap();
    assert_eq!(got.gaps[0].hides, Hides::Accounts);
    assert_eq!(kept(&got)[0].1, b"root");
}

/// Panics at files that begin with `!`; says of each other file how much of it was seen, up to four bytes and more.
struct Jumpy {
    seen: Vec<u8>,
    size: u64,
}

impl Look for Jumpy {
    fn begin(&mut self, size: u64, _executable: bool) {
        assert!(self.seen.is_empty(), "finish was not called");
        self.size = size;
    }

    fn feed(&mut self, bytes: &[u8]) -> bool {
        assert!(!bytes.starts_with(b"!"), "on purpose");
        self.seen.extend_from_slice(bytes);
        self.seen.len() < 4
    }

    fn finish(&mut self) -> Option<Program> {
        Some(Program {
            form: Form::Script(Script {
                interpreter: std::mem::take(&mut self.seen),
                argument: Some(self.size.to_string().into_bytes()),
                ..Script::default()
            }),
            identities: vec![],
            opaque: None,
            inside: Vec::new(),
        })
    }
}

#[test]
fn a_panic_stays_inside_its_file() {
    let blob = Tar::default()
        .file("a", b"aa")
        .file("bad", b"!panic")
        .file("b", b"bb")
        .file("empty", b"")
        .member(Head::new(b'2', b"link", 0).link(b"a"), b"")
        .end();
    let limits = Limits::default();
    let make = || Jumpy {
        seen: vec![],
        size: 0,
    };
    let contents = Contents::new(&[], &limits, make);
    let pass = Pass::new(&limits, None, Collector::new(&limits, contents));
    let got = read_pieces([&blob[..]], &limits, pass).unwrap().0;
    let seen: Vec<_> = got
        .entries
        .iter()
        .map(|entry| match entry.program.as_deref() {
            Some(Program {
                form: Form::Script(script),
                ..
            }) => script.interpreter.as_slice(),
            _ => b"-",
        })
        .collect();
    assert_eq!(seen, [&b"aa"[..], b"-", b"bb", b"-", b"-"]);
    assert_eq!(got.gaps.len(), 1);
    let gap = &got.gaps[0];
    assert_eq!(
        (gap.path.clone(), gap.hides),
        (Some("bad".into()), Hides::Programs)
    );
    assert!(gap.why.contains("internal error"));
}
