//! What lies in wait in root directories: mounts, changes, marks, names of layers, and rights beyond the mode.

use std::{
    fs::Permissions,
    os::unix::fs::{PermissionsExt as _, chown, symlink},
};

use rustix::fs::{AtFlags, CWD, FileType, XattrFlags, makedev, mknodat, setxattr, statat};

use super::*;
use crate::{
    checks,
    gap::Hides,
    layer::{self, LayerFacts, Reading},
    source::{
        open as open_target,
        samples::{options, write},
    },
    target::Target,
};

pub(super) fn walk(path: &Path) -> (Walk, Arc<Mutex<Vec<Gap>>>) {
    let root = fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
    let gaps = Arc::default();
    (
        Walk::new(root, Limits::default(), Arc::clone(&gaps)).unwrap(),
        gaps,
    )
}

/// What a scan takes the rest of a walk for.
pub(super) fn facts(mut walk: Walk) -> LayerFacts {
    let reading = Reading {
        catalog: crate::catalog::Catalog::builtin(),
        wants: &checks::wants(),
        limits: &Limits::default(),
        stop: &false.into(),
        held: &0.into(),
    };
    layer::read(&mut walk, None, &reading).unwrap()
}

pub(super) fn paths(facts: &LayerFacts) -> Vec<String> {
    facts.entries.iter().map(|entry| entry.path.to_string()).collect()
}

/// Path, part of the reason, and what it hides, of all gaps.
#[track_caller]
pub(super) fn told(gaps: &Mutex<Vec<Gap>>, want: &[(&str, &str)]) {
    let gaps = gaps.lock().unwrap();
    assert_eq!(gaps.len(), want.len(), "{gaps:?}");
    for (gap, (path, why)) in gaps.iter().zip(want) {
        assert_eq!(gap.path.as_ref().unwrap().to_string(), *path);
        assert!(gap.why.contains(why) && gap.hides == Hides::Anything, "{gap:?}");
    }
}

#[test]
fn what_is_mounted_is_named_and_not_read() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("dir")).unwrap();
    write(&directory.path().join("dir/inside"), b"x");
    write(&directory.path().join("file"), b"secret");
    let (mut walk, gaps) = walk(directory.path());
    walk.on_another_device();
    let facts = facts(walk);
    assert_eq!(paths(&facts), ["/", "/dir", "/file"]);
    assert_eq!(facts.entries[2].size, 0);
    told(
        &gaps,
        &[
            ("/dir", "another file system is mounted here"),
            ("/file", "a file of another file system"),
        ],
    );
}

#[test]
fn what_goes_away_or_is_exchanged_is_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c"] {
        write(&directory.path().join(name), name.as_bytes());
    }
    let (mut walk, gaps) = walk(directory.path());
    let other = statat(CWD, directory.path().join("b"), AtFlags::SYMLINK_NOFOLLOW).unwrap();
    walk.regular(&"/a".into(), b"a", &other).unwrap();
    std::fs::remove_file(directory.path().join("c")).unwrap();
    assert_eq!(paths(&facts(walk)), ["/", "/a", "/b"]);
    told(
        &gaps,
        &[("/a", "was exchanged"), ("/c", "cannot be read: No such file")],
    );
}

#[test]
fn directories_nested_too_deep_are_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join("d/".repeat(300))).unwrap();
    let (walk, gaps) = walk(directory.path());
    let facts = facts(walk);
    assert_eq!(facts.entries.len(), 257);
    told(&gaps, &[(&"/d".repeat(256), "nested too deep (limit 256)")]);
}

