//! What stands across the border of two pieces of a file.

use super::samples::program_with;
use super::{Elf64, LOADER, families, inspect, inspect_in, texts_of};
use crate::{binary::Form, limits::Limits};

/// A crate that the catalogue asks for, and one whose name ends like it; with a blank, since else these tests would be found to be it.
const CRATES: [(&str, bool); 2] = [("nu -cli", true), ("menu -cli", false)];

#[test]
fn names_and_crates_are_read_whole_wherever_the_pieces_end() {
    for (name, known) in CRATES {
        let path = format!(
            "/build/registry/src/index/{}-0.99.1/src/main.rs",
            name.replace(' ', "")
        );
        let text = format!("\0/usr/lib/libdeeper-1.2.so.3.14\0{path}\0libz.so");
        let elf = Elf64 {
            interpreter: Some(LOADER),
            needed: vec!["libc.so.6"],
            data: [vec![0; 400], text.into_bytes()].concat(),
            ..Elf64::default()
        };
        let bytes = elf.bytes();
        let whole = inspect(&bytes).unwrap();
        let Form::Elf(elf) = &whole.form else {
            panic!("{whole:?}");
        };
        let names = [LOADER.as_bytes(), b"/usr/lib/libdeeper-1.2.so.3.14", b"libz.so"];
        assert_eq!(elf.library_names, names);
        assert_eq!(!families(&whole).is_empty(), known, "{path}");
        for size in 1..bytes.len() {
            for program in [300, 500, bytes.len()] {
                let limits = Limits {
                    program,
                    ..Limits::default()
                };
                let pieces = inspect_in(&bytes, &[size], &limits);
                assert_eq!(pieces.as_ref(), Some(&whole), "{size} bytes, {program} held");
            }
        }
    }
}

/// What looks like a member in bytes that a decompressor has taken is none, however they came.
#[test]
fn behind_a_damaged_member_of_unknown_size_the_search_goes_on_where_the_damage_is() {
    // Stored bytes of a length that is not the complement of the one behind it.
    let damaged = |before: &[u8]| {
        let mut bytes = b"PK\x03\x04\x14\0\x08\0\x08\0".to_vec();
        bytes.resize(30, 0);
        [&bytes, before].concat()
    };
    let shell = program_with(texts_of("shell.bash").iter().map(String::as_str));
    let size = (shell.len() as u32).to_le_bytes();
    let mut member = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    member.extend([size, size, [1, 0, 0, 0]].concat());
    member.push(b'a');
    member.extend(shell);
    for content in [&b"\0\0\0PK"[..], b"\0PK\x03\x04\x14\0\0\0"] {
        let archive = [damaged(content), member.clone()].concat();
        let whole = inspect(&archive);
        assert_eq!(whole.as_ref().map(|whole| whole.inside.len()), Some(1));
        for size in 1..40 {
            let pieces = inspect_in(&archive, &[size], &Limits::default());
            assert_eq!(pieces, whole, "{size}");
        }
    }
}
