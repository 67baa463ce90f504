//! gzip members and zstd frames, one by one, right or wrong.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

const MIB: usize = 1 << 20;

/// One gzip member.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One zstd frame.
pub(crate) fn zstd_frame(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 3).unwrap()
}

/// A skippable zstd frame.
pub(crate) fn skippable(bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x5a, 0x2a, 0x4d, 0x18];
    frame.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    frame.extend_from_slice(bytes);
    frame
}

/// A zstd frame that asks for a window of `2^(10 + exponent)` bytes and holds one raw block.
pub(crate) fn wide_frame(exponent: u8, bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, exponent << 3];
    let block = 1 | (bytes.len() as u32) << 3;
    frame.extend_from_slice(&block.to_le_bytes()[..3]);
    frame.extend_from_slice(bytes);
    frame
}

/// `start`, then so many MiB of zeros, as members that inflate 1,000 to 1.
pub(crate) fn gzip_bomb(start: &[u8], mib: usize) -> Vec<u8> {
    let mut all = gzip(start);
    all.extend(gzip(&vec![0; 16 * MIB]).repeat(mib / 16));
    all
}

/// The same as zstd frames, 30,000 to 1.
pub(crate) fn zstd_bomb(start: &[u8], mib: usize) -> Vec<u8> {
    let mut all = zstd_frame(start);
    all.extend(zstd_frame(&vec![0; 16 * MIB]).repeat(mib / 16));
    all
}
