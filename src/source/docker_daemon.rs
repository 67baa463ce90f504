//! The Docker daemon hands out its images as archives, over its Unix socket; they pass once, like standard input.

use std::{
    env,
    io::{self, BufRead as _, BufReader, Read, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Options, docker_context};
use crate::{
    failure::{self, Code, Failure},
    text,
};

/// Where the daemon listens unless `DOCKER_HOST` or a context says otherwise.
const SOCKET: &str = "/var/run/docker.sock";

/// Bytes of one line of an answer's head, and lines of it.
const LINE: u64 = 16 << 10;
const LINES: usize = 256;

/// Asks the daemon for an image: the archive as `docker save` would write it.
///
/// # Errors
/// `Unreadable` without a daemon to talk to or the right to, `NotFound` if it has no such image, `Unavailable` if it is
/// slow or broken.
pub(crate) fn export(name: &str, options: &Options) -> failure::Result<Box<dyn Read + Send>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment says where the daemon listens"
    )]
    let host = docker_context::host(|name| env::var_os(name))?;
    export_from(&socket(&host)?, name, options)
}

fn socket(host: &str) -> failure::Result<PathBuf> {
    match host.strip_prefix("unix://") {
        Some(path) if !path.is_empty() => Ok(path.into()),
        _ if host.is_empty() => Ok(SOCKET.into()),
        _ => Err(Failure::new(
            Code::BadTarget,
            format!(
                "the Docker daemon is at `{}`, and scant talks to Unix sockets only",
                text::escape(host.as_bytes())
            ),
        )
        .advise("pipe the image instead: `docker save NAME | scant scan -`")),
    }
}

fn export_from(socket: &Path, name: &str, options: &Options) -> failure::Result<Box<dyn Read + Send>> {
    let stall = Duration::from_secs(options.limits.stall);
    let shown = text::escape(socket.as_os_str().as_encoded_bytes());
    let mut stream = UnixStream::connect(socket).map_err(|error| {
        let failure = Failure::new(
            Code::Unreadable,
            format!("the Docker daemon at {shown} cannot be reached: {error}"),
        );
        match error.kind() {
            io::ErrorKind::PermissionDenied => failure.advise(
                "run scant as a user of the group docker, or write `docker save NAME | scant scan -`",
            ),
            _ => failure.advise("start the daemon, or name its socket in DOCKER_HOST"),
        }
    })?;
    let lost = |error: io::Error| {
        Failure::new(
            Code::Unavailable,
            format!("the Docker daemon at {shown} does not answer: {error}"),
        )
    };
    stream.set_read_timeout(Some(stall)).map_err(lost)?;
    stream.set_write_timeout(Some(stall)).map_err(lost)?;
    let version = env!("CARGO_PKG_VERSION");
    let request = format!(
        "GET /images/{}/get HTTP/1.1\r\nHost: docker\r\nUser-Agent: scant/{version}\r\nAccept-Encoding: identity\r\n\
         Connection: close\r\n\r\n",
        percent_encode(name)
    );
    stream.write_all(request.as_bytes()).map_err(lost)?;
    let mut reader = BufReader::new(stream);
    let (status, length) = head(&mut reader).map_err(lost)?;
    let mut body = Body { reader, length };
    if status == 200 {
        return Ok(Box::new(body));
    }
    let answer = super::read_capped(
        body.by_ref().take(300),
        options.limits.answer,
        "the daemon's answer",
    );
    let answer = text::escape(&answer.unwrap_or_default());
    let name = text::escape(name.as_bytes());
    Err(match status {
        404 => Failure::new(
            Code::NotFound,
            format!("the Docker daemon has no image `{name}`: {answer}"),
        )
        .advise("pull it first, or leave docker-daemon: away to read it from its registry"),
        500..=599 => Failure::new(
            Code::Unavailable,
            format!("the Docker daemon fails with {status}: {answer}"),
        ),
        _ => Failure::new(
            Code::Unreadable,
            format!("the Docker daemon refuses with {status}: {answer}"),
        ),
    })
}

/// How the end of an answer's body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    /// Bytes that are left.
    Exactly(u64),
    /// Bytes left of the current chunk, and whether it is the first.
    Chunks(u64, bool),
    /// The connection's end.
    Close,
    Ended,
}

