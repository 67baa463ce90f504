//! The table of differences between runtimes, row by row.

use super::*;

#[test]
fn a_file_below_a_lower_link_has_both_paths() {
    let base = || {
        layer([
            dir("/usr/bin", 0o755),
            program("/usr/bin/a", []),
            symlink("/bin", "usr/bin"),
        ])
    };
    let fs = merge([base(), layer([program("/bin/x", []), file("/bin/sub/y", 0o644)])]);
    assert_eq!(
        get(&fs, "/bin/x").paths,
        ["/bin/x", "/usr/bin/x"].map(RootPath::from)
    );
    assert_eq!(
        leaves(&fs),
        [
            "/bin/sub/y",
            "/bin/x",
            "/usr/bin/a",
            "/usr/bin/sub/y",
            "/usr/bin/x"
        ]
    );
    assert!(noted(
        &fs,
        "layer 1: what lies below /bin also counts as below /usr/bin"
    ));
    assert_eq!(residue(&fs), [("/bin".into(), 0, 1, true)]);
    // What lower layers have at the target stays beside the new file.
    let fs = merge([base(), layer([sized(file("/bin/a", 0o644), 77)])]);
    assert_eq!((get(&fs, "/bin/a").size, get(&fs, "/usr/bin/a").size), (77, 4096));
    assert!(noted(&fs, "/usr/bin/a is in a lower layer too"));
    // A link that leads nowhere, or round in circles, is only replaced.
    for target in ["/nowhere", "bin", "/file"] {
        let fs = merge([
            layer([symlink("/bin", target), file("/file", 0o644)]),
            layer([file("/bin/x", 0o755)]),
        ]);
        assert!(fs.get(&"/bin/x".into()).is_some(), "{target}");
    }
}

#[test]
fn a_whiteout_below_a_lower_link_hides_nothing() {
    let fs = merge([
        layer([file("/usr/bin/x", 0o755), symlink("/bin", "usr/bin")]),
        layer([whiteout("/bin/x"), opaque("/bin")]),
    ]);
    assert_eq!(leaves(&fs), ["/bin", "/usr/bin/x"]);
    assert!(noted(&fs, "the whiteout of /bin/x lies behind a link"));
    assert!(noted(&fs, "the opaque marker of /bin meets no directory"));
    // Behind a link of the same layer it acts where the link leads.
    let fs = merge([
        layer([file("/usr/bin/x", 0o755), file("/usr/bin/y", 0o755)]),
        layer([symlink("/bin", "usr/bin"), whiteout("/bin/x")]),
    ]);
    assert_eq!(leaves(&fs), ["/bin", "/usr/bin/y"]);
}

#[test]
fn an_opaque_marker_at_the_root_hides_nothing() {
    let fs = merge([
        layer([file("/a", 0o644)]),
        layer([opaque("/"), file("/b", 0o644)]),
    ]);
    assert_eq!(leaves(&fs), ["/a", "/b"]);
    assert!(noted(&fs, "layer 1: an opaque marker stands at the root"));
}

#[test]
fn markers_act_on_lower_layers_only_wherever_they_stand() {
    let members = || vec![file("/d/new", 0o644), file("/d/sub/new", 0o644)];
    for spelling in ["d", "/d", "./d", "d/", "../d", "x/../d"] {
        for marker in [opaque(spelling), whiteout(&format!("{spelling}/old"))] {
            for at in 0..=members().len() {
                let mut entries = members();
                entries.insert(at, marker.clone());
                let fs = merge([layer([file("/d/old", 0o755)]), layer(entries)]);
                assert_eq!(leaves(&fs), ["/d/new", "/d/sub/new"], "{marker:?} at {at}");
                assert_eq!(residue(&fs), [("/d/old".into(), 0, 1, false)]);
            }
        }
    }
}

#[test]
fn a_file_and_its_own_whiteout_leave_the_file() {
    for (entries, old) in [
        (vec![sized(file("/x", 0o755), 2), whiteout("/x")], true),
        (vec![whiteout("/x"), sized(file("/x", 0o755), 2)], true),
        (vec![whiteout("/x"), sized(file("/x", 0o755), 2)], false),
    ] {
        let base = if old {
            vec![sized(file("/x", 0o755), 1)]
        } else {
            vec![]
        };
        let fs = merge([layer(base), layer(entries)]);
        assert_eq!(get(&fs, "/x").size, 2);
        assert_eq!(get(&fs, "/x").layer, 1);
        assert_eq!(residue(&fs).len(), usize::from(old));
    }
}

