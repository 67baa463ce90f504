//! Debian packages: fetched by apt into a cache of our own, unpacked by dpkg-deb, never installed.

use std::{collections::BTreeMap, io::Read, process::Command};

use tar::{Archive, EntryType};

use crate::{
    Result,
    apt::{Packages, output},
    context,
    recipe::Style,
    tree::{Kind, Node, Tree, clean},
};

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

impl Packages {
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
