//! A packed archive is compressed as a whole; it is unpacked as it passes, never to disk.

use std::io::{self, BufReader, Read};

use crate::{
    failure::{self, Code, Failure},
    limits::Limits,
};

/// A compression around a whole archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    /// Tells by the first bytes; `None` for what is not compressed.
    ///
    /// # Errors
    /// `NotAnImage` for compressions that scant does not undo.
    pub(super) fn of(start: &[u8]) -> failure::Result<Option<Self>> {
        let foreign = |name: &str, tool: &str| {
            Err(
                Failure::new(Code::NotAnImage, format!("the archive is compressed with {name}")).advise(
                    format!("unpack it with `{tool}` and scan the result, or pipe it to the target `-`"),
                ),
            )
        };
        match start {
            [0x1f, 0x8b, ..] => Ok(Some(Self::Gzip)),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Ok(Some(Self::Zstd)),
            [0xfd, b'7', b'z', b'X', b'Z', ..] => foreign("xz", "xz -d"),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => foreign("bzip2", "bzip2 -d"),
            _ => Ok(None),
        }
    }
}

/// The archive's own bytes, whatever it is compressed with.
pub(super) fn unpack(
    mut reader: Box<dyn Read + Send>,
    limits: &Limits,
) -> failure::Result<Box<dyn Read + Send>> {
    let broken = |error: io::Error| Failure::from_io(error, Code::Unreadable);
    let mut start = Vec::with_capacity(6);
    #[expect(clippy::disallowed_methods, reason = "bounded by `take`")]
    reader.by_ref().take(6).read_to_end(&mut start).map_err(broken)?;
    let packing = Packing::of(&start)?;
    let whole = BufReader::with_capacity(1 << 16, io::Cursor::new(start).chain(reader));
    let inner: Box<dyn Read + Send> = match packing {
        None => return Ok(Box::new(whole)),
        Some(Packing::Gzip) => Box::new(flate2::bufread::MultiGzDecoder::new(whole)),
        Some(Packing::Zstd) => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(whole).map_err(broken)?;
            decoder.window_log_max(limits.zstd_window_log).map_err(broken)?;
            Box::new(decoder)
        }
    };
    Ok(Box::new(Unpacked {
        inner,
        left: limits.image,
        limit: limits.image,
    }))
}

/// Ends a compression bomb.
struct Unpacked {
    inner: Box<dyn Read + Send>,
    left: u64,
    limit: u64,
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer).map_err(|error| {
            // A failure of what lies below stays what it is.
            Failure::from_io(error, Code::Corrupt)
        })?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            Failure::new(
                Code::TooLarge,
                format!("the archive unpacks to more than {} bytes", self.limit),
            )
        })?;
        Ok(count)
    }
}
