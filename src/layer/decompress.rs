//! The decompressor is pushed a blob's bytes, tells the compression by the first of them, and hands out plain bytes.

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, InBuffer, Operation, OutBuffer};

use super::{pipe::BUFFER, toc::Tail};
use crate::{
    failure::{Code, Failure},
    gap::{Gap, Hides},
    limits::Limits,
    tar::{BLOCK, is_header},
};

/// Why decompression goes no further.
#[derive(Debug)]
pub(super) enum Halt {
    /// The blob cannot be read.
    Failed(Failure),
    /// The compressed data is wrong.
    Damaged {
        /// What is wrong with it.
        what: &'static str,
        /// At which byte of the blob.
        at: u64,
        /// What came out before is the same however the blob was cut into pieces, so that it may serve as evidence.
        settled: bool,
    },
    /// A cap or an unknown format: what came out before stays, the rest is a gap.
    Gap(Gap),
    /// Nobody takes more bytes.
    Closed,
}

/// Gives the pieces of a blob.
pub(super) trait Input {
    /// The next piece; `None` at the end.
    fn next(&mut self) -> Option<&[u8]>;
}

/// Takes plain bytes.
pub(super) trait Output {
    /// Takes the first `made` bytes of `buffer`, and may put another buffer, of any length and content, in its place. Returns
    /// whether more are wanted.
    fn take(&mut self, buffer: &mut Vec<u8>, made: usize) -> bool;
}

/// How the decompression of a blob ended.
pub(super) struct Decompressed {
    /// Bytes of the blob.
    pub(super) size: u64,
    /// Its last bytes.
    pub(super) tail: Tail,
    /// Bytes behind the last gzip member, and where in the blob they begin: other programs than Go's reader pass over them,
    /// if the archive is over.
    pub(super) trailing: (u64, u64),
    /// Where each gzip member begins in the blob, and in what they unpack to.
    pub(super) members: Vec<(u64, u64)>,
    pub(super) end: Result<(), Halt>,
}

/// Decompresses a whole blob. After an error the rest of it is still taken, so that its end is known.
pub(super) fn decompress(blob: &mut impl Input, limits: &Limits, output: &mut impl Output) -> Decompressed {
    let mut decompressor = Decompressor::new(limits);
    let (mut size, mut tail, mut end) = (0, Tail::default(), Ok(()));
    while let Some(piece) = blob.next() {
        size += piece.len() as u64;
        tail.push(piece);
        if end.is_ok() {
            end = decompressor.feed(piece, output);
        }
    }
    Decompressed {
        size,
        tail,
        end: end.and_then(|()| decompressor.finish(output)),
        trailing: (decompressor.trailing, decompressor.position),
        members: decompressor.begun,
    }
}

/// Decompresses one blob.
struct Decompressor<'a> {
    limits: &'a Limits,
    codec: Codec,
    /// Compressed bytes taken.
    position: u64,
    /// gzip members or zstd frames begun.
    frames: u64,
    /// Where each gzip member begins in the blob, and in what they unpack to: at most as many as frames are allowed.
    begun: Vec<(u64, u64)>,
    /// Bytes that gzip members unpacked to.
    unpacked: u64,
    /// Bytes behind the last gzip member.
    trailing: u64,
    buffer: Vec<u8>,
}

enum Codec {
    /// Not enough bytes yet to tell.
    Unknown(Vec<u8>),
    Plain,
    Gzip(Gzip),
    Zstd {
        decoder: zstd::stream::raw::Decoder<'static>,
        /// In the middle of a frame.
        inside: bool,
    },
}

struct Gzip {
    inflate: Decompress,
    state: GzipState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum GzipState {
    Member,
    /// Between members; so many bytes of the next magic number were seen.
    Between(usize),
    /// Bytes that are no member follow; they are only counted.
    Trailing,
}

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The last three bytes of a skippable frame's magic number; the first is 0x50 to 0x5f.
const SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];
/// Formats that are no layers' but are met in the wild, by their first bytes.
const FOREIGN: [(&[u8], &str); 4] = [
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"PK\x03\x04", "a zip archive"),
    (b"hsqs", "a squashfs image"),
];

