//! Tests of `sensitive-volume`.

use super::*;

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
