//! The search finds which literals of the catalogue occur in a file's bytes, in one pass and without knowing their text.

#![expect(
    clippy::inline_always,
    reason = "what is compiled for wider instructions must lie inside that which asks for them"
)]

use std::{ops::Range, sync::LazyLock};

use aho_corasick::{AhoCorasick, Input, MatchKind};
use fearless_simd::{Level, dispatch};

use super::{crates, go, library_names};
use crate::catalog::{Catalog, hash};

/// Bytes that a next chunk must repeat of the one before, so that no literal is cut.
pub(super) const OVERLAP: usize = *hash::LITERAL.end() - 1;

/// Groups of four bytes that are asked together whether they are text.
const QUADS: usize = 16;
/// Their bytes.
const BLOCK: usize = QUADS * hash::STRIDE;

/// Which literals were found, and where text stands.
#[derive(Debug)]
pub(super) struct Found {
    /// By number.
    literals: Vec<bool>,
    texts: Texts,
}

/// Where in the bytes searched last text may stand: everywhere but far from any four bytes of text.
#[derive(Debug, Default)]
pub(super) struct Texts(Vec<Range<usize>>);

impl Texts {
    /// Adds a block with text, and its neighbours, into which text may reach.
    #[inline]
    fn add(&mut self, at: usize, end: usize) {
        let span = at.saturating_sub(BLOCK)..(at + 2 * BLOCK).min(end);
        match self.0.last_mut() {
            Some(last) if last.end >= span.start => last.end = span.end,
            _ => self.0.push(span),
        }
    }

    /// Where marks stand in `data`, the bytes searched last.
    pub(super) fn marks<'t>(&'t self, data: &'t [u8]) -> impl Iterator<Item = (Mark, usize)> {
        self.0.iter().flat_map(move |span| {
            let (mut from, end) = (span.start, span.end.min(data.len()));
            std::iter::from_fn(move || {
                let found = MARKS.find(Input::new(data).range(from..end))?;
                from = found.start() + 1;
                let (mark, _) = Mark::ALL.get(found.pattern().as_usize())?;
                Some((*mark, found.start()))
            })
        })
    }
}

/// A text that tells what stands around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The middle of a source file's path.
    Sources,
    /// The end of a library's name, or of its main part.
    Library,
    /// The beginning of Go's build information.
    Go,
}

impl Mark {
    const ALL: [(Self, &'static [u8]); 3] = [
        (Self::Sources, crates::SOURCES),
        (Self::Library, library_names::MARK),
        (Self::Go, go::MAGIC),
    ];
}

static MARKS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(Mark::ALL.map(|(_, text)| text))
        .expect("three short texts")
});

