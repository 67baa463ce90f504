//! Tests of the checks: what triggers each rule, and what narrowly does not.

mod changes;
mod inside;
mod layers;
mod modules;
mod naming;
mod order;
mod rights;
mod startup;

use std::collections::BTreeSet;

use super::*;
use crate::{
    binary::{Confidence, Elf, Form, Script},
    finding::{AliasKind, Qualifier, Severity},
    layer::{Entry, LayerFacts},
    rootfs::testing::{
        dir, entry, file, hardlink, layer, merge, owned, program, rootfs, symlink, text, whiteout,
    },
};

pub(super) fn config(user: &str, entrypoint: &[&str], cmd: &[&str]) -> ImageConfig {
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    ImageConfig {
        user: user.to_owned(),
        entrypoint: owned(entrypoint),
        cmd: owned(cmd),
        env: vec!["PATH=/usr/bin:/bin".to_owned()],
        ..ImageConfig::default()
    }
}

/// Findings of one rule, on an amd64 image.
pub(super) fn look(rule: &str, rootfs: &Rootfs, config: Option<&ImageConfig>) -> Vec<Finding> {
    let platform = Platform::new("linux", "amd64", None);
    let subject = Subject::new(rootfs, config, Some(&platform), Catalog::builtin());
    let check = CHECKS.iter().find(|check| check.rule == rule).unwrap();
    let found = (check.run)(&subject);
    for finding in &found {
        assert_eq!(finding.rule.id, rule);
        assert!(!finding.message.is_empty() && !finding.fix.is_empty());
        assert!(
            !finding.message.ends_with('.') && !finding.fix.ends_with('.'),
            "{finding:?}"
        );
        assert!(!finding.message.chars().any(char::is_control), "{finding:?}");
    }
    found
}

pub(super) fn in_files(rule: &str, entries: impl IntoIterator<Item = Entry>) -> Vec<Finding> {
    look(rule, &rootfs(entries), None)
}

pub(super) fn messages(found: &[Finding]) -> Vec<&str> {
    found.iter().map(|finding| finding.message.as_str()).collect()
}

pub(super) fn elf(entry: &mut Entry) -> &mut Elf {
    match &mut entry.program.as_mut().unwrap().form {
        Form::Elf(elf) => elf,
        other => panic!("{other:?}"),
    }
}

pub(super) fn dynamic(mut entry: Entry, loader: &str) -> Entry {
    elf(&mut entry).interpreter = Some(loader.into());
    entry
}

pub(super) fn mode(entry: Entry, mode: u16) -> Entry {
    Entry { mode, ..entry }
}

fn busybox(path: &str, applets: &[&str]) -> Entry {
    let mut entry = program(path, ["multi.busybox"]);
    entry.program.as_mut().unwrap().identities[0].applets =
        applets.iter().map(|&name| name.to_owned()).collect();
    entry
}

pub(super) fn script<const N: usize>(path: &str, line: &str, families: [&str; N]) -> Entry {
    let (interpreter, argument) = match line.split_once(' ') {
        Some((first, rest)) => (first, Some(rest.into())),
        None => (line, None),
    };
    let mut entry = program(path, families);
    entry.program.as_mut().unwrap().form = Form::Script(Script {
        interpreter: interpreter.into(),
        argument,
        ..Script::default()
    });
    entry
}

// The registry.

#[test]
fn every_rule_has_its_check_its_file_and_its_page() {
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    let checks: Vec<&str> = CHECKS.iter().map(|check| check.rule).collect();
    assert_eq!(rules, checks);
    // What the checks share.
    let parts = [
        "access",
        "capability",
        "combination",
        "command_line",
        "exposure_tests",
        "fuzzing",
        "identify",
        "inside",
        "interpreters",
        "machine",
        "mod",
        "modules",
        "obstacle",
        "run_tests",
        "set_id",
        "tools",
        "trusted",
        "user",
        "who",
    ];
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |directory: &str, extension: &str| -> BTreeSet<String> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the test compares the table with the source tree"
        )]
        let entries = std::fs::read_dir(root.join(directory)).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| Some(name.strip_suffix(extension)?.to_owned()))
            .collect()
    };
    let files: BTreeSet<String> = rules
        .iter()
        .map(|id| id.replace('-', "_"))
        .chain(parts.map(str::to_owned))
        .collect();
    assert_eq!(names("src/checks", ".rs"), files);
    assert_eq!(
        names("policies/rules", ".md"),
        rules.iter().map(|&id| id.to_owned()).collect()
    );
}

