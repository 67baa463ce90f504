//! The report: all that an output may show of a run, complete and ordered.

use crate::{
    failure::Failure,
    finding::{Finding, Ground, ImageGap, LayerOrigin, Location},
    image::Image,
    policy::{Level, Policy, Waiver},
    score::Score,
};

/// One run: every image of every target, in the order asked for, then by platform.
#[derive(Clone, Debug)]
pub struct Report {
    /// The policy that judged.
    pub policy: Policy,
    /// The images.
    pub images: Vec<ImageReport>,
    /// Waivers that matched nothing in the whole run, and expired ones.
    pub unused_waivers: Vec<UnusedWaiver>,
    /// The exit code of the run, before `--exit-zero`: the highest of all images.
    pub exit_code: u8,
}

/// A waiver that did nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct UnusedWaiver {
    /// The waiver.
    pub waiver: Waiver,
    /// It would have matched, but its day is over; otherwise nothing matched it.
    pub expired: bool,
}

/// What was asked for under one name, for one platform.
#[derive(Clone, Debug)]
pub struct ImageReport {
    /// As the user wrote it.
    pub target: String,
    /// How it went.
    pub outcome: Outcome,
}

/// How the scan of one image went.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It was read; [`Verdict::incomplete`] tells whether to the end.
    Judged(Box<Verdict>),
    /// It is no image that scant judges.
    NotApplicable(Failure),
    /// It could not be scanned.
    Failed(Failure),
}

/// The judgement of one image.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The image.
    pub image: Image,
    /// Who it runs as; `None` where there is no configuration.
    pub user: Option<UserView>,
    /// Its layers with what was read of them.
    pub layers: Vec<LayerOrigin>,
    /// The Dockerfile that the user says it was built from.
    pub dockerfile: Option<DockerfileView>,
    /// Bytes shipped and seen.
    pub bytes: Bytes,
    /// What an intruder could do with what is present, each with the cheapest way; sorted by id.
    pub capabilities: Vec<CapabilityView>,
    /// What several findings allow together, worst first.
    pub combinations: Vec<CombinationView>,
    /// Findings: worst level first, then severity, rule, path.
    pub findings: Vec<ReportedFinding>,
    /// What could not be read.
    pub gaps: Vec<ImageGap>,
    /// Oddities that change no verdict.
    pub notes: Vec<String>,
    /// Score and grade; `None` when a gap could hide a denied finding.
    pub score: Option<Score>,
    /// No denied finding, and the score reaches the pass mark; `None` when incomplete.
    pub compliant: Option<bool>,
}

impl Verdict {
    /// Whether a gap could hide a finding that the policy denies, so that no grade can be given.
    pub fn incomplete(&self) -> bool {
        self.score.is_none()
    }

    /// The notes of the image and of its layers, and the platforms not looked at, each once and sorted.
    pub fn all_notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.notes.iter().chain(&self.image.notes).cloned().collect();
        if !self.image.other_platforms.is_empty() {
            let mut others: Vec<String> = self
                .image
                .other_platforms
                .iter()
                .map(ToString::to_string)
                .collect();
            others.sort_unstable();
            notes.push(format!("platforms not looked at: {}", others.join(", ")));
        }
        notes.sort_unstable();
        notes.dedup();
        notes
    }
}

/// A finding with all that was judged of it.
#[derive(Clone, Debug)]
pub struct ReportedFinding {
    /// The finding.
    pub finding: Finding,
    /// What the policy says.
    pub level: Level,
    /// What it costs in the score.
    pub points: f64,
    /// The lines of the user's Dockerfile that it is put down to.
    pub location: Option<Location>,
    /// 32 hex digits, stable over tags, digests, layer order and time.
    pub fingerprint: String,
    /// The waiver that covers it.
    pub waiver: Option<Waiver>,
}

impl ReportedFinding {
    /// Whether it counts: neither waived nor allowed.
    pub fn active(&self) -> bool {
        self.waiver.is_none() && self.level != Level::Allow
    }

    /// What speaks for the instruction that it is put down to: its line, else its layer's.
    pub fn ground(&self, layers: &[LayerOrigin]) -> Ground {
        let layer = self.finding.layer.and_then(|index| layers.get(index));
        match (&self.location, layer) {
            (Some(_), _) => Ground::Matched,
            (None, Some(origin)) => origin.ground,
            (None, None) => Ground::None,
        }
    }
}

/// A Dockerfile laid beside an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerfileView {
    /// Whether the image's history fits one of its stages; otherwise no finding has a line.
    pub matched: bool,
    /// The `FROM` of the stage that was built, or of the last one: where what has no line of its own is shown by formats
    /// that need one.
    pub from: Location,
}

/// Who the container runs as, worst case over the runtimes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserView {
    /// `User` as written.
    pub configured: String,
    /// The uid, where it can be told.
    pub uid: Option<u32>,
    /// The gid, where it can be told.
    pub gid: Option<u32>,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Whether some runtime starts it as uid 0.
    pub root: Option<bool>,
    /// Whether every runtime starts it.
    pub starts: bool,
    /// Whether Kubernetes accepts it under `runAsNonRoot: true`.
    pub run_as_non_root: bool,
    /// One sentence: how that was found.
    pub why: String,
}

/// Sums of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// Blobs as stored.
    pub compressed: u64,
    /// Layers after decompression.
    pub uncompressed: u64,
    /// Content of files that the container sees.
    pub present: u64,
    /// Content of files that lower layers ship and the container never sees.
    pub removed: u64,
}

/// What an intruder could do with several things together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CombinationView {
    /// Id in the catalogue: `reverse-shell`.
    pub id: String,
    /// What it means, in words.
    pub meaning: String,
    /// ATT&CK techniques.
    pub attack: Vec<String>,
    /// The cheapest way: what is used, paths inside the image.
    pub by: Vec<crate::path::RootPath>,
}

/// Something that an intruder could do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CapabilityView {
    /// Id in the catalogue: `exec.shell`.
    pub id: String,
    /// One word for several that are told together: `execute`.
    pub group: String,
    /// What it means, in words.
    pub meaning: String,
    /// ATT&CK techniques.
    pub attack: Vec<String>,
    /// The cheapest way: a path inside the image.
    pub by: crate::path::RootPath,
}
