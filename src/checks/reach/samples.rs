//! Sample images of servers and interpreters on slim Debian: what is needed of each, tier by tier, and what is excess.
//!
//! `tests/run` assembles them.

#![expect(clippy::disallowed_methods, reason = "a test that reads the sample images")]

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicUsize},
};

use super::*;
use crate::{
    catalog::Catalog,
    checks::wants,
    layer::{self, LayerFacts, Reading},
    limits::Limits,
    rootfs::Rootfs,
};

/// A sample, and of commands in it the ELF files of tiers `start` and `named`.
type Row = (&'static str, &'static [(&'static [&'static str], [usize; 2])]);

const ROWS: &[Row] = &[
    ("nginx-slim", &[(&["nginx", "-t"], [8, 4])]),
    ("python-slim", &[(&["/usr/bin/python3.11"], [6, 4])]),
    ("node-slim", &[(&["/usr/bin/node"], [19, 3])]),
    (
        "redis-slim",
        &[
            (&["redis-server"], [18, 3]),
            // A shell and its libraries; all that the script names, and what that needs.
            (&["docker-entrypoint.sh", "redis-server"], [3, 26]),
        ],
    ),
    ("apache-slim", &[(&["apache2"], [9, 4])]),
    ("distroless-java", &[(&["/usr/bin/java", "-version"], [5, 3])]),
];

/// The layers of a sample as they are merged.
fn rootfs(name: &str) -> Rootfs {
    let layout = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("target/images")
        .join(name);
    let blob = |digest: &serde_json::Value| {
        layout
            .join("blobs")
            .join(digest.as_str().unwrap().replace(':', "/"))
    };
    let json =
        |path: PathBuf| -> serde_json::Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    assert!(
        layout.exists(),
        "there is no sample {name}: tests/run assembles it, or cargo run --features samples --bin assemble -- --all target/images"
    );
    let index = json(layout.join("index.json"));
    let manifest = json(blob(&index["manifests"][0]["digest"]));
    let (wants, limits) = (wants(), Limits::default());
    let reading = Reading {
        catalog: Catalog::builtin(),
        wants: &wants,
        limits: &limits,
        stop: &AtomicBool::new(false),
        held: &AtomicUsize::new(0),
    };
    let layers = manifest["layers"].as_array().unwrap();
    let layers: Vec<LayerFacts> = layers
        .iter()
        .map(|layer| {
            let mut file = fs::File::open(blob(&layer["digest"])).unwrap();
            layer::read(&mut file, None, &reading).unwrap()
        })
        .collect();
    Rootfs::merge(&layers.iter().collect::<Vec<_>>())
}

#[test]
fn servers_need_little_of_a_slim_debian() {
    let mut told = Vec::new();
    for (name, commands) in ROWS {
        let rootfs = rootfs(name);
        for (command, want) in *commands {
            let counted = count(&rootfs, command);
            println!("{name} {command:?}: {counted:?}");
            // Character sets of the C library are most of what is in a tree.
            let trees = counted.tiers[2] >= 250;
            // The rest of a slim Debian is not needed; distroless has none.
            let excess = counted.excess_programs * 100 >= counted.programs * 95 || counted.programs < 10;
            if counted.tiers[..2] != *want || !trees || !excess || counted.incomplete.is_some() {
                told.push(format!("{name} {command:?}: {counted:?}"));
            }
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[derive(Debug, Default)]
struct Counted {
    elf: usize,
    tiers: [usize; 3],
    excess: usize,
    bytes: u64,
    excess_bytes: u64,
    programs: usize,
    excess_programs: usize,
    incomplete: Option<&'static str>,
}

fn count(rootfs: &Rootfs, command: &[&str]) -> Counted {
    let config = ImageConfig {
        entrypoint: command.iter().map(|&word| word.to_owned()).collect(),
        ..ImageConfig::default()
    };
    let subject = Subject::new(rootfs, Some(&config), None, Catalog::builtin());
    let closure = closure(&subject);
    assert!(closure.missing.is_empty(), "{command:?}: {:?}", closure.missing);
    let mut counted = Counted {
        incomplete: closure.incomplete,
        ..Counted::default()
    };
    for node in rootfs.nodes() {
        let Some(Form::Elf(_)) = node.program.as_deref().map(|program| &program.form) else {
            continue;
        };
        let library = node.paths.iter().any(|path| path.to_string().contains(".so"));
        let program = usize::from(node.mode & 0o111 != 0 && !library);
        counted.elf += 1;
        counted.bytes += node.size;
        counted.programs += program;
        if let Some(Reach::Needed { tier, .. }) = closure.reach(node) {
            counted.tiers[tier as usize] += 1;
        } else {
            counted.excess += 1;
            counted.excess_bytes += node.size;
            counted.excess_programs += program;
        }
    }
    counted
}
