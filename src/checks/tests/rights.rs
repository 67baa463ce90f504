//! Tests of the rules about users and privileges, one row for each fact.

use super::*;
use crate::{binary::Program, layer::Kind};

fn user(rule: &str, passwd: &str, user: &str) -> Option<String> {
    let files = rootfs([text("/etc/passwd", passwd)]);
    look(rule, &files, Some(&config(user, &["/app"], &[])))
        .pop()
        .map(|finding| finding.message)
}

#[test]
fn every_number_out_of_range_names_the_advisories() {
    let passwd = "root:x:0:0::/:\n99999999999999999998:x:5:5::/:\n";
    for (name, cve) in [
        ("2147483648", true),
        ("4294967296", true),
        ("-1", true),
        ("99999999999999999999", true),
        ("+99999999999999999999", true),
        ("1000:2147483648", true),
        ("1000:99999999999999999999", true),
        ("ghost", false),
        ("0x0", false),
        ("1_0", false),
        ("1000:ghost", false),
        ("1000:1000:1", false),
    ] {
        let message = user("unknown-user", passwd, name).unwrap();
        for id in ["CVE-2024-40635", "CVE-2026-46680"] {
            assert_eq!(message.contains(id), cve, "{name}: {message}");
        }
    }
    // Beyond 64 bits it is a name like any other.
    let named = user("non-numeric-user", passwd, "99999999999999999998").unwrap();
    assert!(named.ends_with("in numbers it is 5:5"), "{named}");
    assert_eq!(user("unknown-user", passwd, "99999999999999999998"), None);
}

#[test]
fn lines_that_glibc_reads_are_accounts_however_short() {
    let bash = || program("/bin/sh", ["shell.bash"]);
    let subjects =
        |rule: &str, line: &str| -> usize { in_files(rule, [text("/etc/passwd", line), bash()]).len() };
    for (line, login, empty) in [
        ("a:x:1:1::/:/bin/sh", 1, 0),
        ("a::1:1", 1, 1),
        ("a:*:1:1:g", 1, 0),
        ("a:: 1:1::/:", 1, 1),
        ("a::1", 0, 0),
        ("a::x:1::/:", 0, 0),
    ] {
        assert_eq!(subjects("login-account", line), login, "{line}");
        assert_eq!(subjects("empty-password", line), empty, "{line}");
    }
}

#[test]
fn what_lets_people_in_is_known_by_content_and_by_name() {
    let passwd = || text("/etc/passwd", "root::0:0::/:\n");
    let found = |more: Vec<Entry>| {
        let mut entries = vec![passwd()];
        entries.extend(more);
        in_files("empty-password", entries)[0].severity
    };
    assert_eq!(found(vec![]), Severity::Medium);
    for door in [
        program("/opt/x", ["net.sshd"]),
        program("/opt/x", ["net.dropbear"]),
        program("/opt/x", ["priv.su"]),
        program("/opt/x", ["priv.login"]),
        program("/bin/su", []),
        program("/bin/login", []),
        program("/usr/sbin/sshd", []),
        busybox("/bin/busybox", &["cat", "su"]),
        busybox("/bin/busybox", &["login"]),
        busybox("/bin/busybox", &["telnetd"]),
        busybox("/bin/busybox", &["dropbear"]),
    ] {
        assert_eq!(found(vec![door.clone()]), Severity::Critical, "{door:?}");
        assert_eq!(found(vec![mode(door, 0o644)]), Severity::Medium);
    }
    assert_eq!(found(vec![busybox("/bin/busybox", &["cat"])]), Severity::Medium);
    assert_eq!(found(vec![program("/opt/su-helper", [])]), Severity::Medium);
}

