//! The budget is what looking into archives may cost; all inspectors that lie in one another share it.

use std::cell::Cell;

use crate::limits::Limits;

/// What may still be spent, on this file and in this layer.
#[derive(Debug)]
pub(in crate::binary) struct Budget {
    /// Bytes that archives may still unpack to, of all files of the layer.
    layer: Cell<u64>,
    /// The same of this file.
    file: Cell<u64>,
    /// Members of this file's archives.
    members: Cell<usize>,
    ratio: u64,
    floor: u64,
    most_members: usize,
    most_bytes: u64,
}

impl Budget {
    pub(in crate::binary) fn new(limits: &Limits) -> Self {
        Self {
            layer: Cell::new(limits.archive_bytes),
            file: Cell::new(0),
            members: Cell::new(0),
            ratio: limits.archive_ratio,
            floor: limits.archive_floor,
            most_members: limits.archive_members,
            most_bytes: limits.archive_bytes,
        }
    }

    /// A file of `size` bytes begins, which lies in no other.
    pub(in crate::binary) fn begin(&self, size: u64) {
        self.file
            .set(size.saturating_mul(self.ratio).saturating_add(self.floor));
        self.members.set(0);
    }

    /// Spends `bytes` that were unpacked. Returns how many of them may be looked at: fewer means that a cap is hit.
    pub(super) fn spend(&self, bytes: usize) -> usize {
        let granted = (bytes as u64).min(self.layer.get()).min(self.file.get());
        self.layer.set(self.layer.get() - granted);
        self.file.set(self.file.get() - granted);
        granted as usize
    }

    /// Why [`Budget::spend`] granted less than was asked for.
    pub(super) fn why(&self) -> String {
        let rest = "what is left of it was not looked into";
        if self.file.get() == 0 {
            format!(
                "unpacks to more than {} times its size and {} bytes (limit): {rest}",
                self.ratio, self.floor
            )
        } else {
            format!(
                "is one of a layer's archives that unpack to more than {} bytes (limit): {rest}",
                self.most_bytes
            )
        }
    }

    /// Counts a member, or a part of a compressed file.
    ///
    /// # Errors
    /// There were too many.
    pub(super) fn member(&self) -> Result<(), String> {
        let count = self.members.get() + 1;
        self.members.set(count);
        if count <= self.most_members {
            return Ok(());
        }
        Err(format!(
            "has too many members (limit {}): the rest was not looked into",
            self.most_members
        ))
    }
}
