//! Tests of what programs are built from: libraries, functions, modules of Go, crates.

use super::*;

/// What a program is built from.
#[derive(Default)]
pub(super) struct Made {
    pub(super) needed: Vec<String>,
    pub(super) soname: Option<String>,
    pub(super) imports: Vec<String>,
    pub(super) texts: Vec<String>,
    pub(super) modules: Vec<String>,
}

impl Made {
    pub(super) fn inspect<'a>(&'a self, mut elf: Elf64<'a>) -> Program {
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
    let elf = || Elf64::holding(Vec::new());
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
