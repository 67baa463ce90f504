//! An unreachable executable is a program that nothing leads to from the entry point: it could go.

use std::cmp::Reverse;

use crate::{
    binary::Form,
    finding::{Finding, Rule},
    layer::Kind,
    rootfs::Node,
};

use super::{Check, Subject, interpreters, tools::first_path};

const RULE: &str = "unreachable-executable";
/// Programs that are named, the largest.
const NAMED: usize = 5;

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
    let closure = subject.closure();
    if closure.incomplete.is_some() {
        return Vec::new();
    }
    let startable = || subject.rootfs.nodes().filter(|node| is_startable(node, subject));
    let mut excess: Vec<&Node> = startable().filter(|node| !closure.holds(node)).collect();
    excess.sort_by_key(|node| (Reverse(node.size), &node.paths));
    if excess.is_empty() {
        return Vec::new();
    }
    let bytes = excess
        .iter()
        .fold(0_u64, |sum, node| sum.saturating_add(node.size));
    let largest = excess.iter().take(NAMED);
    let largest: Vec<String> = largest
        .map(|node| format!("{} ({} bytes)", first_path(node), node.size))
        .collect();
    let mut finding = Finding::new(
        rule,
        format!(
            "{} of {} programs ({bytes} bytes) are not reached from the entry point by its libraries, modules and arguments; \
             the largest: {}",
            excess.len(),
            startable().count(),
            largest.join(", ")
        ),
        "Begin with these when you slim the image down: copy only what the entry point needs into the final stage",
    );
    finding.subject = Some("programs".to_owned());
    finding.bytes = bytes;
    vec![finding]
}

/// Whether a file is a program that the kernel would start. Libraries that can be started, as glibc's, are not meant.
fn is_startable(node: &Node, subject: &Subject<'_>) -> bool {
    let Some(program) = node.program.as_ref() else {
        return false;
    };
    let inert = match &program.form {
        Form::Elf(elf) => elf.soname.is_some() && program.tool(subject.catalog).is_none(),
        // Without its interpreter it starts nothing.
        Form::Script(script) => !interpreters::exists(script, subject),
        Form::Archive | Form::Text | Form::Data => true,
    };
    node.kind == Kind::File && node.mode & 0o111 != 0 && program.starts() && !inert
}
