//! Access is what a user may do to a file by its mode and owner, and by those of the directories above it.

use std::collections::BTreeSet;

use crate::{
    layer::Kind,
    path::RootPath,
    rootfs::{Node, Rootfs, Unresolved, user::Outcome},
};

use super::{Subject, start::Who, tools, user};

/// Mode bit of each class.
const WRITE: u16 = 0o2;
const READ: u16 = 0o4;
const SEARCH: u16 = 0o1;

/// Links that Linux follows.
const LINKS: usize = 40;

/// How a user may change what is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The mode lets them write.
    Mode(u16),
    /// They own it, and an owner can change the mode.
    Owner,
    /// They may replace what is in this directory above it.
    Directory(RootPath),
    /// Nothing is there, and they may put something into this directory above it.
    Absent(RootPath),
}

/// As a clause with `it` for the path.
impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mode(mode) => write!(f, "its mode is {mode:04o}"),
            Self::Owner => f.write_str("it belongs to that user"),
            Self::Directory(directory) => write!(f, "entries of {directory} can be replaced"),
            Self::Absent(directory) => write!(f, "it is not there, and {directory} can be filled"),
        }
    }
}

/// Everybody that some runtime starts the container as, if none of them is root: root may do anything.
pub(super) fn users(subject: &Subject<'_>) -> Vec<Who> {
    let Some(resolution) = user::resolution(subject) else {
        return Vec::new();
    };
    if resolution.root().is_some() {
        return Vec::new();
    }
    let mut users: Vec<Who> = Vec::new();
    for (_, outcome) in resolution.models() {
        if let Outcome::Starts(ids) = outcome {
            let groups: BTreeSet<u64> = std::iter::once(ids.gid)
                .chain(ids.groups.iter().copied())
                .map(u64::from)
                .collect();
            let who = Who {
                uid: ids.uid.into(),
                groups: groups.into_iter().collect(),
            };
            if !users.contains(&who) {
                users.push(who);
            }
        }
    }
    users
}

/// Whether a file belongs to a user, under some runtime.
fn owns(who: &Who, node: &Node) -> bool {
    node.each_owner().any(|(uid, _)| uid == who.uid)
}

/// Whether the mode grants a right: one class counts, the first that fits.
fn may(who: &Who, node: &Node, right: u16) -> bool {
    node.each_owner().any(|(uid, gid)| {
        let class = if who.uid == uid {
            6
        } else if who.groups.contains(&gid) {
            3
        } else {
            0
        };
        node.mode >> class & right != 0
    })
}

/// Whether every directory above `path` can be entered.
pub(super) fn reaches(who: &Who, path: &RootPath, rootfs: &Rootfs) -> bool {
    let mut above = rootfs.above(path);
    above.all(|node| node.implied || owns(who, node) || may(who, node, SEARCH))
}

/// Whether a user may read a file.
pub(super) fn may_read(who: &Who, node: &Node, rootfs: &Rootfs) -> bool {
    (may(who, node, READ) || owns(who, node)) && node.paths.iter().any(|path| reaches(who, path, rootfs))
}

/// Whether a user may make, remove and rename entries of a directory.
pub(super) fn may_fill(who: &Who, directory: &Node, rootfs: &Rootfs) -> bool {
    directory.kind == Kind::Directory
        && !directory.implied
        && (who.uid == directory.uid || may(who, directory, WRITE) && may(who, directory, SEARCH))
        && directory
            .paths
            .first()
            .is_some_and(|path| reaches(who, path, rootfs))
}

/// How a user may change a file, link or directory, or put another in its place.
pub(super) fn may_change(who: &Who, node: &Node, rootfs: &Rootfs) -> Option<Way> {
    for path in &node.paths {
        if let Some(way) = may_write(who, node).filter(|_| reaches(who, path, rootfs)) {
            return Some(way);
        }
        // From the file upwards: whoever may fill a directory may put another in the place of what is in it.
        let mut below = node;
        for above in std::iter::successors(path.parent(), RootPath::parent) {
            let Some(directory) = rootfs.get(&above) else {
                break;
            };
            let sticky = directory.mode & 0o1000 != 0 && directory.uid != who.uid && !owns(who, below);
            if !sticky && may_fill(who, directory, rootfs) {
                return Some(Way::Directory(above));
            }
            below = directory;
        }
    }
    None
}

/// How a user may write to what they can get to: the directories above are not looked at. Nobody writes to a link, and what
/// no member made belongs to root.
pub(super) fn may_write(who: &Who, node: &Node) -> Option<Way> {
    if node.implied || matches!(node.kind, Kind::Symlink(_)) {
        return None;
    }
    if owns(who, node) {
        return Some(Way::Owner);
    }
    let writes = may(who, node, WRITE) && (node.kind != Kind::Directory || may(who, node, SEARCH));
    writes.then_some(Way::Mode(node.mode))
}

/// How a user may decide what is found under a path, and where: at a link on the way, at its end, or by putting something there
/// if nothing is.
pub(super) fn may_decide(who: &Who, path: &RootPath, rootfs: &Rootfs) -> Option<(RootPath, Way)> {
    let at = |node: &Node| Some((tools::first_path(node), may_change(who, node, rootfs)?));
    if let Some(turned) = links_on_way(rootfs, path).into_iter().find_map(at) {
        return Some(turned);
    }
    match rootfs.resolve(path) {
        Ok(node) => at(node),
        Err(Unresolved::Missing(missing)) => {
            let above = missing.parent()?;
            let directory = rootfs.get(&above)?;
            if may_fill(who, directory, rootfs) {
                return Some((missing, Way::Absent(above)));
            }
            Some((missing, may_change(who, directory, rootfs)?))
        }
        Err(Unresolved::Loop | Unresolved::NotADirectory(_)) => None,
    }
}

/// The links that are followed on the way to a path.
fn links_on_way<'a>(rootfs: &'a Rootfs, path: &RootPath) -> Vec<&'a Node> {
    let mut links = Vec::new();
    let mut todo: Vec<&[u8]> = path.components().rev().collect();
    let mut here = RootPath::root();
    while let Some(part) = todo.pop() {
        // Every part of `here` is no link, so that `..` is the directory above.
        let next = here.join(part);
        match rootfs.get(&next) {
            Some(node) => {
                let Kind::Symlink(target) = &node.kind else {
                    here = next;
                    continue;
                };
                links.push(node);
                if links.len() > LINKS {
                    break;
                }
                if target.starts_with(b"/") {
                    here = RootPath::root();
                }
                todo.extend(target.split(|&byte| byte == b'/').rev());
            }
            None => break,
        }
    }
    links
}
