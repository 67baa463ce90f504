//! Fragments are the ends of files of a squashfs image, many of them in one block.

use super::{Cursor, Fault, Image, STORED, number, part};

/// Entries of the fragment table in one block of it.
const FRAGMENTS: u64 = 512;
/// Bytes of one.
const FRAGMENT: usize = 16;
/// Blocks of fragments that are kept unpacked.
const KEPT: usize = 4;
/// A pointer to nowhere.
const NOWHERE: u64 = u64::MAX;

impl Image<'_, '_, '_> {
    /// Unpacks a block of fragments, which is the last of those kept then.
    pub(super) fn fragment(&mut self, index: u32) -> Result<(), Fault> {
        let kept = self.fragments.iter().position(|(kept, _)| *kept == index);
        if let Some(block) = kept.and_then(|kept| self.fragments.remove(kept)) {
            self.fragments.push_back(block);
            return Ok(());
        }
        let table = self.superblock.fragment_table;
        if index >= self.superblock.fragments || table == NOWHERE {
            return Err(Fault::Damaged);
        }
        let line = table.saturating_add(u64::from(index) / FRAGMENTS * 8);
        let block = number(part(self.bytes, line, 8, 8)?);
        let mut cursor = Cursor {
            block,
            offset: (u64::from(index) % FRAGMENTS) as usize * FRAGMENT,
        };
        let entry: [u8; FRAGMENT] = self.read(&mut cursor)?;
        let (at, size) = (number(&entry[..8]), number(&entry[8..12]) as u32);
        let most = self.superblock.block_size();
        let packed = part(self.bytes, at, size, most)?;
        let mut block = if self.fragments.len() < KEPT {
            Vec::new()
        } else {
            self.fragments
                .pop_front()
                .map(|(_, block)| block)
                .unwrap_or_default()
        };
        block.clear();
        self.unpack(packed, size & STORED != 0, most, &mut block)?;
        self.fragments.push_back((index, block));
        Ok(())
    }
}
