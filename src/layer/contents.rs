//! The contents of a file are shown to the program inspector as they stream by, and kept where a check wants them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Entry, Kept, Want, remarks::Remarks, sniff::Sniff};
use crate::{
    binary::{Inspector, Program},
    catalog::{Catalog, Module},
    gap::Hides,
    limits::Limits,
    path::RootPath,
};

/// Largest file that may turn out to be a list of accounts by its content alone.
const ACCOUNTS_BY_CONTENT: u64 = 64 << 10;
/// Bytes of such a file in which the first account must stand.
const ACCOUNT_HEAD: usize = 4_096;
/// Zeros for the holes of sparse files.
static ZEROS: [u8; 4_096] = [0; 4_096];

/// What says what a program is; [`Inspector`] but for tests.
pub(super) trait Look {
    fn begin(&mut self, size: u64, executable: bool);
    fn feed(&mut self, bytes: &[u8]) -> bool;
    fn finish(&mut self) -> Option<Program>;
    /// What of the finished file could not be looked into.
    fn unread(&mut self) -> Vec<String> {
        Vec::new()
    }
}

impl Look for Inspector<'_> {
    fn begin(&mut self, size: u64, executable: bool) {
        Inspector::begin(self, size, executable);
    }

    fn feed(&mut self, bytes: &[u8]) -> bool {
        Inspector::feed(self, bytes)
    }

    fn finish(&mut self) -> Option<Program> {
        Inspector::finish(self)
    }

    fn unread(&mut self) -> Vec<String> {
        Inspector::unread(self)
    }
}

/// Makes the inspector of a run.
pub(super) fn inspector<'a>(catalog: &'a Catalog, limits: &'a Limits) -> impl FnMut() -> Inspector<'a> {
    move || Inspector::new(catalog, limits)
}

