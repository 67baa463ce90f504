//! Tests of tools that are scripts: the entry point of each, as its packages have it, and what only looks like it.

use std::collections::BTreeSet;

use super::*;

fn of(text: &str) -> String {
    families(&inspect(text.as_bytes()).unwrap()).join(" ")
}

#[test]
fn every_entry_point_of_a_script_is_its_tool() {
    let python = "#!/usr/bin/python3\n# -*- coding: utf-8 -*-\nimport re\nimport sys\n";
    let node = "#!/usr/bin/env node\n'use strict'\n";
    let mut seen = BTreeSet::new();
    for (family, first, line) in [
        ("pm.pip", python, "from pip._internal.cli.main import main"),
        ("pm.pip", python, "from pip._internal import main"),
        ("pm.pip", python, "from pip import main"),
        ("pm.pip", python, "from pip.__main__ import _main"),
        ("pm.pip", python, "runpy.run_module('pip', run_name='__main__')"),
        (
            "pm.pip",
            python,
            "# EASY-INSTALL-ENTRY-SCRIPT: 'pip==9.0.1','console_scripts','pip'",
        ),
        ("pm.pip", python, "__requires__ = 'pip==19.3'"),
        ("pm.pipenv", python, "from pipenv import cli"),
        ("pm.pipenv", python, "from pipenv.cli import cli"),
        ("pm.pipenv", python, "__requires__ = 'pipenv==2022.12.19'"),
        ("pm.pipx", python, "from pipx.main import cli"),
        ("pm.poetry", python, "from poetry.console.application import main"),
        ("pm.conda", python, "    from conda.cli import main"),
        ("pm.dnf", python, "from dnf.cli import main"),
        ("interp.ipython", python, "from IPython import start_ipython"),
        ("net.az-cli", python, "exec python -sm azure.cli \"$@\""),
        ("shell.xonsh", python, "from xonsh.main import main"),
        ("debug.pdb", python, "import pdb; pdb.main()"),
        ("pm.npm", node, "require('../lib/cli.js')(process)"),
        ("pm.npm", node, "require('../lib/cli-entry.js')(process)"),
        ("pm.npx", node, "const cli = require('../lib/cli.js')"),
        (
            "pm.npx",
            node,
            "process.argv[1] = require.resolve('./npm-cli.js')",
        ),
        (
            "pm.corepack",
            node,
            "require('./lib/corepack.cjs').runMain(process.argv.slice(2));",
        ),
        ("pm.yarn", node, "  cli = require(__dirname + '/../lib/cli');"),
        ("pm.pnpm", node, "console.error('see https://r.pnpm.io/comp')"),
        ("pm.gem", "#!/usr/bin/ruby\n", "Gem::GemRunner.new.run ARGV.clone"),
        ("pm.gem", "#!/usr/bin/ruby\n", "Gem::GemRunner.run ARGV"),
        (
            "pm.bundler",
            "#!/usr/bin/ruby\n",
            "  Bundler::CLI.start(ARGV, :debug => true)",
        ),
        (
            "pm.bundler",
            "#!/usr/bin/ruby\n",
            "load Gem.activate_bin_path('bundler', 'bundle', version)",
        ),
        (
            "pm.cpan",
            "#!/usr/bin/perl\n",
            "my $rc = App::Cpan->run( @ARGV );",
        ),
        ("pm.cpan", "#!/usr/bin/perl\n", "CPAN::shell();"),
        (
            "pm.composer",
            "#!/usr/bin/env php\n<?php\n",
            "use Composer\\Console\\Application;",
        ),
        (
            "pm.luarocks",
            "#!/usr/bin/lua5.4\n",
            "local cmd = require(\"luarocks.cmd\")",
        ),
        (
            "pm.luarocks",
            "#!/usr/bin/lua5.1\n",
            "local command_line = require 'luarocks.command_line'",
        ),
        (
            "bundle.phar",
            "#!/usr/bin/env php\n<?php\n",
            "__HALT_COMPILER(); ?>",
        ),
    ] {
        let whole = format!("{first}{line}\n");
        assert_eq!(of(&whole), family, "{line}");
        // Nothing of it without the first line.
        let program = inspect(whole.trim_start_matches("#!").as_bytes());
        assert!(
            program.is_none_or(|program| program.identities.is_empty()),
            "{line}"
        );
        seen.insert(family);
    }
    for tool in Catalog::builtin().tools() {
        let known = tool.script.is_empty() || seen.contains(tool.id.as_str()) || tool.id == "bundle.zipapp";
        assert!(known, "{} has no script here", tool.id);
    }
}

#[test]
fn script_tools_are_known_by_what_they_start() {
    let family = |text: &str| families(&inspect(text.as_bytes()).unwrap()).join(" ");
    assert_eq!(
        family("#!/usr/bin/python3\nimport sys\nfrom pip._internal.cli.main import main\n"),
        "pm.pip"
    );
    assert_eq!(
        family("#!/usr/bin/env node\nrequire('../lib/cli.js')(process)\n"),
        "pm.npm"
    );
    assert_eq!(family("#!/bin/sh\necho from pip\n"), "");
}

#[test]
fn an_archive_behind_a_first_line_is_an_application_and_may_be_pip() {
    let of = |name: &str| {
        let bytes = [b"#!/usr/bin/python3\n", &zip_header(name)[..]].concat();
        families(&inspect(&bytes).unwrap()).join(" ")
    };
    assert_eq!(of("app/main.py"), "bundle.zipapp");
    assert_eq!(of("pip/__main__.py"), "pm.pip bundle.zipapp");
    assert_eq!(of("pipeline/__main__.py"), "bundle.zipapp");
}

#[test]
fn scripts_that_only_speak_of_a_tool_are_not_it() {
    for text in [
        "#!/bin/sh\npip install flask\nnpm ci\nbundle install\n",
        "#!/usr/bin/python3\nfrom pipeline import main\nfrom pip_tools import x\n",
        "#!/usr/bin/python3\n__requires__ = 'pipdeptree==2.0'\n",
        "#!/usr/bin/env node\nrequire('./lib/cli.js')(process)\n",
        "#!/usr/bin/lua5.4\nrequire('luarocks.loader')\nlocal app = require('app')\n",
        "#!/usr/bin/ruby\nrequire 'bundler/setup'\n",
    ] {
        assert_eq!(of(text), "", "{text}");
    }
}

#[test]
fn the_shell_half_of_a_script_in_two_languages_stands_at_its_begin() {
    let inner = |before: usize, line: &str| {
        let script = format!("#!/bin/sh\n{}\n{line}\nimport os\n", "#".repeat(before));
        match inspect(script.as_bytes()).unwrap().form {
            Form::Script(script) => script.inner.map(|inner| String::from_utf8(inner).unwrap()),
            other => panic!("{other:?}"),
        }
    };
    let line = "''':' ; exec python3 -u \"$0\" \"$@\" '''";
    assert_eq!(inner(0, line).as_deref(), Some("python3"));
    assert_eq!(inner(900, line).as_deref(), Some("python3"));
    assert_eq!(inner(1_100, line), None);
    assert_eq!(inner(0, "exec perl -x \"$0\"").as_deref(), Some("perl"));
    assert_eq!(inner(0, "exec python3 other.py"), None);
    assert_eq!(inner(0, "exec ls \"$0\""), None);
}
