//! Hostile images: each is refused, called incomplete or judged by what it really is, within bounds of memory, and beside
//! it an honest image of the same shape is judged normally.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests write files and start programs; what they read they made, and a failure ends them"
)]

mod accounts;
mod archives;
mod binaries;
mod case;
mod codecs;
mod counts;
mod identity;
mod json;
mod limits;
mod links;
mod names;
mod outputs;
mod roots;
mod support;
mod tars;

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use case::{Case, ROWS};
use nix::sys::resource::{UsageWho, getrusage};
use support::run::MEMORY;

fn cases() -> Vec<Case> {
    [
        identity::cases(),
        codecs::cases(),
        tars::cases(),
        names::cases(),
        links::cases(),
        counts::cases(),
        json::cases(),
        binaries::cases(),
        accounts::cases(),
        archives::cases(),
        roots::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_hostile_image_is_answered_as_it_deserves() {
    let only = std::env::var("HOSTILE_CASE").unwrap_or_default();
    let cases: Vec<Case> = cases()
        .into_iter()
        .filter(|case| case.name.contains(&only))
        .collect();
    let next = AtomicUsize::new(0);
    let unmet = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = case.unmet();
                    unmet.lock().unwrap().extend(found);
                }
            });
        }
    });
    let mut unmet = unmet.into_inner().unwrap();
    unmet.sort();
    assert!(
        unmet.is_empty(),
        "{} of {} cases went wrong:\n{}",
        unmet.len(),
        cases.len(),
        unmet.join("\n")
    );
    // The polls of a run may miss its last instant; the kernel's own account of all children does not.
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() as u64 * 1024;
    assert!(peak < MEMORY, "some run held {} MiB", peak >> 20);
}

#[test]
fn every_kind_of_attack_has_its_case() {
    let cases = cases();
    assert!(cases.len() >= 80, "{} cases", cases.len());
    let names: BTreeSet<(&str, &str)> = cases.iter().map(|case| (case.row, case.name)).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    let has: BTreeSet<&str> = cases.iter().map(|case| case.row).collect();
    let rows: BTreeSet<&str> = ROWS.iter().copied().collect();
    assert_eq!(has, rows);
    // Refusing everything must not pass: each kind has an honest image of the same shape, or one that is judged.
    let judged: BTreeSet<&str> = cases
        .iter()
        .filter(|case| case.has_honest_image())
        .map(|case| case.row)
        .collect();
    let offline: BTreeSet<&str> = rows.into_iter().filter(|row| *row != "network").collect();
    assert_eq!(judged, offline);
}
