//! Debian packages: fetched by apt into a cache of our own, unpacked by dpkg-deb, never installed.
//!
//! apt works on a state directory below `target`, so that neither root nor a change to the machine is needed, also for
//! packages of another architecture.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::Command,
};

use tar::{Archive, EntryType};

use crate::{
    Error, Result, context,
    programs::output,
    recipe::Style,
    tree::{Kind, Node, Tree, clean},
};

/// The Debian release that the recipes are written for; apt prefers it to whatever else the machine knows.
const RELEASE: &str = "bookworm";
/// Architectures that recipes name besides the machine's own.
const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];
/// What slim images leave out of every package; copyright files stay.
const LEFT_OUT: [&str; 6] = [
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/bash-completion",
    "usr/share/doc",
];
/// Top directories that Debian has merged into `/usr`.
const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];

/// The machine's architecture, as packages and images call it.
pub(crate) fn machine() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// The cache of fetched packages.
#[derive(Debug)]
pub(crate) struct Packages {
    directory: PathBuf,
}

impl Packages {
    /// A cache below `work`.
    pub(crate) fn new(work: &Path) -> Self {
        Self {
            directory: work.to_owned(),
        }
    }

    /// Fetches those of `names` that the cache lacks.
    pub(crate) fn fetch(&self, names: &BTreeSet<&str>) -> Result<()> {
        let packages = self.directory.join("packages");
        fs::create_dir_all(&packages).map_err(context(&packages))?;
        let missing: Vec<_> = names.iter().filter(|name| self.file(name).is_err()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let state = self.directory.join("apt");
        for part in ["lists/partial", "archives/partial"] {
            fs::create_dir_all(state.join(part)).map_err(context(&state))?;
        }
        fs::write(state.join("status"), "").map_err(context(&state))?;
        let apt = || {
            let mut apt = Command::new("apt-get");
            for (key, value) in [("State", ""), ("State::status", "status"), ("Cache", "")] {
                apt.arg(format!("-oDir::{key}={}", state.join(value).display()));
            }
            apt.arg(format!("-oAPT::Architecture={}", machine()));
            apt.arg(format!("-oAPT::Architectures::={}", machine()));
            apt.args(ARCHITECTURES.map(|name| format!("-oAPT::Architectures::={name}")));
            apt.arg(format!("-oAPT::Default-Release={RELEASE}"));
            // The user `_apt` cannot write to our directory; packages are verified all the same.
            apt.args([
                "-q",
                "-oAPT::Sandbox::User=root",
                "-oAcquire::Languages=none",
                "-oAcquire::Retries=3",
            ]);
            apt.current_dir(&packages);
            apt
        };
        output(apt().arg("update")).map_err(|why| with_hint(&why))?;
        output(apt().arg("download").args(&missing)).map_err(|why| with_hint(&why))?;
        Ok(())
    }

    /// The fetched file of a package: its name holds the version.
    pub(crate) fn file(&self, name: &str) -> Result<PathBuf> {
        let (name, architecture) = name.split_once(':').unwrap_or((name, machine()));
        let directory = self.directory.join("packages");
        let mut found: Vec<_> = fs::read_dir(&directory)
            .map_err(context(&directory))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                let suffix = |part: &str| file.ends_with(&format!("_{part}.deb"));
                file.split('_').next() == Some(name) && (suffix(architecture) || suffix("all"))
            })
            .collect();
        found.sort();
        found
            .pop()
            .ok_or_else(|| format!("package {name} is not in {}", directory.display()).into())
    }

    /// All files of a package, as it has them.
    pub(crate) fn files(&self, name: &str) -> Result<Tree> {
        let file = self.file(name)?;
        let tar = output(Command::new("dpkg-deb").arg("--fsys-tarfile").arg(&file))?;
        let mut tree = Tree::default();
        for (path, node) in members(&tar).map_err(context(&file))? {
            tree.put(&path, node);
        }
        Ok(tree)
    }

    /// The package's control files by name: `control`, `md5sums`.
    fn control(&self, name: &str) -> Result<BTreeMap<String, String>> {
        let tar = output(
            Command::new("dpkg-deb")
                .arg("--ctrl-tarfile")
                .arg(self.file(name)?),
        )?;
        let texts = members(&tar)?
            .into_iter()
            .filter_map(|(path, node)| match node.kind {
                Kind::File(bytes) => Some((path, String::from_utf8_lossy(&bytes).into_owned())),
                _ => None,
            });
        Ok(texts.collect())
    }

    /// The trees of packages as `style` has them: one for each, or one for all.
    pub(crate) fn trees(
        &self,
        names: &[String],
        style: Style,
        keep: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Tree>> {
        let mut trees = Vec::new();
        let mut status = String::new();
        for name in names {
            let plain_name = name.split(':').next().unwrap_or(name);
            let mut tree = self.files(name)?;
            tree.nodes
                .retain(|path, _| keep(path) && (path.ends_with("/copyright") || !left_out(path)));
            let control = self.control(name)?;
            let text = |file: &str| control.get(file).cloned().unwrap_or_default();
            let mut write = |path: String, text: String| {
                tree.put(&path, Node::new(Kind::File(text.into_bytes()), 0o644));
            };
            match style {
                Style::Plain => {}
                Style::Merged => tree = merge_usr(tree),
                Style::Distroless => {
                    write(format!("var/lib/dpkg/status.d/{plain_name}"), text("control"));
                    write(
                        format!("var/lib/dpkg/status.d/{plain_name}.md5sums"),
                        text("md5sums"),
                    );
                }
                Style::Debian => {
                    tree = merge_usr(tree);
                    let list = tree
                        .nodes
                        .keys()
                        .fold(String::new(), |list, path| list + "/" + path + "\n");
                    let path = format!("var/lib/dpkg/info/{plain_name}.list");
                    tree.put(&path, Node::new(Kind::File(list.into_bytes()), 0o644));
                    let control = text("control");
                    let (first, rest) = control.split_once('\n').unwrap_or((&control, ""));
                    status.extend([first, "\nStatus: install ok installed\n", rest, "\n"]);
                }
            }
            trees.push(tree);
        }
        if style == Style::Distroless {
            return Ok(trees);
        }
        let mut all = Tree::default();
        for tree in trees {
            all.nodes.extend(tree.nodes);
        }
        if style == Style::Debian {
            all.put(
                "var/lib/dpkg/status",
                Node::new(Kind::File(status.into_bytes()), 0o644),
            );
        }
        Ok(vec![all])
    }
}

