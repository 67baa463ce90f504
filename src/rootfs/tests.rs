//! Tests of the merge and of links.

use std::collections::BTreeMap;

use proptest::prelude::*;

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

#[test]
fn empty_images_have_a_root() {
    for fs in [Rootfs::default(), merge([layer([]), layer([])])] {
        assert_eq!(fs.nodes().count(), 1);
        let root = fs.resolve(&"/".into()).unwrap();
        assert!(root.implied && root.mode == 0o755);
        assert!(paths(&fs).is_empty());
    }
    let fs = rootfs([owned(dir("/", 0o700), 5, 6)]);
    assert_eq!((get(&fs, "/").mode, get(&fs, "/").uid), (0o700, 5));
    let fs = rootfs([symlink("/", "/etc"), whiteout("/")]);
    assert_eq!(fs.nodes().count(), 1);
    assert!(noted(
        &fs,
        "layer 0: a member that is no directory is named like the root"
    ));
}

// One layer.

#[test]
fn implied_directories_belong_to_root_and_are_closed() {
    let fs = rootfs([owned(file("/var/lib/x", 0o644), 7, 7)]);
    let lib = get(&fs, "/var/lib");
    assert!(lib.implied);
    assert_eq!((lib.mode, lib.uid, lib.gid), (0o755, 0, 0));
    // One that a member makes later is no longer implied and keeps its children.
    let fs = rootfs([file("/a/x", 0o644), owned(dir("/a", 0o777), 3, 4)]);
    assert!(!get(&fs, "/a").implied);
    assert_eq!((get(&fs, "/a").mode, get(&fs, "/a").uid), (0o777, 3));
    assert_eq!(paths(&fs), ["/a", "/a/x"]);
}

#[test]
fn the_last_duplicate_wins_and_the_first_is_residue() {
    let fs = rootfs([sized(file("/x", 0o4755), 1), sized(file("/x", 0o755), 2)]);
    assert_eq!((get(&fs, "/x").size, get(&fs, "/x").mode), (2, 0o755));
    assert_eq!(residue(&fs), [("/x".into(), 0, 0, true)]);
    assert_eq!(fs.residue()[0].entry.size, 1);
}

#[test]
fn a_file_in_place_of_a_directory_takes_what_is_below() {
    let fs = rootfs([dir("/d", 0o755), file("/d/e/x", 0o755), file("/d", 0o644)]);
    assert_eq!(paths(&fs), ["/d"]);
    assert_eq!(residue(&fs), [("/d/e/x".into(), 0, 0, false)]);
}

#[test]
fn a_node_that_loses_a_name_lives_under_the_others() {
    let fs = rootfs([
        sized(file("/a", 0o755), 1),
        hardlink("/b", "/a"),
        sized(file("/a", 0o755), 2),
    ]);
    assert_eq!((get(&fs, "/a").size, get(&fs, "/b").size), (2, 1));
    assert_eq!(residue(&fs), []);
}

#[test]
fn hard_links_are_one_node_with_sorted_names() {
    let fs = rootfs([
        file("/m", 0o755),
        hardlink("/z", "/m"),
        hardlink("/a", "z"),
        symlink("/s", "m"),
        hardlink("/t", "/s"),
    ]);
    assert_eq!(get(&fs, "/z").paths, ["/a", "/m", "/z"].map(RootPath::from));
    assert_eq!(
        get(&fs, "/t").kind,
        Kind::Symlink(b"m".into()),
        "a hard link to a link is that link"
    );
    let aliases: Vec<(String, AliasKind)> = fs
        .aliases(get(&fs, "/m"))
        .into_iter()
        .map(|alias| (alias.path.to_string(), alias.kind))
        .collect();
    let (hard, soft) = (AliasKind::HardLink, AliasKind::Symlink);
    assert_eq!(
        aliases,
        [
            ("/m".into(), hard),
            ("/s".into(), soft),
            ("/t".into(), soft),
            ("/z".into(), hard)
        ]
    );
    assert_eq!(fs.nodes().count(), 3);
}

#[test]
fn a_relative_link_with_two_names_leads_to_two_places() {
    let fs = rootfs([
        file("/a/x", 0o755),
        file("/b/x", 0o755),
        symlink("/a/l", "x"),
        hardlink("/b/l", "/a/l"),
    ]);
    assert_eq!(resolved(&fs, "/a/l").unwrap(), "/a/x");
    assert_eq!(resolved(&fs, "/b/l").unwrap(), "/b/x");
    assert_eq!(fs.aliases(get(&fs, "/b/x"))[0].path, "/b/l".into());
}

