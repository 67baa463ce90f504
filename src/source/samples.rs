//! Samples are small layouts and archives for the tests of the sources, made member by member.

use std::{
    io::Read,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use super::{Found, Opened, Options, PlatformChoice, RegistryOptions, read_capped, verified::Hasher};
use crate::{
    failure,
    image::{Algorithm, Digest, Image, Platform},
    limits::Limits,
};

pub(crate) fn options() -> Options {
    Options {
        platform: PlatformChoice::Default,
        limits: Limits::default(),
        stop: Arc::new(AtomicBool::new(false)),
        registry: RegistryOptions::default(),
    }
}

pub(crate) fn digest(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(bytes);
    hasher.finish()
}

/// A tar with one small file.
pub(crate) fn layer(name: &str) -> Vec<u8> {
    let mut sample = Sample::default();
    sample.add(name, b"content");
    sample.to_tar()
}

/// One image to be put into a sample.
pub(crate) struct Made {
    pub(crate) names: Vec<&'static str>,
    pub(crate) user: &'static str,
    pub(crate) layers: Vec<Vec<u8>>,
}

impl Made {
    pub(crate) fn new(name: &'static str, user: &'static str, files: &[&str]) -> Self {
        Self {
            names: vec![name],
            user,
            layers: files.iter().map(|file| layer(file)).collect(),
        }
    }

    pub(crate) fn config(&self) -> Vec<u8> {
        let ids: Vec<String> = self
            .layers
            .iter()
            .map(|layer| format!(r#""{}""#, digest(layer)))
            .collect();
        format!(
            r#"{{"os":"linux","architecture":"{}","config":{{"User":"{}"}},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
            Platform::host().arch,
            self.user,
            ids.join(",")
        )
        .into_bytes()
    }
}

/// Members of a layout or archive, in order.
#[derive(Clone, Default)]
pub(crate) struct Sample(pub(crate) Vec<(String, Entry)>);

#[derive(Clone, Debug)]
pub(crate) enum Entry {
    File(Vec<u8>),
    Symlink(String),
    Directory,
}

impl Sample {
    pub(crate) fn add(&mut self, name: &str, bytes: &[u8]) {
        self.0.push((name.to_owned(), Entry::File(bytes.to_vec())));
    }

    pub(crate) fn link(&mut self, name: &str, to: &str) {
        self.0.push((name.to_owned(), Entry::Symlink(to.to_owned())));
    }

    pub(crate) fn directory(&mut self, name: &str) {
        self.0.push((name.to_owned(), Entry::Directory));
    }

    pub(crate) fn blob(&mut self, bytes: &[u8]) -> Digest {
        let digest = digest(bytes);
        self.add(&format!("blobs/sha256/{}", digest.hex()), bytes);
        digest
    }

    /// Changes the last byte of the file that was written so many files in.
    pub(crate) fn damage(&mut self, at: usize) {
        let name = self.0[at].0.clone();
        let bytes = self.file(&name);
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
    }

    /// The bytes of the member called so.
    pub(crate) fn file(&mut self, name: &str) -> &mut Vec<u8> {
        match self.0.iter_mut().find(|(own, _)| own == name) {
            Some((_, Entry::File(bytes))) => bytes,
            other => panic!("{name}: {other:?}"),
        }
    }

    /// An OCI layout.
    pub(crate) fn oci(images: &[Made]) -> Self {
        let mut sample = Self::default();
        let mut listed = Vec::new();
        for image in images {
            let point = |media_type: &str, bytes: &[u8], sample: &mut Self| {
                let digest = sample.blob(bytes);
                format!(
                    r#"{{"mediaType":"application/vnd.oci.image.{media_type}","digest":"{digest}","size":{}"#,
                    bytes.len()
                )
            };
            let layers: Vec<String> = image
                .layers
                .iter()
                .map(|layer| point("layer.v1.tar", layer, &mut sample) + "}")
                .collect();
            let config = point("config.v1+json", &image.config(), &mut sample);
            let manifest = format!(
                r#"{{"schemaVersion":2,"config":{config}}},"layers":[{}]}}"#,
                layers.join(",")
            );
            let manifest = point("manifest.v1+json", manifest.as_bytes(), &mut sample);
            for name in &image.names {
                listed.push(format!(
                    r#"{manifest},"annotations":{{"org.opencontainers.image.ref.name":"{name}"}}}}"#
                ));
            }
            if image.names.is_empty() {
                listed.push(manifest + "}");
            }
        }
        sample.add("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
        sample.add(
            "index.json",
            format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, listed.join(",")).as_bytes(),
        );
        sample
    }

    /// What `docker save` wrote up to version 24: `manifest.json` last.
    pub(crate) fn docker(images: &[Made]) -> Self {
        let mut sample = Self::default();
        let mut listed = Vec::new();
        for image in images {
            let mut layers = Vec::new();
            for layer in &image.layers {
                let name = format!("{}/layer.tar", digest(&[layer.as_slice(), b"id"].concat()).hex());
                if !sample.0.iter().any(|(own, _)| *own == name) {
                    sample.add(&name, layer);
                }
                layers.push(format!(r#""{name}""#));
            }
            let config = image.config();
            let name = format!("{}.json", digest(&config).hex());
            sample.add(&name, &config);
            listed.push(entry(&name, &image.names, &layers));
        }
        sample.add("manifest.json", format!("[{}]", listed.join(",")).as_bytes());
        sample
    }

    /// What `docker save` writes from version 25 on: a layout and `manifest.json`.
    pub(crate) fn both(oci: &[Made], docker: &[Made]) -> Self {
        let mut sample = Self::oci(oci);
        let mut listed = Vec::new();
        for image in docker {
            let path = |bytes: &[u8]| format!("blobs/sha256/{}", digest(bytes).hex());
            for bytes in image.layers.iter().chain([&image.config()]) {
                if !sample.0.iter().any(|(own, _)| *own == path(bytes)) {
                    sample.blob(bytes);
                }
            }
            let layers: Vec<String> = image
                .layers
                .iter()
                .map(|layer| format!(r#""{}""#, path(layer)))
                .collect();
            listed.push(entry(&path(&image.config()), &image.names, &layers));
        }
        sample.add("manifest.json", format!("[{}]", listed.join(",")).as_bytes());
        sample
    }

    pub(crate) fn to_tar(&self) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, entry) in &self.0 {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            match entry {
                Entry::File(bytes) => {
                    header.set_size(bytes.len() as u64);
                    builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
                }
                Entry::Symlink(to) => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    header.set_size(0);
                    builder.append_link(&mut header, name, to).unwrap();
                }
                Entry::Directory => {
                    header.set_entry_type(tar::EntryType::Directory);
                    header.set_size(0);
                    builder.append_data(&mut header, name, std::io::empty()).unwrap();
                }
            }
        }
        builder.into_inner().unwrap()
    }

    pub(crate) fn to_directory(&self, root: &Path) {
        for (name, entry) in &self.0 {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            match entry {
                Entry::File(bytes) => write(&path, bytes),
                Entry::Symlink(to) => std::os::unix::fs::symlink(to, &path).unwrap(),
                Entry::Directory => std::fs::create_dir_all(&path).unwrap(),
            }
        }
    }
}

fn entry(config: &str, names: &[&str], layers: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!(r#""{name}""#)).collect();
    let tags = if names.is_empty() {
        "null".to_owned()
    } else {
        format!("[{}]", names.join(","))
    };
    format!(
        r#"{{"Config":"{config}","RepoTags":{tags},"Layers":[{}]}}"#,
        layers.join(",")
    )
}

#[expect(clippy::disallowed_methods, reason = "a test's own directory")]
pub(crate) fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

/// What a target held, and every layer's bytes or why they cannot be had, whichever way it was opened.
pub(crate) struct Seen {
    pub(crate) found: Vec<Found>,
    pub(crate) layers: Vec<Vec<failure::Result<Vec<u8>>>>,
}

impl Seen {
    pub(crate) fn images(&self) -> Vec<&Image> {
        self.found.iter().map(|found| found.as_ref().unwrap()).collect()
    }

    pub(crate) fn references(&self) -> Vec<String> {
        self.images()
            .into_iter()
            .map(|image| image.reference.clone().unwrap_or_default())
            .collect()
    }
}

pub(crate) fn see(opened: Opened) -> failure::Result<Seen> {
    let read = |reader: &mut dyn Read| read_capped(reader, 1 << 30, "layer");
    match opened {
        Opened::Images { images, blobs } => {
            let layers = images
                .iter()
                .flatten()
                .map(|image| {
                    image
                        .layers
                        .iter()
                        .map(|layer| blobs.open(layer).and_then(|mut blob| read(&mut blob)))
                        .collect()
                })
                .collect();
            Ok(Seen {
                found: images,
                layers,
            })
        }
        Opened::Stream(stream) => {
            let mut passed = std::collections::BTreeMap::new();
            let found = stream.run(&mut |name, blob| {
                let earlier = passed.insert(name.to_owned(), read(blob));
                assert!(earlier.is_none(), "{name} was handed on twice");
            })?;
            let layers = found
                .iter()
                .flatten()
                .map(|image| {
                    image
                        .layers
                        .iter()
                        .map(|layer| passed[&layer.blob].clone())
                        .collect()
                })
                .collect();
            Ok(Seen { found, layers })
        }
    }
}
