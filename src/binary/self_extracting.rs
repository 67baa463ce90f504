//! A self-extracting script is a text that an interpreter runs, with a payload of bytes behind it.

use super::{
    Inner,
    appended::Payload,
    archive::{HEAD, Nest, Place, Shape, Unread},
    elf,
};

/// What ends the part of a PHP archive that is text; the interpreter reads the rest itself.
const PHAR: &[u8] = b"__HALT_COMPILER();";

/// Looks for the payload of one script.
pub(super) struct SelfExtracting<'a> {
    place: Place<'a>,
    /// What was not yet looked at, from where `at` says.
    pending: Vec<u8>,
    at: u64,
    /// `pending` begins with a line that was not yet held against the magic numbers.
    line: bool,
    phar: bool,
    /// The payload is a squashfs image.
    squashfs: bool,
    state: State<'a>,
}

enum State<'a> {
    Text,
    Nested(Box<Nest<'a>>),
    /// Bytes that are no text and of no known form.
    Unknown,
    TooDeep,
}

impl<'a> SelfExtracting<'a> {
    pub(super) fn new(place: &Place<'a>) -> Self {
        Self {
            place: place.clone(),
            pending: Vec::new(),
            at: 0,
            line: true,
            phar: false,
            squashfs: false,
            state: State::Text,
        }
    }

    /// Takes the next bytes of the script, from its first one on. Returns whether it wants more.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> bool {
        match &mut self.state {
            State::Text => {
                self.pending.extend_from_slice(bytes);
                self.look(false);
                !matches!(self.state, State::Unknown | State::TooDeep)
            }
            State::Nested(nest) => nest.data(bytes),
            State::Unknown | State::TooDeep => false,
        }
    }

    /// Goes line by line over what came. `last`: nothing else will.
    fn look(&mut self, last: bool) {
        let mut from = 0;
        while let Some(rest) = self.pending.get(from..).filter(|rest| !rest.is_empty()) {
            if self.line {
                if rest.len() < HEAD && !last {
                    break;
                }
                let head = rest.get(..HEAD).unwrap_or(rest);
                if Shape::of(head).is_some() || head.starts_with(elf::MAGIC) {
                    let payload = self.pending.split_off(from);
                    self.nest(self.at + from as u64, &payload);
                    return;
                }
            }
            let end = memchr::memchr2(b'\n', 0, rest);
            self.phar |=
                memchr::memmem::find(rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest), PHAR).is_some();
            match end {
                Some(end) if rest.get(end) == Some(&0) => {
                    self.pending.clear();
                    self.state = State::Unknown;
                    return;
                }
                Some(end) => {
                    from += end + 1;
                    self.line = true;
                }
                None => {
                    from = self.pending.len();
                    self.line = false;
                }
            }
        }
        self.pending.drain(..from);
        self.at += from as u64;
    }

    fn nest(&mut self, at: u64, payload: &[u8]) {
        self.pending.clear();
        self.squashfs = Shape::of(payload) == Some(Shape::Squashfs);
        if !self.place.may_descend() {
            self.state = State::TooDeep;
            return;
        }
        let mut nest = Nest::new(Place {
            prefix: at,
            ..self.place.uncompressed()
        });
        if nest.begin(Vec::new()) {
            nest.data(payload);
        }
        self.state = State::Nested(Box::new(nest));
    }

    /// Ends the script.
    pub(super) fn finish(mut self) -> Payload {
        if matches!(self.state, State::Text) {
            self.look(true);
        }
        let mut payload = Payload::default();
        match self.state {
            State::Text => {}
            State::Nested(mut nest) => {
                nest.end();
                let found: (Vec<Inner>, Vec<Unread>, bool) = nest.take();
                (payload.programs, payload.unread) = (found.0, found.1);
                if self.squashfs {
                    payload.unread_image();
                }
            }
            State::Unknown if self.phar => {}
            State::Unknown => {
                payload.opaque = Some(
                    "behind its text stand bytes of no known form, which it may unpack and run".to_owned(),
                );
            }
            State::TooDeep => payload.unread.push(Unread::too_deep(self.place.limits)),
        }
        payload
    }
}
