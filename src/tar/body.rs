//! A body is what follows a member's header: its stored bytes, and the holes between them where the file is sparse.

use super::{Sink, sparse::Cursor};

/// How many of `bytes` belong to what has `left` bytes left.
pub(super) fn at_most(left: u64, bytes: &[u8]) -> usize {
    usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()))
}

/// Hands the next stored bytes of a body to `sink`. Returns how many.
pub(super) fn hand_out(
    left: &mut u64,
    map: Option<&mut Cursor>,
    wanted: &mut bool,
    bytes: &[u8],
    sink: &mut impl Sink,
) -> usize {
    let mut used = at_most(*left, bytes);
    if *wanted {
        match map {
            None => *wanted = sink.data(&bytes[..used]),
            Some(map) => {
                let (hole, run) = map.advance();
                used = at_most(run, &bytes[..used]);
                *wanted = (hole == 0 || sink.hole(hole)) && sink.data(&bytes[..used]);
                map.take(used as u64);
            }
        }
    }
    *left -= used as u64;
    used
}
