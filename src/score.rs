//! The score is arithmetic over judged findings: points lost, grade, and what each removal is worth.

use crate::{
    finding::{RULES, Rule},
    policy::{Grade, Judged, Level, Rubric},
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
pub fn score(findings: &[Judged], rubric: &Rubric) -> Score {
    let costs = costs(findings, rubric);
    let all = total(findings, &costs, None);
    let (grade, caps) = grade(findings, rubric, all, None);
    let mut worth: Vec<Worth> = RULES
        .iter()
        .filter(|rule| findings.iter().any(|judged| active(judged) && is(judged, rule)))
        .map(|rule| {
            let points = total(findings, &costs, Some(rule));
            Worth {
                rule,
                points: round(points - all),
                grade: self::grade(findings, rubric, points, Some(rule)).0,
            }
        })
        .collect();
    // A better grade first, then more points; the sort is stable, so ties keep the order of the rules.
    worth.sort_by(|a, b| b.grade.cmp(&a.grade).then(b.points.total_cmp(&a.points)));
    Score {
        points: all,
        grade,
        caps,
        costs,
        worth,
    }
}

/// Whether a finding counts at all.
fn active(judged: &Judged) -> bool {
    judged.waiver.is_none() && judged.level != Level::Allow
}

fn is(judged: &Judged, rule: &Rule) -> bool {
    std::ptr::eq(judged.finding.rule, rule)
}

/// What each finding costs: within a rule the dearest one `first`, the others `next`, together at most `most`.
fn costs(findings: &[Judged], rubric: &Rubric) -> Vec<f64> {
    let mut costs = vec![0.0; findings.len()];
    for rule in RULES {
        let Some(weight) = rubric.weights.get(rule.id) else {
            continue;
        };
        let mut of_rule: Vec<(usize, f64)> = findings
            .iter()
            .enumerate()
            .filter(|(_, judged)| active(judged) && is(judged, rule))
            .map(|(index, judged)| (index, share(judged)))
            .collect();
        of_rule.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut left = weight.most;
        for (nth, (index, share)) in of_rule.into_iter().enumerate() {
            let cost = (share * if nth == 0 { weight.first } else { weight.next }).min(left);
            left -= cost;
            costs[index] = round(cost);
        }
    }
    costs
}

/// The part of its rule's weight that a finding costs: half when it only warns, and half for each step that it is less
/// severe than its rule.
fn share(judged: &Judged) -> f64 {
    let steps = (judged.finding.rule.severity as i32 - judged.finding.severity as i32).max(0);
    let warn = if judged.level == Level::Warn { 0.5 } else { 1.0 };
    warn * 0.5f64.powi(steps)
}

fn total(findings: &[Judged], costs: &[f64], without: Option<&Rule>) -> f64 {
    let lost: f64 = findings
        .iter()
        .zip(costs)
        .filter(|(judged, _)| without.is_none_or(|rule| !is(judged, rule)))
        .map(|(_, cost)| cost)
        .sum();
    round((100.0 - lost).max(0.0))
}

fn grade(
    findings: &[Judged],
    rubric: &Rubric,
    points: f64,
    without: Option<&Rule>,
) -> (Grade, Vec<AppliedCap>) {
    let by_points = rubric
        .grades
        .iter()
        .find(|(_, lowest)| points >= *lowest)
        .map_or(Grade::F, |(grade, _)| *grade);
    let caps: Vec<AppliedCap> = rubric
        .caps
        .iter()
        .filter(|cap| cap.grade < by_points && without.is_none_or(|rule| !std::ptr::eq(rule, cap.rule)))
        .filter(|cap| findings.iter().any(|judged| binds(judged, cap.rule)))
        .map(|cap| AppliedCap {
            grade: cap.grade,
            rule: cap.rule,
            why: cap.why.clone(),
        })
        .collect();
    let grade = caps.iter().map(|cap| cap.grade).fold(by_points, Grade::min);
    (grade, caps)
}

/// A cap binds on what is surely there: a suspicion by name alone, or something tolerated by the policy, does not.
fn binds(judged: &Judged, rule: &Rule) -> bool {
    judged.waiver.is_none() && judged.level == Level::Deny && is(judged, rule)
}

fn round(points: f64) -> f64 {
    (points * 10.0).round() / 10.0
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "points are sums of short decimals, rounded")]
mod tests {
    use super::*;
    use crate::{
        finding::{Finding, Severity},
        policy,
    };

    fn judged(rule: &str, level: Level) -> Judged {
        Judged {
            finding: Finding::new(Rule::get(rule).unwrap(), "m", "f"),
            level,
            waiver: None,
        }
    }

    fn of(findings: &[Judged]) -> Score {
        score(
            findings,
            &policy::load("distroless", &[], &|_| unreachable!())
                .unwrap()
                .rubric,
        )
    }

    #[test]
    fn nothing_found_is_a_plus() {
        let score = of(&[]);
        assert_eq!((score.points, score.grade), (100.0, Grade::APlus));
        assert!(score.caps.is_empty() && score.worth.is_empty());
    }

    #[test]
    fn every_lost_point_is_named() {
        let findings: Vec<Judged> = ["shell", "shell", "root-user", "os-utility"]
            .map(|rule| judged(rule, Level::Deny))
            .into_iter()
            .chain((0..60).map(|_| judged("network-tool", Level::Deny)))
            .collect();
        let score = of(&findings);
        assert_eq!(round(100.0 - score.costs.iter().sum::<f64>()), score.points);
        assert_eq!(&score.costs[..2], &[40.0, 5.0]);
    }

    #[test]
    fn warnings_and_lesser_evidence_cost_half() {
        assert_eq!(of(&[judged("interpreter", Level::Warn)]).points, 95.0);
        let mut lesser = judged("shell", Level::Deny);
        lesser.finding.severity = Severity::High;
        assert_eq!(of(&[lesser]).points, 80.0);
    }

    #[test]
    fn caps_hold_whatever_the_points_and_worth_lifts_them() {
        let score = of(&[judged("root-user", Level::Deny)]);
        assert_eq!(score.grade, Grade::B);
        let score = of(&[judged("shell", Level::Deny), judged("root-group", Level::Warn)]);
        assert_eq!(score.grade, Grade::D);
        assert_eq!(score.worth[0].rule.id, "shell");
        assert_eq!((score.worth[0].points, score.worth[0].grade), (40.0, Grade::A));
    }

    #[test]
    fn waived_and_allowed_findings_cost_nothing() {
        let mut waived = judged("shell", Level::Deny);
        waived.waiver = Some(0);
        assert_eq!(of(&[waived, judged("shell", Level::Allow)]).grade, Grade::APlus);
    }
}
