//! A tool is a program that does not belong to the application: what its content says it is, and whether it can be started.

use std::collections::BTreeSet;

use crate::{
    binary::{Confidence, Form, Identity, Program},
    finding::{Alias, AliasKind, Evidence, Finding, Qualifier, Rule, Severity},
    layer::Kind,
    path::RootPath,
    rootfs::{self, Node},
    text::escape,
};

use super::{Subject, machine, start};

/// What one rule about tools says of its findings.
pub(super) struct Words {
    /// `a shell`.
    pub(super) what: &'static str,
    /// What to do, one sentence.
    pub(super) fix: &'static str,
}

/// What a program is, with the identity that decided it.
pub(super) struct Tool<'a> {
    /// The rule it falls under.
    pub(super) rule: &'static str,
    /// What it is known by; `None` if by name only.
    pub(super) identity: Option<&'a Identity>,
    /// Family in the catalogue.
    pub(super) family: &'a str,
    /// What it lets an intruder do, sorted.
    pub(super) capabilities: Vec<String>,
}

/// How a file can be run, and how many steps of severity that takes off.
struct Way {
    steps: usize,
    remark: Option<String>,
}

/// All findings of one rule.
pub(super) fn find(rule: &str, words: &Words, subject: &Subject<'_>) -> Vec<Finding> {
    let Some(rule) = Rule::get(rule) else {
        return Vec::new();
    };
    let entry_point = if rule.id == "interpreter" {
        start::follow(subject)
    } else {
        None
    };
    let mut found = Vec::new();
    for node in subject.rootfs.nodes() {
        let Some(program) = node.program.as_ref().filter(|_| node.kind == Kind::File) else {
            continue;
        };
        let by_content = by_content(program, subject);
        if by_content.as_ref().is_some_and(|tool| tool.rule != rule.id) {
            continue;
        }
        let Some(way) = way_to_run(node, program, by_content.is_some(), subject) else {
            continue;
        };
        let links = subject.rootfs.aliases(node);
        let Some(tool) = by_content.or_else(|| by_name(node, &links, subject)) else {
            continue;
        };
        if tool.rule != rule.id {
            continue;
        }
        let runtime = entry_point
            .as_ref()
            .is_some_and(|start| start.chain.iter().any(|runs| std::ptr::eq(*runs, node)));
        found.push(finding(rule, words, node, &links, &tool, way, runtime, subject));
    }
    found
}

/// What the content says: of all families in the file the one whose rule comes first.
pub(super) fn by_content<'a>(program: &'a Program, subject: &Subject<'a>) -> Option<Tool<'a>> {
    let mut best: Option<(usize, &'static str, &Identity)> = None;
    let mut capabilities = BTreeSet::new();
    for identity in &program.identities {
        let Some(meaning) = subject.catalog.meaning(&identity.family, &identity.applets) else {
            continue;
        };
        let Some((place, rule)) = place(meaning.rule, subject) else {
            continue;
        };
        capabilities.extend(meaning.capabilities.iter().map(|&id| id.to_owned()));
        if best.is_none_or(|(first, _, _)| place < first) {
            best = Some((place, rule, identity));
        }
    }
    let (_, rule, identity) = best?;
    Some(Tool {
        rule,
        identity: Some(identity),
        family: &identity.family,
        capabilities: capabilities.into_iter().collect(),
    })
}

/// What the names say of a program that nothing else is known of.
fn by_name<'a>(node: &Node, links: &[rootfs::Alias], subject: &Subject<'a>) -> Option<Tool<'a>> {
    names(node, links).find_map(|name| {
        let family = subject.catalog.by_name(name)?;
        let meaning = subject.catalog.meaning(&family.id, &[])?;
        let (_, rule) = place(meaning.rule, subject)?;
        Some(Tool {
            rule,
            identity: None,
            family: &family.id,
            capabilities: meaning.capabilities.iter().map(|&id| id.to_owned()).collect(),
        })
    })
}

/// A rule with its place in the catalogue's order.
fn place(rule: Option<&'static str>, subject: &Subject<'_>) -> Option<(usize, &'static str)> {
    let rule = rule?;
    subject
        .catalog
        .rule_order()
        .iter()
        .position(|known| *known == rule)
        .map(|place| (place, rule))
}

