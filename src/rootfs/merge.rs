//! Merging stacks the layers' trees on one another; where runtimes differ, what any of them would show is there.

use super::{
    Dirent, Node, Residue, Rootfs, links,
    remarks::Remarks,
    tree::{Id, Inode, Stuck, Tree},
    unpack::{Hide, Unpacked, unpack},
};
use crate::{
    gap::{Gap, Hides},
    layer::{Kind, LayerFacts},
    path::RootPath,
};

/// Merges layers, base first.
pub(super) fn merge(layers: &[&LayerFacts]) -> Rootfs {
    let mut tree = Tree::default();
    let mut remarks = Remarks::default();
    let root = tree.root();
    for (layer, facts) in layers.iter().enumerate() {
        let unpacked = unpack(&mut tree, &mut remarks, root, layer, facts);
        let mut stack = Stack {
            tree: &mut tree,
            remarks: &mut remarks,
            layer,
            lower: root,
        };
        for hide in &unpacked.hides {
            stack.hide(&unpacked, hide);
        }
        stack.graft_through_links(&unpacked);
        stack.put_on_top(&unpacked);
        remarks.end_of_layer(layer);
        for note in &facts.notes {
            remarks.notes.push(format!("layer {layer}: {note}"));
        }
        remarks
            .gaps
            .extend(facts.gaps.iter().map(|gap| (layer, gap.clone())));
    }
    if tree.gave_up() {
        remarks.gaps.push((
            layers.len().saturating_sub(1),
            Gap {
                path: None,
                why: format!("some members were left out: {}", Stuck::TooMuchWork.why()),
                hides: Hides::Anything,
            },
        ));
    }
    finish(&tree, root, remarks, layers)
}

/// One layer about to be put on those below it.
struct Stack<'t, 'a> {
    tree: &'t mut Tree<'a>,
    remarks: &'t mut Remarks,
    layer: usize,
    lower: Id,
}

