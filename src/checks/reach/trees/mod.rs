//! Trees are directories of modules that a program loads without naming them, and what its configuration names.

mod table;

use self::table::{Reader, TREES, Tree};
use super::{Libc, Object, Walk, first};
use crate::{binary::Form, checks::Subject, finding::Tier, layer::Kind, path::RootPath, rootfs::Node};

/// A program, a directive of its configuration, the word that is a module's path, and where relative ones lie.
type Directive = (&'static [u8], &'static [u8], usize, &'static [&'static str]);

/// Directives that name modules.
const DIRECTIVES: &[Directive] = &[
    (
        b"nginx",
        b"load_module",
        1,
        &["/etc/nginx", "/usr/share/nginx", "/usr/lib/nginx"],
    ),
    (
        b"apache2",
        b"LoadModule",
        2,
        &["/usr/lib/apache2", "/usr/local/apache2"],
    ),
    (
        b"httpd",
        b"LoadModule",
        2,
        &["/usr/local/apache2", "/etc/httpd", "/usr/lib/apache2"],
    ),
];

/// Name services that the C library asks whatever `/etc/nsswitch.conf` says.
const SERVICES: [&[u8]; 3] = [b"files", b"dns", b"compat"];

/// Names of one program whose directories are looked at.
const HOMES: usize = 16;

/// Rules whose tools are no part of another program's tree.
const APART: [&str; 3] = ["shell", "interpreter", "package-manager"];

/// Follows trees and configurations of all that was reached, and what they need in turn.
pub(super) fn follow<'a>(walk: &mut Walk<'a>, subject: &Subject<'a>) {
    let mut done = std::collections::BTreeSet::new();
    let mut at = 0;
    loop {
        while at < walk.objects.len() {
            for tree in TREES {
                one(walk, subject, at, tree, &mut done);
            }
            services(walk, at);
            directives(walk, at);
            at += 1;
        }
        walk.names(Tier::Tree);
        if at >= walk.objects.len() {
            break;
        }
    }
    node_modules(walk, subject);
    walk.names(Tier::Tree);
}

fn one<'a>(
    walk: &mut Walk<'a>,
    subject: &Subject<'a>,
    at: usize,
    tree: &Tree,
    done: &mut std::collections::BTreeSet<RootPath>,
) {
    let Some(Object { node, elf, .. }) = walk.objects.get(at) else {
        return;
    };
    let node = *node;
    let reads = match tree.reader {
        Reader::Family(family) => has_family(node, family),
        Reader::Library(name) => elf
            .soname
            .as_ref()
            .is_some_and(|is| is.starts_with(name.as_bytes())),
    };
    if !reads {
        return;
    }
    for pattern in tree.directories {
        for directory in expand(walk, node, pattern) {
            if done.insert(directory.clone()) {
                take(walk, subject, &directory, at, tree.what);
            }
        }
    }
}

fn has_family(node: &Node, family: &str) -> bool {
    let identities = node
        .program
        .as_ref()
        .map_or(&[][..], |program| &program.identities);
    identities.iter().any(|identity| identity.family == family)
}

/// The directories that a pattern stands for.
fn expand(walk: &mut Walk<'_>, reader: &Node, pattern: &str) -> Vec<RootPath> {
    let mut found = Vec::new();
    let rest = if let Some(rest) = pattern.strip_prefix("HOME") {
        // A virtual environment has a link to the interpreter, and its modules beside that.
        let links = walk.rootfs.aliases(reader);
        let paths = reader.paths.iter().chain(links.iter().map(|link| &link.path));
        found.extend(paths.take(HOMES).filter_map(|path| path.parent()?.parent()));
        rest
    } else {
        found.push(RootPath::root());
        pattern
    };
    for part in rest.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for directory in found {
            let Some(directory) = walk
                .rootfs
                .resolve(&directory)
                .ok()
                .and_then(|node| node.paths.first())
            else {
                continue;
            };
            let Some(start) = part.strip_suffix('*') else {
                next.push(directory.join(part.as_bytes()));
                continue;
            };
            for (path, _) in walk.rootfs.children(directory) {
                if walk.search.spend() && path.name().starts_with(start.as_bytes()) {
                    next.push(path.clone());
                }
            }
        }
        found = next;
    }
    let ends = found.iter().filter_map(|path| walk.rootfs.resolve(path).ok());
    let mut ends: Vec<RootPath> = ends
        .filter(|node| node.kind == Kind::Directory)
        .filter_map(|node| node.paths.first().cloned())
        .collect();
    ends.sort();
    ends.dedup();
    ends
}

