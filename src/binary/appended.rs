//! Appended data stands behind the end of a program in the same file: a payload that the program reads, or nobody.

use super::{
    Content, Inner,
    archive::{HEAD, Nest, Place, SUPERBLOCK, Shape, Unread, begins_squashfs},
    elf::{self, Reading},
    script,
};
use crate::limits::Limits;

/// First bytes of what a payload of another form may hold besides a squashfs image: a zip archive or an ELF file, with as much
/// of its header as tells it from chance.
const WITHIN: [&[u8]; 4] = [
    b"PK\x03\x04",
    b"\x7fELF\x01\x01\x01",
    b"\x7fELF\x02\x01\x01",
    b"\x7fELF\x02\x02\x01",
];
/// Bytes that a next piece must repeat of the one before, so that none of them is cut.
const OVERLAP: usize = SUPERBLOCK - 1;
/// Where the header of an `AppImage` has its mark, whose last byte is the type.
const APP_IMAGE: (usize, &[u8]) = (8, b"AI");
/// How a squashfs image begins.
const SQUASHFS: &[u8] = b"hsqs";
/// Section headers that are looked at.
const SECTIONS: usize = 4_096;

/// Looks into what is appended to one program.
pub(super) struct Appended<'a> {
    place: Place<'a>,
    /// Where it begins in the file; moves on over padding.
    begins: u64,
    state: State<'a>,
    /// The program says that it is an `AppImage` of this type.
    app_image: Option<u8>,
    /// The payload is a squashfs image.
    squashfs: bool,
    opaque: Option<String>,
    unread: Vec<Unread>,
}

enum State<'a> {
    /// Gathers the first bytes.
    Start(Vec<u8>),
    /// Looks for what the payload holds; the last bytes of the piece before.
    Search(Vec<u8>),
    Nested(Box<Nest<'a>>),
    Over,
}

/// What was found in appended data.
#[derive(Default)]
pub(super) struct Payload {
    pub(super) programs: Vec<Inner>,
    pub(super) unread: Vec<Unread>,
    /// Why it may hold any program.
    pub(super) opaque: Option<String>,
}

impl<'a> Appended<'a> {
    /// Appended data that begins at a byte of the file.
    pub(super) fn new(place: &Place<'a>, begins: u64) -> Self {
        Self {
            place: place.clone(),
            begins,
            state: State::Start(Vec::new()),
            app_image: None,
            squashfs: false,
            opaque: None,
            unread: Vec::new(),
        }
    }

    /// Takes bytes of the file that stand at `at`; those before the appended data are passed over.
    pub(super) fn feed(&mut self, at: u64, bytes: &[u8]) {
        if at == 0 {
            let mark = bytes
                .get(APP_IMAGE.0..)
                .and_then(|rest| rest.strip_prefix(APP_IMAGE.1));
            self.app_image = mark
                .and_then(|rest| rest.first().copied())
                .filter(|kind| matches!(kind, 1 | 2));
        }
        let skip = usize::try_from(self.begins.saturating_sub(at)).unwrap_or(usize::MAX);
        let mut bytes = match &self.state {
            State::Start(head) if head.is_empty() => bytes.get(skip..).unwrap_or_default(),
            _ => bytes,
        };
        if let State::Start(head) = &mut self.state {
            if head.is_empty() {
                let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
                if !bytes.is_empty() {
                    self.begins = at.max(self.begins) + zeros as u64;
                }
                bytes = bytes.get(zeros..).unwrap_or_default();
            }
            let (taken, rest) = bytes.split_at(bytes.len().min(HEAD - head.len()));
            head.extend_from_slice(taken);
            if head.len() < HEAD {
                return;
            }
            bytes = rest;
            self.start();
        }
        match &mut self.state {
            State::Start(_) | State::Over => {}
            State::Search(_) => self.search(bytes, false),
            State::Nested(nest) => {
                nest.data(bytes);
            }
        }
    }

    /// The first bytes are there: what is it?
    fn start(&mut self) {
        let State::Start(head) = std::mem::replace(&mut self.state, State::Over) else {
            return;
        };
        if head.starts_with(SQUASHFS) && !begins_squashfs(&head) {
            self.opaque = Some("the squashfs image behind it is of a form that is not read".to_owned());
        } else if Shape::of(&head).is_some()
            || head.starts_with(elf::MAGIC)
            || head.starts_with(script::MAGIC)
        {
            self.nest(self.begins, &head);
        } else {
            self.state = State::Search(Vec::new());
            self.search(&head, false);
        }
    }

