//! gzip members and zstd frames, one by one, right or wrong.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

use super::tar::Tar;

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

/// A layer of eStargz form: one file, in whose table it has this name and this place behind its own.
pub(crate) fn estargz(head: &[u8], body: &[u8], name: &str, off: usize) -> Vec<u8> {
    let mut all = gzip(head);
    let table = format!(
        r#"{{"version":1,"entries":[{{"name":"{name}","type":"reg","size":{},"mode":493,"offset":{}}}]}}"#,
        body.len(),
        all.len() + off
    );
    let mut rest = body.to_vec();
    rest.resize(body.len().next_multiple_of(512), 0);
    all.extend(gzip(&rest));
    let extra = format!("SG\x16\0{:016x}STARGZ", all.len());
    all.extend(gzip(
        &Tar::default().file("stargz.index.json", table.as_bytes()).end(),
    ));
    all.extend([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 26, 0]);
    all.extend(extra.as_bytes());
    all.extend([1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
    all
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
