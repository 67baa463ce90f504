//! The head of a file is what is held of it, from its first byte on.

use std::ops::Deref;

use memmap2::MmapMut;

/// Bytes from which on a file gets large pages: the kernel hands out small ones singly, which takes longer than to fill them.
const LARGE: usize = 1 << 20;

/// Holds the head of one file after the other.
pub(super) struct Head {
    /// Bytes that it holds at most.
    most: usize,
    few: Vec<u8>,
    /// Made when the first large file comes.
    many: Option<MmapMut>,
    /// So many bytes lie in `many`; `None`: they lie in `few`.
    length: Option<usize>,
}

impl Head {
    /// Holds up to `most` bytes.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            few: Vec::new(),
            many: None,
            length: None,
        }
    }

    pub(super) fn clear(&mut self) {
        self.few.clear();
        self.length = None;
    }

    /// Makes room for `size` bytes, if so many are held: growing bit by bit would copy them again and again.
    pub(super) fn expect(&mut self, size: u64) {
        let size = usize::try_from(size).map_or(self.most, |size| size.min(self.most));
        if size >= LARGE && self.many.is_none() {
            self.many = many(self.most);
        }
        match &mut self.many {
            Some(many) if size >= LARGE => {
                if let Some(room) = many.get_mut(..self.few.len()) {
                    room.copy_from_slice(&self.few);
                    self.length = Some(self.few.len());
                }
            }
            _ => self.few.reserve(size.saturating_sub(self.few.len())),
        }
    }

    /// Appends bytes up to `most` in all, and returns the rest.
    pub(super) fn fill<'b>(&mut self, bytes: &'b [u8], most: usize) -> &'b [u8] {
        let most = self.length.map_or(most, |_| most.min(self.most));
        let room = most.saturating_sub(self.len());
        let (taken, rest) = bytes.split_at(bytes.len().min(room));
        match (&mut self.many, &mut self.length) {
            (Some(many), Some(length)) => {
                if let Some(room) = many.get_mut(*length..*length + taken.len()) {
                    room.copy_from_slice(taken);
                    *length += taken.len();
                }
            }
            _ => self.few.extend_from_slice(taken),
        }
        rest
    }
}

impl Deref for Head {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match (&self.many, self.length) {
            (Some(many), Some(length)) => many.get(..length).unwrap_or_default(),
            _ => &self.few,
        }
    }
}

/// Memory of its own for so many bytes, on large pages where the kernel has them. `None`: there is none; then bytes lie where others do.
fn many(bytes: usize) -> Option<MmapMut> {
    let map = MmapMut::map_anon(bytes).ok()?;
    #[cfg(target_os = "linux")]
    let _ = map.advise(memmap2::Advice::HugePage);
    Some(map)
}
