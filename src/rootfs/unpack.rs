//! Unpacking turns the members of one layer, in their order, into the layer's own tree, as a runtime would on disk.

use std::collections::HashMap;

use super::{
    remarks::Remarks,
    tree::{Id, Place, Stuck, Tree, owner},
};
use crate::{
    layer::{Entry, Kind, LayerFacts},
    path::RootPath,
};

/// Owners of one file that are told apart.
const OWNERS: usize = 8;

/// One layer's own tree, and what it says about lower layers.
pub(super) struct Unpacked<'a> {
    pub(super) root: Id,
    pub(super) hides: Vec<Hide<'a>>,
}

/// A whiteout or opaque marker. It acts on lower layers only, wherever it stands in the archive.
pub(super) struct Hide<'a> {
    /// Whose children it hides (an opaque marker), or the directory of `name`.
    pub(super) place: Place<'a>,
    /// What it hides in the directory; `None` for an opaque marker.
    pub(super) name: Option<&'a [u8]>,
    /// The member's path, to show.
    pub(super) path: &'a RootPath,
}

/// A hard link whose target is not there yet: further on in the archive, or nowhere.
struct Forward<'a> {
    dir: Id,
    name: &'a [u8],
    id: Id,
    entry: &'a Entry,
}

struct Unpacker<'t, 'a> {
    tree: &'t mut Tree<'a>,
    remarks: &'t mut Remarks,
    layer: usize,
    root: Id,
    /// The root of the layers below.
    lower: Id,
    hides: Vec<Hide<'a>>,
    forward: Vec<Forward<'a>>,
    /// The directory of the last member, as written: members of one directory mostly come together.
    last: Option<(&'a [u8], Id)>,
}

/// Unpacks `facts` into a tree of its own. `lower` is the root of the layers below, where hard links may lead.
pub(super) fn unpack<'a>(
    tree: &mut Tree<'a>,
    remarks: &mut Remarks,
    lower: Id,
    layer: usize,
    facts: &'a LayerFacts,
) -> Unpacked<'a> {
    let root = tree.root();
    let mut unpacker = Unpacker {
        tree,
        remarks,
        layer,
        root,
        lower,
        hides: Vec::new(),
        forward: Vec::new(),
        last: None,
    };
    for entry in &facts.entries {
        if let Err(stuck) = unpacker.member(entry) {
            unpacker.remarks.gap(layer, &entry.path, &stuck.why());
        }
    }
    unpacker.join_forward_links();
    Unpacked {
        root,
        hides: unpacker.hides,
    }
}

/// The path above the last component, with a slash at its end.
fn above_bytes(path: &RootPath) -> &[u8] {
    let bytes = path.as_bytes();
    &bytes[..bytes.len() - path.name().len()]
}

/// The components above the last one.
fn above(path: &RootPath) -> impl DoubleEndedIterator<Item = &[u8]> {
    above_bytes(path)
        .split(|&b| b == b'/')
        .filter(|part| !part.is_empty())
}

