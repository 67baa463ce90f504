//! A leaf is one image that an index, or an index in it, lists.

use std::collections::BTreeSet;

use crate::{
    failure::{Code, Failure},
    image::{Digest, Platform},
    source::manifest::Descriptor,
};

/// One image that an index lists.
pub(super) struct Leaf {
    pub(super) digest: Digest,
    /// By the descriptor, or by the configuration where the descriptor says nothing of use.
    pub(super) platform: Option<Platform>,
    pub(super) size: Option<u64>,
    pub(super) media_type: String,
    pub(super) data: Option<Vec<u8>>,
    /// The index that lists it.
    pub(super) index: Digest,
    /// Why it could not be read where it had to be read to know its platform.
    pub(super) failure: Option<Failure>,
}

impl Leaf {
    pub(super) fn new(child: Descriptor, index: Digest) -> Self {
        Self {
            digest: child.digest,
            platform: child.platform,
            size: child.size,
            media_type: child.media_type,
            data: child.data,
            index,
            failure: None,
        }
    }

    pub(super) fn is_windows(&self) -> bool {
        self.platform
            .as_ref()
            .is_some_and(|platform| platform.os == "windows")
            || self
                .failure
                .as_ref()
                .is_some_and(|failure| failure.code == Code::UnsupportedPlatform)
    }
}

/// The first leaf for the host, else the first for its architecture in another variant.
pub(super) fn host_leaf<'l>(leaves: &[&'l Leaf], host: &Platform) -> Option<&'l Leaf> {
    let same = |variant: bool| {
        leaves.iter().copied().find(|leaf| {
            leaf.platform.as_ref().is_some_and(|platform| {
                platform == host || !variant && platform.os == host.os && platform.arch == host.arch
            })
        })
    };
    same(true).or_else(|| same(false))
}

pub(super) fn distinct_digests<'l>(leaves: &[&'l Leaf]) -> Vec<&'l Leaf> {
    let mut seen = BTreeSet::new();
    leaves
        .iter()
        .copied()
        .filter(|leaf| seen.insert(&leaf.digest))
        .collect()
}

pub(super) fn distinct(platforms: impl Iterator<Item = Platform>) -> Vec<Platform> {
    let mut seen = BTreeSet::new();
    platforms
        .filter(|platform| seen.insert(platform.clone()))
        .collect()
}