#[test]
fn pages_have_their_sections_in_order() {
    for rule in RULES {
        let mut lines = rule.page.lines();
        assert_eq!(
            lines.next(),
            Some(format!("# {}", rule.title).as_str()),
            "{}",
            rule.id
        );
        let sections: Vec<&str> = rule
            .page
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .collect();
        let mut want = vec!["What", "Why it matters"];
        if rule.family == FamilyOfRules::Tools {
            want.push("What an intruder gains");
        }
        want.extend(["How to fix", "How to accept it", "Standards"]);
        let sections: Vec<&str> = sections
            .into_iter()
            .filter(|section| *section != "What an intruder gains" || rule.family == FamilyOfRules::Tools)
            .collect();
        assert_eq!(sections, want, "{}", rule.id);
        assert_eq!(rule.page.matches("```dockerfile").count(), 2, "{}", rule.id);
        assert!(!rule.page.contains("!["), "{}", rule.id);
        let waiver = rule
            .page
            .split("```toml")
            .nth(1)
            .unwrap()
            .split("```")
            .next()
            .unwrap();
        let waiver: toml::Table = waiver.parse().unwrap();
        let waiver = waiver["waiver"][0].as_table().unwrap();
        assert_eq!(waiver["rule"].as_str(), Some(rule.id));
        for key in waiver.keys() {
            assert!(
                ["rule", "paths", "reason", "owner", "expires"].contains(&key.as_str()),
                "{key}"
            );
        }
        // Text outside of code that a renderer could take for HTML.
        let prose: String = rule
            .page
            .split("```")
            .step_by(2)
            .flat_map(|text| text.split('`').step_by(2))
            .collect();
        assert!(!prose.contains('<'), "{}", rule.id);
    }
}

#[test]
fn pages_and_standards_agree() {
    let data: toml::Table = include_str!("../../../policies/standards.toml").parse().unwrap();
    let text = |table: &toml::Table, key: &str| table[key].as_str().unwrap().to_owned();
    let tables = |key: &str| -> Vec<toml::Table> {
        data[key]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry.as_table().unwrap().clone())
            .collect()
    };
    let frameworks: BTreeMap<String, toml::Table> = tables("framework")
        .into_iter()
        .map(|table| (text(&table, "key"), table))
        .collect();
    let clauses: BTreeMap<String, toml::Table> = tables("clause")
        .into_iter()
        .map(|table| {
            (
                format!("{}:{}", text(&table, "framework"), text(&table, "id")),
                table,
            )
        })
        .collect();
    let mut used = BTreeSet::new();
    let rules = data["rules"].as_table().unwrap();
    assert_eq!(
        rules.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        RULES.iter().map(|rule| rule.id).collect()
    );
    for rule in RULES {
        let page = rule.page.split("## Standards").nth(1).unwrap();
        let mut shown = 0;
        for relation in ["direct", "supports", "related"] {
            for clause in rules[rule.id][relation].as_array().unwrap() {
                let clause = clause.as_str().unwrap();
                let entry = &clauses[clause];
                let framework = &frameworks[&text(entry, "framework")];
                let mark = if entry["verified"].as_bool().unwrap() {
                    ""
                } else {
                    " (unverified)"
                };
                let line = format!(
                    "- {} ({}) `{}`: {}{mark}",
                    text(framework, "name"),
                    text(framework, "version"),
                    text(entry, "id"),
                    text(entry, "title")
                );
                assert!(page.lines().any(|have| have == line), "{}: {line}", rule.id);
                assert!(
                    used.insert((rule.id, clause.to_owned())),
                    "{clause} twice for {}",
                    rule.id
                );
                shown += 1;
            }
        }
        assert_eq!(
            page.lines().filter(|line| line.starts_with("- ")).count(),
            shown,
            "{}",
            rule.id
        );
    }
    let scan = data["scan"].as_table().unwrap();
    let scan = scan
        .values()
        .flat_map(|list| list.as_array().unwrap())
        .map(|clause| clause.as_str().unwrap());
    let all: BTreeSet<String> = used
        .into_iter()
        .map(|(_, clause)| clause)
        .chain(scan.map(str::to_owned))
        .collect();
    assert_eq!(all, clauses.keys().cloned().collect());
}

