//! Tests of what programs are taken for.

mod archives;
mod borders;
mod caps;
mod decision;
mod headers;
mod lies;
mod scripts;
mod squashfs;
mod starting;

use std::{
    collections::BTreeSet,
    io::Read,
    path::{Path, PathBuf},
};

use proptest::prelude::*;

use super::*;
use crate::{
    catalog::{Catalog, tables::Kind},
    limits::Limits,
};

/// What the inspector says of `bytes`, fed in one piece.
fn inspect(bytes: &[u8]) -> Option<Program> {
    inspect_in(bytes, &[bytes.len().max(1)], &Limits::default())
}

/// The same, fed in pieces of these sizes over and over. A scan finds the same in all that starts.
fn inspect_in(bytes: &[u8], sizes: &[usize], limits: &Limits) -> Option<Program> {
    let all = inspect_by(Inspector::of_libraries(Catalog::builtin(), limits), bytes, sizes);
    let scanned = inspect_by(Inspector::new(Catalog::builtin(), limits), bytes, sizes);
    match (&all, &scanned) {
        (Some(all), Some(scanned)) if !all.starts() => {
            assert!(!scanned.starts());
            assert_eq!(
                (&scanned.form, &scanned.inside, &scanned.opaque),
                (&all.form, &all.inside, &all.opaque)
            );
        }
        _ => assert_eq!(scanned, all),
    }
    all
}

fn inspect_by(mut inspector: Inspector<'_>, bytes: &[u8], sizes: &[usize]) -> Option<Program> {
    inspector.begin(bytes.len() as u64, true);
    let mut rest = bytes;
    for size in sizes.iter().cycle() {
        let (piece, after) = rest.split_at(rest.len().min(*size));
        if piece.is_empty() || !inspector.feed(piece) {
            break;
        }
        rest = after;
    }
    inspector.finish()
}

fn families(program: &Program) -> Vec<&str> {
    program
        .identities
        .iter()
        .map(|identity| identity.family.as_str())
        .collect()
}

/// How an ELF file of the tests is to look: 64-bit, little-endian, one segment that holds all of it. A library begins nowhere.
#[derive(Clone, Default)]
struct Elf64<'a> {
    interpreter: Option<&'a str>,
    needed: Vec<&'a str>,
    soname: Option<&'a str>,
    imports: Vec<&'a str>,
    /// What lies in the segment besides.
    data: Vec<u8>,
    /// No dynamic section, `ET_EXEC`.
    fixed: bool,
    /// By what its symbols are found.
    lookup: Lookup,
    /// It says that it is a position-independent program.
    position_independent: bool,
    /// Relocations of `data` to other places in it.
    relative: Vec<(u64, u64)>,
}

/// What leads to the symbols of an ELF file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Lookup {
    #[default]
    Hash,
    GnuHash,
    /// The hash table knows none, but relocations name them.
    Relocations,
    /// No table at all: the names stand behind the symbols.
    Gap,
}

