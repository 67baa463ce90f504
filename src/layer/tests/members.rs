//! Framing, types, names, PAX, the end of the archive.

use super::*;

fn octal(value: u64, width: usize) -> Vec<u8> {
    format!("{value:0width$o}\0").into_bytes()
}

#[test]
fn every_type_becomes_its_kind() {
    let device = |flag| {
        Head::new(flag, b"x", 0)
            .with(329, &octal(5, 7))
            .with(337, &octal(1, 7))
    };
    for (head, kind) in [
        (Head::new(b'0', b"x", 0), Kind::File),
        (Head::new(0, b"x", 0), Kind::File),
        (Head::new(0, b"x/", 0), Kind::Directory),
        (Head::new(b'0', b"x/", 0), Kind::File),
        (
            Head::new(b'1', b"x", 0).link(b"../y/./z"),
            Kind::HardLink("y/z".into()),
        ),
        (
            Head::new(b'2', b"x", 0).link(b"../y/./z"),
            Kind::Symlink(b"../y/./z".to_vec()),
        ),
        (device(b'3'), Kind::CharDevice { major: 5, minor: 1 }),
        (device(b'4'), Kind::BlockDevice { major: 5, minor: 1 }),
        (Head::new(b'5', b"x", 0), Kind::Directory),
        (Head::new(b'6', b"x", 0), Kind::Fifo),
        (Head::new(b'7', b"x", 0), Kind::File),
        (Head::new(b'V', b"x", 0), Kind::File),
        (Head::new(0xff, b"x", 0), Kind::File),
    ] {
        let entry = only(&Tar::default().member(head.clone(), b"").end());
        assert_eq!((entry.kind, entry.path), (kind, "x".into()), "{}", head.0[156]);
    }
}

#[test]
fn a_size_on_links_devices_and_directories_is_never_a_body() {
    for flag in b'1'..=b'6' {
        let blob = Tar::default()
            .member(Head::new(flag, b"x", 512), b"")
            .file("hidden", b"evil")
            .end();
        let got = facts(&blob);
        assert_eq!(paths(&got), ["/x", "/hidden"]);
        assert_eq!(got.entries[0].size, 0);
        assert!(got.notes[0].contains("a size is stated"), "{:?}", got.notes);
    }
    // A directory of the old kind has no body either.
    let blob = Tar::default()
        .member(Head::new(0, b"x/", 512), b"")
        .file("hidden", b"evil")
        .end();
    assert_eq!(paths(&facts(&blob)), ["/x", "/hidden"]);
    for flag in [b'0', 0, b'7', b'V'] {
        let body = Tar::default().file("inside", b"").0;
        let blob = Tar::default()
            .member(Head::new(flag, b"x", 512), &body)
            .file("next", b"")
            .end();
        let got = facts(&blob);
        assert_eq!(paths(&got), ["/x", "/next"], "{flag}");
        assert_eq!(got.entries[0].kept.as_ref().unwrap().bytes, body);
    }
}

#[test]
fn fields_are_read() {
    let head = Head::new(b'0', b"x", 3)
        .with(100, b"0104755\0")
        .with(108, &octal(1000, 7))
        .with(116, &octal(50, 7));
    let entry = only(&Tar::default().member(head, b"abc").end());
    assert_eq!(
        (entry.mode, entry.uid, entry.gid, entry.size),
        (0o4755, 1000, 50, 3)
    );
    let head = Head::new(b'0', b"x", 0).with(108, b"\x80\0\0\x01\0\0\0\0");
    let got = facts(&Tar::default().member(head, b"").end());
    assert_eq!(got.entries[0].uid, 1 << 32);
    assert!(got.notes[0].contains("beyond 32 bits"));
    let head = Head::new(b'0', b"x", 0).with(124, b"\x80\0\0\0\0\0\0\0\0\0\0\x03");
    assert_eq!(only(&Tar::default().member(head, b"abc").end()).size, 3);
}

