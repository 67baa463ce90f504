//! The reader takes a shell's text apart into words and commands, with no more understanding than that needs.

use super::Gather;

/// Texts in one another: `$(…)`, `(…)`, backquotes.
const DEPTH: usize = 32;

/// One word of a command.
#[derive(Clone, Debug, Default)]
pub(super) struct Word {
    /// What is plain of it, without quotes.
    pub(super) text: Vec<u8>,
    /// Something in it only shows when it is run.
    expands: bool,
    /// It is `"$@"` or another form of the text's own arguments.
    pub(super) arguments: bool,
    /// It is `"$0"`.
    pub(super) own_name: bool,
}

impl Word {
    /// The word, if nothing in it expands.
    pub(super) fn plain(&self) -> Option<&[u8]> {
        (!self.expands).then_some(self.text.as_slice())
    }

    /// `NAME=…`
    pub(super) fn is_assignment(&self) -> bool {
        let Some(end) = memchr::memchr(b'=', &self.text) else {
            return false;
        };
        let name = self.text.get(..end).unwrap_or_default();
        let name = name.strip_suffix(b"+").unwrap_or(name);
        let begins = name
            .first()
            .is_some_and(|byte| is_name(*byte) && !byte.is_ascii_digit());
        begins && name.iter().all(|byte| is_name(*byte) || b"[]".contains(byte))
    }

    fn push(&mut self, byte: u8) {
        self.text.push(byte);
        (self.arguments, self.own_name) = (false, false);
    }

    /// Something that expands: the name of a parameter, if it is one.
    fn expand(&mut self, parameter: &[u8]) {
        let alone = self.text.is_empty() && !self.expands;
        self.expands = true;
        self.arguments = alone && matches!(parameter, [b'@' | b'*', ..] | b"1");
        self.own_name = alone && parameter == b"0";
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// What ends a frame.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Text,
    Bracket,
    /// As [`End::Bracket`], of words that are no command.
    List,
    Backquote,
}

/// One text in another.
struct Frame {
    end: End,
    words: Vec<Word>,
    word: Option<Word>,
    /// Between double quotes.
    quoted: bool,
    /// The next word is a file that is opened.
    redirected: bool,
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

    fn word(&mut self) -> &mut Word {
        self.word.get_or_insert_default()
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        if !std::mem::take(&mut self.redirected) {
            self.words.push(word);
        }
    }
}

pub(super) struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    /// Texts that the present one lies in, outermost first.
    outer: Vec<Frame>,
    frame: Frame,
    /// Here-documents that begin behind this line, and whether tabs before their end count.
    documents: Vec<(Vec<u8>, bool)>,
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

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    /// What stands before the next `end`, which is passed by.
    fn until(&mut self, end: &[u8]) -> Option<&'t [u8]> {
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

    fn enter(&mut self, end: End) {
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

    fn redirection(&mut self, byte: u8) {
        let number = |word: &Word| {
            word.plain()
                .is_some_and(|text| text.iter().all(u8::is_ascii_digit))
        };
        if self.frame.word.as_ref().is_some_and(number) {
            self.frame.word = None;
        }
        self.frame.end_word();
        if self.skip(b'(') {
            self.frame.word().expand(b"");
            return self.enter(End::Bracket);
        }
        if byte == b'<' && self.skip(b'<') {
            if !self.skip(b'<') {
                return self.document();
            }
        } else if !(self.skip(b'>') || self.skip(b'|') || self.skip(b'&')) {
            self.skip(b'>');
        }
        self.frame.redirected = true;
    }

    /// The word behind `<<`, which ends a here-document.
    fn document(&mut self) {
        let tabs = self.skip(b'-');
        while self.skip(b' ') {}
        let mut end = Vec::new();
        while let Some(byte) = self.peek().filter(|byte| !b" \t\n;|&<>()".contains(byte)) {
            self.at += 1;
            if !b"'\"\\".contains(&byte) {
                end.push(byte);
            }
        }
        self.documents.push((end, tabs));
    }

    /// Passes by the here-documents of the line that ended.
    fn documents(&mut self, gather: &mut Gather) {
        while !self.documents.is_empty() {
            let (end, tabs) = self.documents.remove(0);
            loop {
                if self.at >= self.text.len() {
                    gather.out.unclear = true;
                    return;
                }
                let rest = self.text.get(self.at..).unwrap_or_default();
                let line = self.until(b"\n").unwrap_or(rest);
                gather.out.unclear |= line.contains(&b'`') || memchr::memmem::find(line, b"$(").is_some();
                let mut line = line;
                while tabs && line.first() == Some(&b'\t') {
                    line = line.get(1..).unwrap_or_default();
                }
                if line == end.as_slice() {
                    break;
                }
            }
        }
    }
}
