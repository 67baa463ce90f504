//! What a member's header says: its type, its numbers, its checksum.

use super::*;

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
