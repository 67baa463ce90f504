//! Reading ahead lets the blob be fetched and hashed on one thread while another inflates what has come.

use std::{
    io::{self, Read},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread,
};

use crate::failure::{Code, Failure, Result};

/// Bytes of one buffer.
const BUFFER: usize = 256 << 10;
/// Buffers in flight.
const BUFFERS: usize = 4;

/// The chunks of a blob, in order.
pub(super) struct Chunks {
    full: Receiver<io::Result<Vec<u8>>>,
    empty: Sender<Vec<u8>>,
    current: Vec<u8>,
}

impl Chunks {
    /// Chunks that are there already.
    #[cfg(any(test, fuzzing))]
    pub(super) fn ready(chunks: Vec<Vec<u8>>) -> Self {
        let (full_in, full) = sync_channel(chunks.len());
        for chunk in chunks {
            let _ = full_in.send(Ok(chunk));
        }
        Self {
            full,
            empty: channel().0,
            current: Vec::new(),
        }
    }

    /// The next chunk; `None` at the end of the blob.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        if !self.current.is_empty() {
            // The reader may have gone: it needs no more buffers then.
            let _ = self.empty.send(std::mem::take(&mut self.current));
        }
        match self.full.recv() {
            Ok(chunk) => {
                self.current = chunk?;
                Ok(Some(&self.current))
            }
            Err(_) => Ok(None),
        }
    }
}

/// Runs `task` on the chunks of `blob`, which is read on its own thread until it ends, fails, or `stop` is set.
///
/// # Errors
/// Those of `task`, and a thread that cannot be started or panics.
pub(super) fn read_ahead<T>(
    blob: &mut (dyn Read + Send),
    stop: &AtomicBool,
    task: impl FnOnce(Chunks) -> Result<T>,
) -> Result<T> {
    let (full_in, full) = sync_channel(BUFFERS);
    let (empty, empty_out) = channel();
    for _ in 0..BUFFERS {
        // Filled as it is needed: most layers are far smaller than the buffers.
        let _ = empty.send(Vec::new());
    }
    let chunks = Chunks {
        full,
        empty,
        current: Vec::new(),
    };
    thread::scope(|scope| {
        let reader = thread::Builder::new()
            .name("read-ahead".to_owned())
            .spawn_scoped(scope, move || pump(blob, stop, &full_in, &empty_out))
            .map_err(|error| Failure::new(Code::Unavailable, format!("cannot start a thread: {error}")))?;
        let result = task(chunks);
        if reader.join().is_err() {
            return Err(Failure::new(Code::Internal, "the reader of the blob panicked"));
        }
        result
    })
}

/// Fills buffer after buffer. Ends when the blob does, on the first error, or when nobody takes the buffers any more.
fn pump(
    blob: &mut (dyn Read + Send),
    stop: &AtomicBool,
    full: &SyncSender<io::Result<Vec<u8>>>,
    empty: &Receiver<Vec<u8>>,
) {
    while let Ok(mut buffer) = empty.recv() {
        buffer.resize(BUFFER, 0);
        let mut filled = 0;
        let mut end = None;
        while filled < BUFFER && end.is_none() && !stop.load(Ordering::Relaxed) {
            match blob.read(&mut buffer[filled..]) {
                Ok(0) => end = Some(Ok(())),
                Ok(count) => filled += count.min(BUFFER - filled),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => end = Some(Err(error)),
            }
        }
        buffer.truncate(filled);
        if filled > 0 && full.send(Ok(buffer)).is_err() {
            return;
        }
        match end {
            Some(Ok(())) => return,
            Some(Err(error)) => {
                let _ = full.send(Err(error));
                return;
            }
            None if stop.load(Ordering::Relaxed) => return,
            None => {}
        }
    }
}
