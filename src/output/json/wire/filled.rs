//! Filling the wire types from a report.

use super::{
    Accepted, Bytes, Cap, Capability, Combination, Config, Finding, FoundIn, Gap, Identity, Image, Layer,
    Location, OtherPath, Problem, Reached, Unused, User, decimal,
};
use crate::{
    failure::Failure,
    finding::{Alias, Evidence, ImageGap, LayerOrigin, Reach},
    image::{Digest, ImageConfig},
    path::RootPath,
    policy::Waiver,
    report::{
        CapabilityView, CombinationView, ImageReport, Outcome, ReportedFinding, UnusedWaiver, UserView,
        Verdict,
    },
    score::AppliedCap,
    text,
};

fn shown(digest: Option<&Digest>) -> Option<String> {
    digest.map(Digest::to_string)
}

/// The bytes in hex, where the path's text form loses some of them.
fn hex_if_lossy(path: &RootPath) -> Option<String> {
    (!path.is_utf8()).then(|| text::hex(std::iter::once(&b'/').chain(path.as_bytes())))
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
        digest: shown(image.digest.as_ref()),
        index_digest: shown(image.index_digest.as_ref()),
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
        combinations: verdict.combinations.iter().map(Combination::from).collect(),
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
            digest: shown(origin.layer.digest.as_ref()),
            diff_id: shown(origin.layer.diff_id.as_ref()),
        }),
        instruction: origin.and_then(|(_, origin)| origin.instruction.as_deref()),
        attribution: reported.ground(layers).as_str(),
        location: reported.location.as_ref().map(|location| Location {
            file: &location.file,
            line: location.line,
            end_line: location.end_line,
        }),
        state: finding.state.as_str(),
        capabilities: &finding.capabilities,
        reach: finding.reach.as_ref().map(Reached::from),
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
            digest: shown(origin.layer.digest.as_ref()),
            diff_id: shown(origin.layer.diff_id.as_ref()),
            media_type: origin.layer.media_type.as_deref(),
            size: origin.layer.size,
            uncompressed_size: origin.uncompressed,
            files: origin.files,
            instruction: origin.instruction.as_deref(),
            attribution: origin.ground.as_str(),
        }
    }
}

impl<'a> From<&'a CombinationView> for Combination<'a> {
    fn from(combination: &'a CombinationView) -> Self {
        Self {
            id: &combination.id,
            meaning: &combination.meaning,
            attack: &combination.attack,
            by: combination
                .by
                .iter()
                .map(crate::path::RootPath::to_lossy)
                .collect(),
        }
    }
}

impl<'a> From<&'a CapabilityView> for Capability<'a> {
    fn from(capability: &'a CapabilityView) -> Self {
        Self {
            id: &capability.id,
            group: &capability.group,
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

impl<'a> From<&'a Reach> for Reached<'a> {
    fn from(reach: &'a Reach) -> Self {
        match reach {
            Reach::Needed { tier, why } => Self {
                needed: true,
                tier: Some(tier.as_str()),
                why: Some(why),
            },
            Reach::NotNeeded => Self {
                needed: false,
                tier: None,
                why: None,
            },
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
