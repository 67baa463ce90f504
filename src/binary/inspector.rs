//! The inspector takes a file's bytes as they stream by and says in the end what program it is.

use super::{
    Content, Form, Piece, Program, archive, elf,
    elf::Reading,
    go, identify,
    library_names::LibraryNames,
    packed, script,
    search::{Found, OVERLAP},
};
use crate::{catalog::Catalog, limits::Limits};

/// Bytes of a script that are looked at.
const SCRIPT: usize = 8 << 10;
/// Bytes behind the head of a large file that are looked at in one go.
const CHUNK: usize = 256 << 10;
/// Places that look like Go's build information before none of them is it.
const BUILD_INFOS: usize = 4;

/// Looks into one file after the other, fed as its bytes stream by; keeps its buffers between files.
///
/// Nothing depends on the sizes of the pieces. The first [`Limits::program`] bytes of a program are held; what lies behind
/// them is searched in chunks, and only the ranges that headers point to are kept.
pub struct Inspector<'a> {
    catalog: &'a Catalog,
    limits: &'a Limits,
    stage: Stage,
    /// The file from its first byte.
    head: Vec<u8>,
    /// The last bytes of what was looked at, then those that were not yet.
    chunk: Vec<u8>,
    /// Where in the file `chunk` begins.
    chunk_at: u64,
    /// Bytes at the beginning of `chunk` that were looked at.
    seen: usize,
    /// Ranges behind the head that are kept, as bytes that each still wants.
    pieces: Vec<(Piece, usize)>,
    found: Found,
    library_names: LibraryNames,
    build_infos: Vec<u64>,
    entry_point: bool,
}

/// What the first bytes say a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Too few bytes came.
    Unknown,
    Elf,
    Script,
    Zip,
    /// No program, or nothing more is needed of it.
    Done,
}

impl<'a> Inspector<'a> {
    /// An inspector that knows `catalog` and keeps to `limits`.
    pub fn new(catalog: &'a Catalog, limits: &'a Limits) -> Self {
        Self {
            catalog,
            limits,
            stage: Stage::Done,
            head: Vec::new(),
            chunk: Vec::new(),
            chunk_at: 0,
            seen: 0,
            pieces: Vec::new(),
            found: Found::new(catalog),
            library_names: LibraryNames::default(),
            build_infos: Vec::new(),
            entry_point: false,
        }
    }

    /// Starts a file of `size` bytes (as stated; may be a lie). `executable`: any x bit is set.
    pub fn begin(&mut self, _size: u64, _executable: bool) {
        self.stage = Stage::Unknown;
        self.head.clear();
        self.chunk.clear();
        self.chunk_at = 0;
        self.seen = 0;
        self.pieces.clear();
        self.found.clear();
        self.library_names.clear();
        self.build_infos.clear();
        self.entry_point = false;
    }

    /// Takes the next bytes of the file, in pieces of any size. Returns whether it wants more.
    pub fn feed(&mut self, mut bytes: &[u8]) -> bool {
        if self.stage == Stage::Unknown {
            bytes = self.fill_head(bytes, elf::MAGIC.len());
            if self.head.starts_with(script::MAGIC) {
                self.stage = Stage::Script;
            } else if self.head.len() == elf::MAGIC.len() {
                self.stage = match self.head.as_slice() {
                    elf::MAGIC => Stage::Elf,
                    archive::MAGIC => Stage::Zip,
                    _ => Stage::Done,
                };
            }
        }
        match self.stage {
            Stage::Unknown => true,
            Stage::Done => false,
            Stage::Script => {
                self.fill_head(bytes, SCRIPT);
                self.head.len() < SCRIPT
            }
            Stage::Zip => {
                if self.head.len() == elf::MAGIC.len() && self.chunk.is_empty() {
                    self.chunk.extend_from_slice(&self.head);
                }
                self.feed_chunks(bytes);
                !self.entry_point
            }
            Stage::Elf => {
                let rest = self.fill_head(bytes, self.limits.program);
                if !rest.is_empty() {
                    if self.chunk.is_empty() {
                        self.leave_head();
                    }
                    self.feed_chunks(rest);
                }
                true
            }
        }
    }

    /// Ends the file. `None`: it is no program of any form.
    pub fn finish(&mut self) -> Option<Program> {
        let stage = std::mem::replace(&mut self.stage, Stage::Done);
        match stage {
            Stage::Unknown | Stage::Done => None,
            Stage::Script => {
                let script = script::read(&self.head)?;
                let identities = identify::script(self.catalog, &self.head);
                Some(Program {
                    form: Form::Script(script),
                    identities,
                    opaque: None,
                })
            }
            Stage::Zip => {
                self.look(stage);
                let archive = Program {
                    form: Form::Archive,
                    identities: Vec::new(),
                    opaque: None,
                };
                self.entry_point.then_some(archive)
            }
            Stage::Elf => Some(self.finish_elf()),
        }
    }

