//! Caps on programs and on archives: each one lowered and hit one step beyond it.

use super::*;

pub(super) fn elf_in(bytes: &[u8], limits: &Limits) -> (Elf, Program) {
    // All at once, in pieces, and as what lies behind what is held.
    let program = inspect_in(bytes, &[bytes.len()], limits).unwrap();
    let Form::Elf(elf) = program.form.clone() else {
        panic!("{program:?}")
    };
    (elf, program)
}

pub(super) fn linked() -> Vec<u8> {
    Elf64 {
        interpreter: Some(LOADER),
        needed: vec!["liba.so", "libb.so"],
        imports: vec!["tcsetpgrp", "execve", "setpgid", "dup2", "vfork"],
        ..Elf64::default()
    }
    .bytes()
}

#[test]
fn headers_and_entries_beyond_their_cap_are_damage() {
    let bytes = linked();
    let with = |program_headers: usize, dynamic_entries: usize| {
        let limits = Limits {
            program_headers,
            dynamic_entries,
            ..Limits::default()
        };
        elf_in(&bytes, &limits).0
    };
    let whole = with(3 * 56, 4_096);
    assert_eq!((whole.damage.as_deref(), whole.needed.len()), (None, 2));
    let headless = with(3 * 56 - 1, 4_096);
    assert_eq!(
        headless.damage.as_deref(),
        Some("it states more program headers than the kernel takes: 3 of 56 bytes (limit: 167 bytes)")
    );
    assert!(headless.refused().is_some());
    assert_eq!(headless.interpreter, None);
    // As many as there are, with the one that ends them.
    let entries = (1..20).find(|&most| with(3 * 56, most).damage.is_none()).unwrap();
    assert!(entries > 3, "{entries}");
    let cut = with(3 * 56, entries - 1);
    assert_eq!(
        cut.damage,
        Some(format!(
            "the dynamic section has more entries than are looked at (limit: {})",
            entries - 1
        ))
    );
}

#[test]
fn symbols_beyond_their_cap_are_not_looked_at() {
    let bytes = linked();
    let found = |symbols: usize| {
        let limits = Limits {
            symbols,
            ..Limits::default()
        };
        let (elf, program) = elf_in(&bytes, &limits);
        (families(&program) == ["heur.jobcontrol"], elf.damage)
    };
    // The null symbol and five names.
    assert_eq!(found(6), (true, None));
    let told = "it states 6 dynamic symbols, more than are looked at (limit: 3)";
    assert_eq!(found(3), (false, Some(told.to_owned())));
}

#[test]
fn what_a_loader_could_read_and_this_could_not_is_told_of_what_may_start() {
    let limits = Limits {
        symbols: 3,
        ..Limits::default()
    };
    let unread = |bytes: &[u8], executable: bool| {
        let mut inspector = Inspector::new(Catalog::builtin(), &limits);
        inspector.begin(bytes.len() as u64, executable);
        inspector.feed(bytes);
        inspector.finish();
        inspector.unread()
    };
    assert_eq!(
        unread(&linked(), true),
        [
            "is an ELF file that cannot be read as a loader would: it states 6 dynamic symbols, more than are looked at (limit: 3)"
        ]
    );
    assert_eq!(unread(&linked(), false), [""; 0]);
    // What the kernel refuses, and what it never starts, hides nothing.
    let mut cut = linked();
    cut.truncate(64 + 56);
    assert_eq!(unread(&cut, true), [""; 0]);
    let library = Elf64 {
        soname: Some("libx.so"),
        imports: vec!["a", "b", "c"],
        ..Elf64::default()
    };
    assert_eq!(unread(&library.bytes(), true), [""; 0]);
}

#[test]
fn names_of_libraries_beyond_their_cap_are_told_wherever_they_stand() {
    let names: Vec<String> = (0..12).map(|n| format!("libname{n}.so")).collect();
    let with = |data: Vec<u8>, library_names: usize, program: usize| {
        let bytes = Elf64::holding(data).bytes();
        let limits = Limits {
            program,
            library_names,
            ..Limits::default()
        };
        let (elf, _) = elf_in(&bytes, &limits);
        (elf.library_names.len(), elf.library_names_cut)
    };
    let text = format!("\0{}\0", names.join("\0")).into_bytes();
    // Within what is held, and behind it.
    for (before, program) in [(0, 16 << 20), (100_000, 4_096)] {
        let data = [vec![b'x'; before], text.clone()].concat();
        assert_eq!(with(data.clone(), 12, program), (12, false), "{before}");
        assert_eq!(with(data, 2, program), (2, true), "{before}");
    }
}

#[test]
fn what_unpacks_to_more_than_its_cap_is_opaque() {
    let inner = program_with(["nothing to see"]);
    let bytes = packed_as_stored(&inner, b"");
    let opaque = |unpacked: usize| {
        let limits = Limits {
            unpacked,
            ..Limits::default()
        };
        elf_in(&bytes, &limits).1.opaque
    };
    assert_eq!(opaque(inner.len()), None);
    for less in [inner.len() - 1, 64 + 3 * 56] {
        assert!(opaque(less).is_some(), "{less}");
    }
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