#[test]
fn forward_hard_links_are_joined_at_the_end() {
    let fs = rootfs([
        hardlink("/c", "/b"),
        hardlink("/b", "/a"),
        sized(file("/a", 0o755), 9),
        hardlink("/x", "/y"),
        hardlink("/y", "/x"),
        hardlink("/self", "/self"),
        hardlink("/d", "/dir"),
        dir("/dir", 0o755),
    ]);
    assert_eq!(get(&fs, "/c").paths.len(), 3);
    assert_eq!(get(&fs, "/c").size, 9);
    assert_eq!(leaves(&fs), ["/a", "/b", "/c"]);
    assert!(noted(
        &fs,
        "layer 0: /c is a hard link to a file of a lower layer or further on"
    ));
    assert!(noted(&fs, "/x is a hard link to a file that is nowhere"));
}

#[test]
fn a_hard_link_that_is_replaced_before_its_target_comes_stays_replaced() {
    let fs = rootfs([
        hardlink("/b", "/a"),
        sized(file("/b", 0o644), 5),
        sized(file("/a", 0o755), 9),
    ]);
    assert_eq!((get(&fs, "/a").size, get(&fs, "/b").size), (9, 5));
}

#[test]
fn hard_link_headers_join_their_privileges() {
    let setuid = Entry {
        mode: 0o4755,
        ..hardlink("/b", "/a")
    };
    let fs = rootfs([owned(file("/a", 0o755), 1000, 1000), setuid]);
    assert_eq!((get(&fs, "/a").mode, get(&fs, "/a").uid), (0o4755, 0));
    assert_eq!(get(&fs, "/a").owners, [(1000, 1000), (0, 0)]);
    // An owner that only the link's header has counts beside root.
    let fs = rootfs([
        file("/a", 0o755),
        owned(hardlink("/b", "/a"), 1000, 1000),
        owned(hardlink("/c", "/a"), 1000, 1000),
        hardlink("/d", "/a"),
    ]);
    assert_eq!((get(&fs, "/a").uid, get(&fs, "/a").gid), (0, 0));
    assert_eq!(get(&fs, "/a").owners, [(0, 0), (1000, 1000)]);
    assert!(get(&fs, "/a").headers_differ && noted(&fs, "header differs"));
    let many = (0..99).map(|n| owned(hardlink(&format!("/l{n}"), "/a"), n, n));
    let fs = rootfs(std::iter::once(file("/a", 0o755)).chain(many));
    assert_eq!(get(&fs, "/a").owners.len(), 8);
    assert!(noted(&fs, "header differs"));
    // The other way round, and capabilities.
    let capable = |entry, mask: u8| Entry {
        capability: Some([&[1, 0, 0, 2, mask][..], &[0; 15]].concat()),
        ..entry
    };
    let fs = rootfs([
        capable(file("/a", 0o4755), 0b01),
        capable(hardlink("/b", "/a"), 0b10),
    ]);
    assert_eq!(get(&fs, "/b").mode, 0o4755);
    assert_eq!(get(&fs, "/b").capability.as_ref().unwrap()[4], 0b11);
    let fs = rootfs([file("/a", 0o755), capable(hardlink("/b", "/a"), 1)]);
    assert!(get(&fs, "/a").capability.is_some());
    // The same header makes no note.
    assert!(
        rootfs([file("/a", 0o755), hardlink("/b", "/a")])
            .notes()
            .is_empty()
    );
}

#[test]
fn members_go_through_links_of_their_own_layer() {
    let fs = rootfs([
        symlink("/bin", "usr/bin"),
        file("/bin/sh", 0o755),
        symlink("/abs", "/../opt"),
        file("/abs/x", 0o644),
    ]);
    assert_eq!(leaves(&fs), ["/abs", "/bin", "/opt/x", "/usr/bin/sh"]);
    assert_eq!(resolved(&fs, "/bin/sh").unwrap(), "/usr/bin/sh");
    // A hard link's target too.
    let fs = rootfs([
        file("/usr/bin/a", 0o755),
        symlink("/bin", "usr/bin"),
        hardlink("/b", "/bin/a"),
    ]);
    assert_eq!(get(&fs, "/b").paths.len(), 2);
}

#[test]
fn what_no_runtime_can_unpack_is_a_gap() {
    for entries in [
        vec![symlink("/l", "l"), file("/l/x", 0o755)],
        vec![symlink("/a", "b"), symlink("/b", "a"), file("/a/x", 0o755)],
        vec![file("/f", 0o644), file("/f/x", 0o755)],
    ] {
        let fs = rootfs(entries);
        let (layer, gap) = &fs.gaps()[0];
        assert_eq!((*layer, gap.hides), (0, crate::gap::Hides::Anything));
        assert!(gap.why.contains("/x cannot be unpacked"), "{}", gap.why);
    }
}