    /// Appends to the head up to `most` bytes in all, and returns the rest.
    fn fill_head<'b>(&mut self, bytes: &'b [u8], most: usize) -> &'b [u8] {
        let (taken, rest) = bytes.split_at(bytes.len().min(most.saturating_sub(self.head.len())));
        self.head.extend_from_slice(taken);
        rest
    }

    /// The head is full and the file goes on: searches it, and decides what to keep of the rest.
    fn leave_head(&mut self) {
        self.search_head();
        let overlap = self.head.len().saturating_sub(OVERLAP);
        self.chunk
            .extend_from_slice(self.head.get(overlap..).unwrap_or_default());
        self.chunk_at = overlap as u64;
        self.seen = self.chunk.len();
        for (offset, length) in elf::wanted_behind(&self.head, self.limits) {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let bytes = self.head.get(start..).unwrap_or_default().to_vec();
            self.pieces.push((Piece { offset, bytes }, length));
        }
    }

    fn search_head(&mut self) {
        self.found.search(self.catalog, &self.head);
        self.library_names.search(&self.head, self.limits.library_names);
        let starts = memchr::memmem::find_iter(&self.head, go::MAGIC).map(|at| at as u64);
        self.build_infos.extend(
            starts
                .filter(|at| at.is_multiple_of(go::ALIGNMENT))
                .take(BUILD_INFOS),
        );
    }

    fn feed_chunks(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.entry_point {
            let (taken, rest) = bytes.split_at(bytes.len().min(CHUNK.saturating_sub(self.chunk.len())));
            self.chunk.extend_from_slice(taken);
            if self.chunk.len() >= CHUNK {
                self.look(self.stage);
            }
            bytes = rest;
        }
    }

    /// Looks at the bytes of the chunk that were not yet looked at, and keeps the last ones for the next chunk.
    fn look(&mut self, stage: Stage) {
        let overlap = if stage == Stage::Elf {
            self.found.search(self.catalog, &self.chunk);
            self.library_names.search(&self.chunk, self.limits.library_names);
            self.keep_pieces();
            OVERLAP
        } else {
            self.entry_point |= archive::has_entry_point(&self.chunk);
            archive::OVERLAP
        };
        let from = self.chunk.len().saturating_sub(overlap);
        self.chunk.drain(..from);
        self.chunk_at += from as u64;
        self.seen = self.chunk.len();
    }

    /// Copies what the wanted ranges have in this chunk. Go's build information is wanted where it is seen.
    fn keep_pieces(&mut self) {
        let new = self.chunk.get(self.seen..).unwrap_or_default();
        let new_at = self.chunk_at + self.seen as u64;
        for (piece, length) in &mut self.pieces {
            let next = piece.offset + piece.bytes.len() as u64;
            let missing = length.saturating_sub(piece.bytes.len());
            let from = next
                .checked_sub(new_at)
                .and_then(|skip| new.get(usize::try_from(skip).ok()?..));
            if let Some(bytes) = from {
                piece
                    .bytes
                    .extend_from_slice(bytes.get(..missing).unwrap_or(bytes));
            }
        }
        for at in memchr::memmem::find_iter(&self.chunk, go::MAGIC) {
            let offset = self.chunk_at + at as u64;
            if !offset.is_multiple_of(go::ALIGNMENT)
                || self.build_infos.len() >= BUILD_INFOS
                || self.build_infos.contains(&offset)
            {
                continue;
            }
            let bytes = self.chunk.get(at..).unwrap_or_default();
            let bytes = bytes.get(..go::KEPT).unwrap_or(bytes).to_vec();
            self.build_infos.push(offset);
            self.pieces.push((Piece { offset, bytes }, go::KEPT));
        }
    }

    fn finish_elf(&mut self) -> Program {
        if self.chunk.is_empty() {
            self.search_head();
        } else {
            self.look(Stage::Elf);
        }
        let pieces: Vec<Piece> = self.pieces.drain(..).map(|(piece, _)| piece).collect();
        let content = Content {
            head: &self.head,
            pieces: &pieces,
        };
        let reading = Reading::of(content, self.limits);
        let info = self.build_infos.iter().find_map(|at| {
            go::read(&content, *at, reading.elf.little_endian, |address| {
                reading.offset_of(address)
            })
        });
        let mut identities = identify::elf(self.catalog, &reading, &self.found, info.as_ref());
        let mut opaque = None;
        if let Some(image) = packed::unpack(&reading, self.limits.unpacked) {
            self.found.clear();
            self.found.search(self.catalog, &image);
            self.library_names.search(&image, self.limits.library_names);
            let inner = Reading::of(Content::whole(&image), self.limits);
            let inside = identify::elf(self.catalog, &inner, &self.found, None);
            identities = identify::packed(self.catalog, identities, inside);
        } else if identities.is_empty()
            && reading.no_sections
            && reading.elf.startable
            && let Some(bits) = packed::randomness(&reading)
        {
            opaque = Some(format!(
                "it has no sections and its bytes look random ({bits:.1} bits each): packed or encrypted in a way that \
                 cannot be undone here"
            ));
        }
        let mut elf = reading.elf;
        let known = elf.needed.iter().chain(&elf.soname).map(Vec::as_slice);
        (elf.library_names, elf.library_names_cut) = self.library_names.take(&known.collect::<Vec<_>>());
        Program {
            form: Form::Elf(elf),
            identities,
            opaque,
        }
    }
}
