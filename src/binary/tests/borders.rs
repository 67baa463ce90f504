//! What stands across the border of two pieces of a file.

use super::{Elf64, LOADER, families, inspect, inspect_in};
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
