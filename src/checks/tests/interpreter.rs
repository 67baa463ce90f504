//! Tests of `interpreter`: which one is the runtime of the entry point.

use super::*;

#[test]
fn the_interpreter_of_the_entry_point_is_its_runtime() {
    let files = rootfs([
        program("/usr/bin/node", ["interp.node"]),
        program("/usr/bin/perl", ["interp.perl"]),
        program("/usr/bin/env", ["os.coreutils"]),
        program("/usr/bin/tini", []),
        program("/bin/sh", ["shell.dash"]),
        script("/app/run", "/usr/bin/env node", []),
        script("/app/old", "/usr/bin/env -S node --no-warnings", []),
    ]);
    for (entrypoint, cmd) in [
        (&["/usr/bin/node"][..], &["server.js"][..]),
        (&["node", "server.js"], &[]),
        (&["/app/run"], &[]),
        (&["/app/old"], &[]),
        (&["tini", "--", "node", "x.js"], &[]),
        (&["tini", "-e", "143", "--", "node", "x.js"], &[]),
        (&[], &["/bin/sh", "-c", "exec node server.js"]),
        (&["env", "A=b", "node"], &[]),
    ] {
        let found = look("interpreter", &files, Some(&config("1", entrypoint, cmd)));
        let runtime: Vec<(String, bool)> = found
            .iter()
            .map(|finding| {
                (
                    finding.path.as_ref().unwrap().to_string(),
                    finding.qualifier == Some(Qualifier::EntryPointRuntime),
                )
            })
            .collect();
        assert_eq!(
            runtime,
            [
                ("/usr/bin/node".to_owned(), true),
                ("/usr/bin/perl".to_owned(), false)
            ],
            "{entrypoint:?} {cmd:?}"
        );
    }
    let found = look(
        "interpreter",
        &files,
        Some(&config("1", &["/bin/sh", "-c", "$X node"], &[])),
    );
    assert!(found.iter().all(|finding| finding.qualifier.is_none()));
    assert!(
        look("shell", &files, Some(&config("1", &["/bin/sh"], &[])))[0]
            .qualifier
            .is_none()
    );
}

#[test]
fn the_launchers_of_one_java_runtime_belong_to_it() {
    let files = rootfs([
        program("/usr/lib/jvm/bin/java", ["build.jvm-launcher"]),
        program("/usr/lib/jvm/bin/keytool", ["build.jvm-launcher"]),
        program("/opt/jdk/bin/java", ["build.jvm-launcher"]),
        symlink("/usr/bin/java", "/usr/lib/jvm/bin/java"),
    ]);
    let found = look(
        "interpreter",
        &files,
        Some(&config("1", &["/usr/bin/java", "-jar", "/app.jar"], &[])),
    );
    let apart: Vec<bool> = found.iter().map(|finding| finding.qualifier.is_some()).collect();
    assert_eq!(apart, [false, true, true]);
}
