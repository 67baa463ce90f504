//! Results are an image's findings as SARIF tells them, one each, at most as many as GitHub keeps.

use std::fmt::Write as _;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use serde_sarif::sarif::{
    ArtifactLocation, Location, LogicalLocation, Message, PhysicalLocation, PropertyBag, Region,
    Result as SarifResult, ResultKind, ResultLevel, Suppression,
};

use super::{Profile, join::Row, rules, uri};
use crate::{
    finding::{Finding, Location as Lines},
    policy::{Level, Waiver},
    report::{ReportedFinding, Verdict},
    text,
};

/// Aliases and names that a message lists before it counts.
const LISTED: usize = 5;

/// What all results of one run share.
pub(super) struct Context<'a> {
    pub(super) verdict: &'a Verdict,
    pub(super) folder: &'a str,
    pub(super) profile: Profile,
}

impl Context<'_> {
    /// `acme/app:1.2 (linux/amd64)`, safe to show.
    pub(super) fn image(&self) -> String {
        let image = &self.verdict.image;
        let name = image.reference.as_deref().unwrap_or(&image.name);
        let name = text::escape(name.as_bytes());
        match &image.platform {
            Some(platform) => format!("{name} ({platform})"),
            None => name,
        }
    }

    /// The results of `rows`, without twins: GitHub would join two of equal rule, place and fingerprint at random.
    pub(super) fn results(&self, rows: &[Row<'_>]) -> Vec<SarifResult> {
        let mut seen = BTreeSet::new();
        rows.iter()
            .filter_map(|row| {
                let result = match row {
                    Row::One(finding) => self.one(finding),
                    Row::Joined { directory, findings } => {
                        let first = *findings.first()?;
                        let mut result = self.one(first);
                        let place = match directory {
                            Some(directory) => uri::of_path(self.folder, directory),
                            None => self.folder.to_owned(),
                        };
                        result.locations = Some(vec![self.location(place, self.lines(first), "joined")]);
                        result.message = message(&self.joined(directory.as_ref(), findings));
                        let fingerprint = super::join::fingerprint(self.verdict, first, directory.as_ref());
                        result.partial_fingerprints = Some(fingerprints(&fingerprint));
                        if self.profile == Profile::Plain {
                            result.properties = Some(bag([("findings", json!(findings.len()))]));
                        }
                        result
                    }
                };
                let place = result.locations.as_ref()?.first()?.physical_location.clone()?;
                let place = place.artifact_location?.uri;
                let key = (result.rule_id.clone(), place, result.partial_fingerprints.clone());
                seen.insert(key).then_some(result)
            })
            .collect()
    }

    fn one(&self, reported: &ReportedFinding) -> SarifResult {
        let finding = &reported.finding;
        let subject = match (&finding.path, &finding.subject) {
            (Some(path), _) => path.to_string(),
            (None, Some(subject)) => format!("config:{}", text::escape(subject.as_bytes())),
            (None, None) => "config".to_owned(),
        };
        let mut result = SarifResult::builder()
            .rule_id(finding.rule.id)
            .level(level(reported.level))
            .message(message(&self.say(finding)))
            .locations(vec![self.location(
                uri::of_finding(self.folder, finding),
                self.lines(reported),
                &subject,
            )])
            .partial_fingerprints(fingerprints(&reported.fingerprint))
            .build();
        result.rule_index = rules::index(finding.rule);
        if self.profile == Profile::Plain {
            if reported.level == Level::Allow {
                result.kind = Some(ResultKind::Informational);
            }
            result.suppressions = Some(reported.waiver.iter().map(suppression).collect());
            result.properties = Some(self.properties(reported));
        }
        result
    }

    /// The fact with its image and origin first, since only that is shown where space is short.
    fn say(&self, finding: &Finding) -> String {
        let mut out = finding.message.trim_end_matches('.').to_owned();
        let _ = write!(out, ", in {}", self.image());
        let origin = finding.layer.and_then(|index| self.verdict.layers.get(index));
        if let Some(instruction) = origin.and_then(|origin| origin.instruction.as_deref()) {
            let _ = write!(out, ", from \"{}\"", text::escape(instruction.as_bytes()));
        }
        out.push('.');
        if !finding.aliases.is_empty() {
            let paths = finding.aliases.iter().map(|alias| alias.path.to_string());
            let _ = write!(out, " Also reached as {}.", listed(paths));
        }
        let gains = finding.capabilities.iter().map(|id| self.meaning(id));
        let gains: Vec<String> = gains.collect::<BTreeSet<_>>().into_iter().collect();
        if !gains.is_empty() {
            let _ = write!(out, " It lets an intruder {}.", gains.join("; "));
        }
        let fix = finding.fix.trim().trim_end_matches('.');
        if !fix.is_empty() {
            let _ = write!(out, " {}.", capitalised(fix));
        }
        out
    }

    fn joined(&self, directory: Option<&crate::path::RootPath>, findings: &[&ReportedFinding]) -> String {
        let Some(first) = findings.first() else {
            return String::new();
        };
        let rule = first.finding.rule;
        let below = directory.map_or_else(String::new, |directory| format!(" directly in {directory}"));
        let paths = findings.iter().map(|one| match &one.finding.path {
            Some(path) => path.to_string(),
            None => text::escape(one.finding.subject.as_deref().unwrap_or("config").as_bytes()),
        });
        format!(
            "{} findings of {}{below}, in {}. {}: {}. The JSON report has each of them.",
            findings.len(),
            rule.id,
            self.image(),
            rule.title,
            listed(paths),
        )
    }

    fn meaning(&self, id: &str) -> String {
        let known = self.verdict.capabilities.iter().find(|one| one.id == id);
        known.map_or_else(|| id.to_owned(), |one| one.meaning.clone())
    }

    /// The lines that a finding is shown on, where the user named a Dockerfile: what has none of its own stands at the `FROM`.
    fn lines<'b>(&'b self, reported: &'b ReportedFinding) -> Option<&'b Lines> {
        let view = self.verdict.dockerfile.as_ref()?;
        Some(reported.location.as_ref().unwrap_or(&view.from))
    }

    fn location(&self, in_image: String, lines: Option<&Lines>, subject: &str) -> Location {
        let image = &self.verdict.image;
        let mut name = image.reference.clone().unwrap_or_else(|| image.name.clone());
        if let Some(digest) = &image.digest {
            let _ = write!(name, "@{digest}");
        }
        let name = format!("{}!{subject}", text::escape(name.as_bytes()));
        // Code scanning shows an alert on a pull request only if all its lines are in it: so one line. Inside an image no
        // text is read, so a region says nothing; GitHub refuses a result without one.
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let line = lines.map_or(1, |lines| number(lines.focus));
        let end = lines.map_or(1, |lines| number(lines.columns.saturating_add(1)));
        let uri = lines.map_or(in_image, |lines| uri::of_file(&lines.file));
        let region = Region::builder()
            .start_line(line)
            .start_column(1)
            .end_line(line)
            .end_column(end)
            .build();
        Location::builder()
            .physical_location(
                PhysicalLocation::builder()
                    .artifact_location(ArtifactLocation::builder().uri(uri).build())
                    .region(region)
                    .build(),
            )
            .logical_locations(vec![
                LogicalLocation::builder()
                    .fully_qualified_name(name)
                    .kind("resource")
                    .build(),
            ])
            .build()
    }

    fn properties(&self, reported: &ReportedFinding) -> PropertyBag {
        let image = &self.verdict.image;
        let finding = &reported.finding;
        let origin = finding.layer.and_then(|index| self.verdict.layers.get(index));
        let shown = |text: &String| json!(text::escape(text.as_bytes()));
        let string = |value: &dyn ToString| json!(value.to_string());
        let optional = [
            ("digest", image.digest.as_ref().map(|digest| string(digest))),
            ("image", image.reference.as_ref().map(shown)),
            (
                "instruction",
                origin.and_then(|origin| origin.instruction.as_ref()).map(shown),
            ),
            (
                "attribution",
                Some(json!(reported.ground(&self.verdict.layers).as_str())),
            ),
            (
                "layerDiffId",
                origin
                    .and_then(|origin| origin.layer.diff_id.as_ref())
                    .map(|id| string(id)),
            ),
            (
                "layerDigest",
                origin
                    .and_then(|origin| origin.layer.digest.as_ref())
                    .map(|id| string(id)),
            ),
            (
                "platform",
                image.platform.as_ref().map(|platform| string(platform)),
            ),
            (
                "evidence",
                finding
                    .identity
                    .as_ref()
                    .map(|identity| shown(&identity.evidence)),
            ),
            (
                "identity",
                finding.identity.as_ref().map(|identity| {
                    json!({
                        "confidence": identity.confidence,
                        "family": identity.family,
                        "latent": identity.latent,
                        "name": identity.name,
                        "version": identity.version.as_ref().map(shown),
                    })
                }),
            ),
            (
                "pathHex",
                finding
                    .path
                    .as_ref()
                    .filter(|path| !path.is_utf8())
                    .map(|path| json!(text::hex(std::iter::once(&b'/').chain(path.as_bytes())))),
            ),
        ];
        let mut properties = bag([
            ("points", json!(reported.points)),
            ("severity", json!(finding.severity.as_str())),
            ("state", json!(finding.state.as_str())),
        ]);
        let present = optional
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)));
        properties.additional_properties.extend(present);
        properties
    }
}