/// Looks into one file after the other.
pub(super) struct Contents<'a, L, M> {
    limits: &'a Limits,
    wants: Wants,
    /// Code of tools that is known by the beginnings of files.
    modules: &'a [Module],
    look: L,
    make: M,
    looking: Looking,
    keeping: Keeping,
    sniff: Sniff,
    /// Content of the current file; moves out only when it is kept.
    buffer: Vec<u8>,
    /// Bytes kept so far.
    kept: usize,
    /// Bytes of holes that may still be shown as zeros.
    holes: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Looking {
    /// Not begun.
    No,
    /// The inspector wants more.
    Yes,
    /// It has seen enough.
    Enough,
    /// It panicked.
    Broken,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeping {
    No,
    /// Bytes that may be kept, and whether it is a list of accounts.
    Yes {
        room: usize,
        accounts: bool,
    },
    /// Kept if the first line turns out to be an account.
    Perhaps,
    /// The beginning is kept if it turns out to be a tool's code.
    Module,
}

impl<'a, L: Look, M: FnMut() -> L> Contents<'a, L, M> {
    /// `make` gives an inspector, and a fresh one after a panic.
    pub(super) fn new(wants: &[Want], limits: &'a Limits, mut make: M) -> Self {
        Self {
            limits,
            wants: Wants::new(wants),
            modules: &[],
            look: make(),
            make,
            looking: Looking::No,
            keeping: Keeping::No,
            sniff: Sniff::new(limits),
            buffer: Vec::new(),
            kept: 0,
            holes: limits.layer,
        }
    }

    /// Keeps the beginning of what is code of `modules`, too.
    pub(super) fn knowing(mut self, modules: &'a [Module]) -> Self {
        self.modules = modules;
        self
    }

    /// Begins a regular file.
    pub(super) fn begin(&mut self, entry: &Entry) {
        self.buffer.clear();
        self.keeping = match self.wants.wanted(&entry.path) {
            Some(accounts) => self.keep(accounts),
            None if entry.size > 0 && self.asked_by(&entry.path).next().is_some() => Keeping::Module,
            None if self.wants.accounts && (1..=ACCOUNTS_BY_CONTENT).contains(&entry.size) => {
                Keeping::Perhaps
            }
            None => Keeping::No,
        };
        self.sniff.begin(entry);
        self.looking = Looking::No;
        if entry.size > 0 {
            let executable = entry.mode & 0o111 != 0;
            self.looking = Looking::Yes;
            self.guard(|look| look.begin(entry.size, executable));
        }
    }

    /// Takes the next bytes of the file. Returns whether more are wanted.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> bool {
        if self.looking == Looking::Yes && self.guard(|look| look.feed(bytes)) == Some(false) {
            self.looking = Looking::Enough;
        }
        self.sniff.feed(bytes);
        match self.keeping {
            Keeping::No => {}
            Keeping::Yes { room, .. } => {
                // One byte more than fits tells that the file goes on.
                let left = room.saturating_add(1).saturating_sub(self.buffer.len());
                self.buffer.extend_from_slice(&bytes[..left.min(bytes.len())]);
            }
            Keeping::Module => {
                let left = Module::HEAD.saturating_sub(self.buffer.len());
                self.buffer.extend_from_slice(&bytes[..left.min(bytes.len())]);
            }
            Keeping::Perhaps => {
                self.buffer.extend_from_slice(bytes);
                // Only a head of fixed length is judged, so that it does not matter in what pieces it came.
                let head = &self.buffer[..self.buffer.len().min(ACCOUNT_HEAD)];
                match first_line(head).map(is_account) {
                    Some(true) => self.keeping = self.keep(true),
                    Some(false) => self.keeping = Keeping::No,
                    None if head.len() == ACCOUNT_HEAD => self.keeping = Keeping::No,
                    None => {}
                }
            }
        }
        self.hungry()
    }

    /// Takes the next `length` bytes of the file, which are zeros. Returns whether more are wanted.
    ///
    /// The zeros are shown, so that what lies behind keeps its place, but only as long as the place matters.
    pub(super) fn hole(&mut self, length: u64) -> bool {
        let mut left = length.min(self.holes).min(self.limits.program as u64);
        self.holes -= left;
        while left > 0 && self.hungry() {
            let part = left.min(ZEROS.len() as u64);
            self.feed(&ZEROS[..part as usize]);
            left -= part;
        }
        self.hungry()
    }

    /// Ends the file and completes `entry`.
    pub(super) fn finish(&mut self, entry: &mut Entry, remarks: &mut Remarks) {
        if matches!(self.looking, Looking::Yes | Looking::Enough) {
            entry.program = self.guard(Look::finish).flatten().map(Box::new);
            for why in self.look.unread() {
                remarks.gap(Some(entry.path.clone()), why, Hides::Programs);
            }
        }
        entry.secrets = self.sniff.finish();
        if self.looking == Looking::Broken {
            remarks.gap(
                Some(entry.path.clone()),
                "internal error while looking into it",
                Hides::Programs,
            );
        }
        if self.keeping == Keeping::Perhaps {
            self.buffer.push(b'\n');
            if first_line(&self.buffer).is_some_and(is_account) {
                self.keeping = self.keep(true);
            }
            self.buffer.pop();
        }
        if self.keeping == Keeping::Module && self.asked_by(&entry.path).any(|one| one.shown_in(&self.buffer))
        {
            self.keep_module(entry, remarks);
        }
        if let Keeping::Yes { room, accounts } = self.keeping {
            let cut = self.buffer.len() > room;
            self.buffer.truncate(room);
            self.kept += self.buffer.len();
            if cut {
                let (kept_file, kept_layer) = (self.limits.kept_file, self.limits.kept_layer);
                let cap = if room == kept_file {
                    format!("limit {kept_file} bytes of one file")
                } else {
                    format!("limit {kept_layer} bytes of all such files of a layer")
                };
                remarks.gap(
                    Some(entry.path.clone()),
                    format!("content cut after {room} bytes ({cap})"),
                    if accounts {
                        Hides::Accounts
                    } else {
                        Hides::Contents
                    },
                );
            }
            entry.kept = Some(Kept {
                bytes: self.buffer.as_slice().into(),
                cut,
            });
        }
        self.looking = Looking::No;
        self.keeping = Keeping::No;
        // A large file must not hold its room while thousands of small ones pass.
        if self.buffer.capacity() > ACCOUNTS_BY_CONTENT as usize {
            self.buffer = Vec::new();
        }
    }

    /// The modules whose code a file of this path may be.
    fn asked_by(&self, path: &RootPath) -> impl Iterator<Item = &'a Module> {
        let modules = self.modules.iter();
        modules.filter(|module| module.asks_for_content() && module.depth(path.as_bytes()).is_some())
    }

    /// Keeps the beginning of a tool's code, as far as the caps leave room for it.
    fn keep_module(&mut self, entry: &mut Entry, remarks: &mut Remarks) {
        if self.kept.saturating_add(self.buffer.len()) > self.limits.kept_layer {
            remarks.gap(
                Some(entry.path.clone()),
                format!(
                    "code of a tool, not kept (limit {} bytes of all such files of a layer)",
                    self.limits.kept_layer
                ),
                Hides::Programs,
            );
            return;
        }
        self.kept += self.buffer.len();
        entry.kept = Some(Kept {
            bytes: self.buffer.as_slice().into(),
            cut: self.buffer.len() as u64 != entry.size,
        });
    }

    /// Keeps as much as the caps leave room for.
    fn keep(&self, accounts: bool) -> Keeping {
        let left = self.limits.kept_layer.saturating_sub(self.kept);
        Keeping::Yes {
            room: self.limits.kept_file.min(left),
            accounts,
        }
    }

    fn hungry(&self) -> bool {
        self.looking == Looking::Yes
            || self.sniff.hungry()
            || match self.keeping {
                Keeping::No => false,
                Keeping::Yes { room, .. } => self.buffer.len() <= room,
                Keeping::Perhaps => true,
                Keeping::Module => self.buffer.len() < Module::HEAD,
            }
    }

    /// Keeps a panic of the inspector inside the file that caused it.
    fn guard<T>(&mut self, task: impl FnOnce(&mut L) -> T) -> Option<T> {
        let look = &mut self.look;
        let result = catch_unwind(AssertUnwindSafe(|| task(look))).ok();
        if result.is_none() {
            self.look = (self.make)();
            self.looking = Looking::Broken;
        }
        result
    }
}

