//! A blob: the bytes of a layer as a blocking reader, taken up again where a connection breaks.

use std::{
    collections::BTreeSet,
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{Buf, Bytes};
use reqwest::{Response, StatusCode, header::CONTENT_RANGE};
use tokio::time::{sleep, timeout};

use super::{
    Connection, breakage,
    queue::{self, Place},
    refusal, retry,
};
use crate::{
    failure::{self, Code, Failure},
    image::{Digest, Layer},
    source::{Blobs, verified::Verified},
};

/// Opens the layers of one repository.
pub(super) struct Layers {
    connection: Arc<Connection>,
    opened: Mutex<BTreeSet<Digest>>,
}

impl Layers {
    /// Layers that come over `connection`.
    pub(super) fn of(connection: Arc<Connection>) -> Self {
        Self {
            connection,
            opened: Mutex::default(),
        }
    }
}

impl Blobs for Layers {
    fn open(&self, layer: &Layer) -> failure::Result<Box<dyn Read + Send>> {
        let Some(digest) = &layer.digest else {
            return Err(Failure::new(
                Code::Internal,
                "a layer of a registry without a digest",
            ));
        };
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if !opened.insert(digest.clone()) {
            // Who asks again got something wrong, perhaps from a cache on the way.
            self.connection.session.transport().reconnect();
        }
        drop(opened);
        let blob = Blob::open(&self.connection, digest, layer.size)?;
        let what = format!("layer {digest}");
        Ok(Box::new(Verified::new(blob, digest.clone(), layer.size, what)))
    }
}

/// Bytes after which a connection that broke is forgiven: without progress the tries run out.
const PROGRESS: u64 = 1 << 20;

/// The body of a blob, over as many connections as it takes. It is not verified here.
struct Blob {
    connection: Arc<Connection>,
    what: String,
    digest: Digest,
    size: Option<u64>,
    response: Option<Response>,
    chunk: Bytes,
    /// Bytes received so far.
    received: u64,
    /// Bytes still to drop, since the server sends the whole again.
    surplus: u64,
    breaks: u32,
    /// Where the count of breaks began.
    mark: u64,
    /// Kept as long as the blob is being read.
    _place: Place,
}

impl Blob {
    /// Asks for a blob; its body is read later.
    fn open(connection: &Arc<Connection>, digest: &Digest, size: Option<u64>) -> failure::Result<Self> {
        let place = connection.wait(async { Ok(queue::place(&connection.session.host()).await) })?;
        let mut blob = Self {
            what: format!("layer {digest}"),
            digest: digest.clone(),
            size,
            response: None,
            chunk: Bytes::new(),
            received: 0,
            surplus: 0,
            breaks: 0,
            mark: 0,
            _place: place,
            connection: Arc::clone(connection),
        };
        let result = connection.wait(blob.ask());
        if matches!(&result, Err(failure) if failure.code == Code::DigestMismatch) {
            // Nothing was handed out yet, so a proxy's stale copy gets one more chance.
            connection.session.transport().reconnect();
            connection.wait(blob.ask())?;
        } else {
            result?;
        }
        Ok(blob)
    }

    /// Asks for what is still missing.
    async fn ask(&mut self) -> failure::Result<()> {
        let name = self.digest.to_string();
        let answer = self
            .connection
            .session
            .get(&self.what, "blobs", &name, &[], self.received)
            .await?;
        let response = answer.response;
        self.surplus = 0;
        match response.status() {
            StatusCode::PARTIAL_CONTENT if self.received > 0 => {
                let range = response
                    .headers()
                    .get(CONTENT_RANGE)
                    .and_then(|value| value.to_str().ok());
                check_range(&self.what, range, self.received, self.size)?;
            }
            StatusCode::OK => {
                self.surplus = self.received;
                if let (Some(stated), Some(length)) = (self.size, response.content_length())
                    && stated != length
                {
                    let message = format!("{} has {length} bytes, not the stated {stated}", self.what);
                    return Err(Failure::new(Code::DigestMismatch, message));
                }
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                let message = format!(
                    "{} ends after {} bytes, before its stated size",
                    self.what, self.received
                );
                return Err(Failure::new(Code::DigestMismatch, message));
            }
            status => return Err(refusal::failure(&self.what, status.as_u16(), b"")),
        }
        self.response = Some(response);
        Ok(())
    }

    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> failure::Result<Option<Bytes>> {
        let stall = self.connection.session.transport().stall();
        loop {
            let why = match &mut self.response {
                None => {
                    self.ask().await?;
                    continue;
                }
                Some(response) => match timeout(stall, response.chunk()).await {
                    Ok(Ok(Some(mut chunk))) => {
                        let dropped = self.surplus.min(chunk.len() as u64);
                        chunk.advance(usize::try_from(dropped).unwrap_or(chunk.len()));
                        self.surplus -= dropped;
                        self.received = self.received.saturating_add(chunk.len() as u64);
                        if chunk.is_empty() {
                            continue;
                        }
                        return Ok(Some(chunk));
                    }
                    Ok(Ok(None)) if self.size.is_none_or(|size| self.received >= size) => return Ok(None),
                    Ok(Ok(None)) => "the transfer ended early".to_owned(),
                    // All bytes came, only the end's mark did not: the hash decides.
                    Ok(Err(_)) if self.size == Some(self.received) => return Ok(None),
                    Ok(Err(error)) => breakage::innermost(&error),
                    Err(_) => breakage::stalled(stall),
                },
            };
            self.response = None;
            self.broke(&why).await?;
        }
    }

    /// Waits before the next connection, unless too many broke with too little to show for it.
    async fn broke(&mut self, why: &str) -> failure::Result<()> {
        if self.received.saturating_sub(self.mark) >= PROGRESS {
            self.mark = self.received;
            self.breaks = 0;
        }
        self.breaks += 1;
        tracing::debug!(
            what = self.what,
            why,
            received = self.received,
            "the transfer broke"
        );
        if self.size.is_none() || self.breaks >= self.connection.session.transport().limits().tries {
            let message = format!("{} broke off after {} bytes: {why}", self.what, self.received);
            let failure = Failure::new(Code::Unavailable, message).advise("try again later");
            return Err(retry::in_vain(failure, self.breaks));
        }
        sleep(retry::back_off(self.breaks, retry::random())).await;
        Ok(())
    }
}

impl Read for Blob {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.is_empty() {
            let connection = Arc::clone(&self.connection);
            match connection.wait(self.next())? {
                Some(chunk) => self.chunk = chunk,
                None => return Ok(0),
            }
        }
        let count = self.chunk.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), self.chunk.get(..count)) {
            to.copy_from_slice(from);
        }
        self.chunk.advance(count);
        Ok(count)
    }
}

