//! What a member is called: spellings, prefixes, long names, markers, the root.

use super::*;

#[test]
fn all_spellings_are_one_path() {
    for name in [
        "./bin/sh",
        "/bin/sh",
        "bin//sh",
        "../bin/sh",
        "bin/sh/",
        "x/../bin/./sh",
    ] {
        for flag in [b'0', b'5', b'2'] {
            let entry = only(
                &Tar::default()
                    .member(Head::new(flag, name.as_bytes(), 0), b"")
                    .end(),
            );
            assert_eq!(entry.path, "bin/sh".into(), "{name}");
        }
    }
    let got = facts(
        &Tar::default()
            .file("../x", b"")
            .file("/y", b"")
            .file("a/../../z", b"")
            .file("b/..//z", b"")
            .end(),
    );
    assert_eq!(
        got.notes,
        [
            "a name leaves the root: `../x` and 1 more",
            "a name is absolute: `/y`"
        ]
    );
}

#[test]
fn prefixes_depend_on_the_dialect() {
    let head = || Head::new(b'0', b"sh", 0);
    let path = |head: Head| only(&Tar::default().member(head, b"").end()).path.to_string();
    assert_eq!(path(head().with(345, b"usr/bin")), "/usr/bin/sh");
    assert_eq!(
        path(head().with(345, &[b'p'; 155])),
        format!("/{}/sh", "p".repeat(155))
    );
    assert_eq!(path(head().v7().with(345, b"usr/bin")), "/sh");
    let star = head().with(345, b"usr/bin").with(508, b"tar\0");
    assert_eq!(path(star.clone()), "/usr/bin/sh");
    assert_eq!(path(star.with(476, &octal(1, 11))), "/usr/bin/sh");
    // GNU has times there; what is no time may be a prefix that an old Go wrote.
    assert_eq!(path(head().gnu().with(345, &octal(7, 11))), "/sh");
    assert_eq!(path(head().gnu().with(345, b"usr/bin")), "/usr/bin/sh");
    assert_eq!(path(head().gnu().with(345, b"usr/b\xffn")), "/sh");
    assert_eq!(
        path(Head::new(b'0', &[b'n'; 100], 0)),
        format!("/{}", "n".repeat(100))
    );
}

#[test]
fn long_names_rank_above_pax_and_pax_above_the_header() {
    let x = || Head::new(b'2', b"short", 0).link(b"target");
    let cases: [(&[&str], &str, &str); 7] = [
        (&[], "/short", "target"),
        (&["x"], "/pax", "paxlink"),
        (&["L"], "/long", "target"),
        (&["K"], "/short", "longlink"),
        (&["L", "K", "x"], "/long", "longlink"),
        (&["x", "K", "L"], "/long", "longlink"),
        (&["x", "empty"], "/short", "target"),
    ];
    for (before, name, link) in cases {
        let mut tar = Tar::default();
        for extension in before {
            tar = match *extension {
                "x" => tar.pax(&[("path", b"pax"), ("linkpath", b"paxlink")]),
                "L" => tar.extension(b'L', b"long\0junk"),
                "K" => tar.extension(b'K', b"longlink"),
                _ => tar.pax(&[("path", b"a"), ("path", b"")]),
            };
        }
        let got = facts(&tar.member(x(), b"").end());
        assert_eq!(paths(&got), [name], "{before:?}");
        assert_eq!(got.entries[0].kind, Kind::Symlink(link.as_bytes().to_vec()));
        assert_eq!(got.notes.is_empty(), before.len() < 3, "{:?}", got.notes);
    }
    // Also in front of headers without magic, and the last one counts.
    let blob = Tar::default()
        .extension(b'L', b"first")
        .raw(&Head::new(b'L', b"l", 6).v7().block(false))
        .body(b"second")
        .member(Head::new(b'0', b"x", 0).v7(), b"")
        .end();
    assert_eq!(only(&blob).path, "second".into());
}

#[test]
fn names_that_linux_cannot_hold_are_left_out() {
    let limits = Limits::default();
    for (name, fits) in [
        ("c".repeat(255), true),
        ("c".repeat(256), false),
        (vec!["c".repeat(200); 20].join("/") + &"/c".repeat(38), true),
        (vec!["c".repeat(200); 20].join("/") + &"/c".repeat(39), false),
    ] {
        for marker in ["", "l", "h"] {
            let tar = Tar::default();
            let tar = match marker {
                "" => tar.extension(b'L', name.as_bytes()).file("x", b"abc"),
                "h" => tar
                    .extension(b'K', name.as_bytes())
                    .member(Head::new(b'1', b"x", 0), b""),
                _ => tar
                    .extension(b'K', name.as_bytes())
                    .member(Head::new(b'2', b"x", 0), b""),
            };
            let got = read_with(&tar.file("y", b"").end(), &[Want::Below("/")], &limits).unwrap();
            let fits = fits || (marker == "l" && name.len() < 4_096);
            assert_eq!(
                got.entries.len(),
                if fits { 2 } else { 1 },
                "{} {marker}",
                name.len()
            );
            let hides: Vec<_> = got.gaps.iter().map(|gap| gap.hides).collect();
            assert_eq!(hides, if fits { vec![] } else { vec![Hides::Nothing] });
        }
    }
}

#[test]
fn markers_are_only_the_last_component() {
    for (name, path, kind) in [
        ("bin/.wh.sh", "/bin/sh", Kind::Whiteout),
        ("./bin//.wh.sh/", "/bin/sh", Kind::Whiteout),
        (".wh.bin", "/bin", Kind::Whiteout),
        ("bin/.wh..wh..opq", "/bin", Kind::Opaque),
        (".wh..wh..opq", "/", Kind::Opaque),
        (".wh.x/sh", "/.wh.x/sh", Kind::File),
        (".whx", "/.whx", Kind::File),
        ("bin/.wh.a.wh.b", "/bin/a.wh.b", Kind::Whiteout),
        ("a/.wh...b", "/a/..b", Kind::Whiteout),
    ] {
        for flag in [b'0', b'5', b'2', b'3'] {
            let entry = only(
                &Tar::default()
                    .member(Head::new(flag, name.as_bytes(), 0), b"")
                    .end(),
            );
            assert_eq!(entry.path.to_string(), path);
            if kind == Kind::File {
                assert!(!matches!(entry.kind, Kind::Whiteout | Kind::Opaque));
            } else {
                assert_eq!(entry.kind, kind, "{name}");
            }
        }
    }
    for name in [
        "a/.wh.",
        "a/.wh..",
        "a/.wh...",
        ".wh..wh.plnk",
        ".wh..wh.aufs",
        ".wh..wh..",
    ] {
        let got = facts(&Tar::default().file(name, b"").end());
        assert_eq!((got.entries.len(), got.notes.len()), (0, 1), "{name}");
    }
}

#[test]
fn the_root_is_only_ever_a_directory() {
    assert_eq!(
        only(&Tar::default().member(Head::new(b'5', b"./", 0), b"").end()).path,
        RootPath::root()
    );
    for name in ["", "/", "..", "./"] {
        let got = facts(&Tar::default().file(name, b"x").file("y", b"").end());
        assert_eq!(paths(&got), ["/y"]);
        assert!(
            got.notes.iter().any(|note| note.contains("like the root")),
            "{:?}",
            got.notes
        );
    }
}
