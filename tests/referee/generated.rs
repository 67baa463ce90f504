//! A generated image: layers of members drawn by a seed, in every spelling and order, written as a tar and as an OCI layout.

use std::{collections::BTreeSet, fs, path::Path};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;

/// One member of a layer.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// The path as all readers understand it: relative, clean. Of a marker: what it hides.
    pub(crate) path: String,
    /// The path as written.
    pub(crate) spelled: String,
    pub(crate) what: What,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Directory,
    /// Content, and a raw capability set.
    File(Vec<u8>, Option<Vec<u8>>),
    Symlink(String),
    HardLink(String),
    Whiteout,
    Opaque,
}

pub(crate) type Layers = Vec<Vec<Member>>;

/// Where the readers are known to differ: the row of the table, the path, and how far from it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) row: &'static str,
    path: String,
    pub(crate) reach: Reach,
}

/// What of a path and those below it may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// All of it, and of what lies below.
    Below,
    /// All of it.
    Path,
    /// Its mode, owner and capabilities.
    Attributes,
}

pub(crate) const BELOW_A_LINK: &str = "a member below a link of a lower layer: the specification is silent";
pub(crate) const OPAQUE_ROOT: &str = "an opaque marker at the root: overlayfs ignores it, umoci hides all";
pub(crate) const WHITEOUT_AND_DIRECTORY: &str =
    "a whiteout and a directory of its name in one layer: overlayfs shows what was in it, umoci does not";
pub(crate) const LINK_HEADER: &str =
    "the header of a hard link: containerd applies it, umoci does not, scant joins both";
pub(crate) const IMPLIED: &str = "a directory without a member of its own: 0755 or 0777, its owner or root";
pub(crate) const MARKED: &str = "a directory that only a marker names: containerd makes it";

pub(crate) const HIDDEN_TARGET: &str =
    "a hard link to what its own layer has hidden: containerd links the marker";

const DIRECTORIES: [&str; 8] = ["a", "a/b", "a/b/e", "c", "c/d", "bin", "usr", "usr/bin"];
const NAMES: [&str; 4] = ["f", "g", "h", "sh"];
const TARGETS: [&str; 7] = ["usr/bin", "/usr/bin", "f", "../c/f", "b", "/a", "nowhere"];

/// A small generator of numbers (splitmix64): the same seed gives the same image everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % (limit as u64)).unwrap()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// The image of a seed.
pub(crate) fn image(seed: u64) -> Layers {
    let mut dice = Dice(seed);
    let mut files: Vec<String> = Vec::new();
    let mut layers = Layers::new();
    for layer in 0..2 + dice.below(3) {
        let mut own: Vec<String> = Vec::new();
        let mut members = Vec::new();
        for number in 0..2 + dice.below(8) {
            let directory = dice.of(&DIRECTORIES);
            let mut path = format!("{directory}/{}", dice.of(&NAMES));
            let kind = dice.below(if layer == 0 { 13 } else { 20 });
            let what = match kind {
                0..=2 => {
                    directory.clone_into(&mut path);
                    What::Directory
                }
                3..=8 => {
                    // One in eight stands where a directory could.
                    if dice.below(8) == 0 {
                        directory.clone_into(&mut path);
                    }
                    let content = format!("{seed} {layer} {number}").repeat(1 + dice.below(9));
                    // CAP_NET_BIND_SERVICE; CAP_DAC_OVERRIDE and CAP_FOWNER, of which the byte is that of a newline.
                    let set = [0x0400_u32, 0x0a].get(dice.below(12)).copied();
                    let capability = set.map(|set| {
                        let words = [0x0200_0001, set, 0, 0, 0];
                        words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
                    });
                    own.push(path.clone());
                    What::File(content.into_bytes(), capability)
                }
                9..=10 => {
                    if dice.below(3) == 0 {
                        directory.clone_into(&mut path);
                    }
                    What::Symlink(dice.of(&TARGETS).to_owned())
                }
                11..=12 => {
                    let from = if own.is_empty() || dice.below(5) == 0 {
                        &files
                    } else {
                        &own
                    };
                    if from.is_empty() {
                        continue;
                    }
                    What::HardLink(from[dice.below(from.len())].clone())
                }
                13..=16 => {
                    if dice.below(3) == 0 {
                        directory.clone_into(&mut path);
                    }
                    What::Whiteout
                }
                17 if dice.below(6) == 0 => {
                    path = String::new();
                    What::Opaque
                }
                _ => {
                    directory.clone_into(&mut path);
                    What::Opaque
                }
            };
            let mode = match what {
                What::Directory => dice.of(&[0o755, 0o700, 0o1777]),
                _ => dice.of(&[0o644, 0o755, 0o600, 0o4755, 0o2755]),
            };
            members.push(Member {
                spelled: spelled(&path, &what, &mut dice),
                path,
                what,
                mode,
                uid: dice.of(&[0, 0, 1, 65_532]),
                gid: dice.of(&[0, 0, 5, 65_532]),
            });
        }
        files.append(&mut own);
        layers.push(members);
    }
    layers
}

