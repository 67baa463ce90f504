//! A policy is the bar an image is held to: levels, weights, pass mark and accepted findings.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod judge;
mod load;
mod waiver;

use std::collections::BTreeMap;

pub use judge::{Judgement, WaiverUse, judge};
pub use load::{Files, PROFILES, PolicyError, description, is_file, load};

use crate::finding::{Finding, Qualifier, Rule};

/// What a policy says of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Known, and costs nothing.
    Allow,
    /// Shown and weighed; by itself it denies nothing.
    Warn,
    /// Must not be there: the image is not compliant.
    Deny,
}

impl Level {
    /// The word in profiles and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

/// A grade, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Anything below E.
    F,
    /// Far off.
    E,
    /// Carries what defeats the purpose.
    D,
    /// Halfway.
    C,
    /// Good but for one thing.
    B,
    /// Distroless.
    A,
    /// Nothing to say.
    APlus,
}

impl Grade {
    /// Every grade, best first.
    pub const ALL: [Self; 7] = [Self::APlus, Self::A, Self::B, Self::C, Self::D, Self::E, Self::F];

    /// The grade as written: `A+`, `A`, … `F`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F => "F",
            Self::E => "E",
            Self::D => "D",
            Self::C => "C",
            Self::B => "B",
            Self::A => "A",
            Self::APlus => "A+",
        }
    }
}

/// What a rule's findings cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weight {
    /// Points for the first finding of the rule.
    pub first: f64,
    /// Points for each further one.
    pub next: f64,
    /// Most points that the rule can cost in all.
    pub most: f64,
}

/// A rule that holds the grade down whatever the score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GradeCap {
    /// Which rule.
    pub rule: &'static Rule,
    /// The best grade that an image with a finding of it can have.
    pub grade: Grade,
    /// Why, one sentence.
    pub why: String,
}

/// How findings become a score and a grade. Versioned data: `policies/rubric.toml`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rubric {
    /// Version of the data.
    pub version: u32,
    /// Lowest score of each grade, best grade first.
    pub grades: Vec<(Grade, f64)>,
    /// Costs by rule id.
    pub weights: BTreeMap<&'static str, Weight>,
    /// What holds the grade down.
    pub caps: Vec<GradeCap>,
}

/// A policy ready to judge with: nothing in it can be invalid any more.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The profile's name, or the file's stem.
    pub name: String,
    /// `sha256:…` over everything that can change a verdict.
    pub digest: String,
    /// Lowest score that complies.
    pub pass_mark: f64,
    /// Level of each rule, all of them.
    pub levels: BTreeMap<&'static str, Level>,
    /// The highest level that a finding with such a qualifier can have.
    pub at_most: BTreeMap<Qualifier, Level>,
    /// How findings are weighed.
    pub rubric: Rubric,
    /// Accepted findings.
    pub waivers: Vec<Waiver>,
}

/// An accepted finding: who accepts it, why, where and until when.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiver {
    /// Which rule.
    pub rule: &'static Rule,
    /// Globs of paths inside the image; empty for all.
    pub paths: Vec<String>,
    /// A family or name of the catalogue that the program must be.
    pub identity: Option<String>,
    /// Globs of image names; empty for all.
    pub images: Vec<String>,
    /// Why it is accepted.
    pub reason: String,
    /// Who accepts it.
    pub owner: Option<String>,
    /// The last day it holds, as `2027-01-31`; `None` for ever, which must be said.
    pub expires: Option<jiff::civil::Date>,
}

/// A finding with what the policy says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The finding.
    pub finding: Finding,
    /// What the policy says.
    pub level: Level,
    /// The waiver that covers it, by index in [`Policy::waivers`]; it then costs nothing and denies nothing.
    pub waiver: Option<usize>,
}
