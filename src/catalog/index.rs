//! The index tells for eight bytes of a file which literals they may be a window of.

use super::{hash, tables::Literal};

/// Words of the bitmap of slots.
const WORDS: usize = 1 << (hash::SLOT_BITS - 6);
/// Windows are kept by this many first bits of their hash.
const BUCKET_BITS: u32 = 14;

/// All windows of all literals, by hash.
pub(crate) struct Index {
    /// One bit for each slot, the first bits of a hash, that some window has.
    bitmap: Box<[u64; WORDS]>,
    /// Where each bucket begins in `windows`.
    buckets: Box<[usize]>,
    /// Ordered by hash.
    windows: Box<[Window]>,
    /// Every window begins as text.
    text_only: bool,
}

/// One window of a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Window {
    /// [`hash::window`].
    pub(crate) hash: u32,
    /// Number of the literal.
    pub(crate) literal: u16,
    /// Where in the literal it lies.
    pub(crate) offset: u8,
}

impl Index {
    pub(super) fn of(literals: &[Literal]) -> Self {
        let windows = literals.iter().zip(0_u16..).flat_map(|(literal, number)| {
            let offsets = literal.offset..;
            offsets.zip(literal.windows).map(move |(offset, hash)| Window {
                hash,
                literal: number,
                offset,
            })
        });
        let mut windows: Box<[Window]> = windows.collect();
        windows.sort_unstable();
        let bitmap = vec![0; WORDS].into_boxed_slice();
        let mut bitmap: Box<[u64; WORDS]> = bitmap.try_into().expect("it was made with so many words");
        let mut buckets = vec![0; (1 << BUCKET_BITS) + 1];
        for window in &windows {
            let (word, bit) = place(window.hash);
            bitmap[word] |= bit;
            buckets[bucket(window.hash) + 1] += 1;
        }
        for end in 1..buckets.len() {
            buckets[end] += buckets[end - 1];
        }
        Self {
            bitmap,
            buckets: buckets.into(),
            windows,
            text_only: literals.iter().all(|literal| literal.text),
        }
    }

    /// Whether every window begins as text, so that other bytes need no look.
    #[inline]
    pub(crate) fn text_only(&self) -> bool {
        self.text_only
    }

    /// Whether some window may have this hash.
    #[inline]
    pub(crate) fn may_have(&self, hash: u32) -> bool {
        let (word, bit) = place(hash);
        self.bitmap[word] & bit != 0
    }

    /// The windows that have this hash.
    pub(crate) fn with(&self, hash: u32) -> impl Iterator<Item = &Window> {
        let bound = |bucket: usize| self.buckets.get(bucket).copied().unwrap_or_default();
        let near = self.windows.get(bound(bucket(hash))..bound(bucket(hash) + 1));
        near.unwrap_or_default()
            .iter()
            .filter(move |window| window.hash == hash)
    }
}

/// The word of the bitmap, and the bit in it.
#[inline]
fn place(hash: u32) -> (usize, u64) {
    let slot = hash >> (32 - hash::SLOT_BITS);
    ((slot >> 6) as usize % WORDS, 1 << (slot & 63))
}

fn bucket(hash: u32) -> usize {
    (hash >> (32 - BUCKET_BITS)) as usize
}
