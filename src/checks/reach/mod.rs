//! The closure is every file that the entry point needs or may load, each with the reason: found by reading, not by running.
//!
//! Three tiers, the surest first: what is started and linked; libraries whose names stand in those; directories of modules
//! and configurations that those read. More is not seen: so "not needed" means "not reached by these rules".

mod cache;
mod closure;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod libraries;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod opened;
#[cfg(test)]
mod samples;
mod scripts;
#[cfg(test)]
mod tests;
mod tokens;
mod trees;

use std::collections::BTreeSet;

pub(super) use self::closure::{Closure, MissingLibrary};
use self::libraries::{Libc, Search};
use super::{Subject, command_line, start};
use crate::{
    binary::{Elf, Form},
    finding::{Reach, Tier},
    gap::Hides,
    image::ImageConfig,
    layer::{Kind, Want},
    path::RootPath,
    rootfs::{Node, Rootfs},
    text::escape,
};

/// Files whose content says what is loaded.
pub(super) const WANTS: &[Want] = &[
    Want::Path("/etc/ld.so.cache"),
    Want::Path("/etc/ld.so.preload"),
    Want::Path("/etc/nsswitch.conf"),
    Want::Path("/etc/ld-musl-x86_64.path"),
    Want::Path("/etc/ld-musl-aarch64.path"),
    Want::Name("nginx.conf"),
    Want::Below("/etc/nginx/modules-enabled"),
    Want::Below("/usr/share/nginx/modules-available"),
    Want::Name("httpd.conf"),
    Want::Below("/etc/apache2/mods-available"),
];

/// Names that lead to names that lead to names: rounds that are followed.
const ROUNDS: usize = 4;

/// One object that a loader puts into memory.
struct Object<'a> {
    node: &'a Node,
    elf: &'a Elf,
    /// `$ORIGIN`: the directory under which it was opened.
    origin: RootPath,
    /// Which process loads it.
    process: usize,
    /// The object that names it.
    loader: Option<usize>,
    /// Names followed from the start to here.
    round: usize,
}

/// One program that runs, with what its loader has in memory.
struct Process<'a> {
    program: &'a Node,
    libc: Libc,
    names: BTreeSet<&'a [u8]>,
    files: BTreeSet<&'a RootPath>,
}

struct Walk<'a> {
    rootfs: &'a Rootfs,
    config: &'a ImageConfig,
    search: Search<'a>,
    closure: Closure,
    objects: Vec<Object<'a>>,
    processes: Vec<Process<'a>>,
    /// The first object whose names were not followed yet.
    next: usize,
    /// Files that the command line names.
    arguments: Vec<&'a Node>,
}

/// Follows what the entry point of an image needs.
pub(super) fn closure(subject: &Subject<'_>) -> Closure {
    let nothing = |why| Closure {
        incomplete: Some(why),
        ..Closure::default()
    };
    let Some(config) = subject.config else {
        return nothing("there is no configuration");
    };
    let Some(start) = start::follow(subject) else {
        return nothing("no command is configured");
    };
    let rootfs = subject.rootfs;
    let mut walk = Walk {
        rootfs,
        config,
        search: Search::new(rootfs, config),
        closure: Closure::default(),
        objects: Vec::new(),
        processes: Vec::new(),
        next: 0,
        arguments: Vec::new(),
    };
    if start.obstacle.is_some() {
        walk.incomplete("the entry point cannot start");
    }
    if rootfs
        .gaps()
        .iter()
        .any(|(_, gap)| matches!(gap.hides, Hides::Anything | Hides::Programs))
    {
        walk.incomplete("not all of the image could be read");
    }
    let mut before: Option<&Node> = None;
    for node in &start.chain {
        let why = match before {
            None => "the entry point".to_owned(),
            Some(before) => format!("run by {}", first(before)),
        };
        walk.program(node, Tier::Start, why);
        before = Some(node);
    }
    walk.arguments();
    walk.preloaded();
    scripts::follow(&mut walk, subject, &start.chain);
    walk.names(Tier::Named);
    trees::follow(&mut walk, subject);
    if let Some(why) = walk.search.incomplete() {
        walk.incomplete(why);
    }
    let mut closure = walk.closure;
    (closure.searched, closure.opened) = walk.search.into_places();
    closure
}

impl<'a> Walk<'a> {
    fn incomplete(&mut self, why: &'static str) {
        self.closure.incomplete.get_or_insert(why);
    }

    fn mark(&mut self, node: &'a Node, tier: Tier, why: impl FnOnce() -> String) {
        if let Some(path) = node.paths.first() {
            let reach = || Reach::Needed { tier, why: why() };
            self.closure.reached.entry(path.clone()).or_insert_with(reach);
        }
    }

    /// A program that is run as a process of its own, with its loader and libraries.
    fn program(&mut self, node: &'a Node, tier: Tier, why: String) {
        self.mark(node, tier, || why);
        let Some(Form::Elf(elf)) = node.program.as_ref().map(|program| &program.form) else {
            return;
        };
        let here = RootPath::clean(self.config.working_dir.as_bytes());
        let loader = elf
            .interpreter
            .as_deref()
            .and_then(|name| Some((name, self.rootfs.resolve_from(&here, name).ok()?)));
        let mut process = Process {
            program: node,
            libc: Libc::Other,
            names: BTreeSet::new(),
            files: BTreeSet::new(),
        };
        if let Some((name, loader)) = loader {
            process.libc = Libc::of(name, loader.paths.first().unwrap_or(&RootPath::root()));
            if let Some(Form::Elf(elf)) = loader.program.as_ref().map(|program| &program.form) {
                process.names.extend(elf.soname.as_deref());
            }
            self.search.also(first(loader).parent());
            self.mark(loader, tier, || format!("the loader of {}", first(node)));
        }
        let origin = node.paths.first().and_then(RootPath::parent).unwrap_or_default();
        self.processes.push(process);
        let index = self.processes.len() - 1;
        self.object(node, origin, index, None, tier, 0, String::new());
    }

