//! Libraries are searched as the loader does it: glibc (ld.so(8)) or musl.

use std::collections::{BTreeMap, BTreeSet};

use super::{Object, cache, tokens::expand};
use crate::{
    binary::{Elf, Form},
    image::ImageConfig,
    layer::Kind,
    limits::Limits,
    path::RootPath,
    rootfs::{Node, Rootfs},
};

/// Where glibc's builds for the common distributions look; those of Debian are below the first two, by processor.
const DIRECTORIES: [&str; 4] = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"];
/// Where musl looks if it was not told otherwise.
const OF_MUSL: &[u8] = b"/lib:/usr/local/lib:/usr/lib";
/// Directories that are looked at of one list.
const ELEMENTS: usize = 64;
/// Objects whose `DT_RPATH` is looked at, from one up to its program.
const LOADERS: usize = 30;
/// What musl's `libc` is itself, whichever of these is asked for.
const PARTS_OF_MUSL: [&[u8]; 9] = [
    b"libc.",
    b"libpthread.",
    b"librt.",
    b"libm.",
    b"libdl.",
    b"libutil.",
    b"libxnet.",
    b"libcrypt.",
    b"libresolv.",
];

/// Which C library loads a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Libc {
    Glibc,
    Musl,
    /// Another one, whose ways are not known.
    Other,
}

impl Libc {
    /// By the loader that a program asks for and the file that this name leads to.
    pub(super) fn of(loader: &[u8], file: &RootPath) -> Self {
        let asked = loader.rsplit(|b| *b == b'/').next().unwrap_or(loader);
        let is = |name: &[u8], start: &[u8]| name.starts_with(start);
        if is(file.name(), b"libgcompat") || memchr::memmem::find(asked, b"uClibc").is_some() {
            Self::Other
        } else if is(asked, b"ld-musl-") {
            Self::Musl
        } else if is(asked, b"ld-linux")
            || is(asked, b"ld64.so")
            || is(asked, b"ld.so")
            || is(asked, b"ld-2.")
        {
            Self::Glibc
        } else {
            Self::Other
        }
    }

    /// Whether the C library itself is what is asked for.
    pub(super) fn provides(self, name: &[u8]) -> bool {
        self == Self::Musl && PARTS_OF_MUSL.iter().any(|part| name.starts_with(part))
    }
}

/// A library where it was found.
#[derive(Clone, Debug)]
pub(super) struct Found<'a> {
    /// The directory in which it was looked for.
    pub(super) origin: RootPath,
    pub(super) node: &'a Node,
    /// Builds of it for newer processors.
    pub(super) variants: Vec<&'a Node>,
}

/// Searches libraries, and counts what that takes.
pub(super) struct Search<'a> {
    rootfs: &'a Rootfs,
    working_dir: RootPath,
    from_env: Vec<RootPath>,
    cache: BTreeMap<&'a [u8], Vec<&'a [u8]>>,
    usual: Vec<RootPath>,
    /// Libraries that nothing but the usual places decides.
    known: BTreeMap<(Libc, u16, bool, &'a [u8]), Option<Found<'a>>>,
    work: usize,
    /// A list had more directories than are looked at, or an object more loaders.
    cut: bool,
    /// Directories that were looked into, up to the one that had what was looked for.
    searched: BTreeSet<RootPath>,
    /// Libraries as they were spelt when they were found.
    opened: BTreeSet<RootPath>,
}

impl<'a> Search<'a> {
    pub(super) fn new(rootfs: &'a Rootfs, config: &ImageConfig) -> Self {
        let working_dir = RootPath::clean(config.working_dir.as_bytes());
        let from_env = environment(config, "LD_LIBRARY_PATH=").unwrap_or_default();
        let (usual, more) = usual(rootfs);
        let cut = more || is_cut(from_env.as_bytes(), b":;");
        let from_env = match from_env {
            "" => Vec::new(),
            list => elements(list.as_bytes(), b":;")
                .map(|element| absolute(&working_dir, element))
                .collect(),
        };
        let mut cache: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
        let kept = rootfs
            .resolve(&RootPath::from("/etc/ld.so.cache"))
            .ok()
            .and_then(|node| node.kept.as_ref());
        for (name, path) in kept.map_or_else(Vec::new, |kept| cache::read(&kept.bytes)) {
            cache.entry(name).or_default().push(path);
        }
        Self {
            rootfs,
            working_dir,
            from_env,
            cache,
            usual,
            known: BTreeMap::new(),
            work: 0,
            cut,
            searched: BTreeSet::new(),
            opened: BTreeSet::new(),
        }
    }

    /// Directories that were looked into, and libraries as they were spelt when they were found.
    pub(super) fn into_places(self) -> (BTreeSet<RootPath>, BTreeSet<RootPath>) {
        (self.searched, self.opened)
    }

