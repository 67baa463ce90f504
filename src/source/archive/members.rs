//! The members of an archive's outer tar, one header at a time; layers inside are read elsewhere, and with more care.

use std::{
    fs::File,
    io::{self, BufReader, Read},
};

use tar::{EntryType, Header, PaxExtensions};

use crate::{
    failure::{self, Code, Failure},
    limits::Limits,
    path::RootPath,
    text,
};

const BLOCK: u64 = 512;

/// Extension headers in a row before one member; two or three are usual.
const EXTENSIONS: usize = 16;

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
    Other,
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
        let (mut name, mut link, mut pax) = (None, None, Pax::default());
        for _ in 0..EXTENSIONS {
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let size = header.entry_size().map_err(corrupt)?;
            match header.entry_type() {
                EntryType::XHeader => pax = Pax::parse(&self.extension(size)?)?,
                EntryType::XGlobalHeader => drop(self.extension(size)?),
                EntryType::GNULongName => name = Some(until_nul(self.extension(size)?)),
                EntryType::GNULongLink => link = Some(until_nul(self.extension(size)?)),
                kind => {
                    let name = name
                        .or(pax.path)
                        .unwrap_or_else(|| header.path_bytes().into_owned());
                    let link = link
                        .or(pax.link)
                        .or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned));
                    return self
                        .member(&header, kind, &name, link, pax.size.unwrap_or(size))
                        .map(Some);
                }
            }
        }
        Err(corrupt("too many extension headers in a row"))
    }

    fn member(
        &mut self,
        header: &Header,
        kind: EntryType,
        name: &[u8],
        link: Option<Vec<u8>>,
        size: u64,
    ) -> failure::Result<Member> {
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
        let link = link.unwrap_or_default();
        let (kind, size) = match kind {
            EntryType::Regular if name.ends_with(b"/") => (Kind::Other, 0),
            EntryType::Regular | EntryType::Continuous => (Kind::File, size),
            EntryType::Link => (Kind::Link(RootPath::clean(&link)), 0),
            EntryType::Symlink if link.starts_with(b"/") => (Kind::Link(RootPath::clean(&link)), 0),
            EntryType::Symlink => (Kind::Link(path.parent().unwrap_or_default().join(&link)), 0),
            EntryType::Directory | EntryType::Char | EntryType::Block | EntryType::Fifo => (Kind::Other, 0),
            EntryType::GNUSparse => {
                // Old GNU sparse maps go on in further blocks while a flag says so.
                let mut more = header.as_bytes().get(482).is_some_and(|flag| *flag != 0);
                for _ in 0..self.limits.tar_extension / BLOCK {
                    if !more {
                        break;
                    }
                    more = self.block()?.is_some_and(|block| block[504] != 0);
                }
                (Kind::Other, size)
            }
            _ => (Kind::Other, size),
        };
        self.left = size;
        self.padding = (BLOCK - size % BLOCK) % BLOCK;
        Ok(Member {
            path,
            kind,
            size,
            at: self.at,
        })
    }

    /// The next header; `None` at a block of zeros or the end of the input.
    fn header(&mut self) -> failure::Result<Option<Header>> {
        let Some(block) = self.block()?.filter(|block| block.iter().any(|byte| *byte != 0)) else {
            return Ok(None);
        };
        let header = Header::from_byte_slice(&block).clone();
        let stated = header.cksum().map_err(corrupt)?;
        let sum = |add: fn(u8) -> i64| -> i64 {
            let blank = |at: usize| (148..156).contains(&at);
            block
                .iter()
                .enumerate()
                .map(|(at, byte)| if blank(at) { 32 } else { add(*byte) })
                .sum()
        };
        let stated = i64::from(stated);
        // Some old writers summed signed bytes, and Go takes that too.
        if stated != sum(i64::from) && stated != sum(|byte| i64::from(byte.cast_signed())) {
            return Err(corrupt(
                "it is no tar archive, or a header of it is damaged (wrong checksum)",
            ));
        }
        Ok(Some(header))
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

    fn extension(&mut self, size: u64) -> failure::Result<Vec<u8>> {
        if size > self.limits.tar_extension {
            return Err(corrupt(format!(
                "an extension header has {size} bytes (limit {})",
                self.limits.tar_extension
            )));
        }
        let mut body = Vec::new();
        for _ in 0..size.div_ceil(BLOCK) {
            let block = self
                .block()?
                .ok_or_else(|| corrupt("it ends in an extension header"))?;
            body.extend_from_slice(&block);
        }
        body.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        Ok(body)
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

/// The PAX records that matter to an outer tar.
#[derive(Default)]
struct Pax {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Pax {
    fn parse(body: &[u8]) -> failure::Result<Self> {
        let mut pax = Self::default();
        for record in PaxExtensions::new(body) {
            let record = record.map_err(corrupt)?;
            let value = record.value_bytes();
            match record.key_bytes() {
                b"path" => pax.path = Some(value.to_vec()).filter(|path| !path.is_empty()),
                b"linkpath" => pax.link = Some(value.to_vec()).filter(|link| !link.is_empty()),
                b"size" => {
                    let size = std::str::from_utf8(value).ok().and_then(|size| size.parse().ok());
                    pax.size = Some(size.ok_or_else(|| corrupt("a PAX size is no number"))?);
                }
                _ => {}
            }
        }
        Ok(pax)
    }
}

fn until_nul(mut body: Vec<u8>) -> Vec<u8> {
    body.truncate(body.iter().position(|byte| *byte == 0).unwrap_or(body.len()));
    body
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
