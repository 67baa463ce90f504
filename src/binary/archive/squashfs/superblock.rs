//! The superblock of a squashfs image, its first bytes, says where its tables stand.

use super::number;

/// First bytes.
const MAGIC: &[u8] = b"hsqs";
/// Bytes of the superblock.
pub(in crate::binary) const SUPERBLOCK: usize = 96;
/// Powers of two between which the size of a block lies.
const BLOCK_LOGS: std::ops::RangeInclusive<u16> = 12..=20;

/// The first bytes of an image, of version 4.0, the only one that kernels mount.
#[derive(Clone, Copy, Debug)]
pub(super) struct Superblock {
    pub(super) block_log: u16,
    pub(super) compressor: u16,
    /// Entries of the fragment table.
    pub(super) fragments: u32,
    /// Bytes of the image.
    pub(super) used: u64,
    pub(super) root: u64,
    pub(super) inodes: u64,
    pub(super) directories: u64,
    pub(super) fragment_table: u64,
}

impl Superblock {
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        let head = head.get(..SUPERBLOCK).filter(|head| head.starts_with(MAGIC))?;
        let short = |at: usize| number(head.get(at..at + 2).unwrap_or_default()) as u16;
        let word = |at: usize| number(head.get(at..at + 4).unwrap_or_default()) as u32;
        let long = |at: usize| number(head.get(at..at + 8).unwrap_or_default());
        let block_log = short(22);
        let whole =
            (short(28), short(30)) == (4, 0) && BLOCK_LOGS.contains(&block_log) && word(12) == 1 << block_log;
        whole.then(|| Self {
            block_log,
            compressor: short(20),
            fragments: word(16),
            used: long(40),
            root: long(32),
            inodes: long(64),
            directories: long(72),
            fragment_table: long(80),
        })
    }

    pub(super) fn block_size(&self) -> usize {
        1 << self.block_log
    }
}

/// Whether `head` begins an image. It takes [`SUPERBLOCK`] bytes to tell.
pub(in crate::binary) fn begins(head: &[u8]) -> bool {
    Superblock::of(head).is_some()
}
