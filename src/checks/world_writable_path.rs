//! A world-writable path can be changed by every user of the container.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    finding::{Finding, Rule, Severity},
    layer::Kind,
    path::RootPath,
    rootfs::Node,
};

use super::{Check, Subject, identify, tools};

const RULE: &str = "world-writable-path";

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: &[],
    run,
};

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(rule) = Rule::get(RULE) else {
        return Vec::new();
    };
    let open: BTreeMap<&RootPath, &Node> = subject
        .rootfs
        .nodes()
        .filter(|node| is_open(node))
        .filter_map(|node| Some((node.paths.first()?, node)))
        .collect();
    let closed: BTreeSet<&RootPath> = subject
        .rootfs
        .nodes()
        .filter(|node| node.kind == Kind::Directory && !node.implied && node.mode & 0o001 == 0)
        .flat_map(|node| &node.paths)
        .collect();
    // What lies below an open directory goes with it: one finding for a tree that was copied with mode 0777.
    let mut below: BTreeMap<&RootPath, u64> = BTreeMap::new();
    let mut tops: BTreeMap<&RootPath, &RootPath> = BTreeMap::new();
    // In the order of paths a directory comes before what is in it.
    for &path in open.keys() {
        let top = path
            .parent()
            .and_then(|above| tops.get(&above).copied())
            .unwrap_or(path);
        tops.insert(path, top);
        let count = below.entry(top).or_default();
        *count = count.saturating_add(1);
    }
    below
        .iter()
        .filter_map(|(path, count)| {
            let node = open.get(path)?;
            Some(finding(
                rule,
                path,
                node,
                count.saturating_sub(1),
                &closed,
                subject,
            ))
        })
        .collect()
}

/// The write bit for others counts on files, and on directories unless the sticky bit protects their entries. A link's
/// mode means nothing.
fn is_open(node: &Node) -> bool {
    match node.kind {
        Kind::File => node.mode & 0o002 != 0,
        Kind::Directory => !node.implied && node.mode & 0o1002 == 0o002,
        _ => false,
    }
}

fn finding(
    rule: &'static Rule,
    path: &RootPath,
    node: &Node,
    below: u64,
    closed: &BTreeSet<&RootPath>,
    subject: &Subject<'_>,
) -> Finding {
    let what = if node.kind == Kind::Directory {
        "directory"
    } else {
        "file"
    };
    let rest = match below {
        0 => String::new(),
        1 => ", and so is one path below it".to_owned(),
        more => format!(", and so are {more} paths below it"),
    };
    let mut remarks = vec![format!(
        "{path} is a {what} that every user may change (mode {:04o}){rest}",
        node.mode
    )];
    let mut severity = rule.severity;
    if node.program.as_ref().is_some_and(|program| program.is_program()) {
        severity = Severity::High;
        remarks.push("it is a program, so that whoever changes it acts for whoever runs it".to_owned());
    }
    let shut = std::iter::successors(path.parent(), RootPath::parent).find(|above| closed.contains(above));
    if let Some(above) = shut {
        severity = tools::lower(severity, 1);
        remarks.push(format!("others cannot enter {above} above it"));
    }
    let mut finding = Finding::new(
        rule,
        remarks.join("; "),
        "Take the write bit for others away (`chmod o-w`) in the instruction that brings it, or give the path to the \
         user that needs it (`COPY --chown`)",
    );
    finding.severity = severity;
    finding.aliases = identify::aliases(node, subject);
    finding.layer = Some(node.layer);
    finding.path = Some(path.clone());
    finding
}
