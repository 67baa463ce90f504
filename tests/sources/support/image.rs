//! Small images made of nothing but what a test says.

use std::{fmt::Write as _, io::Write};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(crate) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// `sha256:…` of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in digest(&SHA256, bytes).as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Bytes that do not compress.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// An image as a registry keeps it.
#[derive(Clone)]
pub(crate) struct TestImage {
    pub(crate) manifest: Vec<u8>,
    pub(crate) media_type: &'static str,
    pub(crate) config: Vec<u8>,
    pub(crate) layers: Vec<Vec<u8>>,
}

impl TestImage {
    /// An image whose layers hold one file of noise each, of these sizes.
    pub(crate) fn new(media_type: &'static str, platform: (&str, &str), sizes: &[usize]) -> Self {
        let mut layers = Vec::new();
        let mut diff_ids = Vec::new();
        for (number, size) in sizes.iter().enumerate() {
            let tar = layer(number, *size);
            diff_ids.push(sha256(&tar));
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(&tar).unwrap();
            layers.push(gzip.finish().unwrap());
        }
        let config = json!({
            "os": platform.0,
            "architecture": platform.1,
            "config": { "User": "65532:65532", "Entrypoint": ["/app"] },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let mut image = Self {
            manifest: Vec::new(),
            media_type,
            config: config.to_string().into_bytes(),
            layers,
        };
        image.manifest = image.manifest_json().to_string().into_bytes();
        image
    }

    /// Two layers for this machine's kind.
    pub(crate) fn plain() -> Self {
        Self::new(OCI_MANIFEST, host_platform(), &[200_000, 3_000])
    }

    fn manifest_json(&self) -> Value {
        let (config_type, layer_type) = if self.media_type == DOCKER_MANIFEST {
            (
                "application/vnd.docker.container.image.v1+json",
                "application/vnd.docker.image.rootfs.diff.tar.gzip",
            )
        } else {
            (
                "application/vnd.oci.image.config.v1+json",
                "application/vnd.oci.image.layer.v1.tar+gzip",
            )
        };
        let layers: Vec<Value> = self
            .layers
            .iter()
            .map(|bytes| descriptor(layer_type, bytes))
            .collect();
        json!({
            "schemaVersion": 2,
            "mediaType": self.media_type,
            "config": descriptor(config_type, &self.config),
            "layers": layers,
        })
    }

    pub(crate) fn digest(&self) -> String {
        sha256(&self.manifest)
    }

    /// The blobs by digest.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = (String, &[u8])> {
        std::iter::once(&self.config)
            .chain(&self.layers)
            .map(|bytes| (sha256(bytes), bytes.as_slice()))
    }
}

/// An index of images for these platforms.
pub(crate) fn index(media_type: &str, children: &[(&TestImage, (&str, &str))]) -> Vec<u8> {
    let manifests: Vec<Value> = children
        .iter()
        .map(|(image, (os, architecture))| {
            let mut child = descriptor(image.media_type, &image.manifest);
            child["platform"] = json!({ "os": os, "architecture": architecture });
            child
        })
        .collect();
    json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": manifests })
        .to_string()
        .into_bytes()
}

/// This machine, in Go's words.
pub(crate) fn host_platform() -> (&'static str, &'static str) {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    ("linux", architecture)
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": sha256(bytes), "size": bytes.len() })
}

fn layer(number: usize, size: usize) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(size as u64);
    header.set_mode(0o755);
    let content = noise(size, number as u64 + 1);
    tar.append_data(&mut header, format!("file-{number}"), content.as_slice())
        .unwrap();
    tar.into_inner().unwrap()
}
