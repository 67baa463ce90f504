//! The wire types of the JSON report: what stands here is public, in this order.

mod filled;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Number;

use crate::report::{ImageReport, Outcome, Report};

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
    combinations: Vec<Combination<'a>>,
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
    attribution: &'static str,
}

#[derive(Serialize)]
struct Bytes {
    compressed: u64,
    uncompressed: u64,
    present: u64,
    removed: u64,
}

#[derive(Serialize)]
struct Combination<'a> {
    id: &'a str,
    meaning: &'a str,
    attack: &'a [String],
    by: Vec<String>,
}

#[derive(Serialize)]
struct Capability<'a> {
    id: &'a str,
    group: &'a str,
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
    attribution: &'static str,
    location: Option<Location<'a>>,
    state: &'static str,
    capabilities: &'a [String],
    reach: Option<Reached<'a>>,
    message: &'a str,
    fix: &'a str,
    points: Number,
    fingerprint: &'a str,
    waiver: Option<Accepted<'a>>,
}

#[derive(Serialize)]
struct Reached<'a> {
    needed: bool,
    tier: Option<&'static str>,
    why: Option<&'a str>,
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

/// Lines of a Dockerfile.
#[derive(Serialize)]
struct Location<'a> {
    file: &'a str,
    line: usize,
    end_line: usize,
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
