//! A missing program is one that the image names as its start and that no runtime could start.

use crate::{
    finding::{Finding, Rule},
    path::RootPath,
};

use super::{Check, Subject, start, tools};

const RULE: &str = "missing-program";

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
    let Some(obstacle) = start::follow(subject).and_then(|start| start.obstacle) else {
        return Vec::new();
    };
    let mut message = format!("The container cannot start: {}", obstacle.why);
    let mut severity = rule.severity;
    let covers = |directory: &str| {
        let directory = RootPath::clean(directory.as_bytes());
        obstacle
            .path
            .as_ref()
            .filter(|path| !directory.is_root() && path.is_below(&directory))
            .map(|_| directory)
    };
    let volume = config.volumes.iter().find_map(|volume| covers(volume));
    if let Some(directory) = volume {
        severity = tools::lower(severity, 1);
        message.push_str(&format!("; unless the volume {directory} brings it"));
    } else if let Some(directory) = covers(&config.working_dir) {
        severity = tools::lower(severity, 1);
        message.push_str(&format!(
            "; unless something is mounted over the working directory {directory}"
        ));
    }
    let mut finding = Finding::new(
        rule,
        message,
        "Copy the program and what it needs to begin into the final stage, under the path that ENTRYPOINT or CMD names",
    );
    finding.severity = severity;
    finding.subject = Some(
        if config.entrypoint.iter().all(String::is_empty) {
            "Cmd"
        } else {
            "Entrypoint"
        }
        .to_owned(),
    );
    vec![finding]
}
