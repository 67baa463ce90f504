//! Paths at the edge of what Linux allows, links into what it mounts, and owners that it cannot keep.

use super::{
    accounts::{AccountFile, Accounts},
    testing::*,
    *,
};

fn mounted(path: &str) -> Rootfs {
    rootfs([text("/real", "app:x:0:0::/:/x\n"), symlink("/etc/passwd", path)])
}

#[test]
fn the_roots_of_processes_are_the_root() {
    for path in [
        "/proc/self/root/real",
        "/proc/thread-self/root/real",
        "/proc/1/root/real",
        "../proc/thread-self/root//proc/1/root/real",
    ] {
        let fs = mounted(path);
        assert_eq!(
            fs.resolve(&"/etc/passwd".into()).unwrap().paths[0],
            "/real".into()
        );
        assert_eq!(Accounts::read(&fs).passwd.text(), b"app:x:0:0::/:/x\n", "{path}");
    }
}

#[test]
fn a_directory_called_proc_elsewhere_is_an_ordinary_one() {
    let fs = rootfs([file("/app/proc/1/root/x", 0o755), file("/x", 0o644)]);
    let found = fs.resolve(&"/app/proc/1/root/x".into()).unwrap();
    assert_eq!(found.paths[0], "/app/proc/1/root/x".into());
    assert!(fs.resolve(&"/app/proc/self/root/x".into()).is_err());
}

/// What is below `/proc` may lead back into the image: then the accounts are not none, but unknown.
#[test]
fn accounts_that_only_a_running_container_has_are_a_gap() {
    for path in [
        "/proc/self/cwd/real",
        "/proc/thread-self/fd/3",
        "/proc/2/root/real",
        "/proc/real",
        "/p/self/root/real",
    ] {
        let fs = rootfs([
            text("/real", "app:x:0:0::/:/x\n"),
            symlink("/p", "/proc"),
            symlink("/etc/passwd", path),
        ]);
        for more in [None, Some(dir("/proc", 0o555))] {
            let fs = more.map_or_else(
                || fs.get(&"/p".into()).map(|_| mounted(path)),
                |dir| {
                    Some(rootfs([
                        dir,
                        symlink("/p", "/proc"),
                        symlink("/etc/passwd", path),
                    ]))
                },
            );
            let fs = fs.unwrap();
            let accounts = Accounts::read(&fs);
            let unknown = matches!(&accounts.passwd, AccountFile::Unknown(why) if why.contains("/proc"));
            // Without the link at `/p` its target is plainly absent.
            assert!(unknown || fs.get(&"/p".into()).is_none(), "{path}: {accounts:?}");
            assert_eq!(accounts.gaps().count(), usize::from(unknown));
        }
    }
    for path in ["/none", "/process/self/root/real", "/dev/null"] {
        assert_eq!(
            Accounts::read(&mounted(path)).passwd,
            AccountFile::Absent,
            "{path}"
        );
    }
}

#[test]
fn a_short_name_behind_a_link_may_not_stand_for_a_path_too_long() {
    // 4,016 bytes.
    let deep = format!("/{}", "d".repeat(250)).repeat(16);
    for (name, fits) in [(78, true), (79, false)] {
        let fs = rootfs([
            symlink("/l", &deep),
            file(&format!("/l/{}/x", "n".repeat(name)), 0o644),
        ]);
        let found = fs.nodes().any(|node| node.paths[0].name() == b"x");
        assert_eq!(found, fits, "{name}");
        let told: Vec<&str> = fs.gaps().iter().map(|(_, gap)| gap.why.as_str()).collect();
        assert_eq!(told.len(), usize::from(!fits), "{told:?}");
        assert!(
            told.iter()
                .all(|why| why.contains("too long once links are followed"))
        );
    }
}

/// The kernel takes 32 bits of an owner, and all ones for "leave it", which is whoever unpacks: root.
#[test]
fn owners_beyond_32_bits_are_what_the_kernel_makes_of_them() {
    for (stated, is) in [
        (1 << 32, 0),
        ((1 << 32) + 1000, 1000),
        (u64::MAX, 0),
        (u64::from(u32::MAX), 0),
        (u64::from(u32::MAX) - 1, u64::from(u32::MAX) - 1),
        (1000, 1000),
    ] {
        let fs = rootfs([owned(program("/a", []), stated, stated)]);
        let node = fs.get(&"/a".into()).unwrap();
        assert_eq!((node.uid, node.gid), (is, is), "{stated}");
        // The same said by the header of a hard link.
        let fs = rootfs([
            owned(program("/a", []), 7, 7),
            owned(hardlink("/b", "/a"), stated, stated),
        ]);
        let node = fs.get(&"/a".into()).unwrap();
        assert_eq!((node.uid, node.gid), (is, is), "{stated}");
        assert_eq!(node.owners, [(7, 7), (is, is)], "{stated}");
    }
}
