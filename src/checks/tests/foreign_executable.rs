//! Tests of `foreign-executable`.

use super::*;

#[test]
fn programs_for_other_processors_are_foreign_with_their_family() {
    let mut i386 = program("/i386", []);
    elf(&mut i386).machine = 3;
    let found = in_files(
        "foreign-executable",
        [
            program("/native", []),
            i386,
            foreign(program("/arm", [])),
            foreign(program("/bash", ["shell.bash"])),
            mode(foreign(program("/plain", [])), 0o644),
            foreign(library("/lib.so", [])),
        ],
    );
    assert_eq!(
        messages(&found),
        [
            "/arm is built for arm64: on linux/amd64 it runs only through an emulator of the host",
            "/bash (bash) is built for arm64: on linux/amd64 it runs only through an emulator of the host",
            "/plain is built for arm64: on linux/amd64 it runs only through an emulator of the host",
        ]
    );
    assert_eq!(found[0].severity, Severity::Low);
    assert_eq!(found[2].severity, Severity::Info);
    assert_eq!(found[1].identity.as_ref().unwrap().family, "shell.bash");
}
