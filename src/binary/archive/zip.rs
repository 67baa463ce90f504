//! A zip archive is read as its bytes come in: by the headers before its members, and held against the directory behind
//! them, by which programs open it.

use std::collections::BTreeMap;

use super::{
    codec::{Compression, Decoder, Flow},
    nest::Nest,
};
use crate::limits::Limits;

/// The first bytes of a zip archive.
pub(in crate::binary) const MAGIC: &[u8] = b"PK\x03\x04";
/// Bytes of the fixed part of each header.
const MEMBER: usize = 30;
const LISTED: usize = 46;
const END: usize = 22;
const END64: usize = 56;
/// Members that make an archive a program of its interpreter.
const ENTRY_POINTS: [&[u8]; 2] = [b"META-INF/MANIFEST.MF", b"__main__.py"];
/// In a 32-bit field: the value stands in the 64-bit extra field.
const SEE_EXTRA: u64 = 0xffff_ffff;

/// Reads one archive.
pub(super) struct Walker {
    state: State,
    /// The header that is read, as far as it came.
    header: Vec<u8>,
    /// Bytes of the archive that were taken.
    position: u64,
    /// Where each member stood, and how many bytes it had, where that is known.
    members: BTreeMap<u64, Option<u64>>,
    /// What the directory lists since the last end record: where, and how many bytes.
    listed: Vec<(u64, u64)>,
    /// Where the directory began.
    directory: Option<u64>,
    /// Where the 64-bit end record says that it begins.
    directory64: Option<u64>,
    /// Members that could not be looked into: why, the first one's name, how many.
    unread: Vec<(&'static str, Vec<u8>, usize)>,
    decoder: Decoder,
    /// Bytes of the file before the archive.
    prefix: u64,
    most: usize,
}

enum State {
    /// Looks for the next header.
    Between,
    /// Gathers a header of at least so many bytes.
    Header(Header, usize),
    /// The content of the member that began at `at`.
    Content {
        at: u64,
        /// It is compressed, and still wanted.
        packed: bool,
        /// Bytes that are left; `None` where only the content tells.
        left: Option<u64>,
        taken: u64,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Header {
    Member,
    Listed,
    End,
    End64,
}

impl Walker {
    pub(super) fn new(limits: &Limits, prefix: u64) -> Self {
        Self {
            state: State::Between,
            header: Vec::new(),
            position: 0,
            members: BTreeMap::new(),
            listed: Vec::new(),
            directory: None,
            directory64: None,
            unread: Vec::new(),
            prefix,
            decoder: Decoder::new(Compression::Deflate, limits),
            most: limits.archive_members,
        }
    }

    /// Takes the next bytes. Returns whether it wants more.
    pub(super) fn feed(&mut self, mut bytes: &[u8], nest: &mut Nest<'_>) -> bool {
        while !bytes.is_empty() && !nest.stopped() {
            let used = match self.state {
                State::Between => self.seek(bytes),
                State::Header(..) => self.gather(bytes, nest),
                State::Content { .. } => self.content(bytes, nest),
            };
            self.position += used as u64;
            bytes = bytes.get(used..).unwrap_or_default();
        }
        !nest.stopped()
    }

    /// Ends the archive.
    pub(super) fn finish(&mut self, nest: &mut Nest<'_>) {
        if matches!(self.state, State::Content { .. }) {
            nest.end();
        }
        for (why, name, count) in std::mem::take(&mut self.unread) {
            let name = crate::text::escape(&name);
            nest.unread(match count {
                1 => format!("has a member, `{name}`, that {why}"),
                _ => format!("has {count} members, the first of them `{name}`, of which each {why}"),
            });
        }
    }

    /// Looks for the signature of the next header; what stands before it belongs to no member.
    fn seek(&mut self, bytes: &[u8]) -> usize {
        if self.header.is_empty() {
            let skip = memchr::memchr(b'P', bytes).unwrap_or(bytes.len());
            if skip > 0 {
                return skip;
            }
        }
        let Some(byte) = bytes.first() else { return 0 };
        self.header.push(*byte);
        let header = match self.header.as_slice() {
            b"P" | b"PK" | b"PK\x01" | b"PK\x03" | b"PK\x05" | b"PK\x06" => return 1,
            MAGIC => (Header::Member, MEMBER),
            b"PK\x01\x02" => (Header::Listed, LISTED),
            b"PK\x05\x06" => (Header::End, END),
            b"PK\x06\x06" => (Header::End64, END64),
            _ => {
                // What did not fit may begin the right one.
                self.header.clear();
                if *byte == b'P' {
                    self.header.push(b'P');
                }
                return 1;
            }
        };
        self.state = State::Header(header.0, header.1);
        1
    }

    /// Gathers a header, and reads it when it is whole.
    fn gather(&mut self, bytes: &[u8], nest: &mut Nest<'_>) -> usize {
        let State::Header(kind, need) = self.state else {
            return 0;
        };
        let used = need.saturating_sub(self.header.len()).min(bytes.len());
        self.header
            .extend_from_slice(bytes.get(..used).unwrap_or_default());
        if self.header.len() < need {
            return used;
        }
        let whole = match kind {
            Header::Member => MEMBER + self.short(26) + self.short(28),
            Header::Listed => LISTED + self.short(28) + self.short(30) + self.short(32),
            Header::End => END,
            Header::End64 => END64,
        };
        if self.header.len() < whole {
            self.state = State::Header(kind, whole);
            return used;
        }
        let begins = (self.position + used as u64).saturating_sub(self.header.len() as u64);
        self.state = State::Between;
        match kind {
            Header::Member => self.member(begins, nest),
            Header::Listed => self.list(begins, nest),
            Header::End => self.end(nest),
            Header::End64 => self.directory64 = Some(self.long(48)),
        }
        self.header.clear();
        used
    }

    fn short(&self, at: usize) -> usize {
        let bytes = self.header.get(at..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| usize::from(u16::from_le_bytes(*bytes)))
    }

    fn word(&self, at: usize) -> u64 {
        let bytes = self.header.get(at..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)))
    }

