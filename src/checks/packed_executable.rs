//! A packed executable hides its code from every scanner: compressed, encrypted or wrapped, it may be any program.

use super::{Check, Subject, identify, inside, tools};
use crate::{
    binary::Form,
    finding::{Finding, Rule},
    layer::Kind,
    text::escape,
};

const RULE: &str = "packed-executable";

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
    let mut found = Vec::new();
    for node in subject.rootfs.nodes() {
        let Some(program) = node.program.as_ref().filter(|_| node.kind == Kind::File) else {
            continue;
        };
        found.extend(inside::opaque(rule, node, program));
        let Some(opaque) = &program.opaque else { continue };
        // A library that cannot be started by itself hides no program.
        if matches!(&program.form, Form::Elf(elf) if !elf.startable) {
            continue;
        }
        let path = tools::first_path(node);
        let mut finding = Finding::new(
            rule,
            format!(
                "{path} cannot be looked into and may hold any program: {}",
                escape(opaque.as_bytes())
            ),
            "Ship the program as its linker made it, without a packer; a compressed layer is as small",
        );
        if let Some((evidence, capabilities)) = identify::evidence(node, subject) {
            finding.identity = Some(evidence);
            finding.capabilities = capabilities;
        }
        if node.mode & 0o111 == 0 {
            finding.severity = tools::lower(rule.severity, 1);
        }
        finding.aliases = identify::aliases(node, subject);
        finding.layer = Some(node.content_layer);
        finding.bytes = node.size;
        finding.path = Some(path);
        found.push(finding);
    }
    found
}
