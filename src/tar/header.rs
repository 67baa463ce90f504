//! A header is the 512-byte block before a member: its name, type, numbers and checksum.

use std::ops::Range;

use super::{BLOCK, Fault, until_nul};

/// One tar block.
pub(crate) type Block = [u8; BLOCK];

const NAME: Range<usize> = 0..100;
const MODE: Range<usize> = 100..108;
const UID: Range<usize> = 108..116;
const GID: Range<usize> = 116..124;
const SIZE: Range<usize> = 124..136;
const MTIME: Range<usize> = 136..148;
const CHECKSUM: Range<usize> = 148..156;
const FLAG: usize = 156;
const LINK: Range<usize> = 157..257;
const MAGIC: Range<usize> = 257..263;
const VERSION: Range<usize> = 263..265;
const MAJOR: Range<usize> = 329..337;
const MINOR: Range<usize> = 337..345;
const PREFIX: Range<usize> = 345..500;
const STAR_PREFIX: Range<usize> = 345..476;
const STAR_ATIME: Range<usize> = 476..488;
const STAR_CTIME: Range<usize> = 488..500;
const STAR_TRAILER: Range<usize> = 508..512;
const GNU_ATIME: Range<usize> = 345..357;
const GNU_CTIME: Range<usize> = 357..369;
const GNU_REAL_SIZE: Range<usize> = 483..495;
/// Four sparse pairs and the mark that more follow.
const GNU_SPARSE: Range<usize> = 386..483;

/// The dialects of tar headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Before POSIX: no magic, no prefix, no devices.
    V7,
    /// POSIX, also under PAX.
    Ustar,
    /// Old GNU, also under GNU long names.
    Gnu,
    /// Schily's, with a shorter prefix.
    Star,
}

/// What a header block says, before PAX and long names change it.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) format: Format,
    pub(super) flag: u8,
    pub(super) name: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) size: i64,
    pub(super) mode: i64,
    pub(super) uid: i64,
    pub(super) gid: i64,
    pub(super) major: i64,
    pub(super) minor: i64,
}

/// Whether `block` has the checksum of a header.
pub(crate) fn is_header(block: &Block) -> bool {
    format(block).is_some()
}

/// The dialect of a header; `None` when its checksum is wrong. Old Sun tars summed signed bytes, which Go accepts too.
pub(super) fn format(block: &Block) -> Option<Format> {
    let stated = octal(&block[CHECKSUM])?;
    let (mut sum, mut high) = (0_i64, 0_i64);
    for part in [&block[..CHECKSUM.start], &block[CHECKSUM.end..]] {
        for &byte in part {
            sum += i64::from(byte);
            high += i64::from(byte >> 7);
        }
    }
    sum += 8 * i64::from(b' ');
    if stated != sum && stated != sum - 256 * high {
        return None;
    }
    Some(match (&block[MAGIC], &block[VERSION], &block[STAR_TRAILER]) {
        (b"ustar\0", _, b"tar\0") => Format::Star,
        (b"ustar\0", _, _) => Format::Ustar,
        (b"ustar ", b" \0", _) => Format::Gnu,
        _ => Format::V7,
    })
}

