//! Tests of programs that were made to look like others, or like nothing.

use super::*;

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
    // A table of sections that lies nowhere is none.
    let mut nowhere = with_sections.bytes();
    nowhere[40..48].fill(0);
    assert!(opaque(&nowhere).unwrap().contains("look random"));
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

#[test]
fn a_table_of_applets_is_found_by_its_relocations() {
    let mut data = b"toybox\0ash\0cat\0ls\0\0\0\0\0\0\0".to_vec();
    let table = data.len() as u64;
    data.resize(data.len() + 4 * 16, 0);
    let relative = (0..)
        .zip([0, 7, 11, 15])
        .map(|(slot, name)| (table + 16 * slot, name));
    let elf = Elf64 {
        relative: relative.collect(),
        data,
        ..Elf64::default()
    };
    let bytes = elf.bytes();
    let reading = elf::Reading::of(Content::whole(&bytes), &Limits::default());
    let names = applets::in_pointer_table(Catalog::builtin(), &reading);
    assert_eq!(names, ["ash", "cat", "ls", "toybox"]);
}

#[test]
fn five_tools_are_a_list_and_what_is_no_text_stays_sure() {
    let ids = ["shell.bash", "net.curl", "debug.strace", "build.make", "os.tar"];
    let confidences = |count: usize, needed: &[&'static str]| {
        let elf = Elf64 {
            interpreter: Some(LOADER),
            needed: needed.to_vec(),
            data: ids[..count]
                .iter()
                .flat_map(|id| texts_of(id))
                .collect::<Vec<_>>()
                .join("\0")
                .into_bytes(),
            ..Elf64::default()
        };
        let program = inspect(&elf.bytes()).unwrap();
        let all = program.identities.iter();
        all.map(|one| (one.family.clone(), one.confidence))
            .collect::<Vec<_>>()
    };
    let sure = |all: &[(String, Confidence)]| {
        let sure = all
            .iter()
            .filter(|(_, confidence)| *confidence == Confidence::Certain);
        sure.map(|(family, _)| family.clone()).collect::<Vec<_>>()
    };
    assert_eq!(sure(&confidences(4, &[])).len(), 4);
    assert_eq!(confidences(5, &[]).len(), 5);
    assert_eq!(sure(&confidences(5, &[])), [""; 0]);
    // A library that only one program needs is no text.
    assert_eq!(sure(&confidences(5, &["libapt-private.so.0.0"])), ["pm.apt"]);
}

#[test]
fn confidence_counts_the_texts_beyond_those_that_are_needed() {
    let (_, k, texts) = signatures()
        .into_iter()
        .find(|(id, ..)| id == "shell.bash")
        .unwrap();
    for (more, want) in [
        (0, Confidence::Likely),
        (2, Confidence::Likely),
        (3, Confidence::Certain),
    ] {
        let some = texts.iter().take(k + more).map(String::as_str);
        let program = inspect(&program_with(some)).unwrap();
        assert_eq!(program.identities[0].confidence, want, "{k} and {more}");
    }
    // Where one text is enough, it says all.
    let (id, _, texts) = signatures()
        .into_iter()
        .find(|(_, k, texts)| (*k, texts.len()) == (1, 1))
        .unwrap();
    let program = inspect(&program_with(texts.iter().map(String::as_str))).unwrap();
    let identity = program
        .identities
        .iter()
        .find(|identity| identity.family == id)
        .unwrap();
    assert_eq!(identity.confidence, Confidence::Certain, "{id}");
}

#[test]
fn only_versions_of_go_make_build_information() {
    for (toolchain, known) in [
        ("go1.22", true),
        ("devel go1.24-abc", true),
        ("rustc 1.95", false),
    ] {
        let mut bytes = go::MAGIC.to_vec();
        bytes.extend([8, 2]);
        bytes.resize(32, 0);
        bytes.push(toolchain.len() as u8);
        bytes.extend(toolchain.as_bytes());
        let read = go::read(&Content::whole(&bytes), 0, true, |_| None);
        assert_eq!(read.is_some(), known, "{toolchain}");
    }
}

#[test]
fn what_a_section_claims_is_not_appended() {
    let program = program_with(["nothing"]);
    let payload = [&[7; 100][..], &archives::tool()].concat();
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
