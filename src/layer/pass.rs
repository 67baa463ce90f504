//! A pass drives a blob's plain bytes through the diff ID's hash and the walker to the facts.

use aws_lc_rs::digest;

use super::{
    LayerFacts,
    contents::Look,
    decompress::{Decompressed, Halt},
    facts::{Collector, Stop},
    toc,
};
use crate::{
    failure::{Code, Failure, Result},
    gap::{Gap, Hides},
    image::{Algorithm, Digest},
    limits::Limits,
    tar::{BLOCK, Fault, Walker},
};

/// One pass over the plain bytes of one blob.
pub(super) struct Pass<'a, L, M> {
    walker: Walker,
    collector: Collector<'a, L, M>,
    diff_id: Option<(Algorithm, digest::Context)>,
    /// Uncompressed bytes that may come.
    cap: u64,
    /// Why no more bytes are taken.
    end: Result<(), End>,
}

/// Why a layer is read no further.
enum End {
    /// The layer cannot be read.
    Failed(Failure),
    /// The layer cannot be unpacked from here on: the facts so far stay as evidence.
    Broken(Failure),
    /// A cap or an unknown format: the facts so far stay, the rest is a gap.
    Gap(Gap),
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
            walker: Walker::new(limits),
            collector,
            diff_id,
            cap: limits.layer,
            end: Ok(()),
        }
    }

    /// Takes the next plain bytes. Returns whether more are wanted.
    pub(super) fn take(&mut self, bytes: &[u8]) -> bool {
        if self.end.is_ok() {
            self.end = self.walk(bytes);
        }
        self.end.is_ok()
    }

    fn walk(&mut self, bytes: &[u8]) -> Result<(), End> {
        let left = self.cap.saturating_sub(self.walker.position());
        let fits = &bytes[..usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()))];
        if let Some((_, context)) = &mut self.diff_id {
            context.update(fits);
        }
        let result = self.walker.feed(fits, &mut self.collector);
        self.settle(result)?;
        if fits.len() < bytes.len() {
            return Err(End::Gap(Gap {
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

    /// Ends the pass. Where the layer is corrupt, what came before is told with the fault.
    pub(super) fn finish(mut self, blob: Decompressed) -> Result<(LayerFacts, Option<Failure>)> {
        let Decompressed {
            size,
            tail,
            trailing,
            members,
            end,
        } = blob;
        // What the walker met lies before that which the decompressor met.
        let end = std::mem::replace(&mut self.end, Ok(()))
            .and_then(|()| end.map_err(|halt| self.end_of(halt)))
            .and_then(|()| self.end(trailing));
        if let Some(place) = toc::stated_place(tail.bytes()).filter(|_| end.is_ok()) {
            self.collector.compare_table(place, &members);
        }
        if let Some(form) = toc::not_compared(tail.bytes()) {
            self.collector.remarks().note(format!(
                "the layer has {form} form, whose table of contents was not compared with the archive"
            ));
        }
        let mut fault = None;
        let hashed = match end {
            Ok(()) => self.diff_id.take(),
            Err(End::Broken(failure)) => {
                fault = Some(failure);
                None
            }
            Err(End::Failed(failure)) => return Err(failure),
            Err(End::Gap(gap)) => {
                self.collector.remarks().gap(gap.path, gap.why, gap.hides);
                // Not all was hashed: what came out would look like tampering.
                None
            }
        };
        // How far into the faulty block the walker came depends on how the blob was cut into pieces.
        let position = self.walker.position();
        let uncompressed = match fault {
            Some(_) => position / BLOCK as u64 * BLOCK as u64,
            None => position,
        };
        let diff_id = hashed.map(|(algorithm, hash)| Digest::of_hash(algorithm, hash.finish().as_ref()));
        let facts = LayerFacts {
            diff_id,
            ..self.collector.into_facts(size, uncompressed)
        };
        Ok((facts, fault))
    }

    /// What the decompressor's halt means for the layer.
    fn end_of(&self, halt: Halt) -> End {
        match halt {
            Halt::Failed(failure) => End::Failed(failure),
            Halt::Gap(gap) => End::Gap(gap),
            Halt::Damaged { what, at, settled } => {
                let failure = self.corrupt(what, at);
                if settled {
                    End::Broken(failure)
                } else {
                    End::Failed(failure)
                }
            }
            Halt::Closed => End::Failed(Failure::new(
                Code::Internal,
                "reading the layer ended before the layer did",
            )),
        }
    }

    /// Ends the archive, behind which `trailing` bytes came that begin at a byte of the blob.
    fn end(&mut self, (trailing, at): (u64, u64)) -> Result<(), End> {
        if trailing > 0 && !self.walker.ended() {
            let what = "the gzip data is followed by something else before the archive ends";
            return Err(End::Broken(self.corrupt(what, at)));
        }
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

    fn corrupt(&self, what: &str, at: u64) -> Failure {
        let place = self.collector.place();
        Failure::new(Code::Corrupt, format!("{what} at byte {at} of the blob, {place}"))
    }

    /// Gives the walker's faults their place, and heeds the collector's wish to stop.
    fn settle(&mut self, result: Result<(), Fault>) -> Result<(), End> {
        match self.collector.take_stop() {
            Some(Stop::Full(gap)) => return Err(End::Gap(gap)),
            Some(Stop::Failed(failure)) => return Err(End::Failed(failure)),
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
                End::Broken(failure)
            } else {
                End::Failed(failure)
            }
        })
    }
}
