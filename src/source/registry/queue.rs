//! A queue for each host: a few layers are taken from it at a time, however many workers there are.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Layers at a time. HTTP/1.1 has one connection for each, and registries count them.
const PLACES: usize = 6;

/// The hosts met so far. Registries count per machine, so all of a process' images share a queue.
static QUEUES: Mutex<BTreeMap<String, Arc<Semaphore>>> = Mutex::new(BTreeMap::new());

/// A place at a host, free again once it is dropped.
pub(super) struct Place(#[expect(dead_code, reason = "held, not read")] Option<OwnedSemaphorePermit>);

/// Waits for a place at `host`.
pub(super) async fn place(host: &str) -> Place {
    let queue = {
        let mut queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.entry(host.to_owned());
        Arc::clone(queue.or_insert_with(|| Arc::new(Semaphore::new(PLACES))))
    };
    // Nobody closes a queue.
    Place(queue.acquire_owned().await.ok())
}
