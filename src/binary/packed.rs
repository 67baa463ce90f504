//! A packed program carries its real self compressed: unpacked here without running it, or told apart as opaque.
//!
//! The form is that of UPX for ELF, recognised by the chain of its blocks, since the magic is easily removed. Filters
//! change only the operands of branches, so they are left in place: no text is touched.

use goblin::{
    container::{Container, Ctx, Endian},
    elf::{Elf, Header, ProgramHeader, program_header::PT_LOAD},
};

use super::{elf::Reading, nrv};

/// Bytes of the two headers that stand before the first block.
const PREFIX: u64 = 24;
/// Bytes of a block's header.
const BLOCK_HEADER: usize = 12;
/// Places at which the chain may begin, four bytes apart.
const STARTS: u64 = 16;
/// Blocks of one program; real ones have a handful.
const BLOCKS: usize = 1_024;
/// Bytes between two segments of a file that only alignment explains.
const PADDING: usize = 1 << 20;
/// Bytes behind the blocks that are the program which unpacks them.
const STUB: u64 = 32 << 10;
/// Loaded segments, the largest ones, whose bytes are counted.
const COUNTED: usize = 4;
/// Bytes of a segment that are too few to tell anything.
const FEW: u64 = 4 << 10;
/// Bits for each byte above which a segment looks compressed or encrypted.
const RANDOM: f64 = 6.5;

/// How a block is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Stored,
    Nrv(nrv::Variant),
    Lzma,
}

/// One block of the chain.
struct Block<'a> {
    method: Method,
    unpacked: usize,
    bytes: &'a [u8],
}

/// The blocks of a packed program.
struct Chain<'a> {
    blocks: Vec<Block<'a>>,
    /// Where they end.
    end: u64,
    /// The next one would unpack to too much.
    cut: bool,
}

/// The program inside a packed one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unpacked {
    /// As far as its segments go.
    pub(super) image: Vec<u8>,
    /// Its segments are full, and the packed program has nothing else but what unpacks them. Else the blocks may be a
    /// decoy before what the program really starts.
    pub(super) whole: bool,
}

/// The program inside a packed one; at most `most` bytes. `None`: it is not packed in this way.
pub(super) fn unpack(reading: &Reading<'_>, most: usize) -> Option<Unpacked> {
    if !reading.elf.little_endian {
        return None;
    }
    (0..STARTS).find_map(|step| {
        let base = reading.headers_end.checked_add(4 * step)?;
        let chain = chain(reading, base.checked_add(PREFIX)?, most)?;
        let (image, full) = rebuild(&chain.blocks, most)?;
        let whole = full && !chain.cut && reading.loaded_end.saturating_sub(chain.end) <= STUB;
        Some(Unpacked { image, whole })
    })
}

/// Whether the bytes of a large loaded segment look random: bits for each byte.
pub(super) fn randomness(reading: &Reading<'_>) -> Option<f64> {
    let loaded = reading
        .segments
        .iter()
        .filter(|segment| segment.p_type == PT_LOAD);
    let mut places: Vec<(u64, u64)> = loaded
        .map(|segment| (segment.p_filesz, segment.p_offset))
        .collect();
    places.sort_unstable();
    let largest = places.iter().rev().take(COUNTED).enumerate();
    let told = largest.filter(|(rank, (size, _))| *rank == 0 || *size >= FEW);
    told.map(|(_, (size, offset))| bits(reading, *offset, *size))
        .find(|bits| *bits > RANDOM)
}

/// Bits for each byte of a part of the file.
fn bits(reading: &Reading<'_>, offset: u64, size: u64) -> f64 {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let bytes = reading.content.at(offset, size);
    let mut counts = [0_u64; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let all = bytes.len() as f64;
    let share = |count: &u64| *count as f64 / all;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| -share(count) * share(count).log2())
        .sum()
}

/// The blocks from `at` on, as long as their headers make sense; at least two, or it is no chain.
fn chain<'a>(reading: &Reading<'a>, mut at: u64, most: usize) -> Option<Chain<'a>> {
    let mut blocks = Vec::new();
    let mut total = 0_usize;
    let mut cut = false;
    while blocks.len() < BLOCKS {
        let header = reading.content.at(at, BLOCK_HEADER);
        let (Some(unpacked), Some(packed), Some(method)) =
            (number(header, 0), number(header, 4), header.get(8))
        else {
            break;
        };
        let method = match method {
            2 => Method::Nrv(nrv::Variant::B),
            5 => Method::Nrv(nrv::Variant::D),
            8 => Method::Nrv(nrv::Variant::E),
            14 => Method::Lzma,
            _ => Method::Stored,
        };
        // What did not get smaller is stored, whatever method is named.
        let method = if packed == unpacked {
            Method::Stored
        } else {
            method
        };
        let bytes = reading.content.at(at.checked_add(BLOCK_HEADER as u64)?, packed);
        let plausible = packed > 0 && packed <= unpacked && bytes.len() == packed;
        if !plausible || method == Method::Stored && packed != unpacked {
            break;
        }
        total = total.saturating_add(unpacked);
        if total > most {
            cut = true;
            break;
        }
        blocks.push(Block {
            method,
            unpacked,
            bytes,
        });
        at = at.checked_add((BLOCK_HEADER + packed) as u64)?;
    }
    (blocks.len() + usize::from(cut) >= 2).then_some(Chain { blocks, end: at, cut })
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*bytes)).ok()
}

