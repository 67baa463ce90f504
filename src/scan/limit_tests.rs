//! Caps on all layers of an image together.

use super::*;
use crate::{
    limits::Limits,
    policy,
    report::Verdict,
    source::samples::{Made, Sample, layer, options, write},
};

struct Quiet;

impl Progress for Quiet {
    fn opened(&self, _: usize, _: usize, _: u64) {}
    fn read(&self, _: u64) {}
    fn layer_done(&self) {}
}

/// What becomes of an image of these layers under these limits: by offset, and front to back.
fn scanned(files: &[&str], limits: &Limits) -> Vec<Result<Box<Verdict>, Failure>> {
    let directory = tempfile::tempdir().unwrap();
    let tar = Sample::docker(&[Made::new("one:1", "1", files)]).to_tar();
    let (archive, packed) = (directory.path().join("a.tar"), directory.path().join("a.tar.zst"));
    write(&archive, &tar);
    write(&packed, &zstd::encode_all(&tar[..], 1).unwrap());
    let targets = [archive, packed].map(|path| path.to_str().unwrap().parse().unwrap());
    let plan = Plan {
        targets: targets.to_vec(),
        source: source::Options {
            limits: limits.clone(),
            ..options()
        },
        catalog: Catalog::builtin(),
        policy: policy::load("distroless", &[], &|path| Err(format!("no {path}"))).unwrap(),
        jobs: 2,
        verify_diff_ids: false,
        dockerfile: None,
        today: jiff::civil::date(2026, 11, 21),
    };
    let report = run(&plan, &Quiet);
    let outcomes = report.images.into_iter().map(|image| match image.outcome {
        Outcome::Judged(verdict) => Ok(verdict),
        Outcome::NotApplicable(failure) | Outcome::Failed(failure) => Err(failure),
    });
    outcomes.collect()
}

#[test]
fn layers_that_are_too_large_together_are_refused() {
    let size = layer("a").len() as u64;
    for (files, image, refused) in [
        (&["a", "b"][..], size * 2, false),
        (&["a", "b"], size * 2 - 1, true),
        // A layer that comes twice is read once.
        (&["a", "a"], size * 2 - 1, false),
    ] {
        // What passes once is capped as a whole, with its headers, before the layers are.
        let limits = Limits {
            image,
            ..Limits::default()
        };
        let by_offset = scanned(files, &limits).swap_remove(0);
        assert_eq!(by_offset.is_err(), refused, "{files:?} {image}");
        if let Err(failure) = by_offset {
            assert_eq!(failure.code, Code::TooLarge);
            assert!(failure.message.contains(&image.to_string()), "{failure}");
        }
    }
}

#[test]
fn facts_of_all_layers_are_capped_together() {
    let held = |facts: usize| {
        let limits = Limits {
            facts,
            ..Limits::default()
        };
        scanned(&["a", "b", "c"], &limits)
    };
    let entry = size_of::<crate::layer::Entry>() + 1;
    for outcome in held(3 * entry) {
        assert!(outcome.is_ok(), "{outcome:?}");
    }
    for outcome in held(3 * entry - 1) {
        assert_eq!(outcome.unwrap_err().code, Code::TooLarge);
    }
}
