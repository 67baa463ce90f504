//! The collector turns members into facts, as the walker hands them out.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    Entry, Kind, LayerFacts,
    contents::{Contents, Look},
    entry,
    remarks::Remarks,
    toc,
};
use crate::{
    failure::{Code, Failure},
    gap::{Gap, Hides},
    limits::Limits,
    path::RootPath,
    tar::{BLOCK, Member, Sink},
    text,
};

/// Bytes that the text of one gap may take, roughly.
const GAP: usize = 512;

/// Gathers the facts of one layer.
pub(super) struct Collector<'a, L, M> {
    limits: &'a Limits,
    contents: Contents<'a, L, M>,
    entries: Vec<Entry>,
    behind_end: Vec<Entry>,
    remarks: Remarks,
    /// Bytes of names and attributes held.
    weight: usize,
    /// Bytes of facts held by all layers of the image.
    held: Option<&'a AtomicUsize>,
    /// The entry whose body is read.
    current: Option<Entry>,
    /// It lies behind the end of the archive.
    behind: bool,
    /// Name of the last member, for messages.
    last: Option<RootPath>,
    /// Why no more members are taken.
    stopped: Option<Stop>,
    /// Where the content of each entry begins in the archive; `None` for those with holes.
    places: Vec<Option<u64>>,
    /// The last table of contents.
    table: Option<Table>,
    /// The current entry is that table.
    in_table: bool,
}

/// A table of contents of eStargz form, as far as it has come.
struct Table {
    /// Where it begins in the archive.
    at: u64,
    /// Its bytes, also those that are not kept.
    size: u64,
    text: Vec<u8>,
}

/// Why a collector takes no more.
pub(super) enum Stop {
    /// A cap: the facts so far stay.
    Full(Gap),
    /// The layer cannot be unpacked.
    Failed(Failure),
}

impl<'a, L: Look, M: FnMut() -> L> Collector<'a, L, M> {
    /// A collector without facts.
    pub(super) fn new(limits: &'a Limits, contents: Contents<'a, L, M>) -> Self {
        Self {
            limits,
            contents,
            entries: Vec::new(),
            behind_end: Vec::new(),
            remarks: Remarks::default(),
            weight: 0,
            held: None,
            current: None,
            behind: false,
            last: None,
            stopped: None,
            places: Vec::new(),
            table: None,
            in_table: false,
        }
    }

    /// Counts what it holds together with other collectors.
    pub(super) fn sharing(mut self, held: &'a AtomicUsize) -> Self {
        self.held = Some(held);
        self
    }

    /// Adds to what all layers of the image hold. Too much of it ends them all: which one brought it over the cap depends on
    /// chance, that it was brought over does not.
    fn hold(&mut self, bytes: usize) {
        let Some(held) = self.held else { return };
        let limit = self.limits.facts;
        if held.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > limit {
            self.stopped = Some(Stop::Failed(too_many_facts(limit)));
        }
    }

    /// Why no more members are taken, once.
    pub(super) fn take_stop(&mut self) -> Option<Stop> {
        self.stopped.take()
    }

    /// Where gaps and notes go.
    pub(super) fn remarks(&mut self) -> &mut Remarks {
        &mut self.remarks
    }

    /// The place in the archive for messages: inside or after which member.
    pub(super) fn place(&self) -> String {
        match (&self.current, &self.last) {
            (Some(entry), _) => format!("in `{}`", entry.path),
            (None, Some(path)) => format!("after `{path}`"),
            (None, None) => "before the first member".to_owned(),
        }
    }

    /// Compares the table of contents of a layer in eStargz form with its members. The blob says that it begins at `place`, and
    /// `members` where in the blob and in the archive each gzip member begins.
    pub(super) fn compare_table(&mut self, place: u64, members: &[(u64, u64)]) {
        let places = toc::Places {
            members,
            contents: &self.places,
        };
        // Who fetches files one by one takes what stands first in the gzip member there, whatever comes later.
        let header = |at: u64| at.saturating_sub(BLOCK as u64);
        let found = self.table.take();
        let found = found.filter(|table| places.of_member(place) == Some(header(table.at)));
        let most = self.limits.table;
        let compared = found.map(|table| {
            let differs = toc::difference(&table.text, &self.entries, &places);
            differs.map_err(|why| match table.size {
                size if size > most as u64 => format!("it has {size} bytes (limit {most})"),
                _ => why,
            })
        });
        let differs = match compared {
            Some(Ok(differs)) => differs,
            Some(Err(why)) => Some(format!(
                "the table of contents in `stargz.index.json` cannot be read: {why}"
            )),
            None => {
                Some("the table of contents of the layer's eStargz form is not where the layer says".into())
            }
        };
        if let Some(why) = differs {
            self.remarks.gap(None, why, Hides::Anything);
        }
    }

