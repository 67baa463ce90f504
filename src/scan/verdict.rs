//! A verdict: the facts of an image's layers merged, checked, judged and scored.

use std::sync::LazyLock;

use super::{
    Plan, accounts, attribution,
    layers::{self, FactsByLayer},
    notes,
    open::{LayerSource, OpenedImage},
    placing,
    placing::Placing,
};
use crate::{
    catalog::words,
    checks::{self, Ability, Subject, Together},
    failure::{Code, Failure, Result},
    finding::{Ground, ImageGap, LayerOrigin, fingerprint},
    gap::{Gap, Hides},
    image::Image,
    layer::{Kind, LayerFacts},
    policy::{self, Level, Policy, WaiverUse},
    report::{Bytes, CapabilityView, CombinationView, ReportedFinding, UserView, Verdict},
    rootfs::{
        Rootfs,
        user::{self, UserResolution},
    },
    score,
};

/// Rules that say that something is not in the image.
const OF_ABSENCE: [&str; 3] = ["missing-program", "missing-library", "unknown-user"];

/// Judges one image from the facts of its layers.
///
/// # Errors
/// A layer that could not be had, or whose bytes are not those that the image names. A layer that was had but cannot be
/// read is a gap: what the others say is still told.
pub(super) fn judge(
    opened: &OpenedImage,
    facts: &FactsByLayer,
    plan: &Plan,
) -> Result<(Verdict, Vec<WaiverUse>)> {
    let image = &opened.image;
    let mut gaps: Vec<(Option<usize>, Gap)> = Vec::new();
    if let Some(failure) = opened.spent.excess(plan) {
        return Err(failure);
    }
    let layer_facts = layers_of(opened, facts, &mut gaps)?;
    let rootfs = Rootfs::merge(&layer_facts);
    gaps.extend(
        rootfs
            .gaps()
            .iter()
            .map(|(layer, gap)| (Some(*layer), gap.clone())),
    );
    if let LayerSource::Blobs(blobs) = &opened.layers {
        gaps.extend(blobs.gaps().into_iter().map(|gap| (None, gap)));
    }
    let user = image
        .config
        .as_ref()
        .map(|config| user::resolve(&config.user, &rootfs));
    gaps.extend(accounts::unread(user.as_ref(), &rootfs).map(|gap| (None, gap)));

    let subject = Subject::new(
        &rootfs,
        image.config.as_ref(),
        image.platform.as_ref(),
        plan.catalog,
    );
    let mut findings = checks::run(&subject);
    if gaps.iter().any(|(_, gap)| gap.hides == Hides::Anything) {
        // What is not there may be in what was not read.
        findings.retain(|finding| !OF_ABSENCE.contains(&finding.rule.id));
    }
    let capabilities = checks::capabilities(&findings, plan.catalog)
        .into_iter()
        .map(capability)
        .collect();
    let combinations = checks::combinations(&findings, plan.catalog)
        .into_iter()
        .map(combination)
        .collect();

    let names: Vec<&str> = [Some(image.name.as_str()), image.reference.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    let judgement = policy::judge(findings, &plan.policy, &names, plan.today);
    let score = score::score(&judgement.judged, &plan.policy.rubric);
    let gaps: Vec<ImageGap> = gaps
        .into_iter()
        .map(|(layer, gap)| image_gap(layer, gap))
        .collect();
    let incomplete = gaps.iter().any(|gap| could_deny(gap, &plan.policy));
    let denied = judgement
        .judged
        .iter()
        .any(|j| j.level == Level::Deny && j.waiver.is_none());
    let platform = image
        .platform
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();

    let placing = plan.dockerfile.as_ref().map(|file| placing::place(file, image));
    let mut reported: Vec<ReportedFinding> = judgement
        .judged
        .into_iter()
        .zip(&score.costs)
        .map(|(judged, points)| ReportedFinding {
            fingerprint: fingerprint(
                judged.finding.rule.id,
                &image.name,
                &platform,
                judged.finding.path.as_ref(),
                judged.finding.subject.as_deref(),
            ),
            location: placing
                .as_ref()
                .and_then(|placing| placing.location(&judged.finding)),
            level: judged.level,
            points: *points,
            waiver: judged
                .waiver
                .and_then(|index| plan.policy.waivers.get(index))
                .cloned(),
            finding: judged.finding,
        })
        .collect();
    // Stable: within a severity the order by rule and path stays.
    reported.sort_by_key(|r| std::cmp::Reverse((r.waiver.is_none(), r.level, r.finding.severity)));

    let verdict = Verdict {
        image: without_secrets(image),
        user: user.as_ref().map(user_view),
        layers: origins(opened, &layer_facts, placing.as_ref()),
        dockerfile: placing.as_ref().and_then(Placing::view),
        bytes: bytes(&layer_facts, &rootfs),
        capabilities,
        combinations,
        findings: reported,
        gaps,
        notes: notes::of(opened, &layer_facts, &rootfs, plan.catalog)
            .into_iter()
            .chain(placing.as_ref().and_then(Placing::note))
            .collect(),
        compliant: (!incomplete).then_some(!denied && score.points >= plan.policy.pass_mark),
        score: (!incomplete).then_some(score),
    };
    Ok((verdict, judgement.waivers))
}

/// The image as reports may show it: secrets of its configuration go no further.
pub(super) fn without_secrets(image: &Image) -> Image {
    let mut image = image.clone();
    if let Some(config) = &mut image.config {
        for command in [&mut config.entrypoint, &mut config.cmd, &mut config.healthcheck] {
            *command = words::mask_words(command);
        }
        for line in &mut config.env {
            *line = match line.split_once('=') {
                Some((name, value)) => format!("{name}={}", words::mask_value(name, value)),
                None => words::mask(line),
            };
        }
        for (name, value) in &mut config.labels {
            *value = words::mask_value(name, value);
        }
        for line in &mut config.history {
            line.created_by = line.created_by.as_deref().map(words::mask);
            line.comment = line.comment.as_deref().map(words::mask);
        }
    }
    image
}

/// The facts of each layer; a layer that cannot be read leaves a gap and empty facts.
fn layers_of<'a>(
    opened: &OpenedImage,
    facts: &'a FactsByLayer,
    gaps: &mut Vec<(Option<usize>, Gap)>,
) -> Result<Vec<&'a LayerFacts>> {
    static NOTHING: LazyLock<LayerFacts> = LazyLock::new(LayerFacts::default);
    let mut read: Vec<&LayerFacts> = Vec::new();
    for (index, layer) in opened.image.layers.iter().enumerate() {
        let digest = layer
            .digest
            .as_ref()
            .map(|digest| format!(" ({digest})"))
            .unwrap_or_default();
        let place = format!("layer {index}{digest}");
        match facts.get(&layers::key(opened, layer)).map(AsRef::as_ref) {
            Some(Ok(facts)) => {
                if let (Some(stated), Some(is)) = (&layer.diff_id, &facts.diff_id)
                    && stated != is
                {
                    let what =
                        format!("{place}: uncompressed it is {is}, but the configuration says {stated}");
                    return Err(Failure::new(Code::DigestMismatch, what)
                        .advise("the image is corrupt or was tampered with: build or fetch it again"));
                }
                read.push(facts);
            }
            Some(Err(failure)) if leaves_a_gap(failure.code) => {
                let why = failure.message.clone();
                gaps.push((
                    Some(index),
                    Gap {
                        path: None,
                        why,
                        hides: Hides::Anything,
                    },
                ));
                read.push(&NOTHING);
            }
            Some(Err(failure)) => return Err(failure.clone().at(place)),
            None => {
                return Err(Failure::new(
                    Code::Internal,
                    format!("{place}: this layer was never read"),
                ));
            }
        }
    }
    Ok(read)
}

