//! Sparse files in their five forms: their bytes keep their place, their holes are never stored.

use super::*;

/// The file of all five: `ab` at 3, `cde` at 10, 20 bytes in all.
const PAIRS: [(u64, &[u8]); 2] = [(3, b"ab"), (10, b"cde")];
const WHOLE: &[u8; 20] = b"\0\0\0ab\0\0\0\0\0cde\0\0\0\0\0\0\0";

/// An old GNU header with `pairs`, of which those beyond four go to extension blocks.
fn old_gnu(pairs: &[(u64, u64)], size: u64, stored: u64) -> Tar {
    let pair = |&(offset, length): &(u64, u64)| [octal(offset, 11), octal(length, 11)].concat();
    let (first, more) = pairs.split_at(pairs.len().min(4));
    let rest = more.chunks(21);
    let head = Head::new(b'S', b"s", stored)
        .gnu()
        .with(386, &first.iter().flat_map(pair).collect::<Vec<_>>())
        .with(482, &[u8::from(!more.is_empty())])
        .with(483, &octal(size, 11));
    let mut tar = Tar::default().raw(&head.block(false));
    let blocks = rest.len();
    for (at, chunk) in rest.enumerate() {
        let mut block = chunk.iter().flat_map(pair).collect::<Vec<_>>();
        block.resize(504, 0);
        block.push(u8::from(at + 1 < blocks));
        tar = tar.body(&block);
    }
    tar
}

fn forms() -> Vec<(&'static str, Tar)> {
    let stored = b"abcde";
    let name = ("GNU.sparse.name", &b"s"[..]);
    let file = |tar: Tar, body: &[u8]| tar.file("GNUSparseFile.1/s", body);
    let lengths: Vec<_> = PAIRS
        .iter()
        .map(|&(offset, bytes)| (offset, bytes.len() as u64))
        .collect();
    let zero = Tar::default().pax(&[
        name,
        ("GNU.sparse.size", b"20"),
        ("GNU.sparse.numblocks", b"2"),
        ("GNU.sparse.offset", b"3"),
        ("GNU.sparse.numbytes", b"2"),
        ("GNU.sparse.offset", b"10"),
        ("GNU.sparse.numbytes", b"3"),
    ]);
    let zero_one = Tar::default().pax(&[
        name,
        ("GNU.sparse.size", b"20"),
        ("GNU.sparse.numblocks", b"2"),
        ("GNU.sparse.map", b"3,2,10,3"),
    ]);
    let one = Tar::default().pax(&[
        name,
        ("GNU.sparse.major", b"1"),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.realsize", b"20"),
    ]);
    let mut map = b"2\n3\n2\n10\n3\n".to_vec();
    map.resize(512, 0);
    map.extend_from_slice(stored);
    let mut many = lengths.clone();
    many.extend([(20, 0); 30]);
    vec![
        ("old GNU", old_gnu(&lengths, 20, 5).body(stored)),
        ("old GNU, extended", old_gnu(&many, 20, 5).body(stored)),
        ("0.0", file(zero, stored)),
        ("0.1", file(zero_one, stored)),
        ("1.0", file(one, &map)),
    ]
}

#[test]
fn all_forms_read_the_same() {
    for (form, tar) in forms() {
        let got = facts(&tar.file("next", b"n").end());
        let want = [
            ("/s".to_owned(), WHOLE.to_vec()),
            ("/next".to_owned(), b"n".to_vec()),
        ];
        assert_eq!(kept(&got), want, "{form}");
        assert_eq!(got.entries[0].size, 20);
        assert_eq!(got.entries[0].kind, Kind::File);
    }
}

#[test]
fn every_cut_of_a_sparse_file_is_refused() {
    for (form, tar) in forms() {
        let end = tar.0.len();
        for at in (0..end - 512).step_by(512).skip(1).chain([end - 508]) {
            let got = read_with(&tar.0[..at], &[], &Limits::default());
            // Only between members an archive may end.
            let between = got.as_ref().is_ok_and(|facts| facts.entries.is_empty());
            assert!(
                got.is_err() || (between && tar.0[156] == b'x' && at == 1_024),
                "{form} at {at}"
            );
        }
    }
}

