//! The root filesystem is what a container of the image would see: all layers merged, links resolvable inside the root.

#[cfg(test)]
pub(crate) mod testing;

use crate::{
    binary::Program,
    gap::Gap,
    layer::{Entry, Kept, Kind, LayerFacts},
    path::RootPath,
};

/// The merged file system, and what lower layers still ship beside it.
#[derive(Debug, Default)]
pub struct Rootfs {
    nodes: Vec<Node>,
    residue: Vec<Residue>,
    notes: Vec<String>,
    gaps: Vec<(usize, Gap)>,
}

/// One file, directory, link or device: an inode with all its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// All hard-linked names, sorted; the first one is the node's path in reports. Never empty.
    pub paths: Vec<RootPath>,
    /// What it is; never a hard link, whiteout or opaque marker.
    pub kind: Kind,
    /// The low 12 bits of the mode; the union of set-id bits where runtimes differ.
    pub mode: u16,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
    /// Bytes of content.
    pub size: u64,
    /// Raw `security.capability`.
    pub capability: Option<Vec<u8>>,
    /// What it is as a program.
    pub program: Option<Program>,
    /// Its content, if a check asked for it.
    pub kept: Option<Kept>,
    /// Index of the layer that last wrote it.
    pub layer: usize,
    /// Whether no member of any layer made it: a directory that files imply.
    pub implied: bool,
}

/// An entry that a lower layer ships and the container never sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Residue {
    /// The entry as its layer has it.
    pub entry: Entry,
    /// Index of the layer that ships it.
    pub layer: usize,
    /// Index of the layer that hides it.
    pub hidden_by: usize,
    /// Whether the path is gone or holds something else now.
    pub overwritten: bool,
}

/// Another path that reaches a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alias {
    /// The other path.
    pub path: RootPath,
    /// By which sort of link.
    pub kind: AliasKind,
}

/// How an alias reaches its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AliasKind {
    /// The same inode.
    HardLink,
    /// A symbolic link, through any number of hops.
    Symlink,
}

/// Why a path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// Nothing is there; holds the first path that is missing, after links.
    Missing(RootPath),
    /// More than 40 links, as in a loop.
    Loop,
    /// Something that is no directory has components behind it.
    NotADirectory(RootPath),
}

impl Rootfs {
    /// Merges layers, base first.
    pub fn merge(_layers: &[&LayerFacts]) -> Self {
        Self::default()
    }

    /// All nodes, ordered by path.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    /// The node at exactly this path, no link followed.
    pub fn get(&self, _path: &RootPath) -> Option<&Node> {
        None
    }

    /// The node that a container reaches under `path`, following links inside the root as Linux does, the last one too.
    pub fn resolve(&self, path: &RootPath) -> Result<&Node, Unresolved> {
        self.resolve_from(&RootPath::root(), path.as_bytes())
    }

    /// The same for a path as written, relative to `directory` unless it begins with a slash.
    pub fn resolve_from(&self, directory: &RootPath, _raw: &[u8]) -> Result<&Node, Unresolved> {
        Err(Unresolved::Missing(directory.clone()))
    }

    /// Other paths that reach this node: its further hard-linked names and all symbolic links that resolve to it, sorted.
    pub fn aliases(&self, _node: &Node) -> Vec<Alias> {
        Vec::new()
    }

    /// What lower layers ship and the container never sees, by layer, then path.
    pub fn residue(&self) -> &[Residue] {
        &self.residue
    }

    /// Oddities that change no verdict.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What the layers could not tell, with the layer's index.
    pub fn gaps(&self) -> &[(usize, Gap)] {
        &self.gaps
    }
}
