//! PAX headers: records of one member and of all, extended attributes, how much of them is read.

use super::*;

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
