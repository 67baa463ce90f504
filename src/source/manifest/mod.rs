//! A manifest says which blobs make an image, an index which manifests there are.

mod config;

pub(crate) use config::{parse_config, windows};

use base64::Engine as _;

use super::{
    json::{self, Value},
    verified,
};
use crate::{
    failure::{self, Code, Failure},
    image::{Digest, Platform},
    limits::Limits,
    text,
};

/// Media types of manifests and indexes that scant reads, for `Accept` headers too.
pub(crate) const MANIFEST_TYPES: [&str; 4] = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];

const OCI_INDEX: &str = oci_client::manifest::OCI_IMAGE_INDEX_MEDIA_TYPE;
const OCI_MANIFEST: &str = oci_client::manifest::OCI_IMAGE_MEDIA_TYPE;
const DOCKER_LIST: &str = oci_client::manifest::IMAGE_MANIFEST_LIST_MEDIA_TYPE;
const DOCKER_MANIFEST: &str = oci_client::manifest::IMAGE_MANIFEST_MEDIA_TYPE;

/// The only configurations that runtimes start (containerd refuses all others).
const IMAGE_CONFIGS: [&str; 2] = [
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
];

/// Layer types that nothing unpacks, and what a manifest made of them is.
const STATEMENTS: [(&str, &str); 3] = [
    (
        "application/vnd.dev.cosign.simplesigning.v1+json",
        "a signature (cosign)",
    ),
    ("application/vnd.in-toto", "an attestation (in-toto)"),
    ("application/vnd.dsse.envelope", "an attestation (dsse)"),
];

/// Beginnings of media and artifact types that are known not to be images, and what they are.
const ARTIFACTS: [(&str, &str); 17] = [
    ("application/vnd.cncf.helm.", "a Helm chart"),
    ("application/vnd.dev.cosign.", "a signature (cosign)"),
    ("application/vnd.dev.sigstore.", "a signature (sigstore)"),
    ("application/vnd.cncf.notary.", "a signature (notation)"),
    ("application/vnd.in-toto", "an attestation (in-toto)"),
    ("application/spdx", "a software bill of materials (SPDX)"),
    ("text/spdx", "a software bill of materials (SPDX)"),
    (
        "application/vnd.cyclonedx",
        "a software bill of materials (CycloneDX)",
    ),
    ("application/vnd.syft", "a software bill of materials (syft)"),
    ("application/sarif", "a scan report (SARIF)"),
    ("application/vnd.wasm.", "a WebAssembly module"),
    ("application/vnd.cncf.flux.", "a Flux artifact"),
    ("application/vnd.cncf.model.", "a machine learning model"),
    ("application/vnd.docker.ai.", "a machine learning model"),
    ("application/vnd.docker.plugin.", "a Docker plugin"),
    (
        "application/vnd.cncf.openpolicyagent.",
        "an Open Policy Agent bundle",
    ),
    (
        "application/vnd.oci.empty.",
        "an artifact without a configuration",
    ),
];

/// Points to a blob: its type, digest and size, and in an index its platform (image-spec `descriptor.md`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: Option<u64>,
    /// The blob itself, if it is given inline; verified.
    pub(crate) data: Option<Vec<u8>>,
    /// As stated; `unknown/unknown` is one too.
    pub(crate) platform: Option<Platform>,
    /// Names that layouts give to images: `org.opencontainers.image.ref.name`, `io.containerd.image.name`.
    pub(crate) names: Vec<String>,
}

impl Descriptor {
    pub(crate) fn is_index(&self) -> bool {
        [OCI_INDEX, DOCKER_LIST].contains(&self.media_type.as_str())
    }

    pub(crate) fn is_manifest(&self) -> bool {
        [OCI_MANIFEST, DOCKER_MANIFEST].contains(&self.media_type.as_str())
    }

    /// Whether it is marked as something that runs nowhere, which alone proves nothing.
    pub(crate) fn has_unknown_platform(&self) -> bool {
        self.platform
            .as_ref()
            .is_some_and(|p| p.os == "unknown" && p.arch == "unknown")
    }
}

/// A manifest of one image (image-spec `manifest.md`), or of something that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
    artifact_type: String,
}

