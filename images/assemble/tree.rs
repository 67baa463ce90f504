//! A tree is the content of one layer before it becomes a tar file: paths and what lies there.

use std::collections::BTreeMap;

use crate::{Result, recipe::Attributes};

/// Content of one layer, by path without leading slash; a directory sorts before what it holds.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: BTreeMap<String, Node>,
}

/// One member of a layer.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// `security.capability`, as the kernel stores it.
    pub(crate) capability: Option<Vec<u8>>,
}

/// What a member is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    File(Vec<u8>),
    Directory,
    Symlink(String),
    /// To a path of the same layer, without leading slash.
    HardLink(String),
    /// Major and minor number.
    BlockDevice(u32, u32),
    /// Major and minor number.
    CharDevice(u32, u32),
}

/// Directories that exist below, and how: a layer that adds a file must not change them.
pub(crate) type Directories = BTreeMap<String, (u32, u32, u32)>;

impl Kind {
    /// A device as it is written in recipes.
    pub(crate) fn device(text: &str) -> Result<Self> {
        let form = || format!("device {text:?} is not `b MAJOR:MINOR` or `c MAJOR:MINOR`");
        let (sort, numbers) = text.split_once(' ').ok_or_else(form)?;
        let (major, minor) = numbers.split_once(':').ok_or_else(form)?;
        let (major, minor) = (major.parse()?, minor.parse()?);
        match sort {
            "b" => Ok(Self::BlockDevice(major, minor)),
            "c" => Ok(Self::CharDevice(major, minor)),
            _ => Err(form().into()),
        }
    }
}

impl Node {
    pub(crate) fn new(kind: Kind, mode: u32) -> Self {
        Self {
            kind,
            mode,
            uid: 0,
            gid: 0,
            capability: None,
        }
    }
}

impl Tree {
    /// Puts `node` at `path`, over whatever was there.
    pub(crate) fn put(&mut self, path: &str, node: Node) {
        self.nodes.insert(clean(path), node);
    }

    /// Adds the directories that paths imply, with the attributes they have in lower layers.
    pub(crate) fn complete(&mut self, below: &Directories) {
        let mut missing = BTreeMap::new();
        for path in self.nodes.keys() {
            for (at, _) in path.match_indices('/') {
                let parent = &path[..at];
                if !self.nodes.contains_key(parent) {
                    let (mode, uid, gid) = below.get(parent).copied().unwrap_or((0o755, 0, 0));
                    let mut node = Node::new(Kind::Directory, mode);
                    (node.uid, node.gid) = (uid, gid);
                    missing.insert(parent.to_owned(), node);
                }
            }
        }
        self.nodes.append(&mut missing);
    }

    /// Directories of this layer, for the layers above.
    pub(crate) fn directories(&self) -> Directories {
        let directories = self
            .nodes
            .iter()
            .filter(|(_, node)| matches!(node.kind, Kind::Directory));
        directories
            .map(|(path, node)| (path.clone(), (node.mode, node.uid, node.gid)))
            .collect()
    }

    /// Sets mode, owner and capabilities of a path that is there.
    pub(crate) fn set(&mut self, path: &str, attributes: &Attributes) -> Result<()> {
        let node = self
            .nodes
            .get_mut(&clean(path))
            .ok_or_else(|| format!("attributes of {path}: no such path"))?;
        if let Some(mode) = &attributes.mode {
            node.mode = octal(mode)?;
        }
        if let Some(owner) = &attributes.owner {
            let (uid, gid) = owner
                .split_once(':')
                .ok_or_else(|| format!("{path}: owner is uid:gid"))?;
            (node.uid, node.gid) = (uid.parse()?, gid.parse()?);
        }
        if !attributes.capabilities.is_empty() {
            node.capability = Some(capability(&attributes.capabilities)?);
        }
        Ok(())
    }
}

/// The key under which a path is kept.
pub(crate) fn clean(path: &str) -> String {
    let parts: Vec<_> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    parts.join("/")
}

/// A mode as it is written in recipes.
pub(crate) fn octal(text: &str) -> Result<u32> {
    u32::from_str_radix(text, 8).map_err(|_| format!("mode {text:?} is not octal").into())
}

/// `struct vfs_cap_data`, revision 2, permitted and effective (linux/capability.h).
fn capability(names: &[String]) -> Result<Vec<u8>> {
    let mut bits = 0_u64;
    for name in names {
        bits |= 1
            << match name.as_str() {
                "chown" => 0,
                "dac_override" => 1,
                "setuid" => 7,
                "net_bind_service" => 10,
                "net_admin" => 12,
                "net_raw" => 13,
                "sys_ptrace" => 19,
                "sys_admin" => 21,
                _ => return Err(format!("capability {name:?} is not known here: add it to tree.rs").into()),
            };
    }
    let effective = 0x0200_0001_u32;
    let words = [effective, bits as u32, 0, (bits >> 32) as u32, 0];
    Ok(words.iter().flat_map(|word| word.to_le_bytes()).collect())
}