#[test]
fn paths_that_no_layer_could_bring_are_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    // Sixteen names of 250 bytes are 4,015 bytes, with 80 more the path is as long as may be.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let mut deep = fs::open(directory.path(), flags, Mode::empty()).unwrap();
    for _ in 0..16 {
        let name = "d".repeat(250);
        fs::mkdirat(&deep, &name, Mode::from(0o755)).unwrap();
        deep = fs::openat(&deep, &name, flags, Mode::empty()).unwrap();
    }
    for length in [79, 80] {
        let make = OFlags::CREATE | OFlags::WRONLY;
        fs::openat(&deep, "f".repeat(length), make, Mode::from(0o644)).unwrap();
    }
    let (walk, gaps) = walk(directory.path());
    let facts = facts(walk);
    assert_eq!((facts.entries.len(), facts.gaps.len()), (1 + 16 + 1, 0));
    let gaps = gaps.lock().unwrap();
    assert_eq!(gaps.len(), 1);
    let name = gaps[0].path.as_ref().unwrap().name();
    assert_eq!((name.len(), gaps[0].hides), (80, Hides::Anything));
    assert!(gaps[0].why.contains("more than 4095 bytes"), "{}", gaps[0].why);
}

#[test]
fn more_names_than_fit_are_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    for name in 0..12 {
        write(&directory.path().join(name.to_string()), b"");
    }
    for (members, left_out) in [(12, false), (11, true), (2, true)] {
        let root = fs::open(
            directory.path(),
            OFlags::RDONLY | OFlags::DIRECTORY,
            Mode::empty(),
        );
        let gaps = Arc::default();
        let limits = Limits {
            members,
            ..Limits::default()
        };
        let walk = Walk::new(root.unwrap(), limits, Arc::clone(&gaps)).unwrap();
        assert_eq!(facts(walk).entries.len(), 1 + members);
        let why = format!("too many files (limit {members})");
        let want: &[(&str, &str)] = if left_out { &[("/", &why)] } else { &[] };
        told(&gaps, want);
    }
}

#[test]
fn gaps_are_those_of_the_last_reading() {
    let directory = tempfile::tempdir().unwrap();
    write(&directory.path().join(".wh.x"), b"x");
    let target: Target = format!("rootfs:{}", directory.path().display()).parse().unwrap();
    let Opened::Images { images, blobs } = open_target(&target, &options()).unwrap() else {
        panic!()
    };
    let layer = &images[0].as_ref().unwrap().layers[0];
    for _ in 0..2 {
        std::io::copy(&mut blobs.open(layer).unwrap(), &mut std::io::sink()).unwrap();
    }
    assert_eq!(blobs.gaps().len(), 1);
}

#[test]
fn a_file_that_is_called_like_a_marker_cannot_hide_behind_it() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    write(&root.join(".wh.empty"), b"");
    write(&root.join(".wh.tool"), b"\x7fELF");
    write(&root.join(".wh..wh..opq"), b"x");
    symlink("tool", root.join(".wh.link")).unwrap();
    std::fs::create_dir(root.join(".wh.dir")).unwrap();
    write(&root.join(".wh.dir/file"), b"x");
    let (walk, gaps) = walk(root);
    assert!(paths(&facts(walk)).contains(&"/.wh.dir/file".to_owned()));
    told(
        &gaps,
        &[
            ("/.wh..wh..opq", "called like a marker"),
            ("/.wh.link", "called like a marker"),
            ("/.wh.tool", "called like a marker"),
        ],
    );
}

#[test]
fn owners_devices_and_access_lists_are_told_as_layers_tell_them() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    std::fs::create_dir(root.join("dir")).unwrap();
    write(&root.join("file"), b"x");
    let made = |name: &str, kind: FileType, major: u32, minor: u32| {
        mknodat(
            CWD,
            root.join(name),
            kind,
            Mode::from(0o600),
            makedev(major, minor),
        )
    };
    if chown(root.join("file"), Some(70_000), Some(70_001)).is_err()
        || made("char", FileType::CharacterDevice, 1, 3).is_err()
        || made("block", FileType::BlockDevice, 7, 4).is_err()
    {
        eprintln!("only root makes such files");
        return;
    }
    let facts = facts(walk(root).0);
    let find = |path: &str| {
        facts
            .entries
            .iter()
            .find(|entry| entry.path == path.into())
            .unwrap()
    };
    assert_eq!((find("/file").uid, find("/file").gid), (70_000, 70_001));
    assert_eq!(find("/char").kind, layer::Kind::CharDevice { major: 1, minor: 3 });
    assert_eq!(
        find("/block").kind,
        layer::Kind::BlockDevice { major: 7, minor: 4 }
    );
}