/// Whether the other layers are still told when one fails so.
fn leaves_a_gap(code: Code) -> bool {
    matches!(
        code,
        Code::Corrupt | Code::TooLarge | Code::NotFound | Code::Internal
    )
}

fn combination(together: Together) -> CombinationView {
    let Together {
        id,
        meaning,
        attack,
        by,
    } = together;
    CombinationView {
        id,
        meaning,
        attack,
        by,
    }
}

fn capability(ability: Ability) -> CapabilityView {
    let Ability {
        id,
        group,
        meaning,
        attack,
        by,
    } = ability;
    CapabilityView {
        id,
        group,
        meaning,
        attack,
        by,
    }
}

/// The worst that any runtime makes of the user.
fn user_view(user: &UserResolution) -> UserView {
    let starts = user
        .models()
        .iter()
        .all(|(_, outcome)| matches!(outcome, user::Outcome::Starts(_)));
    let ids = user.ids();
    let (root, refused) = (user.root(), user.refused());
    let why = match (&root, &refused, ids) {
        (Some(verdict), ..) | (None, Some((_, verdict)), _) => verdict.why.clone(),
        (None, None, Some(ids)) => format!("uid {} and gid {} in every runtime", ids.uid, ids.gid),
        (None, None, None) => user.gap.clone().unwrap_or_default(),
    };
    UserView {
        configured: user.user.clone(),
        uid: ids.map(|ids| ids.uid),
        gid: ids.map(|ids| ids.gid),
        groups: ids.map(|ids| ids.groups.clone()).unwrap_or_default(),
        root: (user.gap.is_none() || root.is_some()).then_some(root.is_some()),
        starts,
        run_as_non_root: user.kubelet == user::Kubelet::Accepts,
        why,
    }
}