#[test]
fn a_gap_hides_what_it_could() {
    let ids = |hides| hidden_by(hides).iter().map(|rule| rule.id).collect::<Vec<_>>();
    assert!(ids(Hides::Anything).contains(&"root-user") && ids(Hides::Anything).contains(&"shell"));
    assert!(
        ids(Hides::Programs).contains(&"packed-executable") && !ids(Hides::Programs).contains(&"root-user")
    );
    // Who logs in does so with a shell.
    assert!(ids(Hides::Programs).contains(&"login-account"));
    // What the configuration alone says no file hides.
    assert!(!ids(Hides::Anything).contains(&"shell-form-command"));
    assert_eq!(
        ids(Hides::Accounts),
        [
            "root-user",
            "root-group",
            "unknown-user",
            "non-numeric-user",
            "extra-root-account",
            "login-account",
            "empty-password"
        ]
    );
    assert_eq!(ids(Hides::Contents), ["package-database", "residue"]);
    assert!(ids(Hides::Nothing).is_empty());
}

#[test]
fn the_cheapest_way_is_sure_and_then_short() {
    let found = |path: &str, confidence: Confidence| {
        let mut entry = program(path, ["shell.bash"]);
        entry.program.as_mut().unwrap().identities[0].confidence = confidence;
        entry
    };
    let files = rootfs([
        found("/a", Confidence::Likely),
        found("/usr/bin/bash", Confidence::Certain),
        found("/usr/local/bin/bash", Confidence::Certain),
    ]);
    let found = look("shell", &files, None);
    let ways = capabilities(&found, Catalog::builtin());
    let shell = ways.iter().find(|way| way.id == "exec.shell").unwrap();
    assert_eq!(shell.by, RootPath::from("/usr/bin/bash"));
    assert_eq!(shell.attack, ["T1059.004", "T1609"]);
    assert!(ways.windows(2).all(|pair| pair[0].id < pair[1].id));
    let mut gone = found;
    for finding in &mut gone {
        finding.state = State::Removed;
    }
    assert!(capabilities(&gone, Catalog::builtin()).is_empty());
}

