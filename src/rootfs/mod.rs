//! The root filesystem is what a container of the image would see: all layers merged, links resolvable inside the root.

pub mod accounts;
#[cfg(test)]
mod content_tests;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
#[cfg(test)]
mod link_tests;
mod links;
mod merge;
#[cfg(any(test, fuzzing))]
mod model;
#[cfg(test)]
mod path_tests;
mod remarks;
#[cfg(any(test, fuzzing))]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod tree;
mod unpack;
pub mod user;

use crate::{
    binary::Program,
    gap::Gap,
    layer::{Entry, Kept, Kind, LayerFacts, Secret},
    path::RootPath,
};

/// The merged file system, and what lower layers still ship beside it.
#[derive(Debug)]
pub struct Rootfs {
    /// By first path; the root comes first.
    nodes: Vec<Node>,
    /// Every name but the root's, by directory, then name.
    dirents: Vec<Dirent>,
    /// Where each node's children begin in `dirents`, and one more for the end.
    first_dirent: Vec<u32>,
    /// The directory that holds each node under its first path.
    parents: Vec<u32>,
    /// Where each dirent leads that is a link.
    ends: Vec<links::End>,
    /// A node and the dirent of a link that leads to it, sorted.
    links_to: Vec<(u32, u32)>,
    residue: Vec<Residue>,
    notes: Vec<String>,
    gaps: Vec<(usize, Gap)>,
}

/// One name in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dirent {
    /// The directory, as an index into the nodes.
    parent: u32,
    /// What it names.
    node: u32,
    /// Which of the node's paths it is.
    name: u32,
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
    /// As [`Entry::unapplied_capability`] has it.
    pub unapplied_capability: Option<Vec<u8>>,
    /// Names of other extended attributes, as [`Entry::xattrs`] has them.
    pub xattrs: Vec<String>,
    /// Headers of its hard links differ in mode, owner or capability, and runtimes in which of them they apply.
    pub headers_differ: bool,
    /// The owners and groups that those headers give it, where they differ: some runtimes apply the file's, some the last link's.
    /// [`Node::uid`] is then 0 if one of them is.
    pub owners: Vec<(u64, u64)>,
    /// What it is as a program.
    pub program: Option<Box<Program>>,
    /// Its content, if a check asked for it.
    pub kept: Option<Kept>,
    /// Secrets in it.
    pub secrets: Vec<Secret>,
    /// Index of the layer that last wrote it; 0 for an implied directory.
    pub layer: usize,
    /// Index of the layer that brought its content: an earlier one than `layer` where only mode or owner were changed since, as
    /// far as that can be told.
    pub content_layer: usize,
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

impl Node {
    /// Owner and group, or all that some runtime gives it.
    pub fn each_owner(&self) -> impl Iterator<Item = (u64, u64)> {
        let own = Some((self.uid, self.gid)).filter(|_| self.owners.is_empty());
        own.into_iter().chain(self.owners.iter().copied())
    }
}

/// An empty root directory.
impl Default for Rootfs {
    fn default() -> Self {
        Self::merge(&[])
    }
}

impl Rootfs {
    /// Merges layers, base first.
    pub fn merge(layers: &[&LayerFacts]) -> Self {
        merge::merge(layers)
    }

