//! A literal is a text that a program has: compiled, it is hashes of windows by which the search finds it.

use std::collections::BTreeSet;

use super::{hash, tables::Literal};

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
        windows,
        offset: u8::try_from(offset).map_err(|error| error.to_string())?,
        length: u8::try_from(bytes.len()).map_err(|error| error.to_string())?,
        text,
    })
}

/// Where a literal's windows begin, their width, and whether they all begin as text. Wide ones are rarer than short ones, and
/// text lets the search pass over all else.
fn rarest_windows(literal: &[u8]) -> Option<(usize, usize, bool)> {
    let choices = [
        (hash::WINDOW, true),
        (hash::SHORT_WINDOW, true),
        (hash::WINDOW, false),
        (hash::SHORT_WINDOW, false),
    ];
    choices.into_iter().find_map(|(width, text)| {
        let spans = literal.windows(width + hash::STRIDE - 1).enumerate();
        let (offset, _) = spans
            // The search asks this of each window's first bytes alone.
            .filter(|(_, span)| !text || span[..2 * hash::STRIDE - 1].windows(hash::STRIDE).all(is_text))
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
    2 * equal + common
}