/// Reads the status line and the fields (RFC 9112).
fn head(reader: &mut impl io::BufRead) -> io::Result<(u16, Length)> {
    let first = line(reader)?;
    let mut words = first.split(' ');
    let status = match (words.next(), words.next().and_then(|status| status.parse().ok())) {
        (Some(version), Some(status)) if version.starts_with("HTTP/1.") => status,
        _ => return Err(bad("it does not speak HTTP")),
    };
    let mut length = Length::Close;
    for _ in 0..LINES {
        let field = line(reader)?;
        if field.is_empty() {
            return Ok((status, length));
        }
        let Some((name, value)) = field.split_once(':') else {
            return Err(bad("a header field has no colon"));
        };
        let value = value.trim();
        if name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                return Err(bad("an unknown transfer encoding"));
            }
            // Chunks win over a stated length (RFC 9112, 6.3).
            length = Length::Chunks(0, true);
        } else if name.eq_ignore_ascii_case("content-length") && !matches!(length, Length::Chunks(..)) {
            length = Length::Exactly(value.parse().map_err(|_| bad("a length that is no number"))?);
        }
    }
    Err(bad("too many header fields"))
}

/// One line without its end.
fn line(reader: &mut impl io::BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.take(LINE).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(bad("it breaks off, or a line is too long"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map_err(|_| bad("a line is no text"))
}

fn bad(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// The body of an answer. One that breaks off is an error, never an end.
struct Body<R> {
    reader: R,
    length: Length,
}

impl<R: io::BufRead> Body<R> {
    fn read_part(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Length::Chunks(0, first) = self.length {
            if !first && !line(&mut self.reader)?.is_empty() {
                return Err(bad("a chunk is longer than stated"));
            }
            let size = line(&mut self.reader)?;
            let size = size.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| bad("a chunk has no size"))?;
            self.length = if size == 0 {
                Length::Ended
            } else {
                Length::Chunks(size, false)
            };
        }
        let left = match self.length {
            Length::Exactly(left) | Length::Chunks(left, _) => left,
            Length::Close => u64::MAX,
            Length::Ended => 0,
        };
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.reader.read(buffer.get_mut(..wanted).unwrap_or_default())?;
        let rest = left.saturating_sub(count as u64);
        if count == 0 && wanted > 0 && self.length != Length::Close {
            return Err(bad("the connection broke off"));
        }
        self.length = match self.length {
            Length::Exactly(_) => Length::Exactly(rest),
            Length::Chunks(..) => Length::Chunks(rest, false),
            other => other,
        };
        Ok(count)
    }
}

impl<R: io::BufRead> Read for Body<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.read_part(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => Failure::new(Code::Unavailable, format!("the Docker daemon's answer: {error}")).into(),
        })
    }
}

