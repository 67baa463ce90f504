//! Caps on what stands before a member: its extension headers, their records and its sparse map, each told with its number.

use super::*;

/// A layer with these caps: what is refused, or that it is not.
fn read(tar: Tar, tar_extension: u64, pax_records: usize) -> Option<(Code, String)> {
    let limits = Limits {
        tar_extension,
        pax_records,
        ..Limits::default()
    };
    let failure = read_with(&tar.end(), &[], &limits).err()?;
    Some((failure.code, failure.message))
}

#[test]
fn extension_headers_are_told_with_their_size_and_cap() {
    for flag in [b'x', b'g', b'L', b'K'] {
        let body = match flag {
            b'x' | b'g' => records_of(&[("comment", &[b'c'; 600])]),
            _ => vec![b'n'; 600],
        };
        let tar = || Tar::default().extension(flag, &body).file("f", b"");
        let size = body.len() as u64;
        assert_eq!(read(tar(), size, 10), None);
        let (code, why) = read(tar(), size - 1, 10).unwrap();
        assert_eq!(code, Code::Corrupt);
        let says = format!("an extension header of {size} bytes (limit {})", size - 1);
        assert!(why.contains(&says) && why.contains("at byte 0"), "{why}");
    }
}

#[test]
fn pax_records_are_told_with_their_cap() {
    let tar = || {
        let records: [(&str, &[u8]); 3] = [("a", b"1"), ("b", b"2"), ("a", b"3")];
        Tar::default().pax(&records).file("f", b"")
    };
    assert_eq!(read(tar(), 1 << 20, 3), None);
    let (code, why) = read(tar(), 1 << 20, 2).unwrap();
    assert_eq!(code, Code::TooLarge);
    assert!(why.contains("more than 2 PAX records (limit)"), "{why}");
}

#[test]
fn sparse_maps_are_told_with_their_cap() {
    // At the head of the body: one pair a line, from one block to the next.
    let in_body = || {
        let mut map = format!("200\n{}", "0\n0\n".repeat(200)).into_bytes();
        map.resize(1024, 0);
        Tar::default()
            .pax(&[("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0")])
            .file("f", &map)
    };
    // In old GNU headers: 97 bytes of the header, then whole blocks.
    let in_headers = || {
        let head = Head::new(b'S', b"s", 0).gnu().with(482, b"\x01");
        Tar::default().member(head, b"").zeros(1)
    };
    for (tar, enough, less) in [(in_body(), 1024, 1023), (in_headers(), 97 + 512 + 1, 97 + 512)] {
        assert_eq!(read(tar.clone(), enough, 10), None);
        let (code, why) = read(tar, less, 10).unwrap();
        assert_eq!(code, Code::Corrupt);
        let says = format!("a sparse map of {less} bytes or more (limit)");
        assert!(why.contains(&says), "{why}");
    }
}

#[test]
fn a_table_of_contents_that_is_too_large_is_told_with_its_size() {
    let table = br#"{"version":1,"entries":[]}"#;
    let file = gzip(&Tar::default().file("f", b"x").0);
    let toc = gzip(&Tar::default().file("stargz.index.json", table).end());
    // The member that ends the form tells in its extra field where the table begins.
    let place = format!("{:016x}STARGZ", file.len());
    let extra = [&[26, 0][..], b"SG", &[22, 0], place.as_bytes()].concat();
    let head = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff];
    let empty = [1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];
    let blob = [&file[..], &toc, &head, &extra, &empty].concat();
    let gap = |most: usize| {
        let limits = Limits {
            table: most,
            ..Limits::default()
        };
        let facts = read_with(&blob, &[], &limits).unwrap();
        assert_eq!(facts.gaps.len(), 1, "{:?}", facts.gaps);
        assert_eq!(facts.gaps[0].hides, Hides::Anything);
        facts.gaps[0].why.clone()
    };
    let size = table.len();
    let cut = gap(size - 1);
    let says = format!("it has {size} bytes (limit {})", size - 1);
    assert!(cut.contains(&says), "{cut}");
    assert!(!gap(size).contains("cannot be read"), "{}", gap(size));
}