/// Says what fetching needs.
fn with_hint(why: &Error) -> String {
    format!("{why}\nthese samples need apt-get and dpkg-deb of Debian 12, and its packages")
}

fn left_out(path: &str) -> bool {
    LEFT_OUT.iter().any(|prefix| below(path, prefix))
}

/// Whether `path` is `prefix` or lies below it.
pub(crate) fn below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Moves `/bin`, `/sbin` and `/lib…` below `/usr`, as on every installed Debian.
fn merge_usr(tree: Tree) -> Tree {
    let moved = |path: &str| {
        let top = path.split('/').next().unwrap_or_default();
        if MERGED.contains(&top) {
            format!("usr/{path}")
        } else {
            path.to_owned()
        }
    };
    let nodes = tree.nodes.into_iter().map(|(path, mut node)| {
        if let Kind::HardLink(target) = &mut node.kind {
            *target = moved(target);
        }
        (moved(&path), node)
    });
    Tree {
        nodes: nodes.collect(),
    }
}

/// Reads a tar file that dpkg-deb wrote.
fn members(tar: &[u8]) -> Result<Vec<(String, Node)>> {
    let mut members = Vec::new();
    for entry in Archive::new(tar).entries()? {
        let mut entry = entry?;
        let path = clean(&String::from_utf8_lossy(&entry.path_bytes()));
        if path.is_empty() {
            continue;
        }
        let link = entry
            .link_name_bytes()
            .map(|name| String::from_utf8_lossy(&name).into_owned());
        let kind = match entry.header().entry_type() {
            EntryType::Directory => Kind::Directory,
            EntryType::Symlink => Kind::Symlink(link.unwrap_or_default()),
            EntryType::Link => Kind::HardLink(clean(&link.unwrap_or_default())),
            EntryType::Regular => {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes)?;
                Kind::File(bytes)
            }
            other => return Err(format!("{path}: unexpected member {other:?}").into()),
        };
        let header = entry.header();
        let mut node = Node::new(kind, header.mode()? & 0o7777);
        (node.uid, node.gid) = (header.uid()? as u32, header.gid()? as u32);
        members.push((path, node));
    }
    Ok(members)
}