/// Reads a header block that is not all zeros.
pub(super) fn parse(block: &Block) -> Result<Header, Fault> {
    let format = format(block).ok_or(Fault::corrupt("is no tar header (wrong checksum)"))?;
    let field = |range: Range<usize>| {
        number(&block[range]).ok_or(Fault::corrupt("has a header number that is no number"))
    };
    field(MTIME)?;
    let mut header = Header {
        format,
        flag: block[FLAG],
        name: Vec::new(),
        link: until_nul(&block[LINK]).to_vec(),
        size: field(SIZE)?,
        mode: field(MODE)?,
        uid: field(UID)?,
        gid: field(GID)?,
        major: 0,
        minor: 0,
    };
    let mut prefix: &[u8] = b"";
    if format != Format::V7 {
        header.major = field(MAJOR)?;
        header.minor = field(MINOR)?;
    }
    match format {
        Format::V7 => {}
        Format::Ustar => prefix = until_nul(&block[PREFIX]),
        Format::Star => {
            field(STAR_ATIME)?;
            field(STAR_CTIME)?;
            prefix = until_nul(&block[STAR_PREFIX]);
        }
        // Go before 1.8 wrote a prefix over the times of this dialect; Go still reads such headers, so must we.
        Format::Gnu => {
            let bad = |range: Range<usize>| block[range.start] != 0 && number(&block[range]).is_none();
            if bad(GNU_ATIME) || bad(GNU_CTIME) {
                let text = until_nul(&block[PREFIX]);
                if text.is_ascii() {
                    prefix = text;
                }
            }
        }
    }
    let name = until_nul(&block[NAME]);
    header.name.reserve_exact(prefix.len() + 1 + name.len());
    if !prefix.is_empty() {
        header.name.extend_from_slice(prefix);
        header.name.push(b'/');
    }
    header.name.extend_from_slice(name);
    Ok(header)
}

/// The real size of an old GNU sparse member.
pub(super) fn sparse_size(block: &Block) -> Option<i64> {
    number(&block[GNU_REAL_SIZE])
}

/// The part of an old GNU sparse header that holds pairs.
pub(super) fn sparse_pairs(block: &Block) -> &[u8] {
    &block[GNU_SPARSE]
}

/// A header number: base-256 (two's complement) when the first bit is set, else octal.
pub(super) fn number(field: &[u8]) -> Option<i64> {
    let first = *field.first()?;
    if first & 0x80 == 0 {
        return octal(field);
    }
    let invert = if first & 0x40 == 0 { 0 } else { 0xff };
    let mut value = 0_u64;
    for (at, &byte) in field.iter().enumerate() {
        let mut byte = byte ^ invert;
        if at == 0 {
            byte &= 0x7f;
        }
        if value >> 56 != 0 {
            return None;
        }
        value = value << 8 | u64::from(byte);
    }
    let value = i64::try_from(value).ok()?;
    Some(if invert == 0 { value } else { !value })
}

/// An octal number between any blanks and NULs; nothing at all is 0.
fn octal(field: &[u8]) -> Option<i64> {
    let blank = |byte: &u8| matches!(byte, b' ' | 0);
    let Some(start) = field.iter().position(|byte| !blank(byte)) else {
        return Some(0);
    };
    let end = field.iter().rposition(|byte| !blank(byte)).unwrap_or(start);
    let mut value = 0_i64;
    for &digit in until_nul(&field[start..=end]) {
        match digit {
            b'0'..=b'7' => value = value.checked_mul(8)?.checked_add(i64::from(digit - b'0'))?,
            _ => return None,
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_between_blanks() {
        for (field, value) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"\0\0 644\0\0", Some(0o644)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"        ", Some(0)),
            (b"0000005x", None),
            (b"0000008\0", None),
            (b"-000001\0", None),
            (b"12 34\0\0\0", None),
            (b"12\x0034\0\0\0", Some(0o12)),
        ] {
            assert_eq!(number(field), value, "{field:?}");
        }
    }

    #[test]
    fn base_256_is_twos_complement() {
        assert_eq!(number(b"\x80\0\0\0\0\0\x01\0"), Some(256));
        assert_eq!(number(b"\xff\xff\xff\xff\xff\xff\xff\xff"), Some(-1));
        assert_eq!(
            number(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe"),
            Some(-2)
        );
        assert_eq!(
            number(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"),
            Some(i64::MAX)
        );
        assert_eq!(number(b"\x80\0\0\0\x80\0\0\0\0\0\0\0"), None);
        assert_eq!(number(b"\x80\0\x01\0\0\0\0\0\0\0\0\0"), None);
        assert_eq!(number(b"\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), None);
    }
}
