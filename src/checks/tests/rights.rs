//! Tests of the rules about users and privileges, one row for each fact.

use super::*;

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
    let subjects = |rule: &str, line: &str| -> usize { in_files(rule, [text("/etc/passwd", line), bash()]).len() };
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