#[test]
fn bad_numbers_are_refused() {
    for (at, field) in [
        (100, &b"000064x\0"[..]),
        (108, b"0000009\0"),
        (116, b"-000001\0"),
        (124, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        (124, b"\x80\0\0\0\x80\0\0\0\0\0\0\0"),
        (124, b"0000000005x\0"),
        (136, b"yesterday\0\0\0"),
        (329, b"x\0\0\0\0\0\0\0"),
        (337, b"x\0\0\0\0\0\0\0"),
    ] {
        let head = Head::new(b'0', b"x", 0).with(at, field);
        assert_eq!(
            refusal(&Tar::default().member(head, b"").end()).code,
            Code::Corrupt,
            "{at} {field:?}"
        );
    }
    // Old headers have no devices, so nothing there can be wrong.
    let head = Head::new(b'0', b"x", 0).v7().with(329, b"xxxx");
    assert_eq!(only(&Tar::default().member(head, b"").end()).path, "x".into());
    let blob = Tar::default().file("a", b"").raw(&[1; 512]).end();
    let failure = refusal(&blob);
    assert!(
        failure.message.contains("byte 512") && failure.message.contains("after `/a`"),
        "{failure}"
    );
}

#[test]
fn signed_checksums_are_accepted() {
    let head = Head::new(b'0', b"\xff\xfe\xfd", 0);
    assert_ne!(head.clone().block(true), head.clone().block(false));
    for signed in [false, true] {
        let entry = only(&Tar::default().raw(&head.clone().block(signed)).end());
        assert_eq!(entry.path.as_bytes(), b"\xff\xfe\xfd");
    }
    let mut bad = head.block(true);
    bad[0] ^= 1;
    let failure = refusal(&Tar::default().file("a", b"").raw(&bad).end());
    assert!(failure.message.contains("checksum"), "{failure}");
}

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
fn pax_replaces_numbers() {
    let blob = Tar::default()
        .pax(&[("size", b"3"), ("uid", b"7"), ("gid", b"8"), ("mtime", b"1.5")])
        .member(Head::new(b'0', b"x", 9_999), b"abc")
        .file("next", b"")
        .end();
    let got = facts(&blob);
    assert_eq!(paths(&got), ["/x", "/next"]);
    let entry = &got.entries[0];
    assert_eq!((entry.size, entry.uid, entry.gid), (3, 7, 8));
    for record in [
        ("size", &b"3x"[..]),
        ("size", b"-1"),
        ("uid", b"x"),
        ("gid", b"0x1"),
        ("mtime", b"x"),
        ("path", b"a\0b"),
        ("uname", b"\0"),
    ] {
        assert_eq!(
            refusal(&Tar::default().pax(&[record]).file("x", b"").end()).code,
            Code::Corrupt,
            "{record:?}"
        );
    }
    // Only the last value of a key is looked at.
    let blob = Tar::default()
        .pax(&[("uid", b"x"), ("uid", b"5")])
        .file("x", b"")
        .end();
    assert_eq!(only(&blob).uid, 5);
}

#[test]
fn a_second_pax_header_replaces_the_first() {
    let blob = Tar::default()
        .pax(&[("path", b"a"), ("uid", b"5")])
        .pax(&[("gid", b"6")])
        .file("x", b"")
        .file("y", b"")
        .end();
    let got = facts(&blob);
    assert_eq!(paths(&got), ["/x", "/y"]);
    assert_eq!((got.entries[0].uid, got.entries[0].gid), (0, 6));
    assert_eq!(got.entries[1].gid, 0, "headers hold for one member");
}

#[test]
fn global_headers_are_not_applied() {
    let global = |records| Tar::default().extension(b'g', &records_of(records));
    let got = facts(&global(&[("comment", b"commit")]).file("x", b"").end());
    assert_eq!((paths(&got), got.notes), (vec!["/x".to_owned()], vec![]));
    let got = facts(
        &global(&[("path", b"evil"), ("size", b"0")])
            .file("x", b"abc")
            .end(),
    );
    assert_eq!(paths(&got), ["/x"]);
    assert!(got.notes[0].contains("global header"), "{:?}", got.notes);
    // Go hands a global header out as a member, so that what stood before it is used up.
    let blob = Tar::default()
        .pax(&[("path", b"a")])
        .extension(b'L', b"b")
        .extension(b'g', &records_of(&[("comment", b"c")]))
        .file("x", b"")
        .end();
    let got = facts(&blob);
    assert_eq!(paths(&got), ["/x"]);
    assert!(got.notes[0].contains("apply to nothing"));
    assert_eq!(
        refusal(&Tar::default().extension(b'g', b"junk").file("x", b"").end()).code,
        Code::Corrupt
    );
}

#[test]
fn a_global_header_gives_no_capabilities_and_is_noted() {
    let value = b"\x01\0\0\x02\0 \0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    for key in [
        "SCHILY.xattr.security.capability",
        "LIBARCHIVE.xattr.security.capability",
    ] {
        let blob = Tar::default()
            .extension(b'g', &records_of(&[(key, value)]))
            .file("x", b"")
            .end();
        let got = facts(&blob);
        assert_eq!(got.entries[0].capability, None);
        assert!(
            got.notes[0].contains("which common runtimes do not apply") && got.notes[0].contains(key),
            "{:?}",
            got.notes
        );
    }
}

