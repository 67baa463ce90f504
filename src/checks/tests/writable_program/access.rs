//! Who may change a path: modes, owners, directories, links. One row for each fact.

use super::*;

/// What a container of this user can change that it runs and trusts.
fn changed_by(user: &str, entries: impl IntoIterator<Item = Entry>) -> Vec<String> {
    let files = rootfs(entries);
    let config = config(user, &["/app/server"], &[]);
    paths(&look("writable-program", &files, Some(&config)))
}

#[test]
fn whoever_owns_or_writes_a_program_can_change_it() {
    let server = || program("/app/server", []);
    assert_eq!(
        changed_by("1000:1000", [owned(server(), 1000, 0)]),
        ["/app/server"]
    );
    assert_eq!(changed_by("1000:1000", [mode(server(), 0o757)]), ["/app/server"]);
    assert_eq!(
        changed_by("1000:1000", [mode(owned(server(), 0, 1000), 0o775)]),
        ["/app/server"]
    );
    // The first class that fits counts.
    assert!(changed_by("1000:1000", [mode(owned(server(), 0, 1000), 0o757)]).is_empty());
    assert!(changed_by("1000:1000", [server()]).is_empty());
    // Root may do anything: another rule speaks.
    assert!(changed_by("0:0", [mode(server(), 0o777)]).is_empty());
    assert!(changed_by("", [owned(server(), 1000, 1000)]).is_empty());
}

#[test]
fn a_directory_gives_its_entries_away() {
    let server = || program("/app/server", []);
    assert_eq!(
        changed_by("1000:1000", [dir("/app", 0o777), server()]),
        ["/app/server"]
    );
    assert_eq!(
        changed_by("1000:1000", [owned(dir("/app", 0o755), 1000, 0), server()]),
        ["/app/server"]
    );
    assert!(changed_by("1000:1000", [dir("/app", 0o1777), server()]).is_empty());
    assert_eq!(
        changed_by("1000:1000", [dir("/app", 0o1777), owned(server(), 1000, 0)]),
        ["/app/server"]
    );
    // Nobody but root gets to it.
    assert!(
        changed_by(
            "1000:1000",
            [dir("/app", 0o700), mode(server(), 0o755), dir("/app/x", 0o777)]
        )
        .is_empty()
    );
}

/// Mode, owner and group of a file and of the directory that holds it, and whether user 1000 may change the file.
#[test]
fn the_first_class_that_fits_decides_and_every_directory_must_let_through() {
    for (file_is, directory_is, changes) in [
        ((0o755, 0, 0), (0o755, 0, 0), false),
        ((0o755, 1000, 0), (0o755, 0, 0), true),
        ((0o555, 1000, 0), (0o755, 0, 0), true),
        ((0o775, 0, 1000), (0o755, 0, 0), true),
        ((0o775, 0, 10), (0o755, 0, 0), true),
        ((0o775, 0, 11), (0o755, 0, 0), false),
        ((0o757, 0, 0), (0o755, 0, 0), true),
        ((0o757, 0, 1000), (0o755, 0, 0), false),
        ((0o757, 0, 10), (0o755, 0, 0), false),
        // The directory gives its entries away.
        ((0o755, 0, 0), (0o777, 0, 0), true),
        ((0o755, 0, 0), (0o775, 0, 10), true),
        ((0o755, 0, 0), (0o555, 1000, 0), true),
        ((0o755, 0, 0), (0o773, 0, 0), true),
        ((0o755, 0, 0), (0o776, 0, 0), false),
        ((0o755, 0, 0), (0o1777, 0, 0), false),
        ((0o755, 1001, 0), (0o1777, 0, 0), false),
        ((0o755, 0, 0), (0o1777, 1000, 0), true),
        ((0o755, 1000, 0), (0o1777, 0, 0), true),
    ] {
        let (bits, uid, gid) = directory_is;
        let directory = owned(dir("/app", bits), uid, gid);
        let (bits, uid, gid) = file_is;
        let server = owned(mode(program("/app/server", []), bits), uid, gid);
        let found = changeable([directory, server], &["/app/server"]);
        assert_eq!(!found.is_empty(), changes, "{file_is:?} in {directory_is:?}");
    }
    // Without x nothing in a directory can be reached or replaced; its owner can give that back.
    let lib = |bits: u16, uid: u64| {
        let directory = owned(dir("/etc/pam.d", bits), uid, 0);
        let entries = [
            program("/server", []),
            directory,
            mode(file("/etc/pam.d/x", 0o666), 0o666),
        ];
        !changeable(entries, &["/server"]).is_empty()
    };
    assert!(lib(0o755, 0) && lib(0o711, 0) && lib(0o000, 1000));
    assert!(!lib(0o754, 0) && !lib(0o776, 0));
}

