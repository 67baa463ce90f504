//! What holds for any program: pieces do not matter, nothing panics.

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the pieces, and whether texts lie in the head, behind it or across a border.
    #[test]
    fn pieces_of_any_size_give_the_same(
        sizes in proptest::collection::vec(prop_oneof![1..200_usize, 1_000..400_000_usize], 1..6),
        program in prop_oneof![300..1_000_usize, Just(70_000), 3_000..300_000_usize],
        gap in 0..60_000_usize,
    ) {
        let mut data = Vec::new();
        for text in texts_of("shell.bash") {
            data.extend(text.as_bytes());
            data.extend(std::iter::repeat_n(0, gap));
        }
        let elf = Elf64 { interpreter: Some(LOADER), needed: vec!["libc.so.6"], data, ..Elf64::default() };
        let bytes = elf.bytes();
        let limits = Limits { program, ..Limits::default() };
        let whole = inspect(&bytes).unwrap();
        prop_assert_eq!(families(&whole), ["shell.bash"]);
        prop_assert_eq!(inspect_in(&bytes, &sizes, &limits), Some(whole));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Headers that lie: nothing panics, and a changed byte behind the first four leaves it a program.
    #[test]
    fn changed_bytes_never_panic(
        changes in proptest::collection::vec((4..900_usize, prop_oneof![any::<u8>(), Just(0), Just(0xff)]), 1..12),
        cut in prop_oneof![Just(usize::MAX), 4..900_usize],
        program in prop_oneof![Just(300_usize), Just(1 << 20)],
    ) {
        let elf = Elf64 {
            interpreter: Some(LOADER),
            needed: vec!["libc.so.6", "libreadline.so.8"],
            imports: vec!["tcsetpgrp", "fork"],
            data: b"\0ash\0cat\0toybox\0\xff Go buildinf:\x08\x02".repeat(9),
            ..Elf64::default()
        };
        let mut bytes = elf.bytes();
        for (at, byte) in changes {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        bytes.truncate(cut);
        let limits = Limits { program, ..Limits::default() };
        let found = inspect_in(&bytes, &[97], &limits);
        let is_elf = found.is_some_and(|program| matches!(program.form, Form::Elf(_)));
        prop_assert!(is_elf);
    }
}
