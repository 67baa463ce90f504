//! Tests of the checks: what triggers each rule, and what narrowly does not. One file for each rule or question; what
//! they share stands here.

mod accounts;
mod device_file;
mod file_capability;
mod foreign_executable;
mod inside;
mod interpreter;
mod layers;
mod missing_library;
mod missing_program;
mod modules;
mod no_command;
mod order;
mod package_database;
mod package_manager;
mod packed_executable;
mod pages;
mod remote_login_port;
mod residue;
mod scripts;
mod secret_file;
mod secret_in_config;
mod sensitive_volume;
mod set_id;
mod shell_form_command;
mod shell_healthcheck;
mod together;
mod tools;
mod unreachable_executable;
mod users;
mod world_writable_path;
mod writable_program;

use super::*;
use crate::{
    binary::{Confidence, Elf, Form, Program, Script},
    finding::{AliasKind, Qualifier, Severity},
    gap::Gap,
    layer::{Entry, Kind, LayerFacts},
    rootfs::testing::{
        dir, entry, file, hardlink, layer, merge, owned, program, rootfs, symlink, text, whiteout,
    },
};

/// The loader of most programs for x86-64.
const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

fn config(user: &str, entrypoint: &[&str], cmd: &[&str]) -> ImageConfig {
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    ImageConfig {
        user: user.to_owned(),
        entrypoint: owned(entrypoint),
        cmd: owned(cmd),
        env: vec!["PATH=/usr/bin:/bin".to_owned()],
        ..ImageConfig::default()
    }
}

/// Findings of one rule, on an amd64 image.
fn look(rule: &str, rootfs: &Rootfs, config: Option<&ImageConfig>) -> Vec<Finding> {
    let platform = Platform::new("linux", "amd64", None);
    let subject = Subject::new(rootfs, config, Some(&platform), Catalog::builtin());
    let check = CHECKS.iter().find(|check| check.rule == rule).unwrap();
    let found = (check.run)(&subject);
    for finding in &found {
        assert_eq!(finding.rule.id, rule);
        assert!(!finding.message.is_empty() && !finding.fix.is_empty());
        assert!(
            !finding.message.ends_with('.') && !finding.fix.ends_with('.'),
            "{finding:?}"
        );
        assert!(!finding.message.chars().any(char::is_control), "{finding:?}");
    }
    found
}

fn in_files(rule: &str, entries: impl IntoIterator<Item = Entry>) -> Vec<Finding> {
    look(rule, &rootfs(entries), None)
}

fn messages(found: &[Finding]) -> Vec<&str> {
    found.iter().map(|finding| finding.message.as_str()).collect()
}

/// What each is about, where it is no path.
fn subjects(found: &[Finding]) -> Vec<&str> {
    found
        .iter()
        .filter_map(|finding| finding.subject.as_deref())
        .collect()
}

/// The path of each.
fn paths(found: &[Finding]) -> Vec<String> {
    found
        .iter()
        .filter_map(|finding| finding.path.as_ref().map(ToString::to_string))
        .collect()
}

/// The only one.
fn only(found: Vec<Finding>) -> Finding {
    assert_eq!(found.len(), 1, "{found:#?}");
    found.into_iter().next().unwrap()
}

/// Other names of what was found.
fn aliases(finding: &Finding) -> Vec<(String, AliasKind)> {
    let aliases = finding.aliases.iter();
    aliases
        .map(|alias| (alias.path.to_string(), alias.kind))
        .collect()
}

/// Why the container cannot start.
fn why(files: &Rootfs, config: &ImageConfig) -> Option<String> {
    let found = look("missing-program", files, Some(config)).pop()?;
    let why = found.message.strip_prefix("The container cannot start: ");
    Some(why.unwrap().to_owned())
}

fn elf(entry: &mut Entry) -> &mut Elf {
    match &mut entry.program.as_mut().unwrap().form {
        Form::Elf(elf) => elf,
        other => panic!("{other:?}"),
    }
}

fn dynamic(mut entry: Entry, loader: &str) -> Entry {
    elf(&mut entry).interpreter = Some(loader.into());
    entry
}

/// An ELF file that is only loaded.
fn library<const N: usize>(path: &str, families: [&str; N]) -> Entry {
    let mut entry = program(path, families);
    elf(&mut entry).startable = false;
    entry
}

/// The same program for another processor, arm64.
fn foreign(mut entry: Entry) -> Entry {
    elf(&mut entry).machine = 183;
    entry
}

fn mode(entry: Entry, mode: u16) -> Entry {
    Entry { mode, ..entry }
}

/// A file of mode 0644.
fn sized(path: &str, size: u64) -> Entry {
    Entry {
        size,
        ..file(path, 0o644)
    }
}

fn busybox(path: &str, applets: &[&str]) -> Entry {
    let mut entry = program(path, ["multi.busybox"]);
    entry.program.as_mut().unwrap().identities[0].applets =
        applets.iter().map(|&name| name.to_owned()).collect();
    entry
}

fn script<const N: usize>(path: &str, line: &str, families: [&str; N]) -> Entry {
    let (interpreter, argument) = match line.split_once(' ') {
        Some((first, rest)) => (first, Some(rest.into())),
        None => (line, None),
    };
    let mut entry = program(path, families);
    entry.program.as_mut().unwrap().form = Form::Script(Script {
        interpreter: interpreter.into(),
        argument,
        ..Script::default()
    });
    entry
}

/// A program with this value of file capabilities: revision and flags, masks.
fn capable(path: &str, magic: [u8; 4], permitted: u32, inheritable: u32) -> Entry {
    let words = [permitted, inheritable, 0, 0].map(u32::to_le_bytes);
    Entry {
        capability: Some([&magic[..], words.as_flattened()].concat()),
        ..program(path, [])
    }
}

fn device(path: &str, major: u32, minor: u32) -> Entry {
    entry(path, Kind::CharDevice { major, minor }, 0o600)
}

fn disk(path: &str, bits: u16) -> Entry {
    entry(path, Kind::BlockDevice { major: 8, minor: 0 }, bits)
}

/// The same layer with a gap at this path, or at one that is not known, that may hide any program.
fn with_gap(mut facts: LayerFacts, path: Option<&str>) -> LayerFacts {
    facts.gaps.push(Gap {
        path: path.map(RootPath::from),
        why: "too large".to_owned(),
        hides: Hides::Programs,
    });
    facts
}
