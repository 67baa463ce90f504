//! The wire types of the JSON report: what stands here is public, in this order.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Number;

use crate::{
    failure::Failure,
    finding::{Alias, Evidence, ImageGap, LayerOrigin},
    image::{Digest, ImageConfig},
    path::RootPath,
    policy::Waiver,
    report::{CapabilityView, ImageReport, Outcome, Report, ReportedFinding, UnusedWaiver, UserView, Verdict},
    score::AppliedCap,
};

#[derive(Serialize)]
pub(super) struct Document<'a> {
    schema: &'static str,
    tool: Tool,
    policy: Policy<'a>,
    summary: Summary,
    images: Images<'a>,
    unused_waivers: Vec<Unused<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Policy<'a> {
    name: &'a str,
    digest: &'a str,
    pass_mark: Number,
}

#[derive(Default, Serialize)]
struct Summary {
    images: usize,
    compliant: usize,
    not_compliant: usize,
    incomplete: usize,
    errors: usize,
    exit_code: u8,
}

/// Images are turned into their wire form one by one, as they are written.
struct Images<'a>(&'a [ImageReport]);

impl Serialize for Images<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Image::from))
    }
}

#[derive(Default, Serialize)]
struct Image<'a> {
    target: &'a str,
    reference: Option<&'a str>,
    digest: Option<String>,
    index_digest: Option<String>,
    platform: Option<String>,
    status: &'static str,
    error: Option<Problem<'a>>,
    compliant: Option<bool>,
    score: Option<Number>,
    grade: Option<&'static str>,
    caps: Vec<Cap<'a>>,
    user: Option<User<'a>>,
    config: Option<Config<'a>>,
    layers: Vec<Layer<'a>>,
    bytes: Option<Bytes>,
    capabilities: Vec<Capability<'a>>,
    notes: Vec<String>,
    gaps: Vec<Gap<'a>>,
    findings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Problem<'a> {
    code: &'static str,
    message: &'a str,
    retryable: bool,
}

#[derive(Serialize)]
struct Cap<'a> {
    grade: &'static str,
    rule: &'static str,
    why: &'a str,
}

#[derive(Serialize)]
struct User<'a> {
    configured: &'a str,
    uid: Option<u32>,
    gid: Option<u32>,
    groups: &'a [u32],
    root: Option<bool>,
    starts: bool,
    run_as_non_root: bool,
    why: &'a str,
}

#[derive(Serialize)]
struct Config<'a> {
    entrypoint: &'a [String],
    cmd: &'a [String],
    shell_form: bool,
    env: Vec<&'a str>,
    working_dir: &'a str,
    exposed_ports: &'a [String],
    volumes: &'a [String],
    labels: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Layer<'a> {
    index: usize,
    digest: Option<String>,
    diff_id: Option<String>,
    media_type: Option<&'a str>,
    size: Option<u64>,
    uncompressed_size: u64,
    files: u64,
    instruction: Option<&'a str>,
}

#[derive(Serialize)]
struct Bytes {
    compressed: u64,
    uncompressed: u64,
    present: u64,
    removed: u64,
}

#[derive(Serialize)]
struct Capability<'a> {
    id: &'a str,
    attack: &'a [String],
    by: String,
}

#[derive(Serialize)]
struct Gap<'a> {
    #[serde(rename = "where")]
    place: &'a str,
    why: &'a str,
    could_hide: Vec<&'static str>,
}

#[derive(Serialize)]
struct Finding<'a> {
    rule: &'static str,
    severity: &'static str,
    level: &'static str,
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    subject: Option<&'a str>,
    aliases: Vec<OtherPath>,
    identity: Option<Identity<'a>>,
    layer: Option<FoundIn>,
    instruction: Option<&'a str>,
    location: Option<Location>,
    state: &'static str,
    capabilities: &'a [String],
    message: &'a str,
    fix: &'a str,
    points: Number,
    fingerprint: &'a str,
    waiver: Option<Accepted<'a>>,
}

#[derive(Serialize)]
struct OtherPath {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    kind: &'static str,
}

#[derive(Serialize)]
struct Identity<'a> {
    name: &'a str,
    family: &'a str,
    version: Option<&'a str>,
    confidence: &'static str,
    evidence: &'a str,
    latent: bool,
}

#[derive(Serialize)]
struct FoundIn {
    index: usize,
    digest: Option<String>,
    diff_id: Option<String>,
}

/// A place in a Dockerfile; reserved until one can be given.
#[derive(Serialize)]
struct Location {
    file: String,
    line: u64,
    end_line: u64,
}

#[derive(Serialize)]
struct Accepted<'a> {
    reason: &'a str,
    owner: Option<&'a str>,
    expires: Option<String>,
}

