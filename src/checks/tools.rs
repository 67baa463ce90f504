//! A tool is a program that does not belong to the application: what its content says it is, and whether it can be started.

use std::{cell::LazyCell, collections::BTreeSet, ops::Deref};

use crate::{
    binary::{Confidence, Form, Program},
    catalog::Module,
    finding::{Finding, Qualifier, Rule, Severity},
    layer::Kind,
    path::RootPath,
    rootfs::{self, Node},
    text::escape,
};

use super::{
    Subject,
    identify::{Tool, by_name, evidence_of, fits, of_file, with_kinds},
    inside, interpreters, machine, modules, start, user,
};

/// What one rule about tools says of its findings.
pub(super) struct Words {
    /// `a shell`.
    pub(super) what: &'static str,
    /// What to do, one sentence.
    pub(super) fix: &'static str,
}

/// How a file can be run, and how many steps of severity that takes off.
struct Way {
    steps: usize,
    /// It cannot run as it is, and the container's user cannot change that.
    inert: bool,
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
    let loader = LazyCell::new(|| any_loader(subject));
    let trees = modules::find(rule, subject);
    let mut found = Vec::new();
    let mut scripts = Vec::new();
    for (node, of_node) in subject.rootfs.nodes().zip(subject.rules_of_tools()) {
        let Some(program) = node.program.as_ref().filter(|_| node.kind == Kind::File) else {
            continue;
        };
        found.extend(inside::find(rule, words, node, program, subject));
        if *of_node != Some(rule.id) {
            continue;
        }
        let by_content = of_file(node, subject);
        let Some(way) = way_to_run(node, program, by_content.is_some(), &loader, subject) else {
            continue;
        };
        let links = subject.rootfs.aliases(node);
        let Some(tool) = by_content.or_else(|| by_name(node, &links, subject)) else {
            continue;
        };
        let runtime = entry_point.as_ref().is_some_and(|start| {
            start
                .chain
                .iter()
                .any(|runs| same_runtime(node, runs, tool.family))
        });
        let script = tool.identity.is_some() && matches!(program.form, Form::Script(_));
        let lacks_code = script && modules::lacks_code(program, tool.family, &trees, subject);
        let mut finding = finding(rule, words, node, &links, &tool, way, runtime, subject);
        if lacks_code {
            finding
                .message
                .push_str("; but the code that it loads is not in the image");
            finding.severity = lower(finding.severity, 1);
            finding.qualifier = Some(Qualifier::NameOnly);
        }
        if script && !lacks_code {
            scripts.push((tool.family.to_owned(), finding));
        } else {
            found.push(finding);
        }
    }
    let families = LazyCell::new(|| startable_families(&loader, subject));
    let runnable = |module: &Module| families.iter().any(|family| module.runs_on(family));
    found.extend(modules::join(rule, words, scripts, &trees, runnable, subject));
    found
}

/// The rule that a program falls under, whether it can be started or not.
pub(super) fn rule_of(node: &Node, subject: &Subject<'_>) -> Option<&'static str> {
    node.program.as_ref().filter(|_| node.kind == Kind::File)?;
    let by_name = || by_name(node, &subject.rootfs.aliases(node), subject);
    let tool = of_file(node, subject).or_else(by_name);
    tool.map(|tool| tool.rule)
}

/// The families of all programs that can be started.
fn startable_families<'a>(loader: &impl Deref<Target = bool>, subject: &Subject<'a>) -> BTreeSet<&'a str> {
    let mut families = BTreeSet::new();
    for node in subject.rootfs.nodes() {
        if let Some(program) = node.program.as_deref().filter(|_| node.kind == Kind::File)
            && !program.identities.is_empty()
            && way_to_run(node, program, true, loader, subject).is_some()
        {
            families.extend(program.identities.iter().map(|identity| identity.family.as_str()));
        }
    }
    families
}

/// Whether a file is what the entry point runs, or one of the launchers beside it that start the same Java.
fn same_runtime(node: &Node, runs: &Node, family: &str) -> bool {
    let beside = || {
        let directories = |node: &Node| {
            node.paths
                .iter()
                .filter_map(RootPath::parent)
                .collect::<BTreeSet<_>>()
        };
        !directories(node).is_disjoint(&directories(runs))
    };
    let launcher = |program: &Program| {
        program
            .identities
            .iter()
            .any(|identity| identity.family == family)
    };
    std::ptr::eq(node, runs)
        || family == "build.jvm-launcher" && runs.program.as_deref().is_some_and(launcher) && beside()
}

/// How the file can be run. `None`: not at all, or it is nothing to run.
fn way_to_run(
    node: &Node,
    program: &Program,
    known: bool,
    loader: &impl Deref<Target = bool>,
    subject: &Subject<'_>,
) -> Option<Way> {
    let executable = node.mode & 0o111 != 0;
    let mut way = Way {
        steps: 0,
        inert: false,
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
                    .filter(|path| has_loader(path, subject) || **loader)
                {
                    way.steps = 1;
                    way.remark = Some(format!(
                        "it has no execute bit, but can be started through the loader {}",
                        escape(loader)
                    ));
                } else {
                    let who = user::runs_as(subject).filter(|who| who.uid != 0 && who.uid != node.uid);
                    way.inert = who.is_some();
                    way.steps = if way.inert { 4 } else { 2 };
                    way.remark = Some(match who {
                        Some(who) => format!(
                            "it has no execute bit, no loader starts it, and its owner, uid {}, is not uid {} that the \
                             container runs as",
                            node.uid, who.uid
                        ),
                        None => "it has no execute bit, so that only its owner can make it run".to_owned(),
                    });
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
            if !interpreters::exists(script, subject) {
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
        // Nothing but a shell would run it, and what it is called says nothing.
        Form::Text | Form::Data => return None,
    }
    Some(way)
}

/// Whether the image has the loader that a program asks for.
fn has_loader(path: &[u8], subject: &Subject<'_>) -> bool {
    let found = subject.rootfs.resolve(&RootPath::clean(path));
    found.is_ok_and(|node| node.kind == Kind::File)
}

/// Whether the image has a loader of any name.
fn any_loader(subject: &Subject<'_>) -> bool {
    let is_loader = |program: &Program| {
        program
            .identities
            .iter()
            .any(|known| known.family.starts_with("loader."))
    };
    subject
        .rootfs
        .nodes()
        .any(|node| node.program.as_deref().is_some_and(is_loader))
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
    if bundles(node) {
        message.push_str("; it is bundled with scripts of its own, so that it is an application, too");
    }
    let inert = way.inert;
    if let Some(remark) = way.remark {
        message.push_str("; ");
        message.push_str(&remark);
    }
    let mut finding = Finding::new(rule, message, words.fix);
    finding.severity = lower(rule.severity, steps);
    finding.aliases = with_kinds(links, tool.identity, subject);
    finding.layer = Some(node.content_layer);
    finding.capabilities.clone_from(&tool.capabilities);
    finding.qualifier = if tool.identity.is_none() {
        Some(Qualifier::NameOnly)
    } else if inert {
        Some(Qualifier::Dormant)
    } else {
        runtime.then_some(Qualifier::EntryPointRuntime)
    };
    finding.bytes = node.size;
    finding.identity = Some(evidence);
    finding.path = Some(path);
    finding
}

/// Whether the program is a bundle of an interpreter and its scripts.
fn bundles(node: &Node) -> bool {
    let program = node.program.as_deref();
    program.is_some_and(|program| {
        program
            .identities
            .iter()
            .any(|identity| identity.family.starts_with("bundle."))
    })
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
