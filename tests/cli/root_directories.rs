//! Root directories as a user meets them who may not read everything.

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::Path,
};

use serde_json::Value;

use crate::process::{Ran, finish, scant};

/// Scans a root directory as somebody without rights: as who runs the tests, or as nobody if that is root.
fn scan(root: &Path) -> Ran {
    let target = format!("rootfs:{}", root.display());
    let own = scant(&["scan", "-o", "json", &target]);
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return finish(&mut { own }, b"");
    }
    // Where the tests run, nobody may have no business: they get a copy.
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let copy = folder.path().join("scant");
    fs::copy(own.get_program(), &copy).unwrap();
    let mut command = std::process::Command::new(copy);
    command.args(own.get_args()).env_clear().uid(65_534).gid(65_534);
    finish(command.current_dir(folder.path()), b"")
}

fn list<'r>(report: &'r Value, key: &str) -> &'r Vec<Value> {
    report["images"][0][key].as_array().unwrap()
}

#[test]
fn what_may_not_be_read_is_a_gap_and_its_mode_is_judged_all_the_same() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    fs::write(at("file"), b"x").unwrap();
    fs::create_dir(at("dir")).unwrap();
    fs::write(at("dir/inside"), b"x").unwrap();
    fs::create_dir(at("open")).unwrap();
    // Whoever they belong to: nobody may read them, and everybody write to them.
    for (name, mode) in [("file", 0o222), ("dir", 0o333), ("open", 0o755)] {
        fs::set_permissions(at(name), Permissions::from_mode(mode)).unwrap();
    }
    fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
    let ran = scan(root.path());
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let report = ran.json();
    assert_eq!(report["images"][0]["status"], "incomplete", "{ran:?}");
    let gaps: Vec<String> = list(&report, "gaps").iter().map(Value::to_string).collect();
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    for (gap, path) in gaps.iter().zip(["\"/dir\"", "\"/file\""]) {
        assert!(
            gap.contains(path) && gap.contains("cannot be read: Permission denied"),
            "{gap}"
        );
    }
    let writable: Vec<&Value> = list(&report, "findings")
        .iter()
        .filter(|finding| finding["rule"] == "world-writable-path")
        .map(|finding| &finding["path"])
        .collect();
    assert_eq!(writable, ["/dir", "/file"], "{ran:?}");
    // For whoever clears up.
    fs::set_permissions(at("dir"), Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn marks_of_an_overlay_that_only_root_sees_are_a_gap_for_others() {
    let root = tempfile::tempdir().unwrap();
    fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
    for name in ["gone", "too"] {
        let path = root.path().join(name);
        fs::write(&path, b"").unwrap();
        let flags = rustix::fs::XattrFlags::empty();
        if rustix::fs::setxattr(&path, "user.overlay.whiteout", b"", flags).is_err() {
            eprintln!("this file system keeps no attributes");
            return;
        }
    }
    let ran = scan(root.path());
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let report = ran.json();
    let gaps: Vec<String> = list(&report, "gaps").iter().map(Value::to_string).collect();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(gaps[0].contains("further ones only root can read"), "{gaps:?}");
}
