//! A source opens a target: it yields images and hands out their layers as verified bytes.

mod files;
pub mod index;
mod json;
mod listing;
mod manifest;
mod oci_layout;
pub mod verified;

use std::{
    fmt,
    io::{self, Read},
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use self::{
    listing::{Asked, Form},
    verified::Verified,
};
use crate::{
    failure::{self, Code, Failure},
    gap::Gap,
    image::{Image, Layer, Platform},
    limits::Limits,
    target::{Kind, Select, Target},
    text,
};

/// Which platforms of a multi-platform image to open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PlatformChoice {
    /// The host's platform, or the only one there is.
    #[default]
    Default,
    /// Every one.
    All,
    /// Exactly this one.
    Exact(Platform),
}

/// What every source needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which platforms to open.
    pub platform: PlatformChoice,
    /// The caps.
    pub limits: Limits,
    /// Set to end all work soon.
    pub stop: Arc<AtomicBool>,
    /// Settings that only registries need.
    pub registry: RegistryOptions,
}

/// How to reach registries. `Debug` never shows a secret.
#[derive(Clone, Debug, Default)]
pub struct RegistryOptions {
    /// From `--username` and `--password-stdin`.
    pub login: Option<Login>,
    /// From `--registry-token`.
    pub token: Option<Secret>,
    /// Hosts, with port if any, to talk to without TLS, beside loopback ones.
    pub plain_http: Vec<String>,
    /// Hosts whose certificate is not checked.
    pub insecure: Vec<String>,
    /// PEM file of a certificate authority to trust beside the system's.
    pub ca_file: Option<std::path::PathBuf>,
    /// PEM files of a client certificate and its key.
    pub client_certificate: Option<(std::path::PathBuf, std::path::PathBuf)>,
}

/// A user name and password.
#[derive(Clone, Debug)]
pub struct Login {
    /// Who.
    pub username: String,
    /// The password or access token.
    pub password: Secret,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Opens the layers of a source's images, in any order, from any thread.
pub trait Blobs: Send + Sync {
    /// The layer's bytes as stored. Their digest and size, where known, are verified as they stream: the read that meets
    /// the end fails if they do not match, with a [`failure::Failure`] inside the I/O error.
    fn open(&self, layer: &Layer) -> failure::Result<Box<dyn Read + Send>>;

    /// What the source itself could not read; complete once all layers are read.
    fn gaps(&self) -> Vec<Gap> {
        Vec::new()
    }
}

/// What a target turned out to hold.
pub enum Opened {
    /// Images whose layers can be read in any order.
    Images {
        /// Each image, or why it cannot be scanned.
        images: Vec<Found>,
        /// Where their layers come from.
        blobs: Arc<dyn Blobs>,
    },
    /// An archive that can only be read once, front to back, its manifest perhaps last.
    Stream(Box<dyn Stream>),
}

/// One image of a target, or the part of it that failed: what it was called, and why.
pub type Found = Result<Image, (String, failure::Failure)>;

/// An archive that passes once.
pub trait Stream: Send {
    /// Reads to the end. Hands every member that could be a layer to `on_blob` with the name that a [`Layer::blob`] will
    /// have; what `on_blob` leaves unread is skipped. Then tells which images there were.
    fn run(self: Box<Self>, on_blob: &mut dyn FnMut(&str, &mut dyn Read)) -> failure::Result<Vec<Found>>;
}

/// Opens a target: finds out what it holds, without reading a layer.
///
/// # Errors
/// Whatever keeps the target as a whole from being opened; what is wrong with one image of several is its [`Found`].
pub fn open(target: &Target, options: &Options) -> failure::Result<Opened> {
    let layout = |path: &Path, form: Form, select: &Option<Select>| {
        oci_layout::open(path, &asked(target, path, form, select.clone()), options)
    };
    match &target.kind {
        Kind::OciLayout(path, select) => layout(path, Form::Oci, select),
        _ => Err(Failure::new(Code::Internal, "not built yet")),
    }
}

fn asked(target: &Target, path: &Path, form: Form, select: Option<Select>) -> Asked {
    let name = path
        .file_name()
        .map_or("image".into(), |name| name.to_string_lossy());
    let endings = [".gz", ".tgz", ".zst", ".tar"];
    let stem = endings.iter().fold(name.as_ref(), |name, ending| {
        name.strip_suffix(ending).unwrap_or(name)
    });
    Asked {
        text: target.to_string(),
        stem: text::escape(stem.as_bytes()),
        form,
        select,
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    let code = if error.kind() == io::ErrorKind::NotFound {
        Code::NotFound
    } else {
        Code::Unreadable
    };
    Failure::new(
        code,
        format!(
            "{} cannot be read: {error}",
            text::escape(path.as_os_str().as_encoded_bytes())
        ),
    )
}

/// Reads a small file whole.
fn read_capped(reader: impl Read, cap: u64, what: impl fmt::Display) -> failure::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "bounded by `take`")]
    let read = reader.take(cap.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| Failure::from_io(error, Code::Unreadable).at(&what))?;
    if bytes.len() as u64 > cap {
        return Err(Failure::new(
            Code::TooLarge,
            format!("{what} has more than {cap} bytes"),
        ));
    }
    Ok(bytes)
}

/// A layer's bytes, verified where its digest is known. Where none is, its diff ID is compared by the layer stage.
fn blob_reader(
    reader: impl Read + Send + 'static,
    is: u64,
    layer: &Layer,
) -> failure::Result<Box<dyn Read + Send>> {
    if let Some(stated) = layer.size
        && stated != is
    {
        return Err(Failure::new(
            Code::DigestMismatch,
            format!("layer {} has {is} bytes, not the stated {stated}", layer.blob),
        ));
    }
    Ok(match &layer.digest {
        Some(digest) => Box::new(Verified::new(
            reader,
            digest.clone(),
            layer.size,
            format!("layer {digest}"),
        )),
        None => Box::new(reader),
    })
}
