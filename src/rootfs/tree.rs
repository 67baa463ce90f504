//! The tree is the file system while it is being built: inodes, and the names that lead to them.

use std::collections::BTreeMap;

use crate::{
    layer::{Entry, Kind},
    limits::Limits,
    path::RootPath,
};

/// Place of an inode in [`Tree::inodes`].
pub(super) type Id = usize;

/// Links that one path may lead through while a layer is unpacked; Go's unpackers stop there too.
const UNPACK_HOPS: usize = 255;

/// A file, directory, link or device under construction. Names are borrowed from the layers' entries.
#[derive(Default)]
pub(super) struct Inode<'a> {
    /// The member that last wrote it and its layer; `None` for a directory that files imply.
    pub(super) source: Option<(usize, &'a Entry)>,
    pub(super) mode: u16,
    pub(super) uid: u64,
    pub(super) gid: u64,
    pub(super) capability: Option<Vec<u8>>,
    /// A hard link's own header said something else.
    pub(super) headers_differ: bool,
    /// The owners and groups that its headers give it, where they differ.
    pub(super) owners: Vec<(u64, u64)>,
    pub(super) children: BTreeMap<&'a [u8], Id>,
    /// The directory that holds this directory; the root holds itself. Other inodes may have several.
    pub(super) parent: Id,
    /// The name of this directory in its parent.
    pub(super) name: &'a [u8],
    /// Bytes of the path of this directory.
    pub(super) length: usize,
    /// How many names lead to it.
    pub(super) names: usize,
    /// The layer that brought its content, where that is an earlier one than its source.
    pub(super) content: Option<usize>,
    /// Files were put below it when no member of their layer had made it yet.
    pub(super) was_implied: bool,
}

/// A member of a layer that nobody sees.
pub(super) struct Hidden<'a> {
    pub(super) entry: &'a Entry,
    pub(super) layer: usize,
    pub(super) by: usize,
}

/// Where a path leads: an existing directory, and names below it that do not exist yet.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    pub(super) at: Id,
    pub(super) missing: Vec<&'a [u8]>,
}

/// Why a path cannot be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stuck {
    Loop,
    NotADirectory,
    TooLong,
    TooMuchWork,
}

impl Stuck {
    pub(super) fn why(self) -> String {
        let limits = Limits::default();
        match self {
            Self::Loop => format!(
                "more than {} links lie in its path, or a loop of them",
                limits.link_hops
            ),
            Self::NotADirectory => "something in its path is no directory".to_owned(),
            Self::TooLong => format!(
                "its path is too long once links are followed (limit {} bytes)",
                limits.path
            ),
            Self::TooMuchWork => format!(
                "links and implied directories of this image take more than {} steps and bytes (limit tree_work); \
                 build it without them",
                limits.tree_work
            ),
        }
    }
}

/// What becomes of an owner or group that a header states: the kernel takes 32 bits, and all ones for none, so that the file
/// stays root's, who unpacks it.
pub(super) fn owner(stated: u64) -> u64 {
    match stated as u32 {
        u32::MAX => 0,
        id => id.into(),
    }
}

/// All inodes, of all layers.
#[derive(Default)]
pub(super) struct Tree<'a> {
    pub(super) inodes: Vec<Inode<'a>>,
    pub(super) hidden: Vec<Hidden<'a>>,
    work: usize,
}

impl<'a> Tree<'a> {
    /// A new root directory.
    pub(super) fn root(&mut self) -> Id {
        let id = self.inodes.len();
        self.inodes.push(Inode {
            mode: 0o755,
            parent: id,
            names: 1,
            was_implied: true,
            ..Inode::default()
        });
        id
    }

    /// A new inode, made by this member, that has no name yet.
    pub(super) fn add(&mut self, layer: usize, entry: &'a Entry) -> Id {
        let id = self.inodes.len();
        self.inodes.push(Inode::default());
        self.rewrite(id, layer, entry);
        id
    }

    /// Gives an inode the attributes of another member.
    pub(super) fn rewrite(&mut self, id: Id, layer: usize, entry: &'a Entry) {
        let inode = &mut self.inodes[id];
        inode.source = Some((layer, entry));
        inode.mode = entry.mode & 0o7777;
        (inode.uid, inode.gid) = (owner(entry.uid), owner(entry.gid));
        inode.capability.clone_from(&entry.capability);
        inode.headers_differ = false;
        inode.owners.clear();
    }

