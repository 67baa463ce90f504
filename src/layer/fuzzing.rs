//! Fuzz targets of what reads a layer's blob.

use std::sync::{LazyLock, atomic::AtomicUsize};

use super::{
    Collector, Contents, LayerFacts, Pass, Want,
    contents::{self, Look},
    decompress::{Halt, Input, Output, decompress as decompressed},
};
use crate::{
    catalog::Catalog,
    failure::{Code, Failure, Result},
    fuzzing::{assert_all_shown, assert_shown, mended, pieces},
    limits::Limits,
    path::RootPath,
};

const WANTS: [Want; 4] = [
    Want::Name("passwd"),
    Want::Path("/etc/group"),
    Want::Below("/a"),
    Want::Accounts,
];

fn limits() -> &'static Limits {
    static LIMITS: LazyLock<Limits> = LazyLock::new(|| Limits {
        layer: 6_000,
        frames: 5,
        members: 7,
        names: 600,
        facts: 8_000,
        path: 120,
        component: 60,
        tar_extension: 1_500,
        pax_records: 5,
        xattr: 24,
        kept_file: 100,
        kept_layer: 250,
        program: 600,
        unpacked: 2_048,
        zstd_window_log: 17,
        secrets_head: 300,
        archive_bytes: 9_000,
        archive_ratio: 4,
        archive_floor: 3_000,
        archive_members: 6,
        ..Limits::default()
    });
    &LIMITS
}

/// A blob that has come already, in pieces.
struct Pieces<'d>(std::vec::IntoIter<&'d [u8]>);

impl<'d> Pieces<'d> {
    fn of(blob: impl IntoIterator<Item = &'d [u8]>) -> Self {
        Self(blob.into_iter().collect::<Vec<_>>().into_iter())
    }
}

impl Input for Pieces<'_> {
    fn next(&mut self) -> Option<&[u8]> {
        self.0.next()
    }
}

/// Hands plain bytes on without a thread.
impl<L: Look, M: FnMut() -> L> Output for Pass<'_, L, M> {
    fn take(&mut self, buffer: &mut Vec<u8>, made: usize) -> bool {
        Pass::take(self, &buffer[..made])
    }
}

/// Reads a blob as a scan does, but on one thread.
pub(super) fn read_pieces<'d, L: Look, M: FnMut() -> L>(
    blob: impl IntoIterator<Item = &'d [u8]>,
    limits: &Limits,
    mut pass: Pass<'_, L, M>,
) -> Result<(LayerFacts, Option<Failure>)> {
    let blob = decompressed(&mut Pieces::of(blob), limits, &mut pass);
    pass.finish(blob)
}

/// What these pieces of a blob say.
pub(crate) fn facts_of<'d>(
    blob: impl IntoIterator<Item = &'d [u8]>,
    wants: &[Want],
) -> Result<LayerFacts, Code> {
    match read_of(blob, wants)? {
        (facts, None) => Ok(facts),
        (_, Some(code)) => Err(code),
    }
}

/// The same; where the layer breaks, with the facts until there.
fn read_of<'d>(
    blob: impl IntoIterator<Item = &'d [u8]>,
    wants: &[Want],
) -> Result<(LayerFacts, Option<Code>), Code> {
    let limits = limits();
    let held = AtomicUsize::new(0);
    let inspector = contents::inspector(Catalog::builtin(), limits);
    let contents = Contents::new(wants, limits, inspector);
    let pass = Pass::new(limits, None, Collector::new(limits, contents).sharing(&held));
    let code = |failure: Failure| {
        assert_shown(&failure.to_string());
        failure.code
    };
    let (facts, fault) = read_pieces(blob, limits, pass).map_err(code)?;
    Ok((facts, fault.map(code)))
}

/// A layer says the same in whatever pieces it comes, and keeps to the caps.
pub fn tar(data: &[u8]) {
    let Some(([mend, sizes @ ..], blob)) = data.split_first_chunk::<4>() else {
        return;
    };
    let blob = if mend & 1 == 0 {
        mended(blob)
    } else {
        blob.to_vec()
    };
    let data = [sizes, &blob[..]].concat();
    let (pieces, whole) = pieces(&data);
    let read = read_of([whole], &WANTS);
    let in_pieces = read_of(pieces, &WANTS);
    let fault_of = |read: &Result<(LayerFacts, Option<Code>), Code>| match read {
        Ok((_, fault)) => *fault,
        Err(code) => Some(*code),
    };
    let fault = fault_of(&read);
    if fault.is_some() && !plain(whole) {
        // How much comes out of damaged data hangs on where its piece begins.
        assert_eq!(fault_of(&in_pieces), fault);
    } else {
        assert_eq!(in_pieces, read);
    }
    assert!(
        matches!(fault, None | Some(Code::Corrupt | Code::TooLarge)),
        "{fault:?}"
    );
    if let Ok((facts, _)) = read {
        hold(&facts, whole.len());
    }
}

/// Whether a blob is not compressed.
fn plain(blob: &[u8]) -> bool {
    !(blob.starts_with(b"\x1f\x8b")
        || blob.get(1..4) == Some(b"\xb5\x2f\xfd")
        || blob.get(1..4) == Some(b"\x2a\x4d\x18"))
}

