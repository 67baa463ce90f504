//! Tests of the merge and of links; what they share stands here.

mod cost;
mod one_layer;
mod properties;
mod resolving;
mod runtimes;
mod several_layers;

use super::{testing::*, *};

fn paths(rootfs: &Rootfs) -> Vec<String> {
    let mut paths: Vec<String> = rootfs
        .under(&RootPath::root())
        .map(|(path, _)| path.to_string())
        .collect();
    paths.sort();
    paths
}

/// Files, links and devices, without directories.
fn leaves(rootfs: &Rootfs) -> Vec<String> {
    let mut paths: Vec<String> = rootfs
        .under(&RootPath::root())
        .filter(|(_, node)| node.kind != Kind::Directory)
        .map(|(path, _)| path.to_string())
        .collect();
    paths.sort();
    paths
}

/// (path, shipped by, hidden by, overwritten), directories left out.
fn residue(rootfs: &Rootfs) -> Vec<(String, usize, usize, bool)> {
    let files = rootfs
        .residue()
        .iter()
        .filter(|it| it.entry.kind != Kind::Directory);
    files
        .map(|it| (it.entry.path.to_string(), it.layer, it.hidden_by, it.overwritten))
        .collect()
}

fn get<'r>(rootfs: &'r Rootfs, path: &str) -> &'r Node {
    rootfs
        .get(&path.into())
        .unwrap_or_else(|| panic!("{path} is missing"))
}

fn resolved(rootfs: &Rootfs, path: &str) -> Result<String, Unresolved> {
    rootfs
        .resolve_from(&RootPath::root(), path.as_bytes())
        .map(|node| node.paths[0].to_string())
}

fn noted(rootfs: &Rootfs, part: &str) -> bool {
    rootfs.notes().iter().any(|note| note.contains(part))
}

fn sized(entry: Entry, size: u64) -> Entry {
    Entry { size, ..entry }
}
