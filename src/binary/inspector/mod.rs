//! The inspector takes a file's bytes as they stream by and says in the end what program it is.

mod head;
mod program;

use std::rc::Rc;

use self::head::Head;
use super::{
    Form, Inner, Piece, Program,
    appended::{self, Appended, Payload},
    archive::{Archive, Budget, HEAD, Place, Shape, Unread},
    elf, go, identify, script,
    search::OVERLAP,
    self_extracting::SelfExtracting,
    traces::Traces,
};
use crate::{catalog::Catalog, limits::Limits};

/// Bytes of a program that are searched in one go: few enough that the nearer caches still hold them.
const CHUNK: usize = if cfg!(fuzzing) { 500 } else { 256 << 10 };
/// Bytes at a program's end in which a bundle has its mark.
const TAIL: usize = 128;
/// The last bytes that are held of a program: its end, and what the next bytes may continue.
const LAST: usize = if TAIL > OVERLAP { TAIL } else { OVERLAP };

/// Looks into one file after the other, fed as its bytes stream by; keeps its buffers between files.
///
/// Nothing depends on the sizes of the pieces. The first [`Limits::program`] bytes of a program are held; what lies behind
/// them is searched in chunks, and only the ranges that headers point to are kept.
pub struct Inspector<'a> {
    catalog: &'a Catalog,
    limits: &'a Limits,
    stage: Stage,
    /// The file from its first byte.
    head: Head,
    /// Bytes of it that were searched.
    searched: usize,
    /// The last bytes that came, once the head is full.
    last: Vec<u8>,
    /// Ranges behind the head that are kept, as bytes that each still wants.
    pieces: Vec<(Piece, usize)>,
    traces: Traces<'a>,
    /// The file has an x bit.
    executable: bool,
    /// Bytes of the file that came.
    taken: u64,
    place: Place<'a>,
    /// What looks into the file if it is an archive.
    archive: Option<Box<Archive<'a>>>,
    /// What looks into that which stands behind a large program.
    appended: Option<Appended<'a>>,
    /// What looks into that which stands behind a script.
    behind_text: Option<SelfExtracting<'a>>,
    /// What could not be looked into, as ends of sentences about the file.
    unread: Vec<Unread>,
    /// Bytes that the file is stated to have.
    size: u64,
}

/// What the first bytes say a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Too few bytes came.
    Unknown,
    Elf,
    Script,
    Archive,
    /// A file with an x bit that may be a text for a shell.
    Text,
    /// No program, or nothing more is needed of it.
    Done,
}

impl<'a> Inspector<'a> {
    /// An inspector that knows `catalog` and keeps to `limits`. What never starts, such as a library, is not searched for tools.
    pub fn new(catalog: &'a Catalog, limits: &'a Limits) -> Self {
        Self::with(catalog, limits, false)
    }

    /// An inspector that says of libraries, too, what code they carry.
    pub fn of_libraries(catalog: &'a Catalog, limits: &'a Limits) -> Self {
        Self::with(catalog, limits, true)
    }

    fn with(catalog: &'a Catalog, limits: &'a Limits, libraries: bool) -> Self {
        Self::at(Place {
            catalog,
            limits,
            libraries,
            budget: Rc::new(Budget::new(limits)),
            depth: 0,
            bare: false,
            prefix: 0,
        })
    }

    /// An inspector for files that lie in archives.
    pub(super) fn at(place: Place<'a>) -> Self {
        let Place { catalog, limits, .. } = place;
        Self {
            catalog,
            limits,
            stage: Stage::Done,
            head: Head::new(limits.program),
            searched: 0,
            last: Vec::new(),
            pieces: Vec::new(),
            traces: Traces::new(catalog, limits.library_names),
            executable: false,
            taken: 0,
            place,
            archive: None,
            appended: None,
            behind_text: None,
            unread: Vec::new(),
            size: u64::MAX,
        }
    }

    /// Starts a file of `size` bytes (as stated; may be a lie). `executable`: any x bit is set.
    pub fn begin(&mut self, size: u64, executable: bool) {
        self.place.budget.begin(size);
        self.begin_inside();
        self.size = size;
        self.executable = executable;
    }

