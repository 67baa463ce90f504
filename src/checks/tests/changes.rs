//! Tests of what the user that a container runs as can change of what it runs and trusts, one row for each fact.

use super::*;
use crate::layer::Kind;

const GLIBC: &str = "/lib64/ld-linux-x86-64.so.2";
const MUSL: &str = "/lib/ld-musl-x86_64.so.1";

/// Findings as path and the beginning of what is said of the path, for a container of user 1000 in groups 1000 and 10.
fn changed(
    entries: impl IntoIterator<Item = Entry>,
    command: &[&str],
    change: impl FnOnce(&mut ImageConfig),
) -> Vec<(String, String)> {
    let mut entries: Vec<Entry> = entries.into_iter().collect();
    if !entries.iter().any(|entry| entry.path == "/etc/group".into()) {
        entries.push(text("/etc/passwd", "app:x:1000:1000::/:/x\n"));
        entries.push(text("/etc/group", "wheel:x:10:app\n"));
    }
    let mut config = config("1000", command, &[]);
    change(&mut config);
    look("writable-program", &rootfs(entries), Some(&config))
        .into_iter()
        .map(|finding| {
            let path = finding.path.as_ref().unwrap().to_string();
            let entry = finding.qualifier.is_none();
            let role = finding.message.strip_prefix(&format!("{path}, ")).unwrap();
            let role = role.split(", can be changed").next().unwrap();
            assert_eq!(entry, role == "the program that the container starts", "{role}");
            assert_eq!(
                entry || role == "what runs the program that the container starts",
                finding.severity == Severity::High
            );
            assert!(finding.layer.is_some());
            (path, role.to_owned())
        })
        .collect()
}

fn paths(entries: impl IntoIterator<Item = Entry>, command: &[&str]) -> Vec<String> {
    let found = changed(entries, command, |_| {});
    found.into_iter().map(|(path, _)| path).collect()
}

fn mine(entry: Entry) -> Entry {
    owned(entry, 1000, 0)
}

fn needs(entry: Entry, loader: &str, needed: &[&str]) -> Entry {
    let mut entry = dynamic(entry, loader);
    elf(&mut entry).needed = needed.iter().map(|name| name.as_bytes().to_vec()).collect();
    entry
}

fn library(path: &str) -> Entry {
    let mut entry = program(path, []);
    elf(&mut entry).startable = false;
    entry
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
        let found = paths([directory, server], &["/app/server"]);
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
        !paths(entries, &["/server"]).is_empty()
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
    let found = |entries: Vec<Entry>| !paths(entries, &["/closed/open/server"]).is_empty();
    // The kernel would not start it for this user; under another runtime's user it might.
    let as_library = |bits: u16, uid: u64| {
        let mut server = needs(program("/server", []), GLIBC, &["libx.so"]);
        elf(&mut server).runpath = Some(b"/closed/open".to_vec());
        let mut entries = all(bits, uid);
        entries[2] = library("/closed/open/libx.so");
        entries.extend([server, library(GLIBC)]);
        !paths(entries, &["/server"]).is_empty()
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
    assert_eq!(paths(all(0o777), &["/srv/a/b/server"]), ["/srv/a/b/server"]);
    assert!(paths(all(0o1777), &["/srv/a/b/server"]).is_empty());
    // What the sticky bit protects is the entry of that directory, whoever owns what lies below.
    let mut own = all(0o1777);
    own[1] = mine(dir("/srv/a", 0o755));
    assert_eq!(paths(own, &["/srv/a/b/server"]), ["/srv/a/b/server"]);
    // Directories that no member made are root's; those above them may be anybody's.
    assert_eq!(
        paths([dir("/srv", 0o777), server()], &["/srv/a/b/server"]),
        ["/srv/a/b/server"]
    );
    assert!(paths([server()], &["/srv/a/b/server"]).is_empty());
    // A closed directory does not hide another name.
    let entries = [
        dir("/closed", 0o700),
        mode(program("/closed/x", []), 0o757),
        mode(hardlink("/open", "/closed/x"), 0o757),
    ];
    assert_eq!(paths(entries, &["/open"]), ["/closed/x"]);
}

/// containerd and Docker give a file the owner that the header of its last hard link says, umoci leaves it.
#[test]
fn an_owner_that_only_one_header_names_can_change_the_file() {
    let server = || program("/server", []);
    let link = || hardlink("/x", "/server");
    assert_eq!(paths([server(), mine(link())], &["/server"]), ["/server"]);
    assert_eq!(paths([mine(server()), link()], &["/server"]), ["/server"]);
    let other = owned(server(), 1001, 0);
    assert_eq!(paths([other.clone(), mine(link())], &["/server"]), ["/server"]);
    assert!(paths([other, link()], &["/server"]).is_empty());
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
        assert!(paths(entries, &[command]).is_empty(), "{command}");
    }
    // The sticky bit protects the links of others, and only the names of its own directory.
    for (owner, link, found) in [
        (1000, "/srv/server", true),
        (0, "/srv/server", false),
        (1000, "/srv/a/server", false),
    ] {
        let link_is = owned(symlink(link, "/opt/v1/server"), owner, 0);
        let entries = [server(), dir("/srv", 0o1777), dir("/srv/a", 0o755), link_is];
        assert_eq!(!paths(entries, &[link]).is_empty(), found, "{owner} {link}");
    }
    // Owning a link gives nothing: it cannot be written to.
    let own = [server(), mine(symlink("/srv/server", "/opt/v1/server"))];
    assert!(paths(own, &["/srv/server"]).is_empty());
    // Links of `PATH`, of an interpreter, of a loader, of a library and of account files.
    let link = |at: &str, to: &str| vec![dir("/w", 0o777), symlink(at, "/w/link"), symlink("/w/link", to)];
    let with = |more: Vec<Entry>, mut rest: Vec<Entry>| {
        rest.extend(more);
        rest
    };
    let script = || script("/run", "/bin/interp", []);
    let dynamic = || needs(program("/run", []), GLIBC, &["libx.so"]);
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
            with(link(GLIBC, "/opt/ld.so"), vec![library("/opt/ld.so"), dynamic()]),
            "/run",
            "/w/link",
        ),
        (
            with(
                link("/lib/libx.so", "/opt/libx.so"),
                vec![library(GLIBC), library("/opt/libx.so"), dynamic()],
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
        assert_eq!(paths(entries, &[command]), [path], "{command}");
    }
}

