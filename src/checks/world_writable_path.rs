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
    let mut below: BTreeMap<&RootPath, (u64, bool)> = BTreeMap::new();
    let mut tops: BTreeMap<&RootPath, &RootPath> = BTreeMap::new();
    // In the order of paths a directory comes before what is in it.
    for (&path, node) in &open {
        let top = path
            .parent()
            .and_then(|above| tops.get(&above).copied())
            .unwrap_or(path);
        tops.insert(path, top);
        let (count, programs) = below.entry(top).or_default();
        *count = count.saturating_add(1);
        *programs |= top != path && is_program(node);
    }
    below
        .iter()
        .filter_map(|(path, (count, programs))| {
            let node = open.get(path)?;
            let below = (count.saturating_sub(1), *programs);
            Some(finding(rule, path, node, below, &closed, subject))
        })
        .collect()
}

fn is_program(node: &Node) -> bool {
    node.program.as_ref().is_some_and(|program| program.is_program())
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
    (below, programs): (u64, bool),
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
    if is_program(node) {
        severity = Severity::High;
        remarks.push("it is a program, so that whoever changes it acts for whoever runs it".to_owned());
    } else if programs {
        severity = Severity::High;
        remarks.push(
            "there are programs among them, so that whoever changes one acts for whoever runs it".to_owned(),
        );
    }
    let shut = |path: &RootPath| {
        let mut above = std::iter::successors(path.parent(), RootPath::parent);
        above.find(|above| closed.contains(above))
    };
    // One name that others can get to is enough.
    let shut: Option<Vec<RootPath>> = node.paths.iter().map(shut).collect();
    if let Some(above) = shut.as_ref().and_then(|all| all.first()) {
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
