//! A bundle is one program made of an interpreter and the scripts that it runs: more than a runtime, and known by the mark
//! that the tool which made it left at the end of the file.

use super::{Confidence, Identity};

/// Family, the mark, and how near the end of the file it stands, in bytes.
const MARKS: [(&str, &[u8], usize); 3] = [
    // The cookie of a PyInstaller archive: 24 bytes, or 88 with the name of the Python library.
    ("bundle.pyinstaller", b"MEI\x0c\x0b\x0a\x0b\x0e", 88),
    // `bun build --compile`: a trailer, and perhaps a length behind it.
    ("bundle.bun", b"\n---- Bun! ----\n", 32),
    // `deno compile` before it used sections: a mark and the places of what it holds.
    ("bundle.deno", b"d3n0l4nd", 48),
];

/// The bundle that a file is which ends with `tail`.
pub(super) fn of(tail: &[u8]) -> Option<Identity> {
    let (family, ..) = MARKS.iter().find(|(_, mark, near)| {
        let end = tail.get(tail.len().saturating_sub(*near)..).unwrap_or_default();
        memchr::memmem::find(end, mark).is_some()
    })?;
    Some(Identity {
        family: (*family).to_owned(),
        confidence: Confidence::Certain,
        evidence: "the mark of a bundle at the end of the file: an interpreter with its scripts".to_owned(),
        applets: Vec::new(),
        version: None,
    })
}
