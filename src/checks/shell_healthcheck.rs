//! A shell health check is one that runs through a shell, so that the image needs one or the check always fails.

use crate::{
    finding::{Finding, Rule},
    text::escape,
};

use super::{Check, Subject, command_line, start};

const RULE: &str = "shell-healthcheck";

/// What Docker puts before the text of a `CMD-SHELL`, if `SHELL` does not say otherwise.
const SHELL: &str = "/bin/sh";

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
    let Some((form, words)) = config.healthcheck.split_first() else {
        return Vec::new();
    };
    let bytes: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
    let (program, shell) = match form.as_str() {
        "CMD-SHELL" => (Some(SHELL), true),
        "CMD" => (
            words.first().map(String::as_str),
            command_line::shell_command(&bytes).is_some(),
        ),
        _ => return Vec::new(),
    };
    let Some(program) = program.filter(|program| !program.is_empty()) else {
        return Vec::new();
    };
    let obstacle = start::obstacle_of(subject, program.as_bytes());
    let mut message = match (shell, &obstacle) {
        (false, None) => return Vec::new(),
        (false, Some(_)) => format!(
            "The health check starts {}, which cannot start",
            escape(program.as_bytes())
        ),
        (true, _) => format!(
            "The health check runs through the shell {}",
            escape(program.as_bytes())
        ),
    };
    if let Some(obstacle) = obstacle {
        message.push_str(": it always fails, since ");
        message.push_str(&obstacle.why);
    }
    let mut finding = Finding::new(
        rule,
        message,
        "Let the application check itself: `HEALTHCHECK CMD [\"/app/server\", \"--check\"]`, or leave it to the orchestrator's probes",
    );
    finding.subject = Some("Healthcheck".to_owned());
    vec![finding]
}