impl Elf64<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut strings = vec![0];
        let mut string = |text: &str| {
            let at = strings.len() as u64;
            strings.extend(text.as_bytes());
            strings.push(0);
            at
        };
        let mut dynamic: Vec<(u64, u64)> = self.needed.iter().map(|name| (1, string(name))).collect();
        dynamic.extend(self.soname.map(|name| (14, string(name))));
        let mut symbols = vec![0; 24];
        for name in &self.imports {
            symbols.extend((string(name) as u32).to_le_bytes());
            symbols.extend([0x12, 0]);
            symbols.extend([0; 18]);
        }
        let interpreter = string(self.interpreter.unwrap_or_default());
        let count = 1 + self.imports.len() as u32;
        let hash: Vec<u32> = match self.lookup {
            Lookup::Hash => vec![1, count, 0, 0],
            Lookup::Relocations => vec![1, 0, 0, 0],
            Lookup::Gap => Vec::new(),
            // One bucket of all symbols but the null one, the last of which is marked.
            Lookup::GnuHash => {
                let chain = (1..count).map(|symbol| u32::from(symbol + 1 == count));
                [1, 1, 1, 0, 0, 0, 1].into_iter().chain(chain).collect()
            }
        };
        let hash: Vec<u8> = hash.into_iter().flat_map(u32::to_le_bytes).collect();

        let (strings_size, symbols_size) = (strings.len() as u64, symbols.len() as u64);
        let headers = 64 + 3 * 56;
        let gap = self.lookup == Lookup::Gap;
        let (strings_at, symbols_at) = if gap {
            (headers + symbols_size, headers)
        } else {
            (headers, headers + strings_size)
        };
        let hash_at = headers + strings_size + symbols_size;
        let jumps_at = hash_at + hash.len() as u64;
        let jumps: Vec<u8> = (1..u64::from(count))
            .filter(|_| self.lookup == Lookup::Relocations)
            .flat_map(|symbol| [0, symbol << 32 | 7, 0])
            .flat_map(u64::to_le_bytes)
            .collect();
        let relative_at = jumps_at + jumps.len() as u64;
        let relative_size = 24 * self.relative.len() as u64;
        let dynamic_at = relative_at + relative_size;
        if self.lookup == Lookup::Relocations {
            dynamic.extend([(23, jumps_at), (2, jumps.len() as u64), (20, 7)]);
        }
        if self.position_independent {
            dynamic.push((0x6fff_fffb, 0x0800_0000));
        }
        if !self.relative.is_empty() {
            dynamic.extend([(7, relative_at), (8, relative_size)]);
        }
        match self.lookup {
            Lookup::Hash | Lookup::Relocations => dynamic.push((4, hash_at)),
            Lookup::GnuHash => dynamic.push((0x6fff_fef5, hash_at)),
            Lookup::Gap => {}
        }
        dynamic.extend([(5, strings_at), (6, symbols_at), (0, 0)]);
        let dynamic: Vec<u8> = dynamic
            .into_iter()
            .flat_map(|(tag, value)| [tag, value])
            .flat_map(u64::to_le_bytes)
            .collect();
        let data_at = dynamic_at + dynamic.len() as u64;
        let relative: Vec<u8> = self
            .relative
            .iter()
            .flat_map(|(place, target)| [data_at + place, 8, data_at + target])
            .flat_map(u64::to_le_bytes)
            .collect();
        let size = data_at + self.data.len() as u64;

        let mut out = b"\x7fELF\x02\x01\x01".to_vec();
        out.resize(16, 0);
        out.extend([if self.fixed { 2 } else { 3 }, 0, 62, 0, 1, 0, 0, 0]);
        let asks = self.soname.is_some() || !self.needed.is_empty() || !self.imports.is_empty();
        let library = asks && self.interpreter.is_none() && !self.position_independent && !self.fixed;
        for word in [u64::from(!library), 64, 1] {
            out.extend(word.to_le_bytes());
        }
        let flags = if library { 6 } else { 7_u32 };
        out.extend([0, 0, 0, 0, 64, 0, 56, 0, 3, 0, 64, 0, 1, 0, 0, 0]);
        let segment = |out: &mut Vec<u8>, kind: u32, at: u64, size: u64| {
            out.extend(kind.to_le_bytes());
            out.extend(flags.to_le_bytes());
            for word in [at, at, at, size, size, 1] {
                out.extend(word.to_le_bytes());
            }
        };
        segment(&mut out, 1, 0, size);
        let kind = |present, kind| if present { kind } else { 0 };
        segment(&mut out, kind(!self.fixed, 2), dynamic_at, dynamic.len() as u64);
        let length = self.interpreter.unwrap_or_default().len() as u64 + 1;
        segment(
            &mut out,
            kind(self.interpreter.is_some(), 3),
            strings_at + interpreter,
            length,
        );
        let names = if gap {
            [&symbols, &strings]
        } else {
            [&strings, &symbols]
        };
        for part in names
            .into_iter()
            .chain([&hash, &jumps, &relative, &dynamic, &self.data])
        {
            out.extend(part.iter());
        }
        out
    }
}

/// Bytes without a pattern.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    });
    next.take(length).collect()
}

const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

/// A program without libraries that holds `texts`.
fn program_with<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let data = texts
        .into_iter()
        .flat_map(|text| [text.as_bytes(), &[0]])
        .flatten()
        .copied()
        .collect();
    Elf64 {
        fixed: true,
        data,
        ..Elf64::default()
    }
    .bytes()
}