/// What cannot be reached cannot be filled, however its mode is; the owner of a directory can let themselves in.
#[test]
fn a_closed_directory_protects_what_is_open_below_it() {
    let all = |bits: u16, uid: u64| {
        vec![
            owned(dir("/closed", bits), uid, 0),
            dir("/closed/open", 0o777),
            program("/closed/open/server", []),
        ]
    };
    let found = |entries: Vec<Entry>| !changeable(entries, &["/closed/open/server"]).is_empty();
    // The kernel would not start it for this user; under another runtime's user it might.
    let as_library = |bits: u16, uid: u64| {
        let mut server = needs(program("/server", []), LOADER, &["libx.so"]);
        elf(&mut server).runpath = Some(b"/closed/open".to_vec());
        let mut entries = all(bits, uid);
        entries[2] = library("/closed/open/libx.so", []);
        entries.extend([server, library(LOADER, [])]);
        !changeable(entries, &["/server"]).is_empty()
    };
    assert!(found(all(0o755, 0)) && as_library(0o711, 0) && as_library(0o000, 1000));
    assert!(!as_library(0o700, 0) && !as_library(0o766, 0));
    // The same for what may be read.
    let shadow = |entry: Entry, directory: Entry| {
        let entry = Entry { size: 9, ..entry };
        let files = rootfs([program("/server", []), directory, entry]);
        !look(
            "secret-file",
            &files,
            Some(&config("1000:1000", &["/server"], &[])),
        )
        .is_empty()
    };
    let etc = |bits: u16, uid: u64| owned(dir("/etc", bits), uid, 0);
    for (bits, uid, gid, etc_bits, etc_uid, reads) in [
        (0o600, 0, 0, 0o755, 0, false),
        (0o604, 0, 0, 0o755, 0, true),
        (0o640, 0, 1000, 0o755, 0, true),
        (0o640, 0, 42, 0o755, 0, false),
        (0o000, 1000, 0, 0o755, 0, true),
        (0o604, 0, 0, 0o700, 0, false),
        (0o604, 0, 0, 0o000, 1000, true),
    ] {
        let file = owned(mode(file("/etc/shadow", bits), bits), uid, gid);
        let told = shadow(file, etc(etc_bits, etc_uid));
        assert_eq!(told, reads, "{bits:o} {uid} {gid} {etc_bits:o} {etc_uid}");
    }
    let second = [
        Entry {
            size: 9,
            ..file("/aaa", 0o604)
        },
        mode(hardlink("/etc/shadow", "/aaa"), 0o604),
    ];
    let files = rootfs(second);
    assert_eq!(
        look("secret-file", &files, Some(&config("1000:1000", &["/x"], &[]))).len(),
        1
    );
}

#[test]
fn directories_far_above_count_and_second_names_do() {
    let server = || program("/srv/a/b/server", []);
    let all = |bits: u16| {
        vec![
            dir("/srv", bits),
            dir("/srv/a", 0o755),
            dir("/srv/a/b", 0o755),
            server(),
        ]
    };
    assert_eq!(changeable(all(0o777), &["/srv/a/b/server"]), ["/srv/a/b/server"]);
    assert!(changeable(all(0o1777), &["/srv/a/b/server"]).is_empty());
    // What the sticky bit protects is the entry of that directory, whoever owns what lies below.
    let mut own = all(0o1777);
    own[1] = mine(dir("/srv/a", 0o755));
    assert_eq!(changeable(own, &["/srv/a/b/server"]), ["/srv/a/b/server"]);
    // Directories that no member made are root's; those above them may be anybody's.
    assert_eq!(
        changeable([dir("/srv", 0o777), server()], &["/srv/a/b/server"]),
        ["/srv/a/b/server"]
    );
    assert!(changeable([server()], &["/srv/a/b/server"]).is_empty());
    // A closed directory does not hide another name.
    let entries = [
        dir("/closed", 0o700),
        mode(program("/closed/x", []), 0o757),
        mode(hardlink("/open", "/closed/x"), 0o757),
    ];
    assert_eq!(changeable(entries, &["/open"]), ["/closed/x"]);
}

