//! Applets are the programs inside a multi-call program; its own table tells which there are.

use std::collections::{BTreeSet, HashMap};

use goblin::elf::{
    dynamic::{DT_RELA, DT_RELASZ},
    program_header::{PF_W, PT_LOAD},
};

use super::elf::Reading;
use crate::catalog::Catalog;

/// Longest name of an applet, in bytes.
const LONGEST: usize = 24;
/// More applets than any build has.
const MOST: usize = 4_096;
/// Relocations that are looked at.
const RELOCATIONS: usize = 1_000_000;
/// Places from which a table of pointers is tried.
const STARTS: usize = 64;
/// Loaded segments of a program whose pointers are followed; real ones have a handful, a hostile one may map one range a
/// thousand times.
const LOADED: usize = 16;

/// The longest run of names in ascending order with one NUL between two, as busybox has it. Empty: there is none that
/// holds enough known names. Also gives names that are not known.
pub(super) fn in_name_table(catalog: &Catalog, data: &[u8]) -> Vec<String> {
    let mut best: Vec<&[u8]> = Vec::new();
    let mut run: Vec<&[u8]> = Vec::new();
    // A last, empty piece ends the last run.
    for piece in data.split(|byte| *byte == 0).chain([&[][..]]) {
        let name = valid_tail(piece);
        let whole = name.len() == piece.len();
        if whole && run.len() < MOST && run.last().is_some_and(|last| *last < name) {
            run.push(name);
            continue;
        }
        if run.len() > best.len() && are_applets(catalog, &run) {
            best.clone_from(&run);
        }
        run.clear();
        if !name.is_empty() {
            run.push(first_name(catalog, name));
        }
    }
    names(best)
}

/// The names that an array of structures points to, as toybox has it: the first word of each structure is the address of
/// a name. Empty: there is no such array that holds enough known names.
pub(super) fn in_pointer_table(catalog: &Catalog, reading: &Reading<'_>) -> Vec<String> {
    let loaded = reading
        .segments
        .iter()
        .filter(|segment| segment.p_type == PT_LOAD);
    if loaded.count() > LOADED {
        return Vec::new();
    }
    let table = Pointers::of(reading);
    let mut best = Vec::new();
    for start in table.starts(b"toybox") {
        for words in 2..=8 {
            let stride = words * table.word;
            let walk = |step: &dyn Fn(u64) -> Option<u64>| {
                std::iter::successors(Some(start), |slot| step(*slot))
                    .map_while(|slot| table.name(slot))
                    .take(MOST)
                    .collect::<Vec<_>>()
            };
            let mut found = walk(&|slot| slot.checked_sub(stride));
            found.extend(walk(&|slot| slot.checked_add(stride)));
            found.sort_unstable();
            found.dedup();
            if found.len() > best.len() && are_applets(catalog, &found) {
                best = found;
            }
        }
    }
    names(best)
}

/// Whether a shell's name stands in a multi-call program by itself, as it does in every build that has the applet.
pub(super) fn names_a_shell(data: &[u8]) -> bool {
    // toybox has its shell under this name, too, and `sh` may be the end of another text.
    let names: [&[u8]; 4] = [b"toysh\0", b"\0ash\0", b"\0hush\0", b"\0sh\0"];
    names
        .iter()
        .any(|name| memchr::memmem::find(data, name).is_some())
}

/// Pointers in the data of a program, whether relocations or the data itself hold them.
struct Pointers<'r, 'a> {
    reading: &'r Reading<'a>,
    word: u64,
    relocated: HashMap<u64, u64>,
}

