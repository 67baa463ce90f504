//! A word is one part of a command, with its quotes taken away.

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

    pub(super) fn push(&mut self, byte: u8) {
        self.text.push(byte);
        (self.arguments, self.own_name) = (false, false);
    }

    /// Something that expands: the name of a parameter, if it is one.
    pub(super) fn expand(&mut self, parameter: &[u8]) {
        let alone = self.text.is_empty() && !self.expands;
        self.expands = true;
        self.arguments = alone && matches!(parameter, [b'@' | b'*', ..] | b"1");
        self.own_name = alone && parameter == b"0";
    }
}

/// Whether a byte may stand in a parameter's name.
pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
