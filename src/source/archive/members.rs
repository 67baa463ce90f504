//! The members of an archive's outer tar, one header at a time, framed as Go's reader frames them, with which others load
//! such archives; layers inside are read elsewhere, and with more care.

use std::{
    fs::File,
    io::{self, BufReader, Read},
};

use crate::{
    failure::{self, Code, Failure},
    limits::Limits,
    path::RootPath,
    tar::{self, Fault, Sink, Walker},
    text,
};

const BLOCK: u64 = 512;

/// Extension headers of full size before one member; two or three small ones are usual.
const EXTENSIONS: u64 = 16;

/// One member of the outer tar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) path: RootPath,
    pub(super) kind: Kind,
    /// Bytes of its content, and where they begin.
    pub(super) size: u64,
    pub(super) at: u64,
}

/// What a member is, as far as an image archive cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    /// A symbolic or hard link, to another member only.
    Link(RootPath),
    /// A file whose holes are not stored, so that its bytes are not those of the archive.
    Sparse,
    Other,
}

/// Takes the one member that a walker is asked for.
#[derive(Default)]
struct First(Option<tar::Member>);

impl Sink for First {
    fn member(&mut self, member: tar::Member, _behind: bool) -> bool {
        self.0.get_or_insert(member);
        false
    }

    fn data(&mut self, _bytes: &[u8]) -> bool {
        false
    }

    fn hole(&mut self, _length: u64) -> bool {
        false
    }

    fn end(&mut self, _complete: bool) {}

    fn stopped(&self) -> bool {
        false
    }

    fn odd(&mut self, _what: &'static str, _name: &[u8]) {}
}

/// Reads members in order. The content of the current one is behind [`Members::body`]; what is left of it is skipped.
pub(super) struct Members<'l, R> {
    inner: R,
    skip: fn(&mut R, u64) -> io::Result<()>,
    limits: &'l Limits,
    at: u64,
    left: u64,
    padding: u64,
    count: usize,
    /// Header blocks of the last step, word for word.
    raw: Vec<u8>,
}

impl<'l, R: Read> Members<'l, R> {
    /// Members of a stream.
    pub(super) fn streaming(inner: R, limits: &'l Limits) -> Self {
        Self::new(inner, limits, |inner, count| {
            let skipped = io::copy(&mut inner.take(count), &mut io::sink())?;
            if skipped < count {
                Err(io::ErrorKind::UnexpectedEof.into())
            } else {
                Ok(())
            }
        })
    }

    fn new(inner: R, limits: &'l Limits, skip: fn(&mut R, u64) -> io::Result<()>) -> Self {
        Self {
            inner,
            skip,
            limits,
            at: 0,
            left: 0,
            padding: 0,
            count: 0,
            raw: Vec::new(),
        }
    }

    /// The next member; `None` at the end of the archive.
    pub(super) fn next(&mut self) -> failure::Result<Option<Member>> {
        self.raw.clear();
        let rest = self.left.saturating_add(self.padding);
        (self.skip)(&mut self.inner, rest).map_err(broken)?;
        self.at = self.at.saturating_add(rest);
        (self.left, self.padding) = (0, 0);
        // A member says all there is to know of it in its own blocks, so that each can have a walker of its own.
        let (mut walker, mut first) = (Walker::new(self.limits), First::default());
        while let Some(block) = self.block()? {
            walker.feed(&block, &mut first).map_err(|fault| faulty(&fault))?;
            if let Some(member) = first.0.take() {
                return self.member(&member, walker.left()).map(Some);
            }
            if walker.ended() {
                return Ok(None);
            }
            if self.raw.len() as u64 / EXTENSIONS > self.limits.tar_extension {
                return Err(corrupt(format_args!(
                    "a member has more than {} bytes of extension headers (limit)",
                    self.limits.tar_extension.saturating_mul(EXTENSIONS)
                )));
            }
        }
        walker.finish(&mut first).map_err(|fault| faulty(&fault))?;
        Ok(None)
    }

