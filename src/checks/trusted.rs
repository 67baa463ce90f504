//! What is trusted is every path that decides what a container runs or who may do what in it.

use crate::{
    binary::{Form, Program},
    finding::{Reach, Severity, Tier},
    layer::Kind,
    path::RootPath,
    rootfs::Node,
};

use super::{
    Subject,
    command_line::{self, delegated, env_line},
    identify, start, tools,
};

/// What tells the loader of glibc where to look.
const LOADER: &[&str] = &["/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.cache"];
/// Counts even if it is not there yet.
const PRELOAD: &str = "/etc/ld.so.preload";
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
/// Tables and scripts that a cron daemon runs as root.
const CRON: &[&str] = &[
    "/etc/crontab",
    "/etc/anacrontab",
    "/etc/cron.d",
    "/etc/cron.hourly",
    "/etc/cron.daily",
    "/etc/cron.weekly",
    "/etc/cron.monthly",
    "/etc/crontabs/root",
    "/etc/periodic",
    "/var/spool/cron/crontabs/root",
    "/var/spool/cron/root",
];
/// Programs that run scripts when a system comes up.
const INIT: &[&str] = &[
    "/sbin/init",
    "/usr/sbin/init",
    "/lib/systemd/systemd",
    "/usr/lib/systemd/systemd",
];
/// What they run.
const INIT_SCRIPTS: &[&str] = &[
    "/etc/inittab",
    "/etc/rc.local",
    "/etc/init.d",
    "/etc/rc.d",
    "/etc/systemd/system",
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
/// Elements of `PATH` that are looked at.
const ELEMENTS: usize = 64;
/// Commands that hand on to others.
const WRAPPERS: usize = 5;

/// What a path is to the program that the container starts, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Entry,
    Interpreter,
    Library,
    Libraries,
    Loader,
    Path,
    Accounts,
    Cron,
    Init,
    Tree,
    Application,
    Other,
}

impl Role {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Entry => "the program that the container starts",
            Self::Interpreter => "what runs the program that the container starts",
            Self::Library => "a library that the program loads",
            Self::Libraries => "a directory in which the loader looks for libraries",
            Self::Loader => "what tells the loader which libraries to load",
            Self::Path => "a directory that PATH names before the program's",
            Self::Accounts => "what says who is who",
            Self::Cron => "what a cron daemon runs as root",
            Self::Init => "what an init program runs as root",
            Self::Tree => "a tree from which the interpreter loads",
            Self::Application => "a file that the command line names",
            Self::Other => "a program beside the one that the container starts",
        }
    }

    pub(super) fn severity(self) -> Severity {
        match self {
            Self::Entry | Self::Interpreter => Severity::High,
            Self::Library | Self::Libraries | Self::Loader | Self::Path | Self::Accounts => Severity::Medium,
            Self::Cron | Self::Init | Self::Tree | Self::Application | Self::Other => Severity::Low,
        }
    }
}

/// One path that is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trusted {
    pub(super) role: Role,
    /// As it is spelt where it is trusted, links not followed.
    pub(super) path: RootPath,
    /// What lies below it counts, too.
    pub(super) below: bool,
}

/// All that is trusted, strongest first.
pub(super) fn trusted(subject: &Subject<'_>) -> Vec<Trusted> {
    let chain = start::follow(subject).map_or_else(Vec::new, |start| start.chain);
    let mut all = Vec::new();
    let mut add = |role: Role, path: RootPath, below: bool| all.push(Trusted { role, path, below });
    let (names, before) = names(&chain, subject);
    for (role, path) in names {
        add(role, path, false);
    }
    for (at, node) in chain.iter().enumerate() {
        let role = if at == 0 { Role::Entry } else { Role::Interpreter };
        add(role, tools::first_path(node), false);
    }
    let mut whole = Vec::new();
    if chain.iter().any(|node| is_interpreter(node, subject)) {
        whole.extend(trees(subject));
    }
    for path in &whole {
        add(Role::Tree, path.clone(), true);
    }
    let arguments = arguments(subject);
    let closure = subject.closure();
    for (path, reach) in closure.files() {
        let role = match reach {
            _ if arguments.contains(path) => Role::Application,
            Reach::Needed { tier: Tier::Tree, .. } if whole.iter().any(|tree| path.is_below(tree)) => {
                continue;
            }
            Reach::Needed { tier: Tier::Tree, .. } => Role::Tree,
            _ => Role::Library,
        };
        add(role, path.clone(), false);
    }
    for path in &closure.opened {
        add(Role::Library, path.clone(), false);
    }
    for path in &closure.searched {
        add(Role::Libraries, path.clone(), false);
    }
    let loaders: Vec<&[u8]> = chain.iter().filter_map(|node| loader_of(node)).collect();
    for loader in &loaders {
        add(Role::Library, RootPath::clean(loader), false);
        let name = loader.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let musl = name
            .strip_prefix(b"ld-musl-")
            .and_then(|rest| rest.split(|&byte| byte == b'.').next());
        match musl {
            Some(machine) => add(
                Role::Loader,
                RootPath::from("/etc").join(&[b"ld-musl-", machine, b".path"].concat()),
                false,
            ),
            None => add(Role::Loader, PRELOAD.into(), false),
        }
    }
    let mut present = |role: Role, paths: &[&str]| {
        let there = paths.iter().map(|path| RootPath::from(*path));
        for path in there.filter(|path| subject.rootfs.get(path).is_some()) {
            add(role, path, true);
        }
    };
    if !loaders.is_empty() {
        present(Role::Loader, LOADER);
    }
    present(Role::Accounts, ACCOUNTS);
    if subject.rootfs.nodes().any(is_cron) {
        present(Role::Cron, CRON);
    }
    let starts = |path: &str| {
        let node = subject.rootfs.resolve(&path.into());
        node.is_ok_and(|node| node.program.is_some() && node.mode & 0o111 != 0)
    };
    if INIT.iter().any(|path| starts(path)) {
        present(Role::Init, INIT_SCRIPTS);
    }
    for path in before {
        add(Role::Path, path, false);
    }
    all.extend(others(subject).map(|path| Trusted {
        role: Role::Other,
        path,
        below: false,
    }));
    all.sort_by_key(|trusted| trusted.role);
    all
}

