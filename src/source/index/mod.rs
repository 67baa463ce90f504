//! An index lists the manifests of one image for several platforms; here the images to scan are chosen from it.

mod leaf;

use std::collections::BTreeSet;

use self::leaf::{Leaf, distinct, distinct_digests, host_leaf};
use super::{
    Found, Options, PlatformChoice,
    manifest::{self, Descriptor, Document, Manifest},
};
use crate::{
    failure::{self, Code, Failure},
    image::{Digest, Image, Layer, Platform},
    text,
};

/// Where manifests and configurations come from: a registry, a layout, an archive.
pub trait Manifests {
    /// The manifest's or index's bytes, verified; `NotFound` if it is listed but not there.
    fn manifest(&self, digest: &Digest, size: Option<u64>) -> failure::Result<Vec<u8>>;

    /// The configuration's bytes, verified.
    fn config(&self, digest: &Digest, size: Option<u64>) -> failure::Result<Vec<u8>>;
}

/// What the images found are called in reports.
#[derive(Clone, Debug)]
pub struct Names {
    /// See [`Image::target`].
    pub target: String,
    /// See [`Image::reference`].
    pub reference: Option<String>,
    /// See [`Image::name`].
    pub name: String,
}

/// Resolves a manifest, or an index and the indexes in it, to the images that `options` ask for.
///
/// # Errors
/// Whatever is wrong with the root itself, and `NoSuchPlatform`. What is wrong with one chosen child is its [`Found`].
pub fn images(
    root_bytes: &[u8],
    root_digest: &Digest,
    root_media_type: Option<&str>,
    store: &dyn Manifests,
    names: &Names,
    options: &Options,
) -> failure::Result<Vec<Found>> {
    let resolver = Resolver {
        store,
        names,
        options,
    };
    let mut notes = Vec::new();
    match manifest::parse(root_bytes, root_media_type, &options.limits, &mut notes)? {
        Document::Manifest(manifest) => {
            let image = resolver.image(&manifest, root_digest, notes)?;
            if let (PlatformChoice::Exact(wanted), Some(platform)) = (&options.platform, &image.platform)
                && wanted != platform
            {
                return Err(no_such_platform(wanted, std::slice::from_ref(platform)));
            }
            Ok(vec![Ok(image)])
        }
        Document::Index(children) => {
            resolver.choose(&resolver.leaves(children, root_digest, &mut notes)?, &notes)
        }
    }
}

struct Resolver<'a> {
    store: &'a dyn Manifests,
    names: &'a Names,
    options: &'a Options,
}

