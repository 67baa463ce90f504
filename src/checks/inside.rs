//! Inside a file lies what starts only once somebody takes it out: a tool in an archive, or behind another program.

use super::{Subject, identify, machine, tools};
use crate::{
    binary::{Form, Inner, Program},
    finding::{Finding, Rule},
    path::RootPath,
    rootfs::Node,
    text::escape,
};

/// What to do about it.
const FIX: &str = "Leave the archive out, or build it without the program; what has to be unpacked at run time is better \
                   built into the image";

/// The findings of one rule about tools inside one file: one step lower than for a tool that can be started as it lies.
pub(super) fn find<'a>(
    rule: &'static Rule,
    words: &'a tools::Words,
    node: &'a Node,
    program: &'a Program,
    subject: &'a Subject<'_>,
) -> impl Iterator<Item = Finding> + 'a {
    program.inside.iter().filter_map(move |inner| {
        let tool = identify::by_content(&inner.program, subject).filter(|tool| tool.rule == rule.id)?;
        let evidence = identify::bare_evidence(&RootPath::clean(&inner.path), &tool, subject);
        let sure = if evidence.confidence == "certain" {
            "is"
        } else {
            "is likely"
        };
        let version = evidence.version.as_deref();
        let version = version.map_or_else(String::new, |version| format!(" {version}"));
        let mut message = format!(
            "{} {sure} {}{version}, {}; it has to be taken out before it starts",
            place(node, inner),
            evidence.name,
            words.what
        );
        let mut steps = 1;
        if let Form::Elf(elf) = &inner.program.form
            && let Some(machine) = machine::foreign(elf, subject.platform)
        {
            steps += 1;
            message.push_str(", and it is built for ");
            message.push_str(machine);
        }
        let mut finding = new(rule, node, inner, message, steps);
        finding.capabilities.clone_from(&tool.capabilities);
        finding.identity = Some(evidence);
        Some(finding)
    })
}

/// The findings about programs inside one file that cannot be looked into.
pub(super) fn opaque<'a>(
    rule: &'static Rule,
    node: &'a Node,
    program: &'a Program,
) -> impl Iterator<Item = Finding> + 'a {
    program.inside.iter().filter_map(move |inner| {
        let why = inner.program.opaque.as_deref()?;
        let message = format!(
            "{} cannot be looked into and may hold any program: {}",
            place(node, inner),
            escape(why.as_bytes())
        );
        Some(new(rule, node, inner, message, 1))
    })
}

/// Where it lies, as the beginning of a sentence.
fn place(node: &Node, inner: &Inner) -> String {
    let path = tools::first_path(node);
    if inner.path.is_empty() {
        format!("What {path} holds")
    } else {
        format!("`{}` inside {path}", escape(&inner.path))
    }
}

fn new(rule: &'static Rule, node: &Node, inner: &Inner, message: String, steps: usize) -> Finding {
    let mut finding = Finding::new(rule, message, FIX);
    finding.severity = tools::lower(rule.severity, steps);
    finding.subject = (!inner.path.is_empty()).then(|| escape(&inner.path));
    finding.layer = Some(node.layer);
    finding.bytes = node.size;
    finding.path = Some(tools::first_path(node));
    finding
}
