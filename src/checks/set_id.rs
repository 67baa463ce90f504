//! A set-id file runs with the rights of its owner or group, whoever starts it (Linux `fs/exec.c`).

use std::collections::BTreeMap;

use crate::{
    binary::{Form, Program},
    finding::{Finding, Rule, Severity},
    layer::Kind,
    path::RootPath,
    rootfs::{
        Node,
        accounts::{Accounts, groups},
    },
    text::escape,
};

use super::{Subject, identify, tools};

/// Which of the two bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bit {
    /// Mode 04000.
    User,
    /// Mode 02000.
    Group,
}

/// Groups that own what opens a system: root, disk and shadow by Debian's numbers, and by name.
const STRONG_GROUPS: &[u64] = &[0, 6, 42];
const STRONG_NAMES: &[&[u8]] = &[b"root", b"disk", b"shadow", b"docker", b"kmem"];

/// All findings of one bit.
pub(super) fn find(rule: &str, bit: Bit, subject: &Subject<'_>) -> Vec<Finding> {
    let Some(rule) = Rule::get(rule) else {
        return Vec::new();
    };
    let names = if bit == Bit::Group {
        group_names(subject)
    } else {
        BTreeMap::new()
    };
    subject
        .rootfs
        .nodes()
        .filter(|node| has_effect(node, bit))
        .map(|node| finding(rule, bit, node, &names, subject))
        .collect()
}

fn has_effect(node: &Node, bit: Bit) -> bool {
    node.kind == Kind::File && node.size > 0 && obeyed(bit, node.mode, node.program.as_deref())
}

/// Scripts and files without execute bit gain nothing from a set-id bit. Set-gid without group execute means mandatory
/// locking, not a group.
pub(super) fn obeyed(bit: Bit, mode: u16, program: Option<&Program>) -> bool {
    let set = match bit {
        Bit::User => mode & 0o4000 != 0,
        Bit::Group => mode & 0o2010 == 0o2010,
    };
    let script = matches!(program.map(|program| &program.form), Some(Form::Script(_)));
    set && mode & 0o111 != 0 && !script
}

/// Programs that are made to carry the bit and decide themselves whom they serve.
fn asks_first(family: &str, capabilities: &[String], path: &RootPath) -> bool {
    capabilities.iter().any(|id| id == "priv.switch")
        || family == "os.util-linux" && matches!(path.name(), b"mount" | b"umount" | b"wall" | b"write")
}

/// The names that the image gives its groups; the first line of a number counts.
fn group_names<'a>(subject: &Subject<'a>) -> BTreeMap<u64, &'a [u8]> {
    let mut names = BTreeMap::new();
    for group in groups(Accounts::read(subject.rootfs).group.text()) {
        if let Ok(gid) = u64::try_from(group.gid) {
            names.entry(gid).or_insert(group.name);
        }
    }
    names
}

fn finding(
    rule: &'static Rule,
    bit: Bit,
    node: &Node,
    names: &BTreeMap<u64, &[u8]>,
    subject: &Subject<'_>,
) -> Finding {
    let path = tools::first_path(node);
    let known = identify::evidence(node, subject);
    let escapes = known.as_ref().is_some_and(|(evidence, capabilities)| {
        let runs = |id: &String| matches!(id.as_str(), "exec.shell" | "exec.command" | "exec.script");
        capabilities.iter().any(runs) && !asks_first(&evidence.family, capabilities, &path)
    });
    let (whose, root) = match bit {
        Bit::User => (format!("uid {}", node.uid), node.uid == 0),
        Bit::Group => match names.get(&node.gid).copied() {
            Some(name) => (
                format!("gid {} ({})", node.gid, escape(name)),
                STRONG_GROUPS.contains(&node.gid) || STRONG_NAMES.contains(&name),
            ),
            None => (format!("gid {}", node.gid), STRONG_GROUPS.contains(&node.gid)),
        },
    };
    let who = if node.mode & 0o001 != 0 {
        "whoever starts it"
    } else {
        "whoever may start it"
    };
    let called = known
        .as_ref()
        .map_or_else(String::new, |(evidence, _)| format!(" ({})", evidence.name));
    let mut message = format!(
        "{path}{called} runs with {whose} for {who} (mode {:04o})",
        node.mode
    );
    if escapes {
        message.push_str(", and it runs other programs or commands for them");
    }
    if bit == Bit::User && root && node.capability.is_some() {
        message.push_str("; it also carries file capabilities, which then are all that it gets");
    }
    if node.headers_differ {
        message.push_str("; the headers of its hard links differ, and runtimes in which of them they apply");
    }
    let mut finding = Finding::new(
        rule,
        message,
        match bit {
            Bit::User => "Remove the program, or its bit with `chmod u-s` in the instruction that brings it",
            Bit::Group => "Remove the program, or its bit with `chmod g-s` in the instruction that brings it",
        },
    );
    finding.severity = match (bit, root, escapes) {
        (Bit::User, true, true) => Severity::Critical,
        (Bit::User, true, false) | (Bit::Group, true, _) | (_, false, true) => Severity::High,
        (Bit::User, false, false) => Severity::Medium,
        (Bit::Group, false, false) => rule.severity,
    };
    // Nothing that is known to run: the kernel would refuse it.
    if !node.program.as_ref().is_some_and(|program| program.is_program()) {
        finding.severity = Severity::Low;
    }
    finding.aliases = identify::aliases(node, subject);
    finding.layer = Some(node.layer);
    finding.bytes = node.size;
    finding.path = Some(path);
    if let Some((evidence, capabilities)) = known {
        finding.identity = Some(evidence);
        finding.capabilities = capabilities;
    }
    finding
}