#[test]
fn access_lists_are_told_as_layers_tell_them() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    std::fs::create_dir(root.join("dir")).unwrap();
    write(&root.join("file"), b"x");
    write(&root.join("plain"), b"x");
    // Version 2: the owner, user 1000, the group, the mask, all others.
    let list: Vec<u8> = [
        (1_u16, 6_u16, !0_u32),
        (2, 6, 1000),
        (4, 4, !0),
        (16, 6, !0),
        (32, 4, !0),
    ]
    .iter()
    .flat_map(|(tag, rights, id)| [&tag.to_le_bytes()[..], &rights.to_le_bytes(), &id.to_le_bytes()].concat())
    .collect();
    let list = [&2_u32.to_le_bytes()[..], &list].concat();
    for name in ["file", "dir"] {
        if setxattr(
            root.join(name),
            "system.posix_acl_access",
            &list,
            XattrFlags::empty(),
        )
        .is_err()
        {
            eprintln!("this file system keeps no access lists");
            return;
        }
    }
    let facts = facts(walk(root).0);
    let listed: Vec<String> = facts
        .entries
        .iter()
        .filter(|entry| entry.xattrs == ["system.posix_acl_access"])
        .map(|entry| entry.path.to_string())
        .collect();
    assert_eq!(listed, ["/dir", "/file"]);
}

#[test]
fn only_empty_files_are_whiteouts_by_attribute_and_trusted_ones_count_too() {
    for space in ["user", "trusted"] {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for (name, content) in [("gone", &b""[..]), ("there", b"#!/bin/sh\n"), ("moved", b"")] {
            write(&root.join(name), content);
        }
        std::fs::create_dir(root.join("dir")).unwrap();
        let set = |name: &str, attribute: &str, value: &[u8]| {
            let attribute = format!("{space}.overlay.{attribute}");
            setxattr(root.join(name), attribute, value, XattrFlags::empty())
        };
        if set("gone", "whiteout", b"").is_err() {
            eprintln!("no attributes of {space} here");
            continue;
        }
        set("there", "whiteout", b"").unwrap();
        set("moved", "metacopy", b"").unwrap();
        set("dir", "redirect", &[b'd'; 3000]).unwrap();
        let (walk, gaps) = walk(root);
        let facts = facts(walk);
        let kinds: Vec<(String, bool)> = facts
            .entries
            .iter()
            .map(|entry| (entry.path.to_string(), entry.kind == layer::Kind::Whiteout))
            .collect();
        let want = [
            ("/", false),
            ("/dir", false),
            ("/gone", true),
            ("/moved", false),
            ("/there", false),
        ];
        assert_eq!(kinds, want.map(|(path, gone)| (path.to_owned(), gone)), "{space}");
        let gaps = gaps.lock().unwrap();
        let of = |path: &str| gaps.iter().any(|gap| gap.path == Some(path.into()));
        assert!(of("/dir") && of("/moved") && !of("/there"), "{space}: {gaps:?}");
    }
}

#[test]
fn owners_that_may_be_shifted_are_noted() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    for uid in [0, 1000] {
        if chown(directory.path(), Some(uid), None).is_err() {
            eprintln!("only root gives directories away");
            return;
        }
        let target: Target = format!("rootfs:{}", directory.path().display()).parse().unwrap();
        let Opened::Images { images, .. } = open_target(&target, &options()).unwrap() else {
            panic!()
        };
        let notes = &images[0].as_ref().unwrap().notes;
        let told = notes.iter().any(|note| note.contains("may be shifted"));
        assert_eq!(told, uid != 0, "{notes:?}");
    }
}
