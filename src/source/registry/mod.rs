//! A registry serves images over HTTP (OCI distribution-spec): here its manifests and layers become verified bytes.

mod blob;
mod breakage;
mod challenge;
mod credentials;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod helper;
mod queue;
mod refusal;
mod retry;
mod session;
mod token;
mod transport;
mod trust;

use std::{
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::{
    Response, Url,
    header::{CONTENT_TYPE, HeaderMap},
};
use tokio::{
    runtime::{Builder, Runtime},
    time::{sleep, timeout},
};

use self::{
    blob::Layers,
    session::Session,
    transport::{Ask, Transport},
};
use super::{
    Opened, Options,
    index::{self, Manifests, Names},
    manifest::MANIFEST_TYPES,
    verified::{self, Hasher},
};
use crate::{
    failure::{self, Code, Failure},
    image::{Algorithm, Digest},
    reference::{Reference, is_loopback},
};

/// Asks a registry for the image or images behind `reference`. `target` is what the user wrote.
///
/// # Errors
/// No connection, no permission, nothing there, or something that is no image: [`Failure::code`] tells which.
pub fn open(reference: &Reference, target: &str, options: &Options) -> failure::Result<Opened> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment says where credentials are kept"
    )]
    let files = credentials::files(|name| std::env::var_os(name));
    let found = credentials::find(reference, &options.registry, &files, &options.stop);
    let runtime = runtime()?;
    let certificates = trust::HOST_DIRECTORIES.iter().map(PathBuf::from).collect();
    let transport = Transport::new(
        reference.api_host(),
        &options.registry,
        &options.limits,
        certificates,
    );
    let stop = Arc::clone(&options.stop);
    let base = wait(runtime, &stop, base(reference, options, &transport))?;
    let session = Session::new(transport, base, reference.name(), found.credentials, found.notes)?;
    let connection = Arc::new(Connection {
        session,
        runtime,
        stop,
    });

    let name = match (reference.digest(), reference.tag()) {
        (Some(digest), _) => digest.to_string(),
        (None, tag) => tag.unwrap_or("latest").to_owned(),
    };
    let what = format!("image {reference}");
    let root = connection.document(
        &what,
        "manifests",
        &name,
        &MANIFEST_TYPES,
        reference.digest(),
        None,
    )?;
    let names = Names {
        target: target.to_owned(),
        reference: Some(reference.canonical()),
        name: reference.name().to_owned(),
    };
    let mut images = index::images(
        &root.bytes,
        &root.digest,
        root.media_type.as_deref(),
        &*connection,
        &names,
        options,
    )?;
    // Of the registry or its token service: whoever else sends layers is held to their digests.
    for host in connection.session.transport().unchecked() {
        let note = format!("the certificate of {host} was not checked, as asked");
        tracing::warn!("{note}");
        for image in images.iter_mut().flatten() {
            image.notes.push(note.clone());
        }
    }
    Ok(Opened::Images {
        images,
        blobs: Arc::new(Layers::of(connection)),
    })
}

/// All that layers and manifests of one repository share.
struct Connection {
    session: Session,
    runtime: &'static Runtime,
    stop: Arc<AtomicBool>,
}

/// A manifest or configuration as it came.
struct Document {
    bytes: Vec<u8>,
    digest: Digest,
    media_type: Option<String>,
}

impl Connection {
    /// Waits for `future` on the calling thread, until the scan is told to stop.
    fn wait<T>(&self, future: impl Future<Output = failure::Result<T>>) -> failure::Result<T> {
        wait(self.runtime, &self.stop, future)
    }