    /// Starts a file that lies in an archive.
    pub(super) fn begin_inside(&mut self) {
        // Who knows no tool need not look.
        self.stage = if self.catalog.tools().is_empty() {
            Stage::Done
        } else {
            Stage::Unknown
        };
        self.head.clear();
        self.searched = 0;
        self.last.clear();
        self.pieces.clear();
        self.traces.clear();
        self.executable = false;
        self.taken = 0;
        self.archive = None;
        self.appended = None;
        self.behind_text = None;
        self.unread.clear();
        self.size = u64::MAX;
    }

    /// Takes the next bytes of the file, in pieces of any size. Returns whether it wants more.
    pub fn feed(&mut self, mut bytes: &[u8]) -> bool {
        self.taken += bytes.len() as u64;
        if self.stage == Stage::Unknown {
            bytes = self.head.fill(bytes, HEAD);
            self.stage = self.sniff();
            // What looks into it gets the bytes by which it was told, too.
            if let Some(archive) = &mut self.archive {
                archive.feed(&self.head);
            } else if let Some(behind) = &mut self.behind_text {
                behind.feed(&self.head);
            }
        }
        match self.stage {
            Stage::Unknown => true,
            Stage::Done => false,
            Stage::Script | Stage::Text => {
                self.head.fill(bytes, script::HEAD);
                let more = self.behind_text.as_mut().is_some_and(|it| it.feed(bytes));
                more || self.head.len() < script::HEAD
            }
            Stage::Archive => self.archive.as_mut().is_some_and(|it| it.feed(bytes)),
            Stage::Elf => {
                let rest = self.head.fill(bytes, self.limits.program);
                while self.head.len() - self.searched > CHUNK {
                    self.search_head(self.searched + CHUNK, true);
                }
                if !rest.is_empty() {
                    if self.last.is_empty() {
                        self.leave_head();
                    }
                    let mut place = self.taken - rest.len() as u64;
                    if let Some(appended) = &mut self.appended {
                        appended.feed(place, rest);
                    }
                    for chunk in rest.chunks(CHUNK) {
                        self.search_behind(chunk, place);
                        place += chunk.len() as u64;
                    }
                }
                true
            }
        }
    }

    /// What the first bytes say.
    fn sniff(&mut self) -> Stage {
        let head: &[u8] = &self.head;
        if head.starts_with(script::MAGIC) {
            self.behind_text = Some(SelfExtracting::new(&self.place));
            return Stage::Script;
        }
        if head.starts_with(elf::MAGIC) {
            self.head
                .expect(if self.size == u64::MAX { 0 } else { self.size });
            return Stage::Elf;
        }
        if let Some(shape) = Shape::of(head) {
            let Some(archive) = Archive::new(shape, &self.place) else {
                self.unread.push(Unread::too_deep(self.place.limits));
                return Stage::Done;
            };
            self.archive = Some(Box::new(archive));
            return Stage::Archive;
        }
        if head.len() < HEAD {
            Stage::Unknown
        } else if self.executable {
            Stage::Text
        } else {
            Stage::Done
        }
    }