impl Resolver<'_> {
    /// All images listed in an index and in the indexes in it, in order, without attestations.
    fn leaves(
        &self,
        children: Vec<Descriptor>,
        index: &Digest,
        notes: &mut Vec<String>,
    ) -> failure::Result<Vec<Leaf>> {
        let limits = &self.options.limits;
        let mut leaves = Vec::new();
        let mut seen = BTreeSet::from([index.clone()]);
        let mut listed: usize = children.len();
        // A stack of what is still to be looked at, so that a nested index's children come in its place.
        let mut open: Vec<(Descriptor, Digest, usize)> = children
            .into_iter()
            .rev()
            .map(|child| (child, index.clone(), 1))
            .collect();
        while let Some((child, parent, depth)) = open.pop() {
            if !child.is_index() && !child.is_manifest() && !child.media_type.is_empty() {
                notes.push(format!(
                    "the index lists {} of type `{}`, which is no image",
                    child.digest,
                    text::escape(child.media_type.as_bytes())
                ));
                continue;
            }
            let unnamed = child.platform.is_none() || child.has_unknown_platform();
            if child.is_manifest() && !unnamed {
                leaves.push(Leaf::new(child, parent));
                continue;
            }
            // What has to be read to know what it is, is read once.
            if !seen.insert(child.digest.clone()) {
                continue;
            }
            let document = self
                .manifest_bytes(&child)
                .and_then(|bytes| manifest::parse(&bytes, stated(&child.media_type), limits, notes));
            match document {
                Ok(Document::Index(nested)) => {
                    listed = listed.saturating_add(nested.len());
                    if listed > limits.descriptors {
                        return Err(too_many("manifests listed in one index", limits.descriptors));
                    }
                    if depth >= limits.index_depth {
                        return Err(too_many("indexes in one another", limits.index_depth));
                    }
                    open.extend(
                        nested
                            .into_iter()
                            .rev()
                            .map(|n| (n, child.digest.clone(), depth + 1)),
                    );
                }
                Ok(Document::Manifest(manifest)) => {
                    let mut leaf = Leaf::new(child, parent);
                    match manifest.not_an_image() {
                        Some(what) if what.starts_with("an attestation") => {}
                        Some(what) => notes.push(format!("the index lists {}, which is {what}", leaf.digest)),
                        None => {
                            if leaf.platform.is_some() && unnamed {
                                notes.push(format!(
                                    "the index calls the platform of {} unknown, but it is an image",
                                    leaf.digest
                                ));
                            }
                            if unnamed {
                                self.ask_config(&mut leaf, &manifest);
                            }
                            leaves.push(leaf);
                        }
                    }
                }
                Err(failure) if failure.code == Code::NotFound && child.has_unknown_platform() => {
                    notes.push(format!(
                        "the index lists {} of an unknown platform, which is not there",
                        child.digest
                    ));
                }
                Err(failure) => {
                    let mut leaf = Leaf::new(child, parent);
                    leaf.failure = Some(failure);
                    leaves.push(leaf);
                }
            }
        }
        Ok(leaves)
    }

    /// Takes a platform that the descriptor does not tell from the configuration.
    fn ask_config(&self, leaf: &mut Leaf, manifest: &Manifest) {
        leaf.platform = None;
        let config = self
            .config_bytes(&manifest.config)
            .and_then(|bytes| manifest::parse_config(&bytes, &self.options.limits, &mut Vec::new()));
        match config {
            Ok((platform, _)) => leaf.platform = platform,
            Err(failure) => leaf.failure = Some(failure),
        }
    }

    /// The leaves that `options` ask for, each made an image.
    fn choose(&self, leaves: &[Leaf], notes: &[String]) -> failure::Result<Vec<Found>> {
        let (windows, linux): (Vec<&Leaf>, Vec<&Leaf>) = leaves.iter().partition(|leaf| leaf.is_windows());
        if linux.is_empty() {
            return Err(if windows.is_empty() {
                Failure::new(Code::NotAnImage, "the index lists no image")
            } else {
                manifest::windows()
            });
        }
        let present: Vec<Platform> = distinct(leaves.iter().filter_map(|leaf| leaf.platform.clone()));
        let host = Platform::host();
        let chosen: Vec<&Leaf> = match &self.options.platform {
            PlatformChoice::All => distinct_digests(&linux),
            PlatformChoice::Exact(wanted) => {
                let Some(leaf) = linux.iter().find(|leaf| leaf.platform.as_ref() == Some(wanted)) else {
                    // One whose platform could not be read may be the one that was asked for.
                    return match linux.iter().find_map(|leaf| leaf.failure.clone()) {
                        Some(failure) => Err(failure),
                        None => Err(no_such_platform(wanted, &present)),
                    };
                };
                vec![leaf]
            }
            PlatformChoice::Default => match host_leaf(&linux, &host) {
                Some(leaf) => vec![self.or_the_one_present(leaf, &linux)],
                None => match distinct_digests(&linux)[..] {
                    [only] => vec![only],
                    _ => return Err(no_such_platform(&host, &present)),
                },
            },
        };
        let mut notes = notes.to_vec();
        if !windows.is_empty() && self.options.platform == PlatformChoice::All {
            notes.push("the index also lists a Windows image, which scant does not judge".to_owned());
        }
        for leaf in linux
            .iter()
            .filter(|leaf| chosen.iter().all(|one| one.digest != leaf.digest))
        {
            if let Some(failure) = &leaf.failure {
                notes.push(format!(
                    "{}, which the index lists, cannot be read: {failure}",
                    leaf.digest
                ));
            }
        }
        Ok(chosen
            .iter()
            .map(|leaf| self.found(leaf, leaves, &chosen, &notes))
            .collect())
    }

    /// The leaf itself, or, where it is listed but absent as in exports of one platform, the first that is there.
    fn or_the_one_present<'l>(&self, leaf: &'l Leaf, linux: &[&'l Leaf]) -> &'l Leaf {
        let absent = |leaf: &Leaf| {
            matches!(
                self.leaf_bytes(leaf),
                Err(Failure {
                    code: Code::NotFound,
                    ..
                })
            )
        };
        if !absent(leaf) {
            return leaf;
        }
        linux.iter().copied().find(|other| !absent(other)).unwrap_or(leaf)
    }

    fn found(&self, leaf: &Leaf, leaves: &[Leaf], chosen: &[&Leaf], notes: &[String]) -> Found {
        let mut notes = notes.to_vec();
        let image = match &leaf.failure {
            Some(failure) => Err(failure.clone()),
            None => self.leaf_bytes(leaf),
        }
        .and_then(|bytes| {
            let parsed = manifest::parse(&bytes, stated(&leaf.media_type), &self.options.limits, &mut notes)?;
            match parsed {
                Document::Manifest(manifest) => self.image(&manifest, &leaf.digest, notes),
                Document::Index(_) => Err(Failure::new(
                    Code::Corrupt,
                    format!("{} is listed as an image but is an index", leaf.digest),
                )),
            }
        });
        match image {
            Ok(mut image) => {
                image.index_digest = Some(leaf.index.clone());
                if let (Some(stated), Some(own)) = (&leaf.platform, &image.platform)
                    && stated != own
                {
                    image
                        .notes
                        .push(format!("the index says {stated}, the configuration {own}"));
                }
                image.other_platforms = distinct(
                    leaves
                        .iter()
                        .filter(|other| chosen.iter().all(|one| one.digest != other.digest))
                        .filter_map(|other| other.platform.clone()),
                );
                Ok(image)
            }
            Err(failure) => {
                let platform = leaf
                    .platform
                    .as_ref()
                    .map_or_else(|| leaf.digest.to_string(), Platform::to_string);
                Err((format!("{} ({platform})", self.names.target), failure))
            }
        }
    }

    /// An image from its manifest: reads the configuration and joins both.
    fn image(&self, manifest: &Manifest, digest: &Digest, mut notes: Vec<String>) -> failure::Result<Image> {
        manifest.expect_image()?;
        let bytes = self
            .config_bytes(&manifest.config)
            .map_err(|failure| failure.at("the configuration"))?;
        let (platform, config) = manifest::parse_config(&bytes, &self.options.limits, &mut notes)?;
        if config.diff_ids.len() != manifest.layers.len() {
            return Err(Failure::new(
                Code::Corrupt,
                format!(
                    "the manifest has {} layers, but the configuration names {}",
                    manifest.layers.len(),
                    config.diff_ids.len()
                ),
            ));
        }
        let layers = manifest
            .layers
            .iter()
            .zip(&config.diff_ids)
            .map(|(layer, diff_id)| Layer {
                digest: Some(layer.digest.clone()),
                diff_id: Some(diff_id.clone()),
                size: layer.size,
                media_type: stated(&layer.media_type).map(str::to_owned),
                blob: layer.digest.to_string(),
            });
        Ok(Image {
            target: self.names.target.clone(),
            reference: self.names.reference.clone(),
            name: self.names.name.clone(),
            digest: Some(digest.clone()),
            index_digest: None,
            platform,
            layers: layers.collect(),
            config: Some(config),
            other_platforms: Vec::new(),
            notes,
        })
    }

    fn manifest_bytes(&self, descriptor: &Descriptor) -> failure::Result<Vec<u8>> {
        read(
            "manifest",
            descriptor,
            self.options.limits.manifest,
            |digest, size| self.store.manifest(digest, size),
        )
    }

    fn config_bytes(&self, descriptor: &Descriptor) -> failure::Result<Vec<u8>> {
        read(
            "configuration",
            descriptor,
            self.options.limits.config,
            |digest, size| self.store.config(digest, size),
        )
    }

    fn leaf_bytes(&self, leaf: &Leaf) -> failure::Result<Vec<u8>> {
        match &leaf.data {
            Some(data) => Ok(data.clone()),
            None => self.store.manifest(&leaf.digest, leaf.size),
        }
    }
}

fn read(
    what: &str,
    descriptor: &Descriptor,
    limit: u64,
    fetch: impl FnOnce(&Digest, Option<u64>) -> failure::Result<Vec<u8>>,
) -> failure::Result<Vec<u8>> {
    if let Some(data) = &descriptor.data {
        return Ok(data.clone());
    }
    if let Some(size) = descriptor.size.filter(|size| *size > limit) {
        return Err(Failure::new(
            Code::TooLarge,
            format!("the {what} has {size} bytes (limit {limit})"),
        ));
    }
    fetch(&descriptor.digest, descriptor.size)
}

fn stated(media_type: &str) -> Option<&str> {
    Some(media_type).filter(|media_type| !media_type.is_empty())
}

fn too_many(what: &str, limit: usize) -> Failure {
    Failure::new(Code::TooLarge, format!("too many {what} (limit {limit})"))
}

fn no_such_platform(wanted: &Platform, present: &[Platform]) -> Failure {
    let present: Vec<String> = present.iter().map(Platform::to_string).collect();
    Failure::new(
        Code::NoSuchPlatform,
        format!("there is no image for {wanted}; there are {}", present.join(", ")),
    )
    .advise("choose one with --platform, or all with --platform all")
}

#[cfg(test)]
mod tests;
