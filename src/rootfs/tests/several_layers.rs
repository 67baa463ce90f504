//! What several layers make: attributes, owners of files, residue.

use super::*;

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
