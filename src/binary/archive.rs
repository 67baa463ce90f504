//! An archive that an interpreter starts: a jar or a Python zip application, known by the names of its members.

/// The first bytes of a zip archive.
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";
/// Members that make an archive a program.
const ENTRY_POINTS: [&[u8]; 2] = [b"META-INF/MANIFEST.MF", b"__main__.py"];
/// Bytes that a next chunk must repeat of the one before.
pub(super) const OVERLAP: usize = 46 + 20;
/// Header of a member: magic, where the length of its name stands, and where the name begins.
const HEADERS: [(&[u8], usize, usize); 2] = [(MAGIC, 26, 30), (b"PK\x01\x02", 28, 46)];

/// Whether a member in this chunk of a zip archive makes it a program.
pub(super) fn has_entry_point(chunk: &[u8]) -> bool {
    ENTRY_POINTS
        .iter()
        .any(|name| memchr::memmem::find_iter(chunk, name).any(|at| is_member(chunk, at, name.len())))
}

/// Whether a name of `length` bytes at `at` is the whole name of a member.
fn is_member(chunk: &[u8], at: usize, length: usize) -> bool {
    HEADERS.iter().any(|(magic, length_at, name_at)| {
        let header = at
            .checked_sub(*name_at)
            .and_then(|start| chunk.get(start..at))
            .unwrap_or_default();
        let stated = header.get(*length_at..).and_then(|rest| rest.first_chunk());
        header.starts_with(magic)
            && stated.is_some_and(|bytes| usize::from(u16::from_le_bytes(*bytes)) == length)
    })
}
