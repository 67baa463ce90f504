//! A secret file holds a key, a password or a token: told by its content, and never shown.

use std::fmt::Write as _;

use super::{Check, Subject, access, tools, user};
use crate::{
    catalog::secrets::Secrets,
    finding::{Finding, Qualifier, Rule, Severity},
    layer::{Kind, Secret},
    path::RootPath,
    rootfs::Node,
};

const RULE: &str = "secret-file";
const FIX: &str = "Replace the secret, since it is known, and leave the file out of the build: mount it at build time \
                   (`RUN --mount=type=secret`), or hand it to the container when it starts";
/// Kinds of one file that are named.
const NAMED: usize = 4;
/// Directories in which files of root's secrets usually lie.
const SHADOWS: &[&str] = &["/etc/shadow", "/etc/gshadow", "/etc/shadow-"];

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: user::WANTS,
    run,
};

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(rule) = Rule::get(RULE) else {
        return Vec::new();
    };
    let users = access::users(subject);
    let mut found = Vec::new();
    for node in subject.rootfs.nodes().filter(|node| node.kind == Kind::File) {
        let readable = || {
            users
                .iter()
                .find(|who| access::may_read(who, node, subject.rootfs))
                .map(|who| who.uid)
        };
        let path = tools::first_path(node);
        if let Some((what, likely)) = describe(&path, &node.secrets) {
            found.push(finding(rule, node, &path, &what, likely, readable()));
        } else if node.size > 0
            && SHADOWS
                .iter()
                .any(|shadow| node.paths.contains(&RootPath::from(*shadow)))
            && let Some(uid) = readable()
        {
            let mut readable = finding(rule, node, &path, "", true, None);
            readable.message = format!(
                "{path}, where passwords would stand, can be read by uid {uid}, which the container runs as (mode {:04o})",
                node.mode
            );
            "Give the file to root and take the read bits for others away (`chmod 600`)"
                .clone_into(&mut readable.fix);
            readable.severity = Severity::Low;
            found.push(readable);
        }
    }
    found
}

/// What secrets a file holds, in words, and whether all of them may be something else. `None`: none that count.
pub(super) fn describe(path: &RootPath, secrets: &[Secret]) -> Option<(String, bool)> {
    let known = Secrets::builtin();
    if secrets.is_empty() || known.is_test_data(path.components(), path.name()) {
        return None;
    }
    let mut kinds: Vec<(&str, &str, bool, Vec<u32>)> = Vec::new();
    for secret in secrets {
        let Some(kind) = known.kind(&secret.kind) else {
            continue;
        };
        match kinds.iter_mut().find(|(id, ..)| *id == kind.id) {
            Some((.., lines)) => lines.push(secret.line),
            None => kinds.push((&kind.id, &kind.what, kind.likely, vec![secret.line])),
        }
    }
    let likely = kinds.iter().all(|(.., likely, _)| *likely);
    let told: Vec<String> = kinds
        .iter()
        .take(NAMED)
        .map(|(_, what, _, lines)| match lines.as_slice() {
            [0, ..] | [] => (*what).to_owned(),
            [line] => format!("{what} (line {line})"),
            [line, more @ ..] => format!("{what} (line {line} and {} more)", more.len()),
        })
        .collect();
    let (last, rest) = told.split_last()?;
    let words = if rest.is_empty() {
        last.clone()
    } else {
        format!("{} and {last}", rest.join(", "))
    };
    Some((words, likely))
}

fn finding(
    rule: &'static Rule,
    node: &Node,
    path: &RootPath,
    what: &str,
    likely: bool,
    reader: Option<u64>,
) -> Finding {
    let mut message = format!("{path} holds {what}");
    if let Some(uid) = reader {
        let _ = write!(message, "; uid {uid}, which the container runs as, may read it");
    }
    let mut finding = Finding::new(rule, message, FIX);
    if likely {
        finding.severity = tools::lower(rule.severity, 1);
        finding.qualifier = Some(Qualifier::Likely);
    }
    finding.layer = Some(node.layer);
    finding.bytes = node.size;
    finding.path = Some(path.clone());
    finding
}
