//! Tests of `missing-program`: what keeps a container from starting.

use super::*;

#[test]
fn a_program_that_cannot_start_is_missing_with_the_first_reason() {
    let mut raw = vec![1, 0, 0, 2, 0, 0x30, 0, 0];
    raw.extend([0; 12]);
    let files = rootfs([
        program("/bin/ok", []),
        program("/usr/bin/env", []),
        symlink("/link", "/bin/ok"),
        symlink("/dangling", "/nowhere"),
        symlink("/loop", "/loop"),
        dir("/dir", 0o755),
        file("/empty", 0o755),
        Entry {
            size: 5,
            ..file("/text", 0o755)
        },
        mode(program("/plain", []), 0o644),
        foreign(program("/arm", [])),
        dynamic(program("/musl", []), "/lib/ld-musl-x86_64.so.1"),
        dynamic(program("/glibc", []), LOADER),
        program(LOADER, []),
        script("/script", "/bin/ok", []),
        script("/dead", "/bin/perl", []),
        script("/dos", "/bin/ok\r", []),
        script("/env", "/usr/bin/env ok", []),
        script("/env-dead", "/usr/bin/env perl", []),
        Entry {
            capability: Some(raw),
            ..program("/caps", [])
        },
        program("/app/own", []),
    ]);
    let at = |argv: &[&str], change: fn(&mut ImageConfig)| {
        let mut config = config("", argv, &[]);
        change(&mut config);
        let found = look("missing-program", &files, Some(&config));
        found.first().map(|finding| {
            let why = finding
                .message
                .strip_prefix("The container cannot start: ")
                .unwrap();
            (why.to_owned(), finding.severity)
        })
    };
    let none: fn(&mut ImageConfig) = |_| {};
    for fine in [
        "/bin/ok",
        "ok",
        "/link",
        "/glibc",
        "/script",
        "/env",
        "bin/ok",
        "../bin/ok",
    ] {
        assert_eq!(at(&[fine], none), None, "{fine}");
    }
    for (name, want) in [
        ("/app/absent", "/app/absent is not in the image"),
        ("/no/such", "/no/such is not in the image: /no is not there"),
        ("absent", "`absent` is in no directory of PATH (/usr/bin:/bin)"),
        ("/dangling", "/dangling is a link to /nowhere, which is not there"),
        ("/loop", "/loop is a loop of links"),
        (
            "/bin/ok/x",
            "/bin/ok/x is not in the image: /bin/ok is not a directory",
        ),
        ("/dir", "/dir is a directory"),
        ("/plain", "/plain has no execute bit (mode 0644)"),
        ("/empty", "/empty is empty"),
        (
            "/text",
            "/text is neither an ELF program nor a text that begins with `#!`",
        ),
        (
            "/dead",
            "/dead asks for the interpreter /bin/perl, which is not in the image",
        ),
        (
            "/dos",
            r"/dos asks for the interpreter /bin/ok\x0d, which is not in the image: its first line ends in a carriage return",
        ),
        (
            "/env-dead",
            "/env-dead asks `env` for `perl`, which PATH does not have",
        ),
        ("/arm", "/arm is built for arm64, not for linux/amd64"),
        (
            "/musl",
            "/musl needs the dynamic loader /lib/ld-musl-x86_64.so.1, which is not in the image",
        ),
        (
            "/caps",
            "/caps carries capabilities that a default container may not have (net_admin), so the kernel refuses it",
        ),
    ] {
        assert_eq!(
            at(&[name], none),
            Some((want.to_owned(), Severity::High)),
            "{name}"
        );
    }
    assert_eq!(
        at(&["./own"], |config| "/app".clone_into(&mut config.working_dir)),
        None
    );
    assert_eq!(
        at(&["", "/bin/ok"], none).map(|found| found.1),
        Some(Severity::High)
    );
    assert_eq!(at(&[], none), None);
    let covered = at(&["/data/x"], |config| config.volumes.push("/data".to_owned())).unwrap();
    assert_eq!(covered.1, Severity::Medium);
    assert!(
        covered.0.ends_with("unless the volume /data brings it"),
        "{}",
        covered.0
    );
    let relative = at(&["own"], |config| config.env = vec!["PATH=app".to_owned()]).unwrap();
    assert!(relative.0.contains("which runc refuses"), "{}", relative.0);
}

