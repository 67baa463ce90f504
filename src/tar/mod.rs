//! Tar is the archive format of layers, and of archives in them; this reader accepts, refuses and names members exactly as
//! Go's `archive/tar`, with which container runtimes unpack.

mod body;
mod header;
mod member;
mod pax;
mod sparse;
mod walker;

pub(crate) use header::is_header;
pub(crate) use member::Member;
pub(crate) use walker::Walker;

use std::borrow::Cow;

use crate::failure::Code;

/// Bytes of one tar block: headers are one, bodies are padded to it.
pub(crate) const BLOCK: usize = 512;

/// Takes what the walker finds, in order: a member, its bytes and holes, its end, the next member.
pub(crate) trait Sink {
    /// A member begins. `behind`: it lies behind the end of the archive. Returns whether its bytes are wanted.
    fn member(&mut self, member: Member, behind: bool) -> bool;
    /// The next stored bytes of the member. Returns whether more are wanted.
    fn data(&mut self, bytes: &[u8]) -> bool;
    /// The next `length` bytes of the member are zeros that the archive does not store. Returns as [`Sink::data`].
    fn hole(&mut self, length: u64) -> bool;
    /// The member's body is over. `complete`: all of it was there.
    fn end(&mut self, complete: bool);
    /// Whether the walk shall end at once.
    fn stopped(&self) -> bool;
    /// Something odd about the member called `name`.
    fn odd(&mut self, what: &'static str, name: &[u8]);
}

/// Why an archive cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Corrupt, or a cap.
    pub(crate) code: Code,
    /// What is wrong, as the end of a sentence.
    pub(crate) what: Cow<'static, str>,
}

impl Fault {
    const fn corrupt(what: &'static str) -> Self {
        Self {
            code: Code::Corrupt,
            what: Cow::Borrowed(what),
        }
    }

    /// More than Go's reader takes: to runtimes such an archive is corrupt.
    fn beyond_go(what: String) -> Self {
        Self {
            code: Code::Corrupt,
            what: Cow::Owned(what),
        }
    }

    fn too_large(what: String) -> Self {
        Self {
            code: Code::TooLarge,
            what: Cow::Owned(what),
        }
    }
}

/// The bytes up to the first NUL, or all of them.
fn until_nul(field: &[u8]) -> &[u8] {
    &field[..memchr::memchr(0, field).unwrap_or(field.len())]
}

/// A decimal number with an optional sign, as Go's `strconv.ParseInt` takes it.
fn decimal(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
