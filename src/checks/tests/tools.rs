//! Tests of the rules about tools: which rule speaks, how loud, and of what name.

use super::*;

#[test]
fn content_decides_which_rule_speaks() {
    for (family, rule) in [
        ("shell.bash", "shell"),
        ("pm.apt", "package-manager"),
        ("net.curl", "network-tool"),
        ("debug.strace", "debug-tool"),
        ("build.gcc", "build-tool"),
        ("interp.perl", "interpreter"),
        ("priv.sudo", "privilege-tool"),
        ("os.findutils", "os-utility"),
    ] {
        let files = rootfs([program("/opt/healthd", [family]), file("/usr/bin/bash", 0o755)]);
        for check in CHECKS.iter().take(8) {
            let found = look(check.rule, &files, None);
            assert_eq!(
                found.len(),
                usize::from(check.rule == rule),
                "{family}: {}",
                check.rule
            );
            for finding in &found {
                assert_eq!(finding.path, Some(RootPath::from("/opt/healthd")));
                assert!(
                    finding.message.starts_with("/opt/healthd is "),
                    "{}",
                    finding.message
                );
                assert!(
                    finding.message.ends_with(", under another name"),
                    "{}",
                    finding.message
                );
                assert_eq!(finding.severity, finding.rule.severity);
                assert_eq!(finding.identity.as_ref().unwrap().family, family);
                assert!(!finding.capabilities.is_empty() && finding.qualifier.is_none());
            }
        }
    }
}

#[test]
fn several_families_give_one_finding_under_the_strongest_rule() {
    let files = rootfs([program("/x", ["os.findutils", "net.curl", "shell.dash"])]);
    let found = look("shell", &files, None);
    assert_eq!(found.len(), 1);
    for id in ["exec.shell", "net.fetch"] {
        assert!(found[0].capabilities.iter().any(|have| have == id), "{id}");
    }
    assert!(look("network-tool", &files, None).is_empty() && look("os-utility", &files, None).is_empty());
}

#[test]
fn other_code_in_the_same_file_is_named() {
    let found = in_files("shell", [program("/x", ["shell.dash", "net.curl", "debug.gdb"])]);
    let evidence = &found[0].identity.as_ref().unwrap().evidence;
    assert!(
        evidence.ends_with("; with code of net.curl, debug.gdb"),
        "{evidence}"
    );
}

#[test]
fn libraries_are_no_tools() {
    let library = library("/usr/lib/libbash.so", ["shell.bash"]);
    assert!(in_files("shell", [library]).is_empty());
}

fn shell_text(path: &str) -> Entry {
    let mut entry = program(path, []);
    entry.program = Some(Box::new(Program {
        form: Form::Text,
        identities: Vec::new(),
        opaque: None,
        inside: Vec::new(),
    }));
    entry
}

#[test]
fn a_text_without_an_interpreter_is_no_tool_and_does_not_start() {
    let files = rootfs([shell_text("/bin/bash"), program("/bin/x", [])]);
    for rule in ["shell", "network-tool", "os-utility"] {
        assert!(look(rule, &files, None).is_empty());
    }
    let found = look("missing-program", &files, Some(&config("1", &["/bin/bash"], &[])));
    assert!(only(found).message.contains("the kernel refuses it (ENOEXEC)"));
}

#[test]
fn an_empty_file_is_no_tool_whatever_its_name() {
    let files = rootfs([file("/bin/bash", 0o755), text("/usr/bin/curl", "not a program")]);
    for check in CHECKS {
        assert!(look(check.rule, &files, None).is_empty(), "{}", check.rule);
    }
}

#[test]
fn one_file_with_many_names_is_one_finding() {
    let found = in_files(
        "shell",
        [
            busybox("/bin/busybox", &["cat", "sh", "wget"]),
            hardlink("/bin/cat", "/bin/busybox"),
            symlink("/bin/sh", "busybox"),
            symlink("/usr/bin/tool", "/bin/busybox"),
            symlink("/usr/bin/ash", "/nowhere"),
        ],
    );
    assert_eq!(messages(&found), ["/bin/busybox is busybox, a shell"]);
    assert_eq!(
        aliases(&found[0]),
        [
            ("/bin/cat".to_owned(), AliasKind::Applet),
            ("/bin/sh".to_owned(), AliasKind::Applet),
            ("/usr/bin/tool".to_owned(), AliasKind::Symlink),
        ]
    );
    assert!(!found[0].identity.as_ref().unwrap().latent);
}

#[test]
fn a_multi_call_program_without_its_names_is_latent() {
    let found = in_files("shell", [busybox("/app/server", &["cat", "sh"])]);
    assert!(found[0].identity.as_ref().unwrap().latent);
    assert!(
        found[0].message.contains("no name of an applet leads to it"),
        "{}",
        found[0].message
    );
    // A link named like an applet leads to it, even if the program's table could not be read.
    let linked = [
        program("/app/server", ["multi.busybox"]),
        symlink("/bin/sh", "/app/server"),
    ];
    let found = in_files("shell", linked);
    assert_eq!(messages(&found), ["/app/server is busybox, a shell"]);
    assert_eq!(found[0].aliases[0].kind, AliasKind::Applet);
    // Without a link nothing says that there is a shell in it.
    assert!(in_files("shell", [program("/app/server", ["multi.busybox"])]).is_empty());
    assert_eq!(
        in_files("os-utility", [program("/app/server", ["multi.busybox"])]).len(),
        1
    );
    // Without a shell inside it is not one.
    assert!(in_files("shell", [busybox("/app/server", &["cat", "ls"])]).is_empty());
}