impl<'a> Stack<'_, 'a> {
    fn note(&mut self, text: impl FnOnce() -> String) {
        self.remarks.note(self.layer, text);
    }

    /// The inode at exactly these names below `root`, and whether a link stands in the way.
    fn locate(&self, root: Id, parts: &[&'a [u8]]) -> Result<Option<Id>, ()> {
        let mut at = root;
        for (index, part) in parts.iter().enumerate() {
            let Some(child) = self.tree.child(at, part) else {
                return Ok(None);
            };
            match self.tree.kind(child) {
                Kind::Symlink(_) if index + 1 < parts.len() => return Err(()),
                _ => at = child,
            }
        }
        Ok(Some(at))
    }

    /// Lets one marker act on the layers below.
    fn hide(&mut self, own: &Unpacked<'a>, hide: &Hide<'a>) {
        let mut parts = self.tree.parts(hide.place.at);
        parts.extend(&hide.place.missing);
        match hide.name {
            Some(name) => {
                parts.push(name);
                self.hide_name(own, &parts, hide.path);
            }
            None => self.hide_children(&parts, hide.path),
        }
    }

    fn hide_name(&mut self, own: &Unpacked<'a>, parts: &[&'a [u8]], path: &RootPath) {
        let Some((name, above)) = parts.split_last() else {
            return;
        };
        match self.locate(self.lower, parts) {
            Err(()) => self.note(|| {
                format!(
                    "the whiteout of {path} lies behind a link of a lower layer; some runtimes hide nothing, so the file stays"
                )
            }),
            Ok(None) => {}
            Ok(Some(_)) => {
                if let Ok(Some(new)) = self.locate(own.root, parts)
                    && self.tree.is_dir(new)
                {
                    return self.note(|| {
                        format!(
                            "{path} has a whiteout and is a directory again; some runtimes still show what lower layers \
                             have in it, so it stays"
                        )
                    });
                }
                if let Ok(Some(dir)) = self.locate(self.lower, above) {
                    self.tree.detach(dir, name, self.layer);
                }
            }
        }
    }

    fn hide_children(&mut self, parts: &[&'a [u8]], path: &RootPath) {
        if parts.is_empty() {
            return self.note(|| {
                "an opaque marker stands at the root; some runtimes ignore it, so lower layers stay".into()
            });
        }
        match self.locate(self.lower, parts) {
            Ok(Some(dir)) if self.tree.is_dir(dir) => {
                let names: Vec<&[u8]> = self.tree.inodes[dir].children.keys().copied().collect();
                for name in names {
                    self.tree.detach(dir, name, self.layer);
                }
            }
            Ok(None) => {}
            Ok(Some(_)) | Err(()) => self.note(|| {
                format!("the opaque marker of {path} meets no directory of lower layers; it hides nothing")
            }),
        }
    }

    /// Where lower layers have a link to a directory and this layer puts files below the same name without making a
    /// directory of it, umoci follows the link and overlay file systems replace it: the files get both paths.
    fn graft_through_links(&mut self, own: &Unpacked<'a>) {
        let mut grafts = Vec::new();
        let mut pairs = vec![(self.lower, own.root)];
        while let Some((below, above)) = pairs.pop() {
            for (name, &new) in &self.tree.inodes[above].children {
                let Some(old) = self.tree.child(below, name) else {
                    continue;
                };
                if !self.tree.is_dir(new) {
                    continue;
                }
                match self.tree.kind(old) {
                    Kind::Directory => pairs.push((old, new)),
                    Kind::Symlink(_) if self.tree.inodes[new].was_implied => grafts.push((below, *name, new)),
                    _ => {}
                }
            }
        }
        for (below, name, new) in grafts {
            let Ok(place) = self.tree.walk(self.lower, below, std::iter::once(name)) else {
                continue;
            };
            let from = self.tree.path(new);
            if let Ok(target) = self.tree.make(&place) {
                let to = self.tree.path(target);
                self.note(|| {
                    format!(
                        "what lies below {from} also counts as below {to}, since lower layers have a link there that some \
                         runtimes follow and others replace"
                    )
                });
                self.graft(target, new);
            }
        }
    }

    /// Gives everything below `from` a second name below `to`, where the name is free.
    fn graft(&mut self, to: Id, from: Id) {
        let mut pairs = vec![(to, from)];
        while let Some((to, from)) = pairs.pop() {
            let children: Vec<(&'a [u8], Id)> = self.tree.inodes[from]
                .children
                .iter()
                .map(|(n, id)| (*n, *id))
                .collect();
            for (name, id) in children {
                let length = self.tree.inodes[to].length;
                if self.tree.spend(length + 1 + name.len()).is_err() {
                    return;
                }
                match (self.tree.child(to, name), self.tree.is_dir(id)) {
                    (Some(old), true) if self.tree.is_dir(old) => pairs.push((old, id)),
                    (None, true) => {
                        let copy = self.copy_of_dir(id);
                        self.tree.attach(to, name, copy, true);
                        pairs.push((copy, id));
                    }
                    (None, false) => self.tree.attach(to, name, id, true),
                    (Some(_), _) => {
                        let dir = self.tree.path(to);
                        self.note(|| {
                        format!(
                            "{} is in a lower layer too; runtimes differ in whether it is replaced, so both stay",
                            dir.join(name)
                        )
                    });
                    }
                }
            }
        }
    }

    fn copy_of_dir(&mut self, id: Id) -> Id {
        let (copy, inode) = (self.tree.inodes.len(), &self.tree.inodes[id]);
        let inode = Inode {
            source: inode.source,
            mode: inode.mode,
            uid: inode.uid,
            gid: inode.gid,
            capability: inode.capability.clone(),
            ..Inode::default()
        };
        self.tree.inodes.push(inode);
        copy
    }

    /// Moves the layer's tree onto the lower one.
    fn put_on_top(&mut self, own: &Unpacked<'a>) {
        self.take_attributes(self.lower, own.root);
        let mut pairs = vec![(self.lower, own.root)];
        while let Some((below, above)) = pairs.pop() {
            for (name, new) in std::mem::take(&mut self.tree.inodes[above].children) {
                match self.tree.child(below, name) {
                    Some(old) if self.tree.is_dir(old) && self.tree.is_dir(new) => {
                        self.take_attributes(old, new);
                        pairs.push((old, new));
                    }
                    Some(_) if *self.tree.kind(new) == (Kind::CharDevice { major: 0, minor: 0 }) => {
                        let dir = self.tree.path(below);
                        self.note(|| {
                            format!(
                                "{} is a device 0/0, which overlay file systems take for a whiteout; the file of lower \
                                 layers stays",
                                dir.join(name)
                            )
                        });
                    }
                    old => {
                        if let Some(old) = old {
                            self.keep_content(old, new);
                            self.tree.detach(below, name, self.layer);
                        }
                        self.tree.attach(below, name, new, false);
                    }
                }
            }
        }
    }

    /// A changed mode or owner ships the whole file again: its content still came with the layer that had it first. Said only of
    /// what was looked into: programs, and files whose content is kept.
    fn keep_content(&mut self, old: Id, new: Id) {
        let Some(((layer, before), (_, after))) =
            self.tree.inodes[old].source.zip(self.tree.inodes[new].source)
        else {
            return;
        };
        let both = before.kind == Kind::File && after.kind == Kind::File && before.size == after.size;
        let program = before.program.is_some() && before.program == after.program;
        let kept = before.kept.as_ref().is_some_and(|kept| !kept.cut) && before.kept == after.kept;
        if both && (program || kept) {
            self.tree.inodes[new].content = Some(self.tree.inodes[old].content.unwrap_or(layer));
        }
    }

    /// A directory over a directory: its attributes replace the lower one's, unless no member made it.
    fn take_attributes(&mut self, below: Id, above: Id) {
        if let Some((layer, entry)) = self.tree.inodes[above].source {
            self.tree.rewrite(below, layer, entry);
        }
    }
}

/// Numbers the nodes by path and builds the tables that queries need.
fn finish(tree: &Tree<'_>, root: Id, remarks: Remarks, layers: &[&LayerFacts]) -> Rootfs {
    let mut names: Vec<(RootPath, Id, Id)> = Vec::new();
    let mut dirs = vec![(root, RootPath::root())];
    while let Some((dir, path)) = dirs.pop() {
        for (name, &id) in &tree.inodes[dir].children {
            let path = path.join(name);
            if !tree.inodes[id].children.is_empty() {
                dirs.push((id, path.clone()));
            }
            names.push((path, id, dir));
        }
    }
    names.push((RootPath::root(), root, root));
    names.sort_unstable_by(|a, b| a.0.cmp(&b.0));

    let mut numbers: Vec<Option<u32>> = vec![None; tree.inodes.len()];
    let mut nodes: Vec<Node> = Vec::new();
    let mut parents = Vec::new();
    let mut dirents = Vec::with_capacity(names.len());
    for (path, id, dir) in names {
        let number = *numbers[id].get_or_insert_with(|| {
            nodes.push(node(&tree.inodes[id]));
            nodes.len() as u32 - 1
        });
        let paths = &mut nodes[number as usize].paths;
        // A directory sorts before what is in it, so its number is known.
        let parent = numbers[dir].unwrap_or(0);
        if paths.is_empty() {
            parents.push(parent);
        }
        if !path.is_root() {
            dirents.push(Dirent {
                parent,
                node: number,
                name: paths.len() as u32,
            });
        }
        paths.push(path);
    }
    // Stable: within a directory the names stay in order.
    dirents.sort_by_key(|dirent| dirent.parent);

    let mut rootfs = Rootfs {
        nodes,
        dirents,
        parents,
        notes: remarks.notes,
        gaps: remarks.gaps,
        ..Rootfs::empty()
    };
    rootfs.first_dirent = links::first_dirents(&rootfs);
    (rootfs.ends, rootfs.links_to) = links::follow_all(&rootfs);
    rootfs.residue = residue(tree, &rootfs, layers);
    rootfs
}

fn node(inode: &Inode<'_>) -> Node {
    let entry = inode.source.map(|(_, entry)| entry);
    Node {
        paths: Vec::new(),
        kind: entry.map_or(Kind::Directory, |entry| entry.kind.clone()),
        mode: inode.mode,
        uid: inode.uid,
        gid: inode.gid,
        size: entry.map_or(0, |entry| entry.size),
        capability: inode.capability.clone(),
        unapplied_capability: entry.and_then(|entry| entry.unapplied_capability.clone()),
        xattrs: entry.map_or_else(Vec::new, |entry| entry.xattrs.clone()),
        headers_differ: inode.headers_differ,
        owners: inode.owners.clone(),
        program: entry.and_then(|entry| entry.program.clone()),
        kept: entry.and_then(|entry| entry.kept.clone()),
        secrets: entry.map_or_else(Vec::new, |entry| entry.secrets.clone()),
        layer: inode.source.map_or(0, |(layer, _)| layer),
        content_layer: inode
            .content
            .or(inode.source.map(|(layer, _)| layer))
            .unwrap_or(0),
        implied: entry.is_none(),
    }
}

/// What is shipped and not seen: hidden members, and those behind the end of a layer's archive.
fn residue(tree: &Tree<'_>, rootfs: &Rootfs, layers: &[&LayerFacts]) -> Vec<Residue> {
    let hidden = tree.hidden.iter().map(|it| (it.entry, it.layer, it.by));
    let behind = layers.iter().enumerate().flat_map(|(layer, facts)| {
        let entries = facts.behind_end.iter();
        entries
            .filter(|entry| !matches!(entry.kind, Kind::Whiteout | Kind::Opaque))
            .map(move |entry| (entry, layer, layer))
    });
    let mut residue: Vec<Residue> = hidden
        .chain(behind)
        .map(|(entry, layer, hidden_by)| Residue {
            entry: entry.clone(),
            layer,
            hidden_by,
            overwritten: rootfs.get(&entry.path).is_some(),
        })
        .collect();
    residue.sort_by(|a, b| (a.layer, &a.entry.path, a.hidden_by).cmp(&(b.layer, &b.entry.path, b.hidden_by)));
    residue
}
