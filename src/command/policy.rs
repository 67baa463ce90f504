//! `scant policy`: shows what a policy comes to, or checks that it can be used.

use std::{fmt::Write, process::ExitCode};

use super::{Done, Trouble, print};
use crate::{
    cli::PolicyCommand,
    config,
    finding::RULES,
    policy::{self, Policy},
};

/// Carries out `scant policy show` or `scant policy check`.
pub fn run(command: &PolicyCommand) -> Done {
    match command {
        PolicyCommand::Show { policy } => print(&show(&config::policy(policy, &[])?)),
        PolicyCommand::Check { policies } => check(policies),
    }
}

fn check(policies: &[String]) -> Done {
    let mut faults = Vec::new();
    let mut said = String::new();
    for spec in policies {
        match config::policy(spec, &[]) {
            Ok(policy) => {
                let waivers = policy.waivers.len();
                let _ = writeln!(said, "{spec}: good, {waivers} waivers");
            }
            Err(error) => faults.push(error.to_string()),
        }
    }
    print(&said)?;
    if faults.is_empty() {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(Trouble::Usage(faults.join("\nerror: ")))
    }
}

/// The policy as a profile that extends nothing, in TOML.
fn show(policy: &Policy) -> String {
    let mut out = String::new();
    if let Some(description) = policy::description(&policy.name) {
        let _ = writeln!(out, "# {}: {description}", policy.name);
    }
    let _ = writeln!(
        out,
        "# {}\n\npass-mark = {}\n\n[levels]",
        policy.digest, policy.pass_mark
    );
    let width = RULES.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    for rule in RULES {
        if let Some(level) = policy.levels.get(rule.id) {
            let _ = writeln!(out, "{:width$} = \"{}\"", rule.id, level.as_str());
        }
    }
    out.push_str("\n[at-most]\n");
    for (qualifier, level) in &policy.at_most {
        let _ = writeln!(out, "{} = \"{}\"", qualifier.as_str(), level.as_str());
    }
    out.push_str("\n[weights]   # points for the first finding, each further one, and all together\n");
    for rule in RULES {
        if let Some(weight) = policy.rubric.weights.get(rule.id) {
            let _ = writeln!(
                out,
                "{:width$} = [{}, {}, {}]",
                rule.id, weight.first, weight.next, weight.most
            );
        }
    }
    for waiver in &policy.waivers {
        let _ = writeln!(out, "\n[[waiver]]\nrule = {:?}", waiver.rule.id);
        for (key, globs) in [("paths", &waiver.paths), ("images", &waiver.images)] {
            if !globs.is_empty() {
                let _ = writeln!(out, "{key} = {globs:?}");
            }
        }
        for (key, value) in [("identity", &waiver.identity), ("owner", &waiver.owner)] {
            if let Some(value) = value {
                let _ = writeln!(out, "{key} = {value:?}");
            }
        }
        let expires = waiver
            .expires
            .map_or_else(|| "never".to_owned(), |day| day.to_string());
        let _ = writeln!(out, "reason = {:?}\nexpires = {expires:?}", waiver.reason);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_a_policy_again() {
        for (name, _) in policy::PROFILES {
            let before = config::policy(name, &[]).unwrap();
            let after = policy::load("shown.toml", &[], &|_| Ok(show(&before))).unwrap();
            assert_eq!(before.digest, after.digest, "{name}");
        }
    }
}
