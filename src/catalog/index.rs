//! The index tells for eight bytes of a file which literals they may be a window of.

use super::tables::Literal;

/// Windows are kept by this many first bits of their hash.
const BUCKET_BITS: u32 = 14;

/// All windows of all literals, by hash.
pub(crate) struct Index {
    /// Windows of ordinary width. Measured: half and twice the size make the search slower, by chance hits or by misses of the
    /// nearest cache.
    pub(crate) wide: Filter<4_096>,
    /// Windows of literals that are too short for others; there are few.
    pub(crate) short: Filter<512>,
    /// Where each bucket begins in `windows`.
    buckets: Box<[u32]>,
    /// Ordered by hash.
    windows: Box<[Window]>,
    /// Every window begins as text.
    text_only: bool,
}

/// Tells of most hashes that no window has them: a Bloom filter of two bits in one of `WORDS` words.
pub(crate) struct Filter<const WORDS: usize>(Box<[u64; WORDS]>);

impl<const WORDS: usize> Filter<WORDS> {
    pub(super) fn of(hashes: impl Iterator<Item = u32>) -> Self {
        let words = vec![0; WORDS].into_boxed_slice();
        let mut filter = Self(words.try_into().expect("it was made with so many words"));
        for hash in hashes {
            let (word, bits) = Self::place(hash);
            filter.0[word] |= bits;
        }
        filter
    }

    /// Whether some window may have this hash.
    #[inline]
    pub(crate) fn may_have(&self, hash: u32) -> bool {
        let (word, bits) = Self::place(hash);
        self.0[word] & bits == bits
    }

    /// The word by the first bits of the hash, and two bits in it by the last ones.
    #[inline]
    fn place(hash: u32) -> (usize, u64) {
        let word = hash >> (32 - WORDS.ilog2());
        (word as usize % WORDS, 1 << (hash & 63) | 1 << (hash >> 6 & 63))
    }
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
        let mut buckets = vec![0; (1 << BUCKET_BITS) + 1];
        for window in &windows {
            buckets[bucket(window.hash) + 1] += 1;
        }
        for end in 1..buckets.len() {
            buckets[end] += buckets[end - 1];
        }
        let hashes = |wide| {
            let literals = literals.iter().filter(move |literal| literal.wide == wide);
            literals.flat_map(|literal| literal.windows)
        };
        Self {
            wide: Filter::of(hashes(true)),
            short: Filter::of(hashes(false)),
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

    /// The windows that have this hash.
    pub(crate) fn with(&self, hash: u32) -> impl Iterator<Item = &Window> {
        let bound = |bucket: usize| self.buckets.get(bucket).copied().unwrap_or_default() as usize;
        let near = self.windows.get(bound(bucket(hash))..bound(bucket(hash) + 1));
        near.unwrap_or_default()
            .iter()
            .filter(move |window| window.hash == hash)
    }
}

fn bucket(hash: u32) -> usize {
    (hash >> (32 - BUCKET_BITS)) as usize
}
