//! Tests of what is found in archives, behind programs and behind scripts.

use std::io::Write;

use proptest::prelude::*;

use super::*;

/// A tool of a few hundred bytes: a shell by its texts.
pub(super) fn tool() -> Vec<u8> {
    program_with(texts_of("shell.bash").iter().map(String::as_str))
}

/// What is said of a file: the paths of what it holds with their first families, and what could not be looked into.
pub(super) fn held_in(bytes: &[u8], sizes: &[usize], limits: &Limits) -> (Vec<String>, Vec<String>) {
    let mut inspector = Inspector::new(Catalog::builtin(), limits);
    inspector.begin(bytes.len() as u64, false);
    let mut rest = bytes;
    for size in sizes.iter().cycle() {
        let (piece, after) = rest.split_at(rest.len().min(*size));
        if piece.is_empty() || !inspector.feed(piece) {
            break;
        }
        rest = after;
    }
    let inside = inspector
        .finish()
        .map(|program| program.inside)
        .unwrap_or_default();
    let shown = inside.iter().map(|inner| {
        let path = String::from_utf8_lossy(&inner.path);
        format!("{path}={}", families(&inner.program).join(","))
    });
    (shown.collect(), inspector.unread())
}

pub(super) fn held(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    held_in(bytes, &[bytes.len().max(1)], &Limits::default())
}

/// The paths of what it holds, where all could be looked into.
pub(super) fn paths(bytes: &[u8]) -> Vec<String> {
    let (held, unread) = held(bytes);
    assert_eq!(unread, [""; 0]);
    held.iter()
        .map(|one| one.strip_suffix("=shell.bash").unwrap_or(one).to_owned())
        .collect()
}

/// How a member is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Stored,
    Deflated,
    /// With the sizes behind the content, as the JDK's `jar` does.
    Streamed,
    /// With the sizes in the 64-bit extra field.
    Zip64,
    Encrypted,
    /// By a method that nobody knows.
    Unknown,
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn extra(values: &[u64]) -> Vec<u8> {
    let mut bytes = 1_u16.to_le_bytes().to_vec();
    bytes.extend((8 * values.len() as u16).to_le_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

/// A zip archive whose directory says that it begins `shift` bytes further on.
fn zip_at(members: &[(&str, &[u8], Written)], shift: u32) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content, written) in members {
        let at = out.len() as u32 + shift;
        let stored = [Written::Stored, Written::Unknown].contains(written);
        let packed = if stored {
            content.to_vec()
        } else {
            deflated(content)
        };
        let (flags, method) = match written {
            Written::Stored => (0_u16, 0_u16),
            Written::Deflated | Written::Zip64 => (0, 8),
            Written::Streamed => (8, 8),
            Written::Encrypted => (1, 8),
            Written::Unknown => (0, 98),
        };
        let (real, full) = (packed.len() as u32, content.len() as u32);
        let wide = *written == Written::Zip64;
        let (here, here_full) = match written {
            Written::Streamed => (0, 0),
            Written::Zip64 => (u32::MAX, u32::MAX),
            _ => (real, full),
        };
        let more = if wide {
            extra(&[full.into(), real.into()])
        } else {
            Vec::new()
        };
        let common = |sizes: (u32, u32), extra: usize| {
            let mut bytes = vec![20, 0];
            bytes.extend([flags, method, 0, 0].iter().flat_map(|field| field.to_le_bytes()));
            bytes.extend([0, sizes.0, sizes.1].iter().flat_map(|field| field.to_le_bytes()));
            bytes.extend((name.len() as u16).to_le_bytes());
            bytes.extend((extra as u16).to_le_bytes());
            bytes
        };
        out.extend(b"PK\x03\x04");
        out.extend(common((here, here_full), more.len()));
        out.extend(name.as_bytes());
        out.extend(&more);
        out.extend(&packed);
        if *written == Written::Streamed {
            out.extend(b"PK\x07\x08");
            out.extend([0, real, full].iter().flat_map(|field| field.to_le_bytes()));
        }
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(common((real, full), 0));
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let begins = out.len() as u32 + shift;
    let (size, count) = (directory.len() as u32, members.len() as u16);
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count, count].iter().flat_map(|field| field.to_le_bytes()));
    out.extend([size, begins].iter().flat_map(|field| field.to_le_bytes()));
    out.extend([0, 0]);
    out
}

fn zip(members: &[(&str, &[u8], Written)]) -> Vec<u8> {
    zip_at(members, 0)
}

pub(super) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = ::tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        header.set_cksum();
        let mut header = header.clone();
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

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

#[test]
fn each_cap_ends_the_looking_and_is_said() {
    let tool = tool();
    let limits = Limits {
        archive_members: 3,
        ..Limits::default()
    };
    let many: Vec<(&str, &[u8], Written)> = vec![("t", &tool, Written::Stored); 5];
    let (found, unread) = held_in(&zip(&many), &[1 << 20], &limits);
    assert_eq!(found.len(), 3);
    assert_eq!(
        unread,
        ["has too many members (limit 3): the rest was not looked into"]
    );

    let zeros = vec![0; 1 << 20];
    let bomb = gzipped(&tar(&[("zeros", &zeros), ("tool", &tool)]));
    let limits = Limits {
        archive_floor: 1_000,
        ..Limits::default()
    };
    let (found, unread) = held_in(&bomb, &[1 << 20], &limits);
    assert_eq!(found, [""; 0]);
    assert!(
        unread[0].starts_with("unpacks to more than 200 times its size and 1000 bytes (limit)"),
        "{unread:?}"
    );
    assert_eq!(paths(&bomb), ["tool"]);

    let limits = Limits {
        archive_bytes: 500_000,
        ..Limits::default()
    };
    let (found, unread) = held_in(&bomb, &[1 << 20], &limits);
    assert_eq!(found, [""; 0]);
    assert!(
        unread[0].contains("unpack to more than 500000 bytes (limit)"),
        "{unread:?}"
    );
}

