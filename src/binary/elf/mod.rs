//! An ELF file as the kernel and the loader read it: headers, segments and the dynamic section, never sections.
//!
//! Each piece is read by itself and capped before it is parsed. One that cannot be read is damage; the file stays a
//! program, since what misleads this reader need not mislead the kernel.

mod starting;
mod symbols;

use goblin::{
    container::{Container, Ctx, Endian},
    elf::{
        Dynamic, Header, ProgramHeader,
        dynamic::{DT_NEEDED, DT_NULL, DT_RPATH, DT_RUNPATH, DT_SONAME, DT_STRTAB, Dyn},
        header::{
            EI_CLASS, EI_DATA, ELFCLASS32, ELFCLASS64, ELFDATA2LSB, ELFDATA2MSB, EM_386, EM_ARM, ET_DYN,
            ET_EXEC,
        },
        program_header::{PT_DYNAMIC, PT_INTERP, PT_LOAD},
    },
};

pub(super) use self::starting::may_start;
use self::symbols::Symbols;
use super::{Content, Elf};
use crate::limits::Limits;

/// The first bytes of every ELF file.
pub(super) const MAGIC: &[u8] = b"\x7fELF";
/// Longest interpreter path that the kernel takes (`PATH_MAX`), and longest library name that is looked at.
const LONGEST_NAME: usize = 4_096;

/// Beginnings of damage for which the kernel does not start a file; of the rest only the loader takes note.
pub(super) const REFUSED: [&str; 4] = [CUT, TOO_MANY_HEADERS, HEADERS_OUTSIDE, ENDLESS_INTERPRETER];
/// Damage that keeps nothing from being read.
pub(super) const MISSTATED: &str = "class or byte order is stated wrongly";
const CUT: &str = "the header is cut";
const TOO_MANY_HEADERS: &str = "it states more program headers than the kernel takes";
const HEADERS_OUTSIDE: &str = "program headers lie outside the file";
const ENDLESS_INTERPRETER: &str = "the path of its interpreter has no end";

/// What was read of an ELF file.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub(super) content: Content<'a>,
    pub(super) ctx: Ctx,
    pub(super) elf: Elf,
    pub(super) segments: Vec<ProgramHeader>,
    /// End of the last loaded segment in the file.
    pub(super) loaded_end: u64,
    /// Its entry point lies in a segment that the kernel maps as code.
    pub(super) enters_code: bool,
    /// The header names no sections: packed, or stripped of them.
    pub(super) no_sections: bool,
    /// `e_phoff` plus the size of all program headers.
    pub(super) headers_end: u64,
    /// Entries of the dynamic section.
    entries: Vec<Dyn>,
    /// Where symbols and their names lie, and how many there are.
    symbols: Option<Symbols>,
}

impl<'a> Reading<'a> {
    /// Reads `content`, which begins with [`MAGIC`].
    pub(super) fn of(content: Content<'a>, limits: &Limits) -> Self {
        let mut reading = Self::unread(content);
        match reading.header() {
            Some(header) => reading.program(&header, limits),
            None => reading.damage(CUT),
        }
        let class = if reading.elf.class64 {
            ELFCLASS64
        } else {
            ELFCLASS32
        };
        let order = if reading.elf.little_endian {
            ELFDATA2LSB
        } else {
            ELFDATA2MSB
        };
        if content.head.get(EI_CLASS..=EI_DATA) != Some(&[class, order]) {
            reading.damage(MISSTATED);
        }
        reading
    }

    fn unread(content: Content<'a>) -> Self {
        Self {
            content,
            ctx: Ctx::new(Container::Big, Endian::Little),
            elf: Elf::default(),
            segments: Vec::new(),
            loaded_end: 0,
            enters_code: false,
            no_sections: false,
            headers_end: 0,
            entries: Vec::new(),
            symbols: None,
        }
    }

    /// Notes the first thing that could not be read.
    fn damage(&mut self, what: impl Into<String>) {
        self.elf.damage.get_or_insert_with(|| what.into());
    }