/// The paths under which what runs is looked up, and the directories that `PATH` names before those that have it.
fn names(chain: &[&Node], subject: &Subject<'_>) -> (Vec<(Role, RootPath)>, Vec<RootPath>) {
    let Some(config) = subject.config.filter(|_| !chain.is_empty()) else {
        return (Vec::new(), Vec::new());
    };
    let here = RootPath::clean(config.working_dir.as_bytes());
    let search = command_line::search_path(config).as_bytes();
    let words: Vec<&[u8]> = command_line::words(config)
        .into_iter()
        .map(str::as_bytes)
        .collect();
    let mut asked: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut argv = Some(words);
    for _ in 0..WRAPPERS {
        let Some(words) = argv else { break };
        asked.extend(words.first().map(|word| (word.to_vec(), search.to_vec())));
        argv = delegated(&words);
    }
    for node in chain {
        let Some(Form::Script(script)) = node.program.as_ref().map(|program| &program.form) else {
            continue;
        };
        asked.push((script.interpreter.clone(), search.to_vec()));
        let line = env_line(script).unwrap_or_default();
        let path = line.path.unwrap_or_else(|| search.to_vec());
        asked.extend(line.program.map(|program| (program, path)));
    }
    let (mut names, mut before) = (Vec::new(), Vec::new());
    for (at, (name, search)) in asked.into_iter().enumerate() {
        let role = if at == 0 { Role::Entry } else { Role::Interpreter };
        let absolute = |path: &[u8]| match path.first() {
            Some(b'/') => RootPath::clean(path),
            _ => here.join(path),
        };
        if name.contains(&b'/') {
            names.push((role, absolute(&name)));
            continue;
        }
        let mut passed = Vec::new();
        for element in search.split(|&byte| byte == b':').take(ELEMENTS) {
            let directory = absolute(element);
            let path = directory.join(&name);
            let found = subject.rootfs.resolve(&path);
            if found.is_ok_and(|found| chain.iter().any(|node| std::ptr::eq(*node, found))) {
                names.push((role, path));
                before.append(&mut passed);
                break;
            }
            passed.push(directory);
        }
    }
    (names, before)
}

/// The loader that a program asks for.
fn loader_of(node: &Node) -> Option<&[u8]> {
    match node.program.as_deref().map(|program| &program.form) {
        Some(Form::Elf(elf)) => elf.interpreter.as_deref(),
        _ => None,
    }
}

/// Files that the command line names, by first path.
fn arguments(subject: &Subject<'_>) -> Vec<RootPath> {
    let Some(config) = subject.config else {
        return Vec::new();
    };
    let here = RootPath::clean(config.working_dir.as_bytes());
    let words = command_line::words(config);
    let named = words.iter().skip(1).filter(|word| !word.is_empty());
    named
        .filter_map(|word| subject.rootfs.resolve_from(&here, word.as_bytes()).ok())
        .filter(|node| node.kind == Kind::File)
        .map(tools::first_path)
        .collect()
}

fn is_cron(node: &Node) -> bool {
    let Some(program) = node.program.as_deref().filter(|_| node.mode & 0o111 != 0) else {
        return false;
    };
    let known = program.identities.iter().any(|identity| {
        identity.family == "os.cron" || identity.applets.iter().any(|applet| applet == "crond")
    });
    known
        || program.starts()
            && node
                .paths
                .iter()
                .any(|path| matches!(path.name(), b"cron" | b"crond"))
}

fn is_interpreter(node: &Node, subject: &Subject<'_>) -> bool {
    let tool = node
        .program
        .as_deref()
        .and_then(|program| identify::by_content(program, subject));
    tool.is_some_and(|tool| tool.rule == "interpreter")
}

/// The topmost directories from which interpreters load.
fn trees<'a>(subject: &Subject<'a>) -> impl Iterator<Item = RootPath> + use<'a> {
    let directories = subject
        .rootfs
        .nodes()
        .filter(|node| node.kind == Kind::Directory)
        .filter_map(|node| node.paths.first());
    directories
        .filter(|path| {
            let mut names = path.components();
            let last = names.next_back();
            last.is_some_and(|name| TREES.contains(&name)) && !names.any(|name| TREES.contains(&name))
        })
        .cloned()
}

/// Every program of the image.
fn others<'a>(subject: &Subject<'a>) -> impl Iterator<Item = RootPath> + use<'a> {
    let programs = subject
        .rootfs
        .nodes()
        .filter(|node| node.kind == Kind::File && node.mode & 0o111 != 0)
        .filter(|node| node.program.as_deref().is_some_and(Program::is_program));
    programs.map(tools::first_path)
}
