//! Tests of the choice of platforms.

mod edges;

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
};

use super::*;
use crate::{
    image::Algorithm,
    limits::Limits,
    source::{RegistryOptions, verified::Hasher},
};

const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// Blobs in memory; manifests are built into it from the inside out.
#[derive(Default)]
struct Store {
    blobs: BTreeMap<Digest, Vec<u8>>,
    reads: Cell<usize>,
}

impl Store {
    fn put(&mut self, json: &str) -> Digest {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(json.as_bytes());
        let digest = hasher.finish();
        self.blobs.insert(digest.clone(), json.as_bytes().to_vec());
        digest
    }

    /// An image of one layer; `salt` makes it another one.
    fn image(&mut self, platform: &str, layer: &str, salt: &str) -> Digest {
        let (os, arch) = platform.split_once('/').unwrap();
        let (arch, variant) = arch.split_once('/').unwrap_or((arch, ""));
        let id = "0".repeat(64);
        let config = self.put(&format!(
            r#"{{"os":"{os}","architecture":"{arch}","variant":"{variant}","author":"{salt}","rootfs":{{"type":"layers","diff_ids":["sha256:{id}"]}}}}"#
        ));
        self.put(&format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"{IMAGE_CONFIG}","digest":"{config}"}},
            "layers":[{{"mediaType":"{layer}","digest":"sha256:{id}","size":10}}]}}"#
        ))
    }

    fn get(&self, digest: &Digest) -> failure::Result<Vec<u8>> {
        self.reads.set(self.reads.get() + 1);
        self.blobs
            .get(digest)
            .cloned()
            .ok_or_else(|| Failure::new(Code::NotFound, format!("no {digest}")))
    }
}

impl Manifests for Store {
    fn manifest(&self, digest: &Digest, _: Option<u64>) -> failure::Result<Vec<u8>> {
        self.get(digest)
    }

    fn config(&self, digest: &Digest, _: Option<u64>) -> failure::Result<Vec<u8>> {
        self.get(digest)
    }
}

fn child(digest: &Digest, media_type: &str, platform: &str) -> String {
    let platform = match platform.split_once('/') {
        Some((os, arch)) => {
            let (arch, variant) = arch.split_once('/').unwrap_or((arch, ""));
            format!(r#","platform":{{"os":"{os}","architecture":"{arch}","variant":"{variant}"}}"#)
        }
        None => String::new(),
    };
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":5{platform}}}"#)
}

fn index(children: &[String]) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#,
        children.join(",")
    )
}

fn options(platform: PlatformChoice) -> Options {
    Options {
        platform,
        limits: Limits::default(),
        stop: Arc::new(AtomicBool::new(false)),
        registry: RegistryOptions::default(),
    }
}

fn open_with(store: &mut Store, root: &str, options: &Options) -> failure::Result<Vec<Found>> {
    let digest = store.put(root);
    let names = Names {
        target: "it".into(),
        reference: None,
        name: "it".into(),
    };
    images(root.as_bytes(), &digest, None, store, &names, options)
}

fn open(store: &mut Store, root: &str, platform: PlatformChoice) -> failure::Result<Vec<Found>> {
    open_with(store, root, &options(platform))
}

fn exact(platform: &str) -> PlatformChoice {
    PlatformChoice::Exact(platform.parse().unwrap())
}

fn platforms(found: &[Found]) -> Vec<String> {
    found
        .iter()
        .map(|f| f.as_ref().unwrap().platform.as_ref().unwrap().to_string())
        .collect()
}

/// Some platform that is not this machine's.
fn foreign() -> &'static str {
    if Platform::host().arch == "arm64" {
        "linux/amd64"
    } else {
        "linux/arm64"
    }
}

#[test]
fn platforms_are_chosen_as_asked() {
    let mut store = Store::default();
    let host = Platform::host().to_string();
    let other = store.image(foreign(), LAYER, "");
    let own = store.image(&host, LAYER, "");
    let windows = store.image("windows/amd64", LAYER, "");
    let root = index(&[
        child(&windows, MANIFEST, "windows/amd64"),
        child(&other, MANIFEST, foreign()),
        child(&own, MANIFEST, &host),
    ]);
    let found = open(&mut store, &root, PlatformChoice::Default).unwrap();
    assert_eq!(platforms(&found), [host.as_str()]);
    let image = found[0].as_ref().unwrap();
    let others: Vec<String> = image.other_platforms.iter().map(Platform::to_string).collect();
    assert_eq!(others, ["windows/amd64", foreign()]);
    assert!(image.index_digest.is_some() && image.digest.as_ref() == Some(&own));

    let found = open(&mut store, &root, PlatformChoice::All).unwrap();
    assert_eq!(platforms(&found), [foreign(), host.as_str()]);
    assert!(
        found[0]
            .as_ref()
            .unwrap()
            .notes
            .iter()
            .any(|note| note.contains("Windows"))
    );

    assert_eq!(
        platforms(&open(&mut store, &root, exact(foreign())).unwrap()),
        [foreign()]
    );
    let failure = open(&mut store, &root, exact("linux/s390x")).unwrap_err();
    assert_eq!(failure.code, Code::NoSuchPlatform);
    assert!(failure.message.contains(foreign()), "{failure}");
}

