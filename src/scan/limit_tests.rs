//! Caps on all layers of an image together.

use super::*;
use crate::{
    policy,
    report::Verdict,
    source::samples::{Made, Sample, layer, options, write},
};

pub(super) struct Quiet;

impl Progress for Quiet {
    fn opened(&self, _: usize, _: usize, _: u64) {}
    fn read(&self, _: u64) {}
    fn layer_done(&self) {}
}

/// Scans archives, with caps that `lower` lowers and a policy that `change` changes.
pub(super) fn report(
    archives: &[Vec<u8>],
    lower: impl Fn(&mut source::Options),
    change: impl Fn(&mut Policy),
) -> Report {
    with_plan(archives, lower, change, |plan| run(plan, &Quiet))
}

/// As [`report`], run by `scan`. The archives are `0.tar`, `1.tar` and so on.
pub(super) fn with_plan(
    archives: &[Vec<u8>],
    lower: impl Fn(&mut source::Options),
    change: impl Fn(&mut Policy),
    scan: impl Fn(&Plan) -> Report,
) -> Report {
    let directory = tempfile::tempdir().unwrap();
    let targets = archives.iter().enumerate().map(|(number, bytes)| {
        let path = directory.path().join(format!("{number}.tar"));
        write(&path, bytes);
        path.to_str().unwrap().parse().unwrap()
    });
    let targets = targets.collect();
    let mut opening = options();
    lower(&mut opening);
    let mut policy = policy::load("distroless", &[], &|path| Err(format!("no {path}"))).unwrap();
    change(&mut policy);
    scan(&Plan {
        targets,
        source: opening,
        catalog: Catalog::builtin(),
        policy,
        jobs: 2,
        verify_diff_ids: false,
        dockerfile: None,
        today: jiff::civil::date(2026, 11, 21),
    })
}

/// What becomes of an image of these layers whose caps `lower` lowers: by offset, and front to back.
fn scanned(files: &[&str], lower: impl Fn(&mut source::Options)) -> Vec<Result<Box<Verdict>, Failure>> {
    let tar = Sample::docker(&[Made::new("one:1", "1", files)]).to_tar();
    let packed = zstd::encode_all(&tar[..], 1).unwrap();
    let report = report(&[tar, packed], lower, |_| {});
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
        let by_offset = scanned(files, |opening| opening.limits.image = image).swap_remove(0);
        assert_eq!(by_offset.is_err(), refused, "{files:?} {image}");
        if let Err(failure) = by_offset {
            assert_eq!(failure.code, Code::TooLarge);
            assert!(failure.message.contains(&image.to_string()), "{failure}");
        }
    }
}

#[test]
fn facts_of_all_layers_are_capped_together() {
    let held = |facts: usize| scanned(&["a", "b", "c"], |opening| opening.limits.facts = facts);
    let entry = size_of::<crate::layer::Entry>() + 1;
    for outcome in held(3 * entry) {
        assert!(outcome.is_ok(), "{outcome:?}");
    }
    for outcome in held(3 * entry - 1) {
        assert_eq!(outcome.unwrap_err().code, Code::TooLarge);
    }
}
