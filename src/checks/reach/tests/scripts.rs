//! Tests of shell scripts as entry points: what they name is needed, and nothing is called unneeded where they leave it open.

use super::{config, follow};
use crate::{
    binary::{Commands, Form, Script},
    image::ImageConfig,
    layer::Entry,
    rootfs::testing::program,
};

fn script(path: &str, text: &str) -> Entry {
    let mut entry = program(path, []);
    entry.program.as_mut().unwrap().form = Form::Script(Script {
        interpreter: "/bin/sh".into(),
        commands: Some(Commands::of(text.as_bytes(), false)),
        ..Script::default()
    });
    entry
}

/// What was reached beside the entry point and its shell, and whether that is all.
fn reached(text: &str, config: &ImageConfig) -> (Vec<String>, bool) {
    let programs = [
        "/bin/id",
        "/usr/bin/gosu",
        "/usr/bin/server",
        "/opt/tool",
        "/usr/bin/other",
    ];
    let files = programs.map(|path| program(path, [])).into_iter().chain([
        program("/bin/sh", ["shell.dash"]),
        program("/usr/bin/hidden", ["shell.bash"]),
        program("/usr/bin/env", []),
        program("/usr/bin/tini", []),
        script("/entry.sh", text),
        script("/usr/bin/second", "exec other \"$@\""),
    ]);
    let (reached, _, complete) = follow(files, config);
    let beside = |line: &String| !line.starts_with("/entry.sh: ") && !line.starts_with("/bin/sh: ");
    (reached.into_iter().filter(beside).collect(), complete)
}

#[test]
fn what_a_script_names_is_needed() {
    let look = |text: &str| reached(text, &config(&["/entry.sh"]));
    let rows: [(&str, &[&str], bool); 11] = [
        (
            "id -u; exec server",
            &[
                "/bin/id: named run by /entry.sh",
                "/usr/bin/server: named run by /entry.sh",
            ],
            true,
        ),
        (
            "exec server --with /opt/tool",
            &[
                "/opt/tool: named named in /entry.sh",
                "/usr/bin/server: named run by /entry.sh",
            ],
            true,
        ),
        (
            "exec gosu other server",
            &[
                "/usr/bin/gosu: named run by /entry.sh",
                "/usr/bin/other: named named in /entry.sh",
                "/usr/bin/server: named named in /entry.sh",
            ],
            true,
        ),
        (
            "second",
            &[
                "/usr/bin/other: named run by /usr/bin/second",
                "/usr/bin/second: named run by /entry.sh",
            ],
            true,
        ),
        ("echo x; cd /; exit", &[], true),
        (
            "server --with /opt/data",
            &["/usr/bin/server: named run by /entry.sh"],
            true,
        ),
        // Nothing is called unneeded where not all that is run is known.
        (
            "server; absent",
            &["/usr/bin/server: named run by /entry.sh"],
            false,
        ),
        ("server; $x", &["/usr/bin/server: named run by /entry.sh"], false),
        (
            "server; hidden -c x",
            &[
                "/usr/bin/hidden: named run by /entry.sh",
                "/usr/bin/server: named run by /entry.sh",
            ],
            false,
        ),
        ("exec sh", &[], false),
        (". /etc/x", &[], false),
    ];
    for (text, want, complete) in rows {
        let (reached, all) = look(text);
        assert_eq!(reached, want, "{text}");
        assert_eq!(all, complete, "{text}");
    }
}

#[test]
fn arguments_that_a_script_runs_are_the_command() {
    let with = |entrypoint: &[&str], cmd: &[&str], text: &str| {
        let mut config = config(entrypoint);
        config.cmd = cmd.iter().map(|&word| word.to_owned()).collect();
        let (reached, complete) = reached(text, &config);
        let tools = reached.iter().filter_map(|line| line.strip_prefix("/usr/bin/"));
        let names = tools.filter_map(|line| line.split(':').next());
        (names.collect::<Vec<_>>().join(" "), complete)
    };
    let hand_on = "exec \"$@\"";
    for (entrypoint, cmd, text, want) in [
        (
            &["/entry.sh"][..],
            &["server", "x"][..],
            hand_on,
            ("server", true),
        ),
        (
            &["/entry.sh"],
            &["server"],
            "exec gosu app \"$@\"",
            ("gosu server", true),
        ),
        (&["/entry.sh"], &["server"], "server", ("server", true)),
        (
            &["/entry.sh"],
            &["other"],
            "exec server --x \"$@\"",
            ("server", true),
        ),
        (
            &["/entry.sh"],
            &["--flag"],
            "set -- server \"$@\"; exec \"$@\"",
            ("server", true),
        ),
        (&["/entry.sh", "server"], &["other"], hand_on, ("server", true)),
        (
            &["tini", "--", "/entry.sh"],
            &["server"],
            hand_on,
            ("server tini", true),
        ),
        (&["/bin/sh", "/entry.sh"], &["server"], hand_on, ("server", true)),
        (
            &["/entry.sh"],
            &["env", "A=b", "server"],
            hand_on,
            ("env server", true),
        ),
        (
            &["/entry.sh"],
            &["second", "server"],
            hand_on,
            ("other second", true),
        ),
        (
            &["/entry.sh"],
            &["sh", "-c", "server && other"],
            hand_on,
            ("other server", true),
        ),
        (&["/entry.sh"], &["absent"], hand_on, ("", false)),
        (&["/entry.sh"], &["sh"], hand_on, ("", false)),
        (&["/entry.sh"], &["hidden"], hand_on, ("hidden", false)),
    ] {
        let (names, complete) = with(entrypoint, cmd, text);
        assert_eq!((names.as_str(), complete), want, "{entrypoint:?} {cmd:?} {text}");
    }
}

#[test]
fn a_text_for_a_shell_is_followed_too() {
    let look = |words: &[&str]| reached("", &config(words));
    let (found, complete) = look(&["/bin/sh", "-c", "id -u && exec server"]);
    assert_eq!(
        found,
        [
            "/bin/id: start run by /bin/sh",
            "/usr/bin/server: named run by what `/bin/sh` is given",
        ]
    );
    assert!(complete);
    assert!(!look(&["/bin/sh", "-c", "server; $x"]).1);
    assert!(!look(&["/bin/sh"]).1);
    assert!(!look(&["/usr/bin/tini", "sh"]).1);
    assert!(!look(&["/usr/bin/hidden", "-c", "server"]).1);
}