    /// Looks into one more directory last: a C library that was built for a place of its own has its loader there.
    pub(super) fn also(&mut self, directory: Option<RootPath>) {
        self.usual
            .extend(directory.filter(|path| !self.usual.contains(path)));
    }

    /// Whether it had to look up more than it may.
    pub(super) fn gave_up(&self) -> bool {
        self.work > Limits::default().reach_work
    }

    /// Why what was not found may be there all the same.
    pub(super) fn incomplete(&self) -> Option<&'static str> {
        if self.gave_up() {
            return Some("there was too much to look up (limit reach_work)");
        }
        self.cut
            .then_some("a search path has more directories, or a library more loaders, than are looked at")
    }

    /// Counts a look-up; whether it may be made.
    pub(super) fn spend(&mut self) -> bool {
        self.work += 1;
        !self.gave_up()
    }

    /// Whether the loader has a cache to look into.
    pub(super) fn has_cache(&self) -> bool {
        !self.cache.is_empty()
    }

    /// The library that an object gets under a name.
    pub(super) fn find(
        &mut self,
        name: &'a [u8],
        libc: Libc,
        objects: &[Object<'a>],
        at: usize,
    ) -> Option<Found<'a>> {
        let object = objects.get(at)?;
        if name.contains(&b'/') {
            let path = self.absolute(name);
            return self.at(&path, object.elf);
        }
        let own = self.own_directories(libc, objects, at);
        let key = (libc, object.elf.machine, object.elf.class64, name);
        if own.is_empty()
            && let Some(known) = self.known.get(&key)
        {
            return known.clone();
        }
        let plain = own.is_empty();
        let found = self.search(name, libc, &own, object.elf);
        if plain && !self.gave_up() {
            self.known.insert(key, found.clone());
        }
        found
    }

    /// The same for a name that was made up here.
    pub(super) fn find_made(
        &mut self,
        name: &[u8],
        libc: Libc,
        objects: &[Object<'a>],
        at: usize,
    ) -> Option<Found<'a>> {
        let own = self.own_directories(libc, objects, at);
        self.search(name, libc, &own, objects.get(at)?.elf)
    }

    fn absolute(&self, path: &[u8]) -> RootPath {
        absolute(&self.working_dir, path)
    }

    /// What the object and its loaders add: directories before `LD_LIBRARY_PATH` (`false`) or behind it (`true`).
    fn own_directories(&mut self, libc: Libc, objects: &[Object<'a>], at: usize) -> Vec<(bool, RootPath)> {
        let (mut out, mut cut) = (Vec::new(), false);
        self.add_own(libc, objects, at, &mut out, &mut cut);
        self.cut |= cut;
        // They are made anew for every name, whether or not all of them are looked into.
        self.work = self.work.saturating_add(out.len());
        out
    }

    fn add_own(
        &self,
        libc: Libc,
        objects: &[Object<'a>],
        at: usize,
        out: &mut Vec<(bool, RootPath)>,
        cut: &mut bool,
    ) {
        let mut add = |object: &Object<'a>, list: &[u8], behind: bool, cut: &mut bool| {
            *cut |= is_cut(list, b":");
            for element in elements(list, b":") {
                let spelt = expand(element, object);
                out.extend(spelt.iter().map(|one| (behind, self.absolute(one))));
            }
        };
        let Some(object) = objects.get(at) else { return };
        let all = || std::iter::successors(Some(object), |object| objects.get(object.loader?));
        let chain = all().take(LOADERS);
        if libc == Libc::Musl {
            for object in chain {
                let list = object.elf.runpath.as_ref().or(object.elf.rpath.as_ref());
                if let Some(list) = list {
                    add(object, list, true, cut);
                }
            }
        } else if let Some(list) = &object.elf.runpath {
            add(object, list, true, cut);
            return;
        } else {
            for object in chain.filter(|object| object.elf.runpath.is_none()) {
                if let Some(list) = &object.elf.rpath {
                    add(object, list, false, cut);
                }
            }
        }
        *cut |= all().nth(LOADERS).is_some();
    }

    fn search(&mut self, name: &[u8], libc: Libc, own: &[(bool, RootPath)], elf: &Elf) -> Option<Found<'a>> {
        let part = |behind: bool| {
            own.iter()
                .filter(move |(is, _)| *is == behind)
                .map(|(_, dir)| dir)
        };
        let from_env = self.from_env.clone();
        for directory in part(false).chain(&from_env).chain(part(true)) {
            let found = self.inside(directory, name, elf);
            if found.is_some() {
                return found;
            }
        }
        if libc == Libc::Musl {
            let told = self.path_of_musl().unwrap_or(OF_MUSL);
            return elements(told, b":\n").find_map(|element| {
                let directory = RootPath::clean(element);
                self.inside(&directory, name, elf)
            });
        }
        for path in self.cache.get(name).cloned().unwrap_or_default() {
            let found = self.at(&RootPath::clean(path), elf);
            if found.is_some() {
                return found;
            }
        }
        let usual = self.usual.clone();
        usual
            .iter()
            .find_map(|directory| self.inside(directory, name, elf))
    }

    /// What `/etc/ld-musl-ARCH.path` says.
    fn path_of_musl(&self) -> Option<&'a [u8]> {
        let etc = self
            .rootfs
            .children(&RootPath::from("/etc"))
            .find(|(path, node)| {
                let name = path.name();
                name.starts_with(b"ld-musl-") && name.ends_with(b".path") && node.kept.is_some()
            });
        etc?.1.kept.as_ref().map(|kept| kept.bytes.as_slice())
    }

    fn inside(&mut self, directory: &RootPath, name: &[u8], elf: &Elf) -> Option<Found<'a>> {
        if !self.searched.contains(directory) {
            self.searched.insert(directory.clone());
        }
        self.at(&directory.join(name), elf)
    }

    /// The library at a path, if the loader would take it for `elf`.
    fn at(&mut self, path: &RootPath, elf: &Elf) -> Option<Found<'a>> {
        let node = self.object(path, elf)?;
        self.opened.insert(path.clone());
        let origin = path.parent().unwrap_or_default();
        let newer = origin.join(b"glibc-hwcaps");
        let rootfs = self.rootfs;
        let levels: Vec<RootPath> = rootfs
            .resolve(&newer)
            .ok()
            .and_then(|node| node.paths.first())
            .map_or_else(Vec::new, |newer| {
                let levels = rootfs.children(newer).take(ELEMENTS);
                levels.map(|(level, _)| level.join(path.name())).collect()
            });
        let variants = levels.iter().filter_map(|path| self.object(path, elf)).collect();
        Some(Found {
            origin,
            node,
            variants,
        })
    }

    /// The file at a path if it is an object of the same class, byte order and processor: others are skipped.
    fn object(&mut self, path: &RootPath, elf: &Elf) -> Option<&'a Node> {
        if !self.spend() {
            return None;
        }
        let node = self.rootfs.resolve(path).ok()?;
        let fits = match node.program.as_ref().map(|program| &program.form) {
            Some(Form::Elf(other)) => {
                (other.class64, other.little_endian, other.machine)
                    == (elf.class64, elf.little_endian, elf.machine)
            }
            _ => false,
        };
        (node.kind == Kind::File && fits).then_some(node)
    }
}

