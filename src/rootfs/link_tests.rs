//! Hard links give away what their own headers say, wherever the file is that they name.

use super::{testing::*, *};
use crate::layer::Entry;

fn node<'r>(rootfs: &'r Rootfs, path: &str) -> &'r Node {
    rootfs.get(&path.into()).unwrap()
}

/// A hard link whose header is that of a program of root with a set-id bit and a capability.
fn privileged(path: &str, target: &str) -> Entry {
    Entry {
        mode: 0o4755,
        capability: Some([&[1, 0, 0, 2, 0b10][..], &[0; 15]].concat()),
        ..hardlink(path, target)
    }
}

fn told(rootfs: &Rootfs, part: &str) -> bool {
    rootfs.notes().iter().any(|note| note.contains(part))
}

#[test]
fn a_header_counts_wherever_its_file_stands() {
    let plain = || owned(program("/a", []), 1000, 1000);
    for (place, rootfs) in [
        ("before", rootfs([plain(), privileged("/b", "/a")])),
        ("further on", rootfs([privileged("/b", "/a"), plain()])),
        (
            "in a lower layer",
            merge([layer([plain()]), layer([privileged("/b", "/a")])]),
        ),
        (
            "in a lower layer, by a chain",
            merge([
                layer([plain()]),
                layer([privileged("/b", "/c"), hardlink("/c", "/a")]),
            ]),
        ),
    ] {
        let node = node(&rootfs, "/b");
        assert!(node.program.is_some(), "{place}");
        assert_eq!((node.mode, node.uid, node.gid), (0o4755, 0, 0), "{place}");
        assert_eq!(node.capability.as_ref().unwrap()[4], 0b10, "{place}");
        assert!(node.headers_differ && told(&rootfs, "header differs"), "{place}");
        assert_eq!(
            told(&rootfs, "a file of a lower layer or further on"),
            place != "before",
            "{place}"
        );
    }
}

#[test]
fn owners_of_both_headers_are_weighed_and_root_is_the_worst() {
    for (file, link, joined) in [
        ((0, 0), (1000, 1000), (0, 0)),
        ((1000, 1000), (0, 0), (0, 0)),
        ((0, 7), (7, 0), (0, 0)),
        ((1000, 1000), (1001, 1002), (1001, 1002)),
    ] {
        let link = owned(hardlink("/b", "/a"), link.0, link.1);
        let rootfs = rootfs([owned(program("/a", []), file.0, file.1), link]);
        let node = node(&rootfs, "/a");
        assert_eq!((node.uid, node.gid), joined);
    }
}

#[test]
fn members_below_an_absolute_link_lie_where_it_leads_from_the_root() {
    let rootfs = rootfs([
        symlink("/a/abs", "/opt"),
        file("/a/abs/x", 0o644),
        symlink("/a/b/rel", "../opt"),
        file("/a/b/rel/y", 0o644),
    ]);
    for path in ["/opt/x", "/a/opt/y"] {
        assert!(rootfs.get(&path.into()).is_some(), "{path}");
    }
    assert!(rootfs.get(&"/a/opt/x".into()).is_none());
}
