//! Tests of how a program's identity is decided from what is found in it: one case for each rule of the decision.

use std::collections::BTreeSet;

use super::{structures::Made, *};
use crate::catalog::tables::Kind;

/// A program with the texts of several families.
fn with_texts_of(families: &[&str]) -> Program {
    let texts: Vec<String> = families.iter().flat_map(|family| texts_of(family)).collect();
    inspect(&program_with(texts.iter().map(String::as_str))).unwrap()
}

#[test]
fn a_family_gives_way_to_the_one_that_its_code_is_part_of() {
    for (whole, part) in [
        ("pm.aptitude", "pm.apt"),
        ("multi.busybox", "applet.wget"),
        ("multi.busybox", "applet.httpd"),
        ("multi.busybox", "applet.vi"),
        ("multi.busybox", "shell.almquist"),
        ("multi.busybox", "shell.hush"),
    ] {
        assert_eq!(families(&with_texts_of(&[part])), [part]);
        assert_eq!(families(&with_texts_of(&[part, whole])), [whole]);
    }
}

#[test]
fn of_several_families_the_one_under_the_first_rule_comes_first() {
    let by_rule = [
        ("shell", "shell.dash"),
        ("package-manager", "pm.dpkg"),
        ("network-tool", "net.curl"),
        ("debug-tool", "debug.strace"),
        ("privilege-tool", "priv.sudo"),
        ("interpreter", "interp.perl"),
        ("build-tool", "build.make"),
        ("os-utility", "os.tar"),
    ];
    for pair in by_rule.windows(2) {
        let [(rule, first), (_, second)] = pair else {
            unreachable!()
        };
        let program = with_texts_of(&[second, first]);
        assert_eq!(families(&program), [*first, *second]);
        let (_, meaning) = program.tool(Catalog::builtin()).unwrap();
        assert_eq!(meaning.rule, Some(*rule));
    }
}

#[test]
fn families_without_rule_are_evidence() {
    let kinds: BTreeSet<&str> = Catalog::builtin()
        .tools()
        .iter()
        .filter(|tool| tool.rule.is_none())
        .map(|tool| tool.id.as_str())
        .collect();
    assert!(kinds.contains("loader.ld-so") && kinds.contains("embeds.lua"));
    assert!(
        Catalog::builtin()
            .tools()
            .iter()
            .all(|tool| tool.kind != Kind::Applet || tool.rule.is_none())
    );
}

#[test]
fn the_path_of_a_main_package_is_certain_and_no_other_path_is_it() {
    for (path, family) in [
        ("github.com/docker/cli/cmd/docker", Some("ct.docker")),
        ("github.com/docker/docker/cmd/dockerd", Some("ct.dockerd")),
        ("github.com/docker/libnetwork/cmd/proxy", Some("net.docker-proxy")),
        (
            "github.com/docker/docker/cmd/docker-proxy",
            Some("net.docker-proxy"),
        ),
        (
            "github.com/moby/moby/v2/cmd/docker-proxy",
            Some("net.docker-proxy"),
        ),
        (
            "github.com/containerd/containerd/cmd/containerd",
            Some("ct.containerd"),
        ),
        ("github.com/containerd/containerd/v2/cmd/ctr", Some("ct.ctr")),
        (
            "github.com/containerd/containerd/cmd/containerd-shim",
            Some("ct.containerd-shim"),
        ),
        (
            "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
            Some("ct.containerd-shim"),
        ),
        ("github.com/opencontainers/runc", Some("ct.runc")),
        ("cmd/go", Some("build.go")),
        ("src.elv.sh/cmd/elvish", Some("shell.elvish")),
        // Whoever has the library, or a name like it, is not the program.
        ("example.org/github.com/docker/cli/cmd/docker", None),
        ("github.com/docker/cli/cmd/docker-credential", None),
        ("example.org/cmd/go", None),
        ("command-line-arguments", None),
    ] {
        let made = Made {
            modules: vec![
                format!("path\t{path}"),
                "mod\texample.org/x\tv1.0.0\th1:x".to_owned(),
            ],
            ..Made::default()
        };
        let program = made.inspect(Elf64::holding(Vec::new()));
        assert_eq!(
            families(&program),
            family.into_iter().collect::<Vec<_>>(),
            "{path}"
        );
        for identity in &program.identities {
            assert_eq!(identity.confidence, Confidence::Certain, "{path}");
            assert!(
                identity.evidence.starts_with("main package "),
                "{}",
                identity.evidence
            );
        }
    }
}