/// Checks that a partial answer starts where it was asked to and belongs to a content of the stated size.
fn check_range(what: &str, header: Option<&str>, from: u64, size: Option<u64>) -> failure::Result<()> {
    let wrong = |why: String| {
        Err(Failure::new(
            Code::DigestMismatch,
            format!("{what} cannot be taken up again: {why}"),
        ))
    };
    let Some((start, total)) = header.and_then(parse_range) else {
        return wrong("the registry does not say which part it sends".into());
    };
    if start != from {
        return wrong(format!("asked for byte {from}, the registry sends byte {start}"));
    }
    match (total, size) {
        (Some(total), Some(size)) if total != size => wrong(format!(
            "the registry now says that it has {total} bytes, not the stated {size}"
        )),
        _ => Ok(()),
    }
}

/// First byte and total of `bytes 5-9/10`; a total of `*` is unknown (RFC 9110, 14.4).
pub(super) fn parse_range(header: &str) -> Option<(u64, Option<u64>)> {
    let (unit, rest) = header.trim().split_once(' ')?;
    let (range, total) = rest.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let first = first.trim().parse().ok()?;
    let last: u64 = last.trim().parse().ok()?;
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    let in_order = first <= last && total.is_none_or(|total| last < total);
    (unit.eq_ignore_ascii_case("bytes") && in_order).then_some((first, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_strictly() {
        assert_eq!(parse_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(parse_range("Bytes 5-9/*"), Some((5, None)));
        for header in [
            "",
            "bytes",
            "bytes */10",
            "bytes 5-9",
            "bytes 9-5/10",
            "bytes 5-10/10",
            "lines 5-9/10",
            "bytes -9/10",
        ] {
            assert_eq!(parse_range(header), None, "{header}");
        }
    }

    #[test]
    fn a_part_of_something_else_is_refused() {
        assert!(check_range("layer x", Some("bytes 5-9/10"), 5, Some(10)).is_ok());
        assert!(check_range("layer x", Some("bytes 5-9/*"), 5, Some(10)).is_ok());
        for header in [
            None,
            Some("bytes 0-9/10"),
            Some("bytes 6-9/10"),
            Some("bytes 5-9/11"),
            Some("x"),
        ] {
            let failure = check_range("layer x", header, 5, Some(10)).unwrap_err();
            assert_eq!(failure.code, Code::DigestMismatch, "{header:?}");
        }
    }
}
