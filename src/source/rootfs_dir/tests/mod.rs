//! Tests of root directories, with what lies in wait in them.

mod faults;
mod traps;

use std::{
    collections::BTreeMap,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink},
};

use super::*;
use crate::{
    source::{
        open as open_target, read_capped,
        samples::{options, see, write},
    },
    target::Target,
};

/// A member as the `tar` crate reads it: type, mode, link target or content.
type Member = (tar::EntryType, u32, Vec<u8>);

fn walk(path: &Path) -> (BTreeMap<String, Member>, Vec<Gap>) {
    let target: Target = format!("rootfs:{}", path.display()).parse().unwrap();
    let Opened::Images { images, blobs } = open_target(&target, &options()).unwrap() else {
        panic!()
    };
    let image = images.into_iter().next().unwrap().unwrap();
    assert!(image.config.is_none() && image.layers[0].diff_id.is_none());
    // Read in odd pieces, as a slow pipe would.
    let mut reader = blobs.open(&image.layers[0]).unwrap();
    let mut bytes = Vec::new();
    let mut piece = [0; 313];
    loop {
        match reader.read(&mut piece).unwrap() {
            0 => break,
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
    assert_eq!(bytes.len() % 512, 0);
    let mut members = BTreeMap::new();
    for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let header = entry.header().clone();
        let content = match entry.link_name_bytes() {
            Some(link) if !link.is_empty() => link.into_owned(),
            _ => read_capped(&mut entry, 1 << 30, "member").unwrap(),
        };
        assert!(
            members
                .insert(
                    name.clone(),
                    (header.entry_type(), header.mode().unwrap(), content)
                )
                .is_none(),
            "{name} twice"
        );
    }
    (members, blobs.gaps())
}

#[test]
fn a_tree_becomes_a_tar() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let long = format!("{}/{}", "d".repeat(200), "f".repeat(90));
    std::fs::create_dir_all(root.join("d".repeat(200))).unwrap();
    std::fs::create_dir(root.join("bin")).unwrap();
    write(&root.join(&long), &[7; 1000]);
    write(&root.join("bin/app"), b"program");
    std::fs::set_permissions(root.join("bin/app"), std::fs::Permissions::from_mode(0o4755)).unwrap();
    std::fs::hard_link(root.join("bin/app"), root.join("bin/zapp")).unwrap();
    write(&root.join("empty"), b"");
    let far = format!("/{}", "t".repeat(150));
    symlink(&far, root.join("far")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        root.join("pipe"),
        rustix::fs::FileType::Fifo,
        Mode::from(0o600),
        0,
    )
    .unwrap();

    let (members, gaps) = walk(root);
    assert!(gaps.is_empty(), "{gaps:?}");
    let names: Vec<&str> = members.keys().map(String::as_str).collect();
    let directory_name = format!("{}/", "d".repeat(200));
    assert_eq!(
        names,
        [
            "./",
            "bin/",
            "bin/app",
            "bin/zapp",
            &directory_name,
            &long,
            "empty",
            "far",
            "pipe"
        ]
    );
    assert_eq!(
        members["bin/app"],
        (tar::EntryType::Regular, 0o4755, b"program".to_vec())
    );
    assert_eq!(
        (members["bin/zapp"].0, &members["bin/zapp"].2[..]),
        (tar::EntryType::Link, &b"bin/app"[..])
    );
    assert_eq!(members[&long].2, [7; 1000]);
    assert_eq!(
        (members["far"].0, &members["far"].2[..]),
        (tar::EntryType::Symlink, far.as_bytes())
    );
    assert_eq!(members["pipe"].0, tar::EntryType::Fifo);
    assert!(root.join("pipe").metadata().unwrap().file_type().is_fifo());
}

#[test]
fn no_link_leads_out() {
    let directory = tempfile::tempdir().unwrap();
    let (root, outside) = (directory.path().join("root"), directory.path().join("outside"));
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::fs::create_dir(&outside).unwrap();
    write(&outside.join("secret"), b"secret");
    symlink(&outside, root.join("etc/dir")).unwrap();
    symlink(outside.join("secret"), root.join("etc/passwd")).unwrap();
    let (members, gaps) = walk(&root);
    assert!(gaps.is_empty());
    assert_eq!(
        members.keys().collect::<Vec<_>>(),
        ["./", "etc/", "etc/dir", "etc/passwd"]
    );
    assert!(members.values().all(|(_, _, content)| content != b"secret"));
}

