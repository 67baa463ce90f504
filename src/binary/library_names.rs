//! A library name is a text in a file's bytes, such as `libssl.so.3`: what the program may load by itself.

use std::collections::BTreeSet;

use super::search::OVERLAP;

/// What every such name has in it.
pub(super) const MARK: &[u8] = b".so";
/// Shortest name that is looked at: of so many bytes four stand where the search asks for text, wherever it began.
const SHORTEST: usize = 7;
/// Longest name that is looked at: one that goes on behind the searched bytes is whole in the next ones, together with the
/// byte before it and the one behind.
const LONGEST: usize = OVERLAP - 2;

/// The names found in one file.
#[derive(Debug, Default)]
pub(super) struct LibraryNames {
    found: BTreeSet<Vec<u8>>,
    /// There were more than are kept.
    cut: bool,
}

impl LibraryNames {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Notes the name in `data` that has [`MARK`] at `at`, unless there are `most` already. Its first `seen` bytes were searched before;
    /// `more` come behind it.
    pub(super) fn note(&mut self, data: &[u8], at: usize, seen: usize, more: bool, most: usize) {
        let end = end_at(data, at);
        // What ends with the bytes may go on in the next ones, which repeat it.
        if self.cut || end + 1 < seen || more && end + 1 >= data.len() {
            return;
        }
        let Some(name) = name_at(data, at, end).filter(|name| !self.found.contains(*name)) else {
            return;
        };
        self.add(name.to_vec(), most);
    }

    /// Adds the names found in that which is packed in the file.
    pub(super) fn join(&mut self, inside: Self, most: usize) {
        inside.found.into_iter().for_each(|name| self.add(name, most));
        self.cut |= inside.cut;
    }

    fn add(&mut self, name: Vec<u8>, most: usize) {
        if self.found.len() < most {
            self.found.insert(name);
        } else {
            self.cut |= !self.found.contains(&name);
        }
    }

    /// The names but for those in `known`, sorted, and whether some are left out.
    pub(super) fn take(&mut self, known: &[&[u8]]) -> (Vec<Vec<u8>>, bool) {
        let all = std::mem::take(&mut self.found);
        let names = all.into_iter().filter(|name| !known.contains(&name.as_slice()));
        (names.collect(), std::mem::take(&mut self.cut))
    }
}

/// Where the name ends whose `.so` stands at `at`.
fn end_at(data: &[u8], at: usize) -> usize {
    let mut end = at + MARK.len();
    while let Some([b'.', rest @ ..]) = data.get(end..) {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            break;
        }
        end += 1 + digits;
    }
    end
}

/// The name whose `.so` stands at `at` and that ends at `end`: `libssl.so`, `libssl.so.3`, `/usr/lib/libssl.so.3`.
fn name_at(data: &[u8], at: usize, end: usize) -> Option<&[u8]> {
    if data.get(end).is_some_and(|byte| is_name(*byte)) {
        return None;
    }
    let before = data.get(at.saturating_sub(LONGEST)..at)?;
    let length = before.iter().rev().take_while(|byte| is_name(**byte)).count();
    let name = data.get(at - length..end)?;
    let stem = before.last().is_some_and(|byte| is_name(*byte) && *byte != b'/');
    (stem && (SHORTEST..=LONGEST).contains(&name.len())).then_some(name)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.+-/".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(names: &mut LibraryNames, data: &[u8], seen: usize, more: bool, most: usize) {
        for at in memchr::memmem::find_iter(data, MARK) {
            names.note(data, at, seen, more, most);
        }
    }

    fn names(data: &[u8]) -> Vec<String> {
        let mut names = LibraryNames::default();
        note(&mut names, data, 0, false, 100);
        let text = |name: Vec<u8>| String::from_utf8(name).unwrap();
        names.take(&[]).0.into_iter().map(text).collect()
    }

    #[test]
    fn names_of_libraries_are_found_and_nothing_like_them() {
        assert_eq!(
            names(b"\0libssl.so.3\0x\0/usr/lib/libz.so\0lib%s.so\0libstdc++.so.6.0.30\0libX-1.2.so.6 a"),
            [
                "/usr/lib/libz.so",
                "libX-1.2.so.6",
                "libssl.so.3",
                "libstdc++.so.6.0.30"
            ]
        );
        let nothing: [&[u8]; 7] = [
            b"\0s.so.1\0",
            b"\0.so\0",
            b"/.so\0",
            b"a.source\0",
            b"a.so.x\0",
            b"a.so-1\0",
            b"a.so.3x\0",
        ];
        for none in nothing {
            assert!(names(none).is_empty(), "{none:?}");
        }
        assert_eq!(names(b"liba.so"), ["liba.so"]);
        let long = [vec![b'a'; LONGEST], b".so\0".to_vec()].concat();
        assert!(names(&long).is_empty());
    }

    #[test]
    fn a_name_is_read_whole_wherever_the_bytes_are_cut() {
        let data = b"\0/usr/lib/libssl.so.3.14\0libz.so\0";
        for cut in 0..data.len() {
            for overlap in [LONGEST + 2, cut] {
                let mut names = LibraryNames::default();
                note(&mut names, &data[..cut], 0, true, 100);
                let from = cut.saturating_sub(overlap);
                note(&mut names, &data[from..], cut - from, false, 100);
                let names = names.take(&[]).0;
                assert_eq!(
                    names,
                    [&b"/usr/lib/libssl.so.3.14"[..], b"libz.so"],
                    "cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn too_many_names_are_told() {
        let mut names = LibraryNames::default();
        note(&mut names, b"liba.so libb.so liba.so", 0, false, 2);
        note(&mut names, b"libb.so liba.so", 0, false, 2);
        assert_eq!(names.take(&[b"liba.so"]), (vec![b"libb.so".to_vec()], false));
        note(&mut names, b"liba.so libb.so libc.so", 0, false, 2);
        assert!(names.take(&[]).1);
    }
}
