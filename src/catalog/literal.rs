//! A literal is a text that a program has: compiled, it is hashes of windows by which the search finds it.

use std::collections::BTreeSet;

use super::{hash, tables::Literal};

/// Texts that many programs have: a window in one of them would be found all the time.
const COMMON: [&str; 144] = [
    "github.com/",
    "golang.org/",
    "arguments",
    "functions",
    "version ",
    "configuration",
    "configured",
    "description",
    "descriptors",
    "WARNING: ",
    "Invalid ",
    "invalid ",
    "supported",
    "required",
    "initialize",
    "Failed to ",
    "failed: %s",
    "unable to ",
    "processes",
    "operation",
    "exception",
    "signature",
    "instruction",
    "information",
    "package ",
    "number of",
    "Generate",
    " default",
    "reading ",
    "options",
    "display ",
    "expected ",
    "terminal",
    "terminated",
    " file '%s'",
    "specified",
    "specific",
    "directory",
    "unsigned ",
    "control",
    "duplicate",
    "previous",
    "Internal",
    " source ",
    "should be",
    "software",
    "security",
    "archive",
    "compatible",
    "execution",
    "executable",
    "could not ",
    "Couldn't ",
    "(default",
    "matching",
    "filename",
    "installed",
    "complete",
    "response",
    "cannot ",
    "Usage: %s",
    "Optional",
    "Snapshot",
    "too large",
    "following",
    "returns ",
    "absolute",
    "compress",
    "must be",
    "for '%s",
    "already ",
    "ignored",
    "invocation",
    "include ",
    "provide",
    "variable",
    "exports ",
    "section",
    "string ",
    "multiple",
    "password",
    "does not ",
    "module ",
    "command",
    "address",
    "numeric",
    "details",
    "disable",
    "not read",
    "not open",
    "create",
    "mismatch",
    "specify",
    "exhausted",
    "streaming",
    "continuation",
    "continue",
    "allocate ",
    "Temporary",
    "temporary",
    "builtins",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "abcdefghijklmnopqrstuvwxyz",
    "gnu.org/",
    "exported",
    "sizeof (",
    "expression",
    "0123456789",
    "packag",
    "display this",
    "failed",
    "current",
    "memory",
    "standard input",
    "socket ",
    "platform",
    "outside ",
    "change ",
    "object ",
    "instead ",
    "manifest",
    "--verbose",
    "INTERNAL",
    "from the",
    "attribute",
    "environment",
    "buffer ",
    "recursive",
    "connection",
    "Connection",
    "handle ",
    "certificate",
    "removing",
    "remove ",
    "getopt_long",
    "--version",
    "method ",
    "line %d",
    "enough ",
    "defined",
    "exclusive",
    "warning: ",
    "convert",
    "the spec",
];
/// Bytes that such a text and a window must share.
const SHARED: usize = 6;

/// Compiles one text.
pub(super) fn literal(text: &str) -> Result<Literal, String> {
    let bytes = text.as_bytes();
    let shown = || text.chars().take(20).collect::<String>();
    if !hash::LITERAL.contains(&bytes.len()) {
        return Err(format!(
            "literal {:?}… has {} bytes, not 8 to 110",
            shown(),
            bytes.len()
        ));
    }
    let (offset, width, text) =
        rarest_windows(bytes).ok_or_else(|| format!("literal {:?} is short", shown()))?;
    let mut windows = [0; hash::STRIDE];
    for (hashed, window) in windows.iter_mut().zip(bytes[offset..].windows(width)) {
        let mut word = [0; hash::WINDOW];
        word[..width].copy_from_slice(window);
        *hashed = hash::window(u64::from_le_bytes(word));
    }
    Ok(Literal {
        whole: hash::whole(bytes),
        end: hash::end(bytes).unwrap_or_default(),
        windows,
        offset: u8::try_from(offset).map_err(|error| error.to_string())?,
        length: u8::try_from(bytes.len()).map_err(|error| error.to_string())?,
        wide: width == hash::WINDOW,
        text,
    })
}

/// Where a literal's windows begin, their width, and whether they are text as far as the search asks for it: wide ones with
/// all their bytes, short ones with their first four. Wide ones are rarer than short ones, and text lets the search pass over all else.
fn rarest_windows(literal: &[u8]) -> Option<(usize, usize, bool)> {
    let choices = [
        (hash::WINDOW, true),
        (hash::SHORT_WINDOW, true),
        (hash::WINDOW, false),
        (hash::SHORT_WINDOW, false),
    ];
    choices.into_iter().find_map(|(width, text)| {
        let spans = literal.windows(width + hash::STRIDE - 1).enumerate();
        let asked = if width == hash::WINDOW {
            width
        } else {
            hash::STRIDE
        } + hash::STRIDE
            - 1;
        let (offset, _) = spans
            .filter(|(_, span)| !text || span[..asked].windows(hash::STRIDE).all(is_text))
            .min_by_key(|(_, span)| span.windows(width).map(commonness).sum::<usize>())?;
        Some((offset, width, text))
    })
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.try_into().is_ok_and(hash::is_text)
}

/// How often a window may occur in other programs: many equal bytes, lower-case letters and blanks are common.
fn commonness(window: &[u8]) -> usize {
    let equal = window.len() - window.iter().collect::<BTreeSet<_>>().len();
    let common = window
        .iter()
        .filter(|byte| byte.is_ascii_lowercase() || **byte == b' ')
        .count();
    let shared = |part: &[u8]| COMMON.iter().any(|text| contains(text.as_bytes(), part));
    let often = window.windows(SHARED).any(shared);
    2 * equal + common + if often { window.len() } else { 0 }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
