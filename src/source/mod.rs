//! A source opens a target: it yields images and hands out their layers as verified bytes.

pub mod index;
mod json;
mod manifest;
pub mod registry;
pub mod verified;

use std::{
    io::Read,
    sync::{Arc, atomic::AtomicBool},
};

use crate::{
    failure,
    image::{Image, Layer, Platform},
    limits::Limits,
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
