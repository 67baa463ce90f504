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
        // The first copy is from one byte back, without a word about it.
        let mut text = [&b"zzzzzzzz"[..], words].concat();
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

    const B: &str = "ffff7f907a54686520717569636b2062726f776e20666f78206a75ffffddff6d7073206f76657220741e6c617a792064\
             6f672c203031323334353608db5efb3738392e61003a0162002c090408540432aaaa6c63000510204096515565970964\
             005408889096c84264fc1b00956d2e047b016600aa4a4655515525a3c9a8aa92aa645455555532aa8caa2a194a465595\
             5525a3aaa8aa9251645455c95532aaaaaa2a19554655958c25a3aa4aaa9251555455c9a832aaaa642a19555555958caa\
             a3aa4a469251552555c9a8aaaaaa645419555532958caa2aaa4a4655084521a3618b8408f00e0aec7f7b67672e686975\
             71206568546800fe8335a2ff776f7262206b63680229aac00000aa2afb0f6a20786f66206e68004654818ccae21facff\
             766f2073706d750d5560a3aa00d14e8015005409bc820d1103717555302b8815595ef05c0b566406070905b382577175\
             6bc10a627a80060756f00a9e097e8258c1ac20878d00c0732d0607090100000000000020ff";
    const D: &str = "ffff7f907a54686520717569636b2062726f776e20666f78206a75ffffdbff6d7073206f76657220743c6c617a792064\
             6f672c20303132333435363701b177f738392e610174036201cdc68000a90963908caaaa01d702140a2d136421a3aa6a\
             018a811010f90896682137015455ed59f603660132aaaa642a19555555958caaa3aa4a469251552555c9a8aaaaaa6454\
             19555532958caa2aaa4a4655515525a3c9a8aa92aa645455555532aa8caa2a194a4655955525a3aaa8aa9251645455c9\
             5532aaaaaa2a19554655958c25a3aa4aaa9251555455c9a832aaaa64a5a55014e1ff7bb1451d67675d68697571206568\
             c0882ad8546801aa60ff21ff776f7262206b636801f6bf0129016a20786f66206e68010532aaaaff051a51ff766f2073\
             706d7585aaaa0b1b06ada8820101858db6ee54130671755bc82dbcaab3b30bb7b0bdc90d0e12d82dbc85e2eb0b01915b\
             f5010d40bc85b30e12fc01b18048050f1b9284b30b0d0e1200952449ff";
    const E: &str = "ffffff937a54686520717569636b2062726f776e20666f78206a756d70ffff7fff73206f76657220743c6c617a792064\
             6f672c20303132333435363738390062cdd92e610075026201f68501aba90963011512aaaa366d55682d1364011112aa\
             aaa0185800f92d6083b637014255d5daf602660125a1aa4aaa925055545549a812aaaa242a095555559584aaa1aa4a42\
             925055255549a8aaaaaa2454095555129584aa2aaa4a4255505525a149a8aa92aa245455555512aa84aa2a094a425595\
             5525a1aaa8aa9250245455495512aaaaaa2a09554255958421a1aa4a545a5a44e1fdb7134b1d67675c68697571206568\
             54680284a88201ff882ad8ff776f7262206b636801aafd67c0016a20786f66206e6801548184aac23f8142ff766f2073\
             706d75608baaea1b019b4129aa0154126fe1a32d067175abe416be05b3bd823bdb2dc90c0e1316720bdee3eb77b680f8\
             f5010c0e133820bc05fd056c0191800f1b0c922409ee0e1300002a49ff";
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
        assert_eq!(text.len(), 86_456);
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
