//! Remarks are the notes and gaps of a merge, each with its layer, and not more of them than anyone would read.

use crate::{
    gap::{Gap, Hides},
    path::RootPath,
};

/// Notes, and gaps of the same layer, that are spelled out; of more only the number is told.
const SPELLED_OUT: usize = 100;

#[derive(Default)]
pub(super) struct Remarks {
    pub(super) notes: Vec<String>,
    pub(super) gaps: Vec<(usize, Gap)>,
    noted: usize,
    missed: usize,
}

impl Remarks {
    /// An oddity that changes no verdict.
    pub(super) fn note(&mut self, layer: usize, text: impl FnOnce() -> String) {
        self.noted += 1;
        if self.noted <= SPELLED_OUT {
            self.notes.push(format!("layer {layer}: {}", text()));
        }
    }

    /// A member that no runtime could put anywhere.
    pub(super) fn gap(&mut self, layer: usize, path: &RootPath, why: &str) {
        self.missed += 1;
        if self.missed <= SPELLED_OUT {
            self.gaps.push((
                layer,
                Gap {
                    path: Some(path.clone()),
                    why: format!("{path} cannot be unpacked: {why}"),
                    hides: Hides::Anything,
                },
            ));
        }
    }

    /// Ends a layer: tells how many remarks were left out.
    pub(super) fn end_of_layer(&mut self, layer: usize) {
        for (count, what) in [(&mut self.noted, "notes"), (&mut self.missed, "gaps")] {
            let more = count.saturating_sub(SPELLED_OUT);
            if more > 0 {
                self.notes
                    .push(format!("layer {layer}: {more} more {what} of this sort"));
            }
            *count = 0;
        }
    }
}
