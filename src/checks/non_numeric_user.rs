//! A non-numeric user is a name, which Kubernetes cannot verify under `runAsNonRoot`.

use super::{Check, Subject, user};
use crate::finding::{Finding, Rule};

const RULE: &str = "non-numeric-user";

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: user::WANTS,
    run,
};

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let (Some(rule), Some(user)) = (Rule::get(RULE), user::resolution(subject)) else {
        return Vec::new();
    };
    let Some((numbers, verdict)) = user.non_numeric() else {
        return Vec::new();
    };
    let message = format!(
        "{}, so that Kubernetes refuses the image under runAsNonRoot; in numbers it is {numbers}",
        verdict.why
    );
    let mut finding = Finding::new(rule, message, format!("Write the numbers: `USER {numbers}`"));
    finding.subject = Some("User".to_owned());
    vec![finding]
}
