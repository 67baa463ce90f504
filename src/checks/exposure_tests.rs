//! Tests of the rules about accounts, writable programs, devices, secrets, ports and volumes.

use super::tests::{config, in_files, look, messages, mode};
use super::*;
use crate::{
    finding::{Qualifier, Severity},
    layer::{Entry, Secret},
    rootfs::testing::{dir, file, layer, merge, owned, program, rootfs, symlink, text, whiteout},
};

fn subjects(found: &[Finding]) -> Vec<&str> {
    found
        .iter()
        .filter_map(|finding| finding.subject.as_deref())
        .collect()
}

fn paths(found: &[Finding]) -> Vec<String> {
    found
        .iter()
        .filter_map(|finding| finding.path.as_ref().map(ToString::to_string))
        .collect()
}

// Accounts.

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

// Privileges.

fn changed(user: &str, entries: impl IntoIterator<Item = Entry>) -> Vec<String> {
    let files = rootfs(entries);
    let config = config(user, &["/app/server"], &[]);
    paths(&look("writable-program", &files, Some(&config)))
}

#[test]
fn whoever_owns_or_writes_a_program_can_change_it() {
    let server = || program("/app/server", []);
    assert_eq!(changed("1000:1000", [owned(server(), 1000, 0)]), ["/app/server"]);
    assert_eq!(changed("1000:1000", [mode(server(), 0o757)]), ["/app/server"]);
    assert_eq!(
        changed("1000:1000", [mode(owned(server(), 0, 1000), 0o775)]),
        ["/app/server"]
    );
    // The first class that fits counts.
    assert!(changed("1000:1000", [mode(owned(server(), 0, 1000), 0o757)]).is_empty());
    assert!(changed("1000:1000", [server()]).is_empty());
    // Root may do anything: another rule speaks.
    assert!(changed("0:0", [mode(server(), 0o777)]).is_empty());
    assert!(changed("", [owned(server(), 1000, 1000)]).is_empty());
}

#[test]
fn a_directory_gives_its_entries_away() {
    let server = || program("/app/server", []);
    assert_eq!(
        changed("1000:1000", [dir("/app", 0o777), server()]),
        ["/app/server"]
    );
    assert_eq!(
        changed("1000:1000", [owned(dir("/app", 0o755), 1000, 0), server()]),
        ["/app/server"]
    );
    assert!(changed("1000:1000", [dir("/app", 0o1777), server()]).is_empty());
    assert_eq!(
        changed("1000:1000", [dir("/app", 0o1777), owned(server(), 1000, 0)]),
        ["/app/server"]
    );
    // Nobody but root gets to it.
    assert!(
        changed(
            "1000:1000",
            [dir("/app", 0o700), mode(server(), 0o755), dir("/app/x", 0o777)]
        )
        .is_empty()
    );
}

#[test]
fn what_a_program_loads_and_trusts_counts_less() {
    let mut server = program("/app/server", []);
    super::tests::elf(&mut server).interpreter = Some(b"/lib/ld.so".to_vec());
    super::tests::elf(&mut server).needed = vec![b"libx.so".to_vec()];
    let files = rootfs([
        server,
        mode(program("/lib/ld.so", []), 0o755),
        owned(program("/usr/lib/libx.so", []), 1000, 0),
        mode(file("/etc/passwd", 0o664), 0o666),
        file("/etc/group", 0o644),
    ]);
    let config = config("1000:1000", &["/app/server"], &[]);
    let found = look("writable-program", &files, Some(&config));
    assert_eq!(paths(&found), ["/etc/passwd", "/usr/lib/libx.so"]);
    assert!(
        found
            .iter()
            .all(|finding| finding.qualifier == Some(Qualifier::BesideEntryPoint))
    );
}

#[test]
fn directories_searched_first_and_a_preload_that_could_be_made() {
    let mut server = program("/usr/bin/server", []);
    super::tests::elf(&mut server).interpreter = Some(b"/lib/ld.so".to_vec());
    let files = rootfs([
        dir("/etc", 0o777),
        program("/lib/ld.so", []),
        server,
        dir("/opt/bin", 0o777),
        dir("/late", 0o777),
    ]);
    let mut config = config("1000:1000", &["server"], &[]);
    config.env = vec!["PATH=/opt/bin:/usr/bin:/late".to_owned()];
    let found = look("writable-program", &files, Some(&config));
    assert_eq!(paths(&found), ["/etc/ld.so.preload", "/opt/bin"]);
}

// Exposure.

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

#[test]
fn secrets_of_the_configuration_are_named_and_never_shown() {
    let mut config = config("1000:1000", &["/x", "--api-token=planted81x"], &[]);
    config.env.push("DB_PASSWORD=planted81".to_owned());
    config.env.push("URL=https://me:planted81@host".to_owned());
    config
        .labels
        .insert("build-token".to_owned(), "planted81".to_owned());
    config.history.push(crate::image::History {
        created_by: Some("RUN |1 NPM_TOKEN=planted81 /bin/sh -c npm ci # buildkit".to_owned()),
        ..crate::image::History::default()
    });
    config.history.push(crate::image::History {
        created_by: Some("ENV DB_PASSWORD=planted81".to_owned()),
        ..crate::image::History::default()
    });
    let found = look("secret-in-config", &rootfs([]), Some(&config));
    assert_eq!(
        subjects(&found),
        [
            "variable DB_PASSWORD",
            "variable URL",
            "variable build-token",
            "variable api-token",
            "variable NPM_TOKEN"
        ]
    );
    for finding in &found {
        assert!(!format!("{finding:?}").contains("planted81"), "{finding:?}");
    }
}

#[test]
fn ports_of_remote_login_weigh_by_their_servers() {
    let mut config = config("1000:1000", &["/x"], &[]);
    config.exposed_ports = ["22/tcp", "2222/tcp", "23/udp", "80/tcp", "3389"]
        .map(str::to_owned)
        .into();
    let found = look("remote-login-port", &rootfs([]), Some(&config));
    assert_eq!(subjects(&found), ["22/tcp", "3389"]);
    assert!(found.iter().all(|finding| finding.severity == Severity::Low));
    let found = look(
        "remote-login-port",
        &rootfs([program("/usr/sbin/x", ["net.sshd"])]),
        Some(&config),
    );
    assert_eq!(subjects(&found), ["22/tcp", "2222/tcp", "3389"]);
    assert_eq!(
        (found[0].severity, found[2].severity),
        (Severity::Medium, Severity::Low)
    );
    assert!(found[0].message.contains("/usr/sbin/x"));
}

#[test]
fn volumes_over_the_system_are_told() {
    let mut config = config("1000:1000", &["/x"], &[]);
    config.volumes = [
        "/",
        "/etc/",
        "/etc/app",
        "/proc/x",
        "/var/lib/app",
        "/data",
        "/var/run/docker.sock",
    ]
    .map(str::to_owned)
    .into();
    let found = look("sensitive-volume", &rootfs([]), Some(&config));
    assert_eq!(
        subjects(&found),
        ["/", "/etc/", "/proc/x", "/var/run/docker.sock"]
    );
    assert_eq!(found[3].severity, Severity::Medium);
}
