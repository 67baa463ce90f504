//! Where paths lead: links inside the root, how many of them, and what stands above a path.

use super::*;

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
