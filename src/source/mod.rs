//! A source opens a target: it yields images and hands out their layers as verified bytes.

mod archive;
mod docker_context;
mod docker_daemon;
mod files;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
pub mod index;
mod json;
mod listing;
mod manifest;
mod oci_layout;
pub mod registry;
mod rootfs_dir;
#[cfg(test)]
pub(crate) mod samples;
pub mod verified;

use std::{
    fmt,
    fs::{File, Metadata},
    io::{self, Read},
    os::unix::fs::FileExt as _,
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    fn run(
        self: Box<Self>,
        on_blob: &mut dyn FnMut(&str, &mut (dyn Read + Send)),
    ) -> failure::Result<Vec<Found>>;
}

/// Opens a target: finds out what it holds, without reading a layer.
///
/// # Errors
/// Whatever keeps the target as a whole from being opened; what is wrong with one image of several is its [`Found`].
pub fn open(target: &Target, options: &Options) -> failure::Result<Opened> {
    match &target.kind {
        Kind::Registry(reference) => registry::open(reference, &target.text, options),
        Kind::Word(path, _) if looks_scannable(path) => whatever(target, path, options),
        Kind::Word(_, reference) => {
            registry::open(reference.as_ref().map_err(Clone::clone)?, &target.text, options)
        }
        Kind::OciLayout(path, select) => {
            oci_layout::open(path, &asked(target, path, Form::Oci, select.as_ref()), options)
        }
        Kind::OciArchive(path, select) => {
            file(path, &asked(target, path, Form::Oci, select.as_ref()), options)
        }
        Kind::DockerArchive(path, select) => {
            file(path, &asked(target, path, Form::Docker, select.as_ref()), options)
        }
        Kind::Path(path) => whatever(target, path, options),
        Kind::Stdin => Ok(stream(
            Box::new(io::stdin()),
            asked(target, Path::new("stdin"), Form::Any, None),
            options,
        )),
        Kind::Rootfs(path) => root(path, &asked(target, path, Form::Any, None), options),
        Kind::DockerDaemon(name) => {
            let body = docker_daemon::export(name, options)?;
            Ok(stream(
                body,
                asked(target, Path::new(name), Form::Any, None),
                options,
            ))
        }
    }
}

/// The registry that a target is asked of; `None` for one on this machine.
pub fn registry_host(target: &Target) -> Option<&str> {
    match &target.kind {
        Kind::Registry(reference) => Some(reference.host()),
        Kind::Word(path, Ok(reference)) if !looks_scannable(path) => Some(reference.host()),
        _ => None,
    }
}

/// Opens a root file system: a directory, or a tar of one.
fn root(path: &Path, asked: &Asked, options: &Options) -> failure::Result<Opened> {
    let (file, metadata) = open_file(path)?;
    if metadata.is_file() {
        archive::open(file, asked, options, true)
    } else {
        rootfs_dir::open(path, asked, options)
    }
}

/// Whether a bare word is more likely a path than an image's name: a layout, a root directory or an archive is there.
fn looks_scannable(path: &Path) -> bool {
    let Ok(metadata) = std::fs::metadata(path) else {
        return false;
    };
    if metadata.is_dir() {
        return layout_or_root(path) != Directory::Neither;
    }
    let ending = path.extension().and_then(|ending| ending.to_str());
    if metadata.is_file() && matches!(ending, Some("tar" | "tgz" | "gz" | "zst" | "xz" | "bz2" | "zip")) {
        // Whoever writes `image.tar` beside such a file means it, even if it holds no image.
        return true;
    }
    let mut start = [0; 512];
    let read = metadata.is_file().then(|| {
        open_file(path).and_then(|(file, _)| {
            file.read_at(&mut start, 0)
                .map_err(|error| cannot_read(path, &error))
        })
    });
    matches!(read, Some(Ok(count)) if archive::looks_like_one(start.get(..count).unwrap_or_default()))
}