/// The first block holds the program's headers, the others fill its segments in order: the program, and whether all are full.
/// What has such headers is packed in this way, even if the rest makes no sense.
fn rebuild(blocks: &[Block<'_>], most: usize) -> Option<(Vec<u8>, bool)> {
    let (first, others) = blocks.split_first()?;
    let mut image = decompress(first)?;
    let header = Elf::parse_header(&image).ok()?;
    let full = fill(&mut image, &header, others, most).unwrap_or(false);
    Some((image, full))
}

/// Puts what the blocks hold behind the headers; whether it was enough. `None`: they do not fit one another.
fn fill(image: &mut Vec<u8>, header: &Header, blocks: &[Block<'_>], most: usize) -> Option<bool> {
    let ctx = context(header);
    let start = usize::try_from(header.e_phoff).ok()?;
    let table = image.get(start..)?;
    let count = usize::from(header.e_phnum).min(table.len() / ProgramHeader::size(ctx));
    let segments = ProgramHeader::parse(table, 0, count, ctx).ok()?;
    let mut content = Vec::new();
    for block in blocks {
        content.extend(decompress(block)?);
    }
    let headers = image.len();
    let mut content = content.as_slice();
    let mut full = true;
    for segment in segments.iter().filter(|segment| segment.p_type == PT_LOAD) {
        let (offset, size) = (
            usize::try_from(segment.p_offset).ok()?,
            usize::try_from(segment.p_filesz).ok()?,
        );
        // The segment that begins with the headers goes on behind them.
        let (start, size) = if offset == 0 {
            (headers, size.saturating_sub(headers))
        } else {
            (offset, size)
        };
        let (bytes, rest) = content.split_at(size.min(content.len()));
        content = rest;
        full &= bytes.len() == size;
        let end = start.checked_add(bytes.len())?;
        if start > image.len() + PADDING || end > most {
            return None;
        }
        if end > image.len() {
            image.resize(end, 0);
        }
        image.get_mut(start..end)?.copy_from_slice(bytes);
    }
    Some(full)
}

fn context(header: &Header) -> Ctx {
    let class64 = header.e_ident[goblin::elf::header::EI_CLASS] == goblin::elf::header::ELFCLASS64;
    Ctx::new(
        if class64 {
            Container::Big
        } else {
            Container::Little
        },
        Endian::Little,
    )
}

fn decompress(block: &Block<'_>) -> Option<Vec<u8>> {
    match block.method {
        Method::Stored => Some(block.bytes.to_vec()),
        Method::Nrv(variant) => nrv::decompress(variant, block.bytes, block.unpacked),
        Method::Lzma => lzma(block.bytes, block.unpacked),
    }
}

/// A raw LZMA stream behind two bytes of properties.
fn lzma(bytes: &[u8], unpacked: usize) -> Option<Vec<u8>> {
    let [first, second, stream @ ..] = bytes else {
        return None;
    };
    let (position, literal_position, literal_context) = (first & 7, second >> 4, second & 15);
    if position > 4 || literal_position > 4 || literal_context > 8 {
        return None;
    }
    let properties = (position * 5 + literal_position) * 9 + literal_context;
    // The header of a `.lzma` file: properties, size of the dictionary, size of the data.
    let mut file = vec![properties];
    file.extend(u32::try_from(unpacked).ok()?.to_le_bytes());
    file.extend((unpacked as u64).to_le_bytes());
    let mut input = std::io::Read::chain(file.as_slice(), stream);
    let mut out = Vec::new();
    lzma_rs::lzma_decompress(&mut input, &mut out).ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{binary::Content, limits::Limits};

    /// A program of 64-bit little-endian headers, `rest` of content behind them.
    fn program(rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 120];
        bytes[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\0");
        bytes[16] = 2;
        bytes[18] = 62;
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = 1;
        bytes[64] = 1;
        bytes[96..104].copy_from_slice(&(120 + rest.len() as u64).to_le_bytes());
        bytes.extend(rest);
        bytes
    }

    fn block(method: u8, unpacked: usize, bytes: &[u8]) -> Vec<u8> {
        let mut block = Vec::new();
        block.extend((unpacked as u32).to_le_bytes());
        block.extend((bytes.len() as u32).to_le_bytes());
        block.extend([method, 0, 0, 0]);
        block.extend(bytes);
        block
    }

    fn unpacked(file: &[u8], most: usize) -> Option<Vec<u8>> {
        let unpacked = whole_or_part(file, most)?;
        assert!(unpacked.whole);
        Some(unpacked.image)
    }

    fn whole_or_part(file: &[u8], most: usize) -> Option<Unpacked> {
        unpack(&Reading::of(Content::whole(file), &Limits::default()), most)
    }

    #[test]
    fn blocks_become_the_program_again() {
        let original = program(&[b'a'; 4_000]);
        let (headers, rest) = original.split_at(120);
        let mut compressed = Vec::new();
        lzma_rs::lzma_compress(&mut &rest[..], &mut compressed).unwrap();
        // Two bytes of properties instead of the crate's header: pb 2, lp 0, lc 3.
        let lzma = [&[2, 3], compressed.get(13..).unwrap()].concat();
        assert!(lzma.len() < rest.len());
        let start = [program(&[0; 24]), block(8, headers.len(), headers)].concat();
        for second in [block(2, rest.len(), rest), block(14, rest.len(), &lzma)] {
            let file = [start.clone(), second].concat();
            assert_eq!(unpacked(&file, 1 << 20).unwrap(), original);
            assert_eq!(unpacked(&file, 100), None);
        }
        // What stands before the chain may be some words longer.
        let late = [
            program(&[0; 24 + 60]),
            block(8, headers.len(), headers),
            block(2, rest.len(), rest),
        ]
        .concat();
        assert_eq!(unpacked(&late, 1 << 20).unwrap(), original);
        let corrupt = [start, block(14, rest.len(), &[0xff; 300])].concat();
        assert!(!whole_or_part(&corrupt, 1 << 20).unwrap().whole);
    }

    #[test]
    fn what_cannot_be_unpacked_to_its_end_is_packed_all_the_same() {
        let original = program(&[b'a'; 400]);
        let (headers, rest) = original.split_at(120);
        let file = |headers: &[u8]| {
            [
                program(&[0; 24]),
                block(8, headers.len(), headers),
                block(2, 300, &rest[..300]),
                block(2, 100, &rest[300..]),
            ]
            .concat()
        };
        assert!(whole_or_part(&file(headers), 520).unwrap().whole);
        // What fits within the cap is told.
        let cut = whole_or_part(&file(headers), 519).unwrap();
        assert_eq!((cut.image.len(), cut.whole), (420, false));
        assert!(!whole_or_part(&file(headers), 120).unwrap().whole);
        assert_eq!(whole_or_part(&file(headers), 119), None);
        // A segment that lies far behind, and a table of segments that lies nowhere.
        for at in [72, 32] {
            let mut lies = headers.to_vec();
            lies[at..at + 8].copy_from_slice(&(1_u64 << 40).to_le_bytes());
            assert!(!whole_or_part(&file(&lies), 520).unwrap().whole, "{at}");
        }
        // No headers at all.
        assert_eq!(whole_or_part(&file(&[b'x'; 120]), 520), None);
    }

    #[test]
    fn a_decoy_of_blocks_is_not_the_whole_program() {
        let original = program(&[b'a'; 400]);
        let (headers, rest) = original.split_at(120);
        let blocks = [block(8, headers.len(), headers), block(2, rest.len(), rest)].concat();
        let whole = |padding: usize| {
            let behind = [&[0; 24][..], &blocks, &vec![0x5a; padding]].concat();
            whole_or_part(&program(&behind), 1 << 20).unwrap().whole
        };
        assert!(whole(0));
        // Room for what unpacks it, and no more.
        assert!(whole(STUB as usize));
        assert!(!whole(STUB as usize + 1));
        // Fewer bytes than its headers ask for.
        let short = [block(8, headers.len(), headers), block(2, 300, &rest[..300])].concat();
        let file = [program(&[0; 24]), short].concat();
        assert!(!whole_or_part(&file, 1 << 20).unwrap().whole);
    }

    #[test]
    fn a_block_is_unpacked_by_the_method_that_it_names() {
        let original = program(&nrv::streams::text());
        let (headers, rest) = original.split_at(120);
        for (variant, method, stream) in nrv::streams::of_text() {
            let blocks = [
                block(method, headers.len(), headers),
                block(method, rest.len(), &stream),
            ];
            let file = [program(&[0; 24]), blocks.concat()].concat();
            assert!(
                unpacked(&file, 1 << 20).as_ref() == Some(&original),
                "{variant:?}"
            );
        }
    }

    #[test]
    fn one_block_is_no_chain() {
        let original = program(b"");
        let mut file = program(&[0; 24]);
        file.extend(block(8, original.len(), &original));
        assert_eq!(unpacked(&file, 1 << 20), None);
    }
}