    /// Looks for an archive or a program in a payload of another form. `last`: nothing else will come.
    fn search(&mut self, bytes: &[u8], last: bool) {
        let State::Search(tail) = &mut self.state else {
            return;
        };
        let at = self.begins;
        tail.extend_from_slice(bytes);
        // Nothing is decided before as much of it is there as may be needed.
        let decided = if last {
            tail.len()
        } else {
            tail.len().saturating_sub(OVERLAP)
        };
        let image = memchr::memmem::find_iter(tail, SQUASHFS)
            .find(|from| tail.get(*from..).is_some_and(begins_squashfs));
        let found = WITHIN
            .iter()
            .filter_map(|magic| memchr::memmem::find(tail, magic))
            .chain(image)
            .min()
            .filter(|from| *from < decided);
        let window = std::mem::take(tail);
        if let Some(from) = found {
            self.nest(at + from as u64, window.get(from..).unwrap_or_default());
            return;
        }
        let from = window.len().saturating_sub(OVERLAP);
        self.begins = at + from as u64;
        self.state = State::Search(window.get(from..).unwrap_or_default().to_vec());
    }

    fn nest(&mut self, at: u64, bytes: &[u8]) {
        let shape = Shape::of(bytes);
        self.squashfs = shape == Some(Shape::Squashfs);
        if !self.place.may_descend() {
            self.unread.push(Unread::too_deep(self.place.limits));
            self.state = State::Over;
            return;
        }
        // A program is no archive around its payload, but one around another program.
        let place = if shape.is_some() {
            self.place.uncompressed()
        } else {
            self.place.inside()
        };
        let mut nest = Nest::new(Place { prefix: at, ..place });
        if nest.begin(Vec::new()) {
            nest.data(bytes);
        }
        self.state = State::Nested(Box::new(nest));
    }

    /// Ends the file.
    pub(super) fn finish(mut self) -> Payload {
        if matches!(self.state, State::Start(_)) {
            self.start();
        }
        self.search(&[], true);
        let searched = matches!(self.state, State::Search(_));
        let mut payload = Payload {
            opaque: self.opaque,
            unread: self.unread,
            ..Payload::default()
        };
        if let State::Nested(mut nest) = self.state {
            nest.end();
            let (programs, unread, _) = nest.take();
            payload.programs = programs;
            payload.unread.extend(unread);
        }
        if self.squashfs {
            payload.unread_image();
        }
        match self.app_image {
            Some(1) => {
                payload.opaque =
                    Some("it is an AppImage of type 1, whose ISO 9660 image is not read".to_owned());
            }
            Some(_) if searched => {
                payload.opaque = Some("it is an AppImage with a payload of no known form".to_owned());
            }
            _ => {}
        }
        payload
    }
}

impl Payload {
    /// It is an image of all that a program starts: what of it could not be looked into may be any program.
    pub(super) fn unread_image(&mut self) {
        let (of_image, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.unread)
            .into_iter()
            .partition(|unread| unread.path.is_empty());
        self.unread = rest;
        let reasons: Vec<String> = of_image.into_iter().map(|unread| unread.why).collect();
        if !reasons.is_empty() {
            self.opaque = Some(format!("the squashfs image behind it {}", reasons.join(", and ")));
        }
    }
}

/// Where a program in a file of `size` bytes ends: its loaded segments, its sections and their table, as far as `head` tells. `None`: nothing is
/// loaded.
pub(super) fn end_of_program(head: &[u8], size: u64, limits: &Limits) -> Option<u64> {
    let reading = Reading::of(Content::whole(head), limits);
    let loaded = reading.loaded_end;
    if loaded == 0 {
        return None;
    }
    let wide = reading.elf.class64;
    let number = |at: u64, length: usize| reading.number(reading.content.at(at, length));
    let (table, length, count, word) = if wide {
        (number(0x28, 8), number(0x3a, 2), number(0x3c, 2), 8)
    } else {
        (number(0x20, 4), number(0x2e, 2), number(0x30, 2), 4)
    };
    let mut end = loaded;
    if count == 0 || table == 0 {
        return Some(end);
    }
    let tables_end = table.saturating_add(length * count);
    if tables_end <= size {
        end = end.max(tables_end);
    }
    let (kind_at, offset_at, size_at) = if wide { (4, 24, 32) } else { (4, 16, 20) };
    for index in 0..count.min(SECTIONS as u64) {
        let header = table.saturating_add(index * length);
        let field = |at: u64, length| number(header.saturating_add(at), length);
        // A section without bytes in the file, such as `.bss`, only states a size.
        if field(kind_at, 4) != 8 {
            let section = field(offset_at, word).saturating_add(field(size_at, word));
            // One that ends behind the file is a lie.
            if section <= size {
                end = end.max(section);
            }
        }
    }
    Some(end)
}
