//! An image without a command names nothing to start: a base for others, or a mistake.

use crate::finding::{Finding, Rule};

use super::{Check, Subject, command_line};

const RULE: &str = "no-command";

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: &[],
    run,
};

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let (Some(rule), Some(config)) = (Rule::get(RULE), subject.config) else {
        return Vec::new();
    };
    if !command_line::words(config).is_empty() {
        return Vec::new();
    }
    let mut finding = Finding::new(
        rule,
        "Neither Entrypoint nor Cmd is set: the image starts nothing by itself, as a base does",
        "Set ENTRYPOINT in exec form, unless others build on this image",
    );
    finding.subject = Some("Entrypoint".to_owned());
    vec![finding]
}