#[test]
fn other_file_systems_are_left_alone() {
    // The kernel's own ones without a word; `/proc/1` of the root is on another device than `/`.
    let device = |path: &str| std::fs::metadata(path).unwrap().dev();
    assert_ne!(device("/"), device("/proc"));
    let root = fs::open("/", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
    let gaps = Arc::default();
    let mut walk = Walk::new(root, Limits::default(), Arc::clone(&gaps)).unwrap();
    walk.only(&[b"proc", b"sys"]);
    let bytes = read_capped(&mut walk, 1 << 20, "tar").unwrap();
    let names: Vec<String> = tar::Archive::new(bytes.as_slice())
        .entries()
        .unwrap()
        .map(|entry| String::from_utf8(entry.unwrap().path_bytes().into_owned()).unwrap())
        .collect();
    assert_eq!(names, ["./", "proc/", "sys/"]);
    assert!(gaps.lock().unwrap().is_empty());
}

#[test]
fn overlay_markers_become_whiteouts_or_gaps() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    std::fs::create_dir(root.join("opaque")).unwrap();
    write(&root.join("gone"), b"");
    write(&root.join("meta"), b"");
    let set = |name: &str, attribute: &str, value: &[u8]| {
        rustix::fs::setxattr(root.join(name), attribute, value, rustix::fs::XattrFlags::empty())
    };
    if set("opaque", "user.overlay.opaque", b"y").is_err() {
        eprintln!("this file system keeps no attributes");
        return;
    }
    set("gone", "user.overlay.whiteout", b"").unwrap();
    set("meta", "user.overlay.metacopy", b"").unwrap();
    let device = rustix::fs::FileType::CharacterDevice;
    rustix::fs::mknodat(rustix::fs::CWD, root.join("zero"), device, Mode::empty(), 0).unwrap();
    let (members, gaps) = walk(root);
    assert_eq!(
        members.keys().collect::<Vec<_>>(),
        [
            "./",
            ".wh.gone",
            ".wh.zero",
            "meta",
            "opaque/",
            "opaque/.wh..wh..opq"
        ]
    );
    assert!(gaps.iter().any(|gap| gap.why.contains("metacopy")));
}

#[test]
fn a_file_that_changes_keeps_its_size_and_is_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for (name, to, words) in [("shrinks", 10, "shorter"), ("grows", 100_000, "longer")] {
        write(&root.join(name), &vec![b'x'; 5000]);
        let target: Target = format!("rootfs:{}", root.display()).parse().unwrap();
        let Opened::Images { images, blobs } = open_target(&target, &options()).unwrap() else {
            panic!()
        };
        let mut reader = blobs.open(&images[0].as_ref().unwrap().layers[0]).unwrap();
        let mut headers = [0; 1024];
        reader.read_exact(&mut headers[..512]).unwrap();
        reader.read_exact(&mut headers[512..]).unwrap();
        std::fs::OpenOptions::new()
            .write(true)
            .open(root.join(name))
            .unwrap()
            .set_len(to)
            .unwrap();
        let rest = read_capped(&mut reader, 1 << 20, "tar").unwrap();
        assert_eq!(rest.len(), 5120 + 1024);
        assert!(
            blobs.gaps().iter().any(|gap| gap.why.contains(words)),
            "{:?}",
            blobs.gaps()
        );
        std::fs::remove_file(root.join(name)).unwrap();
    }
}

#[test]
fn what_may_not_be_read_is_a_gap() {
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        eprintln!("root may read everything");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("secret");
    write(&secret, b"x");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o000)).unwrap();
    let (members, gaps) = walk(directory.path());
    assert!(members.contains_key("secret") && gaps.len() == 1);
}

#[test]
fn mostly_empty_files_are_not_read_through() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("lastlog");
    write(&file, b"x");
    std::fs::OpenOptions::new()
        .write(true)
        .open(&file)
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    let (members, gaps) = walk(directory.path());
    assert!(members.contains_key("lastlog") && gaps.iter().any(|gap| gap.why.contains("holes")));
}

#[test]
fn what_is_no_directory_fails() {
    let code = |text: &str| match open_target(&text.parse().unwrap(), &options()).and_then(see) {
        Err(failure) => failure.code,
        Ok(_) => panic!("{text} opened"),
    };
    assert_eq!(code("rootfs:/nonexistent/x"), Code::NotFound);
    assert_eq!(code("rootfs:/dev/null"), Code::Unreadable);
}

#[test]
fn capabilities_of_files_are_carried_byte_by_byte() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app");
    write(&path, b"program");
    // Its mask holds a line break.
    let value = b"\x01\0\0\x02\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let set =
        |name: &str, value: &[u8]| rustix::fs::setxattr(&path, name, value, rustix::fs::XattrFlags::empty());
    if set("security.capability", value).is_err() {
        eprintln!("this file system or this user sets no capabilities");
        return;
    }
    let root = fs::open(
        directory.path(),
        OFlags::RDONLY | OFlags::DIRECTORY,
        Mode::empty(),
    )
    .unwrap();
    let mut walk = Walk::new(root, Limits::default(), Arc::default()).unwrap();
    let bytes = read_capped(&mut walk, 1 << 20, "tar").unwrap();
    let record = [&b"SCHILY.xattr.security.capability="[..], value, b"\n"].concat();
    assert!(memchr::memmem::find(&bytes, &record).is_some());
}

#[test]
fn overlay_attributes_that_hide_content_are_gaps_and_only_y_is_opaque() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let set = |name: &str, attribute: &str, value: &[u8]| {
        std::fs::create_dir_all(root.join(name)).unwrap();
        rustix::fs::setxattr(root.join(name), attribute, value, rustix::fs::XattrFlags::empty())
    };
    if set("moved", "user.overlay.redirect", b"/other").is_err() {
        eprintln!("this file system keeps no attributes");
        return;
    }
    // `x` only says that there are whiteouts of the other kind in it.
    set("holds", "user.overlay.opaque", b"x").unwrap();
    let (members, gaps) = walk(root);
    assert_eq!(members.keys().collect::<Vec<_>>(), ["./", "holds/", "moved/"]);
    let gaps: Vec<_> = gaps
        .iter()
        .map(|gap| (gap.path.clone().unwrap().to_string(), gap.hides))
        .collect();
    assert_eq!(gaps, [("/moved".to_owned(), crate::gap::Hides::Anything)]);
}
