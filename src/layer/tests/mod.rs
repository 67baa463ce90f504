//! Tests of whole layers, through `read` alone.

mod broken;
mod caps;
mod codecs;
mod contents;
mod edges;
mod end;
mod extensions;
mod headers;
mod holes;
mod modules;
mod names;
mod pax;
mod properties;
mod sparse;
mod toc;

use std::{
    io::{self, Read},
    sync::atomic::{AtomicBool, AtomicUsize},
};

use super::{fuzzing::read_pieces, testing::*, *};
use crate::{
    failure::{Code, Failure, Result},
    gap::Hides,
    image::Algorithm,
};

/// Reads with these limits and wants.
fn read_with(blob: &[u8], wants: &[Want], limits: &Limits) -> Result<LayerFacts> {
    let reading = Reading {
        catalog: Catalog::builtin(),
        wants,
        limits,
        stop: &AtomicBool::new(false),
        held: &AtomicUsize::new(0),
    };
    read(&mut &blob[..], None, &reading)
}

/// Reads from any reader, keeps nothing, and takes its digest by this algorithm.
fn read_from(blob: &mut (dyn Read + Send), algorithm: Option<Algorithm>) -> Result<LayerFacts> {
    let reading = Reading {
        catalog: Catalog::builtin(),
        wants: &[],
        limits: &Limits::default(),
        stop: &AtomicBool::new(false),
        held: &AtomicUsize::new(0),
    };
    read(blob, algorithm, &reading)
}

fn facts(blob: &[u8]) -> LayerFacts {
    read_with(blob, &[Want::Below("/")], &Limits::default()).unwrap()
}

fn refusal(blob: &[u8]) -> Failure {
    read_with(blob, &[], &Limits::default()).unwrap_err()
}

/// Path and content of all kept files.
fn kept(facts: &LayerFacts) -> Vec<(String, Vec<u8>)> {
    facts
        .entries
        .iter()
        .filter_map(|entry| Some((entry.path.to_string(), entry.kept.as_ref()?.bytes.clone())))
        .collect()
}

fn paths(facts: &LayerFacts) -> Vec<String> {
    facts.entries.iter().map(|entry| entry.path.to_string()).collect()
}

/// The only entry of a layer.
fn only(blob: &[u8]) -> Entry {
    let mut facts = facts(blob);
    assert_eq!(facts.entries.len(), 1, "{:?}", facts.entries);
    facts.entries.remove(0)
}

/// A reader that gives one byte at a time.
struct Drip<'a>(&'a [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(buffer.len()).min(1);
        self.0.read(&mut buffer[..count])
    }
}