/// The last value that `Env` gives; `prefix` ends in `=`.
pub(super) fn environment<'c>(config: &'c ImageConfig, prefix: &str) -> Option<&'c str> {
    let mut pairs = config.env.iter().rev();
    pairs
        .find_map(|pair| pair.strip_prefix(prefix))
        .filter(|value| !value.is_empty())
}

fn absolute(working_dir: &RootPath, path: &[u8]) -> RootPath {
    if path.first() == Some(&b'/') {
        RootPath::clean(path)
    } else {
        working_dir.join(path)
    }
}

fn elements<'l>(list: &'l [u8], separators: &'l [u8]) -> impl Iterator<Item = &'l [u8]> {
    list.split(move |byte| separators.contains(byte)).take(ELEMENTS)
}

/// Whether [`elements`] leaves some out.
fn is_cut(list: &[u8], separators: &[u8]) -> bool {
    list.split(|byte| separators.contains(byte))
        .nth(ELEMENTS)
        .is_some()
}

/// The directories of [`DIRECTORIES`] that the image has, with those that Debian has below them for each processor, and whether
/// there are more of those than are looked at.
fn usual(rootfs: &Rootfs) -> (Vec<RootPath>, bool) {
    let (mut out, mut cut): (Vec<RootPath>, _) = (Vec::new(), false);
    let listed = DIRECTORIES.map(RootPath::from);
    let below = listed
        .iter()
        .filter_map(|path| rootfs.resolve(path).ok()?.paths.first());
    for path in below {
        let mut debian = rootfs
            .children(path)
            .filter(|(path, _)| memchr::memmem::find(path.name(), b"-linux-").is_some());
        out.extend(debian.by_ref().map(|(path, _)| path.clone()).take(ELEMENTS));
        cut |= debian.next().is_some();
    }
    out.extend(listed.into_iter().filter(|path| rootfs.resolve(path).is_ok()));
    let mut seen = BTreeSet::new();
    out.retain(|path| seen.insert(path.clone()));
    (out, cut)
}
