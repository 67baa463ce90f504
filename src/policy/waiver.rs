//! A waiver accepts a finding: by whom, why, where and until when.

use globset::{Glob, GlobSetBuilder};
use jiff::civil::Date;
use serde::Deserialize;

use super::{
    Waiver,
    load::{PolicyError, known_keys, rule, syntax},
};
use crate::finding::Finding;

/// A waiver as written in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WaiverText {
    rule: String,
    #[serde(default)]
    paths: Vec<String>,
    identity: Option<String>,
    #[serde(default)]
    images: Vec<String>,
    reason: Option<String>,
    owner: Option<String>,
    expires: Option<String>,
}

const KEYS: &[&str] = &[
    "rule", "paths", "identity", "images", "reason", "owner", "expires",
];

/// Parses a file that holds nothing but `[[waiver]]` tables.
pub(super) fn parse_file(place: &str, text: &str) -> Result<Vec<Waiver>, PolicyError> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        waiver: Vec<WaiverText>,
    }
    let table: toml::Table = toml::from_str(text).map_err(|error| syntax(place, &error))?;
    known_keys(place, &table, &["waiver"])?;
    for waiver in table
        .get("waiver")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
    {
        if let Some(waiver) = waiver.as_table() {
            known_keys(place, waiver, KEYS)?;
        }
    }
    let file: File = table.try_into().map_err(|error| syntax(place, &error))?;
    file.waiver.iter().map(|raw| parse(place, raw)).collect()
}

/// Refuses keys that no waiver has, in every `[[waiver]]` of a file.
pub(super) fn known_waiver_keys(place: &str, file: &toml::Table) -> Result<(), PolicyError> {
    let waivers = file
        .get("waiver")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten();
    waivers
        .filter_map(toml::Value::as_table)
        .try_for_each(|waiver| known_keys(place, waiver, KEYS))
}

/// Checks one waiver.
pub(super) fn parse(place: &str, raw: &WaiverText) -> Result<Waiver, PolicyError> {
    let fault = |what: &str| PolicyError(format!("{place}: waiver for `{}`: {what}", raw.rule));
    let rule = rule(place, &raw.rule)?;
    let reason = raw
        .reason
        .as_deref()
        .map(str::trim)
        .filter(|reason| !reason.is_empty());
    let reason = reason.ok_or_else(|| fault("say why with `reason = \"…\"`"))?;
    let expires = match raw.expires.as_deref() {
        None => {
            return Err(fault(
                "say until when with `expires = \"2027-01-31\"`, or `expires = \"never\"`",
            ));
        }
        Some("never") => None,
        Some(day) => Some(day.parse::<Date>().map_err(|_| {
            fault(&format!(
                "`{day}` is not a day; write `expires = \"2027-01-31\"`, or `\"never\"`"
            ))
        })?),
    };
    for glob in raw.paths.iter().chain(&raw.images) {
        Glob::new(glob).map_err(|error| fault(&format!("glob `{glob}`: {}", error.kind())))?;
    }
    Ok(Waiver {
        rule,
        paths: raw.paths.clone(),
        identity: raw.identity.clone(),
        images: raw.images.clone(),
        reason: reason.to_owned(),
        owner: raw.owner.clone(),
        expires,
    })
}

impl Waiver {
    /// Whether it is about this finding of an image with these names, whatever the day.
    pub fn matches(&self, finding: &Finding, image_names: &[&str]) -> bool {
        let path = finding.path.as_ref().map(crate::path::RootPath::to_lossy);
        let subjects: Vec<&str> = path
            .as_deref()
            .into_iter()
            .chain(finding.subject.as_deref())
            .collect();
        std::ptr::eq(self.rule, finding.rule)
            && self.identity.as_deref().is_none_or(|wanted| {
                finding
                    .identity
                    .as_ref()
                    .is_some_and(|is| is.name == wanted || is.family == wanted)
            })
            && any_matches(&self.paths, &subjects)
            && any_matches(&self.images, image_names)
    }

    /// Whether it still holds on `today`; its last day counts.
    pub fn holds_on(&self, today: Date) -> bool {
        self.expires.is_none_or(|last| today <= last)
    }

    /// The parts that can change a verdict, for a digest.
    pub(super) fn canonical(&self) -> String {
        format!(
            "{:?}",
            (
                self.rule.id,
                &self.paths,
                &self.identity,
                &self.images,
                self.expires
            )
        )
    }
}

/// Whether one of `texts` matches one of `globs`; no globs match all.
fn any_matches(globs: &[String], texts: &[&str]) -> bool {
    if globs.is_empty() {
        return true;
    }
    let mut set = GlobSetBuilder::new();
    for glob in globs.iter().filter_map(|glob| Glob::new(glob).ok()) {
        set.add(glob);
    }
    set.build()
        .is_ok_and(|set| texts.iter().any(|text| set.is_match(text)))
}
