//! A missing library is one that the program to start is linked with and that its loader would not find.

use std::{collections::BTreeSet, fmt::Write as _};

use crate::{
    finding::{Finding, Rule},
    gap::Hides,
    text::escape,
};

use super::{Check, Subject, reach};

const RULE: &str = "missing-library";

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: reach::WANTS,
    run,
};

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(rule) = Rule::get(RULE) else {
        return Vec::new();
    };
    // What is missing may be in what was not read.
    let unread = |hides| matches!(hides, Hides::Anything | Hides::Programs);
    if subject.rootfs.gaps().iter().any(|(_, gap)| unread(gap.hides)) {
        return Vec::new();
    }
    let missing = &subject.closure().missing;
    let names: BTreeSet<&[u8]> = missing.iter().map(|one| one.name.as_slice()).collect();
    // A file of that name that the loader does not come by: each is found in one pass.
    let astray: Vec<_> = subject
        .rootfs
        .nodes()
        .flat_map(|node| &node.paths)
        .filter(|path| names.contains(path.name()))
        .collect();
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for one in missing {
        let (by, program, name) = (&one.by, &one.program, escape(&one.name));
        if !told.insert((by, &one.name)) {
            continue;
        }
        let whom = if by == program {
            String::new()
        } else {
            format!(", which {program} loads")
        };
        let mut message = format!("The container cannot start: {by}{whom} needs the library {name}, which ");
        match astray.iter().find(|path| path.name() == one.name) {
            None => message.push_str("is not in the image"),
            Some(path) => {
                let _ = write!(
                    message,
                    "is at {path}, where the loader does not look or cannot use it"
                );
                if !one.cache {
                    message.push_str("; the image has no /etc/ld.so.cache");
                }
            }
        }
        let fix = "Copy the library and what it needs into a directory that the loader searches, or link the program statically";
        let mut finding = Finding::new(rule, message, fix);
        finding.path = Some(by.clone());
        finding.subject = Some(name);
        finding.layer = Some(one.layer);
        found.push(finding);
    }
    found
}