#[test]
fn a_directory_that_is_deleted_and_made_again_keeps_what_was_in_it() {
    for entries in [
        vec![whiteout("/d"), dir("/d", 0o700), file("/d/new", 0o644)],
        vec![dir("/d", 0o700), file("/d/new", 0o644), whiteout("/d")],
        vec![file("/d/new", 0o644), whiteout("/d"), dir("/d", 0o700)],
    ] {
        let fs = merge([layer([file("/d/old", 0o644)]), layer(entries)]);
        assert_eq!(leaves(&fs), ["/d/new", "/d/old"]);
        assert_eq!(get(&fs, "/d").mode, 0o700);
        assert!(noted(&fs, "/d has a whiteout and is a directory again"));
    }
    // Without the directory it is gone.
    let fs = merge([layer([file("/d/old", 0o644)]), layer([whiteout("/d")])]);
    assert!(paths(&fs).is_empty());
}

#[test]
fn a_hard_link_to_a_lower_file_is_an_alias_of_it() {
    let base = || layer([program("/bin/a", ["shell.bash"]), symlink("/b", "bin")]);
    let fs = merge([base(), layer([hardlink("/x", "/bin/a"), hardlink("/y", "/b/a")])]);
    let node = get(&fs, "/x");
    assert_eq!(node.paths, ["/bin/a", "/x", "/y"].map(RootPath::from));
    assert_eq!(node.layer, 0);
    assert!(noted(
        &fs,
        "layer 1: /x is a hard link to a file of a lower layer"
    ));
    // Through a link that its own layer brings.
    let fs = merge([base(), layer([symlink("/c", "/bin"), hardlink("/x", "/c/a")])]);
    assert_eq!(get(&fs, "/x").paths.len(), 2);
    // It keeps the file when the first name goes, in whatever order.
    for entries in [
        [hardlink("/x", "/bin/a"), whiteout("/bin/a")],
        [whiteout("/bin/a"), hardlink("/x", "/bin/a")],
    ] {
        let fs = merge([base(), layer(entries)]);
        assert_eq!(get(&fs, "/x").paths, ["/x"].map(RootPath::from));
        assert!(get(&fs, "/x").program.is_some());
        assert_eq!(residue(&fs), []);
    }
    // A link to its own path changes nothing.
    let fs = merge([base(), layer([hardlink("/bin/a", "/bin/a")])]);
    assert!(get(&fs, "/bin/a").program.is_some());
    assert_eq!(residue(&fs), []);
}

#[test]
fn a_lower_link_is_replaced_by_a_new_directory_entry() {
    let fs = merge([
        layer([file("/usr/bin/a", 0o755), symlink("/bin", "usr/bin")]),
        layer([dir("/bin", 0o755), file("/bin/x", 0o755)]),
    ]);
    assert_eq!(leaves(&fs), ["/bin/x", "/usr/bin/a"]);
    assert_eq!(residue(&fs), [("/bin".into(), 0, 1, true)]);
}

#[test]
fn a_directory_replaced_by_a_file_or_link_becomes_residue() {
    for new in [file("/d", 0o644), symlink("/d", "/e")] {
        let fs = merge([
            layer([file("/d/x", 0o755), dir("/d/e", 0o755), file("/d/e/y", 0o755)]),
            layer([]),
            layer([new]),
        ]);
        assert_eq!(paths(&fs), ["/d"]);
        assert_eq!(
            residue(&fs),
            [("/d/e/y".into(), 0, 2, false), ("/d/x".into(), 0, 2, false)]
        );
    }
    // Within one layer too, between members of the directory.
    let fs = rootfs([
        file("/d/e/x", 0o755),
        symlink("/d", "/f"),
        file("/d/e/y", 0o755),
        file("/d/e/z", 0o755),
    ]);
    assert_eq!(leaves(&fs), ["/d", "/f/e/y", "/f/e/z"]);
    // And a file by a directory.
    let fs = merge([layer([file("/d", 0o755)]), layer([file("/d/x", 0o755)])]);
    assert_eq!(leaves(&fs), ["/d/x"]);
    assert_eq!(residue(&fs), [("/d".into(), 0, 1, true)]);
}

#[test]
fn a_device_0_0_hides_nothing() {
    let device = || entry("/bin/sh", Kind::CharDevice { major: 0, minor: 0 }, 0o666);
    let fs = merge([layer([program("/bin/sh", [])]), layer([device()])]);
    assert_eq!(get(&fs, "/bin/sh").kind, Kind::File);
    assert!(noted(&fs, "/bin/sh is a device 0/0"));
    let fs = merge([layer([]), layer([device()])]);
    assert_eq!(get(&fs, "/bin/sh").kind, device().kind);
}

#[test]
fn a_whiteout_of_nothing_does_nothing() {
    let fs = merge([
        layer([file("/a", 0o644)]),
        layer([whiteout("/b"), whiteout("/x/y/z"), whiteout("/a/b"), opaque("/q")]),
    ]);
    assert_eq!(paths(&fs), ["/a"]);
    assert_eq!(residue(&fs), []);
    assert!(fs.notes().is_empty(), "{:?}", fs.notes());
}