/// What a program is, for the evidence of other rules' findings.
pub(super) fn evidence(node: &Node, subject: &Subject<'_>) -> Option<(Evidence, Vec<String>)> {
    let tool = by_content(node.program.as_ref()?, subject)?;
    let links = subject.rootfs.aliases(node);
    Some((evidence_of(node, &links, &tool, subject), tool.capabilities))
}

/// The names of a node and of the links to it that finding carries.
pub(super) fn aliases(node: &Node, subject: &Subject<'_>) -> Vec<Alias> {
    with_kinds(&subject.rootfs.aliases(node), &[])
}

/// How the file can be run. `None`: not at all, or it is nothing to run.
fn way_to_run(node: &Node, program: &Program, known: bool, subject: &Subject<'_>) -> Option<Way> {
    let executable = node.mode & 0o111 != 0;
    let mut way = Way {
        steps: 0,
        remark: None,
    };
    match &program.form {
        Form::Elf(elf) => {
            if !elf.startable {
                return None;
            }
            if !executable {
                if !known {
                    return None;
                }
                if let Some(loader) = elf
                    .interpreter
                    .as_deref()
                    .filter(|path| has_loader(path, subject))
                {
                    way.steps = 1;
                    way.remark = Some(format!(
                        "it has no execute bit, but can be started through the loader {}",
                        escape(loader)
                    ));
                } else {
                    way.steps = 2;
                    way.remark =
                        Some("it has no execute bit, so that only its owner can make it run".to_owned());
                }
            }
            if let (Some(machine), Some(platform)) =
                (machine::foreign(elf, subject.platform), subject.platform)
            {
                way.steps += 1;
                let foreign =
                    format!("it is built for {machine}, which {platform} runs only through an emulator");
                way.remark = Some(match way.remark {
                    Some(first) => format!("{first}, and {foreign}"),
                    None => foreign,
                });
            }
        }
        Form::Script(script) => {
            if !start::interpreter_exists(script, subject) {
                return None;
            }
            if !executable {
                if !known {
                    return None;
                }
                way.steps = 1;
                way.remark =
                    Some("it has no execute bit, but can be started through its interpreter".to_owned());
            }
        }
        Form::Archive => {
            if !known {
                return None;
            }
        }
    }
    Some(way)
}

/// Whether the image has the loader that a program asks for, or any other one.
fn has_loader(path: &[u8], subject: &Subject<'_>) -> bool {
    subject
        .rootfs
        .resolve(&RootPath::clean(path))
        .is_ok_and(|node| node.kind == Kind::File)
        || subject.rootfs.nodes().any(|node| {
            node.program.as_ref().is_some_and(|program| {
                program
                    .identities
                    .iter()
                    .any(|identity| identity.family.starts_with("loader."))
            })
        })
}

#[expect(
    clippy::too_many_arguments,
    reason = "a finding is made in one place, of all that is known"
)]
fn finding(
    rule: &'static Rule,
    words: &Words,
    node: &Node,
    links: &[rootfs::Alias],
    tool: &Tool<'_>,
    way: Way,
    runtime: bool,
    subject: &Subject<'_>,
) -> Finding {
    let path = first_path(node);
    let evidence = evidence_of(node, links, tool, subject);
    let version = evidence
        .version
        .as_deref()
        .map_or_else(String::new, |version| format!(" {version}"));
    let called = format!("{}{version}", evidence.name);
    let what = words.what;
    let mut message = match tool.identity {
        None => format!(
            "{path} is called like {called}, {what}, and can be started, but nothing in it says what it is"
        ),
        Some(identity) => {
            let sure = if identity.confidence == Confidence::Certain {
                "is"
            } else {
                "is likely"
            };
            let disguise = if fits(node, links, tool, subject) {
                ""
            } else {
                ", under another name"
            };
            format!("{path} {sure} {called}, {what}{disguise}")
        }
    };
    if evidence.latent {
        message.push_str("; no name of an applet leads to it, but a caller can choose any name for it");
    }
    if runtime {
        message.push_str("; the entry point itself runs it");
    }
    let steps = way.steps + usize::from(tool.identity.is_none());
    if let Some(remark) = way.remark {
        message.push_str("; ");
        message.push_str(&remark);
    }
    let mut finding = Finding::new(rule, message, words.fix);
    finding.severity = lower(rule.severity, steps);
    finding.aliases = with_kinds(links, tool.identity.map_or(&[], |identity| &identity.applets));
    finding.layer = Some(node.layer);
    finding.capabilities.clone_from(&tool.capabilities);
    finding.qualifier = if tool.identity.is_none() {
        Some(Qualifier::NameOnly)
    } else {
        runtime.then_some(Qualifier::EntryPointRuntime)
    };
    finding.bytes = node.size;
    finding.identity = Some(evidence);
    finding.path = Some(path);
    finding
}