#[derive(Serialize)]
struct Unused<'a> {
    rule: &'static str,
    paths: &'a [String],
    identity: Option<&'a str>,
    images: &'a [String],
    reason: &'a str,
    owner: Option<&'a str>,
    expires: Option<String>,
    expired: bool,
}

pub(super) fn document<'a>(report: &'a Report, images: &'a [ImageReport]) -> Document<'a> {
    Document {
        schema: "scant/1",
        tool: Tool {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        },
        policy: Policy {
            name: &report.policy.name,
            digest: &report.policy.digest,
            pass_mark: decimal(report.policy.pass_mark),
        },
        summary: summary(report, images),
        images: Images(images),
        unused_waivers: report.unused_waivers.iter().map(Unused::from).collect(),
    }
}

/// Counts outcomes; images that are not applicable are counted in `images` only.
fn summary(report: &Report, images: &[ImageReport]) -> Summary {
    let mut summary = Summary {
        images: images.len(),
        exit_code: report.exit_code,
        ..Summary::default()
    };
    for image in images {
        match &image.outcome {
            Outcome::Judged(verdict) => match verdict.compliant.filter(|_| !verdict.incomplete()) {
                Some(true) => summary.compliant += 1,
                Some(false) => summary.not_compliant += 1,
                None => summary.incomplete += 1,
            },
            Outcome::NotApplicable(_) => {}
            Outcome::Failed(_) => summary.errors += 1,
        }
    }
    summary
}

/// A number with at most one decimal, and none where it is whole.
fn decimal(value: f64) -> Number {
    let tenths = (value * 10.0).round();
    if tenths % 10.0 == 0.0 {
        Number::from((tenths / 10.0) as i64)
    } else {
        Number::from_f64(tenths / 10.0).unwrap_or_else(|| Number::from(0))
    }
}

fn text(digest: Option<&Digest>) -> Option<String> {
    digest.map(Digest::to_string)
}

/// The bytes in hex, where the path's text form loses some of them.
fn hex_if_lossy(path: &RootPath) -> Option<String> {
    let bytes = || std::iter::once(&b'/').chain(path.as_bytes());
    (!path.is_utf8()).then(|| bytes().map(|byte| format!("{byte:02x}")).collect())
}

impl<'a> From<&'a ImageReport> for Image<'a> {
    fn from(report: &'a ImageReport) -> Self {
        let unread = |status, failure: &'a Failure| Self {
            target: &report.target,
            status,
            error: Some(failure.into()),
            ..Self::default()
        };
        match &report.outcome {
            Outcome::Judged(verdict) => judged(&report.target, verdict),
            Outcome::NotApplicable(failure) => unread("not-applicable", failure),
            Outcome::Failed(failure) => unread("error", failure),
        }
    }
}

fn judged<'a>(target: &'a str, verdict: &'a Verdict) -> Image<'a> {
    let image = &verdict.image;
    let score = verdict.score.as_ref();
    let complete = !verdict.incomplete();
    Image {
        target,
        reference: image.reference.as_deref(),
        digest: text(image.digest.as_ref()),
        index_digest: text(image.index_digest.as_ref()),
        platform: image.platform.as_ref().map(ToString::to_string),
        status: if complete { "scanned" } else { "incomplete" },
        error: None,
        compliant: verdict.compliant.filter(|_| complete),
        score: score.map(|score| decimal(score.points)),
        grade: score.map(|score| score.grade.as_str()),
        caps: score
            .map(|score| score.caps.iter().map(Cap::from).collect())
            .unwrap_or_default(),
        user: verdict.user.as_ref().map(User::from),
        config: image.config.as_ref().map(Config::from),
        layers: verdict.layers.iter().enumerate().map(Layer::from).collect(),
        bytes: Some(Bytes {
            compressed: verdict.bytes.compressed,
            uncompressed: verdict.bytes.uncompressed,
            present: verdict.bytes.present,
            removed: verdict.bytes.removed,
        }),
        capabilities: verdict.capabilities.iter().map(Capability::from).collect(),
        notes: verdict.all_notes(),
        gaps: verdict.gaps.iter().map(Gap::from).collect(),
        findings: verdict
            .findings
            .iter()
            .map(|finding| reported(finding, &verdict.layers))
            .collect(),
    }
}