// The table of differences between runtimes, row by row.

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

// Several layers.

#[test]
fn a_directory_over_a_directory_replaces_its_attributes() {
    let base = || layer([owned(dir("/d", 0o1777), 1, 1), file("/d/x", 0o644)]);
    let fs = merge([base(), layer([dir("/d", 0o755)])]);
    assert_eq!((get(&fs, "/d").mode, get(&fs, "/d").layer), (0o755, 1));
    assert_eq!(paths(&fs), ["/d", "/d/x"]);
    assert!(fs.residue().is_empty());
    // Unless files imply it only.
    let fs = merge([base(), layer([file("/d/y", 0o644)])]);
    assert_eq!((get(&fs, "/d").mode, get(&fs, "/d").layer), (0o1777, 0));
}

#[test]
fn a_rewritten_file_belongs_to_the_last_layer() {
    let fs = merge([
        layer([file("/x", 0o4755)]),
        layer([file("/x", 0o755)]),
        layer([whiteout("/y")]),
    ]);
    assert_eq!((get(&fs, "/x").mode, get(&fs, "/x").layer), (0o755, 1));
    assert_eq!(residue(&fs), [("/x".into(), 0, 1, true)]);
    assert_eq!(fs.residue()[0].entry.mode, 0o4755);
}

#[test]
fn residue_of_a_file_with_several_names_needs_all_of_them_gone() {
    let base = || layer([file("/a", 0o755), hardlink("/b", "/a")]);
    assert_eq!(residue(&merge([base(), layer([whiteout("/a")])])), []);
    let fs = merge([base(), layer([whiteout("/a")]), layer([whiteout("/b")])]);
    assert_eq!(residue(&fs), [("/a".into(), 0, 2, false)]);
}

#[test]
fn what_stands_behind_the_end_of_the_archive_is_residue() {
    let mut facts = layer([file("/a", 0o644)]);
    facts.behind_end = vec![file("/bin/sh", 0o755), whiteout("/a")];
    facts.notes = vec!["2 bytes behind the end".into()];
    facts.gaps = vec![Gap {
        path: None,
        why: "test".into(),
        hides: crate::gap::Hides::Nothing,
    }];
    let fs = merge([layer([]), facts]);
    assert_eq!(leaves(&fs), ["/a"]);
    assert_eq!(residue(&fs), [("/bin/sh".into(), 1, 1, false)]);
    assert_eq!(fs.notes(), ["layer 1: 2 bytes behind the end"]);
    assert_eq!(fs.gaps()[0].0, 1);
}

#[test]
fn one_layer_may_be_used_twice() {
    let one = layer([dir("/d", 0o755), file("/d/x", 0o644), whiteout("/d/y")]);
    let fs = Rootfs::merge(&[&one, &one]);
    assert_eq!(leaves(&fs), ["/d/x"]);
    assert_eq!(residue(&fs), [("/d/x".into(), 0, 1, true)]);
}

// Links.

#[test]
fn paths_resolve_inside_the_root() {
    let fs = rootfs([
        symlink("/bin", "usr/bin"),
        file("/usr/bin/busybox", 0o755),
        symlink("/usr/bin/sh", "busybox"),
        symlink("/usr/bin/ash", "/bin/sh"),
        symlink("/out", "../../../../usr"),
        symlink("/me", "/proc/self/root/usr/bin"),
        symlink("/dead", "/usr/none/x"),
        symlink("/file-as-dir", "/usr/bin/busybox/"),
        symlink("/empty", ""),
    ]);
    for path in [
        "/bin/sh",
        "bin/ash",
        "/out/bin/sh",
        "/me/sh",
        "/proc/1/root/bin/sh",
        "/bin/../bin/./sh",
        "/../bin//sh",
        "/proc/self/root/proc/self/root/bin/sh",
    ] {
        assert_eq!(resolved(&fs, path).unwrap(), "/usr/bin/busybox", "{path}");
    }
    assert_eq!(resolved(&fs, "/bin/").unwrap(), "/usr/bin");
    assert_eq!(resolved(&fs, "/bin/../..").unwrap(), "/");
    assert_eq!(
        resolved(&fs, "/dead"),
        Err(Unresolved::Missing("/usr/none".into()))
    );
    assert_eq!(
        resolved(&fs, "/bin/bash/x"),
        Err(Unresolved::Missing("/usr/bin/bash".into()))
    );
    let not_a_directory = Err(Unresolved::NotADirectory("/usr/bin/busybox".into()));
    for path in ["/bin/sh/x", "/bin/sh/", "/bin/sh/..", "/file-as-dir"] {
        assert_eq!(resolved(&fs, path), not_a_directory, "{path}");
    }
    assert_eq!(resolved(&fs, "/empty"), Err(Unresolved::Missing("/".into())));
    assert_eq!(
        resolved(&fs, "/proc/2/root"),
        Err(Unresolved::Missing("/proc".into()))
    );

    let from = |dir: &str, raw: &[u8]| {
        fs.resolve_from(&dir.into(), raw)
            .map(|node| node.paths[0].to_string())
    };
    assert_eq!(from("/bin", b"sh").unwrap(), "/usr/bin/busybox");
    assert_eq!(from("/bin", b"../../out/bin/sh").unwrap(), "/usr/bin/busybox");
    assert_eq!(from("/nowhere", b"/bin/sh").unwrap(), "/usr/bin/busybox");
    assert_eq!(
        from("/nowhere", b"x"),
        Err(Unresolved::Missing("/nowhere".into()))
    );
    assert_eq!(
        from("/bin/sh", b"x"),
        Err(Unresolved::NotADirectory("/bin/sh".into()))
    );

    let aliases = fs.aliases(get(&fs, "/usr/bin/busybox"));
    let aliases: Vec<String> = aliases.iter().map(|alias| alias.path.to_string()).collect();
    assert_eq!(aliases, ["/usr/bin/ash", "/usr/bin/sh"]);
}