impl<'r, 'a> Pointers<'r, 'a> {
    fn of(reading: &'r Reading<'a>) -> Self {
        let word = if reading.elf.class64 { 8 } else { 4 };
        let mut relocated = HashMap::new();
        let at = reading
            .dynamic_value(DT_RELA)
            .and_then(|address| reading.offset_of(address));
        if let (Some(at), Some(bytes)) = (at, reading.dynamic_value(DT_RELASZ)) {
            let entry = 3 * word as usize;
            let most = usize::try_from(bytes)
                .unwrap_or(usize::MAX)
                .min(RELOCATIONS * entry);
            for relocation in reading.content.at(at, most).chunks_exact(entry) {
                let mut words = relocation
                    .chunks_exact(word as usize)
                    .map(|bytes| reading.number(bytes));
                if let (Some(place), Some(info), Some(target)) = (words.next(), words.next(), words.next()) {
                    // A relative relocation names no symbol.
                    let symbol = if reading.elf.class64 {
                        info >> 32
                    } else {
                        info >> 8
                    };
                    if symbol == 0 {
                        relocated.insert(place, target);
                    }
                }
            }
        }
        Self {
            reading,
            word,
            relocated,
        }
    }

    /// Addresses of pointers to the text `name`, which may be the tail of another.
    fn starts(&self, name: &[u8]) -> Vec<u64> {
        let mut targets = BTreeSet::new();
        for segment in self
            .reading
            .segments
            .iter()
            .filter(|segment| segment.p_type == PT_LOAD)
        {
            let data = self.bytes(segment.p_offset, segment.p_filesz);
            for at in memchr::memmem::find_iter(data, name).take(STARTS) {
                if data.get(at + name.len()) == Some(&0) {
                    targets.extend(segment.p_vaddr.checked_add(at as u64));
                }
            }
        }
        let mut starts: Vec<u64> = self
            .relocated
            .iter()
            .filter(|(_, target)| targets.contains(target))
            .map(|(place, _)| *place)
            .collect();
        let writable = |flags| flags & PF_W != 0;
        for segment in self
            .reading
            .segments
            .iter()
            .filter(|s| s.p_type == PT_LOAD && writable(s.p_flags))
        {
            let data = self.bytes(segment.p_offset, segment.p_filesz);
            let words = (0_u64..).zip(data.chunks_exact(self.word as usize));
            let pointing = words.filter(|(_, bytes)| targets.contains(&self.reading.number(bytes)));
            // Past the highest address nothing is mapped.
            let places = pointing.filter_map(|(word, _)| segment.p_vaddr.checked_add(word * self.word));
            starts.extend(places.take(STARTS));
        }
        starts.sort_unstable();
        starts.dedup();
        starts.truncate(STARTS);
        starts
    }

    /// The name that the pointer at the address `slot` leads to.
    fn name(&self, slot: u64) -> Option<&'a [u8]> {
        let target = self
            .relocated
            .get(&slot)
            .copied()
            .or_else(|| self.word_at(slot))?;
        let name = self
            .reading
            .content
            .text(self.reading.offset_of(target)?, LONGEST)?;
        // toybox lists a pseudo applet `:`.
        (!name.is_empty() && name.iter().all(|byte| is_name(*byte) || *byte == b':')).then_some(name)
    }

    /// The word that the program has at an address.
    fn word_at(&self, address: u64) -> Option<u64> {
        let offset = self.reading.offset_of(address)?;
        let bytes = self.bytes(offset, self.word);
        (bytes.len() as u64 == self.word).then(|| self.reading.number(bytes))
    }

    fn bytes(&self, offset: u64, length: u64) -> &'a [u8] {
        self.reading
            .content
            .at(offset, usize::try_from(length).unwrap_or(usize::MAX))
    }
}

/// Enough of them are known, so that it is no other list of words.
fn are_applets(catalog: &Catalog, names: &[&[u8]]) -> bool {
    let known = names.iter().filter(|name| catalog.is_applet(name)).count();
    known >= 2 && known * 2 >= names.len()
}