/// The wants of all checks, sorted for a quick answer.
struct Wants {
    paths: Vec<RootPath>,
    below: Vec<RootPath>,
    names: Vec<&'static [u8]>,
    accounts: bool,
}

impl Wants {
    fn new(wants: &[Want]) -> Self {
        let mut all = Self {
            paths: Vec::new(),
            below: Vec::new(),
            names: Vec::new(),
            accounts: false,
        };
        for want in wants {
            match want {
                Want::Path(path) => all.paths.push((*path).into()),
                Want::Below(path) => all.below.push((*path).into()),
                Want::Name(name) => all.names.push(name.as_bytes()),
                Want::Accounts => all.accounts = true,
            }
        }
        all.paths.sort();
        all.names.sort_unstable();
        all
    }

    /// Whether the file is wanted; if so, whether it lists accounts by its name.
    fn wanted(&self, path: &RootPath) -> Option<bool> {
        let name = path.name();
        let wanted = self.names.binary_search(&name).is_ok()
            || self.paths.binary_search(path).is_ok()
            || self.below.iter().any(|directory| path.is_below(directory));
        wanted.then_some(matches!(name, b"passwd" | b"group" | b"shadow" | b"gshadow"))
    }
}

/// The first whole line that is neither empty nor a comment.
fn first_line(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let line = rest[..end].trim_ascii();
        if !line.is_empty() && !line.starts_with(b"#") {
            return Some(line);
        }
        rest = &rest[end + 1..];
    }
    None
}

/// Whether a line reads like one of `/etc/passwd` (`name:x:0:0:…`), `/etc/group` (`name:x:0:…`) or `/etc/shadow` (nine
/// fields, all but the first two empty or numbers).
fn is_account(line: &[u8]) -> bool {
    let mut fields = line.split(|&byte| byte == b':');
    let name = fields.next().unwrap_or_default();
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let (_password, id) = (fields.next(), fields.next().unwrap_or_default());
    let mut rest = fields;
    let accounts = !id.is_empty() && rest.clone().next().is_some();
    let shadow = rest.clone().count() == 6 && rest.all(digits);
    !name.is_empty() && !name.contains(&0) && digits(id) && (accounts || shadow)
}