    /// The facts.
    pub(super) fn into_facts(self, size: u64, uncompressed: u64) -> LayerFacts {
        let (gaps, notes) = self.remarks.into_parts();
        LayerFacts {
            entries: self.entries,
            behind_end: self.behind_end,
            size,
            uncompressed,
            diff_id: None,
            gaps,
            notes,
        }
    }

    fn full(&mut self, what: &str, limit: usize) {
        self.stopped = Some(Stop::Full(Gap {
            path: None,
            why: format!("too many {what} (limit {limit}): the rest of the layer was not read"),
            hides: Hides::Anything,
        }));
    }
}

/// That the layers of an image hold more than may be kept of it.
pub(crate) fn too_many_facts(limit: usize) -> Failure {
    Failure::new(
        Code::TooLarge,
        format!(
            "the image has more members, names and programs than can be held (limit {limit} bytes of facts)"
        ),
    )
    .advise("no ordinary image comes near: do not run it")
}

impl<L: Look, M: FnMut() -> L> Sink for Collector<'_, L, M> {
    fn member(&mut self, member: Member, behind: bool) -> bool {
        if self.stopped.is_some() {
            return false;
        }
        if self.entries.len() + self.behind_end.len() >= self.limits.members {
            self.full("members", self.limits.members);
            return false;
        }
        self.behind = behind;
        let entry = match entry::build(&member, self.limits, &mut self.remarks) {
            Ok(Some(entry)) => entry,
            Ok(None) => {
                // It may have left a gap.
                self.hold(size_of::<Gap>() + GAP);
                return false;
            }
            Err(failure) if behind => {
                self.remarks.note(failure.message);
                return false;
            }
            Err(failure) => {
                self.stopped = Some(Stop::Failed(failure));
                return false;
            }
        };
        self.weight += entry::weight(&entry);
        if self.weight > self.limits.names {
            self.full("bytes of names", self.limits.names);
            return false;
        }
        self.hold(entry::weight(&entry) + size_of::<Entry>());
        if self.stopped.is_some() {
            return false;
        }
        let is_file = entry.kind == Kind::File;
        if is_file {
            self.contents.begin(&entry);
        }
        self.in_table = !behind && toc::is_table(&entry);
        if self.in_table {
            self.table = Some(Table {
                at: member.at,
                size: entry.size,
                text: Vec::new(),
            });
        }
        if !behind {
            self.places.push((!member.is_sparse()).then_some(member.at));
        }
        self.current = Some(entry);
        is_file
    }

    fn data(&mut self, bytes: &[u8]) -> bool {
        let wants = self.contents.feed(bytes);
        let Some(Table { text, .. }) = self.table.as_mut().filter(|_| self.in_table) else {
            return wants;
        };
        // One that is cut here is no JSON, which is said.
        let room = self.limits.table.saturating_sub(text.len());
        text.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        true
    }

    fn hole(&mut self, length: u64) -> bool {
        self.contents.hole(length)
    }

    fn end(&mut self, complete: bool) {
        let Some(mut entry) = self.current.take() else {
            return;
        };
        if entry.kind == Kind::File {
            self.contents.finish(&mut entry, &mut self.remarks);
            let program = entry.program.as_ref().map_or(0, |program| program.weight());
            let secrets: usize = entry
                .secrets
                .iter()
                .map(|secret| size_of_val(secret) + secret.kind.len())
                .sum();
            self.hold(entry.kept.as_ref().map_or(0, |kept| kept.bytes.len()) + program + secrets);
        }
        if !complete {
            let shown = text::escape(entry.path.as_bytes());
            self.remarks.note(format!("`/{shown}` is cut off"));
        }
        self.last = Some(entry.path.clone());
        if self.behind {
            self.behind_end.push(entry);
        } else {
            self.entries.push(entry);
        }
    }

    fn stopped(&self) -> bool {
        self.stopped.is_some()
    }

    fn odd(&mut self, what: &'static str, name: &[u8]) {
        self.remarks.odd(what, name);
    }
}
