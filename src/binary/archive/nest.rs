//! A nest is where the members of an archive are looked into, each by the inspector of any other file.

use std::{fmt, rc::Rc};

use super::Budget;
use crate::{
    binary::{Inner, Inspector, Program},
    catalog::Catalog,
    limits::Limits,
    text,
};

/// What stands between the path of an archive and that of a member of it.
const WITHIN: &[u8] = b"!/";
/// Reasons that are kept of one file; more say nothing new.
const REASONS: usize = 16;
/// Bytes of a member's name that are kept.
const NAME: usize = 4_096;

/// What could not be looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::binary) struct Unread {
    /// As of [`Inner`].
    pub(in crate::binary) path: Vec<u8>,
    /// The end of a sentence about it.
    pub(in crate::binary) why: String,
}

impl Unread {
    /// That too many archives lie around one.
    pub(in crate::binary) fn too_deep(limits: &Limits) -> Self {
        Self {
            path: Vec::new(),
            why: format!(
                "lies in too many archives (limit {}): what it holds was not looked into",
                limits.archive_depth
            ),
        }
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "holds `{}`, which ", text::escape(&self.path))?;
        }
        f.write_str(&self.why)
    }
}

/// What all inspectors that lie in one another have in common, and where this one stands.
#[derive(Clone)]
pub(in crate::binary) struct Place<'a> {
    pub(in crate::binary) catalog: &'a Catalog,
    pub(in crate::binary) limits: &'a Limits,
    /// What code a library carries is wanted, too.
    pub(in crate::binary) libraries: bool,
    pub(in crate::binary) budget: Rc<Budget>,
    /// Archives around this file.
    pub(in crate::binary) depth: usize,
    /// It is all that a compressed file holds.
    pub(in crate::binary) bare: bool,
    /// Bytes that stand before it in the file that it lies in.
    pub(in crate::binary) prefix: u64,
}

impl Place<'_> {
    /// Whether an archive may still be looked into here.
    pub(in crate::binary) fn may_descend(&self) -> bool {
        self.depth < self.limits.archive_depth
    }

    /// Where the content of a compressed file stands: the two count as one.
    pub(in crate::binary) fn uncompressed(&self) -> Self {
        Self {
            depth: self.depth + usize::from(self.bare),
            bare: true,
            prefix: 0,
            ..self.clone()
        }
    }

    /// Where the members of an archive stand.
    pub(in crate::binary) fn inside(&self) -> Self {
        Self {
            depth: self.depth + 1,
            bare: false,
            prefix: 0,
            ..self.clone()
        }
    }
}

/// Takes members one by one and gathers what they are.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts that do not exclude each other"
)]
pub(in crate::binary) struct Nest<'a> {
    place: Place<'a>,
    inspector: Box<Inspector<'a>>,
    name: Vec<u8>,
    /// A member was begun.
    open: bool,
    /// Its inspector wants more.
    hungry: bool,
    stopped: bool,
    pub(super) entry_point: bool,
    programs: Vec<Inner>,
    reasons: Vec<Unread>,
}

impl<'a> Nest<'a> {
    /// A nest whose members stand at `place`.
    pub(in crate::binary) fn new(place: Place<'a>) -> Self {
        Self {
            inspector: Box::new(Inspector::at(place.clone())),
            place,
            name: Vec::new(),
            open: false,
            hungry: false,
            stopped: false,
            entry_point: false,
            programs: Vec::new(),
            reasons: Vec::new(),
        }
    }

    /// Begins a member. Returns whether its content is wanted.
    pub(in crate::binary) fn begin(&mut self, mut name: Vec<u8>) -> bool {
        if let Err(why) = self.place.budget.member() {
            self.stop(why);
            return false;
        }
        name.truncate(NAME);
        self.name = name;
        self.open = true;
        self.hungry = true;
        self.inspector.begin_inside();
        true
    }

    /// Takes content of the member. Returns whether more is wanted.
    pub(in crate::binary) fn data(&mut self, bytes: &[u8]) -> bool {
        self.hungry = self.hungry && self.inspector.feed(bytes);
        self.hungry
    }

    /// Takes unpacked content of the member, for which the budget pays. Returns whether there is more of that.
    pub(super) fn unpacked(&mut self, bytes: &[u8]) -> bool {
        let granted = self.place.budget.spend(bytes.len());
        self.data(bytes.get(..granted).unwrap_or_default());
        if granted < bytes.len() {
            let why = self.place.budget.why();
            self.stop(why);
        }
        !self.stopped
    }

    /// Pays for bytes that are unpacked on the way to members. Returns whether more may be.
    pub(super) fn pay(&mut self, bytes: usize) -> bool {
        if self.place.budget.spend(bytes) < bytes {
            let why = self.place.budget.why();
            self.stop(why);
        }
        !self.stopped
    }

    /// Ends the member.
    pub(in crate::binary) fn end(&mut self) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        self.hungry = false;
        if let Some(mut program) = self.inspector.finish() {
            let inside = std::mem::take(&mut program.inside);
            if self.matters(&program) {
                let path = self.name.clone();
                self.programs.push(Inner { path, program });
            }
            for Inner { path, program } in inside {
                let path = self.within(&path);
                self.programs.push(Inner { path, program });
            }
        }
        for Unread { path, why } in self.inspector.take_unread() {
            let path = self.within(&path);
            self.note(Unread { path, why });
        }
    }

    /// Whether a scan says anything of a program in an archive: it is a tool, or may be any.
    fn matters(&self, program: &Program) -> bool {
        program.starts() && (program.opaque.is_some() || program.tool(self.place.catalog).is_some())
    }

    fn within(&self, path: &[u8]) -> Vec<u8> {
        if self.name.is_empty() {
            path.to_vec()
        } else if path.is_empty() {
            self.name.clone()
        } else {
            [self.name.as_slice(), WITHIN, path].concat()
        }
    }

    /// Whether the member's inspector wants more.
    pub(super) fn hungry(&self) -> bool {
        self.hungry
    }

    /// Nothing of the member matters any more.
    pub(super) fn enough(&mut self) {
        self.hungry = false;
    }

    /// Whether nothing more is to be looked into.
    pub(super) fn stopped(&self) -> bool {
        self.stopped
    }

    /// Looks into nothing more, for this reason.
    pub(super) fn stop(&mut self, why: String) {
        if !self.stopped {
            self.unread(why);
        }
        self.stopped = true;
    }

    /// Its decompressor would need too much memory.
    pub(super) fn refused(&mut self) {
        let log = self.place.limits.zstd_window_log;
        self.unread(format!(
            "needs more than 2^{log} bytes of memory (limit) to be unpacked"
        ));
    }

    /// Notes why the archive could not be looked into.
    pub(super) fn unread(&mut self, why: String) {
        self.note(Unread {
            path: Vec::new(),
            why,
        });
    }

    fn note(&mut self, unread: Unread) {
        if self.reasons.len() < REASONS && !self.reasons.contains(&unread) {
            self.reasons.push(unread);
        }
    }

    /// Counts a part of a compressed file. Returns whether it may be unpacked.
    pub(super) fn part(&mut self) -> bool {
        match self.place.budget.member() {
            Ok(()) => true,
            Err(why) => {
                self.stop(why);
                false
            }
        }
    }

    /// What was found: programs, what could not be looked into, and whether it is a program of its interpreter.
    pub(in crate::binary) fn take(&mut self) -> (Vec<Inner>, Vec<Unread>, bool) {
        (
            std::mem::take(&mut self.programs),
            std::mem::take(&mut self.reasons),
            self.entry_point,
        )
    }
}
