//! To identify a program is to put it under one rule about tools, by its content or, failing that, by its names.

use std::collections::BTreeSet;

use crate::{
    binary::{Confidence, Identity, Program},
    finding::{Alias, AliasKind, Evidence},
    path::RootPath,
    rootfs::{self, Node},
    text::escape,
};

use super::Subject;

/// How the ids of multi-call programs begin.
const MULTI_CALL: &str = "multi.";

/// What a program is, with the identity that decided it.
pub(super) struct Tool<'a> {
    /// The rule it falls under.
    pub(super) rule: &'static str,
    /// What it is known by; `None` if by name only.
    pub(super) identity: Option<&'a Identity>,
    /// Family in the catalogue.
    pub(super) family: &'a str,
    /// Other families under a rule of their own in the same file.
    pub(super) others: Vec<&'a str>,
    /// What it lets an intruder do, sorted.
    pub(super) capabilities: Vec<String>,
}

/// What the content of a file says, and of a multi-call program whose table was not read the names that lead to it.
pub(super) fn of_file<'a>(node: &'a Node, subject: &Subject<'a>) -> Option<Tool<'a>> {
    let program = node.program.as_deref()?;
    let unread = |identity: &Identity| identity.applets.is_empty() && identity.family.starts_with(MULTI_CALL);
    if !program.identities.iter().any(unread) {
        return by_content(program, subject);
    }
    let links = subject.rootfs.aliases(node);
    let applets = names(node, &links).filter(|name| subject.catalog.is_applet(name));
    let applets: Vec<String> = applets
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    judge(program, &applets, subject)
}

/// Whether a file is a shell by its content, whatever its name.
pub(super) fn is_shell(node: &Node, subject: &Subject<'_>) -> bool {
    of_file(node, subject).is_some_and(|tool| tool.rule == "shell")
}

/// What the content says: of all families in the file the one whose rule comes first.
pub(super) fn by_content<'a>(program: &'a Program, subject: &Subject<'a>) -> Option<Tool<'a>> {
    judge(program, &[], subject)
}

/// `called`: applets of a multi-call program whose table was not read.
fn judge<'a>(program: &'a Program, called: &[String], subject: &Subject<'a>) -> Option<Tool<'a>> {
    let mut best: Option<(usize, &'static str, &Identity)> = None;
    let mut capabilities = BTreeSet::new();
    let mut families = Vec::new();
    for identity in &program.identities {
        let applets = if identity.applets.is_empty() {
            called
        } else {
            &identity.applets
        };
        let Some(meaning) = subject.catalog.meaning(&identity.family, applets) else {
            continue;
        };
        let Some((place, rule)) = place(meaning.rule, subject) else {
            continue;
        };
        families.push(identity.family.as_str());
        capabilities.extend(meaning.capabilities.iter().map(|&id| id.to_owned()));
        if best.is_none_or(|(first, _, _)| place < first) {
            best = Some((place, rule, identity));
        }
    }
    let (_, rule, identity) = best?;
    families.retain(|family| *family != identity.family);
    Some(Tool {
        rule,
        identity: Some(identity),
        family: &identity.family,
        others: families,
        capabilities: capabilities.into_iter().collect(),
    })
}

/// What the names say of a program that nothing else is known of.
pub(super) fn by_name<'a>(node: &Node, links: &[rootfs::Alias], subject: &Subject<'a>) -> Option<Tool<'a>> {
    names(node, links).find_map(|name| {
        let family = subject.catalog.by_name(name)?;
        let meaning = subject.catalog.meaning(&family.id, &[])?;
        let (_, rule) = place(meaning.rule, subject)?;
        Some(Tool {
            rule,
            identity: None,
            family: &family.id,
            others: Vec::new(),
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
    with_kinds(&subject.rootfs.aliases(node), None, subject)
}

/// The evidence for a tool.
pub(super) fn evidence_of(
    node: &Node,
    links: &[rootfs::Alias],
    tool: &Tool<'_>,
    subject: &Subject<'_>,
) -> Evidence {
    let mut evidence = describe(names(node, links), tool, subject);
    evidence.latent =
        tool.identity.is_some() && tool.family.starts_with(MULTI_CALL) && !fits(node, links, tool, subject);
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
    // A name that several programs go by, such as `sh`, does not tell which one this is.
    let shared = |name: &str| {
        let families = subject.catalog.families().iter();
        let bearers = families.filter(|family| family.names.iter().any(|known| known == name));
        bearers.count() > 1
    };
    let name = names
        .find_map(|name| usual.iter().find(|known| known.as_bytes() == name))
        .filter(|name| !shared(name))
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
        evidence: match tool.identity {
            None => "the name of the file".to_owned(),
            Some(identity) if tool.others.is_empty() => escape(identity.evidence.as_bytes()),
            // Five or more are a table of signatures, or a shell that hides among texts of others.
            Some(identity) => {
                format!(
                    "{}; with code of {}",
                    escape(identity.evidence.as_bytes()),
                    tool.others.join(", ")
                )
            }
        },
        latent: false,
    }
}

/// Whether some name of the file is one that the program usually has: its own or an applet's.
pub(super) fn fits(node: &Node, links: &[rootfs::Alias], tool: &Tool<'_>, subject: &Subject<'_>) -> bool {
    let usual = subject
        .catalog
        .family(tool.family)
        .map_or(&[][..], |family| &family.names);
    names(node, links).any(|name| {
        tool.identity
            .is_some_and(|identity| is_applet(name, identity, subject))
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

/// Whether a multi-call program has an applet of this name; if its table was not read, whether programs like it have one.
fn is_applet(name: &[u8], identity: &Identity, subject: &Subject<'_>) -> bool {
    if identity.applets.is_empty() {
        return identity.family.starts_with(MULTI_CALL) && subject.catalog.is_applet(name);
    }
    identity
        .applets
        .binary_search_by(|applet| applet.as_bytes().cmp(name))
        .is_ok()
}

/// Links as findings show them: a link whose name is an applet of the program is one of its own kind.
pub(super) fn with_kinds(
    links: &[rootfs::Alias],
    identity: Option<&Identity>,
    subject: &Subject<'_>,
) -> Vec<Alias> {
    let mut out: Vec<Alias> = links
        .iter()
        .map(|link| Alias {
            path: link.path.clone(),
            kind: if identity.is_some_and(|identity| is_applet(link.path.name(), identity, subject)) {
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
