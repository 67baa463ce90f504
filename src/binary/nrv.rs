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

/// What UPX' own library (UCL 1.03, `nrv2?_99_compress` at level 10, words of 32 bits) makes of one text.
#[cfg(test)]
pub(super) mod streams {
    use super::Variant;

    /// The text: runs, and copies from behind each border beyond which a copy is one byte longer.
    pub(in crate::binary) fn text() -> Vec<u8> {
        let words = b"The quick brown fox jumps over the lazy dog, 0123456789.";
        let mut text = words.to_vec();
        for (fill, run, take) in [
            (b'a', 3, 4),
            (b'b', 1_300, 9),
            (b'c', 2_100, 20),
            (b'd', 3_400, 56),
            (b'e', 40, 3),
            (b'f', 70_000, 30),
            (b'g', 2, 2),
        ] {
            text.extend(std::iter::repeat_n(fill, run));
            text.extend(&words[..take]);
            text.extend(&words[take / 2..take]);
        }
        for (at, distance) in [0x500, 0x501, 0xd00, 0xd01].into_iter().enumerate() {
            let word: Vec<u8> = words[at * 7..][..7].iter().rev().copied().collect();
            text.extend(&word);
            text.extend(std::iter::repeat_n(b'h', distance - 7));
            text.extend(&word);
        }
        for start in 0..24 {
            text.extend(&words[start..][..2 + start % 7]);
        }
        text
    }

    /// Each variant, its number in UPX, and the text compressed by it.
    pub(in crate::binary) fn of_text() -> [(Variant, u8, Vec<u8>); 3] {
        let bytes = |digits: &str| {
            let pairs = digits.as_bytes().chunks(2);
            pairs
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect()
        };
        [
            (Variant::B, 2, bytes(B)),
            (Variant::D, 5, bytes(D)),
            (Variant::E, 8, bytes(E)),
        ]
    }

    const B: &str = "ffffffff54686520717569636b2062726f776e20666f78206a756d7073206f7665722074edffff771e6c617a7920646f\
             672c20303132333435363738392e610020206c7b3a016200b2b124105404630000c9a8aa5d1640809609644246559500\
             91512120fc1058220b1b005555b6b97b0166008caa2a194a4655955525a3aaa8aa9251645455c95532aaaaaa2a195546\
             55958c25a3aa4aaa9251555455c9a832aaaa642a19555555958caaa3aa4a469251552555c9a8aaaaaa64541955553295\
             8caa2aaa4a4655515525a3c9a8aa92aa645455555532aa8caa2a1922201485ed852d12f00e67672e882ab0ff68697571\
             20656854680002fb0fd6ff776f7262206b6368003f08a4a8006a20786f6632aaaaec206e6800b01a5105ffaa2a8b7f76\
             6f2073706d750d5654818d0044443b0100540956f00a36037175555958c1ac205e645ec1732d060709718815cc0a757a\
             78ae052b800607098258c12b7e82b56005b3878d06000000cf070980040000ff";
    const D: &str = "ffffffff54686520717569636b2062726f776e20666f78206a756d7073206f7665722074ddffff6f3c6c617a7920646f\
             672c20303132333435363738392e61010204c4de74036201aa361b03a9096301284032aaaa5d0b502d13640140848caa\
             85280642f9672158a23701f603925155b5660155c9a8aaaaaa645419555532958caa2aaa4a4655515525a3c9a8aa92aa\
             645455555532aa8caa2a194a4655955525a3aaa8aa9251645455c95532aaaaaa2a19554655958c25a3aa4aaa92515554\
             55c9a832aaaa642a19555555958caaa3aa4a469251552551c8a8aa16959642e160ffefc51d67675d6869757120656854\
             6801870023aaff776fa4a882fd7262206b636801aadaff06016a20786f66206e68014415c8a82efc1768ff766f207370\
             6d751b0a16aaaa01ba1bb4a2015413f01636da067175aac26e21b7b3bd16ce2edcc90d0e126e61b7f0e2ebf5ce2e0444\
             010d0e122201f116fc052e04c4020f1b0d244912ce0e1200005492ff";
    const E: &str = "ffffffff54686520717569636b2062726f776e20666f78206a756d7073206f7665722074d9ffff7f3c6c617a7920646f\
             672c20303132333435363738392e6100ab0062cd75026201aaf68501a9096301681512aaaa366d552d136401001112aa\
             b6a01858f937da2d608301f602664a4255d5015525a1aaa8aa9250245455495512aaaaaa2a09554255958425a1aa4aaa\
             925055545549a812aaaa242a095555559584aaa1aa4a42925055255549a8aaaaaa2454095555129584aa2aaa4a425550\
             5525a149a8aa92aa245455555512aa84aa2a094a4255954421a1aa4b545a5ae11d82fdb71367675c6869757120656854\
             6801ff0284a8ff776f7262206bc0882ad8636801aaaafd67016a20786f66206e680142548184eac23f81ff766f207370\
             6d751baa608baa012d9b4129015412056fe1a3067175ab2de416beb3bdde823bdbc90c0e13e3f816720bebf50577b680\
             010c0e13803820bcfd05ee6c01910f1b0c0e13499224090000002aff";
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

    #[test]
    fn streams_of_the_real_compressor_give_the_text_back() {
        let text = streams::text();
        assert_eq!(text.len(), 86_448);
        for (variant, _, stream) in streams::of_text() {
            assert!(
                decompress(variant, &stream, text.len()).as_ref() == Some(&text),
                "{variant:?}"
            );
            // The end of the stream is seen, too.
            assert!(
                decompress(variant, &stream, usize::MAX).as_ref() == Some(&text),
                "{variant:?}"
            );
            for other in [Variant::B, Variant::D, Variant::E] {
                let same = decompress(other, &stream, text.len()).as_ref() == Some(&text);
                assert_eq!(same, other == variant, "{variant:?} as {other:?}");
            }
        }
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
