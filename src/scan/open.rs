//! Opening turns targets into candidates: images whose layers can be read, or the reason why not.

use std::{
    collections::HashMap,
    io::Read,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

use super::{Open, Plan, Progress, caught, layers};
use crate::{
    failure::{Code, Failure, Result},
    image::{Algorithm, Image},
    layer::{self, LayerFacts},
    source::{Blobs, Found, Opened, Stream},
    target::Target,
};

/// Targets opened at a time: that is waiting for a network, not work.
const OPENED_AT_A_TIME: usize = 8;

/// One image of a target, or why there is none.
pub(super) struct Candidate {
    /// The target as the user wrote it.
    pub(super) target: String,
    /// The image.
    pub(super) image: Result<OpenedImage>,
}

/// An image and where its layers come from.
pub(super) struct OpenedImage {
    /// The image.
    pub(super) image: Image,
    /// Its layers.
    pub(super) layers: LayerSource,
    /// What reading them has come to; shared by the images of an archive that passes.
    pub(super) spent: Arc<Spent>,
}

/// What reading the layers of one image has come to so far.
#[derive(Debug, Default)]
pub(super) struct Spent {
    /// Uncompressed bytes of the layers read.
    pub(super) bytes: AtomicU64,
    /// Bytes of facts.
    pub(super) facts: AtomicUsize,
}

impl Spent {
    /// Which cap on a whole image was hit, if any. Once hit it stays so, whatever the order in which layers are read.
    pub(super) fn excess(&self, plan: &Plan) -> Option<Failure> {
        let limits = &plan.source.limits;
        if self.facts.load(Ordering::Relaxed) > limits.facts {
            return Some(layer::too_many_facts(limits.facts));
        }
        (self.bytes.load(Ordering::Relaxed) > limits.image).then(|| {
            let limit = limits.image;
            let what = format!(
                "the layers have more than {limit} bytes together, uncompressed (limit for one image)"
            );
            Failure::new(Code::TooLarge, what).advise("no ordinary image comes near: do not run it")
        })
    }
}

/// Where layers come from.
pub(super) enum LayerSource {
    /// They can be opened in any order.
    Blobs(Arc<dyn Blobs>),
    /// Their archive has passed by, and they were read meanwhile: by blob name.
    Passed(Arc<HashMap<String, Arc<Result<LayerFacts>>>>),
}

/// Opens every target, several at a time; the order of the result is that of the targets, then of their platforms.
pub(super) fn all(plan: &Plan, progress: &dyn Progress, open_target: &Open) -> Vec<Candidate> {
    let next = AtomicUsize::new(0);
    let opened: Vec<Mutex<Vec<Candidate>>> = plan.targets.iter().map(|_| Mutex::default()).collect();
    thread::scope(|scope| {
        for _ in 0..plan.targets.len().min(OPENED_AT_A_TIME) {
            scope.spawn(|| {
                while let Some((target, slot)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    plan.targets.get(index).zip(opened.get(index))
                } {
                    let candidates = candidates(target, plan, progress, open_target);
                    if let Ok(mut slot) = slot.lock() {
                        *slot = candidates;
                    }
                }
            });
        }
    });
    opened
        .into_iter()
        .flat_map(|slot| slot.into_inner().unwrap_or_default())
        .collect()
}

fn candidates(target: &Target, plan: &Plan, progress: &dyn Progress, open_target: &Open) -> Vec<Candidate> {
    let text = target.text.clone();
    let failed = |target: &str, failure: Failure| Candidate {
        target: target.to_owned(),
        image: Err(failure),
    };
    let passing = Arc::new(Spent::default());
    let opened = caught("opened it", || match open_target(target, &plan.source)? {
        Opened::Images { images, blobs } => Ok((images, LayerSource::Blobs(blobs))),
        Opened::Stream(stream) => {
            let (images, facts) = pass(stream, &passing, plan, progress)?;
            Ok((images, LayerSource::Passed(Arc::new(facts))))
        }
    });
    let (images, layers) = match opened {
        Ok(opened) => opened,
        Err(failure) => return vec![failed(&text, failure)],
    };
    images
        .into_iter()
        .map(|found| match found {
            Ok(image) => {
                let (layers, spent) = match &layers {
                    LayerSource::Blobs(blobs) => (LayerSource::Blobs(Arc::clone(blobs)), Arc::default()),
                    LayerSource::Passed(facts) => {
                        (LayerSource::Passed(Arc::clone(facts)), Arc::clone(&passing))
                    }
                };
                Candidate {
                    target: text.clone(),
                    image: Ok(OpenedImage { image, layers, spent }),
                }
            }
            Err((name, failure)) => failed(&name, failure),
        })
        .collect()
}

type Passed = HashMap<String, Arc<Result<LayerFacts>>>;

/// Lets an archive pass by and reads whatever in it could be a layer. Its manifest may come last, and may then vouch for
/// the uncompressed bytes only: so they are hashed too.
fn pass(
    stream: Box<dyn Stream>,
    spent: &Spent,
    plan: &Plan,
    progress: &dyn Progress,
) -> Result<(Vec<Found>, Passed)> {
    let mut passed = Passed::new();
    let images = stream.run(&mut |name: &str, blob: &mut (dyn Read + Send)| {
        let facts = layers::read_one(blob, Some(Algorithm::Sha256), spent, plan, progress);
        passed.insert(name.to_owned(), Arc::new(facts));
    })?;
    if plan.source.stop.load(Ordering::Relaxed) {
        return Err(Failure::stopped());
    }
    Ok((images, passed))
}
