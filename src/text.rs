//! Text from an image made safe to show: control and formatting characters, and bytes that are no UTF-8, are escaped.

use std::fmt::Write;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Longest text of an image that is shown in one piece, in bytes.
const SHOWN: usize = 512;

/// Shows `raw` with every control, formatting and line-separating character (Unicode classes Cc, Cf, Zl, Zp) and every
/// byte that is no UTF-8 as `\x1b` or `\u{202e}`, cut after 512 bytes.
///
/// A name in an image may hold terminal escape sequences, newlines or marks that turn the reading direction.
pub fn escape(raw: &[u8]) -> String {
    let mut out = String::new();
    for chunk in raw.utf8_chunks() {
        for c in chunk.valid().chars() {
            if !is_obeyed(c) {
                out.push(c);
            } else if c.is_control() {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            } else {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            if out.len() > SHOWN {
                out.push('…');
                return out;
            }
        }
        if out.len() > SHOWN {
            out.push('…');
            return out;
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// Whether a terminal, or a reader of text, would obey `c` rather than show it.
pub fn is_obeyed(c: char) -> bool {
    // Most letters need no search in Unicode's tables.
    let plain = matches!(c, ' '..='~');
    !plain
        && matches!(
            c.general_category(),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
        )
}

/// The bytes as lower-case hex digits.
pub fn hex<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> String {
    bytes
        .into_iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

/// The entry of `known` that is most like `wrong`, if one is near enough to be meant.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(wrong, name), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, name)| name)
}

/// Says that no `what` is called `wrong`, with the nearest right name, or with all of them.
pub fn unknown<'a>(what: &str, wrong: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let shown = escape(wrong.as_bytes());
    match nearest(wrong, known.clone()) {
        Some(near) => format!("there is no {what} `{shown}`; did you mean `{near}`?"),
        None => {
            format!(
                "there is no {what} `{shown}`; there are {}",
                known.collect::<Vec<_>>().join(", ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_terminal_would_obey() {
        assert_eq!(escape(b"ok \xc3\xa9"), "ok é");
        assert_eq!(escape(b"\x1b]0;x\x07\r"), r"\x1b]0;x\x07\x0d");
        assert_eq!(escape("a\u{202e}b\u{2028}".as_bytes()), r"a\u{202e}b\u{2028}");
        assert_eq!(escape(b"\xff\xfe"), r"\xff\xfe");
        assert!(escape(&[b'a'; 5000]).len() < 600);
        assert!(escape(&[0xff; 5000]).len() < 600);
    }

    #[test]
    fn hex_has_two_digits_a_byte() {
        assert_eq!(hex(&[0x00, 0x0f, 0xa0, 0xff]), "000fa0ff");
    }

    #[test]
    fn nearest_names_what_was_meant_or_nothing() {
        assert_eq!(nearest("shel", ["root-user", "shell"]), Some("shell"));
        assert_eq!(nearest("zzz", ["root-user", "shell"]), None);
    }
}
