//! Tests of what stands behind the end of a program or of a script.

use super::*;

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
fn what_a_section_claims_is_not_appended() {
    let program = program_with(["nothing"]);
    let payload = [&[7; 100][..], &tool()].concat();
    for claimed in [true, false] {
        let mut bytes = program.clone();
        let table = bytes.len() as u64;
        bytes[40..48].copy_from_slice(&table.to_le_bytes());
        let size = if claimed { payload.len() as u64 } else { 0 };
        let section = [1 << 32, 0, 0, table + 64, size, 0, 0, 0];
        bytes.extend(section.into_iter().flat_map(u64::to_le_bytes));
        bytes.extend(&payload);
        let inside = inspect(&bytes).unwrap().inside;
        assert_eq!(inside.len(), usize::from(!claimed), "{claimed}");
    }
}

#[test]
fn the_payload_of_a_script_is_looked_into() {
    let text = b"#!/bin/sh\ntail -n +3 \"$0\" | tar xz\nexit 0\n";
    let tool = tool();
    let script = [&text[..], &gzipped(&tar(&[("tool", &tool)]))].concat();
    assert_eq!(paths(&script), ["tool"]);
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