/// Every table of this name of every tool in the catalogue's files, with the tool's id.
fn tables(name: &str) -> Vec<(String, toml::Value)> {
    let mut all = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "the project's own files")]
    let entries = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/policies/catalog"));
    let paths = entries.unwrap().map(|entry| entry.unwrap().path());
    for path in paths.filter(|path| path.extension().is_some_and(|end| end == "toml")) {
        let file: toml::Table = String::from_utf8(read(path).unwrap()).unwrap().parse().unwrap();
        let tools = file.get("tool").and_then(|tools| tools.as_array());
        for tool in tools.into_iter().flatten() {
            let id = tool["id"].as_str().unwrap();
            let tables = tool.get(name).and_then(|all| all.as_array());
            all.extend(
                tables
                    .into_iter()
                    .flatten()
                    .map(|one| (id.to_owned(), one.clone())),
            );
        }
    }
    all
}

fn texts(value: &toml::Value) -> Vec<String> {
    let texts = value.as_array().unwrap().iter();
    texts.map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Every signature of the catalogue's files: the family, k, and the literals.
fn signatures() -> Vec<(String, usize, Vec<String>)> {
    let all = tables("signature").into_iter();
    all.map(|(id, one)| (id, one["k"].as_integer().unwrap() as usize, texts(&one["any"])))
        .collect()
}

/// The literals of the first signature of a family.
fn texts_of(family: &str) -> Vec<String> {
    signatures().into_iter().find(|(id, ..)| id == family).unwrap().2
}

fn read(path: impl AsRef<Path>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "a test reads programs of the machine it runs on"
    )]
    let file = std::fs::File::open(path).ok()?;
    #[expect(
        clippy::disallowed_methods,
        reason = "a test reads programs of the machine it runs on"
    )]
    file.take(1 << 30).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[test]
fn every_signature_finds_its_family() {
    let all = signatures();
    assert!(all.len() > 250);
    for (id, k, any) in all {
        let program = inspect(&program_with(any.iter().map(String::as_str))).unwrap();
        // An engine may give way to the interpreter that shares its texts.
        let generic = Catalog::builtin()
            .tools()
            .iter()
            .any(|tool| tool.id == id && tool.generic)
            && !families(&program).is_empty();
        assert!(
            generic || families(&program).contains(&id.as_str()),
            "{id}: {:?}",
            families(&program)
        );
        // One text too few is not enough, unless another signature of the family still matches.
        let few = inspect(&program_with(any.iter().take(k - 1).map(String::as_str))).unwrap();
        let related = signatures().iter().filter(|(other, ..)| *other == id).count() > 1;
        assert!(
            related || !families(&few).contains(&id.as_str()),
            "{id} with {} texts",
            k - 1
        );
    }
}

/// What a file must hold for a condition of a structure, with the given one of its names.
fn satisfy(condition: &str, choice: usize, elf: &mut Elf64<'_>, made: &mut Made) {
    let (kind, value) = condition.split_once(':').unwrap();
    let name = value.split('|').cycle().nth(choice).unwrap().to_owned();
    match kind {
        "needed" => made.needed.push(name.replace('*', ".1")),
        "soname" => {
            made.soname = Some(name.replace('*', ".1"));
            elf.interpreter = None;
        }
        "import" => made.imports.push(name),
        "minhits" => {
            let (id, least) = value.split_once('=').unwrap();
            made.texts
                .extend(texts_of(id).into_iter().take(least.parse().unwrap()));
        }
        "text" => made.texts.push(name),
        "go-main" => made.modules.insert(0, format!("mod\t{name}/v2\tv2.1.0\th1:x")),
        "go-module" => made.modules.push(format!("dep\t{name}\tv1.0.0\th1:x")),
        "crate" => made
            .texts
            .push(format!("/cargo/registry/src/x/{name}-1.2.3/src/lib.rs")),
        "crate-main" => made.texts.push(format!("/build/vendor/{name}/src/main.rs")),
        "role" => assert_eq!(value, "exec"),
        "maxsize" => assert!(value.parse::<u64>().unwrap() > 10_000),
        _ => unreachable!("no entry has {condition}"),
    }
}

