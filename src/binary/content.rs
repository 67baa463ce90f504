//! The content of a file as far as it is held in memory: its head, and ranges behind it that were kept on the way.

/// Part of a file.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Where in the file it begins.
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

/// What is held of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content<'a> {
    /// The file from its first byte; all of it unless it is larger than the cap.
    pub(super) head: &'a [u8],
    /// Ranges that end behind the head.
    pub(super) pieces: &'a [Piece],
}

impl<'a> Content<'a> {
    /// The content of a file that is held whole.
    pub(super) fn whole(bytes: &'a [u8]) -> Self {
        Self {
            head: bytes,
            pieces: &[],
        }
    }

    /// At most `most` bytes from `offset` on: fewer where the file or what is held of it ends.
    pub(super) fn at(&self, offset: u64, most: usize) -> &'a [u8] {
        let within = |start: u64, bytes: &'a [u8]| {
            let from = usize::try_from(offset.checked_sub(start)?).ok()?;
            bytes.get(from..).filter(|rest| !rest.is_empty())
        };
        // A range across the end of the head is whole only in its piece.
        let pieces = self
            .pieces
            .iter()
            .filter_map(|piece| within(piece.offset, &piece.bytes));
        let rest = within(0, self.head)
            .into_iter()
            .chain(pieces)
            .max_by_key(|rest| rest.len().min(most))
            .unwrap_or_default();
        rest.get(..most).unwrap_or(rest)
    }

    /// The text at `offset` up to its NUL. `None`: nothing is held there, or no NUL comes within `longest` bytes.
    pub(super) fn text(&self, offset: u64, longest: usize) -> Option<&'a [u8]> {
        let bytes = self.at(offset, longest.saturating_add(1));
        bytes.get(..memchr::memchr(0, bytes)?)
    }
}
