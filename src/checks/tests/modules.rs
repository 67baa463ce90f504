//! Tests of trees of modules: what stands in their files tells, and compiled code runs and tells as its source does.

use super::*;

/// The family of each finding.
fn families(found: &[Finding]) -> Vec<&str> {
    let identities = found.iter().filter_map(|one| one.identity.as_ref());
    identities.map(|identity| identity.family.as_str()).collect()
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
                sized(&example, 2_000_000)
            };
            let runs = program("/usr/bin/x", [module.needs[0].trim_end_matches('*')]);
            let rule = catalog.meaning(&module.tool, &[]).unwrap().rule.unwrap();
            let found = in_files(rule, [tree, runs]);
            assert!(
                families(&found).contains(&module.tool.as_str()),
                "{example}: {found:#?}"
            );
        }
    }
}

#[test]
fn a_tree_of_the_same_names_with_other_code_is_no_tool() {
    let catalog = Catalog::builtin();
    for module in catalog
        .modules()
        .iter()
        .filter(|module| module.asks_for_content())
    {
        let runs = program("/usr/bin/x", [module.needs[0].trim_end_matches('*')]);
        let rule = catalog.meaning(&module.tool, &[]).unwrap().rule.unwrap();
        for example in module.examples() {
            let found = in_files(rule, [text(&example, "another program"), runs.clone()]);
            assert!(found.is_empty(), "{example}: {found:#?}");
        }
    }
}

#[test]
fn each_tree_runs_on_its_own_interpreter_only() {
    let pip = "/usr/lib/python3/dist-packages/pip/__main__.py";
    let npm = "/usr/lib/node_modules/npm/lib/cli.js";
    for (path, content, interpreter, found) in [
        (pip, "from pip._internal", "interp.python", true),
        (pip, "from pip._internal", "interp.node", false),
        (npm, "process.exit()", "interp.node", true),
        (npm, "process.exit()", "interp.python", false),
    ] {
        let files = [text(path, content), program("/usr/bin/x", [interpreter])];
        assert_eq!(
            !in_files("package-manager", files).is_empty(),
            found,
            "{path} {interpreter}"
        );
    }
}

#[test]
fn package_managers_are_known_by_their_code_wherever_it_lies() {
    let lib = "/opt/x/lib";
    for (path, content, interpreter, family) in [
        (
            "pip/_internal/cli/main.py",
            "from pip._internal",
            "interp.python",
            "pm.pip",
        ),
        ("pip/__main__.py", "pip.main()", "interp.python", "pm.pip"),
        ("pip/__main__.pyc", "pip._internal", "interp.python", "pm.pip"),
        (
            "pip/_internal/__init__.py",
            "pip._internal",
            "interp.python",
            "pm.pip",
        ),
        (
            "pip/_internal/main.py",
            "pip._internal",
            "interp.python",
            "pm.pip",
        ),
        (
            "pip/_internal/cli/main.pyc",
            "pip._internal",
            "interp.python",
            "pm.pip",
        ),
        ("pipenv/cli/command.py", "pipenv", "interp.python", "pm.pipenv"),
        ("pipenv/cli/command.pyc", "pipenv", "interp.python", "pm.pipenv"),
        ("pipx/__main__.py", "pipx", "interp.python", "pm.pipx"),
        ("pipx/__main__.pyc", "pipx", "interp.python", "pm.pipx"),
        (
            "poetry/__main__.py",
            "poetry.console",
            "interp.python",
            "pm.poetry",
        ),
        (
            "poetry/console/application.pyc",
            "poetry.console",
            "interp.python",
            "pm.poetry",
        ),
        ("conda/__main__.pyc", "conda", "interp.python", "pm.conda"),
        ("conda/cli/main.py", "conda", "interp.python", "pm.conda"),
        ("npm/lib/npm.js", "process", "interp.node", "pm.npm"),
        ("npm/lib/cli-entry.js", "process", "interp.node", "pm.npm"),
        ("yarn/lib/cli/index.js", "require", "interp.node", "pm.yarn"),
        (".yarn/releases/yarn-3.2.js", "x", "interp.node", "pm.yarn"),
        ("renamed/dist/pnpm.mjs", "pnpm", "interp.node", "pm.pnpm"),
        (
            "pipenv/__main__.py",
            "import pipenv",
            "interp.python",
            "pm.pipenv",
        ),
        ("pipx/main.py", "import pipx", "interp.python", "pm.pipx"),
        (
            "poetry/console/application.py",
            "poetry.console",
            "interp.python",
            "pm.poetry",
        ),
        ("conda/__main__.py", "import conda", "interp.python", "pm.conda"),
        ("dnf/cli/main.py", "dnf.cli", "interp.python", "pm.dnf"),
        // Under another name than its own.
        ("renamed/lib/npm.js", "npm-usage", "interp.node", "pm.npm"),
        ("npm/lib/cli/entry.js", "process", "interp.bun", "pm.npm"),
        (
            "renamed/package.json",
            r#""name": "npm", "bin": {"#,
            "interp.node",
            "pm.npm",
        ),
        (
            "renamed/package.json",
            r#""name": "yarn", "bin": {"#,
            "interp.node",
            "pm.yarn",
        ),
        (
            "renamed/package.json",
            r#""name": "pnpm", "bin": {"#,
            "interp.deno",
            "pm.pnpm",
        ),
        (
            "renamed/package.json",
            r#""name": "corepack", "bin": {"#,
            "interp.node",
            "pm.corepack",
        ),
        ("yarn/lib/cli.js", "require", "interp.node", "pm.yarn"),
        (".yarn/releases/yarn-4.1.0.cjs", "x", "interp.node", "pm.yarn"),
        ("renamed/dist/pnpm.cjs", "pnpm", "interp.node", "pm.pnpm"),
        (
            "renamed/dist/lib/corepack.cjs",
            "require",
            "interp.node",
            "pm.corepack",
        ),
        (
            "rubygems/gem_runner.rb",
            "Gem::GemRunner",
            "interp.ruby",
            "pm.gem",
        ),
        ("bundler/cli.rb", "module Bundler", "interp.ruby", "pm.bundler"),
        ("CPAN.pm", "package CPAN;", "interp.perl", "pm.cpan"),
        ("CPAN/Shell.pm", "package CPAN::Shell;", "interp.perl", "pm.cpan"),
        (
            "Composer/Console/Application.php",
            r"namespace Composer\Console",
            "interp.php",
            "pm.composer",
        ),
        (
            "tool.phar",
            "composer.phar __HALT_COMPILER();",
            "interp.php",
            "pm.composer",
        ),
        (
            "luarocks/command_line.lua",
            "luarocks.util",
            "interp.luajit",
            "pm.luarocks",
        ),
    ] {
        let files = [
            text(&format!("{lib}/{path}"), content),
            program("/usr/bin/x", [interpreter]),
        ];
        let found = in_files("package-manager", files);
        assert_eq!(families(&found), [family], "{path}");
    }
}

