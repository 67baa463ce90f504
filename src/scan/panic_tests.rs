//! A panic is a defect of scant: it costs the image that it met, never the others, and never lets one pass.

use std::{io::Read, sync::Arc};

use super::{
    limit_tests::{Quiet, with_plan},
    *,
};
use crate::{
    policy::Level,
    source::{
        Blobs, Opened,
        samples::{Made, Sample},
    },
};

/// Scans three images without a shell, of which only the second may fail; what became of it.
#[track_caller]
fn second(scan: impl Fn(&Plan) -> Report) -> (Outcome, u8) {
    let archives = ["1", "2", "3"].map(|user| Sample::docker(&[Made::new("one:1", user, &[user])]).to_tar());
    let shells_denied = |policy: &mut Policy| {
        for (rule, level) in &mut policy.levels {
            *level = if *rule == "shell" {
                Level::Deny
            } else {
                Level::Allow
            };
        }
    };
    let mut report = with_plan(&archives, |_| {}, shells_denied, scan);
    assert_eq!(report.images.len(), 3);
    for honest in [0, 2] {
        assert_eq!(compliant(&report.images[honest].outcome), Some(true));
    }
    assert!(report.images[1].target.ends_with("/1.tar"));
    (report.images.remove(1).outcome, report.exit_code)
}

fn compliant(outcome: &Outcome) -> Option<bool> {
    match outcome {
        Outcome::Judged(verdict) => verdict.compliant,
        other => panic!("{other:?}"),
    }
}

/// That the second image failed by a defect of scant.
#[track_caller]
fn second_fails(scan: impl Fn(&Plan) -> Report, what: &str) {
    let (outcome, exit) = second(scan);
    let Outcome::Failed(failure) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((failure.code, exit), (Code::Internal, 3));
    assert!(failure.message.contains(what), "{failure}");
    assert!(failure.advice.unwrap().contains("defect of scant"));
}

#[test]
fn without_one_none_fails() {
    let (outcome, exit) = second(|plan| run(plan, &Quiet));
    assert_eq!((compliant(&outcome), exit), (Some(true), 0));
}

#[test]
fn while_an_image_is_judged() {
    let scan = |plan: &Plan| {
        run_by(plan, &Quiet, &source::open, &|opened, facts, plan| {
            assert_ne!(opened.image.config.as_ref().unwrap().user, "2", "poison");
            verdict::judge(opened, facts, plan)
        })
    };
    let named = format!(
        "judged docker.io/library/one:1 ({})",
        crate::image::Platform::host()
    );
    second_fails(scan, &named);
}

#[test]
fn while_a_target_is_opened() {
    let scan = |plan: &Plan| {
        let open = |target: &Target, options: &source::Options| {
            assert!(!target.text.ends_with("/1.tar"), "poison");
            source::open(target, options)
        };
        run_by(plan, &Quiet, &open, &verdict::judge)
    };
    second_fails(scan, "opened");
}

/// Panics where a layer is opened, or at its first byte.
struct Poisoned {
    when_read: bool,
}

impl Blobs for Poisoned {
    fn open(&self, _: &crate::image::Layer) -> Result<Box<dyn Read + Send>> {
        assert!(self.when_read, "poison");
        Ok(Box::new(std::io::BufReader::new(Self { when_read: true })))
    }
}

impl Read for Poisoned {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        panic!("poison")
    }
}

#[test]
fn while_a_layer_is_opened_or_read() {
    for (when_read, what) in [(false, "opened this layer"), (true, "reader of the blob")] {
        let scan = |plan: &Plan| {
            let open = move |target: &Target, options: &source::Options| {
                let opened = source::open(target, options)?;
                Ok(match opened {
                    Opened::Images { images, .. } if target.text.ends_with("/1.tar") => Opened::Images {
                        images,
                        blobs: Arc::new(Poisoned { when_read }),
                    },
                    other => other,
                })
            };
            run_by(plan, &Quiet, &open, &verdict::judge)
        };
        // As with any layer that cannot be read: what the others say is told, but nothing is compliant.
        let (outcome, exit) = second(scan);
        assert_eq!((compliant(&outcome), exit), (None, 3));
        let Outcome::Judged(verdict) = outcome else {
            unreachable!("it is judged");
        };
        assert!(verdict.score.is_none());
        assert_eq!(verdict.gaps[0].place, "layer 0");
        assert!(verdict.gaps[0].why.contains(what), "{}", verdict.gaps[0].why);
    }
}
