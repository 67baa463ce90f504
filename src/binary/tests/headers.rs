//! Headers, also those that lie: what is read of them, and the damage that is told.

use super::*;

/// Where the program headers of the tests' ELF files stand: what is loaded, the dynamic section, the interpreter.
const LOADED: usize = 64;
const DYNAMIC: usize = LOADED + 56;
const INTERPRETER: usize = DYNAMIC + 56;
/// Fields of a program header.
const OFFSET: usize = 8;
const ADDRESS: usize = 16;
const SIZE: usize = 32;

fn linked() -> Vec<u8> {
    Elf64 {
        interpreter: Some(LOADER),
        needed: vec!["liba.so"],
        ..Elf64::default()
    }
    .bytes()
}

fn put(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

fn get(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(*bytes[at..].first_chunk().unwrap())
}

fn elf(bytes: &[u8]) -> Elf {
    match inspect(bytes).unwrap().form {
        Form::Elf(elf) => elf,
        other => panic!("{other:?}"),
    }
}

#[test]
fn headers_are_read() {
    let whole = Elf64 {
        interpreter: Some(LOADER),
        needed: vec!["libc.so.6", "libm.so.6"],
        soname: Some("libx.so"),
        ..Elf64::default()
    };
    let seen = elf(&whole.bytes());
    assert_eq!(seen.machine, 62);
    assert!(seen.class64 && seen.little_endian && seen.startable, "{seen:?}");
    assert_eq!(seen.interpreter.as_deref(), Some(LOADER.as_bytes()));
    assert_eq!(seen.needed, [b"libc.so.6", b"libm.so.6"]);
    assert_eq!(seen.soname.as_deref(), Some(&b"libx.so"[..]));
    assert_eq!(seen.damage, None);
    // Without an interpreter the name makes it a library; without both it starts by itself.
    assert!(
        !elf(&Elf64 {
            interpreter: None,
            ..whole.clone()
        }
        .bytes())
        .startable
    );
    assert!(elf(&Elf64::default().bytes()).startable);
    assert!(
        !elf(&Elf64 {
            needed: vec!["libc.so.6"],
            ..Elf64::default()
        }
        .bytes())
        .startable
    );
}

#[test]
fn what_lies_outside_is_damage_and_the_rest_is_read() {
    let whole = elf(&linked());
    assert_eq!((whole.damage.as_deref(), whole.needed.len()), (None, 1));
    let lie = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = linked();
        change(&mut bytes);
        elf(&bytes)
    };
    let length = linked().len() as u64;
    let dynamic_at = get(&linked(), DYNAMIC + OFFSET) as usize;
    let entry = |tag: u64| {
        let bytes = linked();
        let mut entries = (dynamic_at..).step_by(16);
        entries.find(|&at| get(&bytes, at) == tag).unwrap()
    };
    for (damage, refused, change) in [
        (
            "program headers lie outside the file",
            true,
            Box::new(|bytes: &mut Vec<u8>| put(bytes, 32, length - 100)) as Box<dyn Fn(&mut Vec<u8>)>,
        ),
        (
            "the path of its interpreter has no end",
            true,
            Box::new(|bytes| put(bytes, INTERPRETER + SIZE, LOADER.len() as u64)),
        ),
        (
            "the names of its libraries lie outside the file",
            false,
            Box::new(|bytes| put(bytes, entry(5) + 8, 1 << 40)),
        ),
        (
            "the dynamic section lies outside the file",
            false,
            Box::new(|bytes| {
                put(bytes, DYNAMIC + OFFSET, 1 << 40);
                put(bytes, DYNAMIC + ADDRESS, 1 << 40);
            }),
        ),
        (
            "the dynamic section has no end",
            false,
            Box::new(|bytes| {
                bytes.truncate(entry(0));
                let size = bytes.len() as u64;
                put(bytes, LOADED + SIZE, size);
            }),
        ),
    ] {
        let elf = lie(&*change);
        let told = elf.damage.clone().unwrap_or_default();
        assert!(told.starts_with(damage), "{damage}: {told}");
        assert_eq!(elf.refused().is_some(), refused, "{damage}");
    }
}

#[test]
fn the_dynamic_section_is_found_by_its_place_if_its_address_lies() {
    let mut bytes = linked();
    put(&mut bytes, DYNAMIC + ADDRESS, 1 << 40);
    assert_eq!(elf(&bytes).needed, [b"liba.so"]);
    // And by its address if its place does.
    let mut bytes = linked();
    put(&mut bytes, DYNAMIC + OFFSET, 0);
    assert_eq!(elf(&bytes).needed, [b"liba.so"]);
}

#[test]
fn of_segments_at_one_address_the_last_one_is_what_runs() {
    let mut bytes = Elf64 {
        needed: vec!["liba.so"],
        ..Elf64::default()
    }
    .bytes();
    let length = bytes.len();
    let mut copy = bytes.clone();
    let name = memchr::memmem::find(&copy, b"liba.so").unwrap();
    copy[name + 3] = b'z';
    // The third header is free.
    bytes[INTERPRETER] = 1;
    for (field, value) in [(OFFSET, length), (ADDRESS, 0), (SIZE, length)] {
        put(&mut bytes, INTERPRETER + field, value as u64);
    }
    bytes.extend(copy);
    assert_eq!(elf(&bytes).needed, [b"libz.so"]);
}

