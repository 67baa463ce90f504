//! Tests of programs that were made to look like others, or like nothing.

use super::*;

/// A program whose header names no sections.
fn without_sections(data: Vec<u8>) -> Vec<u8> {
    let elf = Elf64::holding(data);
    let mut bytes = elf.bytes();
    bytes[60] = 0;
    bytes
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
    let with_sections = Elf64::holding(noise(100_000));
    assert_eq!(opaque(&with_sections.bytes()), None);
    // A table of sections that lies nowhere is none.
    let mut nowhere = with_sections.bytes();
    nowhere[40..48].fill(0);
    assert!(opaque(&nowhere).unwrap().contains("look random"));
}

#[test]
fn bytes_look_random_from_six_and_a_half_bits_on() {
    let opaque = |mask: u8| {
        let masked = noise(100_000).into_iter().map(|byte| byte & mask);
        opaque(&without_sections(masked.collect()))
    };
    assert_eq!(opaque(0x3f), None);
    assert!(opaque(0x7f).unwrap().contains("(7.0 bits each)"));
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
    let inner = program_with(["nothing to see"]);
    let packed = |behind: usize| inspect(&packed_as_stored(&inner, &noise(behind))).unwrap();
    let honest = packed(100);
    assert_eq!(families(&honest), ["packed.upx"]);
    assert_eq!(honest.opaque, None);
    let decoy = packed(100_000);
    assert_eq!(
        decoy.opaque.as_deref(),
        Some(
            "only a part of what is packed in it can be unpacked: it does not fit its own headers, or has more than 134217728 \
             bytes (limit)"
        )
    );
}

#[test]
fn what_a_program_asks_for_is_found_by_any_table_and_by_none() {
    for lookup in [Lookup::Hash, Lookup::GnuHash, Lookup::Relocations, Lookup::Gap] {
        let elf = Elf64 {
            interpreter: Some(LOADER),
            needed: vec!["libc.so.6"],
            imports: vec!["tcsetpgrp", "execve", "setpgid", "dup2", "vfork"],
            lookup,
            ..Elf64::default()
        };
        let mut bytes = elf.bytes();
        assert_eq!(
            families(&inspect(&bytes).unwrap()),
            ["heur.jobcontrol"],
            "{lookup:?}"
        );
        // Functions that it has itself are none that it asks for.
        let symbols = memchr::memmem::find(&bytes, &[0x12, 0, 0, 0]).unwrap();
        bytes[symbols + 2] = 1;
        assert_eq!(families(&inspect(&bytes).unwrap()), [""; 0], "{lookup:?}");
    }
}
