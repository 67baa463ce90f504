//! Joining makes few results of many findings: GitHub keeps no more than 5,000 of a run, and not always the worst.

use std::collections::BTreeMap;

use crate::{
    finding::{self, Rule, Severity},
    path::RootPath,
    report::{ReportedFinding, Verdict},
};

/// Results that GitHub keeps of one run.
pub(super) const MAX_RESULTS: usize = 5_000;

/// What becomes one result.
pub(super) enum Row<'a> {
    /// A finding.
    One(&'a ReportedFinding),
    /// All findings of one rule in one directory, or in the whole image.
    Joined {
        /// The directory; `None` for the whole image.
        directory: Option<RootPath>,
        /// The findings, in the report's order.
        findings: Vec<&'a ReportedFinding>,
    },
}

/// How far joining has to go, the mildest first.
const STEPS: [(Severity, bool); 9] = [
    (Severity::Info, false),
    (Severity::Low, false),
    (Severity::Medium, false),
    (Severity::High, false),
    (Severity::Critical, false),
    (Severity::Low, true),
    (Severity::Medium, true),
    (Severity::High, true),
    (Severity::Critical, true),
];

/// At most [`MAX_RESULTS`] rows, worst first; what is joined stands behind what is not.
pub(super) fn rows<'a>(findings: &[&'a ReportedFinding]) -> Vec<Row<'a>> {
    if findings.len() > MAX_RESULTS {
        for (severity, whole_image) in STEPS {
            let rows = joined(findings, severity, whole_image);
            if rows.len() <= MAX_RESULTS {
                return rows;
            }
        }
    }
    findings.iter().map(|finding| Row::One(finding)).collect()
}

/// Joins findings up to `severity` by rule and directory, or by rule alone.
fn joined<'a>(findings: &[&'a ReportedFinding], severity: Severity, whole_image: bool) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    // What counts and what is waived or allowed never become one result.
    let mut groups: BTreeMap<(usize, Option<RootPath>, &str), Vec<&'a ReportedFinding>> = BTreeMap::new();
    let order = |rule: &Rule| {
        finding::RULES
            .iter()
            .position(|one| one.id == rule.id)
            .unwrap_or_default()
    };
    for &one in findings {
        let path = one.finding.path.as_ref();
        if one.finding.severity > severity {
            rows.push(Row::One(one));
        } else {
            let directory = if whole_image {
                None
            } else {
                path.and_then(RootPath::parent)
            };
            groups
                .entry((order(one.finding.rule), directory, standing(one)))
                .or_default()
                .push(one);
        }
    }
    for ((_, directory, _), findings) in groups {
        rows.push(match findings[..] {
            [one] => Row::One(one),
            _ => Row::Joined { directory, findings },
        });
    }
    rows
}

/// The fingerprint of joined findings: that of all children of the directory, whatever their number.
pub(super) fn fingerprint(
    verdict: &Verdict,
    first: &ReportedFinding,
    directory: Option<&RootPath>,
) -> String {
    let platform = verdict.image.platform.as_ref().map(ToString::to_string);
    let children = directory.cloned().unwrap_or_default().join(b"*");
    finding::fingerprint(
        first.finding.rule.id,
        &verdict.image.name,
        &platform.unwrap_or_default(),
        Some(&children),
        Some(standing(first)),
    )
}

/// Whether a finding counts, as the subject of a joined fingerprint.
fn standing(finding: &ReportedFinding) -> &'static str {
    match (&finding.waiver, finding.active()) {
        (_, true) => "joined",
        (Some(_), _) => "joined, waived",
        (None, false) => "joined, allowed",
    }
}
