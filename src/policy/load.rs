//! Loading turns a profile's text, and those it extends, into a [`Policy`] in which nothing can be wrong any more.

use std::{collections::BTreeMap, path::Path};

use aws_lc_rs::digest;
use serde::Deserialize;

use super::{
    Grade, GradeCap, Level, Policy, Rubric, Waiver, Weight,
    waiver::{self, WaiverText},
};
use crate::{
    finding::{Qualifier, RULES, Rule},
    image::{Algorithm, Digest},
    text,
};

/// The profiles that scant carries, by name.
pub const PROFILES: &[(&str, &str)] = &[
    (
        "distroless",
        include_str!("../../policies/profiles/distroless.toml"),
    ),
    ("runtime", include_str!("../../policies/profiles/runtime.toml")),
    ("strict", include_str!("../../policies/profiles/strict.toml")),
    ("minimal", include_str!("../../policies/profiles/minimal.toml")),
];

const RUBRIC: &str = include_str!("../../policies/rubric.toml");

/// Profiles that extend each other deeper than this are a loop.
const DEPTH: usize = 8;

/// What is wrong with a policy: where, what, and the nearest right word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(pub String);

/// Gives the text of a policy file that a user named.
pub type Files<'a> = &'a dyn Fn(&str) -> Result<String, String>;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ProfileText {
    description: Option<String>,
    extends: Option<String>,
    pass_mark: Option<f64>,
    #[serde(default)]
    levels: BTreeMap<String, String>,
    #[serde(default)]
    at_most: BTreeMap<String, String>,
    #[serde(default)]
    weights: BTreeMap<String, (f64, f64, f64)>,
    #[serde(default)]
    waiver: Vec<WaiverText>,
}

