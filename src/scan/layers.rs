//! Reading the layers of all images: each distinct one once, several at a time, the largest first.

use std::{
    collections::HashMap,
    io::{self, Read},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    Plan, Progress, caught,
    open::{Candidate, LayerSource, OpenedImage, Spent},
};
use crate::{
    checks,
    failure::{Code, Failure, Result},
    gap::{Gap, Hides},
    image::{Algorithm, Layer},
    layer::{self, LayerFacts, Reading},
    source::Blobs,
};

/// What each distinct layer says, or why it could not be read.
pub(super) type FactsByLayer = HashMap<LayerKey, Arc<Result<LayerFacts>>>;

/// What makes two layers the same: the digest of their blobs, else of their uncompressed bytes, else where they lie.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum LayerKey {
    /// By a verified digest, with the name of what it is of.
    Digest(&'static str, String),
    /// By source (its address in memory) and blob name.
    Place(usize, String),
}

/// The key of one layer of an opened image.
pub(super) fn key(opened: &OpenedImage, layer: &Layer) -> LayerKey {
    let place = |address: usize| LayerKey::Place(address, layer.blob.clone());
    match &opened.layers {
        LayerSource::Passed(facts) => place(Arc::as_ptr(facts).cast::<()>() as usize),
        LayerSource::Blobs(blobs) => match (&layer.digest, &layer.diff_id) {
            (Some(digest), _) => LayerKey::Digest("blob", digest.to_string()),
            (None, Some(diff_id)) => LayerKey::Digest("diff", diff_id.to_string()),
            (None, None) => place(Arc::as_ptr(blobs).cast::<()>() as usize),
        },
    }
}

struct Task<'a> {
    key: LayerKey,
    blobs: &'a Arc<dyn Blobs>,
    layer: &'a Layer,
    /// What has been read for the image that the layer was first met in.
    spent: &'a Spent,
}

/// Reads every distinct layer of all candidates once.
pub(super) fn read_all(candidates: &[Candidate], plan: &Plan, progress: &dyn Progress) -> FactsByLayer {
    let mut facts = FactsByLayer::new();
    for opened in candidates
        .iter()
        .filter_map(|candidate| candidate.image.as_ref().ok())
    {
        if let LayerSource::Passed(passed) = &opened.layers {
            for layer in &opened.image.layers {
                let read = passed.get(&layer.blob).cloned();
                facts.insert(
                    key(opened, layer),
                    read.unwrap_or_else(|| Arc::new(Err(absent(layer)))),
                );
            }
        }
    }
    let tasks = tasks(candidates);
    let bytes = tasks.iter().filter_map(|task| task.layer.size).sum();
    progress.opened(
        candidates.iter().filter(|c| c.image.is_ok()).count(),
        tasks.len(),
        bytes,
    );
    let next = AtomicUsize::new(0);
    let done = Mutex::new(facts);
    thread::scope(|scope| {
        for _ in 0..plan.jobs.min(tasks.len()) {
            scope.spawn(|| {
                while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let read = Arc::new(read_task(task, plan, progress));
                    if let Ok(mut done) = done.lock() {
                        done.insert(task.key.clone(), read);
                    }
                    progress.layer_done();
                }
            });
        }
    });
    done.into_inner().unwrap_or_default()
}

fn absent(layer: &Layer) -> Failure {
    let name = crate::text::escape(layer.blob.as_bytes());
    Failure::new(
        Code::NotFound,
        format!("the archive does not hold the layer `{name}`"),
    )
}

/// One task for each distinct layer, the largest first, so that none is left to run alone at the end.
fn tasks(candidates: &[Candidate]) -> Vec<Task<'_>> {
    let mut tasks: HashMap<LayerKey, Task<'_>> = HashMap::new();
    for opened in candidates
        .iter()
        .filter_map(|candidate| candidate.image.as_ref().ok())
    {
        let LayerSource::Blobs(blobs) = &opened.layers else {
            continue;
        };
        for layer in &opened.image.layers {
            let key = key(opened, layer);
            tasks.entry(key.clone()).or_insert(Task {
                key,
                blobs,
                layer,
                spent: &opened.spent,
            });
        }
    }
    let mut tasks: Vec<Task<'_>> = tasks.into_values().collect();
    tasks.sort_by(|a, b| {
        b.layer
            .size
            .cmp(&a.layer.size)
            .then_with(|| a.layer.blob.cmp(&b.layer.blob))
    });
    tasks
}

fn read_task(task: &Task<'_>, plan: &Plan, progress: &dyn Progress) -> Result<LayerFacts> {
    let hash = plan.verify_diff_ids || task.layer.digest.is_none();
    let algorithm = task
        .layer
        .diff_id
        .as_ref()
        .filter(|_| hash)
        .map(crate::image::Digest::algorithm);
    let read = || {
        let mut blob = caught("opened this layer", || task.blobs.open(task.layer))?;
        read_one(&mut *blob, algorithm, task.spent, plan, progress)
    };
    match read() {
        // It may have been spoiled on its way: one more chance, from the start.
        Err(failure) if failure.code == Code::DigestMismatch => read(),
        result => result,
    }
}

/// Reads one blob, counting its bytes. A panic becomes a failure: it is a defect, and must not end the scan.
pub(super) fn read_one(
    blob: &mut (dyn Read + Send),
    diff_id: Option<Algorithm>,
    spent: &Spent,
    plan: &Plan,
    progress: &dyn Progress,
) -> Result<LayerFacts> {
    if let Some(failure) = spent.excess(plan) {
        return Err(failure);
    }
    let wants = checks::wants();
    let reading = Reading {
        catalog: plan.catalog,
        wants: &wants,
        limits: &plan.source.limits,
        stop: &plan.source.stop,
        held: &spent.facts,
    };
    let mut counted = Counted { blob, progress };
    let read = caught("read this layer", || {
        layer::read_to_fault(&mut counted, diff_id, &reading)
    });
    read.map(|(mut facts, fault)| {
        spent.bytes.fetch_add(facts.uncompressed, Ordering::Relaxed);
        // What stands before the fault is told; what could stand behind it is not known.
        facts.gaps.extend(fault.map(|fault| Gap {
            path: None,
            why: fault.message,
            hides: Hides::Anything,
        }));
        facts
    })
}

/// Passes bytes through and reports their number.
struct Counted<'a> {
    blob: &'a mut (dyn Read + Send),
    progress: &'a dyn Progress,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.blob.read(buffer)?;
        self.progress.read(count as u64);
        Ok(count)
    }
}
