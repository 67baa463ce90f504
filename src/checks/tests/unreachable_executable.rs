//! Tests of `unreachable-executable`.

use super::*;

#[test]
fn what_nothing_leads_to_is_one_finding() {
    let size = |mut entry: Entry, size: u64| {
        entry.size = size;
        entry
    };
    let mut libc = dynamic(program("/lib/libc.so.6", []), LOADER);
    elf(&mut libc).soname = Some("libc.so.6".into());
    let files = rootfs([
        dynamic(program("/app", []), LOADER),
        program(LOADER, []),
        libc,
        size(program("/bin/small", []), 10),
        size(program("/bin/large", ["shell.bash"]), 90),
        mode(program("/bin/plain", []), 0o644),
        script("/bin/dead", "/bin/sh", []),
    ]);
    let config = config("", &["/app"], &[]);
    let found = look("unreachable-executable", &files, Some(&config));
    assert_eq!(
        messages(&found),
        [
            "2 of 4 programs (100 bytes) are not reached from the entry point by its libraries, modules and arguments; the \
          largest: /bin/large (90 bytes), /bin/small (10 bytes)"
        ]
    );
    assert_eq!(found[0].bytes, 100);
    let single = rootfs([program("/app", [])]);
    assert!(look("unreachable-executable", &single, Some(&config)).is_empty());
    // Nothing is called unneeded where the start is not known.
    assert!(look("unreachable-executable", &files, None).is_empty());
    let absent = super::config("", &["/absent"], &[]);
    assert!(look("unreachable-executable", &files, Some(&absent)).is_empty());
}