// Tools.

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
    let aliases: Vec<(String, AliasKind)> = found[0]
        .aliases
        .iter()
        .map(|alias| (alias.path.to_string(), alias.kind))
        .collect();
    assert_eq!(
        aliases,
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
    let mut library = program("/bin/bash", []);
    elf(&mut library).startable = false;
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
fn libraries_are_no_tools() {
    let mut library = program("/usr/lib/libbash.so", ["shell.bash"]);
    elf(&mut library).startable = false;
    assert!(in_files("shell", [library]).is_empty());
}

#[test]
fn without_execute_bit_the_loader_still_starts_it() {
    let loader = "/lib64/ld-linux-x86-64.so.2";
    let bash = mode(dynamic(program("/opt/x", ["shell.bash"]), loader), 0o644);
    let found = in_files("shell", [bash.clone(), file(loader, 0o755)]);
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

#[test]
fn another_processor_is_said_and_milder() {
    let mut arm = program("/bin/bash", ["shell.bash"]);
    elf(&mut arm).machine = 183;
    let found = in_files("shell", [arm]);
    assert_eq!(found[0].severity, Severity::High);
    assert!(
        found[0]
            .message
            .contains("built for arm64, which linux/amd64 runs only"),
        "{}",
        found[0].message
    );
}

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
fn names_cannot_break_a_message() {
    let found = in_files("shell", [program("/a\u{1b}[31m\nb", ["shell.bash"])]);
    assert_eq!(
        messages(&found),
        [r"/a\x1b[31m\x0ab is bash, a shell, under another name"]
    );
}

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
fn what_cannot_be_looked_into_is_packed() {
    let mut packed = program("/opt/agent", []);
    packed.program.as_mut().unwrap().opaque = Some("packed by an unknown method".to_owned());
    let found = in_files("packed-executable", [packed.clone(), program("/opt/plain", [])]);
    assert_eq!(
        messages(&found),
        ["/opt/agent cannot be looked into and may hold any program: packed by an unknown method"]
    );
    elf(&mut packed).startable = false;
    assert!(in_files("packed-executable", [packed]).is_empty());
}

#[test]
fn databases_are_found_and_what_distroless_keeps_is_not() {
    let sized = |path: &str, size: u64| Entry {
        size,
        ..file(path, 0o644)
    };
    let found = in_files(
        "package-database",
        [
            sized("/var/lib/dpkg/status", 100),
            sized("/var/lib/dpkg/info/a.list", 10),
            sized("/var/lib/dpkg/status.d/base", 1000),
            sized("/lib/apk/db/installed", 7),
            sized("/var/lib/rpm/rpmdb.sqlite", 9),
        ],
    );
    let got: Vec<(String, u64)> = found
        .iter()
        .map(|finding| (finding.path.as_ref().unwrap().to_string(), finding.bytes))
        .collect();
    assert_eq!(
        got,
        [
            ("/var/lib/dpkg/status".to_owned(), 110),
            ("/lib/apk/db/installed".to_owned(), 7),
            ("/var/lib/rpm/rpmdb.sqlite".to_owned(), 9),
        ]
    );
    let none = [
        sized("/var/lib/dpkg/status.d/base", 1000),
        sized("/var/lib/dpkg/status", 0),
        sized("/srv/lib/apk/db/installed", 5),
        dir("/var/lib/rpm/Packages", 0o755),
    ];
    assert!(in_files("package-database", none).is_empty());
}

// Users.

fn accounts(passwd: &str, group: &str) -> Rootfs {
    rootfs([text("/etc/passwd", passwd), text("/etc/group", group)])
}

const PASSWD: &str = "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/:\nzero:x:abc:5::/:\nsvc:x:1001:0::/:\n";

#[test]
fn user_rules_speak_of_what_runtimes_do() {
    let files = accounts(PASSWD, "root:x:0:\napp:x:1000:\n");
    let rules = ["root-user", "root-group", "unknown-user", "non-numeric-user"];
    for (user, want) in [
        ("", &["root-user"][..]),
        ("00", &["root-user"]),
        (":1000", &["root-user"]),
        ("zero", &["root-user"]),
        ("root:app", &["root-user"]),
        ("1000:1000", &[]),
        ("1000", &[]),
        ("4242:4242", &[]),
        ("4242", &["root-group"]),
        ("1000:", &["root-group"]),
        ("app", &["non-numeric-user"]),
        ("svc", &["root-group", "non-numeric-user"]),
        ("ghost", &["unknown-user"]),
        ("1000:ghost", &["unknown-user"]),
        ("4294967296", &["unknown-user"]),
    ] {
        let config = config(user, &["/app"], &[]);
        let fired: Vec<&str> = rules
            .into_iter()
            .filter(|rule| !look(rule, &files, Some(&config)).is_empty())
            .collect();
        assert_eq!(fired, want, "{user}");
    }
    for rule in rules {
        assert!(
            look(rule, &files, None).is_empty(),
            "{rule} without a configuration"
        );
    }
}

#[test]
fn user_messages_name_the_cause_and_the_cure() {
    let files = accounts(PASSWD, "root:x:0:\napp:x:1000:\n");
    let one = |rule: &str, user: &str| {
        let mut found = look(rule, &files, Some(&config(user, &["/app"], &[])));
        assert_eq!(found.len(), 1, "{rule} {user}");
        let finding = found.remove(0);
        assert_eq!(finding.subject.as_deref(), Some("User"));
        (finding.message, finding.fix)
    };
    let (message, fix) = one("root-user", "zero");
    assert_eq!(
        message,
        "The container runs as root with every runtime: line 3 of /etc/passwd gives `zero` `abc` for a uid, which \
         runtimes read as 0"
    );
    assert!(fix.contains("USER 65532:65532"), "{fix}");
    assert!(
        one("root-user", "")
            .0
            .ends_with("User is unset, which means root")
    );
    let (message, fix) = one("root-group", "4242");
    assert!(
        message.starts_with("The container runs with group 0 with every runtime: User `4242`"),
        "{message}"
    );
    assert!(fix.contains("USER 4242:4242"), "{fix}");
    let (message, _) = one("root-group", "1000:");
    assert!(
        message.contains(" with containerd and containerd under Kubernetes: "),
        "{message}"
    );
    let (message, fix) = one("non-numeric-user", "app");
    assert!(message.starts_with("User `app` is a name"), "{message}");
    assert_eq!(fix, "Write the numbers: `USER 1000:1000`");
    assert!(
        one("unknown-user", "ghost")
            .0
            .contains("/etc/passwd has no user `ghost`")
    );
    assert!(one("unknown-user", "4294967296").0.contains("CVE-2024-40635"));
    let escaped = one("unknown-user", "a\u{1b}b").0;
    assert!(escaped.contains(r"a\x1bb"), "{escaped}");
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
    let why = |user: &str, program: &str| {
        look("missing-program", &files, Some(&config(user, &[program], &[])))
            .pop()
            .map(|finding| finding.message)
    };
    assert_eq!(why("1000:1000", "/own"), None);
    assert_eq!(why("1000:1000", "/group"), None);
    assert_eq!(why("0", "/app"), None);
    assert_eq!(why("0", "/closed/app"), None);
    assert_eq!(
        why("1000:1000", "/app").unwrap(),
        "The container cannot start: /app may not be executed by uid 1000 (mode 0700)"
    );
    for way in ["/closed/app", "/way/app"] {
        let message = why("1000:1000", way).unwrap();
        assert!(message.ends_with("which the user may not enter"), "{message}");
    }
}

#[test]
fn checks_ask_for_what_they_read() {
    for want in [
        Want::Path("/etc/passwd"),
        Want::Path("/etc/group"),
        Want::Accounts,
    ] {
        assert!(wants().contains(&want), "{want:?}");
    }
    assert!(wants().windows(2).all(|pair| pair[0] < pair[1]));
    // Without the contents the account rules cannot speak.
    let mut passwd = text("/etc/passwd", PASSWD);
    passwd.kept = None;
    let files = rootfs([passwd]);
    assert!(look("non-numeric-user", &files, Some(&config("app", &["/app"], &[]))).is_empty());
}

// Privileges.

#[test]
fn set_id_bits_count_where_the_kernel_obeys_them() {
    let found = in_files(
        "setuid-file",
        [
            mode(program("/bin/bash", ["shell.bash"]), 0o4755),
            mode(program("/bin/su", ["priv.su"]), 0o4755),
            mode(program("/bin/unknown", []), 0o4711),
            owned(mode(program("/bin/other", []), 0o4755), 7, 7),
            mode(program("/bin/group", []), 0o2755),
            mode(program("/bin/off", []), 0o4644),
            mode(script("/bin/script", "/bin/sh", []), 0o4755),
            dir("/srv", 0o4755),
            file("/bin/empty", 0o4755),
        ],
    );
    let got: Vec<(String, Severity)> = found
        .iter()
        .map(|finding| (finding.path.as_ref().unwrap().to_string(), finding.severity))
        .collect();
    assert_eq!(
        got,
        [
            ("/bin/bash".to_owned(), Severity::Critical),
            ("/bin/other".to_owned(), Severity::Medium),
            ("/bin/su".to_owned(), Severity::High),
            ("/bin/unknown".to_owned(), Severity::High),
        ]
    );
    assert_eq!(
        found[2].message,
        "/bin/su (su) runs with uid 0 for whoever starts it (mode 4755)"
    );
}

#[test]
fn set_gid_needs_the_groups_execute_bit() {
    let found = in_files(
        "setgid-file",
        [
            owned(mode(program("/bin/a", []), 0o2755), 0, 42),
            owned(mode(program("/bin/b", []), 0o2755), 0, 1000),
            owned(mode(program("/bin/c", []), 0o2745), 0, 42),
            mode(program("/bin/d", []), 0o4755),
            dir("/srv", 0o2755),
        ],
    );
    let got: Vec<Severity> = found.iter().map(|finding| finding.severity).collect();
    assert_eq!(got, [Severity::High, Severity::Medium]);
    let named = in_files(
        "setgid-file",
        [
            owned(mode(program("/bin/a", []), 0o2755), 0, 998),
            text("/etc/group", "docker:x:998:\n"),
        ],
    );
    assert_eq!(named[0].severity, Severity::High);
    assert_eq!(
        named[0].message,
        "/bin/a runs with gid 998 (docker) for whoever starts it (mode 2755)"
    );
}

#[test]
fn file_capabilities_weigh_what_they_give() {
    let with = |path: &str, value: &[u8]| Entry {
        capability: Some(value.into()),
        ..program(path, [])
    };
    let v2 = |magic: u8, low: u32| {
        let mut raw = vec![magic, 0, 0, 2];
        raw.extend(low.to_le_bytes());
        raw.extend([0; 12]);
        raw
    };
    let found = in_files(
        "file-capability",
        [
            with("/a", &v2(0, 1 << 7)),
            with("/b", &v2(1, 1 << 13)),
            with("/c", &v2(1, 1 << 10)),
            with("/d", &v2(0, 0)),
            with("/e", b""),
            mode(with("/f", &v2(0, 1 << 7)), 0o644),
            Entry {
                capability: Some(v2(1, 1 << 7)),
                ..script("/g", "/bin/sh", [])
            },
            program("/h", []),
        ],
    );
    let got: Vec<Severity> = found.iter().map(|finding| finding.severity).collect();
    assert_eq!(
        got,
        [
            Severity::High,
            Severity::Medium,
            Severity::Low,
            Severity::Info,
            Severity::Low
        ]
    );
    assert_eq!(
        found[0].message,
        "/a gives setuid to whoever starts it once the program raises it, which is as good as root"
    );
    assert!(found[4].message.contains("is too short"), "{}", found[4].message);
}

#[test]
fn world_writable_trees_are_told_once() {
    let found = in_files(
        "world-writable-path",
        [
            dir("/app", 0o777),
            file("/app/a", 0o666),
            dir("/app/b", 0o777),
            file("/app/b/c", 0o666),
            file("/app-x", 0o644),
            dir("/app/closed", 0o755),
            file("/app/closed/d", 0o646),
            dir("/secret", 0o700),
            file("/secret/e", 0o666),
            mode(program("/srv/f", []), 0o777),
        ],
    );
    assert_eq!(
        messages(&found),
        [
            "/app is a directory that every user may change (mode 0777), and so are 3 paths below it",
            "/app/closed/d is a file that every user may change (mode 0646)",
            "/secret/e is a file that every user may change (mode 0666); others cannot enter /secret above it",
            "/srv/f is a file that every user may change (mode 0777); it is a program, so that whoever changes it acts for \
         whoever runs it",
        ]
    );
    let got: Vec<Severity> = found.iter().map(|finding| finding.severity).collect();
    assert_eq!(
        got,
        [Severity::Medium, Severity::Medium, Severity::Low, Severity::High]
    );
    let fine = [
        dir("/tmp", 0o1777),
        symlink("/l", "/tmp"),
        file("/g", 0o664),
        dir("/d", 0o775),
        entry("/p", crate::layer::Kind::Fifo, 0o666),
    ];
    assert!(in_files("world-writable-path", fine).is_empty());
}

// Start-up.

#[test]
fn shell_form_is_known_by_the_command_line() {
    let files = Rootfs::default();
    let subjects = |entrypoint: &[&str], cmd: &[&str]| -> Vec<String> {
        look("shell-form-command", &files, Some(&config("1", entrypoint, cmd)))
            .into_iter()
            .map(|finding| finding.subject.unwrap())
            .collect()
    };
    assert_eq!(subjects(&[], &["/bin/sh", "-c", "./app"]), ["Cmd"]);
    assert_eq!(
        subjects(&["/bin/bash", "-o", "pipefail", "-c", "x"], &[]),
        ["Entrypoint"]
    );
    assert_eq!(
        subjects(&[], &["/bin/bash", "--norc", "-euo", "pipefail", "-c", "x"]),
        ["Cmd"]
    );
    assert_eq!(subjects(&["/bin/bash", "-ec", "x"], &["y"]), ["Entrypoint"]);
    assert_eq!(
        subjects(&["/busybox/busybox", "sh", "-c", "x"], &[]),
        ["Entrypoint"]
    );
    assert_eq!(subjects(&["/node"], &["/bin/sh", "-c", "x"]), ["Cmd"]);
    for (entrypoint, cmd) in [
        (&["/app"][..], &["-c", "conf"][..]),
        (&[], &["/bin/sh"]),
        (&["/bin/sh", "/entry.sh"], &["-c"]),
        (&["/bin/sh", "--norc"], &[]),
        (&[], &[]),
    ] {
        assert!(subjects(entrypoint, cmd).is_empty(), "{entrypoint:?} {cmd:?}");
    }
    assert!(look("shell-form-command", &files, None).is_empty());
}

#[test]
fn a_program_that_cannot_start_is_missing_with_the_first_reason() {
    let loader = "/lib64/ld-linux-x86-64.so.2";
    let mut arm = program("/arm", []);
    elf(&mut arm).machine = 183;
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
        arm,
        dynamic(program("/musl", []), "/lib/ld-musl-x86_64.so.1"),
        dynamic(program("/glibc", []), loader),
        program(loader, []),
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
fn what_a_gap_hides_is_not_called_missing() {
    let mut facts = layer([Entry {
        size: 9,
        ..file("/app", 0o755)
    }]);
    facts.gaps.push(crate::gap::Gap {
        path: Some(RootPath::from("/app")),
        why: "too large".to_owned(),
        hides: Hides::Programs,
    });
    let files = merge([facts]);
    assert!(look("missing-program", &files, Some(&config("", &["/app"], &[]))).is_empty());
}

// Residue.

fn sized(path: &str, size: u64) -> Entry {
    Entry {
        size,
        ..file(path, 0o644)
    }
}

fn residue<const N: usize>(layers: [LayerFacts; N]) -> Vec<Finding> {
    look("residue", &merge(layers), None)
}

#[test]
fn what_was_removed_is_still_shipped() {
    let found = residue([
        layer([
            program("/usr/bin/curl", ["net.curl"]),
            program("/usr/bin/find", ["os.findutils"]),
            sized("/root/.npmrc", 20),
            sized("/root/.npm/a", 50_000),
            sized("/root/.npm/b/c", 50_000),
            sized("/opt/large", 20 << 20),
            sized("/etc/motd", 100),
            sized("/usr/share/doc/x", 90_000),
        ]),
        layer([
            whiteout("/usr/bin/curl"),
            whiteout("/usr/bin/find"),
            whiteout("/root/.npmrc"),
            whiteout("/root/.npm"),
            whiteout("/opt/large"),
            sized("/etc/motd", 101),
            whiteout("/usr/share"),
        ]),
    ]);
    assert_eq!(
        messages(&found),
        [
            "/opt/large (21.0 MB) is still shipped in layer 0, though layer 1 removes it",
            "2 files of the cache /root/.npm (100.0 kB) are still shipped in layer 0, though layer 1 hides them",
            "/root/.npmrc, a file that usually holds credentials, is still shipped in layer 0, though layer 1 removes it",
            "/usr/bin/curl, the network tool curl, is still shipped in layer 0, though layer 1 removes it",
            "/usr/bin/find is still shipped in layer 0, though layer 1 removes it",
            "/usr/share/doc/x is still shipped in layer 0, though layer 1 removes it",
        ]
    );
    assert!(
        found
            .iter()
            .all(|finding| finding.state == State::Removed && finding.layer == Some(0))
    );
    assert_eq!(found[2].severity, Severity::High);
    assert_eq!(found[3].identity.as_ref().unwrap().name, "curl");
}

#[test]
fn much_residue_of_one_layer_is_told_together() {
    let brought: Vec<Entry> = (0..20).map(|n| sized(&format!("/srv/data/{n}"), 1_000)).collect();
    let removed: Vec<Entry> = (0..20).map(|n| whiteout(&format!("/srv/data/{n}"))).collect();
    let found = residue([layer(brought), layer(removed)]);
    assert_eq!(
        messages(&found),
        ["20 files below /srv/data (20.0 kB) are still shipped in layer 0, though layer 1 hides them"]
    );
    assert_eq!(found[0].path, Some(RootPath::from("/srv/data")));
}

#[test]
fn updates_and_crumbs_are_no_residue() {
    let found = residue([
        layer([
            program("/bin/bash", ["shell.bash"]),
            sized("/etc/passwd", 900),
            dir("/srv", 0o755),
        ]),
        layer([
            program("/bin/bash", ["shell.bash"]),
            sized("/etc/passwd", 950),
            dir("/srv", 0o700),
        ]),
    ]);
    assert_eq!(messages(&found), Vec::<&str>::new());
    let replaced = residue([
        layer([program("/bin/bash", ["shell.bash"])]),
        layer([program("/bin/bash", [])]),
    ]);
    assert_eq!(
        messages(&replaced),
        ["/bin/bash, the shell bash, is still shipped in layer 0, though layer 1 overwrites it"]
    );
    assert_eq!(replaced[0].state, State::Overwritten);
}

// All together.

#[test]
fn an_image_without_anything_to_say_says_nothing() {
    let files = rootfs([
        program("/server", []),
        dir("/tmp", 0o1777),
        file("/etc/ssl/certs/ca-certificates.crt", 0o644),
    ]);
    let platform = Platform::new("linux", "amd64", None);
    let config = config("65532:65532", &["/server"], &[]);
    let subject = Subject::new(&files, Some(&config), Some(&platform), Catalog::builtin());
    assert_eq!(run(&subject), []);
}

// What set-id bits and capabilities say beside what they do.

#[test]
fn headers_that_differ_are_said() {
    let mut link = crate::rootfs::testing::hardlink("/bin/b", "/bin/a");
    link.mode = 0o4755;
    let found = in_files("setuid-file", [program("/bin/a", []), link]);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].message.contains("the headers of its hard links differ"),
        "{found:?}"
    );
    let found = in_files("setuid-file", [mode(program("/bin/a", []), 0o4755)]);
    assert!(!found[0].message.contains("differ"));
}

#[test]
fn capabilities_that_no_runtime_applies_weigh_little() {
    let mut entry = program("/bin/ping", []);
    entry.xattrs = vec!["LIBARCHIVE.xattr.security.capability".to_owned()];
    let said = |value: Option<&[u8]>| {
        let mut entry = entry.clone();
        entry.unapplied_capability = value.map(<[u8]>::to_vec);
        let found = in_files("file-capability", [entry]);
        assert_eq!(found[0].severity, Severity::Low);
        found[0].message.clone()
    };
    let plain =
        "/bin/ping carries `LIBARCHIVE.xattr.security.capability`, which common runtimes do not apply";
    let admin = b"\x01\0\0\x02\0\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0";
    assert_eq!(said(None), plain);
    assert_eq!(
        said(Some(admin)),
        format!("{plain}; one that does would give sys_admin to whoever starts it")
    );
    assert!(said(Some(b"\x01\0")).starts_with(&format!("{plain}; its value ")));
}
