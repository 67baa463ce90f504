//! Holes of sparse files cost no more work than their caps let them: counted in zeros that are shown.

use std::{cell::Cell, rc::Rc};

use super::{
    super::contents::{Contents, Look},
    *,
};
use crate::binary::Program;

/// Never has enough, and counts what it is shown.
struct Greedy(Rc<Cell<u64>>);

impl Look for Greedy {
    fn begin(&mut self, _: u64, _: bool) {}

    fn feed(&mut self, bytes: &[u8]) -> bool {
        self.0.set(self.0.get() + bytes.len() as u64);
        true
    }

    fn finish(&mut self) -> Option<Program> {
        None
    }
}

/// Bytes shown of each of so many files that are all hole, one after the other.
fn shown(files: usize, hole: u64, limits: &Limits) -> Vec<u64> {
    let count = Rc::new(Cell::new(0));
    let mut contents = Contents::new(&[], limits, || Greedy(Rc::clone(&count)));
    let entry = Entry {
        size: hole,
        ..only(&Tar::default().file("f", b"").end())
    };
    let mut file = |_| {
        let before = count.get();
        contents.begin(&entry);
        contents.hole(hole);
        contents.finish(&mut entry.clone(), &mut super::super::remarks::Remarks::default());
        count.get() - before
    };
    (0..files).map(&mut file).collect()
}

#[test]
fn one_hole_is_shown_as_far_as_a_program_is_held() {
    let limits = Limits {
        program: 10_000,
        ..Limits::default()
    };
    assert_eq!(shown(2, 9_999, &limits), [9_999, 9_999]);
    assert_eq!(shown(2, u64::MAX, &limits), [10_000, 10_000]);
}

#[test]
fn all_holes_of_a_layer_are_shown_as_far_as_it_may_have_bytes() {
    let limits = Limits {
        program: 10_000,
        layer: 25_000,
        ..Limits::default()
    };
    assert_eq!(shown(4, 1 << 40, &limits), [10_000, 10_000, 5_000, 0]);
}
