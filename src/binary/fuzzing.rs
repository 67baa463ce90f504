//! Fuzz targets of what looks into programs.

use std::sync::LazyLock;

use super::{
    Commands, Content, Form, Inspector, Program, Script, applets as tables,
    elf::{self, Reading},
    go, nrv as decompressor, packed, script as line,
    search::{Found, OVERLAP},
};
use crate::{
    catalog::Catalog,
    fuzzing::{assert_all_shown, assert_shown, pieces},
    limits::Limits,
};

fn limits() -> Limits {
    Limits {
        program: 700,
        unpacked: 4_096,
        program_headers: 56 * 6,
        dynamic_entries: 12,
        symbols: 10,
        archive_bytes: 9_000,
        archive_ratio: 4,
        archive_floor: 3_000,
        squashfs: 2_000,
        archive_members: 6,
        zstd_window_log: 17,
        ..Limits::default()
    }
}

fn inspect<'d>(data: impl IntoIterator<Item = &'d [u8]>, size: usize) -> Option<Program> {
    static LIMITS: LazyLock<Limits> = LazyLock::new(limits);
    let mut inspector = Inspector::new(Catalog::builtin(), &LIMITS);
    inspector.begin(size as u64, true);
    for piece in data {
        if !inspector.feed(piece) {
            break;
        }
    }
    inspector.finish()
}

/// Whatever the pieces, a program is the same, and four bytes make an ELF file one for good.
pub fn program(data: &[u8]) {
    let (pieces, whole) = pieces(data);
    let found = inspect([whole], whole.len());
    assert_eq!(inspect(pieces, whole.len()), found);
    if whole.starts_with(b"\x7fELF") {
        assert!(matches!(
            found,
            Some(Program {
                form: Form::Elf(_),
                ..
            })
        ));
    }
    let Some(found) = found else { return };
    assert!(found.weight() < 64 << 10);
    let inside = found.inside.iter().map(|inner| &inner.program);
    for identity in inside.chain([&found]).flat_map(|program| &program.identities) {
        assert_shown(&identity.evidence);
        assert_shown(identity.version.as_deref().unwrap_or_default());
        assert!(
            identity.meaning(Catalog::builtin()).is_some(),
            "{}",
            identity.family
        );
    }
    if let Some((_, meaning)) = found.tool(Catalog::builtin()) {
        assert!(found.starts() && meaning.rule.is_some());
    }
}

/// A script's line holds what the kernel would take, no more.
pub fn script(data: &[u8]) {
    let read = line::read(data);
    let first_line = |read: &Option<Script>| {
        let read = read.as_ref()?;
        Some((read.interpreter.clone(), read.argument.clone()))
    };
    assert_eq!(
        first_line(&line::read(&data[..data.len().min(255)])),
        first_line(&read),
        "the kernel reads 255 bytes"
    );
    if let Some(Script {
        interpreter,
        argument,
        commands,
        ..
    }) = &read
    {
        if let Some(commands) = commands {
            assert!(commands.weight() <= data.len() + 300 * size_of::<Vec<u8>>());
            let mut all = commands.run.iter().chain(&commands.mentioned);
            assert!(all.all(|word| word.len() <= 255));
        }
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | 0);
        assert!(data.starts_with(b"#!"));
        assert!(!interpreter.is_empty() && !interpreter.iter().any(blank));
        if let Some(argument) = argument {
            assert!(!argument.first().is_none_or(blank) && !argument.last().is_none_or(blank));
        }
        assert!(interpreter.len() + argument.as_ref().map_or(0, Vec::len) <= 253);
    }
    let file = [b"#!", data].concat();
    let (pieces, whole) = pieces(&file);
    assert_eq!(inspect(pieces, whole.len()), inspect([whole], whole.len()));
    let commands = Commands::of(data, false);
    assert!(commands.weight() <= data.len() + 300 * size_of::<Vec<u8>>());
    assert_eq!(
        Commands {
            unclear: true,
            ..commands
        },
        Commands::of(data, true)
    );
    // What the kernel would not start may still be a shell's text, or have an archive behind it.
    if let Some(script) = line::read(&file) {
        let found = inspect([&file[..]], file.len()).map(|program| program.form);
        assert_eq!(found, Some(Form::Script(script)));
    }
}