    /// The header. Class and byte order come from where the kernel sees them, the size of a program header and the file's
    /// type: Linux looks at neither identification byte, so a lie there would hide a program that starts.
    fn header(&mut self) -> Option<Header> {
        let mut bytes = [0; 64];
        let head = self.content.head;
        bytes.iter_mut().zip(head).for_each(|(to, from)| *to = *from);
        let little = match (bytes[16], bytes[17]) {
            (1..=4, 0) => true,
            (0, 1..=4) => false,
            _ => bytes[EI_DATA] != ELFDATA2MSB,
        };
        let half = |at: usize| {
            let pair = [bytes[at], bytes[at + 1]];
            if little {
                u16::from_le_bytes(pair)
            } else {
                u16::from_be_bytes(pair)
            }
        };
        let stated64 = bytes[EI_CLASS] != ELFCLASS32;
        let class64 = match (half(54) == 56, half(42) == 32) {
            _ if !matches!(half(16), ET_EXEC | ET_DYN) => stated64,
            (true, true) => !matches!(half(18), EM_386 | EM_ARM),
            (true, false) => true,
            (false, true) => false,
            (false, false) => stated64,
        };
        if head.len() < if class64 { 64 } else { 52 } {
            self.elf.class64 = class64;
            self.elf.little_endian = little;
            return None;
        }
        let class = if class64 { ELFCLASS64 } else { ELFCLASS32 };
        let data = if little { ELFDATA2LSB } else { ELFDATA2MSB };
        bytes[EI_CLASS] = class;
        bytes[EI_DATA] = data;
        let header = goblin::elf::Elf::parse_header(&bytes).ok()?;
        self.ctx = Ctx::new(
            if class64 {
                Container::Big
            } else {
                Container::Little
            },
            if little { Endian::Little } else { Endian::Big },
        );
        self.elf.machine = header.e_machine;
        self.elf.class64 = class64;
        self.elf.little_endian = little;
        Some(header)
    }

    fn program(&mut self, header: &Header, limits: &Limits) {
        self.no_sections = header.e_shnum == 0 || header.e_shoff == 0;
        self.read_segments(header, limits);
        self.elf.interpreter = self.interpreter();
        let entries = self.dynamic(limits);
        let value = |tag| {
            entries
                .iter()
                .find(|entry| entry.d_tag == tag)
                .map(|entry| entry.d_val)
        };
        let names = value(DT_STRTAB).and_then(|address| self.offset_of(address));
        if names.is_none()
            && entries
                .iter()
                .any(|entry| matches!(entry.d_tag, DT_NEEDED | DT_SONAME))
        {
            self.damage("the names of its libraries lie outside the file, or outside what is held of it");
        }
        let name = |entry: &Dyn| {
            self.content
                .text(names?.checked_add(entry.d_val)?, LONGEST_NAME)
                .map(<[u8]>::to_vec)
        };
        let first = |tag| entries.iter().find(|entry| entry.d_tag == tag).and_then(name);
        let needed: Vec<_> = entries
            .iter()
            .filter(|entry| entry.d_tag == DT_NEEDED)
            .filter_map(name)
            .collect();
        let (soname, rpath, runpath) = (first(DT_SONAME), first(DT_RPATH), first(DT_RUNPATH));
        self.symbols = self.find_symbols(&entries, names, limits);
        if let Some(stated) = self.symbols.map(|symbols| symbols.stated)
            && stated > limits.symbols as u64
        {
            self.damage(format!(
                "it states {stated} dynamic symbols, more than are looked at (limit: {})",
                limits.symbols
            ));
        }
        self.elf.startable = self.starts(header.e_type, &entries);
        self.elf.needed = needed;
        self.elf.soname = soname;
        self.elf.rpath = rpath;
        self.elf.runpath = runpath;
        self.entries = entries;
    }

    fn read_segments(&mut self, header: &Header, limits: &Limits) {
        let size = ProgramHeader::size(self.ctx);
        let bytes = size * usize::from(header.e_phnum);
        self.headers_end = header.e_phoff.saturating_add(bytes as u64);
        if bytes > limits.program_headers {
            return self.damage(format!(
                "{TOO_MANY_HEADERS}: {} of {size} bytes (limit: {} bytes)",
                header.e_phnum, limits.program_headers
            ));
        }
        let table = self.content.at(header.e_phoff, bytes);
        if table.len() < bytes {
            self.damage(HEADERS_OUTSIDE);
        }
        self.segments = ProgramHeader::parse(table, 0, table.len() / size, self.ctx).unwrap_or_default();
        let loaded = self.segments.iter().filter(|segment| segment.p_type == PT_LOAD);
        self.loaded_end = loaded
            .map(|segment| segment.p_offset.saturating_add(segment.p_filesz))
            .max()
            .unwrap_or_default();
        self.enters_code = matches!(header.e_type, ET_EXEC | ET_DYN) && self.is_code(header.e_entry);
    }

    fn interpreter(&mut self) -> Option<Vec<u8>> {
        let segment = self.segments.iter().find(|segment| segment.p_type == PT_INTERP)?;
        let most = usize::try_from(segment.p_filesz)
            .unwrap_or(usize::MAX)
            .min(LONGEST_NAME);
        let bytes = self.content.at(segment.p_offset, most);
        let end = memchr::memchr(0, bytes);
        if end.is_none() {
            self.damage(ENDLESS_INTERPRETER);
        }
        Some(
            bytes
                .get(..end.unwrap_or(bytes.len()))
                .unwrap_or_default()
                .to_vec(),
        )
    }

