//! The dynamic symbols of an ELF file: what it asks of libraries, and what it has for others.

use std::collections::BTreeSet;

use goblin::{
    container::Ctx,
    elf::{
        Symtab,
        dynamic::{
            DT_GNU_HASH, DT_HASH, DT_JMPREL, DT_PLTREL, DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELASZ, DT_RELSZ,
            DT_SYMTAB, Dyn,
        },
    },
};

use super::Reading;
use crate::{catalog::SymbolNames, limits::Limits};

/// Where symbols and their names lie in the file, and how many there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symbols {
    table: u64,
    names: u64,
    pub(super) count: usize,
    /// How many are looked at: a hash table may state too few, since nobody looks for symbols in a program.
    looked: usize,
    /// How many there are by the tables, without a cap.
    pub(super) stated: u64,
}

impl<'a> Reading<'a> {
    /// How many symbols there are, by the hash table; where there is none, by the gap up to the names behind them.
    pub(super) fn find_symbols(
        &self,
        entries: &[Dyn],
        names: Option<u64>,
        limits: &Limits,
    ) -> Option<Symbols> {
        let place = |tag| {
            let entry = entries.iter().find(|entry| entry.d_tag == tag)?;
            self.offset_of(entry.d_val)
        };
        let table = place(DT_SYMTAB)?;
        let names = names?;
        let gap = names
            .checked_sub(table)
            .map(|bytes| bytes / symbol_size(self.ctx) as u64);
        let chained = place(DT_HASH)
            .and_then(|at| self.word(at.checked_add(4)?))
            .map(u64::from);
        let hashed = chained.or_else(|| self.gnu_hash_count(place(DT_GNU_HASH)?, limits));
        let capped = |count: Option<u64>| {
            let count = usize::try_from(count.unwrap_or_default()).unwrap_or(usize::MAX);
            count.min(limits.symbols)
        };
        let stated = hashed.max(self.relocated(entries, limits));
        Some(Symbols {
            table,
            names,
            count: capped(hashed.or(gap)),
            looked: capped(stated.max(gap)),
            stated: stated.unwrap_or_default(),
        })
    }

    /// The number of symbols by what the loader looks up: those that relocations name.
    fn relocated(&self, entries: &[Dyn], limits: &Limits) -> Option<u64> {
        let value = |tag| {
            entries
                .iter()
                .find(|entry| entry.d_tag == tag)
                .map(|entry| entry.d_val)
        };
        let word = if self.elf.class64 { 8 } else { 4 };
        let jumps_have_addends = value(DT_PLTREL) == Some(DT_RELA);
        let tables = [
            (DT_RELA, DT_RELASZ, true),
            (DT_REL, DT_RELSZ, false),
            (DT_JMPREL, DT_PLTRELSZ, jumps_have_addends),
        ];
        let highest = tables.into_iter().filter_map(|(at, bytes, addends)| {
            let entry = word * if addends { 3 } else { 2 };
            let bytes = usize::try_from(value(bytes)?).unwrap_or(usize::MAX);
            let bytes = bytes.min(limits.symbols.saturating_mul(entry));
            let table = self.content.at(self.offset_of(value(at)?)?, bytes);
            let symbols = table.chunks_exact(entry).filter_map(|relocation| {
                let info = self.number(relocation.get(word..2 * word)?);
                Some(if self.elf.class64 { info >> 32 } else { info >> 8 })
            });
            symbols.max()
        });
        highest.max().map(|symbol| symbol.saturating_add(1))
    }

    /// The number of symbols by a GNU hash table: the chain of the highest bucket leads to the last one.
    fn gnu_hash_count(&self, at: u64, limits: &Limits) -> Option<u64> {
        let buckets = u64::from(self.word(at)?);
        let first = u64::from(self.word(at.checked_add(4)?)?);
        let filter = u64::from(self.word(at.checked_add(8)?)?) * if self.elf.class64 { 8 } else { 4 };
        let bucket_at = at.checked_add(16 + filter)?;
        let bytes = self.content.at(
            bucket_at,
            usize::try_from(buckets)
                .ok()?
                .min(limits.symbols)
                .checked_mul(4)?,
        );
        let highest = bytes
            .chunks_exact(4)
            .filter_map(|word| self.word_of(word))
            .max()
            .map_or(0, u64::from);
        if highest < first {
            return Some(first);
        }
        let chain_at = bucket_at
            .checked_add(4 * buckets)?
            .checked_add(4 * (highest - first))?;
        let chain = self.content.at(chain_at, limits.symbols.checked_mul(4)?);
        let length = chain
            .chunks_exact(4)
            .position(|word| self.word_of(word).is_some_and(|word| word & 1 == 1))?;
        Some(highest + 1 + length as u64)
    }

    /// Which of `wanted` are dynamic symbols that the file asks for, and which are ones that it has.
    pub(in crate::binary) fn symbols(
        &self,
        wanted: &SymbolNames,
    ) -> (BTreeSet<&'a [u8]>, BTreeSet<&'a [u8]>) {
        let (mut imports, mut defines) = (BTreeSet::new(), BTreeSet::new());
        let Some((symbols, names)) = self.symbol_table() else {
            return (imports, defines);
        };
        for symbol in &symbols {
            let name = names.get(symbol.st_name..).unwrap_or_default();
            if let Some(name) = wanted.find(name) {
                if symbol.st_shndx == 0 {
                    imports.insert(name)
                } else {
                    defines.insert(name)
                };
            }
        }
        (imports, defines)
    }

    /// Whether there is a dynamic symbol that a library must bring before the file can run.
    pub(super) fn asks_for_symbols(&self) -> bool {
        let Some((symbols, _)) = self.symbol_table() else {
            return false;
        };
        symbols.iter().any(|symbol| {
            symbol.st_shndx == 0 && goblin::elf::sym::st_bind(symbol.st_info) == goblin::elf::sym::STB_GLOBAL
        })
    }

    /// The dynamic symbols that were read, and the bytes from their names on.
    fn symbol_table(&self) -> Option<(Symtab<'a>, &'a [u8])> {
        let symbols = self.symbols?;
        let size = symbol_size(self.ctx);
        let bytes = self
            .content
            .at(symbols.table, symbols.looked.saturating_mul(size));
        let table = Symtab::parse(bytes, 0, bytes.len() / size, self.ctx).ok()?;
        Some((table, self.content.at(symbols.names, usize::MAX)))
    }
}

fn symbol_size(ctx: Ctx) -> usize {
    goblin::elf::Sym::size(ctx.container)
}