    /// Without even a root directory: where the merge begins.
    fn empty() -> Self {
        Self {
            nodes: Vec::new(),
            dirents: Vec::new(),
            first_dirent: Vec::new(),
            parents: Vec::new(),
            ends: Vec::new(),
            links_to: Vec::new(),
            residue: Vec::new(),
            notes: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// All nodes, ordered by path; the root directory comes first.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    /// The node at exactly this path, no link followed.
    pub fn get(&self, path: &RootPath) -> Option<&Node> {
        self.nodes.get(self.find(path)? as usize)
    }

    /// The node that a container reaches under `path`, following links inside the root as Linux does, the last one too.
    pub fn resolve(&self, path: &RootPath) -> Result<&Node, Unresolved> {
        self.resolve_from(&RootPath::root(), path.as_bytes())
    }

    /// The same for a path as written, relative to `directory` unless it begins with a slash.
    ///
    /// `/proc/self/root`, `/proc/thread-self/root` and `/proc/1/root` are the root: a container has its `/proc` mounted. Nothing
    /// else below `/proc`, `/sys` and `/dev` is known but what the image itself has there.
    pub fn resolve_from(&self, directory: &RootPath, raw: &[u8]) -> Result<&Node, Unresolved> {
        let start = if raw.first() == Some(&b'/') {
            0
        } else {
            self.follow(0, directory.as_bytes())?
        };
        if self.nodes[start as usize].kind != Kind::Directory {
            return Err(Unresolved::NotADirectory(directory.clone()));
        }
        let node = self.follow(start, raw)?;
        Ok(&self.nodes[node as usize])
    }

    /// Other paths that reach this node: its further hard-linked names and all symbolic links that resolve to it, sorted.
    ///
    /// Paths through links to its directories (`/bin/sh` where `/bin` is a link to `usr/bin`) are not among them.
    pub fn aliases(&self, node: &Node) -> Vec<Alias> {
        let hard = node.paths.iter().skip(1).map(|path| (path, AliasKind::HardLink));
        let number = node.paths.first().and_then(|path| self.find(path));
        let links = number.map_or(&[][..], |number| {
            let from = self.links_to.partition_point(|(to, _)| *to < number);
            let end = self.links_to.partition_point(|(to, _)| *to <= number);
            &self.links_to[from..end]
        });
        let soft = links.iter().filter_map(|(_, link)| {
            let (path, _) = self.named(*self.dirents.get(*link as usize)?)?;
            Some((path, AliasKind::Symlink))
        });
        let mut aliases: Vec<Alias> = hard
            .chain(soft)
            .map(|(path, kind)| Alias {
                path: path.clone(),
                kind,
            })
            .collect();
        aliases.sort();
        aliases
    }

    /// What lies directly in the directory at exactly this path, ordered by name. A node can have further paths elsewhere.
    pub fn children(&self, directory: &RootPath) -> impl Iterator<Item = (&RootPath, &Node)> {
        let number = self.find(directory);
        let children = number.map_or(&[][..], |number| self.children_of(number));
        children.iter().filter_map(|dirent| self.named(*dirent))
    }

    /// Everything below the directory at exactly this path, no link followed, parents before their children.
    pub fn under(&self, directory: &RootPath) -> impl Iterator<Item = (&RootPath, &Node)> {
        let mut todo: Vec<Dirent> = Vec::new();
        if let Some(number) = self.find(directory) {
            todo.extend(self.children_of(number).iter().rev());
        }
        std::iter::from_fn(move || {
            let dirent = todo.pop()?;
            todo.extend(self.children_of(dirent.node).iter().rev());
            Some(dirent)
        })
        .filter_map(|dirent| self.named(dirent))
    }

    /// What lower layers ship and the container never sees, by layer, then path. A file that its own layer replaces, or that
    /// stands behind the end of the archive, is hidden by its own layer.
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

    fn children_of(&self, node: u32) -> &[Dirent] {
        let bound = |at: usize| self.first_dirent.get(at).map_or(0, |&first| first as usize);
        let range = bound(node as usize)..bound(node as usize + 1);
        self.dirents.get(range).unwrap_or_default()
    }

    /// The dirent of this name in a directory.
    fn lookup(&self, dir: u32, name: &[u8]) -> Option<u32> {
        let children = self.children_of(dir);
        let at = children
            .binary_search_by(|dirent| self.named(*dirent).map_or(&[][..], |it| it.0.name()).cmp(name))
            .ok()?;
        Some(self.first_dirent.get(dir as usize)? + at as u32)
    }

    /// The directories above a path, from the root down, as far as it exists; no link is followed.
    pub fn above(&self, path: &RootPath) -> impl Iterator<Item = &Node> {
        let mut directory = Some(0);
        path.components().map_while(move |name| {
            let above = directory?;
            directory = self
                .lookup(above, name)
                .and_then(|found| self.dirents.get(found as usize))
                .map(|dirent| dirent.node);
            self.nodes.get(above as usize)
        })
    }

    fn find(&self, path: &RootPath) -> Option<u32> {
        path.components().try_fold(0, |dir, name| {
            let found = self.lookup(dir, name)?;
            self.dirents.get(found as usize).map(|dirent| dirent.node)
        })
    }

    fn named(&self, dirent: Dirent) -> Option<(&RootPath, &Node)> {
        let node = self.nodes.get(dirent.node as usize)?;
        Some((node.paths.get(dirent.name as usize)?, node))
    }
}
