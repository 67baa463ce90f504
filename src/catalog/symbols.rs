//! The symbol names are the dynamic symbols that some entry asks for.

use std::collections::BTreeSet;

use super::{hash, index::Filter};

/// Bytes of a name, or of a shorter one and its NUL, by which nearly all others are told apart.
const HEAD: usize = 4;

/// Names of dynamic symbols, quickly found among many others.
pub(crate) struct SymbolNames {
    names: BTreeSet<Vec<u8>>,
    /// Bytes of the longest.
    longest: usize,
    heads: Filter<64>,
}

impl SymbolNames {
    /// The names; each has at least as many bytes as [`compile`](super::compile) asks for.
    pub(super) fn of(names: BTreeSet<Vec<u8>>) -> Self {
        let heads = names.iter().map(|name| {
            let mut text = name.clone();
            text.push(0);
            head(&text)
        });
        Self {
            longest: names.iter().map(Vec::len).max().unwrap_or_default(),
            heads: Filter::of(heads),
            names,
        }
    }

    /// The one of them that `text` begins with, up to its NUL.
    #[inline]
    pub(crate) fn find<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        if !self.heads.may_have(head(text)) {
            return None;
        }
        // No name is read further than the longest one: hostile names cost no more than honest ones.
        let text = text.get(..=self.longest).unwrap_or(text);
        let name = text.get(..memchr::memchr(0, text)?)?;
        self.names.contains(name).then_some(name)
    }
}

#[inline]
fn head(text: &[u8]) -> u32 {
    let head = text.first_chunk::<HEAD>().copied().unwrap_or_default();
    hash::window(u32::from_le_bytes(head).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_are_found() {
        let names = SymbolNames::of([&b"abc"[..], b"fork", b"forkpty"].map(<[u8]>::to_vec).into());
        for found in [&b"abc"[..], b"fork", b"forkpty"] {
            let text = [found, b"\0more\0"].concat();
            assert_eq!(names.find(&text), Some(found));
        }
        for other in [
            &b""[..],
            b"\0",
            b"ab\0c",
            b"fork",
            b"forkp\0",
            b"forkptys\0",
            b"vfork\0",
            b"abcd\0",
        ] {
            assert_eq!(names.find(other), None, "{other:?}");
        }
    }
}
