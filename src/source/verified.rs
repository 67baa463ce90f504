//! A verified reader: bytes that pass through it are hashed, and their end is an error unless digest and size are right.

use std::io::{self, Read};

use aws_lc_rs::digest::{Context, SHA256, SHA512};

use crate::{
    failure::{self, Code, Failure},
    image::{Algorithm, Digest},
};

/// Hashes bytes as they come, with the fastest hash there is.
pub struct Hasher {
    algorithm: Algorithm,
    context: Context,
}

impl Hasher {
    /// A hash of no bytes yet.
    pub fn new(algorithm: Algorithm) -> Self {
        let context = Context::new(match algorithm {
            Algorithm::Sha256 => &SHA256,
            Algorithm::Sha512 => &SHA512,
        });
        Self { algorithm, context }
    }

    /// Takes more bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    /// The digest of all bytes taken in.
    pub fn finish(self) -> Digest {
        Digest::of_hash(self.algorithm, self.context.finish().as_ref())
    }
}

/// Compares a whole content in memory with its digest and, where stated, its size.
///
/// # Errors
/// [`Code::DigestMismatch`], `what` named first.
pub fn check(what: &str, bytes: &[u8], digest: &Digest, size: Option<u64>) -> failure::Result<()> {
    let length = bytes.len() as u64;
    if let Some(stated) = size
        && stated != length
    {
        return Err(wrong_size(what, length, stated));
    }
    let mut hasher = Hasher::new(digest.algorithm());
    hasher.update(bytes);
    same_digest(what, &hasher.finish(), digest)
}

/// Passes on what `inner` yields and verifies it on the way.
///
/// Size is checked before digest, and a content that is longer than stated fails before its surplus is passed on.
pub struct Verified<R> {
    inner: R,
    what: String,
    state: State,
    digest: Digest,
    size: Option<u64>,
    read: u64,
}

enum State {
    Reading(Hasher),
    Right,
    /// Kept, so that a caller that reads on after the error does not take it for the end.
    Wrong(Failure),
}

impl<R: Read> Verified<R> {
    /// Verifies `inner` against `digest` and, where stated, `size`. `what` names the content in messages: `layer
    /// sha256:…`.
    pub fn new(inner: R, digest: Digest, size: Option<u64>, what: impl Into<String>) -> Self {
        Self {
            inner,
            what: what.into(),
            state: State::Reading(Hasher::new(digest.algorithm())),
            digest,
            size,
            read: 0,
        }
    }

    fn next(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let hasher = match &mut self.state {
            State::Reading(hasher) => hasher,
            State::Right => return Ok(0),
            State::Wrong(failure) => return Err(failure.clone().into()),
        };
        let count = self.inner.read(buffer)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        hasher.update(bytes);
        self.read = self.read.saturating_add(bytes.len() as u64);
        let verdict = match self.size {
            Some(stated) if self.read > stated => Some(Err(Failure::new(
                Code::DigestMismatch,
                format!("{} is longer than the stated {stated} bytes", self.what),
            ))),
            Some(stated) if count == 0 && self.read < stated => {
                Some(Err(wrong_size(&self.what, self.read, stated)))
            }
            _ if count == 0 => Some(self.compare()),
            _ => None,
        };
        match verdict {
            None => Ok(count),
            Some(Ok(())) => {
                self.state = State::Right;
                Ok(0)
            }
            Some(Err(failure)) => {
                self.state = State::Wrong(failure.clone());
                Err(failure.into())
            }
        }
    }

    fn compare(&mut self) -> failure::Result<()> {
        match std::mem::replace(&mut self.state, State::Right) {
            State::Reading(hasher) => same_digest(&self.what, &hasher.finish(), &self.digest),
            State::Right => Ok(()),
            State::Wrong(failure) => Err(failure),
        }
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // An empty buffer would make any place look like the end.
        if buffer.is_empty() {
            return Ok(0);
        }
        self.next(buffer)
    }
}

fn wrong_size(what: &str, is: u64, stated: u64) -> Failure {
    Failure::new(
        Code::DigestMismatch,
        format!("{what} has {is} bytes, not the stated {stated}"),
    )
}

fn same_digest(what: &str, is: &Digest, wanted: &Digest) -> failure::Result<()> {
    if is == wanted {
        return Ok(());
    }
    Err(Failure::new(
        Code::DigestMismatch,
        format!("{what} does not match its digest: its bytes hash to {is}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const ABC_512: &str = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

    fn read(bytes: &[u8], digest: &str, size: Option<u64>) -> (Vec<u8>, io::Result<()>) {
        let mut reader = Verified::new(bytes, digest.parse().unwrap(), size, "blob");
        let mut out = Vec::new();
        let mut buffer = [0; 2];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return (out, Ok(())),
                Ok(count) => out.extend_from_slice(&buffer[..count]),
                Err(error) => return (out, Err(error)),
            }
        }
    }

    #[test]
    fn right_bytes_pass() {
        for (digest, size) in [(ABC, Some(3)), (ABC, None), (ABC_512, Some(3))] {
            let (bytes, end) = read(b"abc", digest, size);
            assert_eq!(bytes, b"abc");
            end.unwrap();
            check("blob", b"abc", &digest.parse().unwrap(), size).unwrap();
        }
    }

    #[test]
    fn wrong_bytes_and_sizes_fail_at_the_end_or_before() {
        for (bytes, size) in [
            (&b"abd"[..], Some(3)),
            (b"abd", None),
            (b"ab", Some(3)),
            (b"abcd", Some(3)),
            (b"", None),
            // The right bytes under a size that lies.
            (b"abc", Some(2)),
            (b"abc", Some(4)),
        ] {
            let (passed, end) = read(bytes, ABC, size);
            assert!(passed.len() <= 3);
            let failure = Failure::from_io(end.unwrap_err(), Code::Internal);
            assert_eq!(failure.code, Code::DigestMismatch);
            assert!(failure.message.starts_with("blob "), "{failure}");
            let checked = check("blob", bytes, &ABC.parse().unwrap(), size).unwrap_err();
            assert_eq!(checked.code, Code::DigestMismatch);
        }
    }

    #[test]
    fn reading_on_behind_the_end_stays_there() {
        let mut reader = Verified::new(&b"abc"[..], ABC.parse().unwrap(), None, "blob");
        let mut buffer = [0; 8];
        assert_eq!(reader.read(&mut []).unwrap(), 0);
        assert_eq!(reader.read(&mut buffer).unwrap(), 3);
        assert_eq!(reader.read(&mut buffer).unwrap(), 0);
        assert_eq!(reader.read(&mut buffer).unwrap(), 0);
        let mut reader = Verified::new(&b"abd"[..], ABC.parse().unwrap(), None, "blob");
        assert_eq!(reader.read(&mut buffer).unwrap(), 3);
        for _ in 0..3 {
            assert!(reader.read(&mut buffer).is_err());
        }
    }
}
