//! Tests of `secret-file`.

use super::*;
use crate::layer::Secret;

fn secret(path: &str, kinds: &[(&str, u32)]) -> Entry {
    Entry {
        size: 100,
        secrets: kinds
            .iter()
            .map(|(kind, line)| Secret {
                kind: (*kind).to_owned(),
                line: *line,
            })
            .collect(),
        ..file(path, 0o600)
    }
}

#[test]
fn secret_files_name_kind_and_line() {
    let found = in_files(
        "secret-file",
        [
            secret(
                "/app/key.pem",
                &[("private-key", 3), ("private-key", 40), ("github-token", 7)],
            ),
            secret("/app/locked.pem", &[("encrypted-private-key", 1)]),
            secret("/usr/lib/python3/test/key.pem", &[("private-key", 1)]),
            secret("/app/odd", &[("no-such-kind", 1)]),
        ],
    );
    assert_eq!(
        messages(&found),
        [
            "/app/key.pem holds a private key (line 3 and 1 more) and a token of GitHub (line 7)",
            "/app/locked.pem holds a private key behind a passphrase (line 1)",
        ]
    );
    assert_eq!(
        (found[0].qualifier, found[1].qualifier),
        (None, Some(Qualifier::Likely))
    );
    let files = rootfs([mode(secret("/key", &[("private-key", 1)]), 0o644)]);
    let config = config("1000:1000", &["/x"], &[]);
    assert!(
        look("secret-file", &files, Some(&config))[0]
            .message
            .contains("uid 1000")
    );
}

#[test]
fn a_readable_shadow_file_is_told_without_a_hash_in_it() {
    let config = config("1000:1000", &["/x"], &[]);
    let look_at = |mode| {
        let mut shadow = text("/etc/shadow", "root:*:1::\n");
        shadow.mode = mode;
        look("secret-file", &rootfs([shadow]), Some(&config)).len()
    };
    assert_eq!((look_at(0o644), look_at(0o640)), (1, 0));
}

#[test]
fn a_removed_secret_is_residue() {
    let files = merge([
        layer([secret("/app/settings", &[("private-key", 1)])]),
        layer([whiteout("/app/settings")]),
    ]);
    assert!(look("secret-file", &files, None).is_empty());
    let found = look("residue", &files, None);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].message.contains("which holds a private key (line 1)"),
        "{found:?}"
    );
    assert_eq!((found[0].severity, found[0].layer), (Severity::High, Some(0)));
}