#[test]
fn a_name_alone_is_a_hint_if_the_file_can_be_started() {
    let found = in_files("shell", [program("/bin/bash", []), program("/bin/server", [])]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].qualifier, Some(Qualifier::NameOnly));
    assert_eq!(found[0].severity, Severity::High);
    assert_eq!(found[0].identity.as_ref().unwrap().confidence, "name-only");
    let library = library("/bin/bash", []);
    for nothing in [
        file("/bin/bash", 0o755),
        dir("/bin/bash", 0o755),
        symlink("/bin/bash", "/nowhere"),
        mode(program("/bin/bash", []), 0o644),
        library,
        script("/bin/bash", "/bin/perl", []),
    ] {
        assert!(in_files("shell", [nothing.clone()]).is_empty(), "{nothing:?}");
    }
}

#[test]
fn a_name_with_a_version_or_a_target_is_no_disguise() {
    for (path, family, fits) in [
        ("/usr/bin/bash-5.2", "shell.bash", true),
        ("/usr/bin/bash5", "shell.bash", true),
        ("/usr/bin/python3.11", "interp.python", true),
        ("/usr/bin/x86_64-linux-gnu-gcc-12", "build.gcc", true),
        ("/usr/bin/aarch64-alpine-linux-musl-gcc", "build.gcc", true),
        ("/usr/local/bin/kubectl.1.30", "ct.kubectl", true),
        ("/usr/bin/bashful", "shell.bash", false),
        ("/usr/bin/python3.11", "shell.bash", false),
        ("/opt/healthd-5.2", "shell.bash", false),
    ] {
        let rule = Catalog::builtin().meaning(family, &[]).unwrap().rule.unwrap();
        let found = in_files(rule, [program(path, [family])]);
        assert_eq!(found.len(), 1, "{path}");
        let disguised = found[0].message.contains("under another name");
        assert_eq!(disguised, !fits, "{path}: {}", found[0].message);
    }
    // Nothing but the name, in any form of it, is a hint.
    for path in ["/usr/bin/bash-5.2", "/usr/bin/bash"] {
        let found = in_files("shell", [program(path, [])]);
        assert_eq!(found[0].qualifier, Some(Qualifier::NameOnly), "{path}");
    }
}

#[test]
fn names_cannot_break_a_message() {
    let found = in_files("shell", [program("/a\u{1b}[31m\nb", ["shell.bash"])]);
    assert_eq!(
        messages(&found),
        [r"/a\x1b[31m\x0ab is bash, a shell, under another name"]
    );
}

#[test]
fn without_execute_bit_the_loader_still_starts_it() {
    let bash = mode(dynamic(program("/opt/x", ["shell.bash"]), LOADER), 0o644);
    let found = in_files("shell", [bash.clone(), file(LOADER, 0o755)]);
    assert_eq!(found[0].severity, Severity::High);
    assert!(
        found[0]
            .message
            .contains("can be started through the loader /lib64/ld-linux"),
        "{}",
        found[0].message
    );
    let found = in_files("shell", [bash]);
    assert_eq!(found[0].severity, Severity::Medium);
    let found = in_files("shell", [mode(program("/opt/x", ["shell.bash"]), 0o644)]);
    assert_eq!(found[0].severity, Severity::Medium);
    assert!(
        found[0].message.contains("only its owner can make it run"),
        "{}",
        found[0].message
    );
}

/// A mode, files, `User`, and what is said.
type Row<'a> = (&'a str, Vec<Entry>, &'a str, (Severity, Option<Qualifier>));

#[test]
fn modes_and_loaders_say_who_can_start_it() {
    let loader = || program(LOADER, ["loader.ld-so"]);
    let bash = || program("/opt/x", ["shell.bash"]);
    let moving = || dynamic(bash(), LOADER);
    let as_user = |entries: Vec<Entry>, user: &str| {
        let found = look("shell", &rootfs(entries), Some(&config(user, &[], &[])));
        let finding = only(found);
        (finding.severity, finding.qualifier)
    };
    let full = Rule::get("shell").unwrap().severity;
    let down = |steps: usize| crate::checks::tools::lower(full, steps);
    let rows: Vec<Row<'_>> = vec![
        ("0755", vec![bash()], "65532", (full, None)),
        (
            "0644, dynamic, its loader",
            vec![mode(moving(), 0o644), loader()],
            "65532",
            (down(1), None),
        ),
        (
            "0644, static, another's",
            vec![mode(bash(), 0o644), loader()],
            "65532",
            (down(4), Some(Qualifier::Dormant)),
        ),
        (
            "0644, static, its own",
            vec![owned(mode(bash(), 0o644), 65532, 0)],
            "65532",
            (down(2), None),
        ),
        (
            "0644, static, root runs",
            vec![owned(mode(bash(), 0o644), 9, 0)],
            "0",
            (down(2), None),
        ),
        (
            "0644, dynamic, a loader under another name",
            vec![mode(moving(), 0o644), program("/opt/ld", ["loader.ld-so"])],
            "65532",
            (down(1), None),
        ),
        (
            "0644, dynamic, no loader",
            vec![mode(moving(), 0o644)],
            "65532",
            (down(4), Some(Qualifier::Dormant)),
        ),
    ];
    for (row, entries, user, want) in rows {
        assert_eq!(as_user(entries, user), want, "{row}");
    }
}

#[test]
fn another_processor_is_said_and_milder() {
    let found = in_files("shell", [foreign(program("/bin/bash", ["shell.bash"]))]);
    assert_eq!(found[0].severity, Severity::High);
    assert!(
        found[0]
            .message
            .contains("built for arm64, which linux/amd64 runs only"),
        "{}",
        found[0].message
    );
}
