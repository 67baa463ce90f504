//! Edges of headers, names and records, where one byte more or another field changes what Go reads.

use super::*;

#[test]
fn a_negative_size_is_refused_even_if_pax_has_another() {
    let head = Head::new(b'0', b"x", 0).with(124, &[0xff; 12]);
    let blob = Tar::default().pax(&[("size", b"3")]).member(head, b"abc").end();
    assert_eq!(refusal(&blob).code, Code::Corrupt);
}

#[test]
fn a_prefix_of_star_ends_before_its_times() {
    let head = Head::new(b'0', b"sh", 0)
        .with(345, &[b'p'; 131])
        .with(476, &octal(1, 11))
        .with(488, &octal(1, 11))
        .with(508, b"tar\0");
    let entry = only(&Tar::default().member(head, b"").end());
    assert_eq!(entry.path.to_string(), format!("/{}/sh", "p".repeat(131)));
}

#[test]
fn types_that_containerd_refuses_are_files_and_noted() {
    let sparse = Head::new(b'S', b"x", 0).gnu().with(483, &octal(0, 11));
    for (head, word) in [
        (Head::new(b'7', b"x", 0), "contiguous"),
        (sparse, "old GNU sparse"),
        (Head::new(b'Z', b"x", 0), "vendor's type"),
    ] {
        let got = facts(&Tar::default().member(head, b"").end());
        assert_eq!(got.entries[0].kind, Kind::File);
        assert!(
            got.notes[0].contains(word) && got.notes[0].contains("containerd refuses"),
            "{:?}",
            got.notes
        );
    }
}

#[test]
fn a_global_header_removes_nothing_that_is_called_like_it() {
    let body = records_of(&[("comment", b"c")]);
    let global = Head::new(b'g', b"bin/sh", body.len() as u64);
    let blob = Tar::default().file("bin/sh", b"x").member(global, &body).end();
    assert_eq!(only(&blob).path, "bin/sh".into());
}

#[test]
fn a_record_ends_in_a_newline() {
    for (body, fits) in [
        (&b"10 path=a\n"[..], true),
        (b"10 path=ab", false),
        (b"10 path=a\0", false),
    ] {
        let blob = Tar::default().extension(b'x', body).file("x", b"").end();
        let got = read_with(&blob, &[], &Limits::default());
        assert_eq!(
            got.map_err(|failure| failure.code).err(),
            (!fits).then_some(Code::Corrupt)
        );
    }
}

#[test]
fn a_nul_is_refused_in_each_record_of_text() {
    for (key, refused) in [
        ("path", true),
        ("linkpath", true),
        ("uname", true),
        ("gname", true),
        ("comment", false),
        ("SCHILY.xattr.user.x", false),
    ] {
        let blob = Tar::default().pax(&[(key, b"a\0b")]).file("x", b"").end();
        let got = read_with(&blob, &[], &Limits::default());
        assert_eq!(got.is_err(), refused, "{key}");
    }
}

#[test]
fn linux_holds_4095_bytes_of_path_and_255_of_an_attributes_name() {
    let long = vec!["c".repeat(200); 20].join("/") + &"/c".repeat(37);
    for (more, fits) in [("/c", true), ("/cc", false)] {
        let name = format!("{long}{more}");
        let (file, link) = (Tar::default().file("x", b""), Head::new(b'2', b"l", 0));
        for tar in [
            Tar::default().extension(b'L', name.as_bytes()).raw(&file.0),
            Tar::default().extension(b'K', name.as_bytes()).member(link, b""),
        ] {
            let got = facts(&tar.end());
            let hides: Vec<Hides> = got.gaps.iter().map(|gap| gap.hides).collect();
            assert_eq!(got.entries.len(), usize::from(fits), "{}", name.len());
            assert_eq!(hides, vec![Hides::Nothing; usize::from(!fits)]);
        }
    }
    for (length, fits) in [(255, true), (256, false)] {
        let key = format!("SCHILY.xattr.{}", "n".repeat(length));
        let blob = Tar::default().pax(&[(&key, b"1")]).file("x", b"").end();
        let got = read_with(&blob, &[], &Limits::default());
        assert_eq!(
            got.map_err(|failure| failure.code).err(),
            (!fits).then_some(Code::TooLarge)
        );
    }
}

#[test]
fn only_version_1_0_has_its_sparse_map_in_the_body() {
    for (major, minor) in [("1", "1"), ("1", ""), ("2", "0"), ("0", "2")] {
        let records: [(&str, &[u8]); 3] = [
            ("GNU.sparse.major", major.as_bytes()),
            ("GNU.sparse.minor", minor.as_bytes()),
            ("GNU.sparse.name", b"other"),
        ];
        let entry = only(&Tar::default().pax(&records).file("s", b"1\n0\n1\n").end());
        assert_eq!((entry.path, entry.size), ("s".into(), 6), "{major}.{minor}");
    }
}

#[test]
fn versions_0_0_and_0_1_have_their_sparse_map_in_the_records() {
    for minor in ["0", "1"] {
        let records: [(&str, &[u8]); 5] = [
            ("GNU.sparse.major", b"0"),
            ("GNU.sparse.minor", minor.as_bytes()),
            ("GNU.sparse.numblocks", b"1"),
            ("GNU.sparse.map", b"0,3"),
            ("GNU.sparse.size", b"10"),
        ];
        assert_eq!(
            only(&Tar::default().pax(&records).file("s", b"abc").end()).size,
            10
        );
    }
}

#[test]
fn markers_of_dots_hide_nothing_at_any_depth() {
    for name in [
        "a/b/.wh...",
        "a/b/.wh..",
        "a/b/.wh.",
        "a/b/.wh..wh...",
        "a/b/c/.wh...",
    ] {
        let got = facts(&Tar::default().file(name, b"").end());
        assert_eq!((got.entries.len(), got.notes.len()), (0, 1), "{name}");
    }
}

#[test]
fn a_device_0_0_is_noted_and_others_are_not() {
    for (minor, noted) in [(&b"0000000\0"[..], true), (b"0000003\0", false)] {
        let head = Head::new(b'3', b"null", 0).with(337, minor);
        let got = facts(&Tar::default().member(head, b"").end());
        assert!(matches!(got.entries[0].kind, Kind::CharDevice { major: 0, .. }));
        assert_eq!(
            got.notes.iter().any(|note| note.contains("0/0")),
            noted,
            "{:?}",
            got.notes
        );
    }
}