fn names(found: Vec<&[u8]>) -> Vec<String> {
    // Names are ASCII by now.
    let mut names: Vec<String> = found
        .into_iter()
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The end of `piece` that can be an applet's name: other data may stand before the first name.
fn valid_tail(piece: &[u8]) -> &[u8] {
    let length = piece
        .iter()
        .rev()
        .take(LONGEST + 1)
        .take_while(|byte| is_name(**byte))
        .count();
    if length > LONGEST {
        &[]
    } else {
        piece.get(piece.len() - length..).unwrap_or_default()
    }
}

/// The first name of a table, which other data that reads like letters may precede: the longest known end of it.
fn first_name<'a>(catalog: &Catalog, name: &'a [u8]) -> &'a [u8] {
    (0..name.len())
        .filter_map(|from| name.get(from..))
        .find(|name| catalog.is_applet(name))
        .unwrap_or(name)
}

fn is_name(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'+' | b'[' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{binary::Content, limits::Limits};

    fn table(data: &[u8]) -> Vec<String> {
        in_name_table(Catalog::builtin(), data)
    }

    #[test]
    fn an_ascending_run_of_known_names_is_a_table() {
        assert_eq!(
            table(b"\x01\x02ash\0cat\0my-own\0wget\0\0rest"),
            ["ash", "cat", "my-own", "wget"]
        );
        assert_eq!(table(b"\0[\0[[\0ash\0"), ["[", "[[", "ash"]);
        // Glued to a text before it.
        assert_eq!(table(b"Text.xyzash\0cat\0"), ["ash", "cat"]);
    }

    #[test]
    fn other_lists_of_words_are_none() {
        assert!(table(b"apple\0banana\0cherry\0").is_empty());
        assert!(table(b"wget\0cat\0ash\0").is_empty());
        assert!(table(b"cat\0").is_empty());
        assert!(table(b"apple\0banana\0cat\0cherry\0date\0elder\0").is_empty());
        assert!(table(b"").is_empty());
    }

    #[test]
    fn the_longest_run_wins() {
        assert_eq!(
            table(b"cat\0ls\0\0ash\0cat\0ls\0\0mv\0rm\0"),
            ["ash", "cat", "ls"]
        );
    }

    /// A program whose `count` loaded segments all map its data, the names and a table of pointers to them, at `address`.
    fn pointing(address: u64, count: u16) -> Vec<u8> {
        let mut file = vec![0; 64];
        file[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\0");
        file[16] = 2;
        file[18] = 62;
        file[32] = 64;
        file[54] = 56;
        file[56..58].copy_from_slice(&count.to_le_bytes());
        let names = b"toybox\0ash\0cat\0ls\0\0\0\0\0\0\0";
        let mut data = names.to_vec();
        for at in [0, 7, 11, 15_u64] {
            data.extend(address.wrapping_add(at).to_le_bytes());
            data.extend([0; 8]);
        }
        let start = 64 + 56 * u64::from(count);
        for _ in 0..count {
            let mut segment = [0; 56];
            segment[0] = 1;
            segment[4] = 6;
            segment[8..16].copy_from_slice(&start.to_le_bytes());
            segment[16..24].copy_from_slice(&address.to_le_bytes());
            segment[32..40].copy_from_slice(&(data.len() as u64).to_le_bytes());
            file.extend(segment);
        }
        file.extend(data);
        file
    }

    fn pointed(file: &[u8]) -> Vec<String> {
        let reading = Reading::of(Content::whole(file), &Limits::default());
        in_pointer_table(Catalog::builtin(), &reading)
    }

    #[test]
    fn pointers_lead_to_names() {
        assert_eq!(pointed(&pointing(0x1000, 1)), ["ash", "cat", "ls", "toybox"]);
        // A program that maps one range so often would only make the search long.
        assert!(pointed(&pointing(0x1000, 17)).is_empty());
    }

    #[test]
    fn segments_at_the_end_of_the_address_space_hold_no_table() {
        for below in 0..200 {
            pointed(&pointing(u64::MAX - below, 1));
        }
    }
}
