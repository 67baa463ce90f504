//! What a start needs behind the program.

use super::*;

#[test]
fn all_that_a_start_needs_counts_behind_the_program() {
    let what = |path: &str, command: &[&str]| -> Vec<(String, String)> {
        let mut entries = vec![
            needs(program("/app/server", []), LOADER, &["libone.so"]),
            library(LOADER, []),
            library("/usr/lib/libtwo.so", []),
            needs(library("/usr/lib/libone.so", []), LOADER, &["libtwo.so"]),
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
        (LOADER, "/app/server", "a library that the program loads"),
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
fn what_a_program_loads_and_trusts_counts_less() {
    let mut server = program("/app/server", []);
    elf(&mut server).interpreter = Some(b"/lib/ld.so".to_vec());
    elf(&mut server).needed = vec![b"libx.so".to_vec()];
    let files = rootfs([
        server,
        mode(program("/lib/ld.so", []), 0o755),
        owned(program("/usr/lib/libx.so", []), 1000, 0),
        mode(file("/etc/passwd", 0o664), 0o666),
        file("/etc/group", 0o644),
    ]);
    let config = config("1000:1000", &["/app/server"], &[]);
    let found = look("writable-program", &files, Some(&config));
    assert_eq!(paths(&found), ["/etc/passwd", "/usr/lib/libx.so"]);
    assert!(
        found
            .iter()
            .all(|finding| finding.qualifier == Some(Qualifier::BesideEntryPoint))
    );
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