#[test]
fn variants_are_told_apart_and_the_default_one_has_no_name() {
    let mut store = Store::default();
    let all = [
        "linux/arm/v6",
        "linux/arm/v7",
        "linux/arm64/v8",
        "linux/amd64/v3",
        "linux/386",
    ];
    let children: Vec<String> = all
        .iter()
        .map(|platform| {
            let image = store.image(platform, LAYER, "");
            child(&image, MANIFEST, platform)
        })
        .collect();
    let root = index(&children);
    for (asked, want) in [
        ("linux/arm/v6", "linux/arm/v6"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/arm", "linux/arm"),
        ("linux/arm/v7", "linux/arm"),
        ("linux/armhf", "linux/arm"),
        ("linux/arm64", "linux/arm64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("linux/i386", "linux/386"),
    ] {
        assert_eq!(
            platforms(&open(&mut store, &root, exact(asked)).unwrap()),
            [want],
            "{asked}"
        );
    }
    let found = open(&mut store, &root, PlatformChoice::All).unwrap();
    assert_eq!(platforms(&found).len(), all.len());
    let failure = open(&mut store, &root, exact("linux/arm/v8")).unwrap_err();
    assert_eq!(failure.code, Code::NoSuchPlatform);
}

#[test]
fn the_only_platform_needs_no_option() {
    let mut store = Store::default();
    let only = store.image("linux/s390x", LAYER, "");
    let root = index(&[child(&only, MANIFEST, "linux/s390x")]);
    assert_eq!(
        platforms(&open(&mut store, &root, PlatformChoice::Default).unwrap()),
        ["linux/s390x"]
    );
    let second = store.image("linux/riscv64", LAYER, "");
    let root = index(&[
        child(&only, MANIFEST, "linux/s390x"),
        child(&second, MANIFEST, "linux/riscv64"),
    ]);
    let failure = open(&mut store, &root, PlatformChoice::Default).unwrap_err();
    assert_eq!(failure.code, Code::NoSuchPlatform);
}

#[test]
fn a_lone_manifest_must_be_what_was_asked_for() {
    let mut store = Store::default();
    let digest = store.image("linux/s390x", LAYER, "");
    let json = String::from_utf8(store.blobs[&digest].clone()).unwrap();
    assert_eq!(
        platforms(&open(&mut store, &json, PlatformChoice::Default).unwrap()),
        ["linux/s390x"]
    );
    assert_eq!(
        open(&mut store, &json, exact("linux/386")).unwrap_err().code,
        Code::NoSuchPlatform
    );
}

#[test]
fn windows_alone_is_refused() {
    let mut store = Store::default();
    let windows = store.image("windows/amd64", LAYER, "");
    let root = index(&[child(&windows, MANIFEST, "windows/amd64")]);
    assert_eq!(
        open(&mut store, &root, PlatformChoice::Default).unwrap_err().code,
        Code::UnsupportedPlatform
    );
    let unnamed = index(&[child(&windows, MANIFEST, "")]);
    assert_eq!(
        open(&mut store, &unnamed, PlatformChoice::All).unwrap_err().code,
        Code::UnsupportedPlatform
    );
}

#[test]
fn attestations_are_skipped_and_real_images_are_not() {
    let mut store = Store::default();
    let image = store.image("linux/s390x", LAYER, "");
    let attestation = store.image("unknown/unknown", IN_TOTO, "");
    let hidden = store.image("linux/riscv64", LAYER, "hidden");
    let marked = child(&hidden, MANIFEST, "unknown/unknown").replace(
        r#""size""#,
        r#""artifactType":"application/spdx+json","annotations":{"vnd.docker.reference.type":"attestation-manifest"},"size""#,
    );
    let root = index(&[
        child(&image, MANIFEST, "linux/s390x"),
        child(&attestation, MANIFEST, "unknown/unknown"),
        child(&attestation, MANIFEST, "unknown/unknown"),
        marked,
    ]);
    let found = open(&mut store, &root, PlatformChoice::All).unwrap();
    assert_eq!(platforms(&found), ["linux/s390x", "linux/riscv64"]);
    let only = index(&[child(&attestation, MANIFEST, "unknown/unknown")]);
    assert_eq!(
        open(&mut store, &only, PlatformChoice::All).unwrap_err().code,
        Code::NotAnImage
    );
}

#[test]
fn a_child_without_platform_is_asked_and_the_configuration_has_the_last_word() {
    let mut store = Store::default();
    let image = store.image("linux/s390x", LAYER, "");
    let root = index(&[child(&image, MANIFEST, "")]);
    assert_eq!(
        platforms(&open(&mut store, &root, exact("linux/s390x")).unwrap()),
        ["linux/s390x"]
    );
    let lying = index(&[child(&image, MANIFEST, "linux/386")]);
    let found = open(&mut store, &lying, exact("linux/386")).unwrap();
    assert_eq!(platforms(&found), ["linux/s390x"]);
    assert!(
        found[0]
            .as_ref()
            .unwrap()
            .notes
            .iter()
            .any(|note| note.contains("linux/386"))
    );
}

#[test]
fn the_first_of_equal_platforms_is_taken() {
    let mut store = Store::default();
    let first = store.image("linux/s390x", LAYER, "1");
    let second = store.image("linux/s390x", LAYER, "2");
    let root = index(&[
        child(&first, MANIFEST, "linux/s390x"),
        child(&second, MANIFEST, "linux/s390x"),
    ]);
    let found = open(&mut store, &root, exact("linux/s390x")).unwrap();
    assert_eq!(found[0].as_ref().unwrap().digest.as_ref(), Some(&first));
    assert_eq!(open(&mut store, &root, PlatformChoice::All).unwrap().len(), 2);
}

#[test]
fn nested_indexes_and_unknown_types_are_walked_over() {
    let mut store = Store::default();
    let image = store.image("linux/s390x", LAYER, "");
    let inner = store.put(&index(&[child(&image, MANIFEST, "linux/s390x")]));
    let root = index(&[child(&inner, "application/x-new", ""), child(&inner, INDEX, "")]);
    let found = open(&mut store, &root, PlatformChoice::Default).unwrap();
    let image = found[0].as_ref().unwrap();
    assert_eq!(image.index_digest.as_ref(), Some(&inner));
    assert!(image.notes.iter().any(|note| note.contains("application/x-new")));
}

#[test]
fn equal_indexes_are_read_once_and_depth_ends() {
    let mut store = Store::default();
    let image = store.image("linux/s390x", LAYER, "");
    let mut level = store.put(&index(&[child(&image, MANIFEST, "linux/s390x")]));
    for _ in 0..5 {
        level = store.put(&index(&vec![child(&level, INDEX, ""); 50]));
    }
    let root = index(&vec![child(&level, INDEX, ""); 50]);
    let found = open(&mut store, &root, PlatformChoice::All).unwrap();
    assert_eq!(found.len(), 1);
    assert!(store.reads.get() < 20, "{} reads", store.reads.get());

    let mut low = options(PlatformChoice::All);
    low.limits.index_depth = 3;
    let failure = open_with(&mut store, &root, &low).unwrap_err();
    assert_eq!(failure.code, Code::TooLarge);
    assert!(
        failure.message.contains("indexes in one another (limit 3)"),
        "{failure}"
    );
    low.limits = Limits {
        descriptors: 120,
        ..Limits::default()
    };
    let failure = open_with(&mut store, &root, &low).unwrap_err();
    assert_eq!(failure.code, Code::TooLarge);
    assert!(failure.message.contains("in one index (limit 120)"), "{failure}");
    low.limits.descriptors = 49;
    let failure = open_with(&mut store, &root, &low).unwrap_err();
    assert_eq!(failure.code, Code::TooLarge);
    assert!(failure.message.contains("49"), "{failure}");
}

#[test]
fn an_absent_child_is_an_error_when_asked_for() {
    let mut store = Store::default();
    let image = store.image("linux/s390x", LAYER, "");
    let absent = Digest::of_hash(Algorithm::Sha256, &[7; 32]);
    let host = Platform::host().to_string();
    let root = index(&[
        child(&absent, MANIFEST, &host),
        child(&image, MANIFEST, "linux/s390x"),
    ]);

    let found = open(&mut store, &root, exact(&host)).unwrap();
    let (name, failure) = found[0].as_ref().unwrap_err();
    assert!(failure.code == Code::NotFound && name.contains(&host), "{name}");
    assert!(open(&mut store, &root, PlatformChoice::All).unwrap()[0].is_err());
    // As in an export of one platform: what is there is scanned, and the absent platform is named.
    let found = open(&mut store, &root, PlatformChoice::Default).unwrap();
    assert_eq!(platforms(&found), ["linux/s390x"]);
    assert_eq!(found[0].as_ref().unwrap().other_platforms[0].to_string(), host);

    let only = index(&[child(&absent, MANIFEST, &host)]);
    assert!(open(&mut store, &only, PlatformChoice::Default).unwrap()[0].is_err());
}

#[test]
fn layers_and_diff_ids_must_agree_in_number() {
    let mut store = Store::default();
    let config =
        store.put(r#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}"#);
    let id = "0".repeat(64);
    let layer = format!(r#"{{"mediaType":"{LAYER}","digest":"sha256:{id}","size":1}}"#);
    let manifest = |layers: &str| {
        format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"{IMAGE_CONFIG}","digest":"{config}","size":1}},"layers":[{layers}]}}"#
        )
    };
    assert_eq!(
        open(&mut store, &manifest(&layer), PlatformChoice::Default)
            .unwrap_err()
            .code,
        Code::Corrupt
    );
    let none = open(&mut store, &manifest(""), PlatformChoice::Default).unwrap();
    assert!(none[0].as_ref().unwrap().layers.is_empty());
}
