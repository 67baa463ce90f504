//! Patterns are regular expressions over a Go program's main package or a script's beginning, compiled all in one when the
//! first program or script asks.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexSet};

use super::tables::Tool;

/// The patterns of all tools over one kind of text.
pub(super) struct Patterns {
    /// Number and id of the tool, and the expression, in the order of tools.
    rows: Vec<(usize, String, String)>,
    /// The expression in full.
    whole: fn(&str) -> String,
    set: OnceLock<RegexSet>,
}

impl Patterns {
    /// The patterns for main packages: they match it as a whole.
    pub(super) fn go(tools: &[Tool]) -> Self {
        Self::of(tools, |tool| &tool.go, |text| format!("^(?:{text})$"))
    }

    /// The patterns for scripts: they match anywhere, `^` at each line.
    pub(super) fn script(tools: &[Tool]) -> Self {
        Self::of(tools, |tool| &tool.script, |text| format!("(?m-u){text}"))
    }

    fn of(tools: &[Tool], texts: fn(&Tool) -> &[String], whole: fn(&str) -> String) -> Self {
        let rows = tools.iter().enumerate().flat_map(|(number, tool)| {
            let rows = texts(tool).iter();
            rows.map(move |text| (number, tool.id.clone(), text.clone()))
        });
        Self {
            rows: rows.collect(),
            whole,
            set: OnceLock::new(),
        }
    }

    /// Compiles them now.
    ///
    /// # Errors
    /// Which one is no regular expression, and why.
    pub(super) fn check(&self) -> Result<(), String> {
        let set = RegexSet::new(self.texts()).map_err(|error| {
            let mut faults = self.rows.iter().filter_map(|(_, id, text)| {
                let error = Regex::new(&(self.whole)(text)).err()?;
                Some(format!("tool {id}: pattern `{text}`: {error}"))
            });
            faults
                .next()
                .unwrap_or_else(|| format!("all patterns together: {error}"))
        })?;
        self.set.get_or_init(|| set);
        Ok(())
    }

    /// Numbers of the tools that have a pattern which matches `text`, ascending.
    pub(super) fn matching(&self, text: &[u8]) -> Vec<usize> {
        let set = self.set.get_or_init(|| {
            RegexSet::new(self.texts()).expect("a test compiles the catalogue's own; others were checked")
        });
        let rows = set.matches(text).into_iter().filter_map(|row| self.rows.get(row));
        let mut numbers: Vec<usize> = rows.map(|(number, ..)| *number).collect();
        numbers.dedup();
        numbers
    }

    fn texts(&self) -> impl Iterator<Item = String> {
        self.rows.iter().map(|(_, _, text)| (self.whole)(text))
    }
}