/// Opens what a path leads to, by its content.
fn whatever(target: &Target, path: &Path, options: &Options) -> failure::Result<Opened> {
    let asked = asked(target, path, Form::Any, None);
    let metadata = std::fs::metadata(path).map_err(|error| cannot_read(path, &error))?;
    if !metadata.is_dir() {
        return file(path, &asked, options);
    }
    match layout_or_root(path) {
        Directory::Layout => oci_layout::open(path, &asked, options),
        Directory::Root => rootfs_dir::open(path, &asked, options),
        Directory::Skopeo => Err(Failure::new(
            Code::NotAnImage,
            "this is a directory as skopeo's dir: writes it",
        )
        .advise("convert it with `skopeo copy dir:FROM oci:TO` and scan oci:TO")),
        Directory::Neither => Err(Failure::new(
            Code::NotAnImage,
            "the directory holds neither an image layout nor a root file system",
        )
        .advise("if it is a root file system, write rootfs: before its name")),
    }
}

/// What a directory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directory {
    Layout,
    Skopeo,
    Root,
    Neither,
}

fn layout_or_root(path: &Path) -> Directory {
    let has = |name: &str| path.join(name).symlink_metadata().is_ok();
    if ["oci-layout", "index.json"].into_iter().any(has) {
        Directory::Layout
    } else if has("manifest.json") && has("version") {
        Directory::Skopeo
    } else if has("manifest.json") {
        Directory::Layout
    } else if ["etc", "bin", "usr"].into_iter().any(has) {
        Directory::Root
    } else {
        Directory::Neither
    }
}

/// Opens an archive: a regular file by its members' places, a pipe front to back.
fn file(path: &Path, asked: &Asked, options: &Options) -> failure::Result<Opened> {
    let (file, metadata) = open_file(path)?;
    if metadata.is_dir() {
        return Err(
            Failure::new(Code::BadTarget, format!("{} is a directory", shown(path)))
                .advise("write oci:DIR for an image layout, rootfs:DIR for a root directory"),
        );
    }
    if metadata.is_file() {
        archive::open(file, asked, options, false)
    } else {
        Ok(stream(Box::new(file), asked.clone(), options))
    }
}

fn open_file(path: &Path) -> failure::Result<(File, Metadata)> {
    #[expect(clippy::disallowed_methods, reason = "the user named this file")]
    let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
    let metadata = file.metadata().map_err(|error| cannot_read(path, &error))?;
    Ok((file, metadata))
}

fn stream(reader: Box<dyn Read + Send>, asked: Asked, options: &Options) -> Opened {
    Opened::Stream(Box::new(archive::ArchiveStream::new(
        reader,
        asked,
        options.clone(),
    )))
}

/// A root file system without configuration, as an image of one layer.
fn bare_image(asked: &Asked, blob: &str) -> Image {
    Image {
        target: asked.text.clone(),
        reference: None,
        name: asked.stem.clone(),
        digest: None,
        index_digest: None,
        platform: None,
        config: None,
        layers: vec![Layer {
            digest: None,
            diff_id: None,
            size: None,
            media_type: None,
            blob: blob.to_owned(),
        }],
        other_platforms: Vec::new(),
        notes: Vec::new(),
    }
}

fn no_layer(layer: &Layer) -> Failure {
    Failure::new(
        Code::NotFound,
        format!("layer {} is listed but not there", layer.blob),
    )
}

fn shown(path: &Path) -> String {
    text::escape(path.as_os_str().as_encoded_bytes())
}

fn asked(target: &Target, path: &Path, form: Form, select: Option<&Select>) -> Asked {
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
        select: select.cloned(),
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    let code = if error.kind() == io::ErrorKind::NotFound {
        Code::NotFound
    } else {
        Code::Unreadable
    };
    Failure::new(code, format!("{} cannot be read: {error}", shown(path)))
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

#[cfg(test)]
mod tests;
