//! The search finds which literals of the catalogue occur in a file's bytes, in one pass and without knowing their text.

use crate::catalog::{Catalog, hash};

/// Bytes that a next chunk must repeat of the one before, so that no literal is cut.
pub(super) const OVERLAP: usize = *hash::LITERAL.end() - 1;

/// Which literals were found, by number.
#[derive(Debug)]
pub(super) struct Found(Vec<bool>);

impl Found {
    pub(super) fn new(catalog: &Catalog) -> Self {
        Self(vec![false; catalog.literals().len()])
    }

    pub(super) fn clear(&mut self) {
        self.0.fill(false);
    }

    /// How many of `literals` were found.
    pub(super) fn count(&self, literals: &[u16]) -> usize {
        literals
            .iter()
            .filter(|number| self.0.get(usize::from(**number)) == Some(&true))
            .count()
    }

    /// Notes all literals that lie in `data`.
    ///
    /// At every offset the eight bytes there choose one bit of a table that fits the first-level cache; only where it is
    /// set, once in a hundred, hashes are compared.
    pub(super) fn search(&mut self, catalog: &Catalog, data: &[u8]) {
        let bitmap = catalog.bitmap();
        for (at, window) in data.array_windows().enumerate() {
            let slot = hash::slot(u64::from_le_bytes(*window));
            if bitmap[(slot >> 6) as usize] >> (slot & 63) & 1 == 1 {
                self.compare(catalog, data, at, slot, u64::from_le_bytes(*window));
            }
        }
    }

    #[cold]
    fn compare(&mut self, catalog: &Catalog, data: &[u8], at: usize, slot: u32, window: u64) {
        let check = hash::check(window);
        let (first, near) = catalog.literals_near(slot);
        for (literal, found) in near.iter().zip(self.0.iter_mut().skip(first)) {
            if literal.slot != slot || literal.check != check || *found {
                continue;
            }
            let whole = at
                .checked_sub(usize::from(literal.offset))
                .and_then(|start| data.get(start..start + usize::from(literal.length)));
            *found = whole.is_some_and(|bytes| hash::whole(bytes) == literal.whole);
        }
    }
}