/// One of the ways in which archives spell a path; a marker's name is its last component.
fn spelled(path: &str, what: &What, dice: &mut Dice) -> String {
    let path = match what {
        What::Whiteout => match path.rsplit_once('/') {
            Some((directory, name)) => format!("{directory}/.wh.{name}"),
            None => format!(".wh.{path}"),
        },
        What::Opaque if path.is_empty() => ".wh..wh..opq".to_owned(),
        What::Opaque => format!("{path}/.wh..wh..opq"),
        _ => path.to_owned(),
    };
    let end = if *what == What::Directory { "/" } else { "" };
    match dice.below(6) {
        0 => format!("./{path}{end}"),
        1 => format!("/{path}{end}"),
        2 => format!("{}{end}", path.replacen('/', "//", 1)),
        3 => format!("a/../{path}{end}"),
        4 => format!("./{}{end}", path.replacen('/', "/./", 1)),
        _ => format!("{path}{end}"),
    }
}

/// The proper ancestors of a path.
fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

fn is_below(path: &str, directory: &str) -> bool {
    directory.is_empty()
        || path == directory
        || path
            .strip_prefix(directory)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// Where a link at `path` leads, if no other link is in the way.
fn target(path: &str, target: &str) -> String {
    let mut parts: Vec<&str> = if target.starts_with('/') {
        Vec::new()
    } else {
        path.split('/')
            .rev()
            .skip(1)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect()
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The path, and what it becomes where links on the way are followed.
fn followed(path: &str, links: &[(usize, &str, String)]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut todo = vec![path.to_owned()];
    while let Some(path) = todo.pop() {
        if all.len() < 40 && all.insert(path.clone()) {
            let through = links.iter().filter_map(|(_, from, to)| {
                let rest = path.strip_prefix(from)?.strip_prefix('/')?;
                Some(format!("{to}/{rest}").trim_start_matches('/').to_owned())
            });
            todo.extend(through);
        }
    }
    all
}

/// Where readers are known to differ in this image.
pub(crate) fn known(layers: &Layers) -> Vec<Known> {
    let mut known: Vec<Known> = Vec::new();
    let members = || {
        layers
            .iter()
            .enumerate()
            .flat_map(|(layer, members)| members.iter().map(move |member| (layer, member)))
    };
    let links: Vec<(usize, &str, String)> = members()
        .filter_map(|(layer, member)| match &member.what {
            What::Symlink(to) => Some((layer, member.path.as_str(), target(&member.path, to))),
            _ => None,
        })
        .collect();
    for (layer, member) in members() {
        let mut add = |row, path: &str, reach| {
            known.push(Known {
                row,
                path: path.to_owned(),
                reach,
            });
        };
        let beside = &layers[layer];
        let parents: BTreeSet<&str> = above(&member.path).collect();
        let opaque = member.what == What::Opaque;
        let mut through: Vec<&str> = links
            .iter()
            .filter(|(lower, at, _)| {
                *lower < layer && (parents.contains(at) || (opaque && *at == member.path))
            })
            .map(|(_, at, _)| *at)
            .collect();
        let mut seen = BTreeSet::new();
        while let Some(at) = through.pop() {
            if !seen.insert(at) {
                continue;
            }
            add(BELOW_A_LINK, at, Reach::Below);
            // Where it leads to is written as well, and what other links stand on the way.
            for (_, _, to) in links.iter().filter(|(_, from, _)| *from == at) {
                add(BELOW_A_LINK, to, Reach::Below);
                for parent in above(to) {
                    add(BELOW_A_LINK, parent, Reach::Path);
                }
                let others = links.iter().map(|(_, from, _)| *from);
                through.extend(others.filter(|from| is_below(from, to) || is_below(to, from)));
            }
        }
        match &member.what {
            What::Opaque if member.path.is_empty() => add(OPAQUE_ROOT, "", Reach::Below),
            What::Whiteout
                if beside
                    .iter()
                    .any(|other| other.what != What::Whiteout && is_below(&other.path, &member.path)) =>
            {
                add(WHITEOUT_AND_DIRECTORY, &member.path, Reach::Below);
            }
            What::HardLink(to) => {
                add(LINK_HEADER, &member.path, Reach::Attributes);
                add(LINK_HEADER, to, Reach::Attributes);
                if beside
                    .iter()
                    .any(|other| other.what == What::Whiteout && other.path == *to)
                {
                    add(HIDDEN_TARGET, &member.path, Reach::Path);
                }
            }
            _ => {}
        }
        for path in followed(&member.path, &links) {
            let own = |parent: &str| {
                beside
                    .iter()
                    .any(|other| other.what == What::Directory && other.path == parent)
            };
            for parent in above(&path).chain(opaque.then_some(path.as_str())) {
                if !own(parent) {
                    add(IMPLIED, parent, Reach::Attributes);
                }
                if opaque || member.what == What::Whiteout {
                    add(MARKED, parent, Reach::Path);
                }
            }
        }
    }
    // A hard link to a path that only some readers see.
    for (_, member) in members() {
        if let What::HardLink(to) = &member.what
            && known
                .iter()
                .any(|known| known.row == BELOW_A_LINK && explains(known, to, false))
        {
            known.push(Known {
                row: BELOW_A_LINK,
                path: member.path.clone(),
                reach: Reach::Path,
            });
        }
    }
    known
}

/// Whether a known difference explains one at `path`.
pub(crate) fn explains(known: &Known, path: &str, only_attributes_differ: bool) -> bool {
    match known.reach {
        Reach::Below => is_below(path, &known.path),
        Reach::Path => path == known.path,
        Reach::Attributes => only_attributes_differ && path == known.path,
    }
}

/// A layer as a tar archive.
pub(crate) fn tar(members: &[Member]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for member in members {
        let mut header = tar::Header::new_gnu();
        let (flag, body, link): (_, &[u8], &str) = match &member.what {
            What::Directory => (tar::EntryType::Directory, b"", ""),
            What::File(body, _) => (tar::EntryType::Regular, body, ""),
            What::Symlink(to) => (tar::EntryType::Symlink, b"", to),
            What::HardLink(to) => (tar::EntryType::Link, b"", to),
            What::Whiteout | What::Opaque => (tar::EntryType::Regular, b"", ""),
        };
        if let What::File(_, Some(capability)) = &member.what {
            let record = ("SCHILY.xattr.security.capability", capability.as_slice());
            builder.append_pax_extensions([record]).unwrap();
        }
        header.set_entry_type(flag);
        header.set_size(body.len() as u64);
        header.set_mode(member.mode);
        header.set_uid(member.uid.into());
        header.set_gid(member.gid.into());
        header.set_mtime(0);
        let old = header.as_old_mut();
        old.name[..member.spelled.len()].copy_from_slice(member.spelled.as_bytes());
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        builder.append(&header, body).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Writes the image, called `latest`, into an OCI layout.
pub(crate) fn write(layers: &Layers, layout: &Path) {
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let put = |bytes: &[u8]| {
        let hash = digest(&SHA256, bytes);
        let hex = scant::text::hex(hash.as_ref());
        fs::write(blobs.join(&hex), bytes).unwrap();
        (format!("sha256:{hex}"), bytes.len())
    };
    let layers: Vec<(String, usize)> = layers.iter().map(|members| put(&tar(members))).collect();
    let diff_ids: Vec<&String> = layers.iter().map(|(digest, _)| digest).collect();
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {}, "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let (config, size) = put(config.to_string().as_bytes());
    let describe = |kind: &str, (digest, size): &(String, usize)| json!({ "mediaType": format!("application/vnd.oci.image.{kind}"), "digest": digest, "size": size });
    let layers: Vec<_> = layers
        .iter()
        .map(|layer| describe("layer.v1.tar", layer))
        .collect();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": describe("config.v1+json", &(config, size)), "layers": layers,
    });
    let mut root = describe("manifest.v1+json", &put(manifest.to_string().as_bytes()));
    root["annotations"] = json!({ "org.opencontainers.image.ref.name": "latest" });
    let index = json!({ "schemaVersion": 2, "manifests": [root] });
    fs::write(layout.join("index.json"), index.to_string()).unwrap();
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}
