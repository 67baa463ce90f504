//! Tests of `file-capability`.

use super::*;

#[test]
fn file_capabilities_weigh_what_they_give() {
    let revision2 =
        |path: &str, effective: u8, permitted: u32| capable(path, [effective, 0, 0, 2], permitted, 0);
    let found = in_files(
        "file-capability",
        [
            revision2("/a", 0, 1 << 7),
            revision2("/b", 1, 1 << 13),
            revision2("/c", 1, 1 << 10),
            revision2("/d", 0, 0),
            Entry {
                capability: Some(Vec::new()),
                ..program("/e", [])
            },
            mode(revision2("/f", 0, 1 << 7), 0o644),
            Entry {
                capability: revision2("/g", 1, 1 << 7).capability,
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
fn file_capabilities_say_when_they_count_and_what_refuses_them() {
    let one = |entry: Entry| {
        let finding = only(in_files("file-capability", [entry]));
        (finding.severity, finding.message)
    };
    let (severity, message) = one(capable("/x", [0, 0, 0, 2], 0, 2));
    assert_eq!(severity, Severity::Info);
    assert!(
        message.contains("may inherit dac_override, which gives nothing"),
        "{message}"
    );
    let (_, message) = one(capable("/x", [1, 0, 0, 2], 3 << 12, 0));
    assert!(
        message.ends_with("without net_admin in its bounding set cannot start it at all"),
        "{message}"
    );
    let (_, message) = one(capable("/x", [1, 0, 0, 2], 1 << 13, 0));
    assert!(message.ends_with("CRI-O, whose default bounding set has no net_raw, cannot start it at all"));
    let (_, message) = one(capable("/x", [1, 0, 0, 2], 1 << 10, 0));
    assert!(!message.contains("cannot start"), "{message}");
    // Revision 3 counts where its uid is root.
    let namespaced = |root: u8| {
        let mut entry = capable("/x", [0, 0, 0, 3], 1 << 7, 0);
        entry.capability.as_mut().unwrap().extend([root, 0, 0, 0]);
        one(entry)
    };
    assert_eq!(namespaced(0).0, Severity::High);
    let (severity, message) = namespaced(9);
    assert_eq!(severity, Severity::Medium);
    assert!(
        message.contains("user namespaces whose root is uid 9"),
        "{message}"
    );
    // What is wrong with a value is said of any file, since the layer may not unpack.
    for broken in [&b""[..], b"\0\0\0\x04", b"\0\0\0\x02\0"] {
        for bits in [0o755, 0o644] {
            let entry = Entry {
                capability: Some(broken.to_vec()),
                ..mode(program("/x", []), bits)
            };
            let (severity, message) = one(entry);
            assert_eq!(severity, Severity::Low);
            assert!(message.contains("the layer may not unpack"), "{message}");
        }
    }
}

#[test]
fn a_program_whose_capabilities_the_kernel_refuses_does_not_start() {
    let why = |entry: Entry| {
        let files = rootfs([entry]);
        why(&files, &config("1", &["/x"], &[]))
    };
    let net_admin = 1 << 12;
    assert!(
        why(capable("/x", [1, 0, 0, 2], net_admin, 0))
            .unwrap()
            .contains("(net_admin)")
    );
    assert_eq!(why(capable("/x", [0, 0, 0, 2], net_admin, 0)), None);
    assert_eq!(why(capable("/x", [1, 0, 0, 2], 1 << 10, 0)), None);
    let mut elsewhere = capable("/x", [1, 0, 0, 3], net_admin, 0);
    elsewhere.capability.as_mut().unwrap().extend([9, 0, 0, 0]);
    assert_eq!(why(elsewhere), None);
    let empty = Entry {
        capability: Some(Vec::new()),
        ..program("/x", [])
    };
    assert!(why(empty).unwrap().contains("invalid `security.capability`"));
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
