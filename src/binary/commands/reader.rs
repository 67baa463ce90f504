//! The reader takes a shell's text apart into words and commands, with no more understanding than that needs.

use super::{
    Gather,
    word::{Word, is_name},
};

/// Texts in one another: `$(…)`, `(…)`, backquotes.
const DEPTH: usize = 32;

/// What ends a frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Text,
    Bracket,
    /// As [`End::Bracket`], of words that are no command.
    List,
    Backquote,
}

/// One text in another.
pub(super) struct Frame {
    pub(super) end: End,
    pub(super) words: Vec<Word>,
    pub(super) word: Option<Word>,
    /// Between double quotes.
    quoted: bool,
    /// The next word is a file that is opened.
    pub(super) redirected: bool,
    /// `case` without its `esac`.
    cases: usize,
    /// Patterns of a case are expected, and no command.
    patterns: bool,
}

impl Frame {
    fn new(end: End) -> Self {
        Self {
            end,
            words: Vec::new(),
            word: None,
            quoted: false,
            redirected: false,
            cases: 0,
            patterns: false,
        }
    }

    pub(super) fn word(&mut self) -> &mut Word {
        self.word.get_or_insert_default()
    }

    pub(super) fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        if !std::mem::take(&mut self.redirected) {
            self.words.push(word);
        }
    }
}

