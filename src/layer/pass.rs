//! A pass drives a blob's bytes through decompression, the diff ID's hash, and the walker, to the facts.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::digest;

use super::{
    LayerFacts,
    contents::Look,
    decompress::{Decompressor, Halt, Output},
    facts::{Collector, Stop},
    read_ahead::Chunks,
    toc::{self, Tail},
};
use crate::{
    failure::{Code, Failure, Result},
    gap::{Gap, Hides},
    image::{Algorithm, Digest},
    limits::Limits,
    tar::{BLOCK, Fault, Walker},
};

/// One pass over one blob.
pub(super) struct Pass<'a, L, M> {
    limits: &'a Limits,
    plain: Plain<'a, L, M>,
}

/// What becomes of the plain bytes.
struct Plain<'a, L, M> {
    walker: Walker,
    collector: Collector<'a, L, M>,
    diff_id: Option<(Algorithm, digest::Context)>,
    /// Uncompressed bytes that may come.
    cap: u64,
}

impl<'a, L: Look, M: FnMut() -> L> Pass<'a, L, M> {
    /// A pass before its first byte.
    pub(super) fn new(
        limits: &'a Limits,
        diff_id: Option<Algorithm>,
        collector: Collector<'a, L, M>,
    ) -> Self {
        let diff_id = diff_id.map(|algorithm| {
            let hash = match algorithm {
                Algorithm::Sha256 => &digest::SHA256,
                Algorithm::Sha512 => &digest::SHA512,
            };
            (algorithm, digest::Context::new(hash))
        });
        Self {
            limits,
            plain: Plain {
                walker: Walker::new(limits),
                collector,
                diff_id,
                cap: limits.layer,
            },
        }
    }

    /// Takes all chunks. After an error in the layer the rest is still taken: when the blob itself turns out to be
    /// damaged or cut, that is the better message. Where the layer is corrupt, what came before is told with the fault.
    pub(super) fn run(
        mut self,
        mut chunks: Chunks,
        stop: &AtomicBool,
    ) -> Result<(LayerFacts, Option<Failure>)> {
        let mut decompressor = Decompressor::new(self.limits);
        let mut size = 0_u64;
        let mut tail = Tail::default();
        let mut state = Ok(());
        loop {
            if stop.load(Ordering::Relaxed) {
                return Err(Failure::new(Code::Interrupted, "the scan was interrupted"));
            }
            let chunk = chunks
                .next()
                .map_err(|error| Failure::from_io(error, Code::Unreadable))?;
            let Some(chunk) = chunk else { break };
            size += chunk.len() as u64;
            tail.push(chunk);
            if state.is_ok() {
                state = decompressor.feed(chunk, &mut self.plain);
            }
        }
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::new(Code::Interrupted, "the scan was interrupted"));
        }
        let state = state
            .and_then(|()| decompressor.finish(&mut self.plain))
            .and_then(|()| self.plain.finish(decompressor.trailing()));
        if let Some(place) = toc::stated_place(tail.bytes()).filter(|_| state.is_ok()) {
            // Only where the table is where a runtime would look for it does comparing it say anything.
            if decompressor.last_but_one() == Some(place) {
                self.plain.collector.compare_table();
            } else {
                let why = "the table of contents of the layer's eStargz form is not in its last member";
                self.plain.collector.remarks().gap(None, why, Hides::Anything);
            }
        }
        if toc::is_zstd_chunked(tail.bytes()) {
            let note =
                "the layer has zstd:chunked form, whose table of contents was not compared with the archive";
            self.plain.collector.remarks().note(note.to_owned());
        }
        let mut fault = None;
        let hashed = match state {
            Ok(()) => self.plain.diff_id.take(),
            Err(Halt::Broken(failure)) => {
                fault = Some(failure);
                None
            }
            Err(Halt::Failed(failure)) => return Err(failure),
            Err(Halt::Gap(gap)) => {
                self.plain.collector.remarks().gap(gap.path, gap.why, gap.hides);
                // Not all was hashed: what came out would look like tampering.
                None
            }
        };
        // How far into the faulty block the walker came depends on how the blob was cut into pieces.
        let position = self.plain.walker.position();
        let uncompressed = match fault {
            Some(_) => position / BLOCK as u64 * BLOCK as u64,
            None => position,
        };
        let diff_id = hashed.map(|(algorithm, hash)| Digest::of_hash(algorithm, hash.finish().as_ref()));
        let facts = LayerFacts {
            diff_id,
            ..self.plain.collector.into_facts(size, uncompressed)
        };
        Ok((facts, fault))
    }
}

impl<L: Look, M: FnMut() -> L> Plain<'_, L, M> {
    /// Ends the archive.
    fn finish(&mut self, trailing: u64) -> Result<(), Halt> {
        let result = self.walker.finish(&mut self.collector);
        self.settle(result)?;
        let remarks = self.collector.remarks();
        for (count, behind) in [(self.walker.stray(), "archive"), (trailing, "last gzip member")] {
            if count > 0 {
                remarks.note(format!("{count} bytes behind the end of the {behind}"));
            }
        }
        Ok(())
    }

    /// Gives the walker's faults their place, and heeds the collector's wish to stop.
    fn settle(&mut self, result: Result<(), Fault>) -> Result<(), Halt> {
        match self.collector.take_stop() {
            Some(Stop::Full(gap)) => return Err(Halt::Gap(gap)),
            Some(Stop::Failed(failure)) => return Err(Halt::Failed(failure)),
            None => {}
        }
        result.map_err(|Fault { code, what }| {
            let block = BLOCK as u64;
            let (at, place) = (self.walker.position() / block * block, self.collector.place());
            let failure = Failure::new(
                code,
                format!("the member at byte {at} of the archive, {place}, {what}"),
            );
            if code == Code::Corrupt {
                Halt::Broken(failure)
            } else {
                Halt::Failed(failure)
            }
        })
    }
}

impl<L: Look, M: FnMut() -> L> Output for Plain<'_, L, M> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Halt> {
        let left = self.cap.saturating_sub(self.walker.position());
        let fits = &bytes[..usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()))];
        if let Some((_, context)) = &mut self.diff_id {
            context.update(fits);
        }
        let result = self.walker.feed(fits, &mut self.collector);
        self.settle(result)?;
        if fits.len() < bytes.len() {
            return Err(Halt::Gap(Gap {
                path: None,
                why: format!(
                    "layer too large (limit {} bytes uncompressed): the rest of it was not read",
                    self.cap
                ),
                hides: Hides::Anything,
            }));
        }
        Ok(())
    }

    fn ended(&self) -> bool {
        self.walker.ended()
    }

    fn place(&self) -> String {
        self.collector.place()
    }
}