/// What holds for the facts of any layer.
fn hold(facts: &LayerFacts, size: usize) {
    let limits = limits();
    assert_eq!(facts.size, size as u64);
    assert!(facts.uncompressed <= limits.layer);
    let entries = || facts.entries.iter().chain(&facts.behind_end);
    assert!(entries().count() <= limits.members);
    for entry in entries() {
        assert_eq!(RootPath::clean(entry.path.as_bytes()), entry.path);
        assert!(entry.path.as_bytes().len() <= limits.path);
        assert!(entry.path.components().all(|part| part.len() <= limits.component));
        assert!(entry.mode <= 0o7777);
        assert!(
            entry
                .capability
                .as_ref()
                .is_none_or(|value| value.len() <= limits.xattr)
        );
    }
    let kept = || entries().filter_map(|entry| entry.kept.as_ref());
    assert!(kept().all(|kept| kept.bytes.len() <= limits.kept_file));
    assert!(kept().map(|kept| kept.bytes.len()).sum::<usize>() <= limits.kept_layer);
    for gap in &facts.gaps {
        assert_shown(&gap.why);
        assert!(!gap.why.contains("internal error"), "{}", gap.why);
    }
    assert_all_shown(&facts.notes);
}

/// Keeps what comes out.
struct Plain {
    bytes: Vec<u8>,
    cap: usize,
}

impl Output for Plain {
    fn take(&mut self, buffer: &mut Vec<u8>, made: usize) -> bool {
        let left = self.cap.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&buffer[..left.min(made)]);
        // Whoever takes it may give another buffer back.
        *buffer = Vec::new();
        true
    }
}

/// How a decompression ended: with so many bytes behind the last member, or with a failure's code, or with a gap.
type Ending = Result<u64, Option<Code>>;

fn unpacked<'d>(blob: impl IntoIterator<Item = &'d [u8]>) -> (Vec<u8>, Ending) {
    let mut plain = Plain {
        bytes: Vec::new(),
        cap: 100_000,
    };
    let blob = decompressed(&mut Pieces::of(blob), limits(), &mut plain);
    let ending = match blob.end {
        Ok(()) => Ok(blob.trailing.0),
        Err(Halt::Failed(failure)) => {
            assert_shown(&failure.to_string());
            Err(Some(failure.code))
        }
        Err(Halt::Damaged { .. }) => Err(Some(Code::Corrupt)),
        Err(Halt::Gap(_)) => Err(None),
        Err(Halt::Closed) => panic!("all is taken"),
    };
    (plain.bytes, ending)
}

/// Members and frames come out whole and in order, in whatever pieces they come in.
pub fn decompress(data: &[u8]) {
    let Some(([mode, sizes @ ..], rest)) = data.split_first_chunk::<4>() else {
        return;
    };
    let mut blob = sizes.to_vec();
    let mut expected = Vec::new();
    // Members made of stored blocks: what a fuzzer cannot guess is their checksum.
    let whole_members = mode & 3;
    let mut count = 0;
    if whole_members == 0 {
        blob.extend_from_slice(rest);
    } else {
        for part in rest.split(|&byte| byte == 0xfe) {
            match whole_members {
                1 => gzip_member(&mut blob, part),
                _ => zstd_frame(&mut blob, part),
            }
            expected.extend_from_slice(part);
            count += 1;
        }
    }
    let (pieces, whole) = pieces(&blob);
    let (bytes, ending) = unpacked([whole]);
    let (in_pieces, ending_in_pieces) = unpacked(pieces);
    assert_eq!(ending_in_pieces, ending);
    if ending.is_err() {
        // How much comes out of the piece that is damaged hangs on where it begins.
        assert!(bytes.starts_with(&in_pieces) || in_pieces.starts_with(&bytes));
    } else {
        assert_eq!(in_pieces, bytes);
    }
    if whole_members != 0 && count <= limits().frames {
        assert_eq!((bytes, ending), (expected, Ok(0)));
    } else if let Err(Some(code)) = ending {
        assert!(matches!(code, Code::Corrupt | Code::TooLarge), "{code:?}");
    }
}

/// One gzip member of stored blocks.
fn gzip_member(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"\x1f\x8b\x08\0\0\0\0\0\0\xff");
    for block in bytes.chunks(1_000) {
        let length = block.len() as u16;
        out.push(0);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(b"\x01\0\0\xff\xff");
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    out.extend_from_slice(&crc.sum().to_le_bytes());
    out.extend_from_slice(&crc.amount().to_le_bytes());
}

/// One zstd frame of raw blocks, without content size and checksum (RFC 8878, 3.1.1).
fn zstd_frame(out: &mut Vec<u8>, bytes: &[u8]) {
    // Magic number; no flags; a window of 2^17 bytes.
    out.extend_from_slice(b"\x28\xb5\x2f\xfd\0\x38");
    for block in bytes.chunks(1_000) {
        out.extend_from_slice(&((block.len() as u32) << 3).to_le_bytes()[..3]);
        out.extend_from_slice(block);
    }
    out.extend_from_slice(b"\x01\0\0");
}
