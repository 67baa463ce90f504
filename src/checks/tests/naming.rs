//! Tests of names: those of programs in all their forms, and those by which scripts ask for interpreters.

use super::*;

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

/// Whether a script with this first line counts, in an image with this `PATH` and working directory.
fn lives(line: &str, path: &str, directory: &str, more: Vec<Entry>, unread: bool) -> bool {
    let mut config = config("", &[], &[]);
    config.env = vec![format!("PATH={path}")];
    config.working_dir = directory.to_owned();
    let mut entries = vec![script("/app/ipython", line, ["interp.ipython"])];
    entries.extend(more);
    let mut facts = layer(entries);
    if unread {
        facts.gaps.push(crate::gap::Gap {
            path: None,
            why: "too large".to_owned(),
            hides: Hides::Programs,
        });
    }
    let found = look("interpreter", &merge([facts]), Some(&config));
    found
        .iter()
        .any(|one| one.path == Some(RootPath::from("/app/ipython")))
}

#[test]
fn interpreters_are_sought_where_any_caller_could_find_them() {
    let env = || program("/usr/bin/env", ["os.coreutils"]);
    let python = |path: &str| program(path, ["interp.python"]);
    let by_name = "/usr/bin/env python3";
    for (path, at, alive) in [
        ("/opt/python/bin:/usr/bin", "/opt/python/bin/python3", true),
        // Whoever starts the script may have another PATH than the image's: the usual one.
        ("/opt/python/bin", "/usr/local/bin/python3", true),
        ("/opt/python/bin", "/usr/bin/python3", true),
        ("/opt/python/bin", "/srv/python3", false),
    ] {
        let files = vec![env(), python(at)];
        assert_eq!(lives(by_name, path, "/", files, false), alive, "{path} {at}");
    }
    // What `env` makes of a variable or of `\_`, a blank, cannot be told.
    for (line, alive) in [
        ("/usr/bin/env -S ${PYTHON} -u", true),
        ("/usr/bin/env -S\\_python3", true),
        ("/usr/bin/env -S python4", false),
    ] {
        let files = vec![env(), python("/usr/bin/python3")];
        assert_eq!(lives(line, "/usr/bin", "/", files, false), alive, "{line}");
    }
    let line = "/usr/bin/env -S ${PYTHON} -u";
    assert!(!lives(
        line,
        "/usr/bin",
        "/",
        vec![python("/usr/bin/python3")],
        false
    ));
    // A relative one is taken from the working directory.
    for (directory, alive) in [("/app", true), ("/", false)] {
        let files = vec![python("/app/bin/python3")];
        assert_eq!(lives("bin/python3", "/usr/bin", directory, files, false), alive);
    }
}

#[test]
fn an_interpreter_that_was_not_looked_into_may_be_one() {
    let line = "/opt/python";
    let unknown = || {
        vec![Entry {
            size: 9,
            ..file("/opt/python", 0o755)
        }]
    };
    assert!(lives(line, "/bin", "/", unknown(), true));
    assert!(!lives(line, "/bin", "/", unknown(), false));
    // A library is none, and neither is a text.
    let mut library = program("/opt/python", ["interp.python"]);
    elf(&mut library).startable = false;
    assert!(!lives(line, "/bin", "/", vec![library], false));
    let mut words = program("/opt/python", []);
    words.program.as_mut().unwrap().form = Form::Text;
    assert!(!lives(line, "/bin", "/", vec![words], false));
}

#[test]
fn code_that_was_not_looked_into_may_be_that_of_a_script() {
    let found = |unread: bool| {
        let mut facts = layer([
            script("/usr/bin/pip", "/usr/bin/python3", ["pm.pip"]),
            program("/usr/bin/python3", ["interp.python"]),
        ]);
        if unread {
            facts.gaps.push(crate::gap::Gap {
                path: None,
                why: "too large".to_owned(),
                hides: Hides::Programs,
            });
        }
        look("package-manager", &merge([facts]), None).remove(0)
    };
    let severity = Rule::get("package-manager").unwrap().severity;
    assert_eq!((found(true).severity, found(true).qualifier), (severity, None));
    assert_eq!(found(false).qualifier, Some(Qualifier::NameOnly));
    assert!(found(false).severity < severity);
}

#[test]
fn the_name_of_a_script_is_a_hint_only_while_it_starts() {
    let shell = || program("/bin/sh", ["shell.dash"]);
    let named = || script("/usr/bin/git", "/bin/sh", []);
    let found = in_files("network-tool", [named(), shell()]);
    assert_eq!(found[0].qualifier, Some(Qualifier::NameOnly));
    assert!(in_files("network-tool", [named()]).is_empty());
    assert!(in_files("network-tool", [mode(named(), 0o644), shell()]).is_empty());
}