/// What [`satisfy`] collects.
#[derive(Default)]
struct Made {
    needed: Vec<String>,
    soname: Option<String>,
    imports: Vec<String>,
    texts: Vec<String>,
    modules: Vec<String>,
}

impl Made {
    fn inspect<'a>(&'a self, mut elf: Elf64<'a>) -> Program {
        // Go's build information stands on a 16-byte boundary of the file.
        let mut data = vec![b' '; 64];
        let modules = format!("0123456789abcdef{}\n0123456789abcdef", self.modules.join("\n"));
        for place in 0..16 {
            data.truncate(64 + place);
            data.resize(64 + place, b' ');
            data.extend(b"\xff Go buildinf:");
            data.extend([8, 2]);
            data.extend([0; 16]);
            data.push(6);
            data.extend(b"go1.26");
            data.push(modules.len() as u8 | 0x80);
            data.push((modules.len() >> 7) as u8);
            data.extend(modules.as_bytes());
            if self.modules.is_empty() {
                data.clear();
            }
            data.extend(self.texts.join("\0").bytes());
            elf.data = data.clone();
            elf.needed = self.needed.iter().map(String::as_str).collect();
            elf.soname = self.soname.as_deref();
            elf.imports = self.imports.iter().map(String::as_str).collect();
            let bytes = elf.bytes();
            let at = memchr::memmem::find(&bytes, b"\xff Go buildinf:");
            if at.is_none_or(|at| at % 16 == 0) {
                return inspect(&bytes).unwrap();
            }
        }
        panic!("no place for the build information");
    }
}

#[test]
fn every_structure_finds_its_family_by_each_of_its_names() {
    for (id, structure) in tables("structure") {
        let all = texts(&structure["all"]);
        let choices = all.iter().map(|one| one.matches('|').count()).max();
        for choice in 0..=choices.unwrap() {
            let whole = || Elf64 {
                interpreter: Some(LOADER),
                ..Elf64::default()
            };
            let (mut elf, mut made) = (whole(), Made::default());
            for condition in &all {
                satisfy(condition, choice, &mut elf, &mut made);
            }
            let program = made.inspect(elf);
            // Another name's tool may be known by that, too, and by more.
            let named = program
                .identities
                .iter()
                .any(|identity| !identity.family.starts_with("beyond."));
            assert!(
                families(&program).contains(&id.as_str()) || id.starts_with("beyond.") && named,
                "{id}, name {choice}: {program:?}"
            );
            // Each condition is needed.
            for left_out in 0..all.len() {
                if !id.starts_with("beyond.") || all[left_out].starts_with("role:") {
                    continue;
                }
                let (mut elf, mut made) = (whole(), Made::default());
                for (_, condition) in all.iter().enumerate().filter(|(number, _)| *number != left_out) {
                    satisfy(condition, choice, &mut elf, &mut made);
                }
                let program = made.inspect(elf);
                assert!(
                    !families(&program).contains(&id.as_str()),
                    "{id} without {}",
                    all[left_out]
                );
            }
        }
    }
}

#[test]
fn what_a_program_is_built_from_is_likely_at_most_and_says_so() {
    let elf = || Elf64 {
        fixed: true,
        ..Elf64::default()
    };
    let mut made = Made::default();
    satisfy("go-main:github.com/dop251/goja", 0, &mut elf(), &mut made);
    let program = made.inspect(elf());
    let identity = &program.identities[0];
    assert_eq!(identity.family, "beyond.engine");
    assert_eq!(identity.confidence, Confidence::Likely);
    assert!(
        identity
            .evidence
            .starts_with("is a program of the Go module github.com/dop251/goja, an engine of scripts"),
        "{}",
        identity.evidence
    );

    // An application with the same engine inside is none.
    let mut made = Made::default();
    satisfy("go-main:example.org/application", 0, &mut elf(), &mut made);
    satisfy("go-module:github.com/dop251/goja", 0, &mut elf(), &mut made);
    assert!(made.inspect(elf()).identities.is_empty());

    // Beside a program that is known by name nothing of it is said.
    let mut made = Made::default();
    satisfy("crate:brush-core", 0, &mut elf(), &mut made);
    assert_eq!(families(&made.inspect(elf())), ["beyond.shell"]);
    assert!(
        made.inspect(elf()).identities[0]
            .evidence
            .starts_with("is built with the Rust crate brush-core 1.2.3, a shell"),
    );
    made.texts.extend(texts_of("shell.bash"));
    assert_eq!(families(&made.inspect(elf())), ["shell.bash"]);
}

