//! Notes are oddities of an image that change no verdict.

use super::{accounts, open::OpenedImage};
use crate::{
    catalog::Catalog,
    layer::{Kind, LayerFacts},
    path::RootPath,
    rootfs::{Node, Rootfs, Unresolved, accounts::Accounts},
};

/// What the kernel mounts in every container, so that links into it cannot be followed here.
const MOUNTED: [&str; 3] = ["/proc", "/sys", "/dev"];
/// Links to the program that follows them.
const SELF: [&str; 3] = ["/proc/self/exe", "/proc/thread-self/exe", "/proc/1/exe"];

/// All notes of one image.
pub(super) fn of(
    opened: &OpenedImage,
    facts: &[&LayerFacts],
    rootfs: &Rootfs,
    catalog: &Catalog,
) -> Vec<String> {
    let of_layers = facts.iter().enumerate().flat_map(|(index, facts)| {
        facts
            .notes
            .iter()
            .map(move |note| format!("layer {index}: {note}"))
    });
    opened
        .image
        .notes
        .iter()
        .cloned()
        .chain(of_layers)
        .chain(rootfs.notes().iter().cloned())
        .chain(access_lists(rootfs))
        .chain(links_to_self(rootfs))
        .chain(dangling_tools(rootfs, catalog))
        .chain(accounts::ambiguous(Accounts::read(rootfs).passwd.text()))
        .collect()
}

/// That files have access control lists, which no rule looks into.
fn access_lists(rootfs: &Rootfs) -> Option<String> {
    let listed = |node: &&Node| node.xattrs.iter().any(|name| name == "system.posix_acl_access");
    let mut nodes = rootfs.nodes().filter(listed);
    let first = nodes.next()?.paths.first()?;
    let more = nodes.count();
    Some(format!(
        "{first} and {more} more paths carry access control lists, which may grant more than their modes say"
    ))
}

/// Names of links, each with its target as written.
fn links(rootfs: &Rootfs) -> impl Iterator<Item = (&RootPath, &[u8])> {
    let links = rootfs.nodes().filter_map(|node| match &node.kind {
        Kind::Symlink(target) => Some((&node.paths, target.as_slice())),
        _ => None,
    });
    links.flat_map(|(paths, target)| paths.iter().map(move |path| (path, target)))
}

/// That links lead to whatever program follows them, so that what they start cannot be told.
fn links_to_self(rootfs: &Rootfs) -> Option<String> {
    let mut found = links(rootfs).filter(|(_, target)| {
        let clean = RootPath::clean(target);
        target.starts_with(b"/") && SELF.iter().any(|own| RootPath::from(*own) == clean)
    });
    let (first, _) = found.next()?;
    Some(format!(
        "{first} and {} more links lead to the very program that follows them",
        found.count()
    ))
}

/// That links are called like tools and lead nowhere: not usable as they are, and it tells what was meant to be there.
fn dangling_tools(rootfs: &Rootfs, catalog: &Catalog) -> Option<String> {
    let tool = |path: &RootPath| {
        catalog
            .by_name(path.name())
            .is_some_and(|family| family.rule.is_some())
    };
    let nowhere = |path: &RootPath| match rootfs.resolve(path) {
        Ok(_) => false,
        Err(Unresolved::Missing(at)) => !MOUNTED
            .iter()
            .map(|mount| RootPath::from(*mount))
            .any(|mount| at == mount || at.is_below(&mount)),
        Err(_) => true,
    };
    let mut found = links(rootfs).filter(|(path, _)| tool(path) && nowhere(path));
    let (first, _) = found.next()?;
    Some(format!(
        "{first} and {} more links are called like tools but lead nowhere",
        found.count()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layer::Entry,
        rootfs::testing::{file, rootfs, symlink},
    };

    #[test]
    fn links_to_the_program_that_follows_them_are_told() {
        let files = |target: &str| rootfs([symlink("/bin/sh", target), symlink("/x", "/proc/1/exe")]);
        for target in ["/proc/self/exe", "//proc/./self/exe", "/proc/thread-self/exe"] {
            let note = links_to_self(&files(target)).unwrap();
            assert!(note.starts_with("/bin/sh and 1 more"), "{note}");
        }
        for target in ["proc/self/exe", "/proc/self/fd/1", "/proc/self"] {
            let note = links_to_self(&files(target)).unwrap();
            assert!(note.starts_with("/x and 0 more"), "{note}");
        }
        assert_eq!(links_to_self(&rootfs([file("/proc/self/exe", 0o755)])), None);
    }

    #[test]
    fn links_called_like_tools_that_lead_nowhere_are_told() {
        let told = |files: &Rootfs| dangling_tools(files, Catalog::builtin());
        for target in ["/nowhere", "busybox", "sh", "/file/x"] {
            let files = rootfs([symlink("/bin/sh", target), file("/file", 0o644)]);
            let note = told(&files).unwrap();
            assert!(note.starts_with("/bin/sh and 0 more"), "{target}: {note}");
        }
        let fine = [
            symlink("/bin/sh", "/file"),
            symlink("/bin/bash", "/proc/self/exe"),
            symlink("/bin/dash", "/dev/stdin"),
            symlink("/bin/no-tool-at-all", "/nowhere"),
            file("/file", 0o755),
        ];
        assert_eq!(told(&rootfs(fine)), None);
    }

    #[test]
    fn access_control_lists_are_said_to_be_there() {
        let listed = |path: &str| Entry {
            xattrs: vec!["system.posix_acl_access".to_owned()],
            ..file(path, 0o644)
        };
        let fs = rootfs([listed("/a"), listed("/b"), file("/c", 0o644)]);
        let note = access_lists(&fs).unwrap();
        assert!(
            note.starts_with("/a and 1 more paths carry access control lists"),
            "{note}"
        );
        assert_eq!(access_lists(&rootfs([file("/c", 0o644)])), None);
    }
}