#[test]
fn maps_that_lie_are_refused() {
    let map = |map: &'static str, count: &'static str, size: &'static str| {
        Tar::default()
            .pax(&[
                ("GNU.sparse.size", size.as_bytes()),
                ("GNU.sparse.numblocks", count.as_bytes()),
                ("GNU.sparse.map", map.as_bytes()),
            ])
            .file("s", b"abcde")
            .end()
    };
    assert_eq!(facts(&map("3,2,10,3", "2", "20")).entries[0].size, 20);
    for (numbers, count, size) in [
        ("3,2,10,4", "2", "20"),
        ("3,2,10,2", "2", "20"),
        ("10,3,3,2", "2", "20"),
        ("3,2,4,3", "2", "20"),
        ("3,2,10,3", "2", "12"),
        ("3,2,10,3", "3", "20"),
        ("3,2,10,3", "x", "20"),
        ("3,2,10,3", "-2", "20"),
        ("3,2,10,3", "9223372036854775807", "20"),
        ("3,2,10", "2", "20"),
        ("3,2,-10,3", "2", "20"),
        ("3,2,9223372036854775807,3", "2", "20"),
        ("3,2,10,3", "2", "-20"),
        ("3,2,10,3", "2", "x"),
    ] {
        assert_eq!(
            refusal(&map(numbers, count, size)).code,
            Code::Corrupt,
            "{numbers} {count} {size}"
        );
    }
    // Pairs of version 0.0 out of order, in a directory, in a dialect that has none.
    let pax = |records: &[(&str, &[u8])]| Tar::default().pax(records).file("s", b"").end();
    for records in [
        &[("GNU.sparse.numbytes", &b"0"[..]), ("GNU.sparse.offset", b"0")][..],
        &[("GNU.sparse.offset", b"0"), ("GNU.sparse.offset", b"0")],
        &[("GNU.sparse.offset", b"0,0")],
    ] {
        let announced = [("GNU.sparse.numblocks", &b"1"[..])];
        let why = refusal(&pax(&[&announced, records].concat())).message;
        assert!(why.contains("out of order"), "{why}");
    }
    let records: [(&str, &[u8]); 2] = [("GNU.sparse.numblocks", b"1"), ("GNU.sparse.map", b"0,0")];
    refusal(
        &Tar::default()
            .pax(&records)
            .member(Head::new(b'5', b"s", 0), b"")
            .end(),
    );
    refusal(&Tar::default().member(Head::new(b'S', b"s", 0), b"").end());
    // A version that nobody knows is no sparse file.
    let unknown: [(&str, &[u8]); 2] = [("GNU.sparse.major", b"2"), ("GNU.sparse.name", b"other")];
    assert_eq!(only(&pax(&unknown)).path, "s".into());
}

#[test]
fn endless_maps_are_capped() {
    let one: [(&str, &[u8]); 2] = [("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0")];
    for first in ["99999999\n", "9999999999999999999999\n", "x\n", ""] {
        let mut body = first.as_bytes().to_vec();
        body.resize(4 << 20, b'0');
        assert_eq!(
            refusal(&Tar::default().pax(&one).file("s", &body).end()).code,
            Code::Corrupt
        );
    }
    let many: Vec<_> = (0..50_000).map(|at| (at, 0)).collect();
    assert_eq!(refusal(&old_gnu(&many, 50_000, 0).end()).code, Code::Corrupt);
    assert!(
        read_with(
            &old_gnu(&many[..10_000], 50_000, 0).end(),
            &[],
            &Limits::default()
        )
        .is_ok()
    );
}

#[test]
fn huge_holes_cost_nothing() {
    let blob = Tar::default()
        .pax(&[
            ("GNU.sparse.size", b"9223372036854775807"),
            ("GNU.sparse.numblocks", b"1"),
            ("GNU.sparse.map", b"9223372036854775000,3"),
        ])
        .file("s", b"abc")
        .end();
    let limits = Limits {
        kept_file: 10,
        ..Limits::default()
    };
    let got = read_with(&blob, &[Want::Name("s")], &limits).unwrap();
    assert_eq!(got.entries[0].size, i64::MAX as u64);
    assert_eq!(
        got.entries[0].kept,
        Some(Kept {
            bytes: vec![0; 10],
            cut: true
        })
    );
}
