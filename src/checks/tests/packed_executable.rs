//! Tests of `packed-executable`.

use super::*;

#[test]
fn what_cannot_be_looked_into_is_packed() {
    let mut packed = program("/opt/agent", []);
    packed.program.as_mut().unwrap().opaque = Some("packed by an unknown method".to_owned());
    let found = in_files("packed-executable", [packed.clone(), program("/opt/plain", [])]);
    assert_eq!(
        messages(&found),
        ["/opt/agent cannot be looked into and may hold any program: packed by an unknown method"]
    );
    elf(&mut packed).startable = false;
    assert!(in_files("packed-executable", [packed]).is_empty());
}
