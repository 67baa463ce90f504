//! Tests of what programs are taken for, one file for each question; what they share stands here.

mod archives;
mod borders;
mod bounds;
mod caps;
mod decision;
mod forms;
mod headers;
mod lies;
mod machine;
mod multi_call;
mod payloads;
mod properties;
mod samples;
mod scripts;
mod signatures;
mod squashfs;
mod squashfs_lies;
mod starting;
mod structures;

use std::{io::Read, path::Path};

use samples::*;

use super::*;
use crate::{catalog::Catalog, limits::Limits};

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
    feed(&mut inspector, bytes, sizes);
    inspector.finish()
}

/// Gives it pieces of these sizes over and over, while it wants more.
fn feed(inspector: &mut Inspector<'_>, mut bytes: &[u8], sizes: &[usize]) {
    for size in sizes.iter().cycle() {
        let (piece, after) = bytes.split_at(bytes.len().min(*size));
        if piece.is_empty() || !inspector.feed(piece) {
            break;
        }
        bytes = after;
    }
}

fn families(program: &Program) -> Vec<&str> {
    program
        .identities
        .iter()
        .map(|identity| identity.family.as_str())
        .collect()
}

/// Why it says that a program could not be looked into.
fn opaque(bytes: &[u8]) -> Option<String> {
    inspect(bytes).unwrap().opaque
}

/// What is said of a file: the paths of what it holds with their first families, and what could not be looked into.
fn held_in(bytes: &[u8], sizes: &[usize], limits: &Limits) -> (Vec<String>, Vec<String>) {
    let mut inspector = Inspector::new(Catalog::builtin(), limits);
    inspector.begin(bytes.len() as u64, false);
    feed(&mut inspector, bytes, sizes);
    let inside = inspector
        .finish()
        .map(|program| program.inside)
        .unwrap_or_default();
    let shown = inside.iter().map(|inner| {
        let path = String::from_utf8_lossy(&inner.path);
        format!("{path}={}", families(&inner.program).join(","))
    });
    (shown.collect(), inspector.unread())
}

/// The same, fed in one piece without lowered caps.
fn held(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    held_in(bytes, &[bytes.len().max(1)], &Limits::default())
}

/// The paths of what it holds, where all could be looked into.
fn paths(bytes: &[u8]) -> Vec<String> {
    let (held, unread) = held(bytes);
    assert_eq!(unread, [""; 0]);
    held.iter()
        .map(|one| one.strip_suffix("=shell.bash").unwrap_or(one).to_owned())
        .collect()
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
