//! Tests of tools that are scripts: they count while their interpreter is there.

use super::{
    package_manager::{PIP, PIP_CODE, python},
    *,
};

#[test]
fn script_tools_count_while_their_interpreter_is_there() {
    let env = || program("/usr/bin/env", ["os.coreutils"]);
    let python = || program("/usr/bin/python3", ["interp.python"]);
    let ipython = || script("/usr/bin/ipython", "/usr/bin/env python3", ["interp.ipython"]);
    let named = |entries: Vec<Entry>| {
        let found = in_files("interpreter", entries);
        found
            .into_iter()
            .find(|one| one.path == Some("/usr/bin/ipython".into()))
    };
    assert!(named(vec![ipython(), env(), python()]).is_some());
    assert!(named(vec![ipython(), env()]).is_none());
    assert!(named(vec![ipython(), python()]).is_none());
    let found = named(vec![mode(ipython(), 0o644), env(), python()]).unwrap();
    assert!(found.severity < Rule::get("interpreter").unwrap().severity);
}

#[test]
fn a_script_is_dead_without_its_interpreter() {
    let tree = || text(PIP, PIP_CODE);
    let with = |line: &str, more: Vec<Entry>| {
        let mut entries = vec![script("/usr/bin/ipython", line, ["interp.ipython"])];
        entries.extend(more);
        let found = in_files("interpreter", entries);
        found
            .iter()
            .any(|one| one.path == Some("/usr/bin/ipython".into()))
    };
    let env = || program("/usr/bin/env", ["os.coreutils"]);
    let lives = [
        ("/usr/bin/python3.11", vec![python()]),
        ("usr/bin/python3.11", vec![python()]),
        ("/usr/bin/env python3.11", vec![env(), python()]),
        ("/usr/bin/env -S A=b python3.11 -u", vec![env(), python()]),
        (
            "/usr/bin/env -S PATH=/opt/x python3.11",
            vec![env(), program("/opt/x/python3.11", ["interp.python"])],
        ),
        // An interpreter that is a script itself.
        (
            "/opt/run",
            vec![script("/opt/run", "/usr/bin/python3.11", []), python()],
        ),
    ];
    for (line, more) in lives {
        assert!(with(line, more), "{line}");
    }
    let dead = [
        ("/usr/bin/python3.11", vec![tree()]),
        ("/usr/bin/python3.11\r", vec![python()]),
        ("/usr/bin/env python3.11 -u", vec![env(), python()]),
        ("/usr/bin/env A=b python3.11", vec![env(), python()]),
        ("/usr/bin/env python3.11", vec![python()]),
        ("/usr/bin/env python3.12", vec![env(), python()]),
        ("/usr/bin", vec![python()]),
        ("/opt/run", vec![script("/opt/run", "/opt/gone", []), python()]),
        ("/opt/run", vec![script("/opt/run", "/opt/run", [])]),
        ("/opt/empty", vec![file("/opt/empty", 0o755)]),
        ("[allow(dead_code)]", vec![python()]),
    ];
    for (line, more) in dead {
        assert!(!with(line, more), "{line:?}");
    }
    // Five levels are followed, as the kernel does, and no more.
    let chain = |length: usize| {
        let link = |n: usize| script(&format!("/opt/{n}"), &format!("/opt/{}", n + 1), []);
        let mut all: Vec<Entry> = (1..length).map(link).collect();
        all.push(program(&format!("/opt/{length}"), ["interp.python"]));
        all
    };
    assert!(with("/opt/1", chain(5)));
    assert!(!with("/opt/1", chain(6)));
    // The shell half of a script in two languages needs what it starts.
    let polyglot = |inner: &str| {
        let mut entry = script("/usr/bin/ipython", "/bin/sh", ["interp.ipython"]);
        if let Form::Script(script) = &mut entry.program.as_mut().unwrap().form {
            script.inner = Some(inner.into());
        }
        let shell = program("/bin/sh", ["shell.dash"]);
        in_files("interpreter", [entry, shell, program("/opt/python", [])])
            .iter()
            .any(|finding| finding.path == Some("/usr/bin/ipython".into()))
    };
    assert!(polyglot("/opt/python"));
    assert!(polyglot("$HERE/python"));
    assert!(!polyglot("/opt/python3"));
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
        facts = with_gap(facts, None);
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
    let library = library("/opt/python", ["interp.python"]);
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
            facts = with_gap(facts, None);
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