/// Reads one text.
pub(super) struct Reader<'t> {
    pub(super) text: &'t [u8],
    pub(super) at: usize,
    /// Texts that the present one lies in, outermost first.
    outer: Vec<Frame>,
    pub(super) frame: Frame,
    /// Here-documents that begin behind this line, and whether tabs before their end count.
    pub(super) documents: Vec<(Vec<u8>, bool)>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            at: 0,
            outer: Vec::new(),
            frame: Frame::new(End::Text),
            documents: Vec::new(),
        }
    }

    /// Reads the text to its end.
    pub(super) fn read(mut self, gather: &mut Gather) {
        while let Some(byte) = self.next() {
            if self.outer.len() > DEPTH {
                gather.out.unclear = true;
                return;
            }
            if self.frame.quoted {
                self.in_quotes(byte, gather);
            } else {
                self.plain(byte, gather);
            }
        }
        // What was opened and not closed is not understood.
        gather.out.unclear |= self.frame.quoted || self.frame.end != End::Text || !self.documents.is_empty();
        self.end_command(gather);
        gather.out.unclear |= self.frame.cases > 0;
        while let Some(outer) = self.outer.pop() {
            self.frame = outer;
            self.end_command(gather);
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn skip(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    /// What stands before the next `end`, which is passed by.
    pub(super) fn until(&mut self, end: &[u8]) -> Option<&'t [u8]> {
        let rest = self.text.get(self.at..)?;
        let Some(length) = memchr::memmem::find(rest, end) else {
            self.at = self.text.len();
            return None;
        };
        self.at += length + end.len();
        rest.get(..length)
    }

    fn in_quotes(&mut self, byte: u8, gather: &mut Gather) {
        match byte {
            b'"' => self.frame.quoted = false,
            b'\\' => match self.next() {
                Some(b'\n') | None => {}
                Some(byte @ (b'$' | b'`' | b'"' | b'\\')) => self.frame.word().push(byte),
                Some(byte) => {
                    self.frame.word().push(b'\\');
                    self.frame.word().push(byte);
                }
            },
            b'$' => self.dollar(gather),
            b'`' => self.backquote(gather),
            byte => self.frame.word().push(byte),
        }
    }

    fn plain(&mut self, byte: u8, gather: &mut Gather) {
        match byte {
            b'\'' => {
                let quoted = self.until(b"'");
                gather.out.unclear |= quoted.is_none();
                let word = self.frame.word();
                quoted
                    .unwrap_or_default()
                    .iter()
                    .for_each(|byte| word.push(*byte));
            }
            b'"' => {
                self.frame.word();
                self.frame.quoted = true;
            }
            b'\\' => match self.next() {
                Some(b'\n') | None => {}
                Some(byte) => self.frame.word().push(byte),
            },
            b'$' => self.dollar(gather),
            b'`' => self.backquote(gather),
            b'#' if self.frame.word.is_none() => {
                while self.peek().is_some_and(|byte| byte != b'\n') {
                    self.at += 1;
                }
            }
            b' ' | b'\t' | b'\r' => self.frame.end_word(),
            b'\n' => {
                self.end_command(gather);
                self.documents(gather);
            }
            b';' => {
                self.end_command(gather);
                let ends = self.skip(b';') || self.skip(b'&');
                self.frame.patterns |= ends && self.frame.cases > 0;
            }
            b'&' | b'|' => {
                // Within `[[ … ]]` these join conditions.
                self.frame.end_word();
                let word = |word: Option<&Word>, is: &[u8]| word.and_then(Word::plain) == Some(is);
                let words = &self.frame.words;
                if !word(words.first(), b"[[") || word(words.last(), b"]]") {
                    self.end_command(gather);
                }
            }
            b'(' => self.open(gather),
            b')' => self.close(gather),
            b'<' | b'>' => self.redirection(byte),
            b'*' | b'?' => self.frame.word().expand(b""),
            b'~' if self.frame.word.is_none() => self.frame.word().expand(b""),
            byte => self.frame.word().push(byte),
        }
    }

    fn end_command(&mut self, gather: &mut Gather) {
        self.frame.end_word();
        self.frame.redirected = false;
        let words = std::mem::take(&mut self.frame.words);
        if self.frame.end == End::List {
            return;
        }
        match words.first().and_then(Word::plain) {
            Some(b"case") if !self.frame.patterns => {
                self.frame.cases += 1;
                self.frame.patterns = true;
            }
            Some(b"esac") => {
                self.frame.cases = self.frame.cases.saturating_sub(1);
                self.frame.patterns = false;
            }
            _ if self.frame.patterns => return,
            _ => {}
        }
        gather.command(&words);
    }

    pub(super) fn enter(&mut self, end: End) {
        let outer = std::mem::replace(&mut self.frame, Frame::new(end));
        self.outer.push(outer);
    }

    fn leave(&mut self, gather: &mut Gather) {
        self.end_command(gather);
        if let Some(outer) = self.outer.pop() {
            self.frame = outer;
        }
    }

    /// What stands behind a `$`.
    fn dollar(&mut self, gather: &mut Gather) {
        match self.peek() {
            Some(b'(') => {
                self.at += 1;
                self.frame.word().expand(b"");
                if self.skip(b'(') {
                    self.arithmetic(gather);
                } else {
                    self.enter(End::Bracket);
                }
            }
            Some(b'{') => {
                self.at += 1;
                let name = self.parameter(gather);
                self.frame.word().expand(name);
            }
            Some(byte) if is_name(byte) && !byte.is_ascii_digit() => {
                while self.peek().is_some_and(is_name) {
                    self.at += 1;
                }
                self.frame.word().expand(b"");
            }
            Some(byte) if byte.is_ascii_digit() || b"@*#?-$!".contains(&byte) => {
                self.at += 1;
                self.frame.word().expand(&[byte]);
            }
            Some(b'\'' | b'"') if !self.frame.quoted => self.frame.word().expand(b""),
            _ => self.frame.word().push(b'$'),
        }
    }

    /// What stands between `${` and its `}`.
    fn parameter(&mut self, gather: &mut Gather) -> &'t [u8] {
        let from = self.at;
        let mut depth = 1_usize;
        while let Some(byte) = self.next() {
            match byte {
                b'\\' => {
                    self.next();
                }
                b'{' => depth += 1,
                b'}' => depth -= 1,
                // A command in a default.
                b'`' => gather.out.unclear = true,
                b'(' if self.text.get(self.at.wrapping_sub(2)) == Some(&b'$') => gather.out.unclear = true,
                _ => {}
            }
            if depth == 0 {
                return self.text.get(from..self.at - 1).unwrap_or_default();
            }
        }
        gather.out.unclear = true;
        b""
    }

    /// What stands between `((` and `))`: no commands, but for those inside.
    fn arithmetic(&mut self, gather: &mut Gather) {
        let inside = self.until(b"))");
        let commands =
            inside.is_none_or(|text| text.contains(&b'`') || memchr::memmem::find(text, b"$(").is_some());
        gather.out.unclear |= commands;
    }

    fn backquote(&mut self, gather: &mut Gather) {
        if self.frame.end == End::Backquote {
            self.leave(gather);
        } else {
            self.frame.word().expand(b"");
            self.enter(End::Backquote);
        }
    }

    fn open(&mut self, gather: &mut Gather) {
        let begins = self.frame.words.is_empty() && self.frame.word.is_none();
        if begins && self.skip(b'(') {
            return self.arithmetic(gather);
        }
        // `name=(…)`
        if let Some(word) = self.frame.word.as_mut().filter(|word| word.text.ends_with(b"=")) {
            word.expand(b"");
            self.enter(End::List);
            return;
        }
        self.frame.end_word();
        let inside = self.text.get(self.at..).unwrap_or_default();
        let closes = inside
            .iter()
            .position(|byte| *byte != b' ')
            .filter(|at| inside.get(*at) == Some(&b')'));
        if let (Some(at), [.., name]) = (closes, self.frame.words.as_slice()) {
            // `name() …`
            gather.functions.insert(name.text.clone());
            self.frame.words.clear();
            self.at += at + 1;
            return;
        }
        self.end_command(gather);
        // A pattern may stand in brackets.
        if !self.frame.patterns {
            self.enter(End::Bracket);
        }
    }

    fn close(&mut self, gather: &mut Gather) {
        let first = self.frame.words.first().and_then(Word::plain);
        if first == Some(b"case") && !self.frame.patterns {
            self.frame.cases += 1;
            self.frame.patterns = true;
        }
        if self.frame.patterns {
            self.frame.patterns = false;
            self.frame.word = None;
            self.frame.words.clear();
        } else if matches!(self.frame.end, End::Bracket | End::List) {
            self.leave(gather);
        } else {
            gather.out.unclear = true;
            self.end_command(gather);
        }
    }
}