fn image_gap(layer: Option<usize>, gap: Gap) -> ImageGap {
    let place = match (layer, &gap.path) {
        (Some(layer), Some(path)) => format!("layer {layer}, entry {path}"),
        (Some(layer), None) => format!("layer {layer}"),
        (None, Some(path)) => path.to_string(),
        (None, None) => "image".to_owned(),
    };
    ImageGap {
        place,
        why: gap.why,
        could_hide: checks::hidden_by(gap.hides),
    }
}

fn could_deny(gap: &ImageGap, policy: &Policy) -> bool {
    gap.could_hide
        .iter()
        .any(|rule| policy.levels.get(rule.id) == Some(&Level::Deny))
}

fn origins(opened: &OpenedImage, facts: &[&LayerFacts], placing: Option<&Placing<'_>>) -> Vec<LayerOrigin> {
    let image = &opened.image;
    let instructions = attribution::instructions(image.config.as_ref(), image.layers.len());
    let by_position = instructions.into_iter().map(|instruction| {
        let ground = instruction.as_ref().map_or(Ground::None, |_| Ground::ByPosition);
        (instruction, ground)
    });
    let layers = image.layers.iter().zip(by_position).zip(facts).enumerate();
    layers
        .map(|(index, ((layer, by_position), facts))| {
            let matched = placing.and_then(|placing| placing.instruction(index));
            let (instruction, ground) =
                matched.map_or(by_position, |matched| (Some(matched), Ground::Matched));
            (layer, instruction, ground, facts)
        })
        .map(|(layer, instruction, ground, facts)| LayerOrigin {
            layer: crate::image::Layer {
                size: layer.size.or(Some(facts.size)),
                ..layer.clone()
            },
            instruction,
            ground,
            uncompressed: facts.uncompressed,
            files: facts
                .entries
                .iter()
                .filter(|entry| entry.kind == Kind::File)
                .count() as u64,
        })
        .collect()
}

fn bytes(facts: &[&LayerFacts], rootfs: &Rootfs) -> Bytes {
    let sum = |sizes: &mut dyn Iterator<Item = u64>| sizes.fold(0u64, u64::saturating_add);
    Bytes {
        compressed: sum(&mut facts.iter().map(|facts| facts.size)),
        uncompressed: sum(&mut facts.iter().map(|facts| facts.uncompressed)),
        present: sum(&mut rootfs
            .nodes()
            .filter(|node| node.kind == Kind::File)
            .map(|node| node.size)),
        removed: sum(&mut rootfs
            .residue()
            .iter()
            .filter(|r| r.entry.kind == Kind::File)
            .map(|r| r.entry.size)),
    }
}