#[test]
fn all_that_a_start_needs_counts_behind_the_program() {
    let what = |path: &str, command: &[&str]| -> Vec<(String, String)> {
        let mut entries = vec![
            needs(program("/app/server", []), GLIBC, &["libone.so"]),
            library(GLIBC),
            library("/usr/lib/libtwo.so"),
            needs(library("/usr/lib/libone.so"), GLIBC, &["libtwo.so"]),
            script("/app/run", "/usr/bin/env server2", []),
            program("/usr/bin/env", []),
            program("/usr/bin/server2", []),
            text("/app/data", "x"),
        ];
        for entry in &mut entries {
            if entry.path == path.into() {
                entry.uid = 1000;
            }
        }
        changed(entries, command, |_| {})
    };
    for (path, command, role) in [
        (
            "/app/server",
            "/app/server",
            "the program that the container starts",
        ),
        (GLIBC, "/app/server", "a library that the program loads"),
        (
            "/usr/lib/libone.so",
            "/app/server",
            "a library that the program loads",
        ),
        (
            "/usr/lib/libtwo.so",
            "/app/server",
            "a library that the program loads",
        ),
        ("/app/run", "/app/run", "the program that the container starts"),
        (
            "/usr/bin/env",
            "/app/run",
            "what runs the program that the container starts",
        ),
        (
            "/usr/bin/server2",
            "/app/run",
            "what runs the program that the container starts",
        ),
        (
            "/usr/bin/server2",
            "/app/server",
            "a program beside the one that the container starts",
        ),
    ] {
        assert_eq!(
            what(path, &[command]),
            [(path.to_owned(), role.to_owned())],
            "{path}"
        );
    }
    assert_eq!(
        what("/app/data", &["/app/server", "/app/data"]),
        [(
            "/app/data".to_owned(),
            "a file that the command line names".to_owned()
        )]
    );
    assert!(what("/app/data", &["/app/server"]).is_empty());
}

/// The shell half of a script in two languages starts another program.
#[test]
fn what_a_script_starts_counts_as_what_runs_it() {
    let mut both = script("/run", "/bin/sh", []);
    if let Form::Script(script) = &mut both.program.as_mut().unwrap().form {
        script.inner = Some(b"/opt/python".to_vec());
    }
    let entries = [
        both,
        program("/bin/sh", ["shell.dash"]),
        mine(program("/opt/python", [])),
    ];
    let role = "what runs the program that the container starts";
    assert_eq!(
        changed(entries, &["/run"], |_| {}),
        [("/opt/python".to_owned(), role.to_owned())]
    );
}