    /// Ends the file. `None`: it is no program of any form, and holds none.
    pub fn finish(&mut self) -> Option<Program> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Done => None,
            Stage::Unknown | Stage::Text => {
                let text = self.executable && script::is_shell_text(&self.head);
                text.then(|| Program::of(Form::Text, Vec::new()))
            }
            Stage::Script => {
                let payload = self.behind_text.take().map(SelfExtracting::finish);
                let (inside, opaque) = self.of(payload);
                let Some(script) = script::read(&self.head) else {
                    return Program::holding(inside);
                };
                let identities = identify::script(self.catalog, &self.head);
                Some(Program {
                    identities,
                    opaque,
                    ..Program::of(Form::Script(script), inside)
                })
            }
            Stage::Archive => {
                let mut nest = self.archive.take()?.finish();
                let (inside, unread, entry_point) = nest.take();
                self.unread.extend(unread);
                if entry_point {
                    return Some(Program::of(Form::Archive, inside));
                }
                Program::holding(inside)
            }
            Stage::Elf => Some(self.finish_elf()),
        }
    }

    /// What of the file that was just finished could not be looked into: ends of sentences about it.
    pub fn unread(&mut self) -> Vec<String> {
        self.take_unread().iter().map(Unread::to_string).collect()
    }

    /// The same, for the archive that the file lies in.
    pub(super) fn take_unread(&mut self) -> Vec<Unread> {
        std::mem::take(&mut self.unread)
    }

    /// Takes a payload apart: the programs in it, and why it may hold any.
    fn of(&mut self, payload: Option<Payload>) -> (Vec<Inner>, Option<String>) {
        let payload = payload.unwrap_or_default();
        self.unread.extend(payload.unread);
        (payload.programs, payload.opaque)
    }

    /// The head is full and the file goes on: searches it, and decides what to keep of the rest.
    fn leave_head(&mut self) {
        self.search_head(self.head.len(), true);
        if let Some(end) = appended::end_of_program(&self.head, self.size, self.limits) {
            let mut appended = Appended::new(&self.place, end);
            appended.feed(0, &self.head);
            self.appended = Some(appended);
        }
        let last = self.head.len().saturating_sub(LAST);
        self.last
            .extend_from_slice(self.head.get(last..).unwrap_or_default());
        for (offset, length) in elf::wanted_behind(&self.head, self.limits) {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let bytes = self.head.get(start..).unwrap_or_default().to_vec();
            self.pieces.push((Piece { offset, bytes }, length));
        }
    }

    /// Searches the head up to `end`; behind which `more` of the file comes.
    fn search_head(&mut self, end: usize, more: bool) {
        let head = self.head.get(..end).unwrap_or_default();
        if self.searched == 0 {
            self.traces.names_only = !self.place.libraries && !elf::may_start(head, self.limits);
        }
        let from = self.searched.saturating_sub(OVERLAP);
        let data = head.get(from..).unwrap_or_default();
        self.traces.search(data, from as u64, self.searched - from, more);
        self.searched = end;
    }

    /// Searches the bytes behind the head that begin at `place`: first those around their border to the bytes before.
    fn search_behind(&mut self, bytes: &[u8], place: u64) {
        let known = self.traces.build_infos.len();
        let mut border = std::mem::take(&mut self.last);
        let (before, from) = (border.len(), place - border.len() as u64);
        let (first, rest) = bytes.split_at(bytes.len().min(OVERLAP));
        border.extend_from_slice(first);
        self.traces.search(&border, from, before, true);
        if !rest.is_empty() {
            self.traces.search(bytes, place, first.len(), true);
        }
        // Go's build information is wanted where it is seen.
        for offset in self.traces.build_infos.get(known..).unwrap_or_default() {
            let start = offset.saturating_sub(from) as usize;
            let bytes = border.get(start..before).unwrap_or_default().to_vec();
            let piece = Piece {
                offset: *offset,
                bytes,
            };
            self.pieces.push((piece, go::KEPT));
        }
        self.keep_pieces(bytes, place);
        border.extend_from_slice(rest.get(rest.len().saturating_sub(LAST)..).unwrap_or_default());
        border.drain(..border.len().saturating_sub(LAST));
        self.last = border;
    }

    /// Copies what the wanted ranges have in `bytes`, which begin at `place`.
    fn keep_pieces(&mut self, bytes: &[u8], place: u64) {
        for (piece, length) in &mut self.pieces {
            let next = piece.offset + piece.bytes.len() as u64;
            let missing = length.saturating_sub(piece.bytes.len());
            let wanted = next
                .checked_sub(place)
                .and_then(|skip| bytes.get(usize::try_from(skip).ok()?..));
            if let Some(wanted) = wanted {
                piece
                    .bytes
                    .extend_from_slice(wanted.get(..missing).unwrap_or(wanted));
            }
        }
    }
}
