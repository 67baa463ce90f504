//! Tests of the start-up rules, and of what else follows from what the entry point needs.

use super::*;
use crate::{
    finding::{Reach, Tier},
    layer::Kind,
};

fn why(files: &Rootfs, config: &ImageConfig) -> Option<String> {
    let found = look("missing-program", files, Some(config)).pop()?;
    let message = found.message;
    Some(
        message
            .strip_prefix("The container cannot start: ")
            .unwrap()
            .to_owned(),
    )
}

#[test]
fn what_the_kernel_refuses_cannot_start() {
    let loader = "/lib64/ld-linux-x86-64.so.2";
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
        with("/lib.so", |elf| elf.startable = false),
        dynamic(program("/closed-loader", []), "/lib/closed"),
        mode(program("/lib/closed", []), 0o644),
        dynamic(program("/text-loader", []), "/lib/text"),
        mode(text("/lib/text", "x"), 0o755),
        dynamic(program("/arm-loader", []), "/lib/arm"),
        with("/lib/arm", |elf| elf.machine = 183),
        dynamic(program("/ok", []), loader),
        program(loader, []),
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
fn a_missing_library_is_told_with_who_needs_it() {
    let loader = "/lib64/ld-linux-x86-64.so.2";
    let mut app = dynamic(program("/app", []), loader);
    elf(&mut app).needed = vec!["libpq.so.5".into()];
    let files = |extra: Option<Entry>| rootfs([app.clone(), program(loader, [])].into_iter().chain(extra));
    let config = config("", &["/app"], &[]);
    let found = look("missing-library", &files(None), Some(&config));
    assert_eq!(
        messages(&found),
        ["The container cannot start: /app needs the library libpq.so.5, which is not in the image"]
    );
    assert_eq!(found[0].subject.as_deref(), Some("libpq.so.5"));
    let mut library = program("/opt/libpq.so.5", []);
    elf(&mut library).startable = false;
    let found = look("missing-library", &files(Some(library)), Some(&config));
    assert_eq!(
        messages(&found),
        [
            "The container cannot start: /app needs the library libpq.so.5, which is at /opt/libpq.so.5, where the loader \
          does not look or cannot use it; the image has no /etc/ld.so.cache"
        ]
    );
    let mut facts = layer([app.clone(), program(loader, [])]);
    facts.gaps.push(crate::gap::Gap {
        path: None,
        why: "too large".to_owned(),
        hides: Hides::Programs,
    });
    assert!(look("missing-library", &merge([facts]), Some(&config)).is_empty());
    // What is not started needs nothing.
    let other = super::config("", &["/lib64/ld-linux-x86-64.so.2"], &[]);
    assert!(look("missing-library", &files(None), Some(&other)).is_empty());
    assert!(look("missing-library", &files(None), None).is_empty());
}

#[test]
fn an_image_may_name_nothing_to_start() {
    let files = rootfs([]);
    for (entrypoint, cmd, want) in [
        (&[][..], &[][..], 1),
        (&[""][..], &[][..], 1),
        (&[][..], &["/x"][..], 0),
        (&["/x"][..], &[][..], 0),
    ] {
        let config = config("", entrypoint, cmd);
        assert_eq!(
            look("no-command", &files, Some(&config)).len(),
            want,
            "{entrypoint:?}"
        );
    }
    assert!(look("no-command", &files, None).is_empty());
}

#[test]
fn health_checks_through_a_shell_or_into_the_void_are_told() {
    let said = |files: &Rootfs, test: &[&str]| {
        let mut config = config("", &["/app"], &[]);
        config.healthcheck = test.iter().map(|&word| word.to_owned()).collect();
        let found = look("shell-healthcheck", files, Some(&config));
        found.first().map(|finding| finding.message.clone())
    };
    let bare = rootfs([program("/app", [])]);
    let full = rootfs([program("/app", []), program("/bin/sh", ["shell.bash"])]);
    for fine in [&[][..], &["NONE"], &["CMD"], &["CMD", "/app", "--check"]] {
        assert_eq!(said(&bare, fine), None, "{fine:?}");
    }
    assert_eq!(
        said(&bare, &["CMD-SHELL", "curl localhost"]).unwrap(),
        "The health check runs through the shell /bin/sh: it always fails, since /bin/sh is not in the image: /bin is not there"
    );
    assert_eq!(
        said(&full, &["CMD-SHELL", "curl localhost"]).unwrap(),
        "The health check runs through the shell /bin/sh"
    );
    assert_eq!(
        said(&full, &["CMD", "sh", "-c", "x"]).unwrap(),
        "The health check runs through the shell sh"
    );
    assert_eq!(
        said(&bare, &["CMD", "/curl"]).unwrap(),
        "The health check starts /curl, which cannot start: it always fails, since /curl is not in the image"
    );
}

#[test]
fn programs_for_other_processors_are_foreign_with_their_family() {
    let machine = |mut entry: Entry, machine: u16| {
        elf(&mut entry).machine = machine;
        entry
    };
    let mut library = machine(program("/lib.so", []), 183);
    elf(&mut library).startable = false;
    let found = in_files(
        "foreign-executable",
        [
            program("/native", []),
            machine(program("/i386", []), 3),
            machine(program("/arm", []), 183),
            machine(program("/bash", ["shell.bash"]), 183),
            mode(machine(program("/plain", []), 183), 0o644),
            library,
        ],
    );
    assert_eq!(
        messages(&found),
        [
            "/arm is built for arm64: on linux/amd64 it runs only through an emulator of the host",
            "/bash (bash) is built for arm64: on linux/amd64 it runs only through an emulator of the host",
            "/plain is built for arm64: on linux/amd64 it runs only through an emulator of the host",
        ]
    );
    assert_eq!(found[0].severity, Severity::Low);
    assert_eq!(found[2].severity, Severity::Info);
    assert_eq!(found[1].identity.as_ref().unwrap().family, "shell.bash");
}

#[test]
fn what_nothing_leads_to_is_one_finding() {
    let size = |mut entry: Entry, size: u64| {
        entry.size = size;
        entry
    };
    let loader = "/lib64/ld-linux-x86-64.so.2";
    let mut libc = dynamic(program("/lib/libc.so.6", []), loader);
    elf(&mut libc).soname = Some("libc.so.6".into());
    let files = rootfs([
        dynamic(program("/app", []), loader),
        program(loader, []),
        libc,
        size(program("/bin/small", []), 10),
        size(program("/bin/large", ["shell.bash"]), 90),
        mode(program("/bin/plain", []), 0o644),
        script("/bin/dead", "/bin/sh", []),
    ]);
    let config = config("", &["/app"], &[]);
    let found = look("unreachable-executable", &files, Some(&config));
    assert_eq!(
        messages(&found),
        [
            "2 of 4 programs (100 bytes) are not reached from the entry point by its libraries, modules and arguments; the \
          largest: /bin/large (90 bytes), /bin/small (10 bytes)"
        ]
    );
    assert_eq!(found[0].bytes, 100);
    let single = rootfs([program("/app", [])]);
    assert!(look("unreachable-executable", &single, Some(&config)).is_empty());
    // Nothing is called unneeded where the start is not known.
    assert!(look("unreachable-executable", &files, None).is_empty());
    let absent = super::config("", &["/absent"], &[]);
    assert!(look("unreachable-executable", &files, Some(&absent)).is_empty());
}

#[test]
fn tools_say_whether_the_entry_point_needs_them() {
    let files = rootfs([
        program("/usr/bin/env", []),
        program("/bin/python3", ["interp.python"]),
        script("/app", "/usr/bin/env python3", []),
        program("/bin/curl", ["net.curl"]),
    ]);
    let config = config("", &["/app"], &[]);
    let platform = Platform::new("linux", "amd64", None);
    let subject = Subject::new(&files, Some(&config), Some(&platform), Catalog::builtin());
    let found = run(&subject);
    let reach = |rule: &str| {
        let finding = found.iter().find(|finding| finding.rule.id == rule).unwrap();
        finding.reach.clone()
    };
    assert_eq!(reach("network-tool"), Some(Reach::NotNeeded));
    assert_eq!(
        reach("interpreter"),
        Some(Reach::Needed {
            tier: Tier::Start,
            why: "run by /usr/bin/env".to_owned()
        })
    );
    let subject = Subject::new(&files, None, Some(&platform), Catalog::builtin());
    assert!(run(&subject).iter().all(|finding| finding.reach.is_none()));
}
