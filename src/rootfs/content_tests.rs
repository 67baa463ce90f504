//! Which content a name has, and which layer brought it, when later members write over it or ship it again.

use super::testing::*;
use crate::{layer::Entry, path::RootPath};

/// Layer of the content and layer of the last member of `/bin/sh` in an image of these layers.
fn layers_of<const N: usize>(members: [Entry; N]) -> (usize, usize) {
    let rootfs = merge(members.map(|member| layer([member])));
    let node = rootfs.get(&RootPath::from("/bin/sh")).unwrap();
    (node.content_layer, node.layer)
}

fn shell() -> Entry {
    program("bin/sh", ["shell.bash"])
}

#[test]
fn a_changed_mode_or_owner_leaves_the_content_with_its_layer() {
    let setuid = || Entry {
        mode: 0o4755,
        ..shell()
    };
    assert_eq!(layers_of([shell(), setuid()]), (0, 1));
    assert_eq!(layers_of([shell(), owned(shell(), 1, 1)]), (0, 1));
    assert_eq!(layers_of([shell(), setuid(), shell()]), (0, 2));
    assert_eq!(
        layers_of([
            text("bin/sh", "#!/bin/x"),
            owned(text("bin/sh", "#!/bin/x"), 1, 1)
        ]),
        (0, 1)
    );
}

#[test]
fn other_content_belongs_to_the_layer_that_wrote_it() {
    let other = program("bin/sh", ["shell.zsh"]);
    let longer = Entry {
        size: 4097,
        ..shell()
    };
    for after in [other, longer, text("bin/sh", "#!/bin/x"), whiteout("bin/x")] {
        let (content, last) = layers_of([shell(), after]);
        assert_eq!(content, last);
    }
    // What was not looked into could be anything of that size.
    assert_eq!(layers_of([file("bin/sh", 0o644), file("bin/sh", 0o755)]), (1, 1));
    // Deleted in between, it was brought again.
    assert_eq!(layers_of([shell(), whiteout("bin/sh"), shell()]), (2, 2));
}

#[test]
fn a_hard_link_keeps_the_lower_file_that_its_layer_writes_over_later() {
    // The program would be lost from sight if the link were joined when the layer ends.
    for over in [text("bin/sh", "harmless"), dir("bin/sh", 0o755)] {
        let rootfs = merge([layer([shell()]), layer([hardlink("app", "bin/sh"), over])]);
        let node = rootfs.get(&RootPath::from("/app")).unwrap();
        assert!(node.program.is_some(), "{node:?}");
        assert_eq!(node.paths, [RootPath::from("/app")]);
    }
    // Its directory, too, may be replaced, and reached through a link of the lower layer.
    let rootfs = merge([
        layer([shell(), symlink("sbin", "bin")]),
        layer([hardlink("app", "sbin/sh"), text("bin", "a file")]),
    ]);
    assert!(rootfs.get(&RootPath::from("/app")).unwrap().program.is_some());
}
