//! Tests of what is found in archives and compressed files.

use std::io::Write;

use proptest::prelude::*;

use super::*;

#[test]
fn members_of_zips_are_looked_into_however_they_are_written() {
    let tool = tool();
    for written in [
        Written::Stored,
        Written::Deflated,
        Written::Streamed,
        Written::Zip64,
    ] {
        let archive = zip(&[
            ("META-INF/", b"", Written::Stored),
            ("a/Main.class", b"\xca\xfe\xba\xbe and so on", written),
            ("bin/tool", &tool, written),
            ("empty", b"", written),
            ("bin/other", &tool, written),
        ]);
        assert_eq!(paths(&archive), ["bin/tool", "bin/other"]);
    }
}

#[test]
fn an_archive_without_tools_says_nothing() {
    let archive = zip(&[
        ("a.txt", b"hello", Written::Deflated),
        ("b", b"", Written::Streamed),
    ]);
    assert_eq!(inspect(&archive), None);
    assert_eq!(held(&archive), (vec![], vec![]));
    assert_eq!(inspect(&gzipped(b".TH LS 1\nls - list")), None);
    assert_eq!(held(&gzipped(b"")), (vec![], vec![]));
}

#[test]
fn compressed_files_and_tar_archives_are_looked_into() {
    let tool = tool();
    let plain = tar(&[("readme", b"x"), ("bin/tool", &tool)]);
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(&plain).unwrap();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&plain).unwrap();
    for archive in [
        plain.clone(),
        gzipped(&plain),
        zstd::bulk::compress(&plain, 1).unwrap(),
        xz.finish().unwrap(),
        bzip2.finish().unwrap(),
    ] {
        assert_eq!(paths(&archive), ["bin/tool"]);
    }
    // A compressed program has no path of its own, in one stream or in two.
    let (first, second) = tool.split_at(200);
    assert_eq!(paths(&gzipped(&tool)), [""]);
    assert_eq!(paths(&[gzipped(first), gzipped(second)].concat()), [""]);
}

#[test]
fn archives_in_one_another_are_looked_into_to_a_depth() {
    let inner = zip(&[("bin/tool", &tool(), Written::Deflated)]);
    let middle = tar(&[("lib/inner.jar", &inner)]);
    assert_eq!(paths(&gzipped(&middle)), ["lib/inner.jar!/bin/tool"]);
    // What compresses an archive or a file is no level of its own.
    let deep = tar(&[("a.tgz", &gzipped(&tar(&[("tool.gz", &gzipped(&tool()))])))]);
    assert_eq!(paths(&gzipped(&deep)), ["a.tgz!/tool.gz"]);
    let outer = zip(&[("app.tgz", &gzipped(&middle), Written::Stored)]);
    let (found, unread) = held(&outer);
    assert_eq!(found, [""; 0]);
    assert_eq!(unread.len(), 1);
    assert!(unread[0].starts_with("holds `app.tgz!/lib/inner.jar`, which lies in too many archives"));
    let (found, unread) = held(&gzipped(&gzipped(&gzipped(&gzipped(&tool())))));
    assert_eq!((found.len(), unread.len()), (0, 1));
}

#[test]
fn packages_are_a_matter_of_their_own() {
    let package = gzipped(&tar(&[(".PKGINFO", b"pkgname = bash"), ("bin/bash", &tool())]));
    assert_eq!(paths(&package), [""; 0]);
    let archive = gzipped(&tar(&[("bin/bash", &tool()), (".PKGINFO", b"")]));
    assert_eq!(paths(&archive), ["bin/bash"]);
}

#[test]
fn what_cannot_be_looked_into_is_said() {
    let tool = tool();
    let archive = zip(&[
        ("a", &tool, Written::Encrypted),
        ("b", &tool, Written::Encrypted),
        ("c", &tool, Written::Unknown),
        ("d", &tool, Written::Deflated),
    ]);
    let (found, unread) = held(&archive);
    assert_eq!(found, ["d=shell.bash"]);
    assert_eq!(
        unread,
        [
            "has 2 members, the first of them `a`, of which each is encrypted",
            "has a member, `c`, that is compressed by a method that scant does not read"
        ]
    );
}

