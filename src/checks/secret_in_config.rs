//! A secret in the configuration is a credential among variables, labels, arguments or history, where all can read it.

use super::{Check, Subject, tools};
use crate::{
    catalog::words::{self, Reveal},
    finding::{Finding, Qualifier, Rule},
    text::escape,
};

const RULE: &str = "secret-in-config";
const FIX: &str = "Replace the secret, since it is known; set it when the container starts, or mount it as a file, and give it to \
                   the build with `RUN --mount=type=secret`";
/// Findings that are told; more say nothing new.
const MOST: usize = 100;

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
    let mut found: Vec<(String, Reveal)> = Vec::new();
    let mut add = |place: &str, reveals: Vec<Reveal>| {
        found.extend(reveals.into_iter().map(|reveal| (place.to_owned(), reveal)));
    };
    for line in &config.env {
        match line.split_once('=') {
            Some((name, value)) => add("the environment", words::of_variable(name, value)),
            None => add("the environment", words::of_command(line)),
        }
    }
    for (name, value) in &config.labels {
        add("a label", words::of_variable(name, value));
    }
    for (place, command) in [
        ("the entry point", &config.entrypoint),
        ("the command", &config.cmd),
        ("the health check", &config.healthcheck),
    ] {
        add(place, words::of_command(&command.join(" ")));
    }
    // What an ENV line of the history set is looked at where it is set, unless something else was set later.
    let is_set = |line: &str| {
        line.split_once("ENV ").is_some_and(|(before, rest)| {
            let rest = rest.trim_end_matches("# buildkit").trim();
            (before.is_empty() || before.trim_end().ends_with("#(nop)"))
                && config.env.iter().any(|set| set == rest)
        })
    };
    let lines = config
        .history
        .iter()
        .filter_map(|line| line.created_by.as_deref());
    for line in lines.filter(|line| !is_set(line)) {
        add("the history", words::of_command(line));
    }
    let mut kept: Vec<Finding> = Vec::new();
    for (place, reveal) in found {
        // An ENV stands in the history and in the configuration: once is enough.
        let subject = reveal.name.as_deref().map_or_else(
            || format!("{place}: {}", reveal.what),
            |name| format!("variable {}", escape(name.as_bytes())),
        );
        if kept.len() < MOST && !kept.iter().any(|known| known.subject.as_ref() == Some(&subject)) {
            kept.push(finding(rule, &place, &reveal, subject));
        }
    }
    kept
}

fn finding(rule: &'static Rule, place: &str, reveal: &Reveal, subject: String) -> Finding {
    let what = escape(reveal.what.as_bytes());
    let message = match &reveal.name {
        Some(name) if !reveal.what.contains(name.as_str()) => {
            format!("{} in {place} holds {what}", escape(name.as_bytes()))
        }
        _ => format!("The image reveals {what} in {place}"),
    };
    let mut finding = Finding::new(rule, message, FIX);
    if reveal.likely {
        finding.severity = tools::lower(rule.severity, 1);
        finding.qualifier = Some(Qualifier::Likely);
    }
    finding.subject = Some(subject);
    finding
}
