//! A redirection opens a file, or has the lines behind it as a here-document: no commands, either way.

use super::{
    Gather,
    reader::{End, Reader},
    word::Word,
};

impl Reader<'_> {
    pub(super) fn redirection(&mut self, byte: u8) {
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
    pub(super) fn documents(&mut self, gather: &mut Gather) {
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
