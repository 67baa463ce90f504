//! What is trusted besides: accounts, tables of cron, scripts of an init program, trees of modules.

use super::*;

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
    assert_eq!(changeable(all("app"), &["/server"]), ["/etc/shadow"]);
    assert!(changeable(all("other"), &["/server"]).is_empty());
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
    assert!(changeable([program("/server", []), own, cron()], &["/server"]).is_empty());
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
            changeable(entries, &["/server"])
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