    /// An object in memory, and then all that it is linked with.
    #[expect(
        clippy::too_many_arguments,
        reason = "an object is made in one place, of all that is known"
    )]
    fn object(
        &mut self,
        node: &'a Node,
        origin: RootPath,
        process: usize,
        loader: Option<usize>,
        tier: Tier,
        round: usize,
        why: String,
    ) {
        let from = self.objects.len();
        self.load(node, origin, process, loader, round);
        self.mark(node, tier, || why);
        let mut at = from;
        while at < self.objects.len() {
            self.needed(at, tier);
            at += 1;
        }
    }

    fn load(
        &mut self,
        node: &'a Node,
        origin: RootPath,
        process: usize,
        loader: Option<usize>,
        round: usize,
    ) -> bool {
        let Some(Form::Elf(elf)) = node.program.as_ref().map(|program| &program.form) else {
            return false;
        };
        let (Some(path), Some(running)) = (node.paths.first(), self.processes.get_mut(process)) else {
            return false;
        };
        running.names.extend(elf.soname.as_deref());
        if !running.files.insert(path) {
            return false;
        }
        if elf.library_names_cut || elf.damage.is_some() {
            self.incomplete("a needed program could not be read to the end");
        }
        self.objects.push(Object {
            node,
            elf,
            origin,
            process,
            loader,
            round,
        });
        true
    }

    /// `DT_NEEDED` of one object.
    fn needed(&mut self, at: usize, tier: Tier) {
        let Some(&Object {
            node,
            elf,
            process,
            round,
            ..
        }) = self.objects.get(at)
        else {
            return;
        };
        let Some((libc, program)) = self.processes.get(process).map(|one| (one.libc, one.program)) else {
            return;
        };
        for name in &elf.needed {
            let loaded = self
                .processes
                .get_mut(process)
                .is_some_and(|one| !one.names.insert(name));
            if loaded || libc.provides(name) {
                continue;
            }
            let Some(found) = self.search.find(name, libc, &self.objects, at) else {
                if tier == Tier::Start && libc != Libc::Other && self.search.incomplete().is_none() {
                    self.closure.missing.push(MissingLibrary {
                        name: name.clone(),
                        by: first(node),
                        layer: node.layer,
                        program: first(program),
                        cache: self.search.has_cache(),
                    });
                }
                continue;
            };
            for one in std::iter::once(found.node).chain(found.variants) {
                if self.load(one, found.origin.clone(), process, Some(at), round) {
                    self.mark(one, tier, || format!("NEEDED by {}", first(node)));
                }
            }
        }
    }

    /// Files that the command line names.
    fn arguments(&mut self) {
        let here = RootPath::clean(self.config.working_dir.as_bytes());
        for word in command_line::words(self.config).iter().skip(1) {
            let Ok(node) = self.rootfs.resolve_from(&here, word.as_bytes()) else {
                continue;
            };
            if node.kind != Kind::File || word.is_empty() {
                continue;
            }
            self.arguments.push(node);
            self.program(node, Tier::Start, "named on the command line".to_owned());
        }
    }

    /// Libraries that the loader puts before all others.
    fn preloaded(&mut self) {
        let file = self.rootfs.resolve(&RootPath::from("/etc/ld.so.preload"));
        let kept = file.ok().and_then(|node| node.kept.as_ref());
        let kept = kept.map_or(&[][..], |kept| &kept.bytes);
        let env = libraries::environment(self.config, "LD_PRELOAD=").unwrap_or_default();
        let names = [kept, env.as_bytes()].into_iter().flat_map(|list| {
            list.split(|byte| byte.is_ascii_whitespace() || *byte == b':')
                .filter(|name| !name.is_empty())
        });
        for name in names {
            self.library(name, 0, Tier::Start, 0, || {
                "loaded before all other libraries".to_owned()
            });
        }
    }

    /// A library that an object asks for by name while it runs.
    fn library(&mut self, name: &'a [u8], at: usize, tier: Tier, round: usize, why: impl FnOnce() -> String) {
        let Some(process) = self.objects.get(at).map(|object| object.process) else {
            return;
        };
        let Some(running) = self.processes.get_mut(process) else {
            return;
        };
        if running.libc == Libc::Other && !name.contains(&b'/') || !running.names.insert(name) {
            return;
        }
        let libc = running.libc;
        if let Some(found) = self.search.find(name, libc, &self.objects, at) {
            self.object(found.node, found.origin, process, Some(at), tier, round, why());
        }
    }

    /// Libraries whose names stand in what was reached.
    fn names(&mut self, tier: Tier) {
        while let Some(object) = self.objects.get(self.next) {
            let (node, elf, round) = (object.node, object.elf, object.round);
            let at = self.next;
            self.next += 1;
            if round >= ROUNDS {
                continue;
            }
            for name in &elf.library_names {
                self.library(name, at, tier, round + 1, || {
                    format!("{} is named in {}", escape(name), first(node))
                });
            }
        }
    }
}

/// The path under which a node is told.
fn first(node: &Node) -> RootPath {
    node.paths.first().cloned().unwrap_or_default()
}
