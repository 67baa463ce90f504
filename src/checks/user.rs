//! The user is who the container runs as: what the rules about users share.

use crate::{
    finding::{Finding, Rule},
    layer::Want,
    rootfs::user::{self, Runtime, UserResolution, Verdict},
};

use super::{Subject, start::Who};

/// What must be kept to tell users: a link of any name may lead to the account files.
pub(super) const WANTS: &[Want] = &[
    Want::Path("/etc/passwd"),
    Want::Path("/etc/group"),
    Want::Accounts,
];

/// What must be kept to tell who could log in.
pub(super) const PASSWORDS: &[Want] = &[
    Want::Path("/etc/passwd"),
    Want::Path("/etc/shadow"),
    Want::Accounts,
];

/// Bytes of a message behind which no further line of the same account is told.
const LONGEST: usize = 600;

/// Runtimes that there are models for.
const MODELS: usize = 3;

/// Who the container runs as, in every model; `None` without a configuration.
pub(super) fn resolution(subject: &Subject<'_>) -> Option<UserResolution> {
    Some(user::resolve(&subject.config?.user, subject.rootfs))
}

/// Who starts the program, where that can be told.
pub(super) fn runs_as(subject: &Subject<'_>) -> Option<Who> {
    let resolution = resolution(subject)?;
    let ids = resolution.ids()?;
    let groups = std::iter::once(ids.gid).chain(ids.groups.iter().copied());
    Some(Who {
        uid: ids.uid.into(),
        groups: groups.map(u64::from).collect(),
    })
}

/// A finding about `User`, which holds for the verdict's runtimes for its reason.
pub(super) fn finding(rule: &str, fact: &str, verdict: &Verdict, fix: String) -> Vec<Finding> {
    let Some(rule) = Rule::get(rule) else {
        return Vec::new();
    };
    let doubt = if verdict.unsure { " (not certain)" } else { "" };
    let message = format!("{fact} {}{doubt}: {}", with(&verdict.runtimes), verdict.why);
    let mut finding = Finding::new(rule, message, fix);
    finding.subject = Some("User".to_owned());
    vec![finding]
}

/// `with every runtime`, `with Docker and containerd`.
fn with(runtimes: &[Runtime]) -> String {
    let names: Vec<String> = runtimes.iter().map(Runtime::to_string).collect();
    match names.split_last() {
        Some((_, rest)) if rest.len() + 1 >= MODELS => "with every runtime".to_owned(),
        Some((last, [])) => format!("with {last}"),
        Some((last, rest)) => format!("with {} and {last}", rest.join(", ")),
        None => "with some runtime".to_owned(),
    }
}

/// The layer that wrote a file of accounts.
pub(super) fn layer_of(file: &str, subject: &Subject<'_>) -> Option<usize> {
    let node = subject.rootfs.resolve(&file.into()).ok()?;
    Some(node.layer)
}

/// One finding for each account: further lines of the same name are named in the first, since a fingerprint holds the name.
pub(super) fn one_per_account(found: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::new();
    for finding in found {
        match kept.iter_mut().find(|known| known.subject == finding.subject) {
            Some(known) if known.message.len() < LONGEST => {
                known.severity = known.severity.max(finding.severity);
                known.message.push_str("; ");
                known.message.push_str(&lower_first(&finding.message));
            }
            Some(_) => {}
            None => kept.push(finding),
        }
    }
    kept
}

/// The sentence as it goes on behind another.
fn lower_first(sentence: &str) -> String {
    let mut chars = sentence.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}
