//! Tests of the texts by which programs are known.

use super::*;

#[test]
fn every_signature_finds_its_family() {
    let all = signatures();
    assert!(all.len() > 250);
    for (id, k, any) in all {
        let program = inspect(&program_with(any.iter().map(String::as_str))).unwrap();
        // An engine may give way to the interpreter that shares its texts.
        let generic = Catalog::builtin()
            .tools()
            .iter()
            .any(|tool| tool.id == id && tool.generic)
            && !families(&program).is_empty();
        assert!(
            generic || families(&program).contains(&id.as_str()),
            "{id}: {:?}",
            families(&program)
        );
        // One text too few is not enough, unless another signature of the family still matches.
        let few = inspect(&program_with(any.iter().take(k - 1).map(String::as_str))).unwrap();
        let related = signatures().iter().filter(|(other, ..)| *other == id).count() > 1;
        assert!(
            related || !families(&few).contains(&id.as_str()),
            "{id} with {} texts",
            k - 1
        );
    }
}

#[test]
fn a_text_of_another_program_rules_a_family_out() {
    let mut seen = 0;
    for (id, one) in tables("signature") {
        let Some(none) = one.get("none") else { continue };
        let any = texts(&one["any"]);
        let found = |more: &[String]| {
            let all = any.iter().chain(more).map(String::as_str);
            let program = inspect(&program_with(all)).unwrap();
            families(&program).contains(&id.as_str())
        };
        assert!(found(&[]), "{id}");
        for text in texts(none) {
            assert!(!found(&[text]), "{id}");
            seen += 1;
        }
    }
    assert!(seen > 1);
}

#[test]
fn confidence_counts_the_texts_beyond_those_that_are_needed() {
    let (_, k, texts) = signatures()
        .into_iter()
        .find(|(id, ..)| id == "shell.bash")
        .unwrap();
    for (more, want) in [
        (0, Confidence::Likely),
        (2, Confidence::Likely),
        (3, Confidence::Certain),
    ] {
        let some = texts.iter().take(k + more).map(String::as_str);
        let program = inspect(&program_with(some)).unwrap();
        assert_eq!(program.identities[0].confidence, want, "{k} and {more}");
    }
    // Where one text is enough, it says all.
    let (id, _, texts) = signatures()
        .into_iter()
        .find(|(_, k, texts)| (*k, texts.len()) == (1, 1))
        .unwrap();
    let program = inspect(&program_with(texts.iter().map(String::as_str))).unwrap();
    let identity = program
        .identities
        .iter()
        .find(|identity| identity.family == id)
        .unwrap();
    assert_eq!(identity.confidence, Confidence::Certain, "{id}");
}

#[test]
fn a_shell_cannot_hide_behind_the_texts_of_a_weaker_tool() {
    let (shell, other) = (texts_of("shell.almquist"), texts_of("build.make"));
    let program = inspect(&program_with(shell.iter().chain(&other).map(String::as_str))).unwrap();
    assert_eq!(families(&program), ["shell.almquist", "build.make"]);
    // Nor behind a table of applets that it does not have.
    let busybox = texts_of("multi.busybox");
    let texts = shell
        .iter()
        .chain(&busybox)
        .map(String::as_str)
        .chain(["", "cat\0cp\0ls", ""]);
    let program = inspect(&program_with(texts)).unwrap();
    assert_eq!(families(&program), ["shell.almquist", "multi.busybox"]);
}

#[test]
fn many_tools_in_one_file_are_shown_as_a_list_of_texts() {
    let ids = [
        "shell.bash",
        "net.curl",
        "debug.strace",
        "build.make",
        "edit.ed",
        "os.tar",
    ];
    let texts: Vec<String> = ids.into_iter().flat_map(texts_of).collect();
    let program = inspect(&program_with(texts.iter().map(String::as_str))).unwrap();
    assert!(program.identities.len() >= 5, "{:?}", families(&program));
    assert_eq!(families(&program)[0], "shell.bash");
    for identity in &program.identities {
        assert_eq!(identity.confidence, Confidence::Likely);
        assert!(
            identity.evidence.contains("a list of texts"),
            "{}",
            identity.evidence
        );
    }
}

#[test]
fn five_tools_are_a_list_and_what_is_no_text_stays_sure() {
    let ids = ["shell.bash", "net.curl", "debug.strace", "build.make", "os.tar"];
    let confidences = |count: usize, needed: &[&'static str]| {
        let elf = Elf64 {
            interpreter: Some(LOADER),
            needed: needed.to_vec(),
            data: ids[..count]
                .iter()
                .flat_map(|id| texts_of(id))
                .collect::<Vec<_>>()
                .join("\0")
                .into_bytes(),
            ..Elf64::default()
        };
        let program = inspect(&elf.bytes()).unwrap();
        let all = program.identities.iter();
        all.map(|one| (one.family.clone(), one.confidence))
            .collect::<Vec<_>>()
    };
    let sure = |all: &[(String, Confidence)]| {
        let sure = all
            .iter()
            .filter(|(_, confidence)| *confidence == Confidence::Certain);
        sure.map(|(family, _)| family.clone()).collect::<Vec<_>>()
    };
    assert_eq!(sure(&confidences(4, &[])).len(), 4);
    assert_eq!(confidences(5, &[]).len(), 5);
    assert_eq!(sure(&confidences(5, &[])), [""; 0]);
    // A library that only one program needs is no text.
    assert_eq!(sure(&confidences(5, &["libapt-private.so.0.0"])), ["pm.apt"]);
}
