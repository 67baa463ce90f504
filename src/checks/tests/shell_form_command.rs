//! Tests of `shell-form-command`.

use super::*;

#[test]
fn shell_form_is_known_by_the_command_line() {
    let files = Rootfs::default();
    let subjects = |entrypoint: &[&str], cmd: &[&str]| -> Vec<String> {
        look("shell-form-command", &files, Some(&config("1", entrypoint, cmd)))
            .into_iter()
            .map(|finding| finding.subject.unwrap())
            .collect()
    };
    assert_eq!(subjects(&[], &["/bin/sh", "-c", "./app"]), ["Cmd"]);
    assert_eq!(
        subjects(&["/bin/bash", "-o", "pipefail", "-c", "x"], &[]),
        ["Entrypoint"]
    );
    assert_eq!(
        subjects(&[], &["/bin/bash", "--norc", "-euo", "pipefail", "-c", "x"]),
        ["Cmd"]
    );
    assert_eq!(subjects(&["/bin/bash", "-ec", "x"], &["y"]), ["Entrypoint"]);
    assert_eq!(
        subjects(&["/busybox/busybox", "sh", "-c", "x"], &[]),
        ["Entrypoint"]
    );
    assert_eq!(subjects(&["/node"], &["/bin/sh", "-c", "x"]), ["Cmd"]);
    for (entrypoint, cmd) in [
        (&["/app"][..], &["-c", "conf"][..]),
        (&[], &["/bin/sh"]),
        (&["/bin/sh", "/entry.sh"], &["-c"]),
        (&["/bin/sh", "--norc"], &[]),
        (&[], &[]),
    ] {
        assert!(subjects(entrypoint, cmd).is_empty(), "{entrypoint:?} {cmd:?}");
    }
    assert!(look("shell-form-command", &files, None).is_empty());
}