impl Found {
    pub(super) fn new(catalog: &Catalog) -> Self {
        Self {
            literals: vec![false; catalog.literals().len()],
            texts: Texts::default(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.literals.fill(false);
    }

    /// Where text stands in the bytes searched last.
    pub(super) fn texts(&self) -> &Texts {
        &self.texts
    }

    /// The numbers of the literals that were found.
    pub(super) fn numbers(&self) -> impl Iterator<Item = usize> {
        let literals = self.literals.iter().enumerate();
        literals.filter(|(_, found)| **found).map(|(number, _)| number)
    }

    /// How many of `literals` were found.
    pub(super) fn count(&self, literals: &[u16]) -> usize {
        literals
            .iter()
            .filter(|number| self.literals.get(usize::from(**number)) == Some(&true))
            .count()
    }

    /// Notes all literals that lie in `data`.
    ///
    /// Only every fourth offset is looked at, since one of a literal's four windows lies there, and only where text begins.
    /// Filters that the nearest cache holds tell of nearly all windows that no literal has them, so that few are compared.
    pub(super) fn search(&mut self, catalog: &Catalog, data: &[u8]) {
        self.texts.0.clear();
        // Compiled for each level of instructions: the wider ones ask more bytes at once whether they are text.
        dispatch!(Level::new(), _ => self.search_blocks(catalog, data));
    }

    #[inline(always)]
    fn search_blocks(&mut self, catalog: &Catalog, data: &[u8]) {
        let index = catalog.index();
        let mut last = [0; BLOCK + hash::WINDOW];
        for at in (0..data.len()).step_by(BLOCK) {
            let block = data.get(at..).unwrap_or_default();
            let block = block.first_chunk().unwrap_or_else(|| {
                // Zeros are in no literal that ends before them.
                last = [0; BLOCK + hash::WINDOW];
                last.iter_mut().zip(block).for_each(|(to, from)| *to = *from);
                &last
            });
            let mut text = match index.text_only() {
                true if !any_text(block) => continue,
                true => text(block),
                false => !0,
            };
            self.texts.add(at, data.len());
            while text != 0 {
                let quad = text.trailing_zeros() as usize % QUADS;
                text &= text - 1;
                let word = word(block, quad * hash::STRIDE);
                let (wide, short) = (hash::window(word), hash::window(hash::short(word)));
                if index.wide.may_have(wide) {
                    self.compare(catalog, data, at + quad * hash::STRIDE, wide);
                }
                if index.short.may_have(short) {
                    self.compare(catalog, data, at + quad * hash::STRIDE, short);
                }
            }
        }
    }

    #[cold]
    fn compare(&mut self, catalog: &Catalog, data: &[u8], at: usize, hash: u32) {
        for window in catalog.index().with(hash) {
            let number = usize::from(window.literal);
            let (Some(found), Some(literal)) =
                (self.literals.get_mut(number), catalog.literals().get(number))
            else {
                continue;
            };
            if !*found {
                let whole = at
                    .checked_sub(usize::from(window.offset))
                    .and_then(|start| data.get(start..start + usize::from(literal.length)));
                *found = whole.is_some_and(|bytes| {
                    hash::end(bytes) == Some(literal.end) && hash::whole(bytes) == literal.whole
                });
            }
        }
    }
}

/// Whether any group of four bytes is text: of most blocks of machine code none is.
#[inline(always)]
fn any_text(block: &[u8; BLOCK + hash::WINDOW]) -> bool {
    let (quads, _) = block.as_chunks::<{ hash::STRIDE }>();
    // Without a branch, so that many are asked at once.
    quads[..QUADS]
        .iter()
        .fold(false, |any, quad| any | hash::is_text(*quad))
}

/// Which groups of four bytes are text, as bits.
#[inline(always)]
fn text(block: &[u8; BLOCK + hash::WINDOW]) -> u16 {
    let (quads, _) = block.as_chunks::<{ hash::STRIDE }>();
    let quads = quads[..QUADS].iter().zip(0..);
    quads.fold(0, |all, (quad, number)| {
        all | u16::from(hash::is_text(*quad)) << number
    })
}

/// The eight bytes at `at`.
#[inline(always)]
fn word(block: &[u8; BLOCK + hash::WINDOW], at: usize) -> u64 {
    let bytes = block.get(at..).and_then(<[u8]>::first_chunk);
    u64::from_le_bytes(*bytes.unwrap_or(&[0; hash::WINDOW]))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fmt::Write as _, sync::LazyLock};

    use proptest::prelude::*;

    use super::*;

    const TEXTS: [&str; 7] = [
        "a longer text of mine, searched in wide windows",
        "LUA_INIT",
        "LUA_INITS",
        "eleven char",
        "%s from\n%s\n",
        "größerer Käse",
        "\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\u{9}",
    ];

    static ASCII: LazyLock<(Catalog, Vec<(u16, String)>)> = LazyLock::new(|| catalog(&TEXTS[..4]));
    static ALL: LazyLock<(Catalog, Vec<(u16, String)>)> = LazyLock::new(|| catalog(&TEXTS));

    /// A catalogue of tools of one text each, and the texts in the order of its literals' numbers.
    fn catalog(texts: &[&str]) -> (Catalog, Vec<(u16, String)>) {
        let tools = texts.iter().enumerate().map(|(number, text)| {
            let text = text.chars().fold(String::new(), |mut out, letter| {
                let _ = write!(out, "\\U{:08X}", u32::from(letter));
                out
            });
            format!(
                "[[tool]]\nid = \"test.t{number}\"\nkind = \"program\"\n[[tool.signature]]\nk = 1\nany = [\"{text}\"]\n"
            )
        });
        let catalog = Catalog::with(&[("mine.toml".to_owned(), tools.collect())]).unwrap();
        let numbers = texts.iter().enumerate().map(|(number, text)| {
            let tool = catalog.tool(&format!("test.t{number}")).unwrap();
            (tool.signatures[0].any[0], (*text).to_owned())
        });
        let numbers = numbers.collect();
        (catalog, numbers)
    }

    fn found(catalog: &Catalog, data: &[u8]) -> BTreeSet<u16> {
        let mut found = Found::new(catalog);
        found.search(catalog, data);
        found.numbers().map(|number| number as u16).collect()
    }

    /// What any search must find, the slow way.
    fn naive(texts: &[(u16, String)], data: &[u8]) -> BTreeSet<u16> {
        let inside = texts
            .iter()
            .filter(|(_, text)| memchr::memmem::find(data, text.as_bytes()).is_some());
        inside.map(|(number, _)| *number).collect()
    }

    proptest! {
        #[test]
        fn it_finds_what_the_slow_search_finds(
            parts in proptest::collection::vec((0..TEXTS.len(), 0..60_usize, proptest::collection::vec(any::<u8>(), 0..90)), 0..9),
            ascii in any::<bool>(),
        ) {
            let (catalog, texts) = if ascii { &*ASCII } else { &*ALL };
            prop_assert_eq!(catalog.index().text_only(), ascii);
            let mut data = Vec::new();
            for (text, cut, noise) in parts {
                data.extend(noise);
                let text = TEXTS[text].as_bytes();
                // Some are whole, some miss their end.
                data.extend(&text[..if cut < 40 { text.len() } else { cut.min(text.len()) }]);
            }
            let own = |number: &u16| texts.iter().any(|(known, _)| known == number);
            let found: BTreeSet<u16> = found(catalog, &data).into_iter().filter(own).collect();
            prop_assert_eq!(found, naive(texts, &data));
        }
    }

    #[test]
    fn every_literal_is_found_at_every_place_and_at_both_ends() {
        let (catalog, texts) = &*ALL;
        for (number, text) in texts {
            for before in 0..9 {
                for behind in 0..2 {
                    let data = [vec![0; before], text.clone().into_bytes(), vec![b'x'; behind]].concat();
                    assert!(
                        found(catalog, &data).contains(number),
                        "{text:?} behind {before} bytes"
                    );
                    assert!(
                        !found(catalog, &data[..before + text.len() - 1]).contains(number),
                        "{text:?}"
                    );
                }
            }
        }
    }
}