impl<'a> Decompressor<'a> {
    /// A decompressor before the first byte.
    fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            codec: Codec::Unknown(Vec::new()),
            position: 0,
            frames: 0,
            begun: Vec::new(),
            unpacked: 0,
            trailing: 0,
            buffer: Vec::new(),
        }
    }

    /// Takes the next bytes of the blob.
    fn feed(&mut self, input: &[u8], output: &mut impl Output) -> Result<(), Halt> {
        let Codec::Unknown(head) = &mut self.codec else {
            return self.decode(input, output);
        };
        let used = (BLOCK - head.len()).min(input.len());
        head.extend_from_slice(&input[..used]);
        if head.len() == BLOCK {
            self.sniffed(output)?;
        }
        self.decode(&input[used..], output)
    }

    /// Ends the blob.
    fn finish(&mut self, output: &mut impl Output) -> Result<(), Halt> {
        if let Codec::Unknown(head) = &self.codec {
            if head.is_empty() {
                return Err(Halt::Failed(Failure::new(
                    Code::Corrupt,
                    "the blob is empty, which is no layer: an empty layer is a tar archive of 1,024 zero bytes",
                )));
            }
            self.sniffed(output)?;
        }
        match &self.codec {
            Codec::Gzip(Gzip {
                state: GzipState::Member,
                ..
            }) => Err(self.damaged("the gzip data is cut off")),
            Codec::Gzip(Gzip {
                state: GzipState::Between(seen @ 1..),
                ..
            }) => {
                self.trailing += *seen as u64;
                Ok(())
            }
            Codec::Zstd { inside: true, .. } => Err(self.damaged("the zstd data is cut off")),
            _ => Ok(()),
        }
    }

    /// Chooses the codec by the first bytes and gives them to it.
    fn sniffed(&mut self, output: &mut impl Output) -> Result<(), Halt> {
        let Codec::Unknown(head) = std::mem::replace(&mut self.codec, Codec::Plain) else {
            return Ok(());
        };
        if head.starts_with(&GZIP) {
            self.codec = Codec::Gzip(Gzip {
                inflate: Decompress::new_gzip(15),
                state: GzipState::Between(0),
            });
        } else if head.starts_with(&ZSTD) || (head[0] & 0xf0 == 0x50 && head[1..].starts_with(&SKIPPABLE)) {
            self.codec = Codec::Zstd {
                decoder: zstd_decoder(self.limits).map_err(|error| {
                    Halt::Failed(Failure::new(
                        Code::Internal,
                        format!("cannot start zstd: {error}"),
                    ))
                })?,
                inside: false,
            };
        } else {
            let block = head.first_chunk::<BLOCK>();
            if !block.is_some_and(|block| is_header(block) || block.iter().all(|&byte| byte == 0)) {
                let found = FOREIGN.iter().find(|(magic, _)| head.starts_with(magic));
                let found = found.map_or("neither tar, gzip nor zstd", |&(_, name)| name);
                return Err(Halt::Gap(Gap {
                    path: None,
                    why: format!("the layer is {found}, which scant does not read"),
                    hides: Hides::Anything,
                }));
            }
        }
        self.decode(&head, output)
    }

    fn decode(&mut self, input: &[u8], output: &mut impl Output) -> Result<(), Halt> {
        match &self.codec {
            Codec::Gzip(_) => self.gzip(input, output),
            Codec::Zstd { .. } => self.zstd(input, output),
            Codec::Plain | Codec::Unknown(_) => {
                self.position += input.len() as u64;
                for piece in input.chunks(BUFFER) {
                    self.buffer.clear();
                    self.buffer.extend_from_slice(piece);
                    hand_out(output, &mut self.buffer, piece.len())?;
                }
                Ok(())
            }
        }
    }

    fn gzip(&mut self, mut input: &[u8], output: &mut impl Output) -> Result<(), Halt> {
        while let Codec::Gzip(gzip) = &mut self.codec {
            match gzip.state {
                GzipState::Member => {
                    self.buffer.resize(BUFFER, 0);
                    let (before_in, before_out) = (gzip.inflate.total_in(), gzip.inflate.total_out());
                    let status = gzip
                        .inflate
                        .decompress(input, &mut self.buffer, FlushDecompress::None);
                    let used = (gzip.inflate.total_in() - before_in) as usize;
                    let made = (gzip.inflate.total_out() - before_out) as usize;
                    self.position += used as u64;
                    self.unpacked += made as u64;
                    input = &input[used..];
                    let Ok(status) = status else {
                        // What came before the damage is told, however the blob was cut into pieces.
                        hand_out(output, &mut self.buffer, made)?;
                        return Err(self.damaged("the gzip data is damaged"));
                    };
                    if status == Status::StreamEnd {
                        gzip.state = GzipState::Between(0);
                    }
                    let full = made == self.buffer.len();
                    hand_out(output, &mut self.buffer, made)?;
                    if status == Status::StreamEnd || full {
                        continue;
                    }
                    if input.is_empty() {
                        return Ok(());
                    }
                    if used == 0 && made == 0 {
                        return Err(self.damaged("the gzip data does not go on"));
                    }
                }
                GzipState::Between(seen) => {
                    let Some((&byte, rest)) = input.split_first() else {
                        return Ok(());
                    };
                    if byte != GZIP[seen] {
                        gzip.state = GzipState::Trailing;
                        self.trailing += seen as u64;
                    } else if seen == 0 {
                        gzip.state = GzipState::Between(1);
                        self.position += 1;
                        input = rest;
                    } else {
                        // The magic number may have come in two pieces: inflate gets its first byte again.
                        if self.frames > 0 {
                            gzip.inflate.reset(true);
                        }
                        gzip.state = GzipState::Member;
                        self.begun.push((self.position.saturating_sub(1), self.unpacked));
                        self.frames += 1;
                        if self.frames > self.limits.frames {
                            return Err(self.too_many_frames());
                        }
                        let _ = gzip
                            .inflate
                            .decompress(&GZIP[..1], &mut [], FlushDecompress::None);
                    }
                }
                GzipState::Trailing => {
                    self.trailing += input.len() as u64;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn zstd(&mut self, input: &[u8], output: &mut impl Output) -> Result<(), Halt> {
        let mut input = InBuffer::around(input);
        while let Codec::Zstd { decoder, inside } = &mut self.codec {
            if !*inside && input.pos() == input.src.len() {
                return Ok(());
            }
            let before = input.pos();
            self.buffer.resize(BUFFER, 0);
            let mut made = OutBuffer::around(self.buffer.as_mut_slice());
            let result = decoder.run(&mut input, &mut made);
            let made = made.pos();
            let used = input.pos() - before;
            self.position += used as u64;
            let hint = match result {
                Ok(hint) => hint,
                Err(error) if error.to_string().contains("too much memory") => {
                    return Err(Halt::Failed(
                        Failure::new(
                            Code::TooLarge,
                            format!(
                                "a zstd frame asks for a window above 2^{} bytes",
                                self.limits.zstd_window_log
                            ),
                        )
                        .advise("rebuild the image with a smaller zstd window"),
                    ));
                }
                // How much came out before depends on how the blob was cut into pieces, so none of it is told.
                Err(_) => {
                    return Err(Halt::Damaged {
                        what: "the zstd data is damaged",
                        at: self.position,
                        settled: false,
                    });
                }
            };
            if !*inside {
                self.frames += 1;
                if self.frames > self.limits.frames {
                    return Err(self.too_many_frames());
                }
            }
            *inside = hint != 0;
            let full = made == self.buffer.len();
            hand_out(output, &mut self.buffer, made)?;
            if !full && input.pos() == input.src.len() {
                return Ok(());
            }
            if used == 0 && made == 0 {
                return Err(self.damaged("the zstd data does not go on"));
            }
        }
        Ok(())
    }

    fn too_many_frames(&self) -> Halt {
        Halt::Gap(Gap {
            path: None,
            why: format!(
                "too many compressed members or frames (limit {}): the rest of the layer was not read",
                self.limits.frames
            ),
            hides: Hides::Anything,
        })
    }

    fn damaged(&self, what: &'static str) -> Halt {
        Halt::Damaged {
            what,
            at: self.position,
            settled: true,
        }
    }
}

fn hand_out(output: &mut impl Output, buffer: &mut Vec<u8>, made: usize) -> Result<(), Halt> {
    if made > 0 && !output.take(buffer, made) {
        return Err(Halt::Closed);
    }
    Ok(())
}

fn zstd_decoder(limits: &Limits) -> std::io::Result<zstd::stream::raw::Decoder<'static>> {
    let mut decoder = zstd::stream::raw::Decoder::new()?;
    decoder.set_parameter(DParameter::WindowLogMax(limits.zstd_window_log))?;
    Ok(decoder)
}
