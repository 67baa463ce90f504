//! Tests of reading shell texts.

use proptest::prelude::*;

use super::*;

/// Commands and mentions as one line; `@`: it runs its arguments; `?`: it runs more.
fn told(text: &str) -> String {
    let found = Commands::of(text.as_bytes(), false);
    let words = |list: &[Vec<u8>]| {
        list.iter()
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect::<Vec<_>>()
    };
    let mut out = words(&found.run);
    out.extend(
        words(&found.mentioned)
            .into_iter()
            .map(|word| format!("({word})")),
    );
    out.extend(found.arguments.then(|| "@".to_owned()));
    out.extend(found.unclear.then(|| "?".to_owned()));
    out.join(" ")
}

#[test]
fn commands_stand_where_a_command_begins() {
    for (text, want) in [
        ("exec /app --x", "/app"),
        ("a b c; d e\nf", "a d f"),
        ("a && b || c | d & e", "a b c d e"),
        ("A=b C=\"$D\" run it", "run"),
        ("if a; then b; elif c; then d; else e; fi; f", "a b c d e f"),
        ("while ! a; do b; done < c", "a b"),
        ("for x in a b; do c; done", "c"),
        ("{ a; b; }; (c; d)", "a b c d"),
        ("f() { a; }; f", "a"),
        ("f () {\n a\n}\nf x", "a"),
        ("function f { a; }\nf", "a"),
        (
            "case \"$1\" in\n  a|b) c ;;\n  -*) d;;\n  *) e\nesac\nf",
            "c d e f",
        ),
        ("case $x in a) b;; esac; c", "b c"),
        ("case $x in a|$y) b;; (c*) d; (e);; ?) f\nesac; g", "b d e f g"),
        ("case x in (a) case y in b) c;; esac; d;; e) f;; esac", "c d f"),
        ("x=$(case $y in a) b;; esac; c); d", "b c d"),
        ("x=$(a \"$(b)\" `c`) d", "a b c d"),
        ("echo \"it is $(a 'b c') and `d`\"", "a d"),
        ("a > b 2>&1 < c 3>>d; e", "a e"),
        ("2>/dev/null a", "a"),
        ("a <<EOF\nb don't $x\nEOF\nc", "a c"),
        ("a <<-'E N' x\n\tb\n\tE\nc", "a ?"),
        ("a <<-'EN' x\n\tb\n\tEN\nc", "a c"),
        ("a <<< b; c", "a c"),
        ("# a\nb # c\nd#e", "b d#e"),
        ("a\\\n b; c\\ d", "a c d"),
        ("'a b' c; \"d\"'e'", "a b de"),
        ("x=(a b $(c)); d", "c d"),
        ("((x = 1 + 2)); a $((3 * 4))", "a"),
        ("[[ $x && $y == z ]] && a", "a"),
        ("[ -z \"$x\" ] || test a; echo b; cd c", ""),
        ("command a; command -v b; builtin c; time d", "a b c d"),
        ("exec -a x -c b", "b"),
        ("exec > /log", ""),
        ("diff <(a) <(b)", "a b diff"),
        ("set -- a \"$@\"", "a"),
        ("set -eu", ""),
        ("", ""),
    ] {
        assert_eq!(told(text), want, "{text:?}");
    }
}

#[test]
fn arguments_lead_on() {
    for (text, want) in [
        ("exec \"$@\"", "@"),
        ("exec $@", "@"),
        ("exec ${1+\"$@\"}", "?"),
        ("exec \"${@:1}\"", "@"),
        ("\"$1\" x", "@"),
        ("exec gosu app \"$@\"", "gosu (app) @"),
        ("exec gosu app \"$0\" \"$@\"", "gosu (app) @"),
        ("exec tini -- \"$@\"", "tini @"),
        ("exec env A=b server --x", "env (server)"),
        ("exec env A=\"$b\" server", "env (server)"),
        ("chown \"$@\"; mkdir $*", "chown mkdir"),
        ("find / -name x -exec a b {} +", "find (/) (a) (b)"),
        ("find \"$x\" -type f", "find"),
        ("run -c /etc/x.conf /opt/y", "run (/etc/x.conf) (/opt/y)"),
        ("sh -c 'a; b'", "a b sh"),
        ("bash -euo pipefail -c 'exec a'", "a bash"),
        ("sh /opt/x.sh a", "/opt/x.sh sh"),
        ("trap 'a; b' TERM; trap - INT; trap", "a b"),
        ("eval 'a; b'", "a b"),
        ("eval a b '; c'", "a c"),
        ("busybox sh -c 'a; b'", "a b busybox sh"),
    ] {
        assert_eq!(told(text), want, "{text:?}");
    }
}

