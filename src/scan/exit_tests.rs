//! From findings, gaps and failures to "compliant" and the exit code.

use super::{limit_tests::report, *};
use crate::{
    policy::{Level, Waiver},
    report::Verdict,
    source::samples::{Made, Sample},
};

fn judged(image: ImageReport) -> Box<Verdict> {
    match image.outcome {
        Outcome::Judged(verdict) => verdict,
        other => panic!("{other:?}"),
    }
}

/// The verdict on one image by a changed policy, and the exit code.
fn verdict(
    made: Made,
    lower: impl Fn(&mut source::Options),
    change: impl Fn(&mut Policy),
) -> (Box<Verdict>, u8) {
    let mut report = report(&[Sample::docker(&[made]).to_tar()], lower, change);
    (judged(report.images.remove(0)), report.exit_code)
}

fn all(level: Level) -> impl Fn(&mut Policy) {
    move |policy| policy.levels.values_mut().for_each(|own| *own = level)
}

/// An image with a finding of `unknown-user`, and others.
fn ghost() -> Made {
    Made::new("one:1", "ghost", &["a"])
}

fn rules(verdict: &Verdict) -> Vec<&str> {
    verdict.findings.iter().map(|one| one.finding.rule.id).collect()
}

#[test]
fn what_is_denied_or_below_the_mark_is_not_compliant() {
    let code = |change: &dyn Fn(&mut Policy)| {
        let (verdict, code) = verdict(ghost(), |_| {}, change);
        assert!(verdict.score.is_some());
        (verdict.compliant, code)
    };
    assert_eq!(code(&all(Level::Allow)), (Some(true), 0));
    assert_eq!(code(&all(Level::Deny)), (Some(false), 1));
    // Whatever its score is.
    let denied = |policy: &mut Policy| {
        all(Level::Deny)(policy);
        policy.pass_mark = 0.0;
    };
    assert_eq!(code(&denied), (Some(false), 1));
    let marked = |mark: f64| {
        move |policy: &mut Policy| {
            all(Level::Allow)(policy);
            policy.pass_mark = mark;
        }
    };
    assert_eq!(code(&marked(0.0)), (Some(true), 0));
    assert_eq!(code(&marked(101.0)), (Some(false), 1));
    // What is waived denies nothing, as long as its day is not over.
    let waived = |day: i8| {
        move |policy: &mut Policy| {
            all(Level::Deny)(policy);
            let waiver = |rule| Waiver {
                rule,
                paths: Vec::new(),
                identity: None,
                images: Vec::new(),
                reason: "known".to_owned(),
                owner: None,
                expires: Some(jiff::civil::date(2026, 11, day)),
            };
            policy.waivers = crate::finding::RULES.iter().map(waiver).collect();
        }
    };
    assert_eq!(code(&waived(21)), (Some(true), 0));
    assert_eq!(code(&waived(20)), (Some(false), 1));
}

#[test]
fn a_gap_counts_if_what_it_could_hide_is_denied() {
    let made = || Made::new("one:1", "1:1", &["etc/ld.so.preload"]);
    let cut = |opening: &mut source::Options| opening.limits.kept_file = 3;
    let (allowed, code) = verdict(made(), cut, all(Level::Allow));
    assert_eq!(allowed.gaps.len(), 1, "{:?}", allowed.gaps);
    assert_eq!((allowed.compliant, code), (Some(true), 0));
    assert!(allowed.score.is_some());
    let hidden = allowed.gaps[0].could_hide[0].id;
    for (level, incomplete) in [(Level::Deny, true), (Level::Warn, false)] {
        let (verdict, code) = verdict(made(), cut, |policy| {
            all(Level::Allow)(policy);
            policy.levels.insert(hidden, level);
        });
        assert_eq!(verdict.compliant.is_none(), incomplete, "{hidden}");
        assert_eq!(verdict.score.is_none(), incomplete);
        assert_eq!(code == 3, incomplete);
    }
    // With findings that are denied it stays incomplete: the cause comes first.
    let lower = |opening: &mut source::Options| opening.limits.layer = 512;
    let (verdict, code) = verdict(ghost(), lower, all(Level::Deny));
    assert_eq!((verdict.compliant, code), (None, 3));
    assert!(!verdict.findings.is_empty() && verdict.score.is_none());
}

#[test]
fn what_is_not_there_may_be_in_what_was_not_read() {
    let (whole, _) = verdict(ghost(), |_| {}, |_| {});
    assert!(rules(&whole).contains(&"unknown-user"), "{:?}", rules(&whole));
    let lower = |opening: &mut source::Options| opening.limits.layer = 512;
    let (cut, _) = verdict(ghost(), lower, |_| {});
    assert!(!rules(&cut).contains(&"unknown-user"), "{:?}", rules(&cut));
    assert!(cut.gaps[0].why.contains("limit 512") && cut.gaps[0].place == "layer 0");
}

#[test]
fn accounts_that_cannot_be_read_are_a_gap() {
    let mut made = ghost();
    let mut sample = Sample::default();
    sample.link("etc/passwd", "/proc/self/cwd/accounts");
    made.layers.push(sample.to_tar());
    let (verdict, code) = verdict(made, |_| {}, |_| {});
    assert_eq!((verdict.compliant, code), (None, 3));
    let gap = verdict
        .gaps
        .iter()
        .find(|gap| gap.why.contains("/etc/passwd leads to"));
    let hidden: Vec<&str> = gap.unwrap().could_hide.iter().map(|rule| rule.id).collect();
    assert!(
        hidden.contains(&"empty-password") && !hidden.contains(&"shell"),
        "{hidden:?}"
    );
}

#[test]
fn the_highest_code_counts_and_nothing_judged_is_no_success() {
    let (compliant, _) = verdict(ghost(), |_| {}, all(Level::Allow));
    let (denied, _) = verdict(ghost(), |_| {}, all(Level::Deny));
    let mut cut = compliant.clone();
    cut.compliant = None;
    let image = |target: &str, outcome: Outcome| ImageReport {
        target: target.to_owned(),
        outcome,
    };
    let good = |target: &str| image(target, Outcome::Judged(compliant.clone()));
    let bad = |target: &str| image(target, Outcome::Judged(denied.clone()));
    let open = |target: &str| image(target, Outcome::Judged(cut.clone()));
    let failed = |target: &str, code: Code| image(target, Outcome::Failed(Failure::new(code, "")));
    let chart = |target: &str| image(target, Outcome::NotApplicable(Failure::new(Code::NotAnImage, "")));
    for (images, code) in [
        (vec![], 3),
        (vec![good("a")], 0),
        (vec![bad("a"), good("b")], 1),
        (vec![open("a")], 3),
        (vec![open("a"), bad("b")], 3),
        // An index may hold both.
        (vec![chart("a"), good("a")], 0),
        (vec![chart("a"), bad("a")], 1),
        (vec![chart("a"), good("b")], 3),
        (vec![chart("a"), failed("a", Code::Corrupt)], 3),
        (vec![failed("a", Code::Unavailable), bad("b")], 4),
        (vec![failed("a", Code::Interrupted)], 4),
    ] {
        assert_eq!(exit_code(&images), code, "{images:?}");
    }
    for code in Code::ALL {
        let passing = matches!(code, Code::Unavailable | Code::Interrupted);
        assert_eq!(
            exit_code(&[failed("a", code)]),
            if passing { 4 } else { 3 },
            "{code:?}"
        );
    }
}