const PROFILE_KEYS: &[&str] = &[
    "description",
    "extends",
    "pass-mark",
    "levels",
    "at-most",
    "weights",
    "waiver",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RubricText {
    version: u32,
    grades: BTreeMap<String, f64>,
    weights: BTreeMap<String, (f64, f64, f64)>,
    cap: Vec<CapText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CapText {
    rule: String,
    grade: String,
    why: String,
}

/// Loads the policy called `spec`: the name of a profile that scant carries, or else a file, which `files` reads.
/// `waivers` are texts of further waiver files, each with the name to show in errors.
///
/// # Errors
/// Unknown keys, rules, levels or profiles, with the nearest right name; numbers out of range; waivers without reason or
/// expiry, with a bad date or glob; profiles that extend each other in a loop.
pub fn load(spec: &str, waivers: &[(String, String)], files: Files<'_>) -> Result<Policy, PolicyError> {
    let chain = chain(spec, files)?;
    let mut policy = Policy {
        name: profile_name(spec),
        digest: String::new(),
        pass_mark: 0.0,
        levels: BTreeMap::new(),
        at_most: BTreeMap::new(),
        rubric: rubric()?,
        waivers: Vec::new(),
    };
    for (place, text) in chain.iter().rev() {
        apply(&mut policy, place, text)?;
    }
    for (place, text) in waivers {
        policy.waivers.extend(waiver::parse_file(place, text)?);
    }
    if let Some(rule) = RULES.iter().find(|rule| !policy.levels.contains_key(rule.id)) {
        return Err(PolicyError(format!(
            "policy `{spec}`: no level for rule `{}`; extend `distroless`, or list it under [levels]",
            rule.id
        )));
    }
    policy.digest = digest_of(&policy);
    Ok(policy)
}

/// The profile and those it extends, itself first, each with the name to show in errors.
fn chain(spec: &str, files: Files<'_>) -> Result<Vec<(String, ProfileText)>, PolicyError> {
    let mut chain = Vec::new();
    let mut next = Some(spec.to_owned());
    while let Some(spec) = next.take() {
        if chain.len() == DEPTH {
            return Err(PolicyError(format!(
                "policy `{spec}`: profiles extend each other in a loop"
            )));
        }
        let text = match PROFILES.iter().find(|(name, _)| *name == spec) {
            Some((_, text)) => (*text).to_owned(),
            None if is_file(&spec) => {
                files(&spec).map_err(|why| PolicyError(format!("policy file `{spec}`: {why}")))?
            }
            None => return Err(unknown("profile", &spec, PROFILES.iter().map(|(name, _)| *name))),
        };
        let place = format!("policy `{spec}`");
        let table: toml::Table = toml::from_str(&text).map_err(|error| syntax(&place, &error))?;
        known_keys(&place, &table, PROFILE_KEYS)?;
        waiver::known_waiver_keys(&place, &table)?;
        let profile: ProfileText = table.try_into().map_err(|error| syntax(&place, &error))?;
        next = profile.extends.as_deref().map(|name| beside(&spec, name));
        chain.push((place, profile));
    }
    Ok(chain)
}

/// The profile that `spec` extends: a file is meant from where the file `spec` lies.
fn beside(spec: &str, extends: &str) -> String {
    let folder = Path::new(spec).parent().filter(|_| is_file(spec));
    match folder {
        Some(folder) if is_file(extends) => folder.join(extends).to_string_lossy().into_owned(),
        _ => extends.to_owned(),
    }
}

fn apply(policy: &mut Policy, place: &str, profile: &ProfileText) -> Result<(), PolicyError> {
    if let Some(mark) = profile.pass_mark {
        if !(0.0..=100.0).contains(&mark) {
            return Err(PolicyError(format!(
                "{place}: pass-mark {mark} is not between 0 and 100"
            )));
        }
        policy.pass_mark = mark;
    }
    for (id, level) in &profile.levels {
        policy
            .levels
            .insert(rule(place, id)?.id, parse_level(place, level)?);
    }
    for (word, level) in &profile.at_most {
        let qualifier = [
            Qualifier::EntryPointRuntime,
            Qualifier::NameOnly,
            Qualifier::Dormant,
            Qualifier::BesideEntryPoint,
            Qualifier::Likely,
        ];
        let found = qualifier
            .into_iter()
            .find(|q| q.as_str() == word)
            .ok_or_else(|| {
                at(
                    place,
                    &unknown("key under [at-most]", word, qualifier.iter().map(|q| q.as_str())),
                )
            })?;
        policy.at_most.insert(found, parse_level(place, level)?);
    }
    for (id, weight) in &profile.weights {
        policy
            .rubric
            .weights
            .insert(rule(place, id)?.id, parse_weight(place, id, *weight)?);
    }
    for raw in &profile.waiver {
        policy.waivers.push(waiver::parse(place, raw)?);
    }
    Ok(())
}

/// One line about the profile called `name`, if scant carries it.
pub fn description(name: &str) -> Option<String> {
    let (_, text) = PROFILES.iter().find(|(known, _)| *known == name)?;
    toml::from_str::<ProfileText>(text).ok()?.description
}

fn rubric() -> Result<Rubric, PolicyError> {
    let place = "rubric";
    let raw: RubricText = toml::from_str(RUBRIC).map_err(|error| syntax(place, &error))?;
    let mut grades = Vec::new();
    for (word, score) in &raw.grades {
        grades.push((grade(place, word)?, *score));
    }
    grades.sort_by_key(|&(grade, _)| std::cmp::Reverse(grade));
    let mut weights = BTreeMap::new();
    for (id, weight) in &raw.weights {
        weights.insert(rule(place, id)?.id, parse_weight(place, id, *weight)?);
    }
    let caps = raw.cap.into_iter().map(|cap| {
        Ok(GradeCap {
            rule: rule(place, &cap.rule)?,
            grade: grade(place, &cap.grade)?,
            why: cap.why,
        })
    });
    Ok(Rubric {
        version: raw.version,
        grades,
        weights,
        caps: caps.collect::<Result<_, _>>()?,
    })
}

fn profile_name(spec: &str) -> String {
    let file = spec.rsplit('/').next().unwrap_or(spec);
    file.strip_suffix(".toml").unwrap_or(file).to_owned()
}

/// Whether a policy is meant by its file rather than by the name of a profile.
pub fn is_file(spec: &str) -> bool {
    spec.contains('/') || Path::new(spec).extension().is_some_and(|ending| ending == "toml")
}

/// The rule with this id, or an error that names the nearest one.
pub(super) fn rule(place: &str, id: &str) -> Result<&'static Rule, PolicyError> {
    Rule::get(id).ok_or_else(|| at(place, &unknown("rule", id, RULES.iter().map(|rule| rule.id))))
}

fn grade(place: &str, word: &str) -> Result<Grade, PolicyError> {
    Grade::ALL
        .into_iter()
        .find(|grade| grade.as_str() == word)
        .ok_or_else(|| PolicyError(format!("{place}: `{word}` is not a grade")))
}

fn parse_level(place: &str, word: &str) -> Result<Level, PolicyError> {
    let levels = [Level::Allow, Level::Warn, Level::Deny];
    levels
        .into_iter()
        .find(|level| level.as_str() == word)
        .ok_or_else(|| {
            at(
                place,
                &unknown("level", word, levels.iter().map(|level| level.as_str())),
            )
        })
}

fn parse_weight(place: &str, id: &str, (first, next, most): (f64, f64, f64)) -> Result<Weight, PolicyError> {
    if [first, next, most]
        .iter()
        .any(|points| !(0.0..=100.0).contains(points))
    {
        return Err(PolicyError(format!(
            "{place}: weight of `{id}` is not between 0 and 100"
        )));
    }
    Ok(Weight { first, next, most })
}

/// Refuses keys that nobody knows, with the nearest right one.
pub(super) fn known_keys(place: &str, table: &toml::Table, known: &[&str]) -> Result<(), PolicyError> {
    match table.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(at(place, &unknown("key", key, known.iter().copied()))),
        None => Ok(()),
    }
}

