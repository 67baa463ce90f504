//! A scan opens targets, reads their layers, and judges every image by the policy.

mod accounts;
mod attribution;
#[cfg(test)]
mod exit_tests;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod layers;
#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod mask_tests;
mod notes;
mod open;
#[cfg(test)]
mod panic_tests;
mod placing;
#[cfg(test)]
mod testing;
mod verdict;

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::civil::Date;
use rayon::prelude::*;

use crate::{
    catalog::Catalog,
    dockerfile::Dockerfile,
    failure::{Code, Failure, Result},
    image::Image,
    policy::{Policy, WaiverUse},
    report::{ImageReport, Outcome, Report, UnusedWaiver, Verdict},
    source,
    target::Target,
    text,
};
use layers::FactsByLayer;
use open::{Candidate, OpenedImage};

/// Everything a scan needs to know; nothing in it can be invalid any more.
#[derive(Debug)]
pub struct Plan {
    /// What to scan, in the order asked for.
    pub targets: Vec<Target>,
    /// How to open targets.
    pub source: source::Options,
    /// What programs to know.
    pub catalog: &'static Catalog,
    /// What to judge by.
    pub policy: Policy,
    /// Layers read at a time.
    pub jobs: usize,
    /// Hash the uncompressed bytes of every layer and compare with the configuration.
    pub verify_diff_ids: bool,
    /// What the images were built from, where the user says so.
    pub dockerfile: Option<Dockerfile>,
    /// The day on which waivers hold or are over.
    pub today: Date,
}

/// Is told how far a scan has come. Called from several threads.
pub trait Progress: Sync {
    /// So many images were opened, and their layers have so many bytes together, where known.
    fn opened(&self, images: usize, layers: usize, bytes: u64);
    /// So many more bytes of layers were read.
    fn read(&self, bytes: u64);
    /// One more layer was read to its end.
    fn layer_done(&self);
}

/// Scans all targets. What cannot be scanned becomes part of the report.
///
/// The report depends on the plan and the images' bytes alone: not on the number of jobs, nor on what arrives first.
pub fn run(plan: &Plan, progress: &dyn Progress) -> Report {
    run_by(plan, progress, &source::open, &verdict::judge)
}

/// Opens one target.
type Open = dyn Fn(&Target, &source::Options) -> Result<source::Opened> + Sync;

/// Judges one image by the facts of its layers.
type Judge = dyn Fn(&OpenedImage, &FactsByLayer, &Plan) -> Result<(Verdict, Vec<WaiverUse>)> + Sync;

fn run_by(plan: &Plan, progress: &dyn Progress, open_target: &Open, verdict_on: &Judge) -> Report {
    let candidates = open::all(plan, progress, open_target);
    let facts = layers::read_all(&candidates, plan, progress);
    let judged: Vec<(ImageReport, Vec<WaiverUse>)> = candidates
        .into_par_iter()
        .map(|candidate| judge(candidate, &facts, plan, verdict_on))
        .collect();
    let mut uses = vec![WaiverUse::Unmatched; plan.policy.waivers.len()];
    for (_, of_image) in &judged {
        for (sum, one) in uses.iter_mut().zip(of_image) {
            *sum = (*sum).max(*one);
        }
    }
    let images: Vec<ImageReport> = judged.into_iter().map(|(image, _)| image).collect();
    Report {
        exit_code: exit_code(&images),
        unused_waivers: unused(&plan.policy, &uses),
        policy: plan.policy.clone(),
        images,
    }
}

/// Does one step for one image. A panic is a defect of scant: it becomes that image's failure, and must not end the scan.
fn caught<T>(doing: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|_| {
        Err(
            Failure::new(Code::Internal, format!("scant failed while it {doing}"))
                .advise("please report this as a defect of scant, with the image if it is public"),
        )
    })
}

fn judge(
    candidate: Candidate,
    facts: &FactsByLayer,
    plan: &Plan,
    verdict_on: &Judge,
) -> (ImageReport, Vec<WaiverUse>) {
    let target = candidate.target.clone();
    let judged = candidate.image.and_then(|opened| {
        // One target may have several images, so that its name does not tell which one it was.
        let Image {
            name,
            reference,
            platform,
            ..
        } = &opened.image;
        let name = text::escape(reference.as_ref().unwrap_or(name).as_bytes());
        let platform = platform.as_ref().map(|platform| format!(" ({platform})"));
        let doing = format!("judged {name}{}", platform.unwrap_or_default());
        caught(&doing, || verdict_on(&opened, facts, plan))
    });
    match judged {
        Ok((verdict, uses)) => (
            ImageReport {
                target,
                outcome: Outcome::Judged(Box::new(verdict)),
            },
            uses,
        ),
        Err(failure) => {
            let outcome = match failure.code {
                Code::NotAnImage | Code::UnsupportedPlatform => Outcome::NotApplicable(failure),
                _ => Outcome::Failed(failure),
            };
            (ImageReport { target, outcome }, Vec::new())
        }
    }
}

/// The highest exit code of all images: 0 compliant, 1 not compliant, 3 not scanned to the end, 4 a retry may help.
///
/// What is no image is passed over beside a judged image of the same target, as an index may hold both.
fn exit_code(images: &[ImageReport]) -> u8 {
    let judged = |target: &str| {
        images
            .iter()
            .any(|image| image.target == target && matches!(image.outcome, Outcome::Judged(_)))
    };
    let code = |image: &ImageReport| match &image.outcome {
        Outcome::Judged(verdict) => match verdict.compliant {
            Some(true) => 0,
            Some(false) => 1,
            None => 3,
        },
        Outcome::NotApplicable(_) if judged(&image.target) => 0,
        Outcome::NotApplicable(_) => 3,
        Outcome::Failed(failure) => 3 + u8::from(failure.code.retryable()),
    };
    // Nothing judged is no success.
    images.iter().map(code).max().unwrap_or(3)
}

fn unused(policy: &Policy, uses: &[WaiverUse]) -> Vec<UnusedWaiver> {
    policy
        .waivers
        .iter()
        .zip(uses)
        .filter(|(_, use_)| **use_ != WaiverUse::Used)
        .map(|(waiver, use_)| UnusedWaiver {
            waiver: waiver.clone(),
            expired: *use_ == WaiverUse::Expired,
        })
        .collect()
}
