//! Tests of `no-command`.

use super::*;

#[test]
fn an_image_may_name_nothing_to_start() {
    let files = rootfs([]);
    for (entrypoint, cmd, want) in [
        (&[][..], &[][..], 1),
        (&[""][..], &[][..], 1),
        (&[][..], &["/x"][..], 0),
        (&["/x"][..], &[][..], 0),
    ] {
        let config = config("", entrypoint, cmd);
        assert_eq!(
            look("no-command", &files, Some(&config)).len(),
            want,
            "{entrypoint:?}"
        );
    }
    assert!(look("no-command", &files, None).is_empty());
}
