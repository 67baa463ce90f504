//! Tests of `shell-healthcheck`.

use super::*;

#[test]
fn health_checks_through_a_shell_or_into_the_void_are_told() {
    let said = |files: &Rootfs, test: &[&str]| {
        let mut config = config("", &["/app"], &[]);
        config.healthcheck = test.iter().map(|&word| word.to_owned()).collect();
        let found = look("shell-healthcheck", files, Some(&config));
        found.first().map(|finding| finding.message.clone())
    };
    let bare = rootfs([program("/app", [])]);
    let full = rootfs([program("/app", []), program("/bin/sh", ["shell.bash"])]);
    for fine in [&[][..], &["NONE"], &["CMD"], &["CMD", "/app", "--check"]] {
        assert_eq!(said(&bare, fine), None, "{fine:?}");
    }
    assert_eq!(
        said(&bare, &["CMD-SHELL", "curl localhost"]).unwrap(),
        "The health check runs through the shell /bin/sh: it always fails, since /bin/sh is not in the image: /bin is not there"
    );
    assert_eq!(
        said(&full, &["CMD-SHELL", "curl localhost"]).unwrap(),
        "The health check runs through the shell /bin/sh"
    );
    assert_eq!(
        said(&full, &["CMD", "sh", "-c", "x"]).unwrap(),
        "The health check runs through the shell sh"
    );
    assert_eq!(
        said(&bare, &["CMD", "/curl"]).unwrap(),
        "The health check starts /curl, which cannot start: it always fails, since /curl is not in the image"
    );
}