// Set-id bits.

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
fn who_owns_a_set_uid_program_and_what_it_is_weigh_together() {
    let one = |entry: Entry| {
        let mut found = in_files("setuid-file", [entry]);
        assert_eq!(found.len(), 1);
        found.remove(0)
    };
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
fn directories_gain_nothing_from_set_id_bits() {
    let full = |path: &str, bits: u16| Entry {
        size: 4096,
        ..dir(path, bits)
    };
    for rule in ["setuid-file", "setgid-file"] {
        assert!(in_files(rule, [full("/a", 0o4755), full("/b", 0o2775), full("/c", 0o6777)]).is_empty());
    }
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

// File capabilities.

fn capable(path: &str, magic: [u8; 4], permitted: u32, inheritable: u32) -> Entry {
    let words = [permitted, inheritable, 0, 0].map(u32::to_le_bytes);
    Entry {
        capability: Some([&magic[..], words.as_flattened()].concat()),
        ..program(path, [])
    }
}

#[test]
fn file_capabilities_say_when_they_count_and_what_refuses_them() {
    let one = |entry: Entry| {
        let mut found = in_files("file-capability", [entry]);
        assert_eq!(found.len(), 1);
        let finding = found.remove(0);
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
        look("missing-program", &files, Some(&config("1", &["/x"], &[])))
            .pop()
            .map(|finding| finding.message)
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

// World-writable paths.

#[test]
fn a_tree_weighs_as_much_as_the_programs_in_it_and_second_names_count() {
    let open = |entries: Vec<Entry>| {
        let found = in_files("world-writable-path", entries);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].severity
    };
    let all = |entry: Entry| vec![dir("/app", 0o777), entry];
    assert_eq!(open(all(file("/app/x", 0o666))), Severity::Medium);
    assert_eq!(open(all(mode(program("/app/x", []), 0o777))), Severity::High);
    assert_eq!(open(all(program("/app/x", []))), Severity::Medium);
    let closed = || vec![dir("/closed", 0o700), mode(file("/closed/x", 0o666), 0o666)];
    assert_eq!(open(closed()), Severity::Low);
    let link = |path: &str| mode(hardlink(path, "/closed/x"), 0o666);
    assert_eq!(open([closed(), vec![link("/open")]].concat()), Severity::Medium);
    assert_eq!(open([closed(), vec![link("/closed/y")]].concat()), Severity::Low);
}

// Devices.

fn device(path: &str, major: u32, minor: u32) -> Entry {
    entry(path, Kind::CharDevice { major, minor }, 0o600)
}

fn disk(path: &str, bits: u16) -> Entry {
    entry(path, Kind::BlockDevice { major: 8, minor: 0 }, bits)
}

#[test]
fn every_known_device_weighs_by_what_it_opens_and_where_it_lies() {
    use Severity::{Critical, High, Info, Medium};
    let severity = |entry: Entry| {
        in_files("device-file", [entry])
            .pop()
            .map(|finding| finding.severity)
    };
    let mut rows = vec![
        ((1, 1), High),
        ((1, 2), High),
        ((1, 4), High),
        ((10, 200), High),
        ((10, 229), High),
        ((21, 0), High),
        ((162, 0), High),
        ((1, 3), Info),
        ((1, 5), Info),
        ((1, 7), Info),
        ((1, 8), Info),
        ((1, 9), Info),
        ((5, 0), Info),
        ((5, 1), Info),
        ((5, 2), Info),
        ((1, 6), Medium),
        ((1, 11), Medium),
        ((5, 3), Medium),
        ((10, 201), Medium),
        ((99, 1), Medium),
        ((135, 0), Medium),
        ((144, 0), Medium),
    ];
    rows.extend((136..=143).map(|major| ((major, 17), Info)));
    for ((major, minor), covered) in rows {
        let outside = if covered == High { Critical } else { Medium };
        assert_eq!(
            severity(device("/dev/x", major, minor)),
            Some(covered),
            "{major}:{minor}"
        );
        assert_eq!(
            severity(device("/opt/x", major, minor)),
            Some(outside),
            "{major}:{minor}"
        );
    }
    assert_eq!(severity(disk("/dev/sda", 0o600)), Some(High));
    assert_eq!(severity(disk("/sda", 0o600)), Some(Critical));
    // A second name outside is enough.
    let found = in_files(
        "device-file",
        [disk("/dev/sda", 0o600), hardlink("/opt/sda", "/dev/sda")],
    );
    assert_eq!((found.len(), found[0].severity), (1, Critical));
    assert_eq!(found[0].path, Some("/opt/sda".into()));
    // What is no device.
    assert_eq!(severity(device("/dev/gone", 0, 0)), None);
    assert_eq!(severity(entry("/dev/pipe", Kind::Fifo, 0o666)), None);
    assert_eq!(severity(file("/dev/sda", 0o666)), None);
}

#[test]
fn a_device_that_the_user_may_read_weighs_more() {
    let severity = |bits: u16, user: &str| {
        let files = rootfs([disk("/dev/sda", bits)]);
        let found = look("device-file", &files, Some(&config(user, &["/x"], &[]))).remove(0);
        (found.severity, found.message.contains("may read it"))
    };
    assert_eq!(severity(0o660, "1000:1000"), (Severity::High, false));
    assert_eq!(severity(0o664, "1000:1000"), (Severity::Critical, true));
    assert_eq!(severity(0o660, "0"), (Severity::Critical, true));
    assert_eq!(severity(0o660, ""), (Severity::Critical, true));
}

// Residue.

#[test]
fn rights_and_devices_that_a_later_layer_takes_away_are_named() {
    let gone = |entry: Entry| {
        let path = entry.path.to_string();
        let found = residue([layer([entry]), layer([whiteout(&path)])]);
        assert_eq!(found.len(), 1, "{path}");
        found[0].message.clone()
    };
    let still = " is still shipped in layer 0, though layer 1 removes it";
    for (entry, what) in [
        (mode(program("/x", []), 0o4755), ", a set-uid program of uid 0,"),
        (
            owned(mode(program("/x", []), 0o2755), 0, 42),
            ", a set-gid program of gid 42,",
        ),
        (
            mode(program("/x", []), 0o6755),
            ", a set-uid program of uid 0, a set-gid program of gid 0,",
        ),
        (
            mode(program("/x", ["shell.bash"]), 0o4755),
            ", the shell bash, a set-uid program of uid 0,",
        ),
        (
            capable("/x", [1, 0, 0, 2], 3 << 12, 0),
            ", a program with the file capabilities net_admin, net_raw,",
        ),
        (disk("/x", 0o600), ", a block device (8:0, a disk),"),
        (
            device("/x", 1, 1),
            ", a character device (1:1, the memory of the machine),",
        ),
        (
            device("/null", 1, 3),
            ", a character device (1:3, the null device),",
        ),
        // What gives nothing is only a removed file.
        (mode(program("/x", []), 0o4644), ""),
        (mode(program("/x", []), 0o2745), ""),
        (mode(script("/x", "/bin/sh", []), 0o6755), ""),
        (mode(capable("/x", [1, 0, 0, 2], 1, 0), 0o644), ""),
        (capable("/x", [0, 0, 0, 2], 0, 1), ""),
    ] {
        let path = entry.path.to_string();
        assert_eq!(gone(entry), format!("{path}{what}{still}"));
    }
    for nothing in [
        device("/dev/null", 1, 3),
        device("/x", 0, 0),
        entry("/x", Kind::Fifo, 0o666),
    ] {
        let path = nothing.path.to_string();
        assert!(residue([layer([nothing]), layer([whiteout(&path)])]).is_empty());
    }
}

#[test]
fn rights_that_are_still_there_are_judged_there() {
    let su = || mode(program("/x", []), 0o4755);
    let told = |now: Entry| residue([layer([su()]), layer([now])]).len();
    assert_eq!(told(su()), 0);
    assert_eq!(told(program("/x", [])), 1);
    assert_eq!(told(owned(su(), 7, 0)), 1);
    assert_eq!(told(mode(program("/x", []), 0o4644)), 1);
    let net_raw = |value: u32| capable("/x", [1, 0, 0, 2], value, 0);
    let told = |now: Entry| residue([layer([net_raw(1 << 13)]), layer([now])]).len();
    assert_eq!(told(net_raw(1 << 13)), 0);
    assert_eq!(told(net_raw(1 << 10)), 1);
    assert_eq!(told(program("/x", [])), 1);
    assert_eq!(
        residue([layer([disk("/x", 0o600)]), layer([disk("/x", 0o660)])]).len(),
        0
    );
    assert_eq!(
        residue([layer([disk("/x", 0o600)]), layer([device("/x", 1, 1)])]).len(),
        1
    );
}

/// What is no program carries no rights.
#[test]
fn an_archive_with_a_set_uid_bit_is_only_a_removed_file() {
    let mut jar = mode(program("/x", []), 0o4755);
    jar.program = Some(Box::new(Program {
        form: Form::Data,
        identities: Vec::new(),
        opaque: None,
        inside: Vec::new(),
    }));
    let found = residue([layer([jar]), layer([whiteout("/x")])]);
    assert!(!found[0].message.contains("set-uid"), "{}", found[0].message);
}
