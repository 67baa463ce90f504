//! Traces are what a program's bytes show wherever they stand: literals of the catalogue, crates, names of libraries, and Go's mark.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{
    crates::Crates,
    go,
    library_names::{self, LibraryNames},
    search::{Found, Mark},
};
use crate::catalog::Catalog;

/// Places that look like Go's build information before none of them is it.
const BUILD_INFOS: usize = 4;

static NAMES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(library_names::MARK));

/// The traces found in one file.
pub(super) struct Traces<'a> {
    catalog: &'a Catalog,
    /// Names of libraries that are kept.
    most_names: usize,
    /// Nothing but names of libraries is wanted: the file itself never starts.
    pub(super) names_only: bool,
    pub(super) found: Found,
    pub(super) crates: Crates,
    pub(super) library_names: LibraryNames,
    /// Where in the file Go's build information may stand.
    pub(super) build_infos: Vec<u64>,
}

impl<'a> Traces<'a> {
    pub(super) fn new(catalog: &'a Catalog, most_names: usize) -> Self {
        Self {
            catalog,
            most_names,
            names_only: false,
            found: Found::new(catalog),
            crates: Crates::default(),
            library_names: LibraryNames::default(),
            build_infos: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.names_only = false;
        self.found.clear();
        self.crates.clear();
        self.library_names.clear();
        self.build_infos.clear();
    }

    /// Searches `data`, which begins at byte `from` of the file. Its first `seen` bytes were searched before; `more` come behind it.
    pub(super) fn search(&mut self, data: &[u8], from: u64, seen: usize, more: bool) {
        if self.names_only {
            for at in NAMES.find_iter(data) {
                self.library_names.note(data, at, seen, more, self.most_names);
            }
            return;
        }
        self.found.search(self.catalog, data);
        for (mark, at) in self.found.texts().marks(data) {
            match mark {
                Mark::Sources => self.crates.note(self.catalog, data, at),
                Mark::Library => self.library_names.note(data, at, seen, more, self.most_names),
                Mark::Go => {
                    let place = from + at as u64;
                    let known = self.build_infos.contains(&place) || self.build_infos.len() >= BUILD_INFOS;
                    if place.is_multiple_of(go::ALIGNMENT) && !known {
                        self.build_infos.push(place);
                    }
                }
            }
        }
    }
}
