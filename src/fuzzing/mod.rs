//! Fuzzing feeds each parser that meets an image's bytes with bytes made to break it, and asserts what must hold whatever
//! they are. Built by `cargo fuzz` alone, and by the tests, which run every seed.
//!
//! Caps and buffers are far smaller here than in a scan, so that few bytes reach their borders.

mod image;
mod outputs;
mod words;

pub use self::{image::image, outputs::outputs, words::*};
use crate::text;
pub use crate::{
    binary::fuzzing::*, catalog::fuzzing::*, checks::fuzzing::*, dockerfile::fuzzing::*, layer::fuzzing::*,
    policy::fuzzing::*, rootfs::fuzzing::*, scan::fuzzing::*, source::fuzzing::*,
};

/// One target: takes any bytes and panics if something is wrong.
pub type Target = fn(&[u8]);

/// Every target by the name of its file in `fuzz/fuzz_targets` and of its folder in `fuzz/seeds`.
pub const TARGETS: &[(&str, Target)] = &[
    ("accounts", accounts),
    ("applets", applets),
    ("archive", archive),
    ("capability", capability),
    ("catalogue", catalogue),
    ("command_line", command_line),
    ("config", config),
    ("decompress", decompress),
    ("dockerfile", dockerfile),
    ("elf", elf),
    ("go_build_info", go_build_info),
    ("history", history),
    ("http_headers", http_headers),
    ("image", image),
    ("index", index),
    ("json", json),
    ("listing", listing),
    ("loader_cache", loader_cache),
    ("manifest", manifest),
    ("merge", merge),
    ("nrv", nrv),
    ("outputs", outputs),
    ("path", path),
    ("policy", policy),
    ("program", program),
    ("reference", reference),
    ("script", script),
    ("search", search),
    ("secrets", secrets),
    ("tar", tar),
    ("target", target),
    ("text", escaping),
    ("upx", upx),
];

/// Asserts that a text made for people holds nothing that a terminal would obey.
pub(crate) fn assert_shown(shown: &str) {
    let obeyed = shown.chars().find(|&c| text::is_obeyed(c));
    assert_eq!(obeyed, None, "{shown:?} is not safe to show");
}

/// The same of several.
pub(crate) fn assert_all_shown(all: &[String]) {
    for shown in all {
        assert_shown(shown);
    }
}

/// The bytes in pieces whose sizes the bytes in front say, and the whole behind those.
pub(crate) fn pieces(data: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let (sizes, whole) = data.split_at(data.len().min(3));
    let mut sizes = sizes
        .iter()
        .zip([1, 7, 64])
        .map(|(&size, times)| 1 + usize::from(size) * times)
        .cycle();
    let (mut pieces, mut rest) = (Vec::new(), whole);
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(1).min(rest.len());
        let (piece, after) = rest.split_at(size);
        pieces.push(piece);
        rest = after;
    }
    (pieces, whole)
}

/// The parts of the bytes between these separators: at most so many, the last one with all that is left.
pub(crate) fn parts<const N: usize>(data: &[u8], separator: u8) -> [&[u8]; N] {
    let mut parts = data.splitn(N, |&byte| byte == separator);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// Bytes as text, as a command line or JSON would give it.
pub(crate) fn lossy(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}

/// A tar archive whose headers have right checksums: a fuzzer hardly guesses one.
pub(crate) fn mended(archive: &[u8]) -> Vec<u8> {
    let mut archive = archive.to_vec();
    for block in archive.chunks_exact_mut(512) {
        if block.get(257..262) == Some(b"ustar") {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    archive
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[expect(clippy::disallowed_methods, reason = "reads this repository")]
    fn names(folder: &str) -> BTreeSet<String> {
        let entries = fs::read_dir(Path::new("fuzz").join(folder)).unwrap();
        entries
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn every_target_has_a_program_and_seeds() {
        let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(targets.len(), TARGETS.len());
        assert_eq!(names("fuzz_targets"), targets);
        assert_eq!(names("seeds"), targets);
    }

    #[test]
    fn every_seed_holds() {
        for (name, target) in TARGETS {
            let seeds = Path::new("fuzz/seeds").join(name);
            #[expect(clippy::disallowed_methods, reason = "reads this repository")]
            for seed in fs::read_dir(&seeds).unwrap() {
                let bytes = fs::read(seed.unwrap().path()).unwrap();
                assert!(bytes.len() <= 4_096, "{name} has a seed that is too large");
                target(&bytes);
                // Cut and damaged in a few places, as a beginning.
                for at in (0..bytes.len()).step_by(bytes.len() / 4 + 1) {
                    target(&bytes[..at]);
                    let mut damaged = bytes.clone();
                    damaged[at] ^= 0xff;
                    target(&damaged);
                }
            }
        }
    }
}
