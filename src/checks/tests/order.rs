//! Tests of where a program is looked for, and of which reason is told where there are several.

use super::*;

#[test]
fn the_first_program_that_can_be_executed_in_path_is_taken() {
    // Which one is taken shows in what is wrong with it.
    let files = rootfs([
        mode(program("/a/tool", []), 0o644),
        dir("/b/tool", 0o755),
        symlink("/c/tool", "/nowhere"),
        foreign(program("/d/tool", [])),
        program("/e/tool", []),
        mode(program("/plain/only", []), 0o644),
        program("/srv/tool", []),
    ]);
    let at = |name: &str, path: &str| {
        let mut config = config("", &[name], &[]);
        config.env = vec!["PATH=/first".to_owned(), format!("PATH={path}")];
        "/srv".clone_into(&mut config.working_dir);
        why(&files, &config)
    };
    let foreign = "/d/tool is built for arm64, not for linux/amd64";
    assert_eq!(at("tool", "/a:/b:/c:/absent:/e"), None);
    assert_eq!(at("tool", "/a:/b:/c:/d:/e").as_deref(), Some(foreign));
    assert_eq!(at("tool", "/e:/d"), None);
    assert_eq!(
        at("tool", "/a:/b").as_deref(),
        Some("/a/tool has no execute bit (mode 0644)")
    );
    assert_eq!(
        at("tool", "/b:/c").as_deref(),
        Some("`tool` is in no directory of PATH (/b:/c)")
    );
    for relative in [".", "", "../srv"] {
        let why = at("tool", &format!("/a:{relative}:/e")).unwrap();
        assert!(
            why.ends_with("an element of PATH that is not absolute, which runc refuses"),
            "{why}"
        );
    }
    assert_eq!(at("tool", "/e:."), None);
    // A name with a slash is not searched.
    assert_eq!(at("./tool", "/d"), None);
    let beside = at("e/tool", "/").unwrap();
    assert!(
        beside.starts_with("/srv/e/tool is not in the image: /srv/e is not there"),
        "{beside}"
    );
}

#[test]
fn of_several_reasons_the_first_is_told() {
    let capability = |entry: Entry| Entry {
        capability: Some(vec![1]),
        ..entry
    };
    let absent = "/lib/absent";
    let broken = |mut entry: Entry| {
        elf(&mut entry).damage = Some("the header is cut".to_owned());
        entry
    };
    let files = rootfs([
        mode(foreign(dynamic(program("/a", []), absent)), 0o644),
        capability(broken(foreign(dynamic(program("/b", []), absent)))),
        capability(broken(dynamic(program("/c", []), absent))),
        capability(dynamic(program("/d", []), absent)),
        capability(program("/e", [])),
        script("/f", "/a", []),
        script("/g", "/d", []),
        script("/h", "/usr/bin/env d", []),
        script("/i", "/usr/bin/env e", []),
        program("/usr/bin/env", []),
        symlink("/usr/bin/e", "/e"),
        mode(script("/j", "/absent", []), 0o644),
    ]);
    for (path, want) in [
        ("/a", "/a has no execute bit (mode 0644)"),
        ("/b", "/b is built for arm64, not for linux/amd64"),
        (
            "/c",
            "/c is an ELF file that the kernel refuses: the header is cut",
        ),
        (
            "/d",
            "/d needs the dynamic loader /lib/absent, which is not in the image",
        ),
        ("/e", "/e carries an invalid `security.capability`"),
        ("/f", "/a, the interpreter of /f, has no execute bit (mode 0644)"),
        (
            "/g",
            "/d, the interpreter of /g, needs the dynamic loader /lib/absent, which is not in the image",
        ),
        ("/h", "/h asks `env` for `d`, which PATH does not have"),
        (
            "/i",
            "/usr/bin/e, the interpreter of /i, carries an invalid `security.capability`",
        ),
        ("/j", "/j has no execute bit (mode 0644)"),
    ] {
        let why = why(&files, &config("", &[path], &[])).unwrap();
        assert!(why.starts_with(want), "{why}");
    }
    // The working directory comes before all.
    let mut closed = config("", &["/absent"], &[]);
    "/a".clone_into(&mut closed.working_dir);
    assert_eq!(
        why(&files, &closed).unwrap(),
        "the working directory /a is not a directory"
    );
}

#[test]
fn an_entry_point_of_one_empty_word_is_none() {
    let files = rootfs([program("/app", [])]);
    assert_eq!(why(&files, &config("", &[""], &["/app"])), None);
    assert!(why(&files, &config("", &[""], &["/absent"])).is_some());
    assert!(look("no-command", &files, Some(&config("", &[""], &["/app"]))).is_empty());
}

#[test]
fn env_searches_where_its_line_says() {
    let files = rootfs([
        program("/usr/bin/env", []),
        program("/opt/run", []),
        program("/usr/bin/here", []),
        script("/a", "/usr/bin/env -S PATH=/opt run --x", []),
        script("/b", "/usr/bin/env -S PATH=/opt here", []),
        script("/c", "/usr/bin/env run", []),
        script("/d", "/usr/bin/env", []),
    ]);
    for (path, want) in [
        ("/a", None),
        ("/b", Some("/b asks `env` for `here`, which PATH does not have")),
        ("/c", Some("/c asks `env` for `run`, which PATH does not have")),
        (
            "/d",
            Some("/d has a first line in which `env` is given no program to start"),
        ),
    ] {
        assert_eq!(why(&files, &config("", &[path], &[])).as_deref(), want);
    }
}