/// containerd and Docker give a file the owner that the header of its last hard link says, umoci leaves it.
#[test]
fn an_owner_that_only_one_header_names_can_change_the_file() {
    let server = || program("/server", []);
    let link = || hardlink("/x", "/server");
    assert_eq!(changeable([server(), mine(link())], &["/server"]), ["/server"]);
    assert_eq!(changeable([mine(server()), link()], &["/server"]), ["/server"]);
    let other = owned(server(), 1001, 0);
    assert_eq!(
        changeable([other.clone(), mine(link())], &["/server"]),
        ["/server"]
    );
    assert!(changeable([other, link()], &["/server"]).is_empty());
}

/// Docker drops groups where one is given, containerd does not: what one of them lets a user change counts.
#[test]
fn what_any_runtime_lets_the_user_change_counts() {
    let files = rootfs([
        owned(mode(program("/server", []), 0o775), 0, 10),
        text("/etc/passwd", "app:x:1000:1000::/:/x\n"),
        text("/etc/group", "wheel:x:10:app\n"),
    ]);
    let found = |user: &str| look("writable-program", &files, Some(&config(user, &["/server"], &[]))).len();
    assert_eq!((found("1000"), found("1000:1000"), found("1001:1001")), (1, 1, 0));
    // Under some runtime it is root: another rule speaks.
    assert_eq!(found("0"), 0);
}

#[test]
fn links_on_the_way_can_be_turned() {
    let server = || program("/opt/v1/server", []);
    let entry = "the program that the container starts";
    for (link, target, command) in [
        ("/srv/server", "/opt/v1/server", "/srv/server"),
        ("/srv/current", "../opt/v1", "/srv/current/server"),
        ("/srv/x", "v1", "/srv/../srv/x/server"),
    ] {
        let mut entries = vec![server(), symlink(link, target), dir("/srv", 0o777)];
        entries.extend(
            [symlink("/srv/v1", "/opt/v1")]
                .into_iter()
                .filter(|_| target == "v1"),
        );
        let found = changed(entries.clone(), &[command], |_| {});
        assert_eq!(found, [(link.to_owned(), entry.to_owned())], "{command}");
        entries.retain(|entry| entry.kind != Kind::Directory);
        entries.push(dir("/srv", 0o755));
        assert!(changeable(entries, &[command]).is_empty(), "{command}");
    }
    // The sticky bit protects the links of others, and only the names of its own directory.
    for (owner, link, found) in [
        (1000, "/srv/server", true),
        (0, "/srv/server", false),
        (1000, "/srv/a/server", false),
    ] {
        let link_is = owned(symlink(link, "/opt/v1/server"), owner, 0);
        let entries = [server(), dir("/srv", 0o1777), dir("/srv/a", 0o755), link_is];
        assert_eq!(!changeable(entries, &[link]).is_empty(), found, "{owner} {link}");
    }
    // Owning a link gives nothing: it cannot be written to.
    let own = [server(), mine(symlink("/srv/server", "/opt/v1/server"))];
    assert!(changeable(own, &["/srv/server"]).is_empty());
    // Links of `PATH`, of an interpreter, of a loader, of a library and of account files.
    let link = |at: &str, to: &str| vec![dir("/w", 0o777), symlink(at, "/w/link"), symlink("/w/link", to)];
    let with = |more: Vec<Entry>, mut rest: Vec<Entry>| {
        rest.extend(more);
        rest
    };
    let script = || script("/run", "/bin/interp", []);
    let dynamic = || needs(program("/run", []), LOADER, &["libx.so"]);
    for (entries, command, path) in [
        (
            with(link("/usr/bin/server", "/opt/v1/server"), vec![server()]),
            "server",
            "/w/link",
        ),
        (
            with(link("/bin/interp", "/opt/v1/server"), vec![server(), script()]),
            "/run",
            "/w/link",
        ),
        (
            with(
                link(LOADER, "/opt/ld.so"),
                vec![library("/opt/ld.so", []), dynamic()],
            ),
            "/run",
            "/w/link",
        ),
        (
            with(
                link("/lib/libx.so", "/opt/libx.so"),
                vec![library(LOADER, []), library("/opt/libx.so", []), dynamic()],
            ),
            "/run",
            "/w/link",
        ),
        (
            with(
                link("/etc/shadow", "/opt/shadow"),
                vec![program("/run", []), file("/opt/shadow", 0o600)],
            ),
            "/run",
            "/w/link",
        ),
    ] {
        assert_eq!(changeable(entries, &[command]), [path], "{command}");
    }
}
