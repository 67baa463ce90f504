//! The arrival of targets and layers in another order changes no byte of what is told of an image.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use scant::{
    catalog::Catalog,
    limits::Limits,
    output::{self, Format, Style},
    policy,
    scan::{self, Plan, Progress},
    source::{Options, PlatformChoice, RegistryOptions},
};
use serde_json::Value;

use crate::{expectation::layout, report, scant};

/// Small samples, of which several share layers, one holds two images, and two are damaged.
const NAMES: [&str; 12] = [
    "demo",
    "removed-shell",
    "go-static-nonroot",
    "go-base-root",
    "go-base-named",
    "two-platforms",
    "hard-links",
    "opaque",
    "cut-late",
    "cut-blob",
    "two-finals",
    "scratch-static",
];

fn targets() -> Vec<String> {
    NAMES
        .map(|name| format!("oci:{}", layout(name).display()))
        .to_vec()
}

/// What is told of each image, by target and platform.
fn told(targets: &[String], jobs: &str) -> BTreeMap<(String, String), Value> {
    let mut words = vec!["scan", "--platform", "all", "-o", "json", "--jobs", jobs];
    words.extend(targets.iter().map(String::as_str));
    let report = report(&scant(&words));
    let images = report["images"].as_array().unwrap();
    assert!(images.len() > targets.len());
    images
        .iter()
        .map(|image| {
            let key = (
                image["target"].as_str().unwrap().to_owned(),
                image["platform"].to_string(),
            );
            (key, image.clone())
        })
        .collect()
}

#[test]
fn what_is_told_of_an_image_does_not_depend_on_those_beside_it() {
    let mut targets = targets();
    let want = told(&targets, "1");
    // Every third, backwards, and by turns.
    let thirds: Vec<String> = (0..3)
        .flat_map(|first| targets.iter().skip(first).step_by(3))
        .cloned()
        .collect();
    assert_eq!(told(&thirds, "8"), want);
    targets.reverse();
    assert_eq!(told(&targets, "2"), want);
    targets.rotate_left(5);
    assert_eq!(told(&targets, "8"), want);
}

/// Holds the threads that read back for a while, each time another one.
struct Chaos(AtomicU64);

impl Chaos {
    fn wait(&self) {
        let number = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        thread::sleep(Duration::from_micros((number >> 33) % 3_000));
    }
}

impl Progress for Chaos {
    fn opened(&self, _: usize, _: usize, _: u64) {
        self.wait();
    }

    fn read(&self, _: u64) {
        self.wait();
    }

    fn layer_done(&self) {
        self.wait();
    }
}

#[test]
fn layers_may_arrive_in_any_order() {
    let plan = |jobs: usize| Plan {
        targets: targets().iter().map(|target| target.parse().unwrap()).collect(),
        source: Options {
            platform: PlatformChoice::All,
            limits: Limits::default(),
            stop: Arc::new(AtomicBool::new(false)),
            registry: RegistryOptions::default(),
        },
        catalog: Catalog::builtin(),
        policy: policy::load("distroless", &[], &|path| Err(format!("no {path}"))).unwrap(),
        jobs,
        verify_diff_ids: true,
        dockerfile: None,
        today: jiff::civil::date(2026, 11, 21),
    };
    let bytes = |jobs: usize, seed: u64| {
        let report = scan::run(&plan(jobs), &Chaos(AtomicU64::new(seed)));
        let mut out = Vec::new();
        output::render(Format::Json, &report, &Style::default(), &mut out).unwrap();
        out
    };
    let want = bytes(1, 0);
    assert!(want.len() > 10_000);
    for seed in 1..4 {
        assert!(bytes(8, seed << 40) == want, "seed {seed}");
    }
}
