//! A closure is all that was found to be needed, and where it was looked for.

use std::collections::{BTreeMap, BTreeSet};

use crate::{finding::Reach, path::RootPath, rootfs::Node};

/// What the entry point needs.
#[derive(Debug, Default)]
pub(in crate::checks) struct Closure {
    pub(in crate::checks) reached: BTreeMap<RootPath, Reach>,
    /// Libraries without which it does not start.
    pub(in crate::checks) missing: Vec<MissingLibrary>,
    /// Why nothing may be called unneeded: not all was followed. `None`: all was.
    pub(in crate::checks) incomplete: Option<&'static str>,
    /// Directories in which loaders look for libraries, up to the ones that have them.
    pub(in crate::checks) searched: BTreeSet<RootPath>,
    /// Libraries by the paths under which loaders find them, links not followed.
    pub(in crate::checks) opened: BTreeSet<RootPath>,
}

/// A library that the start needs and that the loader would not find.
#[derive(Debug)]
pub(in crate::checks) struct MissingLibrary {
    /// `DT_NEEDED`, as written.
    pub(in crate::checks) name: Vec<u8>,
    /// Who names it.
    pub(in crate::checks) by: RootPath,
    /// The layer that brought that.
    pub(in crate::checks) layer: usize,
    /// The program that then does not start.
    pub(in crate::checks) program: RootPath,
    /// Whether the loader has a cache to look into.
    pub(in crate::checks) cache: bool,
}

impl Closure {
    /// Whether the entry point needs a file; `None` where that cannot be told.
    pub(in crate::checks) fn reach(&self, node: &Node) -> Option<Reach> {
        let known = node.paths.first().and_then(|path| self.reached.get(path));
        match known {
            Some(reach) => Some(reach.clone()),
            None => self.incomplete.is_none().then_some(Reach::NotNeeded),
        }
    }

    /// All that is needed, by first path.
    pub(in crate::checks) fn files(&self) -> impl Iterator<Item = (&RootPath, &Reach)> {
        self.reached.iter()
    }

    /// Whether a file is in the closure.
    pub(in crate::checks) fn holds(&self, node: &Node) -> bool {
        node.paths
            .first()
            .is_some_and(|path| self.reached.contains_key(path))
    }
}