#[test]
fn forty_links_are_followed_and_no_more() {
    let chain = (0..60).map(|n| symlink(&format!("/{n:02}"), &format!("/{:02}", n + 1)));
    let fs = rootfs(chain.chain([file("/60", 0o755)]));
    assert_eq!(resolved(&fs, "/20").unwrap(), "/60");
    assert_eq!(resolved(&fs, "/19"), Err(Unresolved::Loop));
    assert_eq!(fs.aliases(get(&fs, "/60")).len(), 40);
    // Hops on the way count as well.
    let fs = rootfs([
        dir("/d", 0o755),
        symlink("/d/here", "."),
        file("/d/x", 0o755),
        symlink("/l", "/d/here/here/here/x"),
    ]);
    let path = |hops: usize| format!("/d/{}x", "here/".repeat(hops));
    assert!(resolved(&fs, &path(40)).is_ok());
    assert_eq!(resolved(&fs, &path(41)), Err(Unresolved::Loop));
    assert_eq!(
        resolved(&fs, &path(37).replace('x', "../l")),
        Err(Unresolved::Loop)
    );
    assert!(resolved(&fs, &path(36).replace('x', "../l")).is_ok());
}

#[test]
fn loops_of_links_lead_nowhere() {
    let fs = rootfs([
        symlink("/self", "self"),
        symlink("/a", "b"),
        symlink("/b", "c/x"),
        symlink("/c", "/a"),
        symlink("/to-loop", "/d/../b"),
        dir("/d", 0o755),
        symlink("/d/up", ".."),
    ]);
    for path in ["/self", "/a", "/b", "/c", "/to-loop", "/self/x"] {
        assert_eq!(resolved(&fs, path), Err(Unresolved::Loop), "{path}");
    }
    assert_eq!(resolved(&fs, "/d/up/d/up").unwrap(), "/");
}

// Cost.

#[test]
fn long_paths_and_many_members_cost_little() {
    let deep = "d/".repeat(2000) + "x";
    let fs = merge([
        layer([file(&deep, 0o755), symlink("/l", &deep)]),
        layer([whiteout(&deep)]),
        layer([whiteout("/d")]),
    ]);
    assert_eq!(paths(&fs), ["/l"]);
    assert_eq!(residue(&fs).len(), 1);
    let fs = rootfs([file(&deep, 0o755), symlink("/l", &deep)]);
    assert_eq!(fs.nodes().count(), 2003);
    assert_eq!(fs.aliases(get(&fs, &deep)).len(), 1);

    let many = || (0..100_000).map(|n| file(&format!("/usr/share/{}/{n}", n % 1000), 0o644));
    let start = std::time::Instant::now();
    let fs = merge([
        layer(many()),
        layer(many()),
        layer([opaque("/usr/share")]),
        layer(many()),
    ]);
    assert_eq!(leaves(&fs).len(), 100_000);
    assert_eq!(fs.residue().len(), 200_000);
    // A quadratic merge would take hours.
    assert!(start.elapsed().as_secs() < 30);
}

