//! A referee for the file system that scant puts together: umoci, which unpacks images, must see the same one.
//!
//! Only samples are compared on which the runtimes agree, and that umoci can read (it knows no zstd).

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test that reads the samples and starts umoci"
)]

mod umoci;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicUsize},
};

use scant::{
    catalog::Catalog,
    layer::{self, Kind, LayerFacts, Reading},
    limits::Limits,
    rootfs::Rootfs,
};
use serde_json::Value;
use umoci::{Listing, Seen};

/// Samples between them with every way of hiding, linking and owning.
const SAMPLES: [&str; 11] = [
    "alpine",
    "cleaned-later",
    "demo",
    "distroless-base-debug",
    "distroless-python3",
    "file-capability",
    "hard-links",
    "opaque",
    "removed-shell",
    "setuid",
    "world-writable",
];

#[test]
fn sees_what_umoci_unpacks() {
    for name in SAMPLES {
        let layout = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("target/images")
            .join(name);
        assert!(
            layout.is_dir(),
            "no sample {name}: run cargo run --example assemble -- --all target/images"
        );
        let expected = umoci::unpack(&layout);
        let seen = scant_sees(&layout, umoci::privileged());
        let paths: Vec<_> = expected.keys().chain(seen.keys()).collect();
        let differences: Vec<String> = paths
            .into_iter()
            .filter(|path| expected.get(path) != seen.get(path))
            .map(|path| {
                format!(
                    "{path}: umoci {:?}, scant {:?}",
                    expected.get(path),
                    seen.get(path)
                )
            })
            .take(20)
            .collect();
        assert!(differences.is_empty(), "{name}:\n{}", differences.join("\n"));
        assert!(!seen.is_empty(), "{name}: nothing was compared");
    }
}

/// The same listing from scant's own reading and merging.
fn scant_sees(layout: &Path, privileged: bool) -> Listing {
    let layers: Vec<LayerFacts> = blobs(layout).iter().map(|path| facts(path)).collect();
    let rootfs = Rootfs::merge(&layers.iter().collect::<Vec<_>>());
    let mut listing = BTreeMap::new();
    for node in rootfs.nodes() {
        let (kind, mode) = match &node.kind {
            Kind::Directory => ("directory".to_owned(), node.mode),
            Kind::File => ("file".to_owned(), node.mode),
            Kind::Symlink(target) => (format!("link to {}", String::from_utf8_lossy(target)), 0),
            other => panic!("{:?}: no sample has {other:?}", node.paths),
        };
        for path in node.paths.iter().filter(|path| !path.is_root()) {
            let seen = Seen {
                kind: kind.clone(),
                mode: mode.into(),
                owner: privileged.then_some((node.uid, node.gid)),
                size: if node.kind == Kind::File { node.size } else { 0 },
                capability: node.capability.clone().filter(|_| privileged),
                first: node.paths[0].clone(),
            };
            listing.insert(path.clone(), seen);
        }
    }
    listing
}

/// The layers' blobs, lowest first.
fn blobs(layout: &Path) -> Vec<PathBuf> {
    let json = |path: PathBuf| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().unwrap();
        layout.join("blobs").join(digest.replace(':', "/"))
    };
    let index = json(layout.join("index.json"));
    let manifest = json(blob(&index["manifests"][0]));
    manifest["layers"].as_array().unwrap().iter().map(blob).collect()
}

fn facts(path: &Path) -> LayerFacts {
    let reading = Reading {
        catalog: Catalog::builtin(),
        wants: &[],
        limits: &Limits::default(),
        stop: &AtomicBool::new(false),
        held: &AtomicUsize::new(0),
    };
    let mut blob = File::open(path).unwrap();
    layer::read(&mut blob, None, &reading).unwrap_or_else(|why| panic!("{}: {why:?}", path.display()))
}