#[test]
fn directories_in_which_the_loader_looks_first_can_be_filled() {
    let role = "a directory in which the loader looks for libraries";
    let files = |change: &dyn Fn(&mut crate::binary::Elf)| {
        let mut server = needs(program("/app/server", []), GLIBC, &["libx.so"]);
        change(elf(&mut server));
        vec![
            server,
            library(GLIBC),
            library("/usr/lib/libx.so"),
            library("/late/libx.so"),
            dir("/w", 0o777),
            dir("/w/lib", 0o755),
            dir("/sticky", 0o1777),
            mine(dir("/app/own", 0o755)),
        ]
    };
    let list = |text: &str| Some(text.as_bytes().to_vec());
    let env = |value: &str| {
        let value = format!("LD_LIBRARY_PATH={value}");
        changed(files(&|_| {}), &["/app/server"], move |config| {
            "/w".clone_into(&mut config.working_dir);
            config.env.push(value);
        })
    };
    for (path, told) in [
        ("/w", "/w"),
        ("/w/lib", "/w/lib"),
        ("/w/none/deep", "/w/none"),
        ("/w/lib/none", "/w/lib/none"),
        ("/sticky", "/sticky"),
        ("lib", "/w/lib"),
        ("", ""),
        (":/usr/lib", "/w"),
        ("/usr/lib:/w", ""),
        ("/usr/lib;/w", ""),
        ("/usr/local/lib", ""),
        ("/etc;/w", "/w"),
    ] {
        let want: Vec<_> = [(told.to_owned(), role.to_owned())]
            .into_iter()
            .filter(|_| !told.is_empty())
            .collect();
        assert_eq!(env(path), want, "LD_LIBRARY_PATH={path}");
    }
    for (rpath, runpath, told) in [
        (list("/w"), None, "/w"),
        (None, list("/w"), "/w"),
        (None, list("$ORIGIN/own"), "/app/own"),
        (list("${ORIGIN}/own"), None, "/app/own"),
        (None, list("$ORIGIN/../none"), ""),
        // With a RUNPATH the RPATH counts no more.
        (list("/w"), list("/usr/lib"), ""),
    ] {
        let found = changed(
            files(&|elf| (elf.rpath, elf.runpath) = (rpath.clone(), runpath.clone())),
            &["/app/server"],
            |_| {},
        );
        let want: Vec<_> = [(told.to_owned(), role.to_owned())]
            .into_iter()
            .filter(|_| !told.is_empty())
            .collect();
        assert_eq!(found, want, "{rpath:?} {runpath:?}");
    }
    // Several of them are one finding.
    assert_eq!(env("/w:/sticky").len(), 1);
    // A program that no loader starts searches nothing.
    let mut plain = files(&|elf| elf.runpath = Some(b"/w".to_vec()));
    elf(&mut plain[0]).interpreter = None;
    elf(&mut plain[0]).needed.clear();
    assert!(paths(plain, &["/app/server"]).is_empty());
}

#[test]
fn what_tells_the_loader_where_to_look_counts_even_where_it_is_not_there() {
    let with = |loader: &str, more: Vec<Entry>| {
        let mut entries = vec![needs(program("/server", []), loader, &[]), library(loader)];
        entries.extend(more);
        paths(entries, &["/server"])
    };
    let open = |path: &str| vec![mode(file(path, 0o666), 0o666)];
    for path in [
        "/etc/ld.so.preload",
        "/etc/ld.so.conf",
        "/etc/ld.so.conf.d/x.conf",
        "/etc/ld.so.cache",
    ] {
        assert_eq!(with(GLIBC, open(path)), [path]);
    }
    assert_eq!(
        with(GLIBC, vec![mine(dir("/etc/ld.so.conf.d", 0o755))]),
        ["/etc/ld.so.conf.d"]
    );
    assert_eq!(
        with(MUSL, open("/etc/ld-musl-x86_64.path")),
        ["/etc/ld-musl-x86_64.path"]
    );
    assert!(with(MUSL, open("/etc/ld.so.preload")).is_empty());
    assert!(with(GLIBC, open("/etc/ld-musl-x86_64.path")).is_empty());
    let etc = || vec![dir("/etc", 0o777)];
    assert_eq!(with(GLIBC, etc()), ["/etc/ld.so.preload"]);
    assert_eq!(with(MUSL, etc()), ["/etc/ld-musl-x86_64.path"]);
    // A static program has no loader; who may fill /etc still says who is who.
    let mut entries = etc();
    entries.push(program("/server", []));
    assert_eq!(paths(entries, &["/server"]), ["/etc/passwd"]);
}

