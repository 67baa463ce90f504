//! A squashfs image is a compressed file system in one file, such as an `AppImage` carries behind its program.
//!
//! Its tables stand behind the contents and point back at them, so it is held, up to a cap, and walked when it has come to its
//! end, as the kernel walks it: by the places that directories name, never by the numbers of inodes, which may lie. Nothing is
//! allocated by a number that it states, and what is unpacked is paid for like members of other archives.

mod fragment;
mod inode;
mod metadata;
mod superblock;

use std::collections::{BTreeSet, VecDeque};

pub(in crate::binary) use self::superblock::{SUPERBLOCK, begins};
use self::{
    inode::{Content, Inode},
    metadata::{Cursor, Metadata},
    superblock::Superblock,
};
use super::{
    ZEROS,
    codec::{Compression, Decoder, Flow},
    nest::Nest,
};
use crate::limits::Limits;

/// In the size of a block: it is stored as it is.
const STORED: u32 = 1 << 24;
/// Bytes of a path that are made of its components.
const PATH: usize = 4_096;
/// What may stand behind an image that its program starts or reads: as in data behind a program.
const BEHIND: [&[u8]; 3] = [b"PK\x03\x04", b"\x7fELF\x01\x01", b"\x7fELF\x02\x01"];

/// Why something of an image cannot be read.
#[derive(Debug)]
enum Fault {
    /// Nobody reads it.
    Damaged,
    /// Nothing more is looked into: the nest knows why.
    Stopped,
}

/// Little-endian.
fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// Gathers the bytes of an image.
pub(super) struct Walker<'a> {
    limits: &'a Limits,
    held: Vec<u8>,
}

impl<'a> Walker<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            held: Vec::new(),
        }
    }

    /// Takes the next bytes. Returns whether it wants more.
    pub(super) fn feed(&mut self, bytes: &[u8], nest: &mut Nest<'_>) -> bool {
        let most = self.limits.squashfs;
        if bytes.len() <= most.saturating_sub(self.held.len()) {
            self.held.extend_from_slice(bytes);
            return true;
        }
        self.held = Vec::new();
        nest.stop(format!(
            "is larger than {most} bytes (limit) and was not looked into"
        ));
        false
    }

    /// The image ends: looks into it.
    pub(super) fn finish(&mut self, nest: &mut Nest<'_>) {
        let held = std::mem::take(&mut self.held);
        let Some(superblock) = Superblock::of(&held) else {
            return;
        };
        let compression = match superblock.compressor {
            1 => Compression::Zlib,
            4 => Compression::Xz,
            6 => Compression::Zstd,
            other => {
                let name = match other {
                    2 => "lzma",
                    3 => "lzo",
                    5 => "lz4",
                    _ => "an unknown method",
                };
                nest.stop(format!(
                    "is compressed with {name}, which is not read: what it holds was not looked into"
                ));
                return;
            }
        };
        let mut image = Image {
            bytes: &held,
            superblock,
            compression,
            decoder: Decoder::new(compression, self.limits),
            metadata: Metadata::default(),
            fragments: VecDeque::new(),
            nest,
        };
        image.walk();
        let used = usize::try_from(superblock.used).unwrap_or(usize::MAX);
        let behind = held.get(used..).unwrap_or_default();
        if BEHIND
            .iter()
            .any(|magic| memchr::memmem::find(behind, magic).is_some())
        {
            nest.unread("has a program or an archive behind its end that was not looked into".to_owned());
        }
    }
}

/// A directory that was met.
struct Directory {
    /// Which one of those met it lies in; its own for the root.
    parent: usize,
    name: Vec<u8>,
    inode: Cursor,
}

/// An image that is walked.
struct Image<'i, 'n, 'a> {
    bytes: &'i [u8],
    superblock: Superblock,
    compression: Compression,
    decoder: Decoder,
    metadata: Metadata,
    /// Blocks of fragments by their numbers, the last one met at the end.
    fragments: VecDeque<(u32, Vec<u8>)>,
    nest: &'n mut Nest<'a>,
}

