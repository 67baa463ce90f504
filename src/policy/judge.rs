//! Judging lays a policy on findings: a level for each, and the waiver that covers it.

use jiff::civil::Date;

use super::{Judged, Level, Policy};
use crate::finding::Finding;

/// What became of one waiver in one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaiverUse {
    /// It is about nothing here.
    Unmatched,
    /// It is about a finding, but its last day is over.
    Expired,
    /// It covers a finding.
    Used,
}

/// Findings judged, in the order they came, and what became of each waiver of the policy.
pub struct Judgement {
    /// The findings.
    pub judged: Vec<Judged>,
    /// By the index of the waiver.
    pub waivers: Vec<WaiverUse>,
}

/// Judges the findings of an image that is known by `image_names`, on the day `today`.
pub fn judge(findings: Vec<Finding>, policy: &Policy, image_names: &[&str], today: Date) -> Judgement {
    let mut waivers = vec![WaiverUse::Unmatched; policy.waivers.len()];
    let judged = findings
        .into_iter()
        .map(|finding| {
            let mut covered = None;
            for (index, waiver) in policy.waivers.iter().enumerate() {
                if !waiver.matches(&finding, image_names) {
                    continue;
                }
                if waiver.holds_on(today) {
                    waivers[index] = WaiverUse::Used;
                    covered = covered.or(Some(index));
                } else {
                    waivers[index] = waivers[index].max(WaiverUse::Expired);
                }
            }
            Judged {
                level: level(&finding, policy),
                finding,
                waiver: covered,
            }
        })
        .collect();
    Judgement { judged, waivers }
}

fn level(finding: &Finding, policy: &Policy) -> Level {
    let level = policy.levels.get(finding.rule.id).copied().unwrap_or(Level::Deny);
    match finding
        .qualifier
        .and_then(|qualifier| policy.at_most.get(&qualifier))
    {
        Some(most) => level.min(*most),
        None => level,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        finding::{Qualifier, Rule},
        path::RootPath,
        policy::load,
    };

    const WAIVERS: &str = r#"
        [[waiver]]
        rule = "shell"
        paths = ["/bin/*"]
        images = ["acme/*"]
        reason = "needed by the start script"
        owner = "platform team"
        expires = "2026-12-31"

        [[waiver]]
        rule = "setuid-file"
        reason = "never seen"
        expires = "never"
    "#;

    fn policy(waivers: &str) -> Policy {
        load(
            "distroless",
            &[("waivers".to_owned(), waivers.to_owned())],
            &|_| unreachable!(),
        )
        .unwrap()
    }

    fn shell(path: &str) -> Finding {
        Finding {
            path: Some(RootPath::from(path)),
            ..Finding::new(Rule::get("shell").unwrap(), "m", "f")
        }
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn a_waiver_covers_until_its_last_day() {
        let policy = policy(WAIVERS);
        let on = |today, name| judge(vec![shell("/bin/sh")], &policy, &[name], day(today));
        let last = on("2026-12-31", "acme/app");
        assert_eq!(last.judged[0].waiver, Some(0));
        assert_eq!(last.judged[0].level, Level::Deny);
        assert_eq!(last.waivers, [WaiverUse::Used, WaiverUse::Unmatched]);
        let late = on("2027-01-01", "acme/app");
        assert_eq!(late.judged[0].waiver, None);
        assert_eq!(late.waivers[0], WaiverUse::Expired);
        assert_eq!(on("2026-01-01", "other/app").waivers[0], WaiverUse::Unmatched);
    }

    #[test]
    fn qualifiers_hold_the_level_down() {
        let mut finding = shell("/bin/sh");
        finding.qualifier = Some(Qualifier::NameOnly);
        let judged = judge(vec![finding], &policy(""), &[], day("2026-01-01")).judged;
        assert_eq!(judged[0].level, Level::Warn);
    }

    #[test]
    fn a_waiver_must_say_why_and_until_when() {
        for (text, want) in [
            ("[[waiver]]\nrule='shell'\nexpires='never'", "say why"),
            ("[[waiver]]\nrule='shell'\nreason=' '\nexpires='never'", "say why"),
            ("[[waiver]]\nrule='shell'\nreason='x'", "say until when"),
            (
                "[[waiver]]\nrule='shell'\nreason='x'\nexpires='31.12.2026'",
                "is not a day",
            ),
            (
                "[[waiver]]\nrule='shell'\nreason='x'\nexpires='2026-02-30'",
                "is not a day",
            ),
            (
                "[[waiver]]\nrule='shel'\nreason='x'\nexpires='never'",
                "did you mean `shell`?",
            ),
            (
                "[[waiver]]\nrule='shell'\nreson='x'\nexpires='never'",
                "did you mean `reason`?",
            ),
            (
                "[[waiver]]\nrule='shell'\npaths=['[']\nreason='x'\nexpires='never'",
                "glob",
            ),
            ("[[waivers]]", "did you mean `waiver`?"),
        ] {
            let said = load(
                "distroless",
                &[("w".to_owned(), text.to_owned())],
                &|_| unreachable!(),
            )
            .unwrap_err()
            .to_string();
            assert!(said.contains(want), "{text}: {said}");
        }
    }
}