#[test]
fn directories_that_path_names_first_can_be_filled() {
    let role = |(path, role): &(String, String)| {
        assert_eq!(role, "a directory that PATH names before the program's");
        path.clone()
    };
    let files = || {
        vec![
            program("/usr/bin/server", []),
            program("/usr/bin/tini", []),
            program("/usr/bin/env", []),
            script("/run", "/usr/bin/env server", []),
            script("/own-path", "/usr/bin/env -S PATH=/w/none:/usr/bin server", []),
            dir("/w", 0o777),
            dir("/late", 0o777),
        ]
    };
    for (command, path, told) in [
        (&["server"][..], "/w:/usr/bin:/late", Some("/w")),
        (&["server"], "/w/none:/usr/bin", Some("/w/none")),
        (&["server"], "/opt/none:/usr/bin", None),
        (&["server"], "/usr/bin:/w", None),
        (&["server"], "/usr/bin:/w:/usr/bin", None),
        (&["server"], "w:/usr/bin", None),
        (&["server"], "../w:/usr/bin", Some("/w")),
        (&["server"], ":/usr/bin", None),
        (&["/usr/bin/server"], "/w:/usr/bin", None),
        (&["/run"], "/w:/usr/bin:/late", Some("/w")),
        (&["/own-path"], "/usr/bin", Some("/w/none")),
        (
            &["/usr/bin/tini", "--", "server"],
            "/w:/usr/bin:/late",
            Some("/w"),
        ),
        (&["/usr/bin/env", "A=b", "server"], "../w:/usr/bin", Some("/w")),
    ] {
        let found = changed(files(), command, |config| {
            "/srv".clone_into(&mut config.working_dir);
            config.env = vec![format!("PATH={path}")];
        });
        let found: Vec<String> = found.iter().map(role).collect();
        assert_eq!(found, told.into_iter().collect::<Vec<_>>(), "{command:?} {path}");
    }
}