impl Image<'_, '_, '_> {
    fn walk(&mut self) {
        let root = self.inode_at(self.superblock.root >> 16, self.superblock.root & 0xffff);
        let mut met = BTreeSet::from([root]);
        let mut directories = vec![Directory {
            parent: 0,
            name: Vec::new(),
            inode: root,
        }];
        let mut next = 0;
        while let Some(directory) = directories.get(next)
            && !self.nest.stopped()
        {
            let inode = directory.inode;
            let walked = self.directory(next, inode, &mut directories, &mut met);
            self.note(&walked);
            next += 1;
        }
    }

    fn inode_at(&self, block: u64, offset: u64) -> Cursor {
        Cursor {
            block: self.superblock.inodes.saturating_add(block),
            offset: offset as usize,
        }
    }

    fn note<T>(&mut self, result: &Result<T, Fault>) {
        if let Err(Fault::Damaged) = result {
            self.nest.unread(
                "has directories or tables that cannot be read: what they lead to was not looked into"
                    .to_owned(),
            );
        }
    }

    /// Looks into the files of a directory, and adds those in it that were not met before.
    fn directory(
        &mut self,
        number: usize,
        at: Cursor,
        directories: &mut Vec<Directory>,
        met: &mut BTreeSet<Cursor>,
    ) -> Result<(), Fault> {
        let Inode::Directory {
            block,
            offset,
            mut left,
        } = self.inode(at)?
        else {
            return Err(Fault::Damaged);
        };
        let mut cursor = Cursor {
            block: self.superblock.directories.saturating_add(block),
            offset,
        };
        while left > 0 {
            let head: [u8; 12] = self.read(&mut cursor)?;
            let count = self::number(&head[..4]);
            if count >= 256 {
                return Err(Fault::Damaged);
            }
            left = left.saturating_sub(12);
            for _ in 0..=count {
                let entry: [u8; 8] = self.read(&mut cursor)?;
                let length = self::number(&entry[6..]) as usize + 1;
                if length > 256 {
                    return Err(Fault::Damaged);
                }
                let name = self.take(&mut cursor, length)?;
                left = left.saturating_sub(8 + length as u64);
                let inode = self.inode_at(self::number(&head[4..8]), self::number(&entry[..2]));
                let found = if met.insert(inode) {
                    self.inode(inode)
                } else {
                    Ok(Inode::Other)
                };
                self.note(&found);
                if let Ok(Inode::File(content)) = found {
                    if self.nest.begin(path(directories, number, &name)) {
                        let read = self.file(content);
                        self.nest.end();
                        self.note(&read);
                    }
                } else if self.nest.part() && matches!(found, Ok(Inode::Directory { .. })) {
                    directories.push(Directory {
                        parent: number,
                        name,
                        inode,
                    });
                }
                if self.nest.stopped() {
                    return Err(Fault::Stopped);
                }
            }
        }
        Ok(())
    }

    /// Looks into a file.
    fn file(&mut self, content: Content) -> Result<(), Fault> {
        let block_size = self.superblock.block_size() as u64;
        let Content {
            mut at,
            mut left,
            fragment,
            offset,
            mut sizes,
        } = content;
        while left >= block_size || left > 0 && fragment.is_none() {
            if !self.nest.hungry() {
                return Ok(());
            }
            let size: [u8; 4] = self.read(&mut sizes)?;
            let size = u32::from_le_bytes(size);
            let length = left.min(block_size) as usize;
            self.block(at, size, length)?;
            at = at.saturating_add(u64::from(size & !STORED));
            left -= length as u64;
        }
        if let Some(fragment) = fragment
            && left > 0
            && self.nest.hungry()
        {
            self.fragment(fragment)?;
            let block = self.fragments.back().map(|(_, block)| block.as_slice());
            let end = offset.saturating_add(left as usize);
            let tail = block
                .and_then(|block| block.get(offset..end))
                .ok_or(Fault::Damaged)?;
            self.nest.unpacked(tail);
        }
        Ok(())
    }

    /// Shows a block to the member's inspector: `length` bytes, whatever comes out of it.
    fn block(&mut self, at: u64, size: u32, length: usize) -> Result<(), Fault> {
        let nest = &mut *self.nest;
        let mut missing = length;
        if size & !STORED != 0 {
            let packed = part(self.bytes, at, size, self.superblock.block_size())?;
            if size & STORED != 0 {
                let shown = packed.get(..length).unwrap_or(packed);
                nest.unpacked(shown);
                missing -= shown.len();
            } else {
                self.decoder.begin(self.compression);
                let flow = self.decoder.feed(packed, |out| {
                    let shown = out.get(..missing).unwrap_or(out);
                    missing -= shown.len();
                    nest.unpacked(shown) && nest.hungry() && missing > 0
                });
                if flow == Flow::Memory {
                    nest.refused();
                }
            }
        }
        // A hole, and what no decompressor reads: the rest keeps its place.
        while missing > 0 && nest.hungry() && !nest.stopped() {
            let zeros = missing.min(ZEROS.len());
            nest.unpacked(ZEROS.get(..zeros).unwrap_or_default());
            missing -= zeros;
        }
        Ok(())
    }

    /// Unpacks up to `most` bytes, for which the budget pays.
    fn unpack(&mut self, packed: &[u8], stored: bool, most: usize, into: &mut Vec<u8>) -> Result<(), Fault> {
        let nest = &mut *self.nest;
        if stored {
            if !nest.pay(packed.len()) {
                return Err(Fault::Stopped);
            }
            into.extend_from_slice(packed);
            return Ok(());
        }
        self.decoder.begin(self.compression);
        let flow = self.decoder.feed(packed, |out| {
            let room = most - into.len();
            into.extend_from_slice(out.get(..room).unwrap_or(out));
            nest.pay(out.len()) && into.len() < most
        });
        if nest.stopped() {
            return Err(Fault::Stopped);
        }
        if flow == Flow::Memory {
            nest.refused();
        }
        Ok(())
    }
}

/// So many bytes of the image, at most `most`.
fn part(bytes: &[u8], at: u64, size: u32, most: usize) -> Result<&[u8], Fault> {
    let length = (size & !STORED) as usize;
    let from = usize::try_from(at).map_err(|_| Fault::Damaged)?;
    let rest = bytes.get(from..).filter(|_| length <= most);
    rest.and_then(|rest| rest.get(..length)).ok_or(Fault::Damaged)
}

/// The path of a file in a directory that was met; of one deeper than any can be named, its end.
fn path(directories: &[Directory], mut number: usize, name: &[u8]) -> Vec<u8> {
    let mut parts = vec![name];
    let mut length = name.len();
    while number > 0
        && let Some(directory) = directories.get(number)
    {
        length += 1 + directory.name.len();
        if length > PATH {
            break;
        }
        parts.push(&directory.name);
        number = directory.parent;
    }
    parts.reverse();
    parts.join(&b'/')
}