    pub(super) fn kind(&self, id: Id) -> &'a Kind {
        self.inodes[id]
            .source
            .map_or(&Kind::Directory, |(_, entry)| &entry.kind)
    }

    pub(super) fn is_dir(&self, id: Id) -> bool {
        *self.kind(id) == Kind::Directory
    }

    pub(super) fn child(&self, dir: Id, name: &[u8]) -> Option<Id> {
        self.inodes[dir].children.get(name).copied()
    }

    /// Puts an inode under a name that is free. `more`: it is one more name, rather than one moved from elsewhere.
    pub(super) fn attach(&mut self, dir: Id, name: &'a [u8], id: Id, more: bool) {
        self.inodes[dir].children.insert(name, id);
        let length = self.inodes[dir].length + 1 + name.len();
        let is_dir = self.is_dir(id);
        let inode = &mut self.inodes[id];
        inode.names += usize::from(more);
        if is_dir {
            (inode.parent, inode.name, inode.length) = (dir, name, length);
        }
    }

    /// Takes a name away, with everything below it; what has no name left is hidden by layer `by`.
    pub(super) fn detach(&mut self, dir: Id, name: &[u8], by: usize) {
        let mut gone: Vec<Id> = self.inodes[dir].children.remove(name).into_iter().collect();
        while let Some(id) = gone.pop() {
            let inode = &mut self.inodes[id];
            inode.names = inode.names.saturating_sub(1);
            if inode.names > 0 {
                continue;
            }
            gone.extend(std::mem::take(&mut inode.children).into_values());
            match inode.source {
                // A hard link that never found its file ships nothing.
                Some((layer, entry)) if !matches!(entry.kind, Kind::HardLink(_)) => {
                    self.hidden.push(Hidden { entry, layer, by });
                }
                _ => {}
            }
        }
    }

    /// Whether some work was given up.
    pub(super) fn gave_up(&self) -> bool {
        self.work > Limits::default().tree_work
    }

    /// Counts work that the size of the layers does not bound.
    pub(super) fn spend(&mut self, work: usize) -> Result<(), Stuck> {
        self.work = self.work.saturating_add(work);
        if self.gave_up() {
            return Err(Stuck::TooMuchWork);
        }
        Ok(())
    }

    /// Follows `parts` from `start`, links too, as an unpacker does: inside `root`, and lexically where nothing exists.
    pub(super) fn walk(
        &mut self,
        root: Id,
        start: Id,
        parts: impl DoubleEndedIterator<Item = &'a [u8]>,
    ) -> Result<Place<'a>, Stuck> {
        let mut todo: Vec<&'a [u8]> = parts.rev().collect();
        let mut place = Place {
            at: start,
            missing: Vec::new(),
        };
        let mut hops = 0;
        while let Some(part) = todo.pop() {
            if hops > 0 {
                self.spend(1)?;
            }
            if part.is_empty() || part == b"." {
                continue;
            }
            if part == b".." {
                if place.missing.pop().is_none() {
                    place.at = self.inodes[place.at].parent;
                }
                continue;
            }
            if !place.missing.is_empty() {
                place.missing.push(part);
                continue;
            }
            let Some(child) = self.child(place.at, part) else {
                place.missing.push(part);
                continue;
            };
            match self.kind(child) {
                Kind::Directory => place.at = child,
                Kind::Symlink(target) => {
                    hops += 1;
                    if hops > UNPACK_HOPS {
                        return Err(Stuck::Loop);
                    }
                    if target.first() == Some(&b'/') {
                        place.at = root;
                    }
                    todo.extend(target.split(|&b| b == b'/').rev());
                }
                _ => return Err(Stuck::NotADirectory),
            }
        }
        if hops > 0 {
            // A short name behind a link can stand for a long path.
            let length = self.length(&place);
            self.spend(length)?;
        }
        Ok(place)
    }

    /// Bytes of the path of a place.
    fn length(&self, place: &Place<'a>) -> usize {
        self.inodes[place.at].length + place.missing.iter().map(|name| name.len() + 1).sum::<usize>()
    }

    /// Makes the directories that are missing on the way to a place.
    pub(super) fn make(&mut self, place: &Place<'a>) -> Result<Id, Stuck> {
        if self.length(place) > Limits::default().path {
            return Err(Stuck::TooLong);
        }
        let mut dir = place.at;
        for name in &place.missing {
            let length = self.inodes[dir].length + 1 + name.len();
            self.spend(length)?;
            let id = self.inodes.len();
            self.inodes.push(Inode {
                mode: 0o755,
                was_implied: true,
                ..Inode::default()
            });
            self.attach(dir, name, id, true);
            dir = id;
        }
        Ok(dir)
    }

    /// The names from the root down to a directory.
    pub(super) fn parts(&self, mut dir: Id) -> Vec<&'a [u8]> {
        let mut parts = Vec::new();
        while self.inodes[dir].parent != dir {
            parts.push(self.inodes[dir].name);
            dir = self.inodes[dir].parent;
        }
        parts.reverse();
        parts
    }

    /// The path of a directory, to show.
    pub(super) fn path(&self, dir: Id) -> RootPath {
        RootPath::clean(&self.parts(dir).join(&b'/'))
    }
}