    /// The dynamic section, found by its address as the loader finds it, else by its place in the file.
    fn dynamic(&mut self, limits: &Limits) -> Vec<Dyn> {
        let Some(segment) = self
            .segments
            .iter()
            .find(|segment| segment.p_type == PT_DYNAMIC)
            .cloned()
        else {
            return Vec::new();
        };
        let most = limits.dynamic_entries * Dyn::size(self.ctx.container);
        let bytes = self
            .offset_of(segment.p_vaddr)
            .map(|offset| self.content.at(offset, most))
            .unwrap_or_default();
        let bytes = if bytes.is_empty() {
            self.content.at(segment.p_offset, most)
        } else {
            bytes
        };
        let whole = bytes.len() - bytes.len() % Dyn::size(self.ctx.container);
        let here = ProgramHeader {
            p_type: PT_DYNAMIC,
            p_offset: 0,
            p_filesz: whole as u64,
            ..segment
        };
        let entries = Dynamic::parse(bytes, &[here], self.ctx)
            .ok()
            .flatten()
            .map(|all| all.dyns)
            .unwrap_or_default();
        if entries.is_empty() {
            self.damage("the dynamic section lies outside the file, or outside what is held of it");
        } else if entries.last().is_some_and(|last| last.d_tag != DT_NULL) {
            let most = limits.dynamic_entries;
            self.damage(if entries.len() < most {
                "the dynamic section has no end".to_owned()
            } else {
                format!("the dynamic section has more entries than are looked at (limit: {most})")
            });
        }
        entries
    }

    /// The file offset that is mapped at `address`. Of overlapping segments the last one wins, as with `mmap`.
    pub(super) fn offset_of(&self, address: u64) -> Option<u64> {
        self.segments
            .iter()
            .rev()
            .filter(|segment| segment.p_type == PT_LOAD)
            .find_map(|segment| {
                let within = address.checked_sub(segment.p_vaddr)?;
                (within < segment.p_filesz)
                    .then(|| segment.p_offset.checked_add(within))
                    .flatten()
            })
    }

    /// The value of the first dynamic entry with this tag.
    pub(super) fn dynamic_value(&self, tag: u64) -> Option<u64> {
        self.entries
            .iter()
            .find(|entry| entry.d_tag == tag)
            .map(|entry| entry.d_val)
    }

    /// At most eight bytes as a number in the file's byte order.
    pub(super) fn number(&self, bytes: &[u8]) -> u64 {
        let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        if self.elf.little_endian {
            bytes.iter().rev().fold(0, fold)
        } else {
            bytes.iter().fold(0, fold)
        }
    }

    /// The 32-bit word at a file offset.
    pub(super) fn word(&self, at: u64) -> Option<u32> {
        self.word_of(self.content.at(at, 4))
    }

    fn word_of(&self, bytes: &[u8]) -> Option<u32> {
        (bytes.len() == 4).then(|| self.number(bytes) as u32)
    }
}

/// Ranges of a large file, as offset and length, that lie behind its `head` and are wanted to read it.
pub(super) fn wanted_behind(head: &[u8], limits: &Limits) -> Vec<(u64, usize)> {
    let mut wanted = Vec::new();
    let mut reading = Reading::of(Content::whole(head), limits);
    let Some(header) = reading.header() else {
        return wanted;
    };
    let entries = limits.dynamic_entries * Dyn::size(reading.ctx.container);
    wanted.push((header.e_phoff, limits.program_headers));
    // The first of each kind is the one that counts; a file may state a thousand.
    let first = |kind| reading.segments.iter().find(|segment| segment.p_type == kind);
    wanted.extend(first(PT_INTERP).map(|segment| (segment.p_offset, LONGEST_NAME)));
    if let Some(segment) = first(PT_DYNAMIC) {
        wanted.push((segment.p_offset, entries));
        wanted.extend(reading.offset_of(segment.p_vaddr).map(|offset| (offset, entries)));
    }
    let names = reading
        .dynamic(limits)
        .iter()
        .find(|entry| entry.d_tag == DT_STRTAB)
        .map(|entry| entry.d_val);
    wanted.extend(
        names
            .and_then(|address| reading.offset_of(address))
            .map(|offset| (offset, NAMES_BEHIND)),
    );
    let end = head.len() as u64;
    wanted.retain(|(offset, length)| offset.saturating_add(*length as u64) > end);
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

/// Bytes of library and symbol names that are kept from behind the head of a large file.
const NAMES_BEHIND: usize = 1 << 20;
