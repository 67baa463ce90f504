//! A writable program is one that the user the container runs as can change, or that loads or trusts what they can change.

use std::collections::BTreeMap;

use crate::{
    binary::Form,
    finding::{Finding, Qualifier, Rule, Severity},
    layer::Kind,
    path::RootPath,
    rootfs::Node,
};

use super::{
    Check, Subject,
    access::{self, Way},
    command_line, identify,
    start::{self, Who},
    tools, user,
};

const RULE: &str = "writable-program";
const FIX: &str = "Let root own it and take the write bits for others away (`COPY --chmod=755` without `--chown`) in the \
                   instruction that brings it";

/// Where loaders look for libraries that nothing else names.
const LIBRARIES: &[&str] = &[
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib/arm-linux-gnueabihf",
    "/usr/lib/arm-linux-gnueabihf",
    "/usr/local/lib",
];
/// What tells the loader where to look; the first counts even if it is not there yet.
const LOADER: &[&str] = &[
    "/etc/ld.so.preload",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.cache",
];
/// Files that say who is who.
const ACCOUNTS: &[&str] = &[
    "/etc/passwd",
    "/etc/group",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/pam.d",
];
/// Directories from which interpreters load what programs import.
const TREES: &[&[u8]] = &[
    b"site-packages",
    b"dist-packages",
    b"node_modules",
    b"perl5",
    b"site_ruby",
    b"gems",
];
/// Steps through libraries of libraries.
const CLOSURE: usize = 512;

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: user::WANTS,
    run,
};

/// What a path is to the program that the container starts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Entry,
    Interpreter,
    Library,
    Loader,
    Path,
    Tree,
    Accounts,
}

impl Role {
    fn words(self) -> &'static str {
        match self {
            Self::Entry => "the program that the container starts",
            Self::Interpreter => "what runs the program that the container starts",
            Self::Library => "a library that the program loads",
            Self::Loader => "what tells the loader which libraries to load",
            Self::Path => "a directory that PATH names before the program's",
            Self::Tree => "a tree from which the interpreter loads",
            Self::Accounts => "what says who is who",
        }
    }

    fn severity(self) -> Severity {
        match self {
            Self::Entry | Self::Interpreter => Severity::High,
            Self::Library | Self::Loader | Self::Path | Self::Accounts => Severity::Medium,
            Self::Tree => Severity::Low,
        }
    }
}

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(rule) = Rule::get(RULE) else {
        return Vec::new();
    };
    let users = access::users(subject);
    if users.is_empty() {
        return Vec::new();
    }
    let mut found: BTreeMap<RootPath, Finding> = BTreeMap::new();
    for (role, node) in runs(subject) {
        let way = users
            .iter()
            .find_map(|who| access::may_change(who, node, subject.rootfs).map(|way| (who, way)));
        if let Some((who, way)) = way {
            let path = tools::first_path(node);
            // The strongest role of a file comes first.
            found
                .entry(path)
                .or_insert_with(|| finding(rule, role, node, who, &way, subject));
        }
    }
    if let Some(finding) = preload(rule, &users, subject) {
        found
            .entry(finding.path.clone().unwrap_or_default())
            .or_insert(finding);
    }
    found.into_values().collect()
}

/// Everything that the container runs or trusts, strongest role first.
fn runs<'a>(subject: &Subject<'a>) -> Vec<(Role, &'a Node)> {
    let rootfs = subject.rootfs;
    let chain = start::follow(subject).map_or_else(Vec::new, |start| start.chain);
    let mut all: Vec<(Role, &Node)> = Vec::new();
    for (at, &node) in chain.iter().enumerate() {
        all.push((if at == 0 { Role::Entry } else { Role::Interpreter }, node));
    }
    all.extend(
        libraries(&chain, subject)
            .into_iter()
            .map(|node| (Role::Library, node)),
    );
    if chain.iter().any(|node| is_dynamic(node)) {
        let present = LOADER
            .iter()
            .filter_map(|path| rootfs.resolve(&(*path).into()).ok());
        all.extend(present.map(|node| (Role::Loader, node)));
    }
    all.extend(
        searched_before(&chain, subject)
            .into_iter()
            .map(|node| (Role::Path, node)),
    );
    if chain.iter().any(|node| is_interpreter(node, subject)) {
        let trees = rootfs.nodes().filter(|node| {
            node.kind == Kind::Directory
                && node.paths.first().is_some_and(|path| {
                    let inside = path
                        .parent()
                        .is_some_and(|above| above.components().any(|part| TREES.contains(&part)));
                    TREES.contains(&path.name()) && !inside
                })
        });
        all.extend(trees.map(|node| (Role::Tree, node)));
    }
    let accounts = ACCOUNTS
        .iter()
        .filter_map(|path| rootfs.resolve(&(*path).into()).ok());
    all.extend(accounts.map(|node| (Role::Accounts, node)));
    all
}