impl<'a> Unpacker<'_, 'a> {
    fn member(&mut self, entry: &'a Entry) -> Result<(), Stuck> {
        let path = &entry.path;
        if entry.kind == Kind::Opaque {
            let place = self.tree.walk(self.root, self.root, path.components())?;
            self.hides.push(Hide {
                place,
                name: None,
                path,
            });
            return Ok(());
        }
        if path.is_root() {
            match entry.kind {
                Kind::Directory => self.tree.rewrite(self.root, self.layer, entry),
                _ => self.remarks.note(self.layer, || {
                    "a member that is no directory is named like the root; it is ignored".into()
                }),
            }
            return Ok(());
        }
        let (place, name) = (self.directory_of(path)?, path.name());
        if entry.kind == Kind::Whiteout {
            self.hides.push(Hide {
                place,
                name: Some(name),
                path,
            });
            return Ok(());
        }
        let dir = self.tree.make(&place)?;
        let written = above_bytes(path);
        // A long path behind a short name is worked out, and counted, each time.
        let plain = self.tree.inodes[dir].length <= written.len();
        self.last = plain.then_some((written, dir));
        if let Kind::HardLink(target) = &entry.kind {
            self.hard_link(dir, name, entry, target);
            return Ok(());
        }
        match self.tree.child(dir, name) {
            Some(old) if entry.kind == Kind::Directory && self.tree.is_dir(old) => {
                self.tree.rewrite(old, self.layer, entry);
            }
            _ => {
                let id = self.tree.add(self.layer, entry);
                self.put(dir, name, id);
            }
        }
        Ok(())
    }

    /// Where the directory of a member is, or is to be made.
    fn directory_of(&mut self, path: &'a RootPath) -> Result<Place<'a>, Stuck> {
        match self.last {
            Some((written, at)) if written == above_bytes(path) => Ok(Place {
                at,
                missing: Vec::new(),
            }),
            _ => self.tree.walk(self.root, self.root, above(path)),
        }
    }

    /// Gives an inode one more name, in place of what has the name now.
    fn put(&mut self, dir: Id, name: &'a [u8], id: Id) {
        if self
            .tree
            .child(dir, name)
            .is_some_and(|old| self.tree.is_dir(old))
        {
            // It may be the last member's directory, or above it.
            self.last = None;
        }
        self.tree.detach(dir, name, self.layer);
        self.tree.attach(dir, name, id, true);
    }

    /// What `target` names in this layer; links are followed in its directories, not at its end.
    fn find(&mut self, target: &'a RootPath) -> Option<Id> {
        let place = self.tree.walk(self.root, self.root, above(target)).ok()?;
        if !place.missing.is_empty() || target.is_root() {
            return None;
        }
        self.tree.child(place.at, target.name())
    }

    /// What `target` names in the layers below, once the links of this layer are followed.
    fn find_below(&mut self, target: &'a RootPath) -> Option<Id> {
        let lower = self.lower;
        let own = self.tree.walk(self.root, self.root, above(target)).ok()?;
        let mut parts = self.tree.parts(own.at);
        parts.extend(own.missing);
        let place = self.tree.walk(lower, lower, parts.into_iter()).ok()?;
        if !place.missing.is_empty() {
            return None;
        }
        self.tree.child(place.at, target.name())
    }

    fn hard_link(&mut self, dir: Id, name: &'a [u8], entry: &'a Entry, target: &'a RootPath) {
        match self.find(target) {
            Some(found) if self.tree.is_dir(found) => self.remarks.note(self.layer, || {
                format!("{} is a hard link to a directory; it is ignored", entry.path)
            }),
            Some(found) if !self.is_forward(found) => {
                // A link to itself would delete the file before it links; keep what there is.
                if self.tree.child(dir, name) != Some(found) {
                    self.put(dir, name, found);
                }
                self.join_header(found, entry);
            }
            found => {
                // It binds to the file that is there now, whatever the layer puts in its place later on.
                let below = if found.is_none() {
                    self.find_below(target)
                } else {
                    None
                };
                if let Some(below) = below.filter(|&id| !self.tree.is_dir(id)) {
                    self.put(dir, name, below);
                    self.join_header(below, entry);
                    return self.note_elsewhere(entry);
                }
                let id = self.tree.add(self.layer, entry);
                self.put(dir, name, id);
                self.forward.push(Forward { dir, name, id, entry });
            }
        }
    }

    fn is_forward(&self, id: Id) -> bool {
        matches!(self.tree.kind(id), Kind::HardLink(_))
    }

    fn note_elsewhere(&mut self, entry: &Entry) {
        self.remarks.note(self.layer, || {
            format!(
                "{} is a hard link to a file of a lower layer or further on in the archive; some runtimes refuse such a \
                 layer",
                entry.path
            )
        });
    }

    /// Binds the hard links whose target was not there when they came.
    fn join_forward_links(&mut self) {
        let forward = std::mem::take(&mut self.forward);
        let mut ends: HashMap<Id, Option<Id>> = HashMap::new();
        for link in &forward {
            let (mut chain, mut at) = (Vec::new(), link.id);
            let end = loop {
                if let Some(end) = ends.get(&at) {
                    break *end;
                }
                let Kind::HardLink(target) = self.tree.kind(at) else {
                    break Some(at);
                };
                // Met again before it is settled, it is part of a circle and leads nowhere.
                ends.insert(at, None);
                chain.push(at);
                let own = self.find(target).filter(|found| *found != at);
                match own.or_else(|| self.find_below(target)) {
                    Some(next) => at = next,
                    None => break None,
                }
            };
            ends.extend(chain.into_iter().map(|id| (id, end)));
        }
        for link in forward {
            if self.tree.child(link.dir, link.name) != Some(link.id) {
                continue;
            }
            self.tree.detach(link.dir, link.name, self.layer);
            let end = ends.get(&link.id).copied().flatten();
            match end.filter(|&id| !self.tree.is_dir(id)) {
                Some(id) => {
                    self.tree.attach(link.dir, link.name, id, true);
                    self.join_header(id, link.entry);
                    self.note_elsewhere(link.entry);
                }
                None => self.remarks.note(self.layer, || {
                    format!(
                        "{} is a hard link to a file that is nowhere; it is ignored",
                        link.entry.path
                    )
                }),
            }
        }
    }

    /// Adds the privileges that a hard link's own header gives its file: containerd applies them, umoci does not.
    fn join_header(&mut self, id: Id, entry: &Entry) {
        let layer = self.layer;
        if matches!(self.tree.kind(id), Kind::Symlink(_)) {
            return;
        }
        let inode = &mut self.tree.inodes[id];
        let said = (owner(entry.uid), owner(entry.gid));
        let own = (inode.uid, inode.gid);
        if inode.owners.is_empty() && said != own {
            inode.owners = vec![own, said];
        } else if !inode.owners.is_empty() && !inode.owners.contains(&said) && inode.owners.len() < OWNERS {
            inode.owners.push(said);
        }
        let mode = inode.mode | entry.mode & 0o7777;
        let capability = join_capabilities(inode.capability.as_deref(), entry.capability.as_deref());
        // Owner 0 is what makes a set-id bit worth most.
        let uid = if inode.uid == 0 { 0 } else { said.0 };
        let gid = if inode.gid == 0 { 0 } else { said.1 };
        if (mode, uid, gid) != (inode.mode, inode.uid, inode.gid)
            || capability != inode.capability
            || !inode.owners.is_empty()
        {
            inode.headers_differ = true;
            self.remarks.note(layer, || {
                format!(
                    "{} is a hard link whose header differs from its file's; runtimes differ in which they apply, so both \
                     count",
                    entry.path
                )
            });
        }
        (inode.mode, inode.uid, inode.gid, inode.capability) = (mode, uid, gid, capability);
    }
}

/// The union of two `security.capability` values: all bits of both, where they have one form.
fn join_capabilities(a: Option<&[u8]>, b: Option<&[u8]>) -> Option<Vec<u8>> {
    match (a, b) {
        (Some(a), Some(b)) if a.len() == b.len() => {
            // The first 20 bytes are flags and masks; behind them stands the id of a user namespace.
            let joined = a.iter().zip(b).enumerate();
            Some(
                joined
                    .map(|(at, (a, b))| if at < 20 { a | b } else { *a })
                    .collect(),
            )
        }
        (Some(a), Some(b)) => Some(if b.len() > a.len() { b } else { a }.to_vec()),
        (a, b) => a.or(b).map(<[u8]>::to_vec),
    }
}
