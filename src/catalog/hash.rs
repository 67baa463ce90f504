//! A hash stands for a signature's text: the texts themselves are in no build, so that scant neither finds itself nor
//! quotes other programs. The build script uses this file too.

/// Bytes of a literal that the search looks for at every offset.
pub(crate) const WINDOW: usize = 8;
/// Shortest and longest literal, in bytes.
pub(crate) const LITERAL: std::ops::RangeInclusive<usize> = WINDOW..=110;
/// Number of slots of the bitmap, as a power of two: 32 KiB of bits stay in the first-level cache.
pub(crate) const SLOT_BITS: u32 = 18;

/// The slot of a window in the bitmap.
#[inline]
pub(crate) fn slot(window: u64) -> u32 {
    (window.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - SLOT_BITS)) as u32
}

/// A second, independent hash of a window, so that few slots that are hit by chance cost a hash of a whole literal.
#[inline]
pub(crate) fn check(window: u64) -> u32 {
    ((window ^ (window >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 32) as u32
}

/// The hash of a whole literal.
pub(crate) fn whole(literal: &[u8]) -> u64 {
    let mut hash = 0x2545_F491_4F6C_DD1D ^ literal.len() as u64;
    for chunk in literal.chunks(WINDOW) {
        let mut word = [0; WINDOW];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x94D0_49BB_1331_11EB);
        hash ^= hash >> 31;
    }
    hash
}
