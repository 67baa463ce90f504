//! Tests of the rules about the user that a container runs as.

use super::*;

fn accounts(passwd: &str, group: &str) -> Rootfs {
    rootfs([text("/etc/passwd", passwd), text("/etc/group", group)])
}

pub(super) const PASSWD: &str =
    "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/:\nzero:x:abc:5::/:\nsvc:x:1001:0::/:\n";

#[test]
fn user_rules_speak_of_what_runtimes_do() {
    let files = accounts(PASSWD, "root:x:0:\napp:x:1000:\n");
    let rules = ["root-user", "root-group", "unknown-user", "non-numeric-user"];
    for (user, want) in [
        ("", &["root-user"][..]),
        ("00", &["root-user"]),
        (":1000", &["root-user"]),
        ("zero", &["root-user"]),
        ("root:app", &["root-user"]),
        ("1000:1000", &[]),
        ("1000", &[]),
        ("4242:4242", &[]),
        ("4242", &["root-group"]),
        ("1000:", &["root-group"]),
        ("app", &["non-numeric-user"]),
        ("svc", &["root-group", "non-numeric-user"]),
        ("ghost", &["unknown-user"]),
        ("1000:ghost", &["unknown-user"]),
        ("4294967296", &["unknown-user"]),
    ] {
        let config = config(user, &["/app"], &[]);
        let fired: Vec<&str> = rules
            .into_iter()
            .filter(|rule| !look(rule, &files, Some(&config)).is_empty())
            .collect();
        assert_eq!(fired, want, "{user}");
    }
    for rule in rules {
        assert!(
            look(rule, &files, None).is_empty(),
            "{rule} without a configuration"
        );
    }
}

#[test]
fn user_messages_name_the_cause_and_the_cure() {
    let files = accounts(PASSWD, "root:x:0:\napp:x:1000:\n");
    let one = |rule: &str, user: &str| {
        let finding = only(look(rule, &files, Some(&config(user, &["/app"], &[]))));
        assert_eq!(finding.subject.as_deref(), Some("User"));
        (finding.message, finding.fix)
    };
    let (message, fix) = one("root-user", "zero");
    assert_eq!(
        message,
        "The container runs as root with every runtime: line 3 of /etc/passwd gives `zero` `abc` for a uid, which \
         runtimes read as 0"
    );
    assert!(fix.contains("USER 65532:65532"), "{fix}");
    assert!(
        one("root-user", "")
            .0
            .ends_with("User is unset, which means root")
    );
    let (message, fix) = one("root-group", "4242");
    assert!(
        message.starts_with("The container runs with group 0 with every runtime: User `4242`"),
        "{message}"
    );
    assert!(fix.contains("USER 4242:4242"), "{fix}");
    let (message, _) = one("root-group", "1000:");
    assert!(
        message.contains(" with containerd and containerd under Kubernetes: "),
        "{message}"
    );
    let (message, fix) = one("non-numeric-user", "app");
    assert!(message.starts_with("User `app` is a name"), "{message}");
    assert_eq!(fix, "Write the numbers: `USER 1000:1000`");
    assert!(
        one("unknown-user", "ghost")
            .0
            .contains("/etc/passwd has no user `ghost`")
    );
    assert!(one("unknown-user", "4294967296").0.contains("CVE-2024-40635"));
    let escaped = one("unknown-user", "a\u{1b}b").0;
    assert!(escaped.contains(r"a\x1bb"), "{escaped}");
}

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