    fn long(&self, at: usize) -> u64 {
        self.word(at) | self.word(at + 4) << 32
    }

    /// The values that stand in the 64-bit extra field, from `at` on, for those of `fields` that do not fit their own.
    fn extra<const N: usize>(&self, mut at: usize, length: usize, fields: [u64; N]) -> [u64; N] {
        let mut out = fields;
        let end = at + length;
        while at + 4 <= end {
            let (id, size) = (self.short(at), self.short(at + 2));
            at += 4;
            if id == 1 {
                let mut value = at;
                for field in &mut out {
                    if *field == SEE_EXTRA && value + 8 <= (at + size).min(end) {
                        *field = self.long(value);
                        value += 8;
                    }
                }
                return out;
            }
            at += size;
        }
        out
    }

    fn name(&self, at: usize, length: usize) -> Vec<u8> {
        self.header.get(at..at + length).unwrap_or_default().to_vec()
    }

    /// A member begins: its content follows.
    fn member(&mut self, begins: u64, nest: &mut Nest<'_>) {
        let (flags, method) = (self.short(6), self.short(8));
        let (name_length, extra_length) = (self.short(26), self.short(28));
        let name = self.name(MEMBER, name_length);
        let [_, size] = self.extra(MEMBER + name_length, extra_length, [self.word(22), self.word(18)]);
        nest.entry_point |= ENTRY_POINTS.contains(&name.as_slice());
        let streamed = flags & 8 != 0 && size == 0;
        let compression = match method {
            0 => None,
            8 => Some(Compression::Deflate),
            12 => Some(Compression::Bzip2),
            93 => Some(Compression::Zstd),
            95 => Some(Compression::Xz),
            _ => {
                return self.pass(
                    begins,
                    name,
                    size,
                    streamed,
                    "is compressed by a method that scant does not read",
                );
            }
        };
        if flags & (1 | 64) != 0 {
            return self.pass(begins, name, size, streamed, "is encrypted");
        }
        self.members.insert(begins, (!streamed).then_some(size));
        if !nest.begin(name) || size == 0 && !streamed || streamed && compression.is_none() {
            // Of what is stored with its size behind it, the directory says whether there is any.
            if streamed {
                self.members.insert(begins, Some(0));
            }
            nest.end();
            return;
        }
        if let Some(compression) = compression {
            self.decoder.begin(compression);
        }
        self.state = State::Content {
            at: begins,
            packed: compression.is_some(),
            left: (!streamed).then_some(size),
            taken: 0,
        };
    }