fn bag<const N: usize>(pairs: [(&str, Value); N]) -> PropertyBag {
    let map: BTreeMap<String, Value> = pairs.map(|(key, value)| (key.to_owned(), value)).into();
    PropertyBag::builder().additional_properties(map).build()
}

fn fingerprints(fingerprint: &str) -> BTreeMap<String, String> {
    [
        ("primaryLocationLineHash".to_owned(), format!("{fingerprint}:1")),
        ("scant/v1".to_owned(), fingerprint.to_owned()),
    ]
    .into()
}

fn level(level: Level) -> ResultLevel {
    match level {
        Level::Deny => ResultLevel::Error,
        Level::Warn => ResultLevel::Warning,
        Level::Allow => ResultLevel::None,
    }
}

fn suppression(waiver: &Waiver) -> Suppression {
    let mut why = waiver.reason.clone();
    if let Some(owner) = &waiver.owner {
        let _ = write!(why, "; owner {owner}");
    }
    if let Some(day) = &waiver.expires {
        let _ = write!(why, "; expires {day}");
    }
    Suppression::builder()
        .kind(json!("external"))
        .status(json!("accepted"))
        .justification(why)
        .build()
}

/// A message in which nothing reads as an embedded link (SARIF 2.1.0, 3.11.6): a file may be named like one.
pub(super) fn message(text: &str) -> Message {
    let text = text.replace("](", "\\](");
    Message::builder().text(text).build()
}

/// The first five, then how many more.
fn listed(mut names: impl ExactSizeIterator<Item = String>) -> String {
    let first: Vec<String> = names.by_ref().take(LISTED).collect();
    match names.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(chars)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_a_link() {
        let text = message("a [click](http://evil) b").text.unwrap();
        assert_eq!(text, "a [click\\](http://evil) b");
    }

    #[test]
    fn long_lists_are_counted() {
        let names = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>().into_iter();
        assert_eq!(listed(names(5)), "0, 1, 2, 3, 4");
        assert_eq!(listed(names(7)), "0, 1, 2, 3, 4 and 2 more");
    }
}
