//! Tests of programs that were made to look like others, or like nothing.

use super::*;

/// Bytes without a pattern.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    });
    next.take(length).collect()
}

/// A program whose header names no sections.
fn without_sections(data: Vec<u8>) -> Vec<u8> {
    let elf = Elf64 {
        fixed: true,
        data,
        ..Elf64::default()
    };
    let mut bytes = elf.bytes();
    bytes[60] = 0;
    bytes
}

fn opaque(bytes: &[u8]) -> Option<String> {
    inspect(bytes).unwrap().opaque
}

#[test]
fn what_is_packed_in_an_unknown_way_is_opaque_whatever_is_written_on_it() {
    let random = |texts: &[String]| {
        let mut data = texts.join("\0").into_bytes();
        data.extend(noise(100_000));
        opaque(&without_sections(data))
    };
    assert!(random(&[]).unwrap().contains("look random"));
    // The texts of a harmless tool change nothing, those of a shell say the worst there is.
    assert!(random(&texts_of("os.tar")).is_some());
    assert_eq!(random(&texts_of("shell.bash")), None);
    // A plain program without sections is none, nor one with them.
    let plain = without_sections(b"a text that repeats itself, ".repeat(4_000));
    assert_eq!(opaque(&plain), None);
    let with_sections = Elf64 {
        fixed: true,
        data: noise(100_000),
        ..Elf64::default()
    };
    assert_eq!(opaque(&with_sections.bytes()), None);
}

#[test]
fn a_second_segment_may_be_the_packed_one() {
    // The last of the three program headers is free: it loads what stands behind the first segment.
    let mut bytes = without_sections(vec![0; 200_000]);
    let behind = noise(100_000);
    let third = 64 + 2 * 56;
    let (at, size) = (bytes.len() as u64, behind.len() as u64);
    bytes[third..third + 4].copy_from_slice(&1_u32.to_le_bytes());
    for (field, value) in [(8, at), (16, at), (24, at), (32, size), (40, size)] {
        bytes[third + field..third + field + 8].copy_from_slice(&value.to_le_bytes());
    }
    bytes.extend(behind);
    assert!(opaque(&bytes).unwrap().contains("look random"));
}

#[test]
fn a_decoy_of_packed_blocks_is_opaque() {
    // Two blocks that are stored make a whole program; behind them stands what the program really starts.
    let inner = Elf64 {
        fixed: true,
        data: b"nothing to see".to_vec(),
        ..Elf64::default()
    }
    .bytes();
    let block = |bytes: &[u8]| {
        let length = (bytes.len() as u32).to_le_bytes();
        [&length[..], &length, &[2, 0, 0, 0], bytes].concat()
    };
    let packed = |behind: usize| {
        let (headers, rest) = inner.split_at(64 + 3 * 56);
        let data = [&[0; 24][..], &block(headers), &block(rest), &noise(behind)].concat();
        let length = data.len() as u64;
        let mut bytes = inner[..64 + 3 * 56].to_vec();
        for field in [64 + 32, 64 + 40] {
            bytes[field..field + 8].copy_from_slice(&(length + 64 + 3 * 56).to_le_bytes());
        }
        bytes.extend(data);
        inspect(&bytes).unwrap()
    };
    let honest = packed(100);
    assert_eq!(families(&honest), ["packed.upx"]);
    assert_eq!(honest.opaque, None);
    let decoy = packed(100_000);
    assert_eq!(
        decoy.opaque.as_deref(),
        Some("only a part of what is packed in it can be unpacked")
    );
}

#[test]
fn a_hash_table_cannot_hide_what_a_program_asks_for() {
    for blind_hash in [false, true] {
        let elf = Elf64 {
            interpreter: Some(LOADER),
            needed: vec!["libc.so.6"],
            imports: vec!["tcsetpgrp", "execve", "setpgid", "dup2", "vfork"],
            blind_hash,
            ..Elf64::default()
        };
        assert_eq!(
            families(&inspect(&elf.bytes()).unwrap()),
            ["heur.jobcontrol"],
            "{blind_hash}"
        );
    }
}