fn evidence_of(node: &Node, links: &[rootfs::Alias], tool: &Tool<'_>, subject: &Subject<'_>) -> Evidence {
    let mut evidence = describe(names(node, links), tool, subject);
    evidence.latent = tool.identity.is_some_and(|identity| !identity.applets.is_empty())
        && !fits(node, links, tool, subject);
    evidence
}

/// The evidence for a file that is no longer in the container.
pub(super) fn bare_evidence(path: &RootPath, tool: &Tool<'_>, subject: &Subject<'_>) -> Evidence {
    describe(std::iter::once(path.name()), tool, subject)
}

fn describe<'n>(
    mut names: impl Iterator<Item = &'n [u8]>,
    tool: &Tool<'_>,
    subject: &Subject<'_>,
) -> Evidence {
    let usual = subject
        .catalog
        .family(tool.family)
        .map_or(&[][..], |family| &family.names);
    let name = names
        .find_map(|name| usual.iter().find(|known| known.as_bytes() == name))
        .or_else(|| usual.first())
        .map_or_else(
            || tool.family.rsplit('.').next().unwrap_or(tool.family),
            String::as_str,
        );
    Evidence {
        name: name.to_owned(),
        family: tool.family.to_owned(),
        version: tool
            .identity
            .and_then(|identity| identity.version.as_deref())
            .map(|version| escape(version.as_bytes())),
        confidence: match tool.identity.map(|identity| identity.confidence) {
            None | Some(Confidence::NameOnly) => "name-only",
            Some(Confidence::Likely) => "likely",
            Some(Confidence::Certain) => "certain",
        },
        evidence: tool.identity.map_or_else(
            || "the name of the file".to_owned(),
            |identity| escape(identity.evidence.as_bytes()),
        ),
        latent: false,
    }
}

/// Whether some name of the file is one that the program usually has: its own or an applet's.
fn fits(node: &Node, links: &[rootfs::Alias], tool: &Tool<'_>, subject: &Subject<'_>) -> bool {
    let applets = tool.identity.map_or(&[][..], |identity| &identity.applets);
    let usual = subject
        .catalog
        .family(tool.family)
        .map_or(&[][..], |family| &family.names);
    names(node, links).any(|name| {
        applets.iter().any(|applet| applet.as_bytes() == name)
            || usual.iter().any(|known| known.as_bytes() == name)
            || subject
                .catalog
                .by_name(name)
                .is_some_and(|family| family.id == tool.family)
    })
}

fn names<'n>(node: &'n Node, links: &'n [rootfs::Alias]) -> impl Iterator<Item = &'n [u8]> {
    node.paths
        .iter()
        .chain(links.iter().map(|link| &link.path))
        .map(RootPath::name)
}

/// Links as findings show them: a link whose name is an applet of the program is one of its own kind.
fn with_kinds(links: &[rootfs::Alias], applets: &[String]) -> Vec<Alias> {
    let mut out: Vec<Alias> = links
        .iter()
        .map(|link| Alias {
            path: link.path.clone(),
            kind: if applets.iter().any(|applet| applet.as_bytes() == link.path.name()) {
                AliasKind::Applet
            } else {
                match link.kind {
                    rootfs::AliasKind::HardLink => AliasKind::Hardlink,
                    rootfs::AliasKind::Symlink => AliasKind::Symlink,
                }
            },
        })
        .collect();
    out.sort_unstable();
    out
}

/// The path under which a node is reported.
pub(super) fn first_path(node: &Node) -> RootPath {
    node.paths.first().cloned().unwrap_or_default()
}

/// A severity some steps down; never below `info`.
pub(super) fn lower(severity: Severity, steps: usize) -> Severity {
    const DOWN: [Severity; 5] = [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::Info,
    ];
    let at = DOWN.iter().position(|known| *known == severity).unwrap_or(0);
    DOWN.get(at + steps).copied().unwrap_or(Severity::Info)
}
