//! Remarks are a layer's gaps and notes, kept few however often an image repeats the same trick.

use crate::{
    gap::{Gap, Hides},
    path::RootPath,
    text,
};

/// Gaps that are named one by one; later ones are only counted.
const GAPS: usize = 1_000;

/// Collects gaps and notes.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    gaps: Vec<Gap>,
    /// Gaps beyond the first thousand: how many, and the worst that they could hide.
    more: Option<(u64, Hides)>,
    odd: Vec<Odd>,
    notes: Vec<String>,
}

/// One kind of oddity, with its first example.
#[derive(Debug)]
struct Odd {
    what: &'static str,
    first: Vec<u8>,
    count: u64,
}

impl Remarks {
    /// Something that could not be read.
    pub(super) fn gap(&mut self, path: Option<RootPath>, why: impl Into<String>, hides: Hides) {
        if self.gaps.len() < GAPS {
            self.gaps.push(Gap {
                path,
                why: why.into(),
                hides,
            });
        } else {
            // `Hides` is ordered from the worst to the least.
            let (count, worst) = self.more.unwrap_or((0, hides));
            self.more = Some((count + 1, worst.min(hides)));
        }
    }

    /// An oddity that members may share; only the first example is kept.
    pub(super) fn odd(&mut self, what: &'static str, example: &[u8]) {
        if let Some(odd) = self.odd.iter_mut().find(|odd| odd.what == what) {
            odd.count += 1;
        } else {
            self.odd.push(Odd {
                what,
                first: example[..example.len().min(4_096)].to_vec(),
                count: 1,
            });
        }
    }

    /// An oddity of the layer as a whole.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// The gaps and the notes.
    pub(super) fn into_parts(mut self) -> (Vec<Gap>, Vec<String>) {
        if let Some((count, hides)) = self.more {
            self.gaps.push(Gap {
                path: None,
                why: format!("{count} more gaps of this layer are not listed"),
                hides,
            });
        }
        let mut notes: Vec<String> = self
            .odd
            .iter()
            .map(|odd| {
                let example = match odd.first.as_slice() {
                    b"" => String::new(),
                    first => format!(": `{}`", text::escape(first)),
                };
                match odd.count {
                    1 => format!("{}{example}", odd.what),
                    count => format!("{}{example} and {} more", odd.what, count - 1),
                }
            })
            .collect();
        notes.append(&mut self.notes);
        (self.gaps, notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_not_kept() {
        let mut remarks = Remarks::default();
        for n in 0..3_000 {
            remarks.odd("odd", b"a\n");
            let hides = if n == 2_000 {
                Hides::Programs
            } else {
                Hides::Nothing
            };
            remarks.gap(None, "gap", hides);
        }
        let (gaps, notes) = remarks.into_parts();
        assert_eq!(notes, ["odd: `a\\x0a` and 2999 more"]);
        assert_eq!(gaps.len(), GAPS + 1);
        let last = gaps.last().unwrap();
        assert_eq!(last.why, "2000 more gaps of this layer are not listed");
        assert_eq!(last.hides, Hides::Programs);
    }
}
