//! Access is what a user may do to a file by its mode and owner, and by those of the directories above it.

use std::collections::BTreeSet;

use crate::{
    layer::Kind,
    path::RootPath,
    rootfs::{Node, Rootfs, user::Outcome},
};

use super::{Subject, start::Who, user};

/// Mode bit of each class.
const WRITE: u16 = 0o2;
const READ: u16 = 0o4;
const SEARCH: u16 = 0o1;

/// How a user may change what is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The mode lets them write.
    Mode(u16),
    /// They own it, and an owner can change the mode.
    Owner,
    /// They may replace what is in this directory above it.
    Directory(RootPath),
}

/// As a clause with `it` for the path.
impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mode(mode) => write!(f, "its mode is {mode:04o}"),
            Self::Owner => f.write_str("it belongs to that user"),
            Self::Directory(directory) => write!(f, "entries of {directory} can be replaced"),
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

/// Whether the mode grants a right: one class counts, the first that fits.
fn may(who: &Who, node: &Node, right: u16) -> bool {
    let class = if who.uid == node.uid {
        6
    } else if who.groups.contains(&node.gid) {
        3
    } else {
        0
    };
    node.mode >> class & right != 0
}

/// Whether every directory above `path` can be entered.
fn reaches(who: &Who, path: &RootPath, rootfs: &Rootfs) -> bool {
    let mut above = rootfs.above(path);
    above.all(|node| node.implied || who.uid == node.uid || may(who, node, SEARCH))
}

/// Whether a user may read a file.
pub(super) fn may_read(who: &Who, node: &Node, rootfs: &Rootfs) -> bool {
    (may(who, node, READ) || who.uid == node.uid) && node.paths.iter().any(|path| reaches(who, path, rootfs))
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

/// How a user may change the file or directory at a path that no link is in, or put another in its place.
pub(super) fn may_change(who: &Who, node: &Node, rootfs: &Rootfs) -> Option<Way> {
    if node.implied {
        return None;
    }
    for path in &node.paths {
        if reaches(who, path, rootfs) {
            if who.uid == node.uid {
                return Some(Way::Owner);
            }
            if may(who, node, WRITE) && (node.kind != Kind::Directory || may(who, node, SEARCH)) {
                return Some(Way::Mode(node.mode));
            }
        }
        // From the file upwards: whoever may fill a directory may put another in the place of what is in it.
        let mut below = node;
        for above in std::iter::successors(path.parent(), RootPath::parent) {
            let Some(directory) = rootfs.get(&above) else {
                break;
            };
            let sticky = directory.mode & 0o1000 != 0 && directory.uid != who.uid && below.uid != who.uid;
            if !sticky && may_fill(who, directory, rootfs) {
                return Some(Way::Directory(above));
            }
            below = directory;
        }
    }
    None
}
