//! Metadata of a squashfs image, its inodes, directories and tables, is a stream of bytes packed in blocks.

use std::{collections::BTreeMap, rc::Rc};

use super::{Fault, Image, part};

/// Bytes that a block unpacks to, and that it is packed in, at most.
const BLOCK: usize = 8 << 10;
/// In the size of a block: it is stored as it is.
const STORED: u16 = 1 << 15;
/// Blocks that are kept unpacked.
const KEPT: usize = 512;

/// A place in the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cursor {
    /// Where in the image its block begins.
    pub(super) block: u64,
    /// Where in the unpacked block it is.
    pub(super) offset: usize,
}

/// Blocks that were unpacked, by where they begin.
#[derive(Default)]
pub(super) struct Metadata {
    kept: BTreeMap<u64, Rc<Block>>,
}

struct Block {
    bytes: Vec<u8>,
    /// Where the next one begins.
    next: u64,
}

impl Image<'_, '_, '_> {
    /// The next bytes at a place, which moves on behind them.
    pub(super) fn read<const N: usize>(&mut self, cursor: &mut Cursor) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        self.fill(cursor, &mut bytes)?;
        Ok(bytes)
    }

    /// The same, as many as a name may have.
    pub(super) fn take(&mut self, cursor: &mut Cursor, length: usize) -> Result<Vec<u8>, Fault> {
        let mut bytes = vec![0; length];
        self.fill(cursor, &mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, cursor: &mut Cursor, mut bytes: &mut [u8]) -> Result<(), Fault> {
        loop {
            let block = self.metadata_block(cursor.block)?;
            let there = block.bytes.get(cursor.offset..).ok_or(Fault::Damaged)?;
            let count = there.len().min(bytes.len());
            let (now, rest) = bytes.split_at_mut(count);
            now.copy_from_slice(there.get(..count).unwrap_or_default());
            cursor.offset += count;
            bytes = rest;
            if bytes.is_empty() {
                return Ok(());
            }
            *cursor = Cursor {
                block: block.next,
                offset: 0,
            };
        }
    }

    fn metadata_block(&mut self, at: u64) -> Result<Rc<Block>, Fault> {
        if let Some(block) = self.metadata.kept.get(&at) {
            return Ok(Rc::clone(block));
        }
        let size = part(self.bytes, at, 2, 2)?;
        let size = u16::from_le_bytes(size.try_into().map_err(|_| Fault::Damaged)?);
        let length = u32::from(size & !STORED);
        let packed = part(self.bytes, at.saturating_add(2), length, BLOCK)?;
        let mut bytes = Vec::new();
        self.unpack(packed, size & STORED != 0, BLOCK, &mut bytes)?;
        if bytes.is_empty() {
            return Err(Fault::Damaged);
        }
        let block = Rc::new(Block {
            bytes,
            next: at.saturating_add(2 + u64::from(length)),
        });
        if self.metadata.kept.len() >= KEPT {
            self.metadata.kept.clear();
        }
        self.metadata.kept.insert(at, Rc::clone(&block));
        Ok(block)
    }
}
