//! A referee for the file system that scant puts together: umoci, which unpacks images, must see the same one.
//!
//! Every sample is compared, but for those that umoci cannot read.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test that reads the samples and starts umoci"
)]

mod umoci;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use scant::{
    catalog::Catalog,
    layer::{self, Kind, LayerFacts, Reading},
    limits::Limits,
    rootfs::Rootfs,
};
use serde_json::Value;
use umoci::{Listing, Seen};

/// Samples that cannot be compared, and why.
const NOT_COMPARED: [(&str, &str); 5] = [
    ("compressions", "umoci 0.4 knows no zstd"),
    (
        "two-platforms",
        "an index; each of its images is a sample of its own",
    ),
    ("cut-stream", "damaged"),
    ("cut-blob", "damaged"),
    ("changed-byte", "damaged"),
];

#[test]
fn sees_what_umoci_unpacks() {
    let samples = samples();
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(name) = samples.get(next.fetch_add(1, Ordering::Relaxed)) {
                    faults.lock().unwrap().extend(differences(name));
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every sample that can be compared.
fn samples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("images");
    let recipe = |name: &str| folder.join(name).join("image.toml").is_file();
    for (name, _) in NOT_COMPARED {
        assert!(recipe(name), "there is no sample {name} any more");
    }
    let mut samples: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| recipe(name) && NOT_COMPARED.iter().all(|(other, _)| other != name))
        .collect();
    samples.sort();
    assert!(samples.len() > 50, "the recipes were found");
    samples
}

/// Where scant and umoci see different files in a sample.
fn differences(name: &str) -> Vec<String> {
    let layout = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/images")
        .join(name);
    assert!(
        layout.is_dir(),
        "{} is absent: run tests/run, which assembles it",
        layout.display()
    );
    let expected = umoci::unpack(&layout);
    let seen = scant_sees(&layout, umoci::privileged());
    assert!(!seen.is_empty(), "{name}: nothing was compared");
    let paths: BTreeSet<_> = expected.keys().chain(seen.keys()).collect();
    paths
        .into_iter()
        .filter(|path| expected.get(path) != seen.get(path))
        .map(|path| {
            format!(
                "{name}: {path}: umoci {:?}, scant {:?}",
                expected.get(path),
                seen.get(path)
            )
        })
        .take(20)
        .collect()
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
