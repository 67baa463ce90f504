//! Referees for the file system that scant puts together: umoci, which unpacks images, and overlayfs, which containerd mounts
//! them with, must see the same one.
//!
//! Every sample is compared, but for those that umoci cannot read; and some hundred generated images, whose differences must
//! be those that are known.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test that reads the samples and starts umoci"
)]

mod generated;
mod overlay;
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

use generated::{Layers, Reach};
use scant::{
    catalog::Catalog,
    layer::{self, Kind, LayerFacts, Reading},
    limits::Limits,
    rootfs::Rootfs,
};
use serde_json::Value;
use umoci::{Listing, Seen};

/// Samples that cannot be compared, and why.
const NOT_COMPARED: [(&str, &str); 6] = [
    ("compressions", "umoci 0.4 knows no zstd"),
    (
        "two-platforms",
        "an index; each of its images is a sample of its own",
    ),
    ("cut-stream", "damaged"),
    ("cut-late", "damaged"),
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
                    // Found first: whoever holds the lock makes the others wait.
                    let found = differences(name);
                    faults.lock().unwrap().extend(found);
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Generated images that are compared.
const GENERATED: u64 = 400;

/// What came of comparing generated images with one referee.
#[derive(Debug, Default)]
struct Tally {
    /// Images that the referee could unpack.
    compared: usize,
    /// Of those, the ones in which nothing is known to differ.
    plain: usize,
    /// How many paths each row of the known differences explained.
    explained: BTreeMap<&'static str, usize>,
    /// Differences that no row explains.
    faults: Vec<String>,
}

/// Compares all generated images with what `referee` makes of them; `None` where it refuses one.
fn referee(referee: impl Fn(&Layers, &Path) -> Option<Listing> + Sync) -> Tally {
    let next = std::sync::atomic::AtomicU64::new(0);
    let tally = Mutex::new(Tally::default());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= GENERATED {
                        break;
                    }
                    let layers = generated::image(seed);
                    let layout = tempfile::tempdir().unwrap();
                    generated::write(&layers, layout.path());
                    let Some(expected) = referee(&layers, layout.path()) else {
                        continue;
                    };
                    let own = scant_sees(layout.path(), umoci::privileged());
                    compare(seed, &layers, &expected, &own, &mut tally.lock().unwrap());
                }
            });
        }
    });
    tally.into_inner().unwrap()
}

fn compare(seed: u64, layers: &Layers, expected: &Listing, own: &Listing, tally: &mut Tally) {
    let known = generated::known(layers);
    tally.compared += 1;
    tally.plain += usize::from(known.iter().all(|known| known.reach != Reach::Below));
    let paths: BTreeSet<_> = expected.keys().chain(own.keys()).collect();
    for path in paths {
        let (theirs, ours) = (expected.get(path), own.get(path));
        if theirs == ours {
            continue;
        }
        let attributes = |seen: Option<&Seen>| {
            seen.map(|seen| Seen {
                mode: 0,
                owner: None,
                capability: None,
                ..seen.clone()
            })
        };
        let only_attributes = attributes(theirs) == attributes(ours);
        // A file of several names differs under each when it differs under one.
        let names: Vec<String> = [
            Some(path),
            theirs.map(|seen| &seen.first),
            ours.map(|seen| &seen.first),
        ]
        .into_iter()
        .flatten()
        .map(|path| path.to_string().trim_start_matches('/').to_owned())
        .collect();
        let by = |known: &&generated::Known| {
            names
                .iter()
                .any(|name| generated::explains(known, name, only_attributes))
        };
        match known.iter().find(by) {
            Some(known) => *tally.explained.entry(known.row).or_default() += 1,
            None if tally.faults.len() < 20 => {
                tally.faults.push(format!(
                    "seed {seed}: {path}: theirs {theirs:?}, ours {ours:?}, of {layers:#?}"
                ));
            }
            None => {}
        }
    }
}

#[test]
fn sees_generated_images_as_umoci_unpacks_them() {
    let tally = referee(|_, layout| umoci::try_unpack(layout).ok());
    println!(
        "umoci: {} compared, {} without known differences, {:?}",
        tally.compared, tally.plain, tally.explained
    );
    assert!(tally.faults.is_empty(), "{}", tally.faults.join("\n"));
    // Most are compared, many have no excuse, and each row is met: else it excuses nothing.
    assert!(tally.compared > 200 && tally.plain > 80, "{tally:?}");
    let rows = [
        generated::BELOW_A_LINK,
        generated::OPAQUE_ROOT,
        generated::WHITEOUT_AND_DIRECTORY,
        generated::LINK_HEADER,
        generated::IMPLIED,
    ];
    for row in rows {
        assert!(tally.explained.contains_key(row), "no image shows: {row}");
    }
}

#[test]
fn sees_generated_images_as_overlayfs_shows_them() {
    if let Some(why) = overlay::unavailable() {
        // Without the rights to mount there is nothing to compare with; the run says so.
        println!("NOT COMPARED with overlayfs: this machine cannot mount one: {why}");
        return;
    }
    let tally = referee(|layers, _| overlay::shows(layers));
    println!(
        "overlayfs: {} compared, {} without known differences, {:?}",
        tally.compared, tally.plain, tally.explained
    );
    assert!(tally.faults.is_empty(), "{}", tally.faults.join("\n"));
    assert!(tally.compared > 100 && tally.plain > 60, "{tally:?}");
    assert!(
        tally.explained.contains_key(generated::MARKED),
        "no image shows it"
    );
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
            // Only root can make devices; umoci puts an empty file in their place for others.
            Kind::CharDevice { .. } | Kind::BlockDevice { .. } if !privileged => {
                ("file".to_owned(), node.mode)
            }
            Kind::CharDevice { major, minor } => (format!("character device {major}:{minor}"), node.mode),
            Kind::BlockDevice { major, minor } => (format!("block device {major}:{minor}"), node.mode),
            Kind::Fifo => ("named pipe".to_owned(), node.mode),
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