#[test]
fn what_the_kernel_refuses_cannot_start() {
    let with = |path: &str, change: fn(&mut Elf)| {
        let mut entry = program(path, []);
        change(elf(&mut entry));
        entry
    };
    let files = rootfs([
        with("/cut", |elf| elf.damage = Some("the header is cut".to_owned())),
        with("/odd", |elf| {
            elf.damage = Some("the dynamic section has no end, or more".to_owned());
        }),
        library("/lib.so", []),
        dynamic(program("/closed-loader", []), "/lib/closed"),
        mode(program("/lib/closed", []), 0o644),
        dynamic(program("/text-loader", []), "/lib/text"),
        mode(text("/lib/text", "x"), 0o755),
        dynamic(program("/arm-loader", []), "/lib/arm"),
        foreign(program("/lib/arm", [])),
        dynamic(program("/ok", []), LOADER),
        program(LOADER, []),
        entry("/pipe", Kind::Fifo, 0o777),
        Entry {
            capability: Some(vec![]),
            ..program("/bad-caps", [])
        },
        script("/bare", "/plain", []),
        mode(program("/plain", []), 0o644),
        script("/loop", "/loop", []),
        Entry {
            size: 20,
            ..file("/bom", 0o755)
        },
    ]);
    let at = |path: &str| why(&files, &config("", &[path], &[]));
    for fine in ["/odd", "/ok"] {
        assert_eq!(at(fine), None, "{fine}");
    }
    for (path, want) in [
        (
            "/cut",
            "/cut is an ELF file that the kernel refuses: the header is cut",
        ),
        ("/lib.so", "/lib.so is a library or an object file, not a program"),
        (
            "/closed-loader",
            "/closed-loader needs the dynamic loader /lib/closed, which may not be executed",
        ),
        (
            "/text-loader",
            "/text-loader needs the dynamic loader /lib/text, which is no ELF file",
        ),
        (
            "/arm-loader",
            "/arm-loader needs the dynamic loader /lib/arm, which is built for another processor",
        ),
        ("/pipe", "/pipe is no regular file"),
        (
            "/bare",
            "/plain, the interpreter of /bare, has no execute bit (mode 0644)",
        ),
        ("/loop", "/loop is the end of more than 5 interpreters in a row"),
        (
            "/bom",
            "/bom is neither an ELF program nor a text that begins with `#!`",
        ),
    ] {
        assert_eq!(at(path).as_deref(), Some(want));
    }
    assert!(
        at("/bad-caps")
            .unwrap()
            .starts_with("/bad-caps carries an invalid `security.capability`")
    );
}

#[test]
fn the_user_of_the_container_must_be_able_to_start_its_program() {
    let files = rootfs([
        mode(program("/app", []), 0o700),
        owned(mode(program("/own", []), 0o700), 1000, 1000),
        owned(mode(program("/group", []), 0o710), 0, 1000),
        dir("/closed", 0o700),
        program("/closed/app", []),
        symlink("/way", "/closed"),
    ]);
    let why = |user: &str, program: &str| why(&files, &config(user, &[program], &[]));
    assert_eq!(why("1000:1000", "/own"), None);
    assert_eq!(why("1000:1000", "/group"), None);
    assert_eq!(why("0", "/app"), None);
    assert_eq!(why("0", "/closed/app"), None);
    assert_eq!(
        why("1000:1000", "/app").unwrap(),
        "/app may not be executed by uid 1000 (mode 0700)"
    );
    for way in ["/closed/app", "/way/app"] {
        let message = why("1000:1000", way).unwrap();
        assert!(message.ends_with("which the user may not enter"), "{message}");
    }
}

#[test]
fn the_working_directory_must_be_one() {
    let files = rootfs([
        program("/app", []),
        file("/file", 0o644),
        dir("/closed", 0o700),
        dir("/closed/in", 0o755),
        symlink("/loop", "/loop"),
    ]);
    let at = |user: &str, directory: &str| {
        let mut config = config(user, &["/app"], &[]);
        directory.clone_into(&mut config.working_dir);
        why(&files, &config)
    };
    assert_eq!(at("1000:1000", "/made/by/the/runtime"), None);
    assert_eq!(at("0", "/closed"), None);
    for (directory, want) in [
        ("/file", "the working directory /file is not a directory"),
        (
            "/file/x",
            "the working directory /file/x cannot be made: /file is not a directory",
        ),
        ("/loop", "the working directory /loop is a loop of links"),
        (
            "/closed",
            "the working directory /closed may not be entered by the user",
        ),
        (
            "/closed/in",
            "the working directory /closed/in lies below /closed, which the user may not enter",
        ),
    ] {
        assert_eq!(at("1000:1000", directory).as_deref(), Some(want));
    }
}

#[test]
fn a_missing_path_is_the_default_one() {
    let files = rootfs([program("/usr/local/bin/tool", [])]);
    let mut bare = config("", &["tool"], &[]);
    assert!(
        why(&files, &bare)
            .unwrap()
            .contains("in no directory of PATH (/usr/bin:/bin)")
    );
    bare.env.clear();
    assert_eq!(why(&files, &bare), None);
}

#[test]
fn what_a_gap_hides_is_not_called_missing() {
    let unknown = Entry {
        size: 9,
        ..file("/app", 0o755)
    };
    let files = merge([with_gap(layer([unknown]), Some("/app"))]);
    assert!(look("missing-program", &files, Some(&config("", &["/app"], &[]))).is_empty());
}
