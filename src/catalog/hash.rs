//! A hash stands for a signature's text: the texts themselves are in no build, so that scant neither finds itself nor
//! quotes other programs. The build script uses this file too.

/// Bytes of a literal that the search looks for: a window.
pub(crate) const WINDOW: usize = 8;
/// Bytes of a window of a literal that is too short for windows of the ordinary size.
pub(crate) const SHORT_WINDOW: usize = 5;
/// The search looks at every fourth offset of a file, so a literal has as many windows, one behind the other: one of them
/// is where it looks.
pub(crate) const STRIDE: usize = 4;
/// Shortest and longest literal, in bytes.
pub(crate) const LITERAL: std::ops::RangeInclusive<usize> = SHORT_WINDOW + STRIDE - 1..=110;
/// The hash of a window.
#[inline]
pub(crate) fn window(word: u64) -> u32 {
    (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}

/// The hash of the last window of a literal; `None` if it is shorter.
#[inline]
pub(crate) fn end(literal: &[u8]) -> Option<u32> {
    literal.last_chunk().map(|word| window(u64::from_le_bytes(*word)))
}

/// The first bytes of a window, as many as a short one has.
#[inline]
pub(crate) fn short(word: u64) -> u64 {
    word & ((1 << (8 * SHORT_WINDOW)) - 1)
}

/// Whether four bytes are all text, ASCII from the blank on: machine code and numbers seldom are.
#[inline]
pub(crate) fn is_text(bytes: [u8; STRIDE]) -> bool {
    const HIGH: u32 = 0x8080_8080;
    let word = u32::from_le_bytes(bytes);
    // 0x20 + 0x60 sets the high bit. A carry comes only from a byte that is no text itself.
    word.wrapping_add(0x6060_6060) & !word & HIGH == HIGH
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
