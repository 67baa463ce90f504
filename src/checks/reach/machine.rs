//! The machine's own loader as referee: for its own programs the start must be what `ldd` says.

#![expect(
    clippy::disallowed_methods,
    reason = "a test that reads the machine's own programs and asks its loader about them"
)]

use std::{collections::BTreeMap, fs, os::unix::ffi::OsStrExt, path::Path, process::Command};

use super::*;
use crate::{
    binary::Inspector,
    catalog::Catalog,
    layer::{Entry, Kept},
    limits::Limits,
    rootfs::testing::{entry, file, rootfs},
};

/// Programs that are compared, taken evenly from all of `/usr/bin`.
const PROGRAMS: usize = 40;
/// Larger files are not looked into: an unoptimised build would take long.
const LARGEST: u64 = 4 << 20;

/// Files as an image would have them, with the links on the way.
#[derive(Default)]
pub(super) struct Files(pub(super) BTreeMap<RootPath, Entry>);

impl Files {
    /// A file whose content is kept, if the machine has it.
    pub(super) fn keep(&mut self, path: &str) {
        let Ok(bytes) = fs::read(path) else { return };
        let kept = Some(Kept { bytes, cut: false });
        let entry = Entry {
            kept,
            ..file(path, 0o644)
        };
        self.0.insert(path.into(), entry);
    }

    /// A file or a link with all that leads to it.
    pub(super) fn add(&mut self, path: &Path, inspector: &mut Inspector<'_>) {
        let mut at = std::path::PathBuf::from("/");
        let mut parts = path.components();
        parts.next();
        while let Some(part) = parts.next() {
            let parent = at.clone();
            at.push(part);
            let key = RootPath::clean(at.as_os_str().as_bytes());
            let about = fs::symlink_metadata(&at).unwrap();
            if about.is_symlink() {
                let target = fs::read_link(&at).unwrap();
                let kind = Kind::Symlink(target.as_os_str().as_bytes().to_vec());
                self.0.insert(key.clone(), entry(&key.to_string(), kind, 0o777));
                // `join` lets an absolute target replace all before it.
                let on = parent.join(target).join(parts.as_path());
                let on = RootPath::clean(on.as_os_str().as_bytes());
                return self.add(Path::new(&on.to_lossy()), inspector);
            }
            if self.0.contains_key(&key) {
                continue;
            }
            if about.is_file() {
                let bytes = fs::read(&at).unwrap();
                inspector.begin(bytes.len() as u64, true);
                inspector.feed(&bytes);
                let program = inspector.finish().map(Box::new);
                let size = bytes.len() as u64;
                self.0.insert(
                    key.clone(),
                    Entry {
                        size,
                        program,
                        ..file(&key.to_string(), 0o755)
                    },
                );
            }
        }
    }
}

/// What `ldd` says that a program loads, with links followed.
fn ldd(program: &Path) -> Option<BTreeSet<RootPath>> {
    let said = Command::new("ldd").arg(program).output().ok()?;
    let text = String::from_utf8(said.stdout)
        .ok()
        .filter(|_| said.status.success())?;
    let paths = text
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    let real = paths.map(|path| fs::canonicalize(path).unwrap());
    Some(
        real.map(|path| RootPath::clean(path.as_os_str().as_bytes()))
            .collect(),
    )
}

#[test]
fn the_start_is_what_the_loader_of_this_machine_loads() {
    let mut all: Vec<_> = fs::read_dir("/usr/bin")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    all.sort();
    let elf = |path: &&std::path::PathBuf| {
        let about = fs::symlink_metadata(path).unwrap();
        about.is_file() && about.len() < LARGEST && fs::read(path).unwrap().starts_with(b"\x7fELF")
    };
    let all: Vec<_> = all.iter().filter(elf).collect();
    let limits = Limits::default();
    let mut inspector = Inspector::new(Catalog::builtin(), &limits);
    let mut files = Files::default();
    let mut compared = Vec::new();
    for program in all.iter().step_by((all.len() / PROGRAMS).max(1)) {
        let Some(loaded) = ldd(program).filter(|loaded| !loaded.is_empty()) else {
            continue;
        };
        let paths = loaded.iter().map(|path| Path::new("/").join(path.to_lossy()));
        paths.for_each(|path| files.add(&path, &mut inspector));
        files.add(program, &mut inspector);
        compared.push((RootPath::clean(program.as_os_str().as_bytes()), loaded));
    }
    assert!(compared.len() > 10, "{}", compared.len());
    // The names under which libraries are asked for are links beside them.
    for directory in [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/lib64",
    ] {
        for entry in fs::read_dir(directory)
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
        {
            let target = fs::canonicalize(entry.path()).ok();
            let known = target.is_some_and(|path| {
                files
                    .0
                    .contains_key(&RootPath::clean(path.as_os_str().as_bytes()))
            });
            if known {
                files.add(&entry.path(), &mut inspector);
            }
        }
    }
    for link in ["/lib", "/lib64"] {
        files.add(Path::new(link), &mut inspector);
    }
    files.keep("/etc/ld.so.cache");
    let root = rootfs(files.0.into_values());
    for (program, loaded) in compared {
        let config = ImageConfig {
            entrypoint: vec![program.to_string()],
            ..ImageConfig::default()
        };
        let subject = Subject::new(&root, Some(&config), None, Catalog::builtin());
        let closure = closure(&subject);
        assert!(closure.missing.is_empty(), "{program}: {:?}", closure.missing);
        let start = closure.reached.iter().filter(|(_, reach)| {
            matches!(
                reach,
                Reach::Needed {
                    tier: Tier::Start,
                    ..
                }
            )
        });
        let mut start: BTreeSet<RootPath> = start.map(|(path, _)| path.clone()).collect();
        assert!(start.remove(&program), "{program}");
        assert_eq!(start, loaded, "{program}");
    }
}
