//! A crate is what a Rust program is built from: panics name the source files of its crates, with their versions.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, hash};

/// What stands between a crate's directory and its source files.
pub(super) const SOURCES: &[u8] = b"/src/";
/// Longest directory of a crate, in bytes.
const LONGEST: usize = 80;
/// Files that a command begins with: a crate with one of them is the program itself.
const COMMANDS: [&[u8]; 2] = [b"main.rs", b"bin/"];

/// Those crates of a program that the catalogue asks for, by the hash of their names.
#[derive(Debug, Default)]
pub(super) struct Crates(BTreeMap<u64, Crate>);

/// A crate that a program is built with.
#[derive(Debug)]
pub(super) struct Crate {
    pub(super) name: Vec<u8>,
    /// Empty where its directory does not say it.
    pub(super) version: Vec<u8>,
    /// The program's `main` is in it.
    pub(super) main: bool,
}

impl Crates {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The first of `names`, given as hashes, that the program is built with.
    pub(super) fn any(&self, names: &[u64]) -> Option<&Crate> {
        names.iter().find_map(|name| self.0.get(name))
    }

    /// The first of `names` that the program's `main` is in.
    pub(super) fn main(&self, names: &[u64]) -> Option<&Crate> {
        names
            .iter()
            .filter_map(|name| self.0.get(name))
            .find(|one| one.main)
    }

    /// Notes the crate of a source file whose path in `data` has [`SOURCES`] at `at`.
    pub(super) fn note(&mut self, catalog: &Catalog, data: &[u8], at: usize) {
        let before = data.get(at.saturating_sub(LONGEST)..at).unwrap_or_default();
        let Some((name, version)) = directory(before) else {
            return;
        };
        let hash = hash::whole(name);
        if !catalog.crates().contains(&hash) {
            return;
        }
        let file = data.get(at + SOURCES.len()..).unwrap_or_default();
        let known = self.0.entry(hash).or_insert_with(|| Crate {
            name: name.to_vec(),
            version: version.to_vec(),
            main: false,
        });
        known.main |= COMMANDS.iter().any(|command| file.starts_with(command));
    }
}

/// Name and version of the crate that the directory at the end of `path` holds: `NAME-VERSION` anywhere, or `NAME` among
/// vendored ones.
fn directory(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = path.iter().rposition(|byte| *byte == b'/')?;
    let last = path.get(slash + 1..)?;
    let dashes = (0..last.len()).filter(|at| last.get(*at) == Some(&b'-'));
    for dash in dashes {
        let (name, version) = (last.get(..dash)?, last.get(dash + 1..)?);
        if is_version(version) {
            return Some((name, version));
        }
    }
    path.get(..slash)?.ends_with(b"/vendor").then_some((last, &[]))
}

/// Whether it begins as `1.2.3` does.
fn is_version(text: &[u8]) -> bool {
    let mut parts = text.splitn(3, |byte| *byte == b'.');
    let mut number = || {
        parts
            .next()
            .is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
    };
    number()
        && number()
        && parts
            .next()
            .is_some_and(|part| part.first().is_some_and(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Option<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        directory(path.as_bytes()).map(|(name, version)| (text(name), text(version)))
    }

    #[test]
    fn a_crates_directory_names_it_and_its_version() {
        let parts = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
        assert_eq!(
            read("/root/.cargo/registry/src/index-0123/abc-def-0.12.1"),
            parts("abc-def", "0.12.1")
        );
        assert_eq!(
            read("text before/usr/share/cargo/registry/x86-2d-1.0.0-rc.1"),
            parts("x86-2d", "1.0.0-rc.1")
        );
        assert_eq!(read("/build/vendor/abc"), parts("abc", ""));
        for path in ["/build/abc", "abc-1.2.3", "/a/abc-1", "/a/abc-1.x.3", "", "/"] {
            assert_eq!(read(path), None, "{path}");
        }
    }
}
