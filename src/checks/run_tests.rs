//! Tests of how things are run: modes, loaders, other machines, scripts and trees of modules. One case for each row.

use super::tests::{config, dynamic, in_files, look, mode, script};
use super::*;
use crate::{
    binary::{Form, Program},
    finding::{AliasKind, Qualifier, Severity},
    layer::Entry,
    rootfs::testing::{file, owned, program, rootfs, symlink, text},
};

const PIP: &str = "/usr/lib/python3.11/site-packages/pip/__main__.py";
const PIP_CODE: &str = "from pip._internal.cli.main import main as _main";

fn python() -> Entry {
    program("/usr/bin/python3.11", ["interp.python"])
}

fn node() -> Entry {
    program("/usr/bin/node", ["interp.node"])
}

fn pip(path: &str) -> Entry {
    script(path, "/usr/bin/python3.11", ["pm.pip"])
}

fn managers(entries: impl IntoIterator<Item = Entry>) -> Vec<Finding> {
    in_files("package-manager", entries)
}

fn only(found: Vec<Finding>) -> Finding {
    assert_eq!(found.len(), 1, "{found:#?}");
    found.into_iter().next().unwrap()
}

fn sized(path: &str) -> Entry {
    Entry {
        size: 2_000_000,
        ..file(path, 0o644)
    }
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
fn a_tree_without_a_script_is_the_tool() {
    let found = only(managers([text(PIP, PIP_CODE), python()]));
    assert_eq!(found.path, Some("/usr/lib/python3.11/site-packages/pip".into()));
    assert_eq!(found.severity, Rule::get("package-manager").unwrap().severity);
    assert_eq!(found.qualifier, None);
    assert!(found.capabilities.contains(&"pkg.install".to_owned()));
    assert!(
        found.message.contains("`python -m pip` runs it"),
        "{}",
        found.message
    );
    // The interpreter runs it, whatever it is called; without one nothing does.
    let renamed = program("/app/server", ["interp.python"]);
    assert_eq!(managers([text(PIP, PIP_CODE), renamed]).len(), 1);
    assert!(managers([text(PIP, PIP_CODE)]).is_empty());
    assert!(managers([text(PIP, PIP_CODE), node()]).is_empty());
    // Content decides: another package's file of that name, and an empty one, are no pip.
    assert!(managers([text(PIP, "print('hello')"), python()]).is_empty());
    assert!(managers([file(PIP, 0o644), python()]).is_empty());
    // An interpreter that cannot start runs nothing; the loader still starts one without an execute bit.
    assert!(!managers([text(PIP, PIP_CODE), mode(python(), 0o644)]).is_empty());
}

#[test]
fn the_parts_of_one_tool_are_one_finding() {
    let all = || {
        vec![
            pip("/usr/bin/pip"),
            pip("/usr/bin/pip3"),
            symlink("/usr/bin/pip3.11", "pip3"),
            text(PIP, PIP_CODE),
            text(
                "/usr/lib/python3.11/site-packages/pip/_internal/cli/main.py",
                "from pip._internal.commands import create_command",
            ),
            python(),
        ]
    };
    let found = only(managers(all()));
    assert_eq!(found.path, Some("/usr/bin/pip".into()));
    let aliases: Vec<(String, AliasKind)> = found
        .aliases
        .iter()
        .map(|alias| (alias.path.to_string(), alias.kind))
        .collect();
    assert_eq!(
        aliases,
        [
            ("/usr/bin/pip3".to_owned(), AliasKind::Part),
            ("/usr/bin/pip3.11".to_owned(), AliasKind::Symlink),
            (
                "/usr/lib/python3.11/site-packages/pip".to_owned(),
                AliasKind::Part
            ),
        ]
    );
    // To take out any one part is not enough, but for the interpreter.
    for gone in 0..all().len() - 1 {
        let mut left = all();
        left.remove(gone);
        let found = managers(left);
        assert_eq!(found.len(), 1, "{gone}");
        assert_eq!(found[0].qualifier, None, "{gone}");
    }
    let scripts_gone: Vec<Entry> = all().split_off(3);
    assert_eq!(managers(scripts_gone).len(), 1);
}

#[test]
fn a_script_without_its_code_is_a_remark() {
    let found = managers([pip("/usr/bin/pip"), pip("/usr/bin/pip3"), python()]);
    assert_eq!(found.len(), 2);
    for finding in found {
        assert_eq!(finding.qualifier, Some(Qualifier::NameOnly));
        assert!(
            finding
                .message
                .ends_with("the code that it loads is not in the image")
        );
    }
    // What carries its code in itself needs none beside it, and what nothing is known of its code counts.
    let mut zipped = pip("/usr/bin/pip.pyz");
    let bundle = program("/x", ["bundle.zipapp"]).program.unwrap().identities;
    zipped.program.as_mut().unwrap().identities.extend(bundle);
    assert_eq!(only(managers([zipped, python()])).qualifier, None);
    // A bundled wheel is not what a script loads.
    let wheel = sized("/usr/lib/python3.11/ensurepip/_bundled/pip-24.0-py3-none-any.whl");
    let found = managers([pip("/usr/bin/pip"), python(), wheel]);
    assert!(found.iter().all(|one| one.qualifier.is_some()), "{found:#?}");
}

#[test]
fn a_bundled_package_is_dormant() {
    let wheel = || sized("/usr/lib/python3.11/ensurepip/_bundled/pip-24.0-py3-none-any.whl");
    let found = only(managers([wheel(), python()]));
    assert_eq!(found.qualifier, Some(Qualifier::Dormant));
    assert!(found.severity < Rule::get("package-manager").unwrap().severity);
    assert!(found.message.contains("`python -m ensurepip` unpacks it"));
    assert!(managers([wheel()]).is_empty());
    // Beside the package itself it is one part of it.
    let found = only(managers([wheel(), text(PIP, PIP_CODE), python()]));
    assert_eq!(found.qualifier, None);
    assert_eq!(found.aliases.len(), 1);
}

#[test]
fn every_module_of_the_catalogue_is_reachable() {
    let catalog = Catalog::builtin();
    assert!(catalog.modules().len() >= 20);
    for module in catalog.modules() {
        for example in module.examples() {
            let tree = if module.asks_for_content() {
                text(&example, &module.example_content())
            } else {
                sized(&example)
            };
            let interpreter = module.needs.first().unwrap().trim_end_matches('*').to_owned();
            let mut runs = program("/usr/bin/x", [""]);
            runs.program.as_mut().unwrap().identities[0].family = interpreter;
            let rule = catalog.meaning(&module.tool, &[]).unwrap().rule.unwrap();
            let found = in_files(rule, [tree, runs]);
            let family = |one: &Finding| one.identity.as_ref().map(|known| known.family.clone());
            assert!(
                found.iter().any(|one| family(one).as_ref() == Some(&module.tool)),
                "{example}: {found:#?}"
            );
        }
    }
}

#[test]
fn node_packages_count_by_what_they_say_of_themselves() {
    let package = |name: &str| {
        text(
            "/app/node_modules/tool/package.json",
            &format!("{{\n  \"name\": \"{name}\",\n  \"bin\": {{\n    \"x\": \"bin/x.js\"\n  }}\n}}"),
        )
    };
    for (name, family) in [
        ("npm", "pm.npm"),
        ("yarn", "pm.yarn"),
        ("pnpm", "pm.pnpm"),
        ("corepack", "pm.corepack"),
    ] {
        let found = only(managers([package(name), node()]));
        assert_eq!(found.identity.unwrap().family, family);
        assert_eq!(found.path, Some("/app/node_modules/tool".into()));
    }
    assert!(managers([package("npm-run-path"), node()]).is_empty());
    let library = text(
        "/app/node_modules/npm/package.json",
        "{\n  \"name\": \"npm\",\n  \"main\": \"x\"\n}",
    );
    assert!(managers([library, node()]).is_empty());
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

/// A mode, files, `User`, and what is said.
type Row<'a> = (&'a str, Vec<Entry>, &'a str, (Severity, Option<Qualifier>));

#[test]
fn modes_and_loaders_say_who_can_start_it() {
    let loader = || program("/lib64/ld-linux-x86-64.so.2", ["loader.ld-so"]);
    let bash = || program("/opt/x", ["shell.bash"]);
    let moving = || dynamic(bash(), "/lib64/ld-linux-x86-64.so.2");
    let as_user = |entries: Vec<Entry>, user: &str| {
        let found = look("shell", &rootfs(entries), Some(&config(user, &[], &[])));
        let finding = only(found);
        (finding.severity, finding.qualifier)
    };
    let full = Rule::get("shell").unwrap().severity;
    let down = |steps: usize| tools::lower(full, steps);
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
fn what_is_allowed_together_is_told_with_the_cheapest_way() {
    let files = rootfs([
        program("/usr/bin/bash", ["shell.dash"]),
        program("/usr/bin/nc", ["net.nc-openbsd"]),
        program("/usr/local/bin/python3", ["interp.python"]),
        program("/usr/bin/curl", ["net.curl"]),
    ]);
    let subject = Subject::new(&files, None, None, Catalog::builtin());
    let mut findings = run(&subject);
    let all = |findings: &[Finding]| combinations(findings, Catalog::builtin());
    let by = |findings: &[Finding], id: &str| -> Option<Vec<String>> {
        let found = all(findings).into_iter().find(|one| one.id == id)?;
        assert!(!found.attack.is_empty() && !found.meaning.is_empty());
        Some(found.by.iter().map(ToString::to_string).collect())
    };
    let reverse = by(&findings, "reverse-shell").unwrap();
    assert_eq!(reverse.len(), 2, "{reverse:?}");
    assert!(reverse.contains(&"/usr/bin/nc".to_owned()), "{reverse:?}");
    assert!(by(&findings, "drop-and-run").is_some());
    assert!(by(&findings, "root-by-set-id").is_none());
    // One program that can do both is one way.
    findings.retain(|one| one.path == Some("/usr/local/bin/python3".into()));
    assert_eq!(
        by(&findings, "reverse-shell").unwrap(),
        ["/usr/local/bin/python3"]
    );
    // A name alone gives nothing.
    for finding in &mut findings {
        finding.qualifier = Some(Qualifier::NameOnly);
    }
    assert!(all(&findings).is_empty());
    // A set-id program that starts others does alone.
    let sudo = mode(program("/usr/bin/x", ["shell.bash"]), 0o4755);
    let files = rootfs([sudo]);
    let found = look("setuid-file", &files, None);
    assert_eq!(by(&found, "root-by-set-id").unwrap(), ["/usr/bin/x"]);
}