#[test]
fn what_only_running_shows_is_unclear() {
    for text in [
        "$x",
        "\"${x}\" a",
        "exec $x",
        "a; $(b) c",
        "`a` b",
        ". /etc/x",
        "source x",
        "eval \"$x\"",
        "eval a \"$x\"",
        "sh -c \"$x\"",
        "sh x.sh",
        "curl x | sh",
        "exec bash",
        "exec bash -l",
        "gosu \"$x\" a",
        "xargs $x",
        "alias a=b",
        "~/a",
        "/opt/*/a",
        "a 'b",
        "a \"b",
        "a $(b",
        "a `b",
        "a )",
        "a <<EOF\nb",
        "a <<EOF\n$(b)\nEOF",
        "a ${x:-$(b)}",
        "a $((1 + $(b)))",
        "trap \"$x\" TERM",
        "x${@}y",
    ] {
        assert!(Commands::of(text.as_bytes(), false).unclear, "{text:?}");
    }
    assert!(Commands::of(b"a", true).unclear);
    let deep = "$(".repeat(1_000);
    assert!(Commands::of(deep.as_bytes(), false).unclear);
    let many: Vec<String> = (0..=MOST).map(|at| format!("a{at}")).collect();
    let found = Commands::of(many.join("\n").as_bytes(), false);
    assert_eq!((found.run.len(), found.unclear), (MOST, true));
    let within = (0..TEXTS).fold("a".to_owned(), |text, _| {
        format!("eval '{}'", text.replace('\'', "'\\''"))
    });
    assert!(Commands::of(within.as_bytes(), false).unclear);
}

/// What people put into images, in short.
#[test]
fn entry_points_as_they_are_written() {
    let redis = r#"#!/bin/sh
set -e

# first arg is `-f` or `--some-option`
# or first arg is `something.conf`
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
	set -- redis-server "$@"
fi

# allow the container to be started with `--user`
if [ "$1" = 'redis-server' -a "$(id -u)" = '0' ]; then
	find . \! -user redis -exec chown redis '{}' +
	exec gosu redis "$0" "$@"
fi

um="$(umask)"
if [ "$um" = '0022' ]; then
	umask 0077
fi

exec "$@"
"#;
    assert_eq!(told(redis), "find gosu id redis-server (chown) (redis) @");
    let nginx = r#"#!/bin/sh
set -e
entrypoint_log() {
    if [ -z "${NGINX_ENTRYPOINT_QUIET_LOGS:-}" ]; then
        echo "$@"
    fi
}
if [ "$1" = "nginx" ] || [ "$1" = "nginx-debug" ]; then
    if /usr/bin/find "/docker-entrypoint.d/" -mindepth 1 -maxdepth 1 -type f -print -quit 2>/dev/null | read v; then
        entrypoint_log "$0: looking for shell scripts"
        find "/docker-entrypoint.d/" -follow -type f -print | sort -V | while read -r f; do
            case "$f" in
                *.envsh) . "$f" ;;
                *.sh) "$f" ;;
                *) entrypoint_log "$0: ignoring $f";;
            esac
        done
    fi
fi
exec "$@"
"#;
    assert_eq!(told(nginx), "/usr/bin/find find sort (/docker-entrypoint.d/) @ ?");
}

/// What texts are made of where they lead somewhere else.
const PIECES: &[&str] = &[
    "a", " ", "\n", ";", ";;", "&&", "|", "(", ")", "((", "))", "$(", "`", "'", "\"", "\\", "$", "${", "}",
    "$@", "$0", "=", "<", ">", "<<", "<<-", "E", "#", "{", "[[", "]]", "case ", " in ", "esac", "eval ",
    "sh -c ", "exec ", "set -- ", "f()", "*", "1",
];

proptest! {
    /// Whatever the text, it is read to its end, and no more comes out than is in it.
    #[test]
    fn any_text_can_be_read(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        let text = pieces.concat();
        let found = Commands::of(text.as_bytes(), false);
        let words = || found.run.iter().chain(&found.mentioned);
        prop_assert!(words().map(Vec::len).sum::<usize>() <= text.len());
        prop_assert!(words().count() <= MOST);
        // A command behind it is seen, unless it was not understood.
        let behind = Commands::of(format!("{text} \nlast").as_bytes(), false);
        prop_assert!(behind.unclear || behind.run.contains(&b"last".to_vec()) || text.contains("last"), "{text:?}");
    }
}