#[test]
fn the_evidence_says_how_much_was_found_of_what_and_where() {
    let texts = texts_of("shell.bash").join("\0").into_bytes();
    let evidence = |elf: &Elf64<'_>, machine: u8| {
        let mut bytes = elf.bytes();
        bytes[18] = machine;
        inspect(&bytes).unwrap().identities.remove(0).evidence
    };
    let fixed = Elf64::holding(texts);
    assert_eq!(evidence(&fixed, 62), "12 of 12 texts of bash; ELF x86-64, static");
    let dynamic = Elf64 {
        fixed: false,
        interpreter: Some(LOADER),
        ..fixed.clone()
    };
    assert_eq!(
        evidence(&dynamic, 183),
        "12 of 12 texts of bash; ELF aarch64, dynamic"
    );
    // The same as stored blocks of a packed program.
    let packed = inspect(&packed_as_stored(&fixed.bytes(), b"")).unwrap();
    assert_eq!(families(&packed), ["shell.bash", "packed.upx"]);
    assert_eq!(
        packed.identities[0].evidence,
        "12 of 12 texts of bash; ELF x86-64, static, found after unpacking"
    );
}

#[test]
fn a_script_is_likely_its_tool_and_never_certain() {
    let pip = inspect(b"#!/usr/bin/python3\nfrom pip._internal.cli.main import main\n").unwrap();
    let identity = &pip.identities[0];
    assert_eq!(identity.family, "pm.pip");
    assert_eq!(identity.confidence, Confidence::Likely);
    assert_eq!(
        identity.evidence,
        "it starts pip as that tool's script does; script"
    );
}

#[test]
fn a_table_or_a_library_is_certain_whatever_else_stands_in_the_file() {
    let busybox: Vec<String> = {
        let (_, k, texts) = signatures()
            .into_iter()
            .find(|(id, ..)| id == "multi.busybox")
            .unwrap();
        texts.into_iter().take(k).collect()
    };
    let others = ["net.curl", "debug.strace", "build.make", "interp.perl"];
    let many: Vec<String> = others.iter().flat_map(|family| texts_of(family)).collect();
    let confidence = |texts: &[&[String]], needed: &[&'static str], family: &str| {
        let mut data = texts.concat().join("\0").into_bytes();
        data.extend(b"\0\0ash\0cat\0wget\0\0");
        let elf = Elf64 {
            interpreter: Some(LOADER),
            needed: needed.to_vec(),
            data,
            ..Elf64::default()
        };
        let program = inspect(&elf.bytes()).unwrap();
        let one = program.identities.iter().find(|one| one.family == family);
        (program.identities.len(), one.unwrap().confidence)
    };
    // As few texts as can be, and the table.
    assert_eq!(
        confidence(&[&busybox], &[], "multi.busybox"),
        (1, Confidence::Certain)
    );
    assert_eq!(
        confidence(&[&busybox, &many], &[], "multi.busybox"),
        (5, Confidence::Certain)
    );
    // Texts and a private library.
    let apt = texts_of("pm.apt");
    assert_eq!(confidence(&[&apt, &many], &[], "pm.apt"), (5, Confidence::Likely));
    assert_eq!(
        confidence(&[&apt, &many], &["libapt-private.so.0.0"], "pm.apt"),
        (5, Confidence::Certain)
    );
    // Texts and a main package.
    let mut texts = texts_of("ct.docker");
    texts.extend(many);
    let made = Made {
        modules: vec!["path\tgithub.com/docker/cli/cmd/docker".to_owned()],
        texts,
        ..Made::default()
    };
    let program = made.inspect(Elf64::holding(Vec::new()));
    assert_eq!(program.identities.len(), 5);
    let sure = program
        .identities
        .iter()
        .filter(|one| one.confidence == Confidence::Certain);
    assert_eq!(
        sure.map(|one| one.family.as_str()).collect::<Vec<_>>(),
        ["ct.docker"]
    );
}