fn is_dynamic(node: &Node) -> bool {
    matches!(
        node.program.as_deref().map(|program| &program.form),
        Some(Form::Elf(elf)) if elf.interpreter.is_some()
    )
}

fn is_interpreter(node: &Node, subject: &Subject<'_>) -> bool {
    let tool = node
        .program
        .as_deref()
        .and_then(|program| identify::by_content(program, subject));
    tool.is_some_and(|tool| tool.rule == "interpreter")
}

/// The libraries that these programs ask for by name, and those that they ask for, as far as the usual directories have
/// them; and their loader.
fn libraries<'a>(chain: &[&'a Node], subject: &Subject<'a>) -> Vec<&'a Node> {
    let rootfs = subject.rootfs;
    let mut todo: Vec<&Node> = chain.to_vec();
    let mut found: Vec<&Node> = Vec::new();
    let mut names: Vec<&[u8]> = Vec::new();
    while let Some(node) = todo.pop() {
        let Some(Form::Elf(elf)) = node.program.as_deref().map(|program| &program.form) else {
            continue;
        };
        let loader = elf
            .interpreter
            .as_deref()
            .and_then(|path| rootfs.resolve(&RootPath::clean(path)).ok());
        found.extend(loader.filter(|loader| !found.iter().any(|known| std::ptr::eq(*known, *loader))));
        for name in &elf.needed {
            if names.contains(&name.as_slice()) || names.len() >= CLOSURE {
                continue;
            }
            names.push(name);
            let library = LIBRARIES
                .iter()
                .find_map(|directory| rootfs.resolve(&RootPath::from(*directory).join(name)).ok())
                .filter(|library| library.kind == Kind::File);
            if let Some(library) = library {
                found.push(library);
                todo.push(library);
            }
        }
    }
    found
}

/// The directories that `PATH` names before the one in which the program is found.
fn searched_before<'a>(chain: &[&'a Node], subject: &Subject<'a>) -> Vec<&'a Node> {
    let (Some(config), Some(program)) = (subject.config, chain.first()) else {
        return Vec::new();
    };
    let words = command_line::words(config);
    let Some(name) = words.first().filter(|word| !word.contains('/')) else {
        return Vec::new();
    };
    let mut before = Vec::new();
    for element in command_line::search_path(config).split(':').take(64) {
        let directory = RootPath::clean(element.as_bytes());
        let here = subject.rootfs.resolve(&directory.join(name.as_bytes()));
        if here.is_ok_and(|node| std::ptr::eq(node, *program)) {
            break;
        }
        before.extend(subject.rootfs.resolve(&directory).ok());
    }
    before
}

/// `/etc/ld.so.preload` need not be there: whoever may fill `/etc` can write it.
fn preload(rule: &'static Rule, users: &[Who], subject: &Subject<'_>) -> Option<Finding> {
    let chain = start::follow(subject)?.chain;
    let directory = subject.rootfs.resolve(&"/etc".into()).ok()?;
    let absent = subject.rootfs.get(&"/etc/ld.so.preload".into()).is_none();
    let who = users
        .iter()
        .find(|who| access::may_fill(who, directory, subject.rootfs))?;
    if !absent || !chain.iter().any(|node| is_dynamic(node)) {
        return None;
    }
    let way = Way::Directory(tools::first_path(directory));
    let mut found = finding(rule, Role::Loader, directory, who, &way, subject);
    found.path = Some("/etc/ld.so.preload".into());
    found.aliases.clear();
    found.message = format!(
        "/etc/ld.so.preload is not there, but uid {} can write it, and every program then loads what it names",
        who.uid
    );
    Some(found)
}

fn finding(
    rule: &'static Rule,
    part: Role,
    node: &Node,
    who: &Who,
    way: &Way,
    subject: &Subject<'_>,
) -> Finding {
    let path = tools::first_path(node);
    let mut finding = Finding::new(
        rule,
        format!(
            "{path}, {}, can be changed by uid {}: {way}",
            part.words(),
            who.uid
        ),
        FIX,
    );
    finding.severity = part.severity();
    if part != Role::Entry {
        finding.qualifier = Some(Qualifier::BesideEntryPoint);
    }
    finding.aliases = identify::aliases(node, subject);
    finding.layer = Some(node.layer);
    finding.path = Some(path);
    finding
}