#[test]
fn a_large_program_is_none_of_the_small_launchers() {
    let mut elf = Elf64 {
        interpreter: Some(LOADER),
        imports: vec!["Py_RunMain"],
        ..Elf64::default()
    };
    assert_eq!(families(&inspect(&elf.bytes()).unwrap()), ["interp.python"]);
    elf.data = vec![0; 100_000];
    assert_eq!(families(&inspect(&elf.bytes()).unwrap()), Vec::<&str>::new());
    // Appended data are no part of it.
    elf.data.clear();
    let mut bytes = elf.bytes();
    bytes.resize(bytes.len() + 100_000, 0);
    assert_eq!(families(&inspect(&bytes).unwrap()), ["interp.python"]);
}

#[test]
fn headers_are_read() {
    let elf = Elf64 {
        interpreter: Some(LOADER),
        needed: vec!["libc.so.6", "libm.so.6"],
        soname: Some("libx.so"),
        ..Elf64::default()
    };
    let read = |bytes: &[u8]| match inspect(bytes).unwrap().form {
        Form::Elf(elf) => elf,
        other => panic!("{other:?}"),
    };
    let seen = read(&elf.bytes());
    assert_eq!(seen.machine, 62);
    assert!(seen.class64 && seen.little_endian && seen.startable, "{seen:?}");
    assert_eq!(seen.interpreter.as_deref(), Some(LOADER.as_bytes()));
    assert_eq!(seen.needed, [b"libc.so.6", b"libm.so.6"]);
    assert_eq!(seen.soname.as_deref(), Some(&b"libx.so"[..]));
    assert_eq!(seen.damage, None);
    // Without an interpreter the name makes it a library; without both it starts by itself.
    assert!(
        !read(
            &Elf64 {
                interpreter: None,
                ..elf.clone()
            }
            .bytes()
        )
        .startable
    );
    assert!(read(&Elf64::default().bytes()).startable);
    assert!(
        !read(
            &Elf64 {
                needed: vec!["libc.so.6"],
                ..Elf64::default()
            }
            .bytes()
        )
        .startable
    );
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
fn what_is_no_program_costs_nothing() {
    let limits = Limits::default();
    let mut inspector = Inspector::new(Catalog::builtin(), &limits);
    for bytes in [
        &b"plain text"[..],
        b"\x7fEL0",
        b"PK\x05\x06",
        b"#\n#!/bin/sh",
        b"!<arch>\n",
    ] {
        inspector.begin(1_000_000, false);
        // One block, in which a tar archive would show itself.
        let mut block = bytes.to_vec();
        block.resize(512, b' ');
        assert!(!inspector.feed(&block), "{bytes:?}");
        assert_eq!(inspector.finish(), None, "{bytes:?}");
        // Of a file that could be started the first lines are read: a shell may take it.
        inspector.begin(1_000_000, true);
        inspector.feed(&block);
        assert_eq!(inspector.finish(), None, "{bytes:?}");
    }
    // An empty file named like a shell is none.
    inspector.begin(0, true);
    assert_eq!(inspector.finish(), None);
    inspector.begin(3, true);
    assert!(inspector.feed(b"\x7fE"));
    assert_eq!(inspector.finish(), None);
    // Of a script the beginning is enough.
    inspector.begin(1_000_000, true);
    assert!(inspector.feed(b"#!/bin/sh\n"));
    // A payload may stand behind any line.
    assert!(inspector.feed(&b"\n".repeat(20_000)));
    assert!(inspector.finish().is_some());
}

#[test]
fn script_tools_are_known_by_what_they_start() {
    let family = |text: &str| families(&inspect(text.as_bytes()).unwrap()).join(" ");
    assert_eq!(
        family("#!/usr/bin/python3\nimport sys\nfrom pip._internal.cli.main import main\n"),
        "pm.pip"
    );
    assert_eq!(
        family("#!/usr/bin/env node\nrequire('../lib/cli.js')(process)\n"),
        "pm.npm"
    );
    assert_eq!(family("#!/bin/sh\necho from pip\n"), "");
}

#[test]
fn archives_with_an_entry_point_are_programs() {
    let member = |name: &str| {
        let mut bytes = b"PK\x03\x04".to_vec();
        bytes.resize(26, 0);
        bytes.extend((name.len() as u16).to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(name.as_bytes());
        bytes
    };
    let form = |bytes: &[u8]| inspect(bytes).map(|program| program.form);
    assert_eq!(form(&member("META-INF/MANIFEST.MF")), Some(Form::Archive));
    assert_eq!(
        form(&[member("a"), member("__main__.py")].concat()),
        Some(Form::Archive)
    );
    assert_eq!(form(&member("package/__main__.py")), None);
    assert_eq!(form(&member("data.txt")), None);
}

#[test]
fn a_shell_cannot_hide_behind_the_texts_of_a_weaker_tool() {
    let (shell, other) = (texts_of("shell.almquist"), texts_of("build.make"));
    let program = inspect(&program_with(shell.iter().chain(&other).map(String::as_str))).unwrap();
    assert_eq!(families(&program), ["shell.almquist", "build.make"]);
    // Nor behind a table of applets that it does not have.
    let busybox = texts_of("multi.busybox");
    let texts = shell
        .iter()
        .chain(&busybox)
        .map(String::as_str)
        .chain(["", "cat\0cp\0ls", ""]);
    let program = inspect(&program_with(texts)).unwrap();
    assert_eq!(families(&program), ["shell.almquist", "multi.busybox"]);
}

#[test]
fn many_tools_in_one_file_are_shown_as_a_list_of_texts() {
    let ids = [
        "shell.bash",
        "net.curl",
        "debug.strace",
        "build.make",
        "edit.ed",
        "os.tar",
    ];
    let texts: Vec<String> = ids.into_iter().flat_map(texts_of).collect();
    let program = inspect(&program_with(texts.iter().map(String::as_str))).unwrap();
    assert!(program.identities.len() >= 5, "{:?}", families(&program));
    assert_eq!(families(&program)[0], "shell.bash");
    for identity in &program.identities {
        assert_eq!(identity.confidence, Confidence::Likely);
        assert!(
            identity.evidence.contains("a list of texts"),
            "{}",
            identity.evidence
        );
    }
}

#[test]
fn busybox_is_what_its_applets_are() {
    let core = texts_of("multi.busybox");
    let with = |table: &[&str], texts: &[String]| {
        let table = table.join("\0");
        let texts = core
            .iter()
            .chain(texts)
            .map(String::as_str)
            .chain(["", table.as_str(), ""]);
        let program = inspect(&program_with(texts)).unwrap();
        assert_eq!(program.identities.len(), 1, "{:?}", families(&program));
        let identity = program.identities.into_iter().next().unwrap();
        let rule = Catalog::builtin()
            .meaning(&identity.family, &identity.applets)
            .unwrap()
            .rule
            .unwrap();
        (identity, rule)
    };
    let (identity, rule) = with(&["ash", "cat", "wget"], &[]);
    assert_eq!(
        (identity.applets.join(" ").as_str(), rule),
        ("ash cat wget", "shell")
    );
    assert_eq!(identity.confidence, Confidence::Certain);
    assert_eq!(with(&["cat", "tar", "wget"], &[]).1, "network-tool");
    // A build of one applet has no table, but that applet's texts.
    let (identity, rule) = with(&[], &texts_of("applet.wget"));
    assert_eq!(
        (identity.applets.join(" ").as_str(), rule),
        ("wget", "network-tool")
    );
    assert_eq!(identity.confidence, Confidence::Likely);
    // A table that was not read is no shell, unless the name of one stands there.
    assert_eq!(with(&[], &[]).1, "os-utility");
    let named = with(&[], &[String::new(), "hush".to_owned()]);
    assert_eq!(named.1, "shell");
    assert!(
        named.0.evidence.contains("a shell is named in it"),
        "{}",
        named.0.evidence
    );
}

#[test]
fn the_programs_of_this_machine_are_known() {
    let mut known = 0;
    for (path, family) in [
        ("/bin/bash", "shell.bash"),
        ("/bin/dash", "shell.dash"),
        ("/usr/bin/perl", "interp.perl"),
        ("/usr/bin/curl", "net.curl"),
        ("/bin/busybox", "multi.busybox"),
    ] {
        let Some(bytes) = read(path) else { continue };
        let program = inspect(&bytes).unwrap();
        assert_eq!(families(&program), [family], "{path}");
        assert_eq!(program.identities[0].confidence, Confidence::Certain);
        known += 1;
    }
    assert!(known > 0, "no program to look at");
}

#[test]
fn scant_does_not_find_itself() {
    let own = read(std::env::current_exe().unwrap()).unwrap();
    let program = inspect(&own).unwrap();
    let tools = program.identities.iter().filter(|identity| {
        Catalog::builtin()
            .family(&identity.family)
            .is_some_and(|family| family.rule.is_some())
    });
    assert_eq!(tools.collect::<Vec<_>>(), Vec::<&Identity>::new());
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

#[test]
fn a_library_is_no_tool() {
    let data = texts_of("shell.bash").join("\0").into_bytes();
    let program = |soname, interpreter| {
        let elf = Elf64 {
            soname,
            interpreter,
            data: data.clone(),
            ..Elf64::default()
        };
        inspect(&elf.bytes()).unwrap()
    };
    let rule = |program: &Program| {
        program
            .tool(Catalog::builtin())
            .and_then(|(_, meaning)| meaning.rule)
    };
    let library = program(Some("libx.so"), None);
    assert_eq!((families(&library), rule(&library)), (vec!["shell.bash"], None));
    // Being named like a library does not keep it from starting.
    assert_eq!(rule(&program(Some("libx.so"), Some(LOADER))), Some("shell"));
    assert_eq!(rule(&inspect(&program_with([])).unwrap()), None);
}

#[test]
fn families_without_rule_are_evidence() {
    let kinds: BTreeSet<&str> = Catalog::builtin()
        .tools()
        .iter()
        .filter(|tool| tool.rule.is_none())
        .map(|tool| tool.id.as_str())
        .collect();
    assert!(kinds.contains("loader.ld-so") && kinds.contains("embeds.lua"));
    assert!(
        Catalog::builtin()
            .tools()
            .iter()
            .all(|tool| tool.kind != Kind::Applet || tool.rule.is_none())
    );
}

/// Says what each file below the directories of `SCANT_LOOK` is, as a table.
#[test]
#[ignore = "looks at this machine, for a person to read"]
fn look_at_this_machine() {
    #[expect(clippy::disallowed_methods, reason = "run by hand")]
    let roots = std::env::var("SCANT_LOOK").unwrap_or_else(|_| "/usr/bin".to_owned());
    let mut pending: Vec<PathBuf> = roots.split(':').map(PathBuf::from).collect();
    while let Some(path) = pending.pop() {
        let Ok(meta) = path.symlink_metadata() else {
            continue;
        };
        if meta.is_dir() {
            #[expect(clippy::disallowed_methods, reason = "run by hand")]
            let entries = std::fs::read_dir(&path).into_iter().flatten();
            pending.extend(entries.map(|entry| entry.unwrap().path()));
        } else if meta.is_file()
            && let Some(bytes) = read(&path)
            && let Some(program) = inspect(&bytes)
        {
            let form = match &program.form {
                Form::Elf(elf) => {
                    format!(
                        "elf\t{}\t{:?}",
                        if elf.startable { "exec" } else { "lib" },
                        elf.damage
                    )
                }
                Form::Script(script) => format!("script\t{}\t", script.interpreter.escape_ascii()),
                Form::Archive => "archive\t\t".to_owned(),
                Form::Text => "text\t\t".to_owned(),
                Form::Data => "data\t\t".to_owned(),
            };
            println!(
                "LOOK\t{}\t{form}\t{:?}\t{:?}",
                path.display(),
                program.opaque,
                program.identities
            );
        }
    }
}