/// A name as one segment of a URL's path, where the daemon takes `/` and `:` as they are.
fn percent_encode(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' | b'@' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixListener, thread};

    use super::*;
    use crate::source::{
        Opened,
        listing::{Asked, Form},
        samples::{Made, Sample, Seen, layer, options, see},
        stream,
    };

    /// Answers one request and tells its first line.
    fn daemon(answer: Vec<u8>) -> (tempfile::TempDir, PathBuf, thread::JoinHandle<String>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("docker.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let served = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let request = line(&mut reader).unwrap();
            while !line(&mut reader).unwrap().is_empty() {}
            // The client may hang up early.
            let _ = reader.get_mut().write_all(&answer);
            request
        });
        (directory, path, served)
    }

    fn ask(answer: Vec<u8>) -> (failure::Result<Seen>, String) {
        let (_directory, path, served) = daemon(answer);
        let asked = Asked {
            text: "docker-daemon:one:1".into(),
            stem: "one".into(),
            form: Form::Any,
            select: None,
        };
        let seen = export_from(&path, "a/one:1 ?", &options()).and_then(|body| {
            let opened: Opened = stream(body, asked, &options());
            see(opened)
        });
        (seen, served.join().unwrap())
    }

    fn saved() -> Vec<u8> {
        Sample::docker(&[Made::new("one:1", "1", &["a"])]).to_tar()
    }

    fn chunked(bytes: &[u8]) -> Vec<u8> {
        let mut out = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n".to_vec();
        for chunk in bytes.chunks(700) {
            out.extend(format!("{:X};x=y\r\n", chunk.len()).into_bytes());
            out.extend(chunk);
            out.extend(b"\r\n");
        }
        out.extend(b"0\r\n\r\n");
        out
    }

    #[test]
    fn an_image_streams_in_every_framing() {
        let tar = saved();
        let with = |head: &str| [head.as_bytes(), b"\r\n\r\n", &tar].concat();
        for answer in [
            chunked(&tar),
            with(&format!("HTTP/1.1 200 OK\r\ncontent-length: {}", tar.len())),
            with("HTTP/1.0 200 OK\r\nContent-Type: application/x-tar"),
        ] {
            let (seen, request) = ask(answer);
            let seen = seen.unwrap();
            assert_eq!(seen.references(), ["docker.io/library/one:1"]);
            assert_eq!(seen.layers[0][0].as_ref().unwrap(), &layer("a"));
            assert_eq!(request, "GET /images/a/one:1%20%3F/get HTTP/1.1");
        }
    }

    #[test]
    fn an_answer_that_breaks_off_may_be_tried_again() {
        let tar = saved();
        let mut cut = chunked(&tar);
        cut.truncate(1500);
        let long = [
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", tar.len() + 1).as_bytes(),
            &tar[..1500],
        ]
        .concat();
        for answer in [
            cut,
            long,
            b"SSH-2.0-x\r\n".to_vec(),
            Vec::new(),
            b"HTTP/1.1 200 OK\r\nx\r\n\r\n".to_vec(),
        ] {
            assert_eq!(ask(answer).0.err().unwrap().code, Code::Unavailable);
        }
    }

    #[test]
    fn an_answer_that_breaks_the_protocol_is_not_read() {
        let with = |head: &str| [b"HTTP/1.1 200 OK\r\n", head.as_bytes(), b"\r\n\r\n", &saved()].concat();
        assert!(ask(with("a: b")).0.is_ok());
        for answer in [
            with("Transfer-Encoding: gzip"),
            with("Content-Length: x"),
            with(&format!("a: {}", "b".repeat(20_000))),
            with(&vec!["a: b"; 300].join("\r\n")),
            // A chunk that goes on behind its stated size.
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n".to_vec(),
        ] {
            let failure = ask(answer).0.err().unwrap();
            assert_eq!(failure.code, Code::Unavailable, "{failure}");
        }
    }

    #[test]
    fn a_daemon_that_says_nothing_is_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("docker.sock");
        // Connections wait here, and nobody takes them.
        let _listener = UnixListener::bind(&path).unwrap();
        let mut options = options();
        options.limits.stall = 1;
        let failure = export_from(&path, "x", &options).err().unwrap();
        assert_eq!(failure.code, Code::Unavailable, "{failure}");
    }

    #[test]
    fn refusals_are_told() {
        for (status, code) in [
            ("404 Not Found", Code::NotFound),
            ("500 Oops", Code::Unavailable),
            ("403 Forbidden", Code::Unreadable),
        ] {
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 13\r\n\r\n{{\"no\":\"\x1b[1m\"}}");
            let failure = ask(answer.into_bytes()).0.err().unwrap();
            assert_eq!(failure.code, code);
            assert!(!failure.message.contains('\x1b'), "{failure}");
        }
    }

    #[test]
    fn no_daemon_is_said_with_what_to_do() {
        let failure = export_from(Path::new("/nonexistent/docker.sock"), "x", &options())
            .err()
            .unwrap();
        assert_eq!(failure.code, Code::Unreadable);
        assert!(failure.advice.unwrap().contains("DOCKER_HOST"));
        assert_eq!(socket("").unwrap(), Path::new(SOCKET));
        assert_eq!(socket("unix:///run/x.sock").unwrap(), Path::new("/run/x.sock"));
        assert_eq!(socket("tcp://127.0.0.1:2375").unwrap_err().code, Code::BadTarget);
    }
}
