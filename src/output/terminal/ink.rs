//! Ink is how words look on a terminal: colours where they are wanted, lengths, numbers.

use std::fmt::Write;

use anstyle::{AnsiColor, Style as Look};

use crate::{output::Style, policy::Grade, policy::Level};

const BOLD: Look = Look::new().bold();
const DIM: Look = Look::new().dimmed();
const RED: Look = AnsiColor::Red.on_default().bold();
const YELLOW: Look = AnsiColor::Yellow.on_default().bold();
const GREEN: Look = AnsiColor::Green.on_default().bold();

/// Paints words for one style of terminal.
#[derive(Clone, Copy)]
pub(in crate::output) struct Ink<'a>(pub(in crate::output) &'a Style);

impl Ink<'_> {
    fn paint(self, look: Look, text: &str) -> String {
        if self.0.color && !text.trim().is_empty() {
            format!("{look}{text}{look:#}")
        } else {
            text.to_owned()
        }
    }

    pub(in crate::output) fn bold(self, text: &str) -> String {
        self.paint(BOLD, text)
    }

    pub(in crate::output) fn dim(self, text: &str) -> String {
        self.paint(DIM, text)
    }

    pub(in crate::output) fn bad(self, text: &str) -> String {
        self.paint(RED, text)
    }

    pub(in crate::output) fn middling(self, text: &str) -> String {
        self.paint(YELLOW, text)
    }

    pub(in crate::output) fn grade(self, grade: Grade, text: &str) -> String {
        let look = match grade {
            Grade::APlus | Grade::A => GREEN,
            Grade::B | Grade::C => YELLOW,
            Grade::D | Grade::E | Grade::F => RED,
        };
        self.paint(look, text)
    }

    pub(in crate::output) fn level(self, level: Level, text: &str) -> String {
        let look = match level {
            Level::Deny => RED,
            Level::Warn => YELLOW,
            Level::Allow => DIM,
        };
        self.paint(look, text)
    }

    /// `→`, where the terminal can show it.
    pub(in crate::output) fn arrow(self) -> &'static str {
        if self.0.unicode { "→" } else { "->" }
    }

    /// Stands between the members of a list.
    pub(in crate::output) fn dot(self) -> &'static str {
        if self.0.unicode { " · " } else { ", " }
    }

    fn ellipsis(self) -> &'static str {
        if self.0.unicode { "…" } else { "..." }
    }

    /// At most `width` columns: what is too long loses its middle, since paths are told apart by their ends.
    pub(in crate::output) fn shorten(self, text: &str, width: usize) -> String {
        let length = columns(text);
        let mark = self.ellipsis();
        let room = width.saturating_sub(columns(mark));
        if length <= width || room == 0 {
            return text.to_owned();
        }
        let head = room / 3;
        let tail = room - head;
        let start: String = text.chars().take(head).collect();
        let end: String = text.chars().skip(length - tail).collect();
        format!("{start}{mark}{end}")
    }

    /// At most `width` columns: what is too long loses its end, between words where it can.
    pub(in crate::output) fn cut(self, text: &str, width: usize) -> String {
        if columns(text) <= width {
            return text.to_owned();
        }
        let mark = self.ellipsis();
        let room = width.saturating_sub(columns(mark));
        let kept: String = text.chars().take(room).collect();
        // A space right behind the room ends a word that fits.
        let window: String = text.chars().take(room + 1).collect();
        let kept = match window.rfind(' ') {
            Some(space) if space * 2 > kept.len() => kept.get(..space).unwrap_or(&kept),
            _ => &kept,
        };
        format!("{}{mark}", kept.trim_end_matches([' ', ',', ':', ';']))
    }
}

/// How many columns a text takes, as far as one character is one column.
pub(in crate::output) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// `text` with spaces up to `width` columns.
pub(in crate::output) fn pad(text: &str, width: usize) -> String {
    let gap = width.saturating_sub(columns(text));
    format!("{text}{}", " ".repeat(gap))
}

/// One decimal, none where it is zero.
pub(in crate::output) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// `1 layer`, `3 layers`.
pub(in crate::output) fn count(n: usize, one: &str) -> String {
    let mut out = n.to_string();
    let groups = out.len().saturating_sub(1) / 3;
    for group in 1..=groups {
        out.insert(out.len() - group * 3 - (group - 1), ',');
    }
    let _ = write!(out, " {one}{}", if n == 1 { "" } else { "s" });
    out
}

/// Bytes in units of 1,000, as registries show them.
pub(in crate::output) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 1_000.0 {
            break;
        }
        value /= 1_000.0;
        unit = next;
    }
    format!("{} {unit}", number(value))
}

/// Lines of at most `width` columns, each but the first behind `indent` spaces.
pub(in crate::output) fn wrap(text: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |line| columns(line));
        if line > indent && line + 1 + columns(word) > width {
            lines.push(" ".repeat(indent));
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_their_middle_and_keep_their_name() {
        let style = Style::default();
        let ink = Ink(&style);
        assert_eq!(
            ink.shorten("/usr/lib/x86_64/very/long/bash", 16),
            "/usr/…/long/bash"
        );
        assert_eq!(ink.shorten("/bin/sh", 16), "/bin/sh");
        assert_eq!(ink.cut("take it out of the image", 12), "take it out…");
        let ascii = Style {
            unicode: false,
            ..Style::default()
        };
        assert_eq!(
            Ink(&ascii).shorten("/usr/lib/x86_64/very/long/bash", 17),
            "/usr.../long/bash"
        );
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!([number(40.0), number(2.54), number(0.0)], ["40", "2.5", "0"]);
        assert_eq!(
            [size(0), size(999), size(1_500), size(2_345_678_901)],
            ["0 B", "999 B", "1.5 kB", "2.3 GB"]
        );
        assert_eq!(
            [count(1, "link"), count(312, "link"), count(1_234_567, "link")],
            ["1 link", "312 links", "1,234,567 links"]
        );
    }

    #[test]
    fn colour_only_where_it_is_wanted() {
        let plain = Style::default();
        let colourful = Style {
            color: true,
            ..Style::default()
        };
        assert_eq!(Ink(&plain).bad("no"), "no");
        assert_eq!(Ink(&colourful).bad("no"), "\u{1b}[1m\u{1b}[31mno\u{1b}[0m");
    }

    #[test]
    fn long_lines_are_wrapped_between_words() {
        assert_eq!(wrap("one two three four", 9, 2), ["one two", "  three", "  four"]);
    }
}