    /// Passes over a member that cannot be looked into.
    fn pass(&mut self, begins: u64, name: Vec<u8>, size: u64, streamed: bool, why: &'static str) {
        self.members.insert(begins, (!streamed).then_some(size));
        if size == 0 && !streamed {
            return;
        }
        match self.unread.iter_mut().find(|(known, ..)| *known == why) {
            Some((_, _, count)) => *count += 1,
            None => self.unread.push((why, name, 1)),
        }
        if !streamed {
            self.state = State::Content {
                at: begins,
                packed: false,
                left: Some(size),
                taken: 0,
            };
        }
    }

    /// Takes content of a member.
    fn content(&mut self, bytes: &[u8], nest: &mut Nest<'_>) -> usize {
        let State::Content {
            at,
            packed,
            left,
            taken,
        } = &mut self.state
        else {
            return 0;
        };
        let most = left.map_or(bytes.len(), |left| {
            usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()))
        });
        let input = bytes.get(..most).unwrap_or_default();
        // Nobody wants more of it, and where it ends is known.
        let passing = left.is_some() && !nest.hungry();
        let mut used = most;
        let (mut ended, mut unsure) = (false, false);
        if passing {
            *packed = false;
        } else if *packed {
            let known = left.is_some();
            match self
                .decoder
                .feed(input, |out| nest.unpacked(out) && (nest.hungry() || !known))
            {
                Flow::More => {}
                Flow::Ended(bytes) => {
                    (used, ended) = (bytes, true);
                    *packed = false;
                }
                flow @ (Flow::Damaged(_) | Flow::Memory) => {
                    if flow == Flow::Memory {
                        nest.refused();
                    }
                    *packed = false;
                    (ended, unsure) = (true, true);
                    if let (Flow::Damaged(bytes), None) = (flow, &left) {
                        used = bytes;
                    }
                }
                Flow::Enough => *packed = false,
            }
        } else {
            nest.data(input);
        }
        if ended && left.is_some() {
            // What is left behind the compressed stream is nothing.
            nest.enough();
        }
        *taken += used as u64;
        if let Some(left) = left {
            *left -= used as u64;
            (ended, unsure) = (*left == 0, false);
        }
        if ended {
            let (at, taken) = (*at, *taken);
            self.members.insert(at, (!unsure).then_some(taken));
            nest.end();
            self.state = State::Between;
        }
        used
    }

    /// A line of the directory.
    fn list(&mut self, begins: u64, nest: &mut Nest<'_>) {
        let (name_length, extra_length) = (self.short(28), self.short(30));
        let name = self.name(LISTED, name_length);
        nest.entry_point |= ENTRY_POINTS.contains(&name.as_slice());
        let [_, size, offset] = self.extra(
            LISTED + name_length,
            extra_length,
            [self.word(24), self.word(20), self.word(42)],
        );
        self.directory.get_or_insert(begins);
        if self.listed.len() < self.most {
            self.listed.push((offset, size));
        } else {
            nest.stop(format!(
                "lists too many members (limit {}): what is left of it was not looked into",
                self.most
            ));
        }
    }

    /// The directory ends: all that it lists must have been met. An archive may stand behind something else, by which all
    /// offsets are shifted.
    fn end(&mut self, nest: &mut Nest<'_>) {
        let stated = match self.word(16) {
            SEE_EXTRA => self.directory64.unwrap_or(SEE_EXTRA),
            stated => stated,
        };
        let count = self.short(10);
        let listed = std::mem::take(&mut self.listed);
        let directory = self.directory.take();
        let shift = directory.map_or(0, |begins| begins.wrapping_sub(stated));
        let met = |(offset, size): &(u64, u64)| {
            let taken = self.members.get(&offset.wrapping_add(shift));
            taken.is_some_and(|taken| taken.is_none_or(|taken| taken == *size))
        };
        let whole = count == listed.len() & 0xffff || count == 0xffff;
        let placed = shift == 0 || shift == self.prefix.wrapping_neg();
        if !(whole && placed && listed.iter().all(met)) {
            nest.unread(
                "has a directory that lists members elsewhere or of another size than their own headers say: \
                 programs find other content than what was looked into"
                    .to_owned(),
            );
        }
    }
}