#[test]
fn a_package_manager_without_its_source_is_still_one() {
    // How CPython 3.11 and Lua 5.4 begin a compiled file; names of modules stand in both as constants.
    let python = "\u{a7}\r\r\n\0\0\0\0\0\0\0\0\0\0\0\0\u{e3}\0\0\0\0";
    let lua = "\u{1b}LuaT\0\u{19}\u{93}\r\n\u{1a}\n\u{4}\u{8}\u{8}xV\0\0\0";
    for (path, begin, name, interpreter, family) in [
        (
            "/opt/pip/_internal/main.pyc",
            python,
            "pip._internal.cli.main",
            "interp.python",
            "pm.pip",
        ),
        (
            "/opt/pip/_internal/__init__.pyc",
            python,
            "pip._internal.utils",
            "interp.pypy",
            "pm.pip",
        ),
        (
            "/opt/pipenv/__main__.pyc",
            python,
            "pipenv.cli",
            "interp.python",
            "pm.pipenv",
        ),
        (
            "/opt/pipx/main.pyc",
            python,
            "pipx.constants",
            "interp.python",
            "pm.pipx",
        ),
        (
            "/opt/poetry/__main__.pyc",
            python,
            "poetry.console.application",
            "interp.python",
            "pm.poetry",
        ),
        (
            "/opt/conda/cli/main.pyc",
            python,
            "conda.base",
            "interp.python",
            "pm.conda",
        ),
        (
            "/opt/dnf/cli/main.pyc",
            python,
            "dnf.cli.cli",
            "interp.python",
            "pm.dnf",
        ),
        (
            "/usr/share/lua/5.4/luarocks/cmd.lua",
            lua,
            "luarocks.core.cfg",
            "interp.lua",
            "pm.luarocks",
        ),
        (
            "/usr/share/lua/5.1/luarocks/cmd/install.lua",
            lua,
            "luarocks.dir",
            "interp.luajit",
            "pm.luarocks",
        ),
    ] {
        let tree = || text(path, &format!("{begin}{name}\0"));
        let runs = program("/usr/bin/x", [interpreter]);
        let found = in_files("package-manager", [tree(), runs.clone()]);
        assert_eq!(families(&found), [family], "{path}");
        // Not without what runs it, nor where the texts are other ones.
        assert!(in_files("package-manager", [tree()]).is_empty(), "{path}");
        let other = text(path, &format!("{begin}another\0"));
        assert!(in_files("package-manager", [other, runs]).is_empty(), "{path}");
    }
    // What a cache holds is not loaded without its source, and what loads rocks installs none.
    for (path, name, interpreter) in [
        (
            "/opt/pip/__pycache__/__main__.cpython-311.pyc",
            "pip._internal",
            "interp.python",
        ),
        (
            "/usr/share/lua/5.4/luarocks/loader.lua",
            "luarocks.core.cfg",
            "interp.lua",
        ),
    ] {
        let files = [text(path, name), program("/usr/bin/x", [interpreter])];
        assert!(in_files("package-manager", files).is_empty(), "{path}");
    }
}
