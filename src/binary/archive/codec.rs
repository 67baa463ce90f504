//! A codec unpacks one compressed stream as its bytes come in.

use flate2::{Decompress, FlushDecompress};
use zstd::stream::raw::{DParameter, InBuffer, Operation, OutBuffer};

use crate::limits::Limits;

/// Bytes handed out at once.
const OUTPUT: usize = if cfg!(fuzzing) { 500 } else { 64 << 10 };
/// The same at first: most members turn out to be no program by then, and the rest of them need not be unpacked.
const FIRST: usize = if cfg!(fuzzing) { 100 } else { 1 << 10 };

/// A compression, as the first bytes or a zip header name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::binary) enum Compression {
    /// Bare deflate, in a zip archive.
    Deflate,
    /// Deflate in a frame, in squashfs images.
    Zlib,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

impl Compression {
    /// What a file begins with.
    pub(in crate::binary) fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            _ => None,
        }
    }

    /// The first byte of a further stream behind the first. `None`: there is none.
    fn begins_with(self, byte: u8) -> bool {
        match self {
            Self::Deflate | Self::Zlib => false,
            Self::Gzip => byte == 0x1f,
            Self::Zstd => byte == 0x28 || byte & 0xf0 == 0x50,
            Self::Bzip2 => byte == b'B',
            Self::Xz => byte == 0xfd,
        }
    }
}

/// What came of the bytes that were fed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// All were taken, and more may come.
    More,
    /// The stream ended; so many bytes were taken.
    Ended(usize),
    /// No decompressor reads on: what did not come out hides nothing. So many bytes were taken, with those of the damage.
    Damaged(usize),
    /// It is sound, but wants more memory than it gets.
    Memory,
    /// Whoever takes what comes out wants no more.
    Enough,
}

/// Unpacks one stream, or one after the other.
pub(super) struct Decoder {
    compression: Compression,
    codec: Option<Codec>,
    memory_log: u32,
    buffer: Vec<u8>,
    /// Nothing came out yet.
    fresh: bool,
}

enum Codec {
    Inflate(Decompress),
    Zstd(zstd::stream::raw::Decoder<'static>),
    Bzip2(bzip2::Decompress),
    Xz(liblzma::stream::Stream),
}

/// One step: bytes taken, bytes made, whether the stream ended.
type Step = Result<(usize, usize, bool), Flow>;

impl Decoder {
    pub(super) fn new(compression: Compression, limits: &Limits) -> Self {
        Self {
            compression,
            codec: None,
            memory_log: limits.zstd_window_log,
            buffer: Vec::new(),
            fresh: true,
        }
    }

    /// Begins a stream, whatever the last one was.
    pub(super) fn begin(&mut self, compression: Compression) {
        match &mut self.codec {
            Some(Codec::Inflate(inflate))
                if self.compression == compression && compression != Compression::Gzip =>
            {
                inflate.reset(compression == Compression::Zlib);
            }
            codec => *codec = None,
        }
        self.compression = compression;
        self.fresh = true;
    }

    /// Unpacks `input` to its end, or to the stream's, and hands to `take` what comes out, which says whether it wants more.
    pub(super) fn feed(&mut self, input: &[u8], mut take: impl FnMut(&[u8]) -> bool) -> Flow {
        let mut used = 0;
        loop {
            let room = if self.fresh { FIRST } else { OUTPUT };
            if self.buffer.len() < room {
                self.buffer.resize(room, 0);
            }
            let codec = match &mut self.codec {
                Some(codec) => codec,
                none => match Codec::new(self.compression, self.memory_log) {
                    Some(codec) => none.insert(codec),
                    None => return Flow::Memory,
                },
            };
            let rest = input.get(used..).unwrap_or_default();
            let window = self.buffer.get_mut(..room).unwrap_or_default();
            let (taken, made, ended) = match codec.step(rest, window) {
                Ok(step) => step,
                Err(Flow::Damaged(taken)) => return Flow::Damaged(used + taken),
                Err(flow) => return flow,
            };
            used += taken;
            let out = self.buffer.get(..made).unwrap_or_default();
            if !out.is_empty() && !take(out) {
                return Flow::Enough;
            }
            if ended {
                if ![Compression::Deflate, Compression::Zlib].contains(&self.compression) {
                    self.codec = None;
                }
                return Flow::Ended(used);
            }
            if made == room {
                self.fresh = false;
                continue;
            }
            if used == input.len() {
                return Flow::More;
            }
            if taken == 0 && made == 0 {
                return Flow::Damaged(used);
            }
        }
    }

    /// Whether a further stream begins with `byte`.
    pub(super) fn goes_on_with(&self, byte: u8) -> bool {
        self.compression.begins_with(byte)
    }
}

impl Codec {
    fn new(compression: Compression, memory_log: u32) -> Option<Self> {
        Some(match compression {
            Compression::Deflate => Self::Inflate(Decompress::new(false)),
            Compression::Zlib => Self::Inflate(Decompress::new(true)),
            Compression::Gzip => Self::Inflate(Decompress::new_gzip(15)),
            Compression::Zstd => {
                let mut decoder = zstd::stream::raw::Decoder::new().ok()?;
                decoder.set_parameter(DParameter::WindowLogMax(memory_log)).ok()?;
                Self::Zstd(decoder)
            }
            Compression::Bzip2 => Self::Bzip2(bzip2::Decompress::new(false)),
            Compression::Xz => {
                Self::Xz(liblzma::stream::Stream::new_stream_decoder(1 << memory_log, 0).ok()?)
            }
        })
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        match self {
            Self::Inflate(inflate) => {
                let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
                let status = inflate.decompress(input, output, FlushDecompress::None);
                let taken = (inflate.total_in() - before_in) as usize;
                let made = (inflate.total_out() - before_out) as usize;
                match status {
                    Ok(status) => Ok((taken, made, status == flate2::Status::StreamEnd)),
                    // What came out before the damage is looked at.
                    Err(_) if made > 0 => Ok((taken, made, false)),
                    Err(_) => Err(Flow::Damaged(taken)),
                }
            }
            Self::Zstd(decoder) => {
                let mut input = InBuffer::around(input);
                let mut made = OutBuffer::around(output);
                match decoder.run(&mut input, &mut made) {
                    Ok(hint) => Ok((input.pos(), made.pos(), hint == 0)),
                    Err(error) if error.to_string().contains("too much memory") => Err(Flow::Memory),
                    Err(_) => Err(Flow::Damaged(0)),
                }
            }
            Self::Bzip2(decoder) => {
                let (before_in, before_out) = (decoder.total_in(), decoder.total_out());
                let status = decoder.decompress(input, output).map_err(|_| Flow::Damaged(0))?;
                Ok((
                    (decoder.total_in() - before_in) as usize,
                    (decoder.total_out() - before_out) as usize,
                    status == bzip2::Status::StreamEnd,
                ))
            }
            Self::Xz(stream) => {
                let (before_in, before_out) = (stream.total_in(), stream.total_out());
                let status = stream.process(input, output, liblzma::stream::Action::Run);
                let taken = (stream.total_in() - before_in) as usize;
                let made = (stream.total_out() - before_out) as usize;
                match status {
                    Ok(status) => Ok((taken, made, status == liblzma::stream::Status::StreamEnd)),
                    Err(liblzma::stream::Error::MemLimit) => Err(Flow::Memory),
                    Err(_) if made > 0 => Ok((taken, made, false)),
                    Err(_) => Err(Flow::Damaged(0)),
                }
            }
        }
    }
}