impl Manifest {
    /// What this is if it is no image that anything could run.
    pub(crate) fn not_an_image(&self) -> Option<String> {
        if let Some((_, what)) = self
            .layers
            .first()
            .and_then(|first| known(&STATEMENTS, &first.media_type))
            && self
                .layers
                .iter()
                .all(|layer| known(&STATEMENTS, &layer.media_type).is_some())
        {
            return Some((*what).to_owned());
        }
        let config = self.config.media_type.as_str();
        if IMAGE_CONFIGS.contains(&config) {
            return None;
        }
        let types = [self.artifact_type.as_str(), config];
        let layers = self.layers.iter().map(|layer| layer.media_type.as_str());
        let empty = |media_type: &&str| !media_type.starts_with("application/vnd.oci.empty.");
        let what = types
            .into_iter()
            .chain(layers)
            .filter(empty)
            .find_map(|t| known(&ARTIFACTS, t));
        Some(match (what, self.artifact_type.as_str()) {
            (Some((_, what)), _) => (*what).to_owned(),
            (None, "") => format!("something with a configuration of type `{}`", shown(config)),
            (None, artifact) => format!("an artifact of type `{}`", shown(artifact)),
        })
    }

    /// Refuses what is no image, and says what it is.
    pub(crate) fn expect_image(&self) -> failure::Result<()> {
        match self.not_an_image() {
            None => Ok(()),
            Some(what) => Err(Failure::new(
                Code::NotAnImage,
                format!("this is {what}, not a container image"),
            )
            .advise("name the image that it belongs to")),
        }
    }
}

fn known<'a>(table: &'a [(&str, &str)], media_type: &str) -> Option<&'a (&'a str, &'a str)> {
    table.iter().find(|(start, _)| media_type.starts_with(start))
}

fn shown(outside: &str) -> String {
    text::escape(outside.as_bytes())
}

/// What bytes under a manifest's digest turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
pub(crate) enum Document {
    Manifest(Manifest),
    Index(Vec<Descriptor>),
}

/// Parses a manifest or an index. `stated` is the media type by header or descriptor, where there is one.
///
/// # Errors
/// `NotAnImage` for schema 1; `Ambiguous` where it could be both; `Corrupt`, `TooLarge`, `DigestMismatch` (inline data).
pub(crate) fn parse(
    bytes: &[u8],
    stated: Option<&str>,
    limits: &Limits,
    notes: &mut Vec<String>,
) -> failure::Result<Document> {
    cap("manifest", bytes, limits.manifest)?;
    let stated = stated
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim();
    let root = json::parse(bytes, "the manifest")?;
    let [
        version,
        media_type,
        config,
        layers,
        manifests,
        artifact_type,
        fs_layers,
    ] = root.fields(
        "the manifest",
        [
            "schemaVersion",
            "mediaType",
            "config",
            "layers",
            "manifests",
            "artifactType",
            "fsLayers",
        ],
        notes,
    )?;
    let version = version.integer("schemaVersion of the manifest")?;
    let own = media_type.text("mediaType of the manifest")?;
    if version == Some(1) || !fs_layers.is_null() || stated.contains("distribution.manifest.v1+") {
        return Err(Failure::new(
            Code::NotAnImage,
            "this is a manifest of schema 1, which runtimes no longer take",
        )
        .advise("convert it with `skopeo copy --format v2s2`, or push the image again"));
    }
    if version != Some(2) {
        return Err(corrupt("schemaVersion of the manifest is not 2"));
    }
    if !own.is_empty() && own != stated && MANIFEST_TYPES.contains(&stated) {
        return Err(corrupt(format!(
            "the manifest is sent as `{stated}` but calls itself `{}`",
            shown(own)
        )));
    }
    let is_index = !manifests.is_null();
    let is_manifest = !config.is_null() || !layers.is_null();
    let kind = if own.is_empty() { stated } else { own };
    match (is_index, is_manifest) {
        (true, true) => Err(Failure::new(
            Code::Ambiguous,
            "the manifest has both `manifests` and `config` or `layers`, so it could be an index or an image",
        )),
        (true, false) if [OCI_MANIFEST, DOCKER_MANIFEST].contains(&kind) => Err(corrupt(
            "the manifest has the type of an image and the content of an index",
        )),
        (false, true) if [OCI_INDEX, DOCKER_LIST].contains(&kind) => Err(corrupt(
            "the manifest has the type of an index and the content of an image",
        )),
        (false, true) => {
            let layers = layers.list("layers of the manifest")?;
            if layers.len() > limits.layers {
                return Err(Failure::new(
                    Code::TooLarge,
                    format!(
                        "the manifest has {} layers (limit {})",
                        layers.len(),
                        limits.layers
                    ),
                ));
            }
            Ok(Document::Manifest(Manifest {
                config: descriptor(config, "config of the manifest", notes)?,
                layers: layers
                    .iter()
                    .enumerate()
                    .map(|(at, layer)| descriptor(layer, &format!("layer {at} of the manifest"), notes))
                    .collect::<failure::Result<_>>()?,
                artifact_type: artifact_type.text("artifactType of the manifest")?.to_owned(),
            }))
        }
        (false, false) if ![OCI_INDEX, DOCKER_LIST].contains(&kind) => Err(corrupt(
            "the manifest has neither `manifests` nor `config` and `layers`",
        )),
        _ => {
            let manifests = manifests.list("manifests of the index")?;
            if manifests.len() > limits.descriptors {
                return Err(Failure::new(
                    Code::TooLarge,
                    format!(
                        "the index lists {} manifests (limit {})",
                        manifests.len(),
                        limits.descriptors
                    ),
                ));
            }
            manifests
                .iter()
                .enumerate()
                .map(|(at, child)| descriptor(child, &format!("manifest {} of the index", at + 1), notes))
                .collect::<failure::Result<_>>()
                .map(Document::Index)
        }
    }
}

