//! A program is an ELF file that came to its end: what it is, what is packed in it, and what stands behind it.

use super::{Inspector, TAIL};
use crate::binary::{
    Content, Form, Identity, Piece, Program,
    appended::{self, Appended},
    archive::Unread,
    bundle,
    elf::Reading,
    go, identify,
    identify::Seen,
    packed,
    traces::Traces,
};
use crate::catalog::Catalog;

impl Inspector<'_> {
    /// Ends an ELF file.
    pub(super) fn finish_elf(&mut self) -> Program {
        if self.last.is_empty() {
            self.search_head(self.head.len(), false);
            let size = self.head.len() as u64;
            let end = appended::end_of_program(&self.head, size, self.limits);
            let behind = end.filter(|end| *end < size);
            self.appended = behind.map(|end| {
                let mut appended = Appended::new(&self.place, end);
                appended.feed(0, &self.head);
                appended
            });
        } else {
            // A name may end with the file.
            let (seen, from) = (self.last.len(), self.taken - self.last.len() as u64);
            self.traces.search(&self.last, from, seen, false);
        }
        let payload = self.appended.take().map(Appended::finish);
        let (inside, behind) = self.of(payload);
        let end = if self.last.is_empty() {
            &*self.head
        } else {
            &*self.last
        };
        let bundle = bundle::of(end.get(end.len().saturating_sub(TAIL)..).unwrap_or_default());
        let pieces: Vec<Piece> = self.pieces.drain(..).map(|(piece, _)| piece).collect();
        let content = Content {
            head: &self.head,
            pieces: &pieces,
        };
        let reading = Reading::of(content, self.limits);
        let identify = |reading: &Reading<'_>, traces: &Traces<'_>| -> Vec<Identity> {
            let info = traces.build_infos.iter().find_map(|at| {
                go::read(&reading.content, *at, reading.elf.little_endian, |address| {
                    reading.offset_of(address)
                })
            });
            let seen = Seen {
                reading,
                found: &traces.found,
                crates: &traces.crates,
                go: info.as_ref(),
                symbols: !traces.names_only,
            };
            identify::elf(self.catalog, &seen)
        };
        let mut identities = identify(&reading, &self.traces);
        let known = |family: &str, all: &[Identity]| all.iter().any(|one| one.family == family);
        if let Some(bundle) = bundle.filter(|bundle| !known(&bundle.family, &identities)) {
            identities.push(bundle);
        }
        let mut opaque = behind;
        if let Some(packed::Unpacked { image, whole }) = packed::unpack(&reading, self.limits.unpacked) {
            let mut traces = Traces::new(self.catalog, self.limits.library_names);
            traces.search(&image, 0, 0, false);
            let inner = Reading::of(Content::whole(&image), self.limits);
            let inside = identify(&inner, &traces);
            self.traces
                .library_names
                .join(traces.library_names, self.limits.library_names);
            opaque = random(self.catalog, &inner, &inside).or(opaque);
            if !whole {
                opaque = Some(format!(
                    "only a part of what is packed in it can be unpacked: it does not fit its own headers, or has more than {} \
                     bytes (limit)",
                    self.limits.unpacked
                ));
            }
            identities = identify::packed(self.catalog, identities, inside);
        } else {
            opaque = random(self.catalog, &reading, &identities).or(opaque);
        }
        // Headers can make any program look like a library, which a loader would still run: no library is a shell, or packed.
        let hidden = reading.no_sections && opaque.is_some();
        let disguised = reading.enters_code && (hidden || is_shell(self.catalog, &identities));
        let may_start = reading.elf.startable || reading.enters_code;
        let mut elf = reading.elf;
        elf.startable |= disguised;
        if let Some(damage) = elf.unread().filter(|_| self.executable && may_start) {
            self.unread.push(Unread {
                path: Vec::new(),
                why: format!("is an ELF file that cannot be read as a loader would: {damage}"),
            });
        }
        let known = elf.needed.iter().chain(&elf.soname).map(Vec::as_slice);
        (elf.library_names, elf.library_names_cut) =
            self.traces.library_names.take(&known.collect::<Vec<_>>());
        Program {
            identities,
            opaque,
            ..Program::of(Form::Elf(elf), inside)
        }
    }
}

/// Why a program may be any other: its code is packed in an unknown way. What is found in it beside that, texts say, may be a
/// decoy, unless it is a shell, than which nothing is worse.
fn random(catalog: &Catalog, reading: &Reading<'_>, identities: &[Identity]) -> Option<String> {
    let starts = reading.elf.startable || reading.enters_code;
    if is_shell(catalog, identities) || !reading.no_sections || !starts {
        return None;
    }
    let bits = packed::randomness(reading)?;
    Some(format!(
        "it has no sections and its bytes look random ({bits:.1} bits each): packed or encrypted in a way that cannot be \
         undone here"
    ))
}

fn is_shell(catalog: &Catalog, identities: &[Identity]) -> bool {
    let mut rules = identities
        .iter()
        .filter_map(|identity| identity.meaning(catalog)?.rule);
    rules.any(|rule| rule == "shell")
}
