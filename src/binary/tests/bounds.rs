//! Bounds on memory and members, by count: of member lists, names inside packed programs, pieces behind a large head, windows.

use super::{
    caps::{elf_in, linked},
    *,
};

#[test]
fn a_member_list_beyond_its_cap_is_told() {
    // One empty member, which the directory lists so often.
    let zip = |lines: u16| {
        let name = &b"a"[..];
        let member = [&b"PK\x03\x04\x14\0"[..], &[0; 20], &[1, 0, 0, 0], name].concat();
        let line = [&b"PK\x01\x02\x14\0\x14\0"[..], &[0; 20], &[1, 0], &[0; 16], name].concat();
        let directory = line.repeat(lines.into());
        let (size, begins) = (directory.len() as u32, member.len() as u32);
        let count = lines.to_le_bytes();
        let end = [
            &b"PK\x05\x06\0\0\0\0"[..],
            &count,
            &count,
            &size.to_le_bytes(),
            &begins.to_le_bytes(),
            &[0, 0],
        ];
        [member, directory, end.concat()].concat()
    };
    let limits = Limits {
        archive_members: 3,
        ..Limits::default()
    };
    for sizes in [&[1_000][..], &[1], &[7, 3]] {
        assert_eq!(held_in(&zip(3), sizes, &limits).1, [""; 0]);
        let unread = held_in(&zip(4), sizes, &limits).1;
        assert_eq!(unread.len(), 1, "{unread:?}");
        assert!(
            unread[0].starts_with("lists too many members (limit 3)"),
            "{unread:?}"
        );
    }
}

#[test]
fn names_of_libraries_inside_a_packed_program_share_the_cap() {
    let names: Vec<String> = (0..12).map(|n| format!("libname{n:02}.so")).collect();
    let inner = Elf64 {
        fixed: true,
        data: format!("\0{}\0", names.join("\0")).into_bytes(),
        ..Elf64::default()
    }
    .bytes();
    // The blocks cut each name, so that only who joins them reads it.
    let block = |bytes: &[u8]| {
        let length = (bytes.len() as u32).to_le_bytes();
        [&length[..], &length, &[2, 0, 0, 0], bytes].concat()
    };
    let (headers, mut rest) = inner.split_at(64 + 3 * 56);
    // One more stands before them, where everyone sees it.
    let mut data = [&b"\0libseen.so\0"[..], &[0; 12], &block(headers)].concat();
    while let Some(at) = memchr::memmem::find(rest, b".so") {
        let (first, behind) = rest.split_at(at - 1);
        data.extend(block(first));
        rest = behind;
        let (first, behind) = rest.split_at(4);
        data.extend(block(first));
        rest = behind;
    }
    data.extend(block(rest));
    let length = (data.len() + headers.len()) as u64;
    let mut bytes = headers.to_vec();
    for field in [64 + 32, 64 + 40] {
        bytes[field..field + 8].copy_from_slice(&length.to_le_bytes());
    }
    bytes.extend(data);
    for (library_names, found, cut) in [(13, 13, false), (12, 12, true), (11, 11, true)] {
        let limits = Limits {
            library_names,
            ..Limits::default()
        };
        let (elf, program) = elf_in(&bytes, &limits);
        assert_eq!(program.opaque, None);
        assert_eq!((elf.library_names.len(), elf.library_names_cut), (found, cut));
    }
}

#[test]
fn what_is_kept_from_behind_a_large_head_has_a_bound_whatever_its_headers_say() {
    // A thousand segments of each kind that leads behind the head.
    let mut head = linked()[..64].to_vec();
    for at in 0..1_000_u64 {
        for kind in [2_u32, 3, 1] {
            let place = (1_u64 << 40) + at * 5_000_000;
            head.extend([kind.to_le_bytes(), 4_u32.to_le_bytes()].concat());
            head.extend([place; 3].iter().flat_map(|field| field.to_le_bytes()));
            head.extend([5_000_000_u64; 2].iter().flat_map(|field| field.to_le_bytes()));
            head.extend(8_u64.to_le_bytes());
        }
    }
    head[32..40].copy_from_slice(&64_u64.to_le_bytes());
    head[56..58].copy_from_slice(&1_000_u16.to_le_bytes());
    let limits = Limits::default();
    let wanted = elf::wanted_behind(&head, &limits);
    assert!(!wanted.is_empty());
    let bytes: usize = wanted.iter().map(|(_, length)| length).sum();
    let most = limits.program_headers + 4_096 + 2 * 16 * limits.dynamic_entries + (1 << 20);
    assert!(wanted.len() <= 5 && bytes <= most, "{wanted:?}");
}

#[test]
fn a_window_or_dictionary_beyond_its_cap_is_told() {
    let content = vec![b'x'; 100_000];
    let zstd = {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.long_distance_matching(true).unwrap();
        encoder.window_log(20).unwrap();
        std::io::Write::write_all(&mut encoder, &content).unwrap();
        encoder.finish().unwrap()
    };
    let xz = {
        let mut options = liblzma::stream::LzmaOptions::new_preset(1).unwrap();
        options.dict_size(1 << 20);
        let mut filters = liblzma::stream::Filters::new();
        filters.lzma2(&options);
        let check = liblzma::stream::Check::Crc32;
        let stream = liblzma::stream::Stream::new_stream_encoder(&filters, check).unwrap();
        let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
        std::io::Write::write_all(&mut encoder, &content).unwrap();
        encoder.finish().unwrap()
    };
    for (bytes, enough) in [(zstd, 20), (xz, 21)] {
        for (zstd_window_log, refused) in [(enough, false), (19, true)] {
            let limits = Limits {
                zstd_window_log,
                ..Limits::default()
            };
            let unread = held_in(&bytes, &[1_000], &limits).1;
            let told = unread
                .iter()
                .any(|why| why.contains("more than 2^19 bytes of memory (limit)"));
            assert_eq!(
                (told, unread.len()),
                (refused, usize::from(refused)),
                "{unread:?}"
            );
        }
    }
}

#[test]
fn archives_in_one_another_are_told_with_the_cap() {
    let limits = Limits {
        archive_depth: 1,
        ..Limits::default()
    };
    let inner = tar(&[("a", b"x")]);
    let unread = held_in(&tar(&[("inner.tar", &inner)]), &[1_000], &limits).1;
    assert_eq!(unread.len(), 1, "{unread:?}");
    assert!(
        unread[0].contains("lies in too many archives (limit 1)"),
        "{unread:?}"
    );
}
