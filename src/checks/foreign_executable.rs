//! A foreign executable is a program for another processor than the image's platform.

use crate::{
    binary::Form,
    finding::{Finding, Rule},
    layer::Kind,
};

use super::{
    Check, Subject,
    identify::{by_content, evidence_of, with_kinds},
    machine,
    tools::{first_path, lower},
};

const RULE: &str = "foreign-executable";

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: &[],
    run,
};

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let (Some(rule), Some(platform)) = (Rule::get(RULE), subject.platform) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for node in subject.rootfs.nodes().filter(|node| node.kind == Kind::File) {
        let Some(program) = node.program.as_ref().filter(|program| program.starts()) else {
            continue;
        };
        let Form::Elf(elf) = &program.form else { continue };
        let Some(machine) = machine::foreign(elf, subject.platform) else {
            continue;
        };
        let path = first_path(node);
        let links = subject.rootfs.aliases(node);
        let tool = by_content(program, subject);
        let evidence = tool.as_ref().map(|tool| evidence_of(node, &links, tool, subject));
        let called = evidence
            .as_ref()
            .map_or_else(String::new, |known| format!(" ({})", known.name));
        let mut finding = Finding::new(
            rule,
            format!(
                "{path}{called} is built for {machine}: on {platform} it runs only through an emulator of the host"
            ),
            "Copy the build for the image's own platform (`FROM --platform=$TARGETPLATFORM`), or leave the file out",
        );
        if node.mode & 0o111 == 0 {
            finding.severity = lower(rule.severity, 1);
        }
        finding.aliases = with_kinds(&links, tool.and_then(|tool| tool.identity), subject);
        finding.identity = evidence;
        finding.layer = Some(node.layer);
        finding.bytes = node.size;
        finding.path = Some(path);
        found.push(finding);
    }
    found
}