/// Runtimes hand `mknod` a number of 32 bits, of which 12 are the major one and 20 the minor one.
#[test]
fn device_numbers_are_those_that_the_kernel_makes_of_them() {
    for (major, minor, is) in [
        (&b"0010001\0"[..], &b"0000001\0"[..], (1, 1)),
        (b"0007777\0", b"3777777\0", (4095, 0xf_ffff)),
        (b"0010000\0", b"4000000\0", (0, 0)),
        (b"0000012\0", b"4000310\0", (10, 200)),
    ] {
        let head = Head::new(b'3', b"x", 0).with(329, major).with(337, minor);
        let entry = only(&Tar::default().member(head, b"").end());
        let (major, minor) = is;
        assert_eq!(entry.kind, Kind::CharDevice { major, minor });
    }
}

/// A whole record as `setcap` and `tar` wrote it.
#[test]
fn a_record_of_the_world_is_read_byte_by_byte() {
    let record = b"57 SCHILY.xattr.security.capability=\x01\0\0\x02\0 \0\0\0\0\0\0\0\0\0\0\0\0\0\0\n";
    assert_eq!(record.len(), 57);
    let blob = Tar::default().extension(b'x', record).file("ping", b"").end();
    assert_eq!(
        only(&blob).capability.as_deref(),
        Some(&b"\x01\0\0\x02\0 \0\0\0\0\0\0\0\0\0\0\0\0\0\0"[..])
    );
}

#[test]
fn of_a_mode_the_low_twelve_bits_count() {
    for (field, is) in [
        (&b"0104755\0"[..], 0o4755),
        (b"0177777\0", 0o7777),
        (b"0002711\0", 0o2711),
        (b"0001777\0", 0o1777),
    ] {
        let head = Head::new(b'0', b"x", 0).with(100, field);
        assert_eq!(only(&Tar::default().member(head, b"").end()).mode, is);
    }
}

#[test]
fn extended_attributes_are_kept_or_named() {
    // A capability whose mask holds a newline.
    let capability = b"\x01\0\0\x02\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let blob = Tar::default()
        .pax(&[
            ("SCHILY.xattr.security.capability", capability),
            ("SCHILY.xattr.user.x", b"1"),
            ("LIBARCHIVE.xattr.security.capability", b"AQAAAg=="),
            ("size", b"3"),
        ])
        .member(Head::new(b'0', b"x", 0), b"abc")
        .end();
    let entry = only(&blob);
    assert_eq!(entry.capability.as_deref(), Some(&capability[..]));
    assert_eq!(entry.xattrs, ["LIBARCHIVE.xattr.security.capability", "user.x"]);
    assert_eq!(entry.size, 3);
    // Runtimes set an attribute whose value is empty, too: Go keeps the record.
    let blob = Tar::default()
        .pax(&[("SCHILY.xattr.security.capability", b"")])
        .file("x", b"")
        .end();
    assert_eq!(only(&blob).capability.as_deref(), Some(&b""[..]));
    // libarchive codes what it likes of a name.
    for (written, value) in [
        (
            &b"AQAAAgAgAAAAAAAAAAAAAAAAAAA="[..],
            Some(&b"\x01\0\0\x02\0\x20"[..]),
        ),
        (b"AQAAAgAgAAAAAAAAAAAAAAAAAAA", Some(b"\x01\0\0\x02\0\x20")),
        (b"no base64", None),
    ] {
        let blob = Tar::default()
            .pax(&[("LIBARCHIVE.xattr.security.capability", written)])
            .file("x", b"")
            .end();
        let found = only(&blob).unapplied_capability;
        assert_eq!(found.as_deref().and_then(|found| found.get(..6)), value);
        assert_eq!(found.map(|found| found.len()), value.map(|_| 20));
    }
    for key in [
        "LIBARCHIVE.xattr.security%2Ecapability",
        "LIBARCHIVE.xattr.%73ecurity.capabilit%79",
    ] {
        let blob = Tar::default().pax(&[(key, b"AQAAAg==")]).file("x", b"").end();
        let entry = only(&blob);
        assert_eq!(entry.xattrs, ["LIBARCHIVE.xattr.security.capability"], "{key}");
        assert_eq!(entry.capability, None);
    }
    let odd = Tar::default()
        .pax(&[("LIBARCHIVE.xattr.a%2", b"")])
        .file("x", b"")
        .end();
    assert_eq!(only(&odd).xattrs, ["LIBARCHIVE.xattr.a%2"]);
    let limits = Limits {
        xattr: 2,
        ..Limits::default()
    };
    let blob = |value| {
        Tar::default()
            .pax(&[("SCHILY.xattr.user.x", value)])
            .file("x", b"")
            .end()
    };
    assert!(read_with(&blob(b"ab"), &[], &limits).is_ok());
    let failure = read_with(&blob(b"abc"), &[], &limits).unwrap_err();
    assert_eq!(failure.code, Code::TooLarge);
    assert!(failure.message.contains("its value 3 (limit 2)"), "{failure}");
}

