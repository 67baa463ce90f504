//! The walker is pushed an archive's bytes in pieces of any size and hands out its members and their bodies.

use super::{
    BLOCK, Fault, Sink,
    body::{at_most, hand_out},
    header::{self, Block, Format},
    member::{Member, NEGATIVE, Pending, bodiless},
    pax::Records,
    sparse::{self, Announced, BodyMap, Cursor, HeaderMap, Segment},
    until_nul,
};
use crate::limits::Limits;

/// Gathers blocks and keeps the place in the archive.
#[derive(Debug)]
pub(crate) struct Walker {
    /// Bytes of one extension body or sparse map.
    cap: u64,
    /// PAX records of one member.
    records: usize,
    state: State,
    /// A block that came in pieces.
    block: Block,
    filled: usize,
    /// Uncompressed bytes taken.
    position: u64,
    pending: Pending,
    end: End,
    /// Bytes behind the end of the archive that are neither zeros nor members.
    stray: u64,
}

/// What comes next.
#[derive(Debug)]
enum State {
    /// A header, or a block of zeros.
    Header,
    /// The body of an extension header.
    Extension { flag: u8, left: u64, body: Vec<u8> },
    /// A further block of an old GNU sparse map.
    SparseBlock(Box<(Member, HeaderMap, u64)>),
    /// A block of a sparse map at the head of the body, of which so many bytes are left.
    SparseText(Box<(Member, BodyMap, u64)>),
    /// The body of a member.
    Body {
        left: u64,
        size: u64,
        map: Option<Cursor>,
        wanted: bool,
    },
    /// What fills the last block of a body.
    Padding(u64),
}

/// How near the end of the archive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    No,
    /// After one block of zeros.
    OneBlock,
    /// After two: runtimes stop here.
    Seen,
}