pub(super) fn syntax(place: &str, error: &toml::de::Error) -> PolicyError {
    PolicyError(format!("{place}: {}", error.to_string().trim_end()))
}

fn unknown<'a>(what: &str, wrong: &str, known: impl Iterator<Item = &'a str> + Clone) -> PolicyError {
    PolicyError(text::unknown(what, wrong, known))
}

fn at(place: &str, error: &PolicyError) -> PolicyError {
    PolicyError(format!("{place}: {error}"))
}

/// `sha256:…` over everything in a policy that can change a verdict, in a fixed order.
fn digest_of(policy: &Policy) -> String {
    let Policy {
        name: _,
        digest: _,
        pass_mark,
        levels,
        at_most,
        rubric,
        waivers,
    } = policy;
    let waivers: Vec<&Waiver> = waivers.iter().collect();
    let caps: Vec<_> = rubric.caps.iter().map(|cap| (cap.rule.id, cap.grade)).collect();
    let canonical = format!(
        "{pass_mark:?}\n{levels:?}\n{at_most:?}\n{}\n{:?}\n{:?}\n{caps:?}\n{:?}",
        rubric.version,
        rubric.grades,
        rubric.weights,
        waivers
            .iter()
            .map(|waiver| waiver.canonical())
            .collect::<Vec<_>>(),
    );
    let hash = digest::digest(&digest::SHA256, canonical.as_bytes());
    Digest::of_hash(Algorithm::Sha256, hash.as_ref()).to_string()
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "points are sums of short decimals, rounded")]
mod tests {
    use super::*;

    fn from(text: &str) -> Result<Policy, PolicyError> {
        load("mine.toml", &[], &|_| Ok(text.to_owned()))
    }

    #[test]
    fn every_profile_loads_and_names_every_rule() {
        for (name, _) in PROFILES {
            let policy = load(name, &[], &|_| unreachable!()).unwrap();
            assert_eq!(policy.levels.len(), RULES.len(), "{name}");
            assert_eq!(policy.rubric.weights.len(), RULES.len(), "{name}");
            assert!(description(name).is_some());
        }
    }

    #[test]
    fn extending_overrides_and_keeps() {
        let policy = from("extends = 'strict'\npass-mark = 12.5\n[levels]\nshell = 'allow'").unwrap();
        assert_eq!(policy.pass_mark, 12.5);
        assert_eq!(policy.levels["shell"], Level::Allow);
        assert_eq!(policy.levels["residue"], Level::Deny);
        assert_eq!(policy.name, "mine");
    }

    #[test]
    fn wrong_words_are_told_with_the_right_ones() {
        for (text, want) in [
            ("extend = 'strict'", "did you mean `extends`?"),
            ("extends = 'stric'", "did you mean `strict`?"),
            (
                "extends = 'distroless'\n[levels]\nshel = 'deny'",
                "did you mean `shell`?",
            ),
            (
                "extends = 'distroless'\n[levels]\nshell = 'denied'",
                "did you mean `deny`?",
            ),
            (
                "extends = 'distroless'\n[at-most]\nnameonly = 'warn'",
                "did you mean `name-only`?",
            ),
            ("extends = 'distroless'\npass-mark = 101", "not between 0 and 100"),
            (
                "extends = 'distroless'\n[weights]\nshell = [-1, 0, 0]",
                "not between 0 and 100",
            ),
            ("[levels]\nshell = 'deny'", "no level for rule"),
            ("extends = 'mine.toml'", "in a loop"),
        ] {
            let said = from(text).unwrap_err().to_string();
            assert!(said.contains(want), "{text}: {said}");
        }
        assert!(
            load("distrolss", &[], &|_| unreachable!())
                .unwrap_err()
                .0
                .contains("`distroless`")
        );
    }

    #[test]
    fn the_digest_follows_what_can_change_a_verdict() {
        let one = from("extends = 'distroless'").unwrap();
        let same = load("distroless", &[], &|_| unreachable!()).unwrap();
        let other = from("extends = 'distroless'\n[levels]\nresidue = 'deny'").unwrap();
        assert_eq!(one.digest, same.digest);
        assert_ne!(one.digest, other.digest);
    }
}
