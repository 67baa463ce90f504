//! An archive is a file that holds others, or one compressed; looked into as its bytes come, it is never unpacked to disk.
//!
//! What a decompressor cannot read hides nothing, since nobody gets it out either: a damaged or cut archive is looked into as
//! far as it goes. What is sound but cannot be looked into here is said: encrypted members, unknown methods, a cap.

mod budget;
mod codec;
mod nest;
mod squashfs;
mod zip;

pub(super) use budget::Budget;
pub(super) use codec::Compression;
pub(super) use nest::{Nest, Place, Unread};
pub(super) use squashfs::{SUPERBLOCK, begins as begins_squashfs};

use self::codec::{Decoder, Flow};
use crate::tar;

/// What a file of several others begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Zip,
    Tar,
    Squashfs,
    Compressed(Compression),
}

/// Bytes of a file by which its shape is told.
pub(super) const HEAD: usize = tar::BLOCK;
/// Where a tar header has its magic.
const USTAR: std::ops::Range<usize> = 257..262;
/// Zeros for the holes of sparse members.
static ZEROS: [u8; 4_096] = [0; 4_096];
/// First members of Alpine's packages, which are compressed tar archives.
const PACKAGE: [&[u8]; 2] = [b".SIGN.", b".PKGINFO"];

impl Shape {
    /// The shape of a file that begins with `head`. Of fewer than [`HEAD`] bytes it may be told too late.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(zip::MAGIC) {
            return Some(Self::Zip);
        }
        if let Some(compression) = Compression::of(head) {
            return Some(Self::Compressed(compression));
        }
        if squashfs::begins(head) {
            return Some(Self::Squashfs);
        }
        let block = head.first_chunk()?;
        (head.get(USTAR) == Some(&b"ustar"[..]) && tar::is_header(block)).then_some(Self::Tar)
    }
}

/// Looks into one archive.
pub(super) struct Archive<'a> {
    reader: Reader<'a>,
    nest: Nest<'a>,
}

enum Reader<'a> {
    Zip(zip::Walker),
    Tar {
        walker: Box<tar::Walker>,
        /// No member came yet.
        first: bool,
    },
    Squashfs(squashfs::Walker<'a>),
    Compressed {
        decoder: Decoder,
        /// Between two streams.
        between: bool,
    },
    /// Nothing more is looked at.
    Over,
}

impl<'a> Archive<'a> {
    /// An archive before its first byte. `None`: too many archives lie around it.
    pub(super) fn new(shape: Shape, place: &Place<'a>) -> Option<Self> {
        let descends = match shape {
            Shape::Zip | Shape::Tar | Shape::Squashfs => true,
            Shape::Compressed(_) => place.bare,
        };
        if descends && !place.may_descend() {
            return None;
        }
        let limits = place.limits;
        let (reader, inside) = match shape {
            Shape::Zip => (
                Reader::Zip(zip::Walker::new(limits, place.prefix)),
                place.inside(),
            ),
            Shape::Tar => (
                Reader::Tar {
                    walker: Box::new(tar::Walker::new(limits)),
                    first: true,
                },
                place.inside(),
            ),
            Shape::Squashfs => (Reader::Squashfs(squashfs::Walker::new(limits)), place.inside()),
            Shape::Compressed(compression) => (
                Reader::Compressed {
                    decoder: Decoder::new(compression, limits),
                    between: true,
                },
                place.uncompressed(),
            ),
        };
        let mut nest = Nest::new(inside);
        if matches!(shape, Shape::Compressed(_)) && !nest.begin(Vec::new()) {
            return Some(Self {
                reader: Reader::Over,
                nest,
            });
        }
        Some(Self { reader, nest })
    }

    /// Takes the next bytes. Returns whether it wants more.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> bool {
        let nest = &mut self.nest;
        let more = match &mut self.reader {
            Reader::Zip(walker) => walker.feed(bytes, nest),
            Reader::Tar { walker, first } => {
                let mut members = Members {
                    nest,
                    first,
                    package: false,
                };
                walker.feed(bytes, &mut members).is_ok() && !tar::Sink::stopped(&members)
            }
            Reader::Squashfs(walker) => walker.feed(bytes, nest),
            Reader::Compressed { decoder, between } => compressed(decoder, between, bytes, nest),
            Reader::Over => false,
        };
        if !more {
            self.close();
        }
        more
    }

    /// Nothing more is looked at.
    fn close(&mut self) {
        match &mut self.reader {
            Reader::Zip(walker) => walker.finish(&mut self.nest),
            Reader::Squashfs(walker) => walker.finish(&mut self.nest),
            _ => {}
        }
        self.nest.end();
        self.reader = Reader::Over;
    }

    /// Ends the archive: what was found.
    pub(super) fn finish(mut self) -> Nest<'a> {
        self.close();
        self.nest
    }
}

/// Unpacks compressed bytes: one stream after the other.
fn compressed(decoder: &mut Decoder, between: &mut bool, mut bytes: &[u8], nest: &mut Nest<'_>) -> bool {
    loop {
        if *between {
            // What pads the streams is zeros.
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            bytes = bytes.get(zeros..).unwrap_or_default();
            let Some(byte) = bytes.first() else { return true };
            if !decoder.goes_on_with(*byte) || !nest.part() {
                return false;
            }
            *between = false;
        }
        if bytes.is_empty() {
            return true;
        }
        match decoder.feed(bytes, |out| nest.unpacked(out) && nest.hungry()) {
            Flow::More => return true,
            Flow::Ended(used) => {
                bytes = bytes.get(used..).unwrap_or_default();
                *between = true;
            }
            Flow::Damaged(_) | Flow::Enough => return false,
            Flow::Memory => {
                nest.refused();
                return false;
            }
        }
    }
}

/// Hands the members of a tar archive to the nest.
struct Members<'n, 'a> {
    nest: &'n mut Nest<'a>,
    first: &'n mut bool,
    /// It is a package, which is a matter of its own.
    package: bool,
}

impl tar::Sink for Members<'_, '_> {
    fn member(&mut self, member: tar::Member, _behind: bool) -> bool {
        if std::mem::take(self.first) && PACKAGE.iter().any(|name| member.name.starts_with(name)) {
            self.package = true;
            return false;
        }
        let file = matches!(member.flag, b'0' | b'7' | b'S');
        file && self.nest.begin(member.name)
    }

    fn data(&mut self, bytes: &[u8]) -> bool {
        self.nest.data(bytes)
    }

    fn hole(&mut self, mut length: u64) -> bool {
        // Shown as zeros, so that what lies behind keeps its place.
        while length > 0 && self.nest.hungry() && !self.nest.stopped() {
            let part = length.min(ZEROS.len() as u64);
            self.nest.unpacked(ZEROS.get(..part as usize).unwrap_or_default());
            length -= part;
        }
        self.nest.hungry()
    }

    fn end(&mut self, _complete: bool) {
        self.nest.end();
    }

    fn stopped(&self) -> bool {
        self.nest.stopped() || self.package
    }

    fn odd(&mut self, _what: &'static str, _name: &[u8]) {}
}
