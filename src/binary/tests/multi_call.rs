//! Tests of programs that are many tools: which applets are in them, and what they are for that.

use super::*;

#[test]
fn busybox_is_what_its_applets_are() {
    let core = texts_of("multi.busybox");
    let with = |table: &[&str], texts: &[String]| {
        let table = table.join("\0");
        let texts = core
            .iter()
            .chain(texts)
            .map(String::as_str)
            .chain(["", table.as_str(), ""]);
        let program = inspect(&program_with(texts)).unwrap();
        assert_eq!(program.identities.len(), 1, "{:?}", families(&program));
        let identity = program.identities.into_iter().next().unwrap();
        let rule = Catalog::builtin()
            .meaning(&identity.family, &identity.applets)
            .unwrap()
            .rule
            .unwrap();
        (identity, rule)
    };
    let (identity, rule) = with(&["ash", "cat", "wget"], &[]);
    assert_eq!(
        (identity.applets.join(" ").as_str(), rule),
        ("ash cat wget", "shell")
    );
    assert_eq!(identity.confidence, Confidence::Certain);
    assert_eq!(with(&["cat", "tar", "wget"], &[]).1, "network-tool");
    // A build of one applet has no table, but that applet's texts.
    let (identity, rule) = with(&[], &texts_of("applet.wget"));
    assert_eq!(
        (identity.applets.join(" ").as_str(), rule),
        ("wget", "network-tool")
    );
    assert_eq!(identity.confidence, Confidence::Likely);
    // A table that was not read is no shell, unless the name of one stands there.
    assert_eq!(with(&[], &[]).1, "os-utility");
    let named = with(&[], &[String::new(), "hush".to_owned()]);
    assert_eq!(named.1, "shell");
    assert!(
        named.0.evidence.contains("a shell is named in it"),
        "{}",
        named.0.evidence
    );
}

#[test]
fn a_table_of_applets_is_found_by_its_relocations() {
    let mut data = b"toybox\0ash\0cat\0ls\0\0\0\0\0\0\0".to_vec();
    let table = data.len() as u64;
    data.resize(data.len() + 4 * 16, 0);
    let relative = (0..)
        .zip([0, 7, 11, 15])
        .map(|(slot, name)| (table + 16 * slot, name));
    let elf = Elf64 {
        relative: relative.collect(),
        data,
        ..Elf64::default()
    };
    let bytes = elf.bytes();
    let reading = elf::Reading::of(Content::whole(&bytes), &Limits::default());
    let names = applets::in_pointer_table(Catalog::builtin(), &reading);
    assert_eq!(names, ["ash", "cat", "ls", "toybox"]);
}