impl Walker {
    /// A walker at the start of an archive.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            cap: limits.tar_extension,
            records: limits.pax_records,
            state: State::Header,
            block: [0; BLOCK],
            filled: 0,
            position: 0,
            pending: Pending::default(),
            end: End::No,
            stray: 0,
        }
    }

    /// Whether the two blocks that end an archive were seen.
    pub(crate) fn ended(&self) -> bool {
        self.end == End::Seen
    }

    /// Uncompressed bytes taken so far.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Stored bytes of the current member's body that are still to come.
    pub(crate) fn left(&self) -> u64 {
        match self.state {
            State::Body { left, .. } => left,
            _ => 0,
        }
    }

    /// Bytes behind the end of the archive that are neither zeros nor members.
    pub(crate) fn stray(&self) -> u64 {
        self.stray
    }

    /// Takes the next bytes.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], sink: &mut impl Sink) -> Result<(), Fault> {
        while !bytes.is_empty() && !sink.stopped() {
            let used = match &mut self.state {
                State::Body {
                    left, map, wanted, ..
                } => hand_out(left, map.as_mut(), wanted, bytes, sink),
                State::Padding(left) => {
                    let used = at_most(*left, bytes);
                    *left -= used as u64;
                    used
                }
                State::Extension { left, body, .. } => {
                    let used = at_most(*left, bytes);
                    *left -= used as u64;
                    body.extend_from_slice(&bytes[..used]);
                    used
                }
                State::Header | State::SparseBlock(_) | State::SparseText(_) => self.gather(bytes, sink)?,
            };
            self.position += used as u64;
            bytes = &bytes[used..];
            self.settle(sink)?;
        }
        Ok(())
    }

    /// Ends the archive where the bytes end.
    pub(crate) fn finish(&mut self, sink: &mut impl Sink) -> Result<(), Fault> {
        let complete = match self.state {
            State::Header => self.filled == 0,
            // As in Go: what a missing padding would have held is of no use.
            State::Padding(_) => true,
            _ => false,
        };
        if complete {
            return Ok(());
        }
        if !self.ended() {
            return Err(Fault::corrupt("is cut off: the archive ends in the middle of it"));
        }
        if matches!(self.state, State::Body { .. }) {
            sink.end(false);
        }
        if !matches!(self.state, State::Header) || self.block[..self.filled].iter().any(|&byte| byte != 0) {
            self.stray += self.filled as u64;
            sink.odd("members behind the end of the archive are cut off", b"");
        }
        Ok(())
    }

    /// Completes a block and reads it. Returns how many of `bytes` it took.
    fn gather(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Result<usize, Fault> {
        if self.filled == 0
            && let Some(block) = bytes.first_chunk::<BLOCK>()
        {
            self.read_block(block, sink)?;
            return Ok(BLOCK);
        }
        let used = (BLOCK - self.filled).min(bytes.len());
        self.block[self.filled..self.filled + used].copy_from_slice(&bytes[..used]);
        self.filled += used;
        if self.filled == BLOCK {
            self.filled = 0;
            let block = self.block;
            self.read_block(&block, sink)?;
        }
        Ok(used)
    }

    /// Reads a whole block. Behind the end of the archive nothing is an error: no runtime looks there.
    fn read_block(&mut self, block: &Block, sink: &mut impl Sink) -> Result<(), Fault> {
        match self.try_block(block, sink) {
            Err(_) if self.ended() => {
                self.pending = Pending::default();
                self.state = State::Header;
                self.stray += BLOCK as u64;
                Ok(())
            }
            other => other,
        }
    }

    fn try_block(&mut self, block: &Block, sink: &mut impl Sink) -> Result<(), Fault> {
        match std::mem::replace(&mut self.state, State::Header) {
            State::SparseBlock(mut parts) => {
                if parts.1.extension(block, self.cap)? {
                    self.state = State::SparseBlock(parts);
                    return Ok(());
                }
                let (member, map, stored) = *parts;
                self.body(member, stored, Some(map.into_segments()), sink)
            }
            State::SparseText(mut parts) => {
                parts.2 -= BLOCK as u64;
                match parts.1.block(block, self.cap)? {
                    Some(map) => {
                        let (member, _, left) = *parts;
                        self.body(member, left, Some(map), sink)
                    }
                    None => self.sparse_text(parts),
                }
            }
            _ => self.header(block, sink),
        }
    }

    /// Waits for the next block of a sparse map, if the body still holds one.
    fn sparse_text(&mut self, parts: Box<(Member, BodyMap, u64)>) -> Result<(), Fault> {
        if parts.2 < BLOCK as u64 {
            return Err(Fault::corrupt("has a sparse map that is cut off"));
        }
        self.state = State::SparseText(parts);
        Ok(())
    }

    fn header(&mut self, block: &Block, sink: &mut impl Sink) -> Result<(), Fault> {
        if block[0] == 0 && block.iter().all(|&byte| byte == 0) {
            self.end = match self.end {
                End::No => End::OneBlock,
                End::OneBlock | End::Seen => End::Seen,
            };
            self.pending = Pending::default();
            return Ok(());
        }
        if self.end == End::OneBlock {
            return Err(Fault::corrupt(
                "stands behind a single block of zeros, where readers disagree",
            ));
        }
        let header = header::parse(block)?;
        if !matches!(header.flag, b'x' | b'g' | b'L' | b'K') {
            let pending = std::mem::take(&mut self.pending);
            let format = header.format;
            let member = Member::merge(header, pending, sink)?;
            return self.sparse(member, format, block, sink);
        }
        if header.flag == b'g' && !self.pending.is_empty() {
            sink.odd(
                "extended headers before a global one apply to nothing",
                &header.name,
            );
            self.pending = Pending::default();
        }
        let left = u64::try_from(header.size).map_err(|_| NEGATIVE)?;
        if left > self.cap {
            let cap = self.cap;
            return Err(Fault::beyond_go(format!(
                "has an extension header of {left} bytes (limit {cap})"
            )));
        }
        self.state = State::Extension {
            flag: header.flag,
            left,
            body: Vec::new(),
        };
        Ok(())
    }

    /// Leaves states of which nothing is left.
    fn settle(&mut self, sink: &mut impl Sink) -> Result<(), Fault> {
        match &mut self.state {
            State::Padding(0) => self.state = State::Header,
            State::Body {
                left: 0,
                size,
                map,
                wanted,
            } => {
                if *wanted && let Some(map) = map {
                    let rest = map.rest(*size);
                    if rest > 0 {
                        sink.hole(rest);
                    }
                }
                sink.end(true);
                self.state = self.padding();
            }
            State::Extension { flag, left: 0, body } => {
                let (flag, body) = (*flag, std::mem::take(body));
                self.state = self.padding();
                match self.extension(flag, body, sink) {
                    Err(_) if self.ended() => {
                        self.pending = Pending::default();
                        self.stray += BLOCK as u64;
                    }
                    other => other?,
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn extension(&mut self, flag: u8, body: Vec<u8>, sink: &mut impl Sink) -> Result<(), Fault> {
        match flag {
            b'L' => self.pending.name = until_nul(&body).to_vec(),
            b'K' => self.pending.link = until_nul(&body).to_vec(),
            b'x' => self.pending.records = Some(Records::parse(body, self.records)?),
            _ => Records::parse(body, self.records)?.remark_as_global(sink),
        }
        Ok(())
    }

    fn sparse(
        &mut self,
        mut member: Member,
        format: Format,
        block: &Block,
        sink: &mut impl Sink,
    ) -> Result<(), Fault> {
        let stored = member.size;
        if member.flag == b'S' {
            let size = header::sparse_size(block).and_then(|size| u64::try_from(size).ok());
            member.size = size
                .filter(|_| format == Format::Gnu)
                .ok_or(Fault::corrupt("is sparse in a way that Go refuses"))?;
            let mut map = HeaderMap::default();
            if map.header(block, self.cap)? {
                self.state = State::SparseBlock(Box::new((member, map, stored)));
                return Ok(());
            }
            return self.body(member, stored, Some(map.into_segments()), sink);
        }
        let Some(announced) = sparse::announced(&member.records) else {
            return self.body(member, stored, None, sink);
        };
        if bodiless(member.flag) {
            return Err(Fault::corrupt("is sparse but has no body"));
        }
        member.expand()?;
        match announced {
            Announced::InRecords => {
                let map = sparse::from_records(&member.records)?;
                self.body(member, stored, Some(map), sink)
            }
            Announced::InBody => self.sparse_text(Box::new((member, BodyMap::default(), stored))),
        }
    }

    /// Begins the body of `member`, of which `left` bytes are stored.
    fn body(
        &mut self,
        mut member: Member,
        left: u64,
        map: Option<Vec<Segment>>,
        sink: &mut impl Sink,
    ) -> Result<(), Fault> {
        let size = member.size;
        if let Some(map) = &map {
            sparse::check(map, size, left)?;
        }
        // The block that is read now is counted when it has been.
        let block = BLOCK as u64;
        member.at = (self.position / block + 1).saturating_mul(block);
        let wanted = sink.member(member, self.ended());
        self.state = State::Body {
            left,
            size,
            map: map.map(Cursor::new),
            wanted,
        };
        Ok(())
    }

    /// What fills the block. Bodies begin on a block's edge, so the place tells it as well as their length would.
    fn padding(&self) -> State {
        let block = BLOCK as u64;
        State::Padding((block - self.position % block) % block)
    }
}
