//! Tests of the rules about accounts: roots besides root, logins, empty passwords.

use super::*;

#[test]
fn extra_roots_say_why_they_are_root() {
    let passwd = "root:x:0:0::/:\ntoor:x:0:0::/:\nbad:x:abc:1::/:\nempty:x::1::/:\nhuge:x:4294967296:1::/:\n\
                  root:x:0:0::/:\n1337:x:0:1::/:\nok:x:5:0::/:\n";
    let found = in_files("extra-root-account", [text("/etc/passwd", passwd)]);
    assert_eq!(subjects(&found), ["toor", "bad", "empty", "huge", "root", "1337"]);
    let told = messages(&found);
    assert!(
        told[0].contains("line 2 of /etc/passwd") && told[0].contains("its uid is 0"),
        "{told:?}"
    );
    assert!(told[1].contains("`abc`, which runtimes read as 0"), "{told:?}");
    assert!(told[1].contains("the C library"), "{told:?}");
    assert!(
        told[2].contains("no uid") && told[3].contains("low 32 bits"),
        "{told:?}"
    );
    assert!(told[4].contains("not the first line of that name"), "{told:?}");
    assert!(
        told[5].contains("CVE-2026-46680") && !told[0].contains("CVE"),
        "{told:?}"
    );
    assert!(in_files("extra-root-account", [text("/etc/passwd", "root:x:0:0::/:\n")]).is_empty());
}

#[test]
fn one_account_is_one_finding() {
    let passwd = "root:x:0:0::/:\nx:x:0:0::/:\nx:x:abc:0::/:\n";
    let found = in_files("extra-root-account", [text("/etc/passwd", passwd)]);
    assert_eq!(subjects(&found), ["x"]);
    assert!(found[0].message.contains("line 2") && found[0].message.contains("line 3"));
}

#[test]
fn login_accounts_have_a_shell_by_content() {
    let found = in_files(
        "login-account",
        [
            text(
                "/etc/passwd",
                "root:x:0:0::/:/bin/menu\na:!:1:1::/:\nb:x:2:2::/:/bin/bash\nc:x:3:3::/:/sbin/nologin\n\
                 d:x:4:4::/:/bin/absent\ne:x:5:5::/:/bin/off\n",
            ),
            text("/etc/shadow", "root:$6$x$y:1::\n"),
            program("/bin/menu", ["shell.bash"]),
            symlink("/bin/sh", "menu"),
            file("/bin/bash", 0o755),
            program("/sbin/nologin", []),
            mode(program("/bin/off", ["shell.bash"]), 0o644),
        ],
    );
    assert_eq!(subjects(&found), ["root", "a"]);
    assert!(found[0].message.contains("/bin/menu (bash)") && !found[0].message.contains("locked"));
    assert!(
        found[1]
            .message
            .contains("which means /bin/sh, which leads to /bin/menu")
    );
    assert!(found[1].message.contains("locked"));
    assert_eq!(found[0].identity.as_ref().unwrap().family, "shell.bash");
}

#[test]
fn empty_passwords_weigh_by_the_doors_there_are() {
    let passwd = text("/etc/passwd", "root::0:0::/:\na:x:1:1::/:\nb:x:2:2::/:\n");
    let shadow = text("/etc/shadow", "a::1::\nb:!:1::\n");
    let found = in_files("empty-password", [passwd.clone(), shadow.clone()]);
    assert_eq!(subjects(&found), ["root", "a"]);
    assert!(found.iter().all(|finding| finding.severity == Severity::Medium));
    assert!(found[0].message.contains("/etc/passwd") && found[1].message.contains("/etc/shadow"));
    let found = in_files("empty-password", [passwd, shadow, program("/bin/su", [])]);
    assert_eq!(
        (found[0].severity, found[1].severity),
        (Severity::Critical, Severity::High)
    );
    assert!(found[0].message.contains("/bin/su lets people in"));
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
