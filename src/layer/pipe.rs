//! A pipe hands filled buffers from one thread to the next, and emptied ones back.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

/// Bytes of one buffer.
pub(super) const BUFFER: usize = if cfg!(fuzzing) { 600 } else { 256 << 10 };

/// The end of a pipe that bytes are put into.
pub(super) struct Inlet {
    full: SyncSender<(Vec<u8>, usize)>,
    empty: Receiver<Vec<u8>>,
    /// Empty ones at hand; the last came back last, and the nearer caches may still hold it.
    spare: Vec<Vec<u8>>,
}

/// The end of a pipe that bytes come out of.
pub(super) struct Outlet {
    full: Receiver<(Vec<u8>, usize)>,
    empty: Sender<Vec<u8>>,
    current: Vec<u8>,
}

/// A pipe with so many buffers. The first ones are empty and are filled as needed: most layers are far smaller than all of them.
pub(super) fn pipe(buffers: usize) -> (Inlet, Outlet) {
    let (full_in, full) = sync_channel(buffers);
    let (empty, empty_out) = channel();
    let outlet = Outlet {
        full,
        empty,
        current: Vec::new(),
    };
    let inlet = Inlet {
        full: full_in,
        empty: empty_out,
        // One is in the hands of who fills them.
        spare: vec![Vec::new(); buffers.saturating_sub(1)],
    };
    (inlet, outlet)
}

impl Inlet {
    /// Hands the first `length` bytes of `buffer` on and puts another buffer, of any length and content, in its place. `false`:
    /// nobody takes bytes any more.
    pub(super) fn send(&mut self, buffer: &mut Vec<u8>, length: usize) -> bool {
        if self.full.send((std::mem::take(buffer), length)).is_err() {
            return false;
        }
        self.spare.extend(self.empty.try_iter());
        match self.spare.pop().map_or_else(|| self.empty.recv(), Ok) {
            Ok(next) => {
                *buffer = next;
                true
            }
            Err(_) => false,
        }
    }
}

impl Outlet {
    /// The next bytes; `None` when all have come.
    pub(super) fn next(&mut self) -> Option<&[u8]> {
        if self.current.capacity() > 0 {
            // Who fills them may have ended: it needs no more buffers then.
            let _ = self.empty.send(std::mem::take(&mut self.current));
        }
        let (buffer, length) = self.full.recv().ok()?;
        self.current = buffer;
        self.current.get(..length)
    }
}