    fn member(&mut self, member: &tar::Member, stored: u64) -> failure::Result<Member> {
        let (name, link) = (&member.name, &member.link);
        self.count += 1;
        if self.count > self.limits.members {
            return Err(Failure::new(
                Code::TooLarge,
                format!("the archive has too many members (limit {})", self.limits.members),
            ));
        }
        if name.len() > self.limits.path {
            return Err(corrupt(format!(
                "a member's name has {} bytes (limit {})",
                name.len(),
                self.limits.path
            )));
        }
        let path = RootPath::clean(name);
        let kind = match member.flag {
            b'1' => Kind::Link(RootPath::clean(link)),
            b'2' if link.starts_with(b"/") => Kind::Link(RootPath::clean(link)),
            b'2' => Kind::Link(path.parent().unwrap_or_default().join(link)),
            b'3'..=b'6' => Kind::Other,
            _ if member.is_sparse() => Kind::Sparse,
            // Members of unknown types are files to some who load archives.
            _ => Kind::File,
        };
        self.left = stored;
        self.padding = (BLOCK - stored % BLOCK) % BLOCK;
        Ok(Member {
            path,
            kind,
            size: stored,
            at: self.at,
        })
    }

    fn block(&mut self) -> failure::Result<Option<[u8; 512]>> {
        let mut block = [0; 512];
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.inner.read(rest) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(corrupt("it ends in the middle of a header")),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(error)),
            }
        }
        self.at = self.at.saturating_add(BLOCK);
        self.raw.extend_from_slice(&block);
        Ok(Some(block))
    }

    /// The content of the current member.
    pub(super) fn body(&mut self) -> Body<'_, R> {
        Body {
            inner: &mut self.inner,
            left: &mut self.left,
            at: &mut self.at,
        }
    }

    /// Header blocks read by the last [`Members::next`], with those of its extensions.
    pub(super) fn take_raw(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.raw)
    }

    /// Makes the padding behind the current content part of it, for who copies the archive byte by byte.
    pub(super) fn include_padding(&mut self) {
        self.left = self.left.saturating_add(std::mem::take(&mut self.padding));
    }

    /// What follows the end of the archive.
    pub(super) fn rest(&mut self) -> &mut R {
        &mut self.inner
    }
}

impl<'l> Members<'l, BufReader<File>> {
    /// Members of a file, whose contents are jumped over.
    pub(super) fn seeking(file: File, limits: &'l Limits) -> Self {
        Self::new(BufReader::new(file), limits, |inner, count| {
            inner.seek_relative(i64::try_from(count).map_err(io::Error::other)?)
        })
    }
}

/// The rest of one member's content.
pub(super) struct Body<'a, R> {
    inner: &'a mut R,
    left: &'a mut u64,
    at: &'a mut u64,
}

impl<R: Read> Read for Body<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(*self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let Some(buffer) = buffer.get_mut(..wanted).filter(|buffer| !buffer.is_empty()) else {
            return Ok(0);
        };
        let count = self.inner.read(buffer)?;
        if count == 0 {
            return Err(corrupt("it ends in the middle of a member").into());
        }
        *self.left = self.left.saturating_sub(count as u64);
        *self.at = self.at.saturating_add(count as u64);
        Ok(count)
    }
}

fn faulty(fault: &Fault) -> Failure {
    Failure {
        code: fault.code,
        ..corrupt(format!("a member of it {}", fault.what))
    }
}

fn corrupt(why: impl std::fmt::Display) -> Failure {
    // The reader's errors quote the archive.
    let why = text::escape(why.to_string().as_bytes());
    Failure::new(Code::Corrupt, format!("the archive cannot be read: {why}"))
}

fn broken(error: io::Error) -> Failure {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return corrupt("it ends too early");
    }
    Failure::from_io(error, Code::Corrupt)
}
