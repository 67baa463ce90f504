//! Which layer a finding is put down to, and what runtimes that differ make of owners.

use super::*;

#[test]
fn content_and_mode_are_put_down_to_the_layers_that_brought_them() {
    let packed = || {
        let mut entry = program("/bin/x", []);
        entry.program.as_mut().unwrap().opaque = Some("packed".to_owned());
        entry
    };
    for (rule, entry) in [
        ("shell", program("/bin/x", ["shell.bash"])),
        ("packed-executable", packed()),
    ] {
        let files = merge([
            layer([dir("/bin", 0o755)]),
            layer([entry.clone()]),
            layer([mode(entry, 0o4755)]),
        ]);
        let of = |rule: &str| {
            let found = look(rule, &files, None);
            assert_eq!(found.len(), 1, "{rule}");
            found[0].layer
        };
        assert_eq!(of(rule), Some(1), "{rule}");
        assert_eq!(of("setuid-file"), Some(2));
    }
}

/// The program belongs to one of two users, as the runtime likes: it starts surely for neither.
#[test]
fn a_program_that_only_some_runtimes_let_start_is_missing() {
    let missing = |owners: [(u64, u64); 2], bits: u16, user: &str| {
        let [file, link] = owners;
        let files = rootfs([
            owned(mode(program("/app", []), bits), file.0, file.1),
            owned(
                Entry {
                    mode: bits,
                    ..hardlink("/link", "/app")
                },
                link.0,
                link.1,
            ),
        ]);
        let found = look("missing-program", &files, Some(&config(user, &["/app"], &[])));
        found.into_iter().next().map(|finding| finding.message)
    };
    for (owners, bits, user, starts) in [
        ([(1000, 1000), (1000, 1000)], 0o700, "1000:1000", true),
        ([(1000, 1000), (1001, 1001)], 0o700, "1000:1000", false),
        ([(1001, 1001), (1000, 1000)], 0o700, "1000:1000", false),
        ([(1000, 1000), (0, 0)], 0o700, "1000:1000", false),
        ([(1000, 1000), (1001, 1001)], 0o755, "1000:1000", true),
        ([(1000, 7), (1001, 7)], 0o750, "5:7", true),
        ([(1000, 7), (1000, 8)], 0o750, "5:7", false),
        ([(1000, 1000), (1001, 1001)], 0o700, "0:0", true),
    ] {
        let message = missing(owners, bits, user);
        assert_eq!(
            message.is_none(),
            starts,
            "{owners:?} {bits:o} {user}: {message:?}"
        );
        if let Some(message) = message {
            assert!(message.contains("with every runtime"), "{message}");
        }
    }
    assert!(
        missing([(1001, 1001), (1002, 1002)], 0o700, "1000:1000")
            .unwrap()
            .contains("(mode 0700)")
    );
}

/// What a user may start counts for them if any runtime lets them.
#[test]
fn the_first_program_of_path_that_some_runtime_starts_is_examined() {
    let files = rootfs([
        owned(mode(program("/usr/bin/app", []), 0o700), 1000, 1000),
        owned(
            Entry {
                mode: 0o700,
                ..hardlink("/link", "/usr/bin/app")
            },
            1001,
            1001,
        ),
        program("/bin/app", []),
    ]);
    let found = look(
        "missing-program",
        &files,
        Some(&config("1000:1000", &["app"], &[])),
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].message.contains("/usr/bin/app"), "{found:?}");
}