#[test]
fn short_members_cannot_stand_for_endless_paths() {
    let deep = "d/".repeat(2000);
    let links = (0..100_000).map(|n| file(&format!("/l/{n}"), 0o644));
    let fs = rootfs([dir(&deep, 0o755), symlink("/l", &deep)].into_iter().chain(links));
    assert!(fs.nodes().count() < 60_000);
    let (_, last) = fs.gaps().last().unwrap();
    assert!(last.why.contains("more than 134217728 steps"), "{}", last.why);
    assert!(noted(&fs, "more gaps of this sort"));
    // Implied directories, likewise.
    let fs = rootfs((0..1000).map(|n| file(&format!("/{n}/{deep}x"), 0o644)));
    assert!(fs.nodes().count() < 200_000);
    assert!(!fs.gaps().is_empty());
    // Chains of links are walked once each.
    let chain = (0..20_000).map(|n| symlink(&format!("/{n}"), &format!("{}{}", "./".repeat(1000), n + 1)));
    assert!(rootfs(chain).gaps().is_empty());
}

fn arbitrary_entry() -> impl Strategy<Value = Entry> {
    let path =
        prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..4).prop_map(|p| p.join("/"));
    (path, 0..8u8, 1..100u64).prop_map(|(path, kind, size)| match kind {
        0..3 => sized(file(&path, 0o644), size),
        3 => dir(&path, 0o755),
        // To itself, since files put below a link that leads somewhere also show there.
        4 => symlink(&path, &format!("/{path}")),
        5 => opaque(&path),
        _ => whiteout(&path),
    })
}

proptest! {
    #[test]
    fn merges_like_the_naive_model(
        layers in prop::collection::vec(prop::collection::vec(arbitrary_entry(), 0..8).prop_map(layer), 0..5)
    ) {
        let mut layers = layers;
        layers.iter_mut().for_each(model::plain);
        let fs = Rootfs::merge(&layers.iter().collect::<Vec<_>>());
        let ours: BTreeMap<RootPath, (u64, bool)> = fs
            .under(&RootPath::root())
            .map(|(path, node)| (path.clone(), (node.size, node.kind == Kind::Directory)))
            .collect();
        prop_assert_eq!(ours, model::merge(&layers));
        // Nothing is lost: each file and link is either there or residue.
        let shipped = layers.iter().flat_map(|layer| &layer.entries);
        let shipped = shipped.filter(|entry| matches!(entry.kind, Kind::File | Kind::Symlink(_))).count();
        let there = fs.nodes().filter(|node| node.kind != Kind::Directory).count();
        prop_assert_eq!(shipped, there + residue(&fs).len());
    }

    #[test]
    fn nothing_panics_and_tables_agree(
        layers in prop::collection::vec(prop::collection::vec((arbitrary_entry(), 0..8u8, "[a-c./]{0,6}"), 0..12), 0..4)
    ) {
        let layers: Vec<LayerFacts> = layers.into_iter().map(|entries| layer(entries.into_iter().map(|(entry, kind, target)| {
            match kind {
                0 => Entry { kind: Kind::Symlink(target.into()), ..entry },
                1 => Entry { kind: Kind::HardLink(target.as_str().into()), ..entry },
                2 => Entry { path: RootPath::root(), ..entry },
                _ => entry,
            }
        }))).collect();
        let fs = Rootfs::merge(&layers.iter().collect::<Vec<_>>());
        let mut names = 1;
        for (path, node) in fs.under(&RootPath::root()) {
            names += 1;
            prop_assert_eq!(fs.get(path), Some(node));
            prop_assert!(node.paths.contains(path) && node.paths.is_sorted());
            if !matches!(node.kind, Kind::Symlink(_)) {
                prop_assert_eq!(fs.resolve(path), Ok(node));
            } else if let Ok(target) = fs.resolve(path) {
                prop_assert!(fs.aliases(target).iter().any(|alias| alias.path == *path));
            }
        }
        prop_assert_eq!(fs.nodes().map(|node| node.paths.len()).sum::<usize>(), names);
        prop_assert!(fs.nodes().is_sorted_by_key(|node| &node.paths[0]));
    }
}

#[test]
fn directories_above_a_path_come_from_the_root_down() {
    let rootfs = rootfs([file("/a/b/c", 0o644)]);
    let above = |path: &str| -> Vec<String> {
        let nodes: Vec<&Node> = rootfs.above(&path.into()).collect();
        nodes
            .iter()
            .map(|node| node.paths.first().map_or_else(String::new, ToString::to_string))
            .collect()
    };
    assert_eq!(above("/a/b/c"), ["/", "/a", "/a/b"]);
    assert_eq!(above("/a/x/y"), ["/", "/a"]);
    assert_eq!(above("/"), [""; 0]);
}
