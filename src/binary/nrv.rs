//! NRV2B, NRV2D and NRV2E: the compression of UPX, bits in little-endian words of 32.

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    /// NRV2B.
    B,
    /// NRV2D.
    D,
    /// NRV2E.
    E,
}

/// Longest number that is read from bits; a longer one is corrupt.
const NUMBER: u64 = 1 << 32;
/// The offset that ends a stream.
const END: u64 = 0xffff_ffff;

/// Bits and bytes of one stream: words of bits lie between the bytes, each where its first bit is needed.
struct Stream<'a> {
    bytes: &'a [u8],
    word: u32,
    left: u32,
}

impl Stream<'_> {
    fn bit(&mut self) -> Option<u64> {
        if self.left == 0 {
            let (word, rest) = self.bytes.split_first_chunk()?;
            self.word = u32::from_le_bytes(*word);
            self.bytes = rest;
            self.left = 32;
        }
        self.left -= 1;
        Some(u64::from(self.word >> self.left & 1))
    }

    fn byte(&mut self) -> Option<u64> {
        let (byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(u64::from(*byte))
    }

    /// A number from 2 on: each bit of it is followed by whether it ends.
    fn number(&mut self) -> Option<u64> {
        let mut number = 1;
        while number < NUMBER {
            number = number * 2 + self.bit()?;
            if self.bit()? == 1 {
                return Some(number);
            }
        }
        None
    }

    /// The same, in the denser form of NRV2D and NRV2E offsets.
    fn offset(&mut self, variant: Variant) -> Option<u64> {
        if variant == Variant::B {
            return self.number();
        }
        let mut number = 1;
        while number < NUMBER {
            number = number * 2 + self.bit()?;
            if self.bit()? == 1 {
                return Some(number);
            }
            number = (number - 1) * 2 + self.bit()?;
        }
        None
    }
}

/// Decompresses `bytes` to `unpacked` bytes, or fewer if the stream ends before. `None`: it is corrupt.
pub(super) fn decompress(variant: Variant, bytes: &[u8], unpacked: usize) -> Option<Vec<u8>> {
    let mut stream = Stream {
        bytes,
        word: 0,
        left: 0,
    };
    let mut out = Vec::new();
    let mut last = 1;
    loop {
        while out.len() < unpacked && stream.bit()? == 1 {
            out.push(stream.byte()? as u8);
        }
        if out.len() >= unpacked {
            return Some(out);
        }
        let coded = stream.offset(variant)?;
        let mut short = None;
        if coded != 2 {
            let offset = coded.checked_sub(3)? * 256 + stream.byte()?;
            if offset & END == END {
                return Some(out);
            }
            last = match variant {
                Variant::B => offset + 1,
                // The lowest bit belongs to the length.
                Variant::D | Variant::E => {
                    short = Some(offset & 1 ^ 1);
                    (offset >> 1) + 1
                }
            };
        }
        let high = match short {
            Some(bit) => bit,
            None => stream.bit()?,
        };
        let mut length = match variant {
            Variant::B | Variant::D => match high * 2 + stream.bit()? {
                0 => stream.number()? + 2,
                length => length,
            },
            Variant::E if high == 1 => 1 + stream.bit()?,
            Variant::E if stream.bit()? == 1 => 3 + stream.bit()?,
            Variant::E => stream.number()? + 3,
        };
        if last > if variant == Variant::B { 0xd00 } else { 0x500 } {
            length += 1;
        }
        let from = out.len().checked_sub(usize::try_from(last).ok()?)?;
        let length = usize::try_from(length)
            .ok()?
            .saturating_add(1)
            .min(unpacked - out.len());
        for at in from..from + length {
            out.push(*out.get(at)?);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn literals_and_a_copy() {
        // Bits, highest first: three literals (1 1 1), then a match (0).
        // Offset: coded 3 = bits 1, end 1, then byte 2: distance 3. Length for 2B: bits 1 0 = 2, so three bytes.
        let mut bits = 0_u32;
        for (place, bit) in [1, 1, 1, 0, 1, 1, 1, 0].into_iter().enumerate() {
            bits |= bit << (31 - place);
        }
        let mut bytes = bits.to_le_bytes().to_vec();
        bytes.extend(b"abc\x02");
        assert_eq!(decompress(Variant::B, &bytes, 6).unwrap(), b"abcabc");
        // A distance beyond what was written is corrupt.
        bytes[7] = 3;
        assert_eq!(decompress(Variant::B, &bytes, 6), None);
    }

    proptest! {
        #[test]
        fn nothing_panics_or_grows_beyond_what_is_asked(
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
            unpacked in 0_usize..5_000,
        ) {
            for variant in [Variant::B, Variant::D, Variant::E] {
                if let Some(out) = decompress(variant, &bytes, unpacked) {
                    prop_assert!(out.len() <= unpacked);
                }
            }
        }
    }
}
