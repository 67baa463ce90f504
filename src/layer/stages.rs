//! The stages of reading a layer, each on a thread of its own: the blob is fetched and hashed, decompressed, and walked.

use std::{
    io::{self, Read},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use super::{
    decompress::{Decompressed, Input, Output, decompress},
    pipe::{BUFFER, Inlet, Outlet, pipe},
};
use crate::{
    failure::{Code, Failure, Result},
    limits::Limits,
};

/// Buffers between reading and decompressing.
const READ: usize = 4;
/// Buffers between decompressing and walking: a large program takes its time when it ends, and meanwhile the next bytes are made.
const DECOMPRESSED: usize = 32;

/// Gives the plain bytes of `blob` to `take`, piece by piece, until it wants no more. The blob is read to its end all the same, unless
/// `stop` is set: when it turns out to be damaged or cut, that is the better message.
///
/// # Errors
/// The blob's own, an interruption, and a thread that cannot be started or panics.
pub(super) fn run(
    blob: &mut (dyn Read + Send),
    limits: &Limits,
    stop: &AtomicBool,
    mut take: impl FnMut(&[u8]) -> bool,
) -> Result<Decompressed> {
    let (mut read, mut chunks) = pipe(READ);
    let (mut made, mut plain) = pipe(DECOMPRESSED);
    let decompressed = thread::scope(|scope| {
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        let no_thread = |error| Failure::new(Code::Unavailable, format!("cannot start a thread: {error}"));
        let reader = named("read")
            .spawn_scoped(scope, move || pump(blob, stop, &mut read))
            .map_err(no_thread)?;
        let decompressor = named("decompress")
            .spawn_scoped(scope, move || decompress(&mut chunks, limits, &mut made))
            .map_err(no_thread)?;
        while plain.next().is_some_and(&mut take) {}
        drop(plain);
        let panicked = |stage| Failure::new(Code::Internal, format!("the {stage} of the blob panicked"));
        let decompressed = decompressor.join();
        let read = reader.join().map_err(|_| panicked("reader"))?;
        read.map_err(|error| Failure::from_io(error, Code::Unreadable))?;
        decompressed.map_err(|_| panicked("decompressor"))
    })?;
    if stop.load(Ordering::Relaxed) {
        return Err(Failure::stopped());
    }
    Ok(decompressed)
}

impl Input for Outlet {
    fn next(&mut self) -> Option<&[u8]> {
        Outlet::next(self)
    }
}

impl Output for Inlet {
    fn take(&mut self, buffer: &mut Vec<u8>, made: usize) -> bool {
        self.send(buffer, made)
    }
}

/// Fills buffer after buffer. Ends when the blob does, on the first error, when `stop` is set, or when nobody takes the buffers any more.
fn pump(blob: &mut (dyn Read + Send), stop: &AtomicBool, chunks: &mut Inlet) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
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
        if filled > 0 && !chunks.send(&mut buffer, filled) {
            return end.unwrap_or(Ok(()));
        }
        match end {
            Some(end) => return end,
            None if stop.load(Ordering::Relaxed) => return Ok(()),
            None => buffer.resize(BUFFER, 0),
        }
    }
}
