//! Tests of `remote-login-port`.

use super::*;

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
