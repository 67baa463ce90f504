//! overlayfs shows an image as containerd's snapshotter mounts it: each layer unpacked alone, its markers converted, then stacked.

use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use rustix::fs::{CWD, FileType, Mode, XattrFlags, lsetxattr, makedev, mknodat};

use crate::{
    generated::{Layers, Member, What},
    umoci::{self, Listing},
};

/// Why this machine cannot mount an overlay; `None` if it can.
pub(crate) fn unavailable() -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b", "merged"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    mounted(folder.path(), &["b".to_owned(), "a".to_owned()], "true").err()
}

/// Runs `then` in a mount name space of its own in which `merged` shows these directories, the uppermost first.
fn mounted(folder: &Path, lower: &[String], then: &str) -> Result<(), String> {
    let script = format!(
        "mount -t overlay overlay -o lowerdir={} merged && {then}",
        lower.join(":")
    );
    let done = Command::new("unshare")
        .args(["--mount", "sh", "-c", &script])
        .current_dir(folder)
        .output()
        .map_err(|error| format!("unshare: {error}"))?;
    done.status
        .success()
        .then_some(())
        .ok_or_else(|| String::from_utf8_lossy(&done.stderr).trim().to_owned())
}

/// What the mounted image shows; `None` where containerd would refuse a layer.
pub(crate) fn shows(layers: &Layers) -> Option<Listing> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("merged")).unwrap();
    let mut lower = vec!["empty".to_owned()];
    fs::create_dir(folder.path().join("empty")).unwrap();
    for (number, members) in layers.iter().enumerate() {
        let name = format!("layer{number}");
        let root = folder.path().join(&name);
        fs::create_dir(&root).unwrap();
        for member in members {
            unpack(member, &root)?;
        }
        lower.insert(0, name);
    }
    // A copy of what is seen: the mount ends with its name space. A whiteout of nothing is listed, but is not there.
    let absent = "No such file or directory";
    let copy = format!("{{ cp -a merged/. copied/ 2>faults || ! grep -v '{absent}' faults >&2; }}");
    fs::create_dir(folder.path().join("copied")).unwrap();
    mounted(folder.path(), &lower, &copy).unwrap_or_else(|why| panic!("overlay: {why}"));
    Some(umoci::list(&folder.path().join("copied")))
}

/// Unpacks one member as containerd's `archive.Apply` does with overlayfs' whiteouts. `None`: it would fail.
fn unpack(member: &Member, root: &Path) -> Option<()> {
    let (directory, name) = match member.path.rsplit_once('/') {
        Some((directory, name)) if member.what != What::Opaque => (directory, name),
        _ if member.what == What::Opaque => (member.path.as_str(), ""),
        _ => ("", member.path.as_str()),
    };
    if member.what == What::Opaque && member.path.is_empty() {
        // The root of a layer is no directory of the overlay that could be opaque.
        return Some(());
    }
    let directory = make(&inside(root, directory)?)?;
    let path = directory.join(name);
    if !matches!(member.what, What::Whiteout | What::Opaque) {
        let there = fs::symlink_metadata(&path);
        if let Ok(there) = there
            && !(there.is_dir() && member.what == What::Directory)
        {
            if there.is_dir() {
                fs::remove_dir_all(&path).ok()?;
            } else {
                fs::remove_file(&path).ok()?;
            }
        }
    }
    match &member.what {
        What::Directory => match fs::create_dir(&path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return None,
            _ => {}
        },
        What::File(content, _) => fs::write(&path, content).ok()?,
        What::Symlink(to) => symlink(to, &path).ok()?,
        What::HardLink(to) => {
            let (above, last) = to.rsplit_once('/').unwrap_or(("", to));
            fs::hard_link(inside(root, above)?.join(last), &path).ok()?;
        }
        What::Whiteout => {
            return mknodat(
                CWD,
                &path,
                FileType::CharacterDevice,
                Mode::empty(),
                makedev(0, 0),
            )
            .ok();
        }
        What::Opaque => return lsetxattr(&path, "trusted.overlay.opaque", b"y", XattrFlags::empty()).ok(),
    }
    std::os::unix::fs::lchown(&path, Some(member.uid), Some(member.gid)).ok()?;
    let is_link = fs::symlink_metadata(&path).ok()?.is_symlink();
    if !is_link {
        chown(&path, Some(member.uid), Some(member.gid)).ok()?;
        fs::set_permissions(&path, fs::Permissions::from_mode(member.mode)).ok()?;
    }
    if let What::File(_, Some(capability)) = &member.what {
        lsetxattr(&path, "security.capability", capability, XattrFlags::empty()).ok()?;
    }
    Some(())
}

/// Makes a directory and those above it, as a layer without members for them does.
fn make(directory: &Path) -> Option<PathBuf> {
    fs::create_dir_all(directory).ok()?;
    Some(directory.to_owned())
}

/// The place of `path` below `root` when links are followed as if `root` were `/`.
fn inside(root: &Path, path: &str) -> Option<PathBuf> {
    let mut rest: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
    let mut at: Vec<String> = Vec::new();
    let mut links = 0;
    while let Some(part) = rest.pop() {
        match part.as_str() {
            "" | "." => {}
            ".." => drop(at.pop()),
            _ => {
                at.push(part);
                let here = root.join(at.join("/"));
                if let Ok(target) = fs::read_link(&here) {
                    links += 1;
                    if links > 40 {
                        return None;
                    }
                    let target = target.to_str()?.to_owned();
                    at.pop();
                    if target.starts_with('/') {
                        at.clear();
                    }
                    rest.extend(target.split('/').rev().map(str::to_owned));
                }
            }
        }
    }
    Some(root.join(at.join("/")))
}