/// Everything below a directory, but for tools that are no part of a tree.
fn take<'a>(walk: &mut Walk<'a>, subject: &Subject<'a>, directory: &RootPath, at: usize, what: &str) {
    let Some((reader, process)) = walk.objects.get(at).map(|object| (object.node, object.process)) else {
        return;
    };
    let rootfs = walk.rootfs;
    for (path, node) in rootfs.under(directory) {
        if !walk.search.spend() {
            return;
        }
        let Some(program) = node.program.as_ref().filter(|_| node.kind == Kind::File) else {
            continue;
        };
        let rule = program
            .tool(subject.catalog)
            .and_then(|(_, meaning)| meaning.rule);
        if rule.is_some_and(|rule| APART.contains(&rule)) {
            continue;
        }
        let why = format!("{what}, which {} loads", first(reader));
        match &program.form {
            Form::Elf(elf) if !elf.startable => {
                let origin = path.parent().unwrap_or_default();
                walk.object(node, origin, process, Some(at), Tier::Tree, 1, why);
            }
            _ => walk.program(node, Tier::Tree, why),
        }
    }
}

/// The modules of the name service switch, which libc loads.
fn services(walk: &mut Walk<'_>, at: usize) {
    let is_libc = |object: &Object<'_>| object.elf.soname.as_deref() == Some(b"libc.so.6");
    let Some(object) = walk.objects.get(at).filter(|object| is_libc(object)) else {
        return;
    };
    let process = object.process;
    let told = walk.rootfs.resolve(&RootPath::from("/etc/nsswitch.conf")).ok();
    let told = told
        .and_then(|node| node.kept.as_ref())
        .map_or(&[][..], |kept| &kept.bytes);
    let words = told
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(b"#"))
        .filter_map(|line| line.splitn(2, |byte| *byte == b':').nth(1))
        .flat_map(|line| line.split(u8::is_ascii_whitespace))
        .filter(|word| {
            !word.is_empty()
                && word
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(b))
        });
    let services: std::collections::BTreeSet<&[u8]> = words.take(1_000).chain(SERVICES).collect();
    for service in services {
        let name = [b"libnss_", service, b".so.2"].concat();
        let found = walk.search.find_made(&name, Libc::Glibc, &walk.objects, at);
        if let Some(found) = found {
            let why = "the name service switch loads it".to_owned();
            walk.object(found.node, found.origin, process, Some(at), Tier::Tree, 1, why);
        }
    }
}

/// What the configuration of a web server names.
fn directives(walk: &mut Walk<'_>, at: usize) {
    let Some(object) = walk.objects.get(at).filter(|object| object.loader.is_none()) else {
        return;
    };
    let (node, process) = (object.node, object.process);
    for (program, directive, place, homes) in DIRECTIVES {
        if !node.paths.iter().any(|path| path.name() == *program) {
            continue;
        }
        for (file, path) in named(walk, directive, *place) {
            let paths = homes.iter().map(|home| RootPath::from(*home).join(&path));
            let whole = path.starts_with(b"/").then(|| RootPath::clean(&path));
            let found = whole.into_iter().chain(paths).find_map(|path| {
                let node = walk.search.spend().then(|| walk.rootfs.resolve(&path).ok())??;
                (node.kind == Kind::File).then_some((path, node))
            });
            if let Some((path, node)) = found {
                let why = format!("{file} names it");
                let origin = path.parent().unwrap_or_default();
                walk.object(node, origin, process, Some(at), Tier::Tree, 1, why);
            }
        }
    }
}

/// The paths behind a directive in all configurations that were kept, with the file that has them.
fn named(walk: &mut Walk<'_>, directive: &[u8], place: usize) -> Vec<(RootPath, Vec<u8>)> {
    let mut out = Vec::new();
    for node in walk.rootfs.nodes() {
        let Some(kept) = node.kept.as_ref().filter(|_| node.kind == Kind::File) else {
            continue;
        };
        for line in kept.bytes.split(|byte| *byte == b'\n') {
            let line = line.trim_ascii();
            if !line.starts_with(directive) || !walk.search.spend() {
                continue;
            }
            let word = line
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty())
                .nth(place);
            let cut = |byte: &u8| b"\"';".contains(byte);
            let word: Vec<u8> = word
                .unwrap_or_default()
                .iter()
                .copied()
                .filter(|b| !cut(b))
                .collect();
            if !word.is_empty() {
                out.push((first(node), word));
            }
        }
    }
    out
}

/// `node_modules` beside and above the scripts that Node.js runs.
fn node_modules<'a>(walk: &mut Walk<'a>, subject: &Subject<'a>) {
    let Some(at) = walk
        .objects
        .iter()
        .position(|object| has_family(object.node, "interp.node"))
    else {
        return;
    };
    let here = RootPath::clean(walk.config.working_dir.as_bytes());
    let beside = walk
        .arguments
        .iter()
        .flat_map(|node| &node.paths)
        .filter_map(RootPath::parent);
    let mut directories: Vec<RootPath> = beside.chain([here]).collect();
    directories = directories
        .iter()
        .flat_map(|directory| std::iter::successors(Some(directory.clone()), RootPath::parent))
        .map(|directory| directory.join(b"node_modules"))
        .collect();
    directories.sort();
    directories.dedup();
    for directory in directories {
        let found = walk
            .rootfs
            .resolve(&directory)
            .ok()
            .and_then(|node| node.paths.first());
        if let Some(directory) = found {
            take(walk, subject, directory, at, "modules of Node.js");
        }
    }
}
