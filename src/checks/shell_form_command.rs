//! A shell-form command is started through a shell, which then is needed and stands between the runtime and the program.

use crate::finding::{Finding, Rule};

use super::{Check, Subject, command_line};

const RULE: &str = "shell-form-command";

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
    let is_shell = |words: &[String]| {
        let words: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
        command_line::shell_command(&words).is_some()
    };
    let no_entrypoint = command_line::words(config).len() == config.cmd.len();
    let mut found = Vec::new();
    let mut add = |subject: &str, message: String| {
        let mut finding = Finding::new(
            rule,
            message,
            format!(
                "Write the exec form, a JSON array such as `{} [\"/app/server\"]`, which needs no shell",
                subject.to_ascii_uppercase()
            ),
        );
        finding.subject = Some(subject.to_owned());
        found.push(finding);
    };
    if is_shell(&config.entrypoint) {
        let ignored = if config.cmd.is_empty() {
            ""
        } else {
            ", which also ignores Cmd"
        };
        add(
            "Entrypoint",
            format!("Entrypoint starts the container through a shell with `-c`{ignored}"),
        );
    }
    if is_shell(&config.cmd) {
        add(
            "Cmd",
            if no_entrypoint {
                "Cmd starts the container through a shell with `-c`".to_owned()
            } else {
                "Cmd is in shell form, so that the entry point gets a shell with `-c` as its arguments"
                    .to_owned()
            },
        );
    }
    found
}