    /// Reads a document whole and verifies it: a wrong one is asked for once more, over a new connection.
    fn document(
        &self,
        what: &str,
        kind: &str,
        name: &str,
        accept: &'static [&'static str],
        digest: Option<&Digest>,
        size: Option<u64>,
    ) -> failure::Result<Document> {
        let ask = || self.wait(self.ask_document(what, kind, name, accept, digest, size));
        match ask() {
            Err(failure) if failure.code == Code::DigestMismatch => {
                self.session.transport().reconnect();
                ask()
            }
            result => result,
        }
    }

    async fn ask_document(
        &self,
        what: &str,
        kind: &str,
        name: &str,
        accept: &'static [&'static str],
        digest: Option<&Digest>,
        size: Option<u64>,
    ) -> failure::Result<Document> {
        let limits = self.session.transport().limits();
        let cap = if kind == "manifests" {
            limits.manifest
        } else {
            limits.config
        };
        check_cap(what, size, cap)?;
        let mut tries = 0;
        let (response_headers, bytes) = loop {
            let answer = self.session.get(what, kind, name, accept, 0).await?;
            let headers = answer.response.headers().clone();
            match self.body(what, answer.response, cap).await {
                Ok(bytes) => break (headers, bytes),
                Err(failure) => {
                    tries += 1;
                    if failure.code != Code::Unavailable {
                        return Err(failure);
                    }
                    if tries >= limits.tries {
                        return Err(retry::in_vain(failure, tries));
                    }
                    sleep(retry::back_off(tries, retry::random())).await;
                }
            }
        };
        let media_type = content_type(&response_headers);
        let is_page = media_type.as_deref() == Some("text/html") || refusal::looks_like_html(&bytes);
        // A page under the right digest is what the image's author put there: then the parser says what is wrong.
        if is_page && digest.is_none() {
            let message = format!("{what}: the answer is a web page; is this a registry?");
            return Err(Failure::new(Code::BadTarget, message)
                .advise("check the registry's name, and proxies between"));
        }
        if digest.is_none() && bytes.trim_ascii_start().first() != Some(&b'{') {
            let message = format!("{what}: the answer is not JSON; is this a registry?");
            return Err(Failure::new(Code::BadTarget, message)
                .advise("check the registry's name, and proxies between"));
        }
        let stated =
            header(&response_headers, "docker-content-digest").and_then(|text| text.parse::<Digest>().ok());
        // Without a digest that was asked for, the registry's own statement at least must hold.
        let digest = match digest.cloned().or(stated) {
            Some(digest) => {
                verified::check(what, &bytes, &digest, size)?;
                digest
            }
            None => digest_of(&bytes),
        };
        Ok(Document {
            bytes,
            digest,
            media_type,
        })
    }

    /// A body in memory, refused once it is longer than `cap`.
    async fn body(&self, what: &str, mut response: Response, cap: u64) -> failure::Result<Vec<u8>> {
        check_cap(what, response.content_length(), cap)?;
        let broke = |why: &str| {
            Failure::new(
                Code::Unavailable,
                format!("{what}: the transfer broke off: {why}"),
            )
        };
        let mut bytes = Vec::new();
        let stall = self.session.transport().stall();
        loop {
            match timeout(stall, response.chunk()).await {
                Ok(Ok(Some(chunk))) => {
                    check_cap(what, Some((bytes.len() + chunk.len()) as u64), cap)?;
                    bytes.extend_from_slice(&chunk);
                }
                Ok(Ok(None)) => return Ok(bytes),
                Ok(Err(error)) => return Err(broke(&breakage::innermost(&error))),
                Err(_) => return Err(broke(&breakage::stalled(stall))),
            }
        }
    }
}

impl Manifests for Connection {
    fn manifest(&self, digest: &Digest, size: Option<u64>) -> failure::Result<Vec<u8>> {
        let what = format!("manifest {digest}");
        let document = self.document(
            &what,
            "manifests",
            &digest.to_string(),
            &MANIFEST_TYPES,
            Some(digest),
            size,
        )?;
        Ok(document.bytes)
    }

    fn config(&self, digest: &Digest, size: Option<u64>) -> failure::Result<Vec<u8>> {
        let what = format!("configuration {digest}");
        let document = self.document(&what, "blobs", &digest.to_string(), &[], Some(digest), size)?;
        Ok(document.bytes)
    }
}

/// Where requests go: https, but plain http to hosts that the user named for it and to registries of this machine that
/// speak it.
async fn base(reference: &Reference, options: &Options, transport: &Transport) -> failure::Result<Url> {
    let host = reference.api_host();
    let at = |scheme: &str| {
        Url::parse(&format!("{scheme}://{host}/"))
            .map_err(|error| Failure::new(Code::BadTarget, format!("{host} is no host: {error}")))
    };
    if is_named(&options.registry.plain_http, reference) {
        return at("http");
    }
    if !is_loopback(host) || is_named(&options.registry.insecure, reference) {
        return at("https");
    }
    // Within one machine TLS protects nothing, so plain http may be tried first; it carries no credentials yet.
    let probe = Ask {
        what: "registry",
        url: at("http")?
            .join("/v2/")
            .map_err(|_| Failure::new(Code::Internal, "a path that is none"))?,
        accept: &[],
        from: 0,
        authorization: None,
        form: None,
    };
    let speaks_tls = transport.refuses_plain_http(&probe).await;
    at(if speaks_tls { "https" } else { "http" })
}

fn is_named(hosts: &[String], reference: &Reference) -> bool {
    hosts
        .iter()
        .any(|host| host.eq_ignore_ascii_case(reference.host()))
}

/// The one runtime of the process: it holds connections, callers wait on their own threads.
fn runtime() -> failure::Result<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        builder
            .worker_threads(2)
            .thread_name("registry")
            .enable_all()
            .build()
            .ok()
    });
    runtime.as_ref().ok_or_else(|| {
        Failure::new(
            Code::Internal,
            "the threads that talk to registries cannot be started",
        )
    })
}

fn wait<T>(
    runtime: &Runtime,
    stop: &AtomicBool,
    future: impl Future<Output = failure::Result<T>>,
) -> failure::Result<T> {
    runtime.block_on(async {
        tokio::select! {
            biased;
            result = future => result,
            () = stopped(stop) => Err(Failure::stopped()),
        }
    })
}

async fn stopped(stop: &AtomicBool) {
    loop {
        sleep(Duration::from_millis(100)).await;
        if stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

fn check_cap(what: &str, size: Option<u64>, cap: u64) -> failure::Result<()> {
    match size {
        Some(size) if size > cap => Err(Failure::new(
            Code::TooLarge,
            format!("{what} has more than {cap} bytes, the most that scant reads"),
        )),
        _ => Ok(()),
    }
}

fn digest_of(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(bytes);
    hasher.finish()
}

/// The media type of an answer, without its parameters.
fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = header(headers, CONTENT_TYPE.as_str())?;
    let media_type = value.split(';').next()?.trim().to_ascii_lowercase();
    (!media_type.is_empty()).then_some(media_type)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