#[test]
fn what_nobody_can_unpack_hides_nothing() {
    let tool = tool();
    let mut archive = zip(&[("a", &tool, Written::Deflated), ("b", &tool, Written::Deflated)]);
    // The type of the first block becomes the one that does not exist.
    archive[31] |= 6;
    assert_eq!(paths(&archive), ["b"]);
    let whole = gzipped(&tool);
    assert_eq!(paths(&whole[..whole.len() - 4]), [""]);
    for junk in [
        &b"\x1f\x8b\x08"[..],
        b"\x1f\x8b\x08\0rubbish",
        b"PK\x03\x04",
        b"BZh91AY&SY",
        b"\xfd7zXZ\0xx",
    ] {
        assert_eq!(held(junk), (vec![], vec![]), "{junk:?}");
    }
}

#[test]
fn a_directory_that_says_otherwise_is_said() {
    let tool = tool();
    let honest = zip(&[("a", &tool, Written::Stored), ("b", b"text", Written::Stored)]);
    assert_eq!(paths(&honest), ["a"]);
    let directory = memchr::memmem::find(&honest, b"PK\x01\x02").unwrap();
    let end = honest.len() - 22;
    let lies: [(usize, u8); 4] = [
        // The member lies elsewhere; it is larger; the directory begins elsewhere; it lists one more.
        (directory + 42, 1),
        (directory + 20, 1),
        (end + 16, 1),
        (end + 10, 1),
    ];
    for (at, by) in lies {
        let mut archive = honest.clone();
        archive[at] = archive[at].wrapping_add(by);
        let (_, unread) = held(&archive);
        assert_eq!(unread.len(), 1, "{at}");
        assert!(
            unread[0].starts_with("has a directory that lists members"),
            "{}",
            unread[0]
        );
    }
    // All of it hidden in what looks like one member.
    let shell = zip(&[("big", &honest, Written::Stored)]);
    let cut = shell.len() - 22 - 46 - 3;
    let (_, unread) = held(&[&shell[..cut], &honest[end..]].concat());
    assert_eq!(unread.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn pieces_of_any_size_give_the_same(sizes in proptest::collection::vec(1_usize..700, 1..6), which in 0_usize..6) {
        let tool = tool();
        let members: [(&str, &[u8], Written); 4] = [
            ("PK", b"PPK\x03PK\x05\x05", Written::Stored),
            ("a", &tool, Written::Streamed),
            ("b.gz", &gzipped(&tool), Written::Deflated),
            ("c", &tool, Written::Zip64),
        ];
        let archive = zip(&members);
        let file = match which {
            0 => archive,
            1 => gzipped(&tar(&[("x", &archive), ("y", &tool)])),
            2 => [program_with(["nothing"]), archive].concat(),
            3 => [b"#!/bin/sh\nexit\n".to_vec(), gzipped(&tar(&[("x", &tool)]))].concat(),
            4 => [program_with(["nothing"]), b"a header, then".to_vec(), tool].concat(),
            _ => zstd::bulk::compress(&tar(&[("x", &archive), ("y", &tool)]), 1).unwrap(),
        };
        let limits = Limits { program: 600, ..Limits::default() };
        prop_assert_eq!(held_in(&file, &sizes, &Limits::default()), held(&file));
        prop_assert_eq!(held_in(&file, &sizes, &limits), held_in(&file, &[1 << 20], &limits));
        prop_assert!(!held(&file).0.is_empty() || which == 4);
    }

    #[test]
    fn no_archive_makes_it_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..2_000),
        at in 0_usize..2_000,
        size in 1_usize..900,
    ) {
        let mut file = zip(&[("a", &tool(), Written::Streamed), ("b", b"text", Written::Zip64)]);
        let at = at % file.len();
        let end = (at + bytes.len()).min(file.len());
        file[at..end].copy_from_slice(&bytes[..end - at]);
        held_in(&file, &[size], &Limits::default());
        for magic in [&b"PK\x03\x04"[..], b"\x1f\x8b\x08", b"#!/bin/sh\n", b"BZh91A", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"] {
            held_in(&[magic, &bytes].concat(), &[size], &Limits::default());
        }
    }
}
