//! A server in this process that answers each request as a test says, wrongly if it says so, and remembers them.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use super::image::TestImage;

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
    /// How many requests for the same path came before.
    pub(crate) earlier: usize,
    /// How many connections were made before the one that it came over.
    pub(crate) connection: usize,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The first byte asked for.
    pub(crate) fn from(&self) -> Option<usize> {
        self.header("range")?
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()
    }
}

/// How the length of a body is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// By `Content-Length`, and right.
    Right,
    /// By `Content-Length`, of this many bytes.
    Claimed(usize),
    /// Not at all: the body ends with the connection.
    Untold,
    /// In chunks.
    Chunked,
}

/// What to answer.
pub(crate) struct Reply {
    /// 0 sends nothing at all.
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) length: Length,
    /// Bytes of the body after which the connection is closed.
    pub(crate) cut: Option<usize>,
    /// Keep the connection open and send nothing more.
    pub(crate) stall: bool,
    /// Send the body again and again.
    pub(crate) endless: bool,
    /// Take more requests over the same connection.
    pub(crate) keep: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            length: Length::Right,
            cut: None,
            stall: false,
            endless: false,
            keep: false,
        }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn cut(mut self, after: usize) -> Self {
        self.cut = Some(after);
        self
    }

    pub(crate) fn length(mut self, length: Length) -> Self {
        self.length = length;
        self
    }
}

/// A running server. It ends with the process: its threads wait for nobody.
pub(crate) struct Server {
    /// Host and port.
    pub(crate) address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(answer);
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().flatten().enumerate() {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                thread::spawn(move || {
                    // A client that goes away is part of the tests.
                    while let Ok(true) = converse(&stream, connection, &*answer, &seen) {}
                });
            }
        });
        Self { address, requests }
    }

    /// All requests so far whose path holds `part`.
    pub(crate) fn requests(&self, part: &str) -> Vec<Request> {
        let requests = self.requests.lock().unwrap();
        requests
            .iter()
            .filter(|request| request.path.contains(part))
            .cloned()
            .collect()
    }
}

/// Takes one request and answers it; whether another may come.
fn converse(
    stream: &TcpStream,
    connection: usize,
    answer: &(dyn Fn(&Request) -> Reply + Send + Sync),
    seen: &Mutex<Vec<Request>>,
) -> std::io::Result<bool> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(false);
    }
    let mut words = line.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (method, path) = (method.to_owned(), path.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = String::new();
    reader.take(length).read_to_string(&mut body)?;
    let mut request = Request {
        method,
        path,
        headers,
        body,
        earlier: 0,
        connection,
    };
    {
        let mut seen = seen.lock().unwrap();
        request.earlier = seen.iter().filter(|earlier| earlier.path == request.path).count();
        seen.push(request.clone());
    }
    let reply = answer(&request);
    send(stream, &reply)?;
    Ok(reply.keep)
}

fn send(mut stream: &TcpStream, reply: &Reply) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} x\r\n", reply.status);
    if !reply.keep {
        head.push_str("Connection: close\r\n");
    }
    for (name, value) in &reply.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    match reply.length {
        Length::Right => {
            let _ = write!(head, "Content-Length: {}\r\n", reply.body.len());
        }
        Length::Claimed(length) => {
            let _ = write!(head, "Content-Length: {length}\r\n");
        }
        Length::Untold => {}
        Length::Chunked => head.push_str("Transfer-Encoding: chunked\r\n"),
    }
    head.push_str("\r\n");
    if reply.status != 0 {
        stream.write_all(head.as_bytes())?;
    }
    let body = &reply.body[..reply.cut.unwrap_or(reply.body.len()).min(reply.body.len())];
    if reply.length == Length::Chunked {
        for piece in body.chunks(1_000) {
            write!(stream, "{:x}\r\n", piece.len())?;
            stream.write_all(piece)?;
            stream.write_all(b"\r\n")?;
        }
        if reply.cut.is_none() {
            stream.write_all(b"0\r\n\r\n")?;
        }
    } else {
        stream.write_all(body)?;
    }
    if reply.endless {
        loop {
            stream.write_all(body)?;
        }
    }
    if reply.stall {
        stream.flush()?;
        thread::sleep(Duration::from_secs(30));
    }
    Ok(())
}

/// What a right registry answers that holds `image` in every repository and under every tag.
pub(crate) fn serve(image: &TestImage, request: &Request) -> Reply {
    let path = request.path.split('?').next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    if path.contains("/manifests/") {
        return Reply::new(200, image.manifest.clone()).with("Content-Type", image.media_type);
    }
    if path == "/v2/" {
        return Reply::new(200, "{}");
    }
    match image.blobs().find(|(digest, _)| digest == name) {
        Some((_, bytes)) => match request.from() {
            Some(from) if from >= bytes.len() => Reply::new(416, ""),
            Some(from) => {
                let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
                Reply::new(206, &bytes[from..]).with("Content-Range", range)
            }
            None => Reply::new(200, bytes),
        },
        None => Reply::new(
            404,
            r#"{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}"#,
        ),
    }
}