/// The headers and tables of an ELF file are read without any of their numbers being believed, and what can start is not
/// taken for a file that never does, by however few of its bytes.
pub fn elf(data: &[u8]) {
    let limits = limits();
    let file = [elf::MAGIC, data].concat();
    let reading = Reading::of(Content::whole(&file), &limits);
    let wanted = Catalog::builtin().symbols();
    let (imports, defines) = reading.symbols(wanted);
    assert!(imports.len() + defines.len() <= 2 * limits.symbols);
    assert!(reading.elf.needed.len() <= limits.dynamic_entries);
    assert_shown(reading.elf.damage.as_deref().unwrap_or_default());
    for end in [file.len(), file.len() / 2, 64, 16] {
        let head = file.get(..end).unwrap_or(&file);
        assert!(!reading.elf.startable || elf::may_start(head, &limits));
        let wanted = elf::wanted_behind(head, &limits);
        assert!(wanted.len() <= 6);
        assert!(wanted.iter().all(|(_, length)| *length <= 1 << 20));
    }
}

/// A packed program unpacks to no more than the cap.
pub fn upx(data: &[u8]) {
    let limits = limits();
    let reading = Reading::of(Content::whole(data), &limits);
    if let Some(packed::Unpacked { image, .. }) = packed::unpack(&reading, limits.unpacked) {
        assert!(image.len() <= limits.unpacked);
        let _ = Reading::of(Content::whole(&image), &limits);
    }
    if let Some(bits) = packed::randomness(&reading) {
        assert!(bits > 0.0 && bits <= 8.0);
    }
}

/// A stream unpacks to no more than it should.
pub fn nrv(data: &[u8]) {
    let Some(([variant, size], stream)) = data.split_first_chunk() else {
        return;
    };
    let variant = [
        decompressor::Variant::B,
        decompressor::Variant::D,
        decompressor::Variant::E,
    ][usize::from(variant % 3)];
    let size = usize::from(*size) * 8;
    if let Some(out) = decompressor::decompress(variant, stream, size) {
        assert!(out.len() <= size);
        // Asked for less, it gives the same beginning.
        let half = decompressor::decompress(variant, stream, out.len() / 2);
        assert_eq!(half.as_deref(), out.get(..out.len() / 2));
    }
}

/// Go's build information is found where it is and safe to show.
pub fn go_build_info(data: &[u8]) {
    let content = Content::whole(data);
    for offset in [0, 16] {
        for little_endian in [true, false] {
            let info = go::read(&content, offset, little_endian, |address| {
                (address < 1 << 40).then_some(address)
            });
            let Some(info) = info else { continue };
            assert!(info.toolchain.starts_with("go") || info.toolchain.starts_with("devel"));
            assert_shown(&info.toolchain);
            assert_shown(info.version.as_deref().unwrap_or_default());
            assert!(info.path.len() <= data.len());
        }
    }
}

/// Tables of applets hold names alone.
pub fn applets(data: &[u8]) {
    let catalog = Catalog::builtin();
    let limits = limits();
    let reading = Reading::of(Content::whole(data), &limits);
    for mut names in [
        tables::in_name_table(catalog, data),
        tables::in_pointer_table(catalog, &reading),
    ] {
        assert!(names.iter().all(|name| !name.is_empty() && name.len() <= 24));
        assert_all_shown(&names);
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(names.is_sorted());
    }
}

const TEXTS: [&str; 6] = [
    "fuzzing0",
    "fuzzing0fuzzing0",
    "aaaaaaaaaaaaaaaaaaaa",
    "aaaaaaaaab",
    "a text of thirty-two bytes there",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345abcd",
];

/// A literal is found where it is and nowhere else, in the whole and in chunks that overlap.
pub fn search(data: &[u8]) {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
        let tools = TEXTS.iter().enumerate().map(|(number, text)| {
            format!(
                "[[tool]]\nid = 'shell.fuzz{number}'\nrule = 'shell'\nkind = 'program'\nnames = ['fuzz{number}']\n\
                 [[tool.signature]]\nk = 1\nany = ['{text}']\n"
            )
        });
        Catalog::with(&[("fuzz".to_owned(), tools.collect())]).unwrap_or_else(|why| panic!("{why}"))
    });
    let count = |found: &Found, number: usize| {
        let tool = CATALOG.tool(&format!("shell.fuzz{number}"));
        tool.map_or(0, |tool| {
            tool.signatures.iter().map(|one| found.count(&one.any)).sum()
        })
    };
    let (pieces, whole) = pieces(data);
    let mut at_once = Found::new(&CATALOG);
    at_once.search(&CATALOG, whole);
    let mut chunked = Found::new(&CATALOG);
    let mut window: Vec<u8> = Vec::new();
    for piece in pieces {
        window.drain(..window.len().saturating_sub(OVERLAP));
        window.extend_from_slice(piece);
        chunked.search(&CATALOG, &window);
    }
    for (number, text) in TEXTS.iter().enumerate() {
        let there = usize::from(memchr::memmem::find(whole, text.as_bytes()).is_some());
        assert_eq!(count(&at_once, number), there, "{text}");
        assert_eq!(count(&chunked, number), there, "{text} in chunks");
    }
}
