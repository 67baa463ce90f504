//! Who runs in a container: a user with groups, held against the modes of files.

use crate::{layer::Kind, rootfs::Node};

/// Who starts it, where that can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Who {
    /// User.
    pub(super) uid: u64,
    /// Group and supplementary groups.
    pub(super) groups: Vec<u64>,
}

impl Who {
    /// Whether the mode lets this user start the file, or enter the directory, under some runtime.
    pub(super) fn may_execute(&self, node: &Node) -> bool {
        node.each_owner().any(|owner| self.starts(node, owner))
    }

    /// Whether it does so under every runtime: they differ where the headers of hard links do.
    pub(super) fn always_executes(&self, node: &Node) -> bool {
        node.each_owner().all(|owner| self.starts(node, owner))
    }

    /// One class counts, the first that fits.
    fn starts(&self, node: &Node, (uid, gid): (u64, u64)) -> bool {
        let bit = if self.uid == 0 {
            // Root needs any x bit on a file, and enters every directory.
            if node.kind == Kind::Directory {
                return true;
            }
            0o111
        } else if self.uid == uid {
            0o100
        } else if self.groups.contains(&gid) {
            0o010
        } else {
            0o001
        };
        node.mode & bit != 0
    }
}
