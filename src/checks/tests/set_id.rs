//! Tests of `setuid-file` and `setgid-file`.

use super::*;

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
fn who_owns_a_set_uid_program_and_what_it_is_weigh_together() {
    let one = |entry: Entry| only(in_files("setuid-file", [entry]));
    let set = |families: [&str; 1], uid: u64| owned(mode(program("/x", families), 0o4755), uid, uid);
    for (families, uid, severity) in [
        (["shell.bash"], 0, Severity::Critical),
        (["interp.python"], 0, Severity::Critical),
        (["os.findutils"], 0, Severity::Critical),
        (["shell.bash"], 7, Severity::High),
        (["priv.su"], 0, Severity::High),
        (["priv.sudo"], 0, Severity::High),
        (["priv.su"], 7, Severity::Medium),
    ] {
        let found = one(set(families, uid));
        assert_eq!(found.severity, severity, "{families:?} {uid}");
        assert!(
            found.message.contains(&format!("with uid {uid} ")),
            "{}",
            found.message
        );
    }
    // The kernel refuses what is no program; it is said all the same.
    let data = Entry {
        size: 9,
        ..file("/data", 0o4755)
    };
    assert_eq!(one(data).severity, Severity::Low);
    // Static, dynamic and packed programs alike.
    assert_eq!(
        one(mode(dynamic(program("/x", []), "/lib/ld.so"), 0o4755)).severity,
        Severity::High
    );
    let mut packed = mode(program("/x", []), 0o4755);
    packed.program.as_mut().unwrap().opaque = Some("packed".to_owned());
    assert_eq!(one(packed).severity, Severity::High);
    // Who may start it.
    assert!(
        one(mode(program("/x", []), 0o4750))
            .message
            .contains("for whoever may start it")
    );
}

#[test]
fn set_uid_root_with_file_capabilities_gets_only_those() {
    let mut raw = vec![0, 0, 0, 2];
    raw.extend([0; 16]);
    let with = |mode_bits: u16, uid: u64| {
        let entry = Entry {
            capability: Some(raw.clone()),
            ..owned(mode(program("/x", []), mode_bits), uid, 0)
        };
        in_files("setuid-file", [entry]).remove(0).message
    };
    assert!(with(0o4755, 0).contains("which then are all that it gets"));
    assert!(!with(0o4755, 7).contains("all that it gets"));
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
fn groups_that_open_a_system_weigh_by_number_and_by_name() {
    let severity = |gid: u64, group: &str| {
        let helper = owned(mode(program("/bin/a", []), 0o2755), 0, gid);
        in_files("setgid-file", [helper, text("/etc/group", group)])[0].severity
    };
    let strong = Severity::High;
    for (gid, group, high) in [
        (0, "", true),
        (6, "", true),
        (42, "", true),
        (7, "", false),
        (0, "wheel:x:0:\n", true),
        (6, "x:x:6:\n", true),
        (42, "x:x:42:\n", true),
        (901, "root:x:901:\n", true),
        (901, "disk:x:901:\n", true),
        (901, "shadow:x:901:\n", true),
        (901, "docker:x:901:\n", true),
        (901, "kmem:x:901:\n", true),
        (901, "#docker:x:901:\n", false),
        (901, "users:x:901:\n", false),
    ] {
        assert_eq!(severity(gid, group) == strong, high, "{gid} {group}");
    }
}

#[test]
fn directories_gain_nothing_from_set_id_bits() {
    let full = |path: &str, bits: u16| Entry {
        size: 4096,
        ..dir(path, bits)
    };
    for rule in ["setuid-file", "setgid-file"] {
        assert!(in_files(rule, [full("/a", 0o4755), full("/b", 0o2775), full("/c", 0o6777)]).is_empty());
    }
}

#[test]
fn names_reached_by_links_are_aliases_of_one_set_id_program() {
    let found = in_files(
        "setuid-file",
        [
            mode(program("/bin/mount", []), 0o4755),
            symlink("/sbin/mount", "/bin/mount"),
            Entry {
                mode: 0o4755,
                ..hardlink("/usr/bin/mount", "/bin/mount")
            },
        ],
    );
    assert_eq!(found.len(), 1);
    let aliases: Vec<String> = found[0]
        .aliases
        .iter()
        .map(|alias| alias.path.to_string())
        .collect();
    assert_eq!(aliases, ["/sbin/mount", "/usr/bin/mount"]);
    assert!(!found[0].message.contains("differ"));
}

#[test]
fn headers_that_differ_are_said() {
    let mut link = hardlink("/bin/b", "/bin/a");
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

/// Where the target stands, what the link's own header says, and that it counts.
#[test]
fn the_header_of_a_hard_link_counts_wherever_its_target_stands() {
    let link = || Entry {
        mode: 0o6755,
        gid: 42,
        ..hardlink("/bin/b", "/bin/a")
    };
    let target = || owned(program("/bin/a", []), 1000, 1000);
    for layers in [
        vec![layer([target(), link()])],
        vec![layer([link(), target()])],
        vec![layer([target()]), layer([link()])],
    ] {
        let files = merge(layers);
        let uid = look("setuid-file", &files, None);
        assert!(uid[0].message.contains("with uid 0 "), "{}", uid[0].message);
        let gid = look("setgid-file", &files, None);
        assert!(gid[0].message.contains("with gid 42"), "{}", gid[0].message);
        assert!(gid[0].message.contains("differ") && uid[0].message.contains("differ"));
    }
    // A file's own bit stays when the link's header lacks it.
    let files = rootfs([mode(target(), 0o4755), hardlink("/bin/b", "/bin/a")]);
    assert_eq!(look("setuid-file", &files, None).len(), 1);
    // A later layer with a plain mode ends it.
    let files = merge([layer([mode(target(), 0o4755)]), layer([target()])]);
    assert!(look("setuid-file", &files, None).is_empty());
}