fn descriptor(value: &Value, what: &str, notes: &mut Vec<String>) -> failure::Result<Descriptor> {
    let [media_type, digest, size, data, platform, annotations] = value.fields(
        what,
        ["mediaType", "digest", "size", "data", "platform", "annotations"],
        notes,
    )?;
    let digest: Digest = digest
        .text(what)?
        .parse()
        .map_err(|error| corrupt(format!("{what}: {error}")))?;
    let size = match size.integer(&format!("the size of {what}"))? {
        None => None,
        Some(size) => {
            Some(u64::try_from(size).map_err(|_| corrupt(format!("{what} has the negative size {size}")))?)
        }
    };
    let data = match data.text(what)? {
        "" => None,
        inline => Some(inline_data(inline, &digest, size).map_err(|failure| failure.at(what))?),
    };
    Ok(Descriptor {
        media_type: media_type.text(what)?.to_owned(),
        digest,
        size,
        data,
        platform: stated_platform(platform, what, notes)?,
        names: annotations
            .map(what)?
            .iter()
            .filter(|(key, _)| {
                ["org.opencontainers.image.ref.name", "io.containerd.image.name"].contains(&key.as_str())
            })
            .map(|(_, name)| name.text(what).map(str::to_owned))
            .collect::<failure::Result<_>>()?,
    })
}

fn inline_data(inline: &str, digest: &Digest, size: Option<u64>) -> failure::Result<Vec<u8>> {
    let data = base64::engine::general_purpose::STANDARD
        .decode(inline)
        .map_err(|_| corrupt("its inline data is not base64"))?;
    verified::check("its inline data", &data, digest, size)?;
    Ok(data)
}

fn stated_platform(value: &Value, what: &str, notes: &mut Vec<String>) -> failure::Result<Option<Platform>> {
    let [os, arch, variant] = value.fields(what, ["os", "architecture", "variant"], notes)?;
    let (os, arch, variant) = (os.text(what)?, arch.text(what)?, variant.text(what)?);
    Ok((!os.is_empty() || !arch.is_empty()).then(|| Platform::new(os, arch, Some(variant))))
}

fn cap(what: &str, bytes: &[u8], limit: u64) -> failure::Result<()> {
    if bytes.len() as u64 > limit {
        return Err(Failure::new(
            Code::TooLarge,
            format!("the {what} has {} bytes (limit {limit})", bytes.len()),
        ));
    }
    Ok(())
}

fn corrupt(message: impl Into<String>) -> Failure {
    Failure::new(Code::Corrupt, message)
}

#[cfg(test)]
mod tests;