#[test]
fn class_and_byte_order_are_those_that_the_kernel_sees() {
    // The file's type, the processor, and the sizes of a program header of each class.
    let header = |ident: [u8; 2], kind: [u8; 2], machine: [u8; 2], sizes: &[(usize, [u8; 2])]| {
        let mut bytes = b"\x7fELF".to_vec();
        bytes.extend(ident);
        bytes.resize(200, 0);
        bytes[16..18].copy_from_slice(&kind);
        bytes[18..20].copy_from_slice(&machine);
        for &(at, size) in sizes {
            bytes[at..at + 2].copy_from_slice(&size);
        }
        elf(&bytes)
    };
    let (class32, class64, little, big) = (1, 2, 1, 2);
    let (of32, of64) = ((42, [32, 0]), (54, [56, 0]));
    for (ident, kind, machine, sizes, want) in [
        ([class64, little], [2, 0], [62, 0], &[of64][..], (true, true, 62)),
        ([class32, little], [2, 0], [62, 0], &[of64], (true, true, 62)),
        ([class64, little], [2, 0], [3, 0], &[of32], (false, true, 3)),
        ([class64, big], [3, 0], [183, 0], &[of64], (true, true, 183)),
        // Both sizes are there: one of them is something else.
        (
            [class32, little],
            [2, 0],
            [62, 0],
            &[of64, of32],
            (true, true, 62),
        ),
        ([class64, little], [2, 0], [3, 0], &[of64, of32], (false, true, 3)),
        (
            [class64, little],
            [3, 0],
            [40, 0],
            &[of64, of32],
            (false, true, 40),
        ),
        (
            [class64, little],
            [0, 2],
            [0, 22],
            &[(54, [0, 56])],
            (true, false, 22),
        ),
        (
            [class32, little],
            [0, 3],
            [0, 8],
            &[(42, [0, 32])],
            (false, false, 8),
        ),
    ] {
        let elf = header(ident, kind, machine, sizes);
        assert_eq!(
            (elf.class64, elf.little_endian, elf.machine),
            want,
            "{ident:?} {kind:?}"
        );
        let honest = ident
            == [
                if want.0 { class64 } else { class32 },
                if want.1 { little } else { big },
            ];
        let told = elf.damage.unwrap_or_default();
        assert_eq!(told.contains("stated wrongly"), !honest, "{told}");
    }
}

#[test]
fn the_kernel_looks_at_neither_class_nor_byte_order() {
    let honest = program_with(texts_of("shell.bash").iter().map(String::as_str));
    for (at, lie) in [(4, 1), (4, 0xff), (5, 2), (5, 0), (6, 9), (7, 9)] {
        let mut bytes = honest.clone();
        bytes[at] = lie;
        let program = inspect(&bytes).unwrap();
        assert_eq!(families(&program), ["shell.bash"], "byte {at}");
        let Form::Elf(elf) = program.form else {
            panic!("byte {at}")
        };
        assert!(
            elf.startable && elf.class64 && elf.little_endian,
            "byte {at}: {elf:?}"
        );
        assert_eq!(elf.damage.is_some(), at < 6, "byte {at}");
    }
}

#[test]
fn section_names_and_string_tables_cost_nothing() {
    let texts = texts_of("shell.bash");
    for (fill, length) in [(0, 32 << 20), (0xff, 1 << 20)] {
        let mut elf = Elf64 {
            interpreter: Some(LOADER),
            needed: vec!["libc.so.6"],
            ..Elf64::default()
        };
        elf.data = texts.join("\0").into_bytes();
        elf.data.resize(length, fill);
        let mut bytes = elf.bytes();
        // One section that is the string table of section names and of symbols: nearly the whole file.
        let (at, size) = (64 + 3 * 56, bytes.len() as u64 - 256);
        let end = bytes.len() as u64;
        bytes[40..48].copy_from_slice(&end.to_le_bytes());
        let section = [3_u64 << 32, 0, 0, at, size, 0, 0, 0];
        bytes.extend(section.into_iter().flat_map(u64::to_le_bytes));
        let program = inspect(&bytes).unwrap();
        assert_eq!(families(&program), ["shell.bash"]);
    }
}

#[test]
fn symbols_without_an_end_cost_no_more_than_honest_ones() {
    // A million symbols whose names have no NUL.
    let mut elf = Elf64 {
        interpreter: Some(LOADER),
        imports: vec!["x"; 100_000],
        ..Elf64::default()
    };
    elf.data = vec![0xff; 1 << 20];
    let mut bytes = elf.bytes();
    let strings = 64 + 3 * 56;
    let length = bytes.len();
    bytes[strings..length / 2]
        .iter_mut()
        .for_each(|byte| *byte |= 0x80);
    assert!(inspect(&bytes).is_some());
}