#[test]
fn files_that_say_who_is_who_count_with_what_is_in_their_directories() {
    for path in [
        "/etc/passwd",
        "/etc/group",
        "/etc/shadow",
        "/etc/gshadow",
        "/etc/sudoers",
        "/etc/sudoers.d/app",
        "/etc/pam.d/su",
    ] {
        let open = mode(text(path, "app:x:1000:1000\n"), 0o666);
        let entries = [program("/server", []), open];
        let mut config = config("1000:1000", &["/server"], &[]);
        config.env.clear();
        let found = look("writable-program", &rootfs(entries), Some(&config));
        assert_eq!(found.len(), 1, "{path}");
        assert_eq!(found[0].path, Some(path.into()));
        assert!(
            found[0].message.contains("what says who is who"),
            "{}",
            found[0].message
        );
    }
    // Several in one directory are one finding.
    let open = |path: &str| mode(text(path, "app:x:1000:1000\n"), 0o666);
    let found = changed(
        [program("/server", []), open("/etc/passwd"), open("/etc/group")],
        &["/server"],
        |_| {},
    );
    assert_eq!(found.len(), 1);
    // The user's groups count as well: a group that lists it.
    let passwd = || text("/etc/passwd", "app:x:1000:1000::/:/x\n");
    let group = |members: &str| text("/etc/group", &format!("wheel:x:10:{members}\n"));
    let shadow = || owned(mode(file("/etc/shadow", 0o660), 0o660), 0, 10);
    let all = |members: &str| [program("/server", []), passwd(), group(members), shadow()];
    assert_eq!(paths(all("app"), &["/server"]), ["/etc/shadow"]);
    assert!(paths(all("other"), &["/server"]).is_empty());
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
fn tables_of_a_cron_daemon_count_where_there_is_one() {
    let role = "what a cron daemon runs as root";
    let cron = || program("/usr/sbin/cron", ["os.cron"]);
    for path in [
        "/etc/crontab",
        "/etc/anacrontab",
        "/etc/cron.d/job",
        "/etc/cron.hourly/job",
        "/etc/cron.daily/job",
        "/etc/cron.weekly/job",
        "/etc/cron.monthly/job",
        "/etc/crontabs/root",
        "/etc/periodic/daily/job",
        "/var/spool/cron/crontabs/root",
        "/var/spool/cron/root",
    ] {
        let open = || mine(file(path, 0o600));
        let found = |daemon: Entry| changed([program("/server", []), open(), daemon], &["/server"], |_| {});
        for daemon in [
            cron(),
            program("/opt/x", ["os.cron"]),
            program("/usr/sbin/crond", []),
            busybox("/bin/busybox", &["cat", "crond"]),
        ] {
            assert_eq!(found(daemon), [(path.to_owned(), role.to_owned())], "{path}");
        }
        for none in [
            program("/usr/sbin/other", []),
            mode(cron(), 0o644),
            busybox("/bin/busybox", &["cat"]),
        ] {
            assert!(found(none).is_empty(), "{path}");
        }
    }
    // A table of the user's own runs as that user.
    let own = mine(file("/var/spool/cron/crontabs/app", 0o600));
    assert!(paths([program("/server", []), own, cron()], &["/server"]).is_empty());
}

#[test]
fn scripts_of_an_init_program_count_where_there_is_one() {
    for path in [
        "/etc/inittab",
        "/etc/rc.local",
        "/etc/init.d/x",
        "/etc/rc.d/x",
        "/etc/systemd/system/x.service",
    ] {
        let with = |init: &str| {
            let entries = [program("/server", []), mine(file(path, 0o644)), program(init, [])];
            paths(entries, &["/server"])
        };
        for init in [
            "/sbin/init",
            "/usr/sbin/init",
            "/lib/systemd/systemd",
            "/usr/lib/systemd/systemd",
        ] {
            assert_eq!(with(init), [path]);
        }
        assert!(with("/opt/init").is_empty());
    }
}

#[test]
fn trees_of_modules_count_once_for_an_interpreter() {
    let role = "a tree from which the interpreter loads";
    let python = || program("/usr/bin/python3", ["interp.python"]);
    for name in [
        "site-packages",
        "dist-packages",
        "node_modules",
        "perl5",
        "site_ruby",
        "gems",
    ] {
        let tree = format!("/opt/{name}");
        let deep = format!("{tree}/a/{name}/b");
        let found = |owner: &dyn Fn(&str) -> u64, command: &str| {
            let entries = [
                dir(&tree, 0o755),
                dir(&format!("{tree}/a"), 0o755),
                file(&deep, 0o644),
                file(&format!("{tree}/c"), 0o644),
            ];
            let entries = entries.map(|entry| Entry {
                uid: owner(&entry.path.to_string()),
                ..entry
            });
            let all = entries.into_iter().chain([python(), program("/server", [])]);
            changed(all, &[command], |_| {})
        };
        let whole = found(&|path| if path == tree { 1000 } else { 0 }, "/usr/bin/python3");
        assert_eq!(whole, [(tree.clone(), role.to_owned())]);
        let part = found(&|path| if path == deep { 1000 } else { 0 }, "/usr/bin/python3");
        assert_eq!(part, [(deep.clone(), role.to_owned())]);
        assert!(found(&|_| 0, "/usr/bin/python3").is_empty());
        assert!(found(&|_| 1000, "/server").is_empty());
    }
    // All that is below is counted in one finding.
    let entries: Vec<Entry> = (0..9)
        .map(|n| mine(file(&format!("/opt/gems/{n}"), 0o644)))
        .collect();
    let files = rootfs(entries.into_iter().chain([python()]));
    let found = look(
        "writable-program",
        &files,
        Some(&config("1000:1000", &["/usr/bin/python3"], &[])),
    );
    assert_eq!(found.len(), 1);
    assert!(
        found[0].message.ends_with("; so can 8 more paths"),
        "{}",
        found[0].message
    );
}

#[test]
fn what_one_directory_gives_away_is_told_once() {
    let mut entries = vec![
        needs(program("/server", []), GLIBC, &["lib0.so", "lib1.so", "lib2.so"]),
        library(GLIBC),
        dir("/usr/lib", 0o777),
    ];
    entries.extend((0..3).map(|n| library(&format!("/usr/lib/lib{n}.so"))));
    let files = rootfs(entries);
    let found = look(
        "writable-program",
        &files,
        Some(&config("1000:1000", &["/server"], &[])),
    );
    let told: Vec<&str> = messages(&found);
    assert_eq!(
        told,
        [
            "/usr/lib, a directory in which the loader looks for libraries, can be changed by uid 1000: its mode is 0777",
            "/usr/lib/lib0.so, a library that the program loads, can be changed by uid 1000: entries of /usr/lib can be \
             replaced; so can 2 more paths",
        ]
    );
}