fn reported<'a>(reported: &'a ReportedFinding, layers: &'a [LayerOrigin]) -> Finding<'a> {
    let finding = &reported.finding;
    let origin = finding.layer.and_then(|index| Some((index, layers.get(index)?)));
    Finding {
        rule: finding.rule.id,
        severity: finding.severity.as_str(),
        level: reported.level.as_str(),
        path: finding.path.as_ref().map(RootPath::to_lossy),
        path_hex: finding.path.as_ref().and_then(hex_if_lossy),
        subject: finding.subject.as_deref(),
        aliases: finding.aliases.iter().map(OtherPath::from).collect(),
        identity: finding.identity.as_ref().map(Identity::from),
        layer: origin.map(|(index, origin)| FoundIn {
            index,
            digest: text(origin.layer.digest.as_ref()),
            diff_id: text(origin.layer.diff_id.as_ref()),
        }),
        instruction: origin.and_then(|(_, origin)| origin.instruction.as_deref()),
        location: None,
        state: finding.state.as_str(),
        capabilities: &finding.capabilities,
        message: &finding.message,
        fix: &finding.fix,
        points: decimal(reported.points),
        fingerprint: &reported.fingerprint,
        waiver: reported.waiver.as_ref().map(Accepted::from),
    }
}

impl<'a> From<&'a Failure> for Problem<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self {
            code: failure.code.as_str(),
            message: &failure.message,
            retryable: failure.code.retryable(),
        }
    }
}

impl<'a> From<&'a AppliedCap> for Cap<'a> {
    fn from(cap: &'a AppliedCap) -> Self {
        Self {
            grade: cap.grade.as_str(),
            rule: cap.rule.id,
            why: &cap.why,
        }
    }
}

impl<'a> From<&'a UserView> for User<'a> {
    fn from(user: &'a UserView) -> Self {
        Self {
            configured: &user.configured,
            uid: user.uid,
            gid: user.gid,
            groups: &user.groups,
            root: user.root,
            starts: user.starts,
            run_as_non_root: user.run_as_non_root,
            why: &user.why,
        }
    }
}

impl<'a> From<&'a ImageConfig> for Config<'a> {
    fn from(config: &'a ImageConfig) -> Self {
        Self {
            entrypoint: &config.entrypoint,
            cmd: &config.cmd,
            shell_form: config.shell_form(),
            env: config.env_names().collect(),
            working_dir: &config.working_dir,
            exposed_ports: &config.exposed_ports,
            volumes: &config.volumes,
            labels: &config.labels,
        }
    }
}

impl<'a> From<(usize, &'a LayerOrigin)> for Layer<'a> {
    fn from((index, origin): (usize, &'a LayerOrigin)) -> Self {
        Self {
            index,
            digest: text(origin.layer.digest.as_ref()),
            diff_id: text(origin.layer.diff_id.as_ref()),
            media_type: origin.layer.media_type.as_deref(),
            size: origin.layer.size,
            uncompressed_size: origin.uncompressed,
            files: origin.files,
            instruction: origin.instruction.as_deref(),
        }
    }
}

impl<'a> From<&'a CapabilityView> for Capability<'a> {
    fn from(capability: &'a CapabilityView) -> Self {
        Self {
            id: &capability.id,
            attack: &capability.attack,
            by: capability.by.to_lossy(),
        }
    }
}

impl<'a> From<&'a ImageGap> for Gap<'a> {
    fn from(gap: &'a ImageGap) -> Self {
        Self {
            place: &gap.place,
            why: &gap.why,
            could_hide: gap.could_hide.iter().map(|rule| rule.id).collect(),
        }
    }
}

impl From<&Alias> for OtherPath {
    fn from(alias: &Alias) -> Self {
        Self {
            path: alias.path.to_lossy(),
            path_hex: hex_if_lossy(&alias.path),
            kind: alias.kind.as_str(),
        }
    }
}

impl<'a> From<&'a Evidence> for Identity<'a> {
    fn from(identity: &'a Evidence) -> Self {
        Self {
            name: &identity.name,
            family: &identity.family,
            version: identity.version.as_deref(),
            confidence: identity.confidence,
            evidence: &identity.evidence,
            latent: identity.latent,
        }
    }
}

impl<'a> From<&'a Waiver> for Accepted<'a> {
    fn from(waiver: &'a Waiver) -> Self {
        Self {
            reason: &waiver.reason,
            owner: waiver.owner.as_deref(),
            expires: waiver.expires.map(|day| day.to_string()),
        }
    }
}

impl<'a> From<&'a UnusedWaiver> for Unused<'a> {
    fn from(unused: &'a UnusedWaiver) -> Self {
        let waiver = &unused.waiver;
        Self {
            rule: waiver.rule.id,
            paths: &waiver.paths,
            identity: waiver.identity.as_deref(),
            images: &waiver.images,
            reason: &waiver.reason,
            owner: waiver.owner.as_deref(),
            expires: waiver.expires.map(|day| day.to_string()),
            expired: unused.expired,
        }
    }
}
