//! A sparse map lists the pieces of a file that were stored; between them lie holes, which read as zeros.

use super::{
    BLOCK, Fault, decimal,
    header::{self, Block},
    pax::{self, Records},
};

const BAD: Fault = Fault::corrupt("has a sparse map that breaks the format");

fn too_long(cap: u64) -> Fault {
    Fault::beyond_go(format!("has a sparse map of {cap} bytes or more (limit)"))
}

/// One stored piece of a sparse file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Where it lies in the file.
    pub(super) offset: u64,
    /// Its bytes.
    pub(super) length: u64,
}

/// How PAX records say that a member is sparse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announced {
    /// Versions 0.0 and 0.1: the map is in the records.
    InRecords,
    /// Version 1.0: the map is the head of the body.
    InBody,
}

/// Whether, and how, `records` make their member sparse.
pub(super) fn announced(records: &Records) -> Option<Announced> {
    let major = records.get(b"GNU.sparse.major");
    let minor = records.get(b"GNU.sparse.minor");
    match (major, minor) {
        (Some(b"0"), Some(b"0" | b"1")) => Some(Announced::InRecords),
        (Some(b"1"), Some(b"0")) => Some(Announced::InBody),
        (None, None) if records.get(pax::SPARSE_MAP).is_some() => Some(Announced::InRecords),
        _ => None,
    }
}

/// The map of versions 0.0 and 0.1.
pub(super) fn from_records(records: &Records) -> Result<Vec<Segment>, Fault> {
    let count = records.number(b"GNU.sparse.numblocks")?.ok_or(BAD)?;
    let map = records.get(pax::SPARSE_MAP).unwrap_or_default();
    let numbers: Vec<&[u8]> = if map.is_empty() {
        Vec::new()
    } else {
        map.split(|&byte| byte == b',').collect()
    };
    if usize::try_from(count).ok().and_then(|count| count.checked_mul(2)) != Some(numbers.len()) {
        return Err(BAD);
    }
    pairs(&numbers)
}

/// The map of version 1.0, gathered block by block from the head of the body.
#[derive(Debug, Default)]
pub(super) struct BodyMap {
    text: Vec<u8>,
    newlines: usize,
}

impl BodyMap {
    /// Takes the next block; gives the map when it is complete.
    pub(super) fn block(&mut self, block: &[u8], cap: u64) -> Result<Option<Vec<Segment>>, Fault> {
        if (self.text.len() + BLOCK) as u64 > cap {
            return Err(too_long(cap));
        }
        self.text.extend_from_slice(block);
        self.newlines += memchr::memchr_iter(b'\n', block).count();
        if self.newlines == 0 {
            return Ok(None);
        }
        let mut lines = self.text.split(|&byte| byte == b'\n');
        let wanted = lines
            .next()
            .and_then(decimal)
            .and_then(|count| usize::try_from(count).ok())
            .and_then(|count| count.checked_mul(2))
            .ok_or(BAD)?;
        if self.newlines <= wanted {
            return Ok(None);
        }
        let numbers: Vec<&[u8]> = lines.take(wanted).collect();
        pairs(&numbers).map(Some)
    }
}

fn pairs(numbers: &[&[u8]]) -> Result<Vec<Segment>, Fault> {
    let unsigned = |text: &[u8]| decimal(text).and_then(|number| u64::try_from(number).ok());
    numbers
        .chunks_exact(2)
        .map(|pair| {
            Some(Segment {
                offset: unsigned(pair[0])?,
                length: unsigned(pair[1])?,
            })
        })
        .collect::<Option<_>>()
        .ok_or(BAD)
}

/// The map of an old GNU sparse member: pairs in its header, then in extension blocks.
#[derive(Debug, Default)]
pub(super) struct HeaderMap {
    segments: Vec<Segment>,
    bytes: usize,
}

impl HeaderMap {
    /// Takes the pairs of the header; returns whether an extension block follows.
    pub(super) fn header(&mut self, block: &Block, cap: u64) -> Result<bool, Fault> {
        self.area(header::sparse_pairs(block), cap)
    }

    /// Takes an extension block; returns whether another one follows.
    pub(super) fn extension(&mut self, block: &Block, cap: u64) -> Result<bool, Fault> {
        self.area(&block[..], cap)
    }

    /// What was gathered.
    pub(super) fn into_segments(self) -> Vec<Segment> {
        self.segments
    }

    fn area(&mut self, area: &[u8], cap: u64) -> Result<bool, Fault> {
        self.bytes += area.len();
        if self.bytes as u64 >= cap {
            return Err(too_long(cap));
        }
        let pairs = area.chunks_exact(24);
        let more = area.get(area.len() / 24 * 24).is_some_and(|&mark| mark != 0);
        for pair in pairs.take_while(|pair| pair[0] != 0) {
            let unsigned = |field| header::number(field).and_then(|number| u64::try_from(number).ok());
            self.segments.push(Segment {
                offset: unsigned(&pair[..12]).ok_or(BAD)?,
                length: unsigned(&pair[12..]).ok_or(BAD)?,
            });
        }
        Ok(more)
    }
}

/// Accepts a map that ascends, does not overlap, fits into the file, and whose pieces are just what the body stores.
pub(super) fn check(segments: &[Segment], size: u64, stored: u64) -> Result<(), Fault> {
    let (mut end, mut sum) = (0_u64, 0_u64);
    for segment in segments {
        if segment.offset < end {
            return Err(Fault::corrupt("has a sparse map that overlaps"));
        }
        end = segment
            .offset
            .checked_add(segment.length)
            .filter(|&end| end <= size)
            .ok_or(Fault::corrupt("has a sparse map that exceeds the file"))?;
        // No overflow: the pieces do not overlap and end within `size`.
        sum += segment.length;
    }
    if sum == stored {
        Ok(())
    } else {
        Err(Fault::corrupt("has a sparse map that does not fit its body"))
    }
}

/// Walks along a map as stored bytes come in.
#[derive(Debug)]
pub(super) struct Cursor {
    segments: std::vec::IntoIter<Segment>,
    /// Bytes of the current segment that are still to come.
    left: u64,
    /// Where the next byte lies in the file.
    at: u64,
}

impl Cursor {
    /// A cursor before the first byte of a map that [`check`] accepted.
    pub(super) fn new(segments: Vec<Segment>) -> Self {
        Self {
            segments: segments.into_iter(),
            left: 0,
            at: 0,
        }
    }

    /// How many bytes of hole lie before the next stored byte, and how many stored bytes follow in a row.
    pub(super) fn advance(&mut self) -> (u64, u64) {
        let mut hole = 0;
        while self.left == 0 {
            let Some(segment) = self.segments.next() else {
                break;
            };
            if segment.length > 0 {
                hole = segment.offset - self.at;
                self.at = segment.offset;
                self.left = segment.length;
            }
        }
        (hole, self.left)
    }

    /// Takes note of `count` stored bytes; at most what [`Cursor::advance`] said.
    pub(super) fn take(&mut self, count: u64) {
        self.left -= count;
        self.at += count;
    }

    /// The hole between the last stored byte and the end of a file of `size` bytes.
    pub(super) fn rest(&self, size: u64) -> u64 {
        size.saturating_sub(self.at)
    }
}
