//! Tests of `package-manager`: scripts, trees of modules and bundled packages of one tool.

use super::*;

pub(super) const PIP: &str = "/usr/lib/python3.11/site-packages/pip/__main__.py";
pub(super) const PIP_CODE: &str = "from pip._internal.cli.main import main as _main";

pub(super) fn python() -> Entry {
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
    assert_eq!(
        aliases(&found),
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
    let wheel = sized(
        "/usr/lib/python3.11/ensurepip/_bundled/pip-24.0-py3-none-any.whl",
        2_000_000,
    );
    let found = managers([pip("/usr/bin/pip"), python(), wheel]);
    assert!(found.iter().all(|one| one.qualifier.is_some()), "{found:#?}");
}

#[test]
fn a_bundled_package_is_dormant() {
    let wheel = || {
        sized(
            "/usr/lib/python3.11/ensurepip/_bundled/pip-24.0-py3-none-any.whl",
            2_000_000,
        )
    };
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
