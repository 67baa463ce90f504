//! What one layer makes: directories that it implies, members given twice, hard links.

use super::*;

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