#[test]
fn a_bomb_in_a_bomb_stays_within_the_cap_of_the_file() {
    let zeros = vec![0; 8 << 20];
    let inner = gzipped(&tar(&[("zeros", &zeros)]));
    let bomb = zip(&[
        ("a.tgz", &inner, Written::Deflated),
        ("b.tgz", &inner, Written::Deflated),
    ]);
    let limits = Limits {
        archive_floor: 1 << 20,
        ..Limits::default()
    };
    let (found, unread) = held_in(&bomb, &[1 << 20], &limits);
    assert_eq!(found, [""; 0]);
    assert!(
        unread.iter().any(|why| why.contains("unpacks to more than")),
        "{unread:?}"
    );
}

#[test]
fn what_stands_behind_a_program_is_looked_into() {
    let program = program_with(["nothing"]);
    let tool = tool();
    for payload in [
        gzipped(&tool),
        gzipped(&tar(&[("tool", &tool)])),
        zip(&[("tool", &tool, Written::Deflated)]),
        zip_at(&[("tool", &tool, Written::Deflated)], program.len() as u32),
        [
            b"some header of its own".to_vec(),
            zip(&[("tool", &tool, Written::Deflated)]),
        ]
        .concat(),
        [vec![0; 3_000], gzipped(&tool)].concat(),
    ] {
        let file = [program.clone(), payload].concat();
        let (found, unread) = held(&file);
        assert_eq!(found.len(), 1);
        assert_eq!(unread, [""; 0]);
        // Also of a program that is too large to be held.
        let limits = Limits {
            program: 600,
            ..Limits::default()
        };
        assert_eq!(held_in(&file, &[1 << 20], &limits).0, found);
    }
    let image = [program.clone(), b"hsqs".to_vec(), vec![1; 600]].concat();
    assert_eq!(
        inspect(&image).unwrap().opaque.as_deref(),
        Some("the squashfs image behind it is of a form that is not read")
    );
    let signed = [program, vec![7; 600]].concat();
    assert_eq!(inspect(&signed).unwrap().opaque, None);
}

#[test]
fn the_payload_of_a_script_is_looked_into() {
    let text = b"#!/bin/sh\ntail -n +3 \"$0\" | tar xz\nexit 0\n";
    let tool = tool();
    let script = [&text[..], &gzipped(&tar(&[("tool", &tool)]))].concat();
    assert_eq!(paths(&script), ["tool"]);
    let opaque = |bytes: &[u8]| inspect(bytes).unwrap().opaque;
    assert_eq!(opaque(&script), None);
    assert_eq!(opaque(text), None);
    let unknown = [&text[..], b"\x01\x02\0\x03"].concat();
    assert!(opaque(&unknown).unwrap().contains("bytes of no known form"));
    let phar = b"#!/usr/bin/php\n<?php __HALT_COMPILER(); ?>\n\x01\0\0\0";
    assert_eq!(opaque(phar), None);
    // A zip application: its offsets count from the `#!`.
    let head = b"#!/usr/bin/python3\n";
    let zipapp = [
        &head[..],
        &zip_at(
            &[("__main__.py", b"print()", Written::Deflated)],
            head.len() as u32,
        ),
    ]
    .concat();
    assert_eq!(paths(&zipapp), [""; 0]);
    assert_eq!(opaque(&zipapp), None);
}

#[test]
fn packages_are_a_matter_of_their_own() {
    let package = gzipped(&tar(&[(".PKGINFO", b"pkgname = bash"), ("bin/bash", &tool())]));
    assert_eq!(paths(&package), [""; 0]);
    let archive = gzipped(&tar(&[("bin/bash", &tool()), (".PKGINFO", b"")]));
    assert_eq!(paths(&archive), ["bin/bash"]);
}

#[test]
fn bundles_are_known_by_their_mark() {
    let program = program_with(["nothing"]);
    for (mark, family) in [
        (
            &b"MEI\x0c\x0b\x0a\x0b\x0e0123456789abcdef"[..],
            "bundle.pyinstaller",
        ),
        (b"\n---- Bun! ----\n", "bundle.bun"),
        (b"d3n0l4nd0123456789abcdef01234567", "bundle.deno"),
    ] {
        let bundle = [&program[..], b"scripts", mark].concat();
        assert_eq!(families(&inspect(&bundle).unwrap()), [family]);
        // Inside the program the mark is only the text that it looks for.
        let plain = program_with([std::str::from_utf8(mark).unwrap(), &"x".repeat(300)]);
        assert_eq!(families(&inspect(&plain).unwrap()), [""; 0]);
    }
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