#[test]
fn extensions_are_capped() {
    let limits = Limits {
        tar_extension: 101,
        pax_records: 2,
        ..Limits::default()
    };
    for flag in [b'x', b'g', b'L', b'K'] {
        let body = match flag {
            b'x' | b'g' => records_of(&[("comment", &[b'c'; 88])]),
            _ => vec![b'n'; 101],
        };
        assert_eq!(body.len(), 101);
        let blob = Tar::default().extension(flag, &body).file("x", b"").end();
        assert!(read_with(&blob, &[], &limits).is_ok(), "{flag}");
        let limits = Limits {
            tar_extension: 100,
            ..limits.clone()
        };
        assert_eq!(
            read_with(&blob, &[], &limits).unwrap_err().code,
            Code::Corrupt,
            "{flag}"
        );
        let limits = Limits::default();
        let head = Head::new(flag, b"x", (1 << 20) + 1);
        assert_eq!(
            read_with(&Tar::default().member(head, b"").end(), &[], &limits)
                .unwrap_err()
                .code,
            Code::Corrupt
        );
    }
    let records: [(&str, &[u8]); 3] = [("a", b"1"), ("a", b"2"), ("b", b"3")];
    for (count, ok) in [(2, true), (3, false)] {
        let blob = Tar::default().pax(&records[..count]).file("x", b"").end();
        assert_eq!(read_with(&blob, &[], &limits).is_ok(), ok, "{count}");
    }
}

#[test]
fn the_end_is_where_go_sees_it() {
    let one = || Tar::default().file("a", b"x");
    for blocks in 0..4 {
        let got = facts(&one().zeros(blocks).0);
        assert_eq!(
            (paths(&got), got.behind_end, got.notes),
            (vec!["/a".to_owned()], vec![], vec![]),
            "{blocks}"
        );
    }
    let failure = refusal(&one().zeros(1).file("b", b"").end());
    assert!(failure.message.contains("single block of zeros"), "{failure}");
    assert_eq!(refusal(&one().zeros(1).raw(b"x").0).code, Code::Corrupt);
    for blocks in 2..4 {
        let got = facts(&one().zeros(blocks).file("b", b"evil").file("c", b"").end());
        assert_eq!(paths(&got), ["/a"]);
        let behind: Vec<_> = got
            .behind_end
            .iter()
            .map(|entry| entry.path.to_string())
            .collect();
        assert_eq!(behind, ["/b", "/c"]);
        assert_eq!(got.behind_end[0].kept.as_ref().unwrap().bytes, b"evil");
        assert_eq!(got.gaps, []);
    }
    let got = facts(&one().zeros(2).raw(&[7; 600]).0);
    assert_eq!(
        got.notes,
        [
            "members behind the end of the archive are cut off",
            "600 bytes behind the end of the archive"
        ]
    );
    let got = facts(&one().zeros(2).raw(&[7; 512]).file("b", b"").end());
    assert_eq!(got.behind_end.len(), 1);
    // Nothing behind the end is an error.
    for wrong in [
        Tar::default().extension(b'x', b"junk").0,
        Tar::default().pax(&[("uid", b"x")]).file("b", b"").0,
        Tar::default().raw(&Head::new(b'0', b"b", 99_999).block(false)).0,
        vec![0; 700],
    ] {
        assert_eq!(paths(&facts(&one().zeros(2).raw(&wrong).0)), ["/a"]);
    }
}

#[test]
fn a_cut_archive_is_refused() {
    let whole = Tar::default().pax(&[("path", b"p")]).file("a", &[b'x'; 700]).0;
    for at in 1..whole.len() {
        let got = read_with(&whole[..at], &[], &Limits::default());
        // Go ends where extension headers end, and does not miss padding.
        let fine = (512 + 9..=1_024).contains(&at) || at >= 1_536 + 700;
        if at < 512 {
            assert_eq!(got.unwrap().gaps.len(), 1, "no format below one block: {at}");
        } else {
            assert_eq!(got.is_ok(), fine, "cut at {at}");
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
fn members_and_names_are_capped() {
    let blob = Tar::default()
        .file("aaaa", b"x")
        .file("bbbb", b"x")
        .file("cccc", b"x")
        .end();
    for limits in [
        Limits {
            members: 2,
            ..Limits::default()
        },
        Limits {
            names: 11,
            ..Limits::default()
        },
    ] {
        let got = read_with(&blob, &[], &limits).unwrap();
        assert_eq!(paths(&got), ["/aaaa", "/bbbb"]);
        assert_eq!(got.gaps.len(), 1);
        assert_eq!(got.gaps[0].hides, Hides::Anything);
        assert_eq!(got.size, blob.len() as u64);
    }
    for limits in [
        Limits {
            members: 3,
            ..Limits::default()
        },
        Limits {
            names: 12,
            ..Limits::default()
        },
    ] {
        assert_eq!(read_with(&blob, &[], &limits).unwrap().gaps, []);
    }
}
