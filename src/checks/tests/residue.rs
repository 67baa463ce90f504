//! Tests of `residue`: what a later layer takes away and the image still carries.

use super::*;

fn residue<const N: usize>(layers: [LayerFacts; N]) -> Vec<Finding> {
    look("residue", &merge(layers), None)
}

#[test]
fn what_was_removed_is_still_shipped() {
    let found = residue([
        layer([
            program("/usr/bin/curl", ["net.curl"]),
            program("/usr/bin/find", ["os.findutils"]),
            sized("/root/.npmrc", 20),
            sized("/root/.npm/a", 50_000),
            sized("/root/.npm/b/c", 50_000),
            sized("/opt/large", 20 << 20),
            sized("/etc/motd", 100),
            sized("/usr/share/doc/x", 90_000),
        ]),
        layer([
            whiteout("/usr/bin/curl"),
            whiteout("/usr/bin/find"),
            whiteout("/root/.npmrc"),
            whiteout("/root/.npm"),
            whiteout("/opt/large"),
            sized("/etc/motd", 101),
            whiteout("/usr/share"),
        ]),
    ]);
    assert_eq!(
        messages(&found),
        [
            "/opt/large (21.0 MB) is still shipped in layer 0, though layer 1 removes it",
            "2 files of the cache /root/.npm (100.0 kB) are still shipped in layer 0, though layer 1 hides them",
            "/root/.npmrc, a file that usually holds credentials, is still shipped in layer 0, though layer 1 removes it",
            "/usr/bin/curl, the network tool curl, is still shipped in layer 0, though layer 1 removes it",
            "/usr/bin/find is still shipped in layer 0, though layer 1 removes it",
            "/usr/share/doc/x is still shipped in layer 0, though layer 1 removes it",
        ]
    );
    assert!(
        found
            .iter()
            .all(|finding| finding.state == State::Removed && finding.layer == Some(0))
    );
    assert_eq!(found[2].severity, Severity::High);
    assert_eq!(found[3].identity.as_ref().unwrap().name, "curl");
}

#[test]
fn much_residue_of_one_layer_is_told_together() {
    let brought: Vec<Entry> = (0..20).map(|n| sized(&format!("/srv/data/{n}"), 1_000)).collect();
    let removed: Vec<Entry> = (0..20).map(|n| whiteout(&format!("/srv/data/{n}"))).collect();
    let found = residue([layer(brought), layer(removed)]);
    assert_eq!(
        messages(&found),
        ["20 files below /srv/data (20.0 kB) are still shipped in layer 0, though layer 1 hides them"]
    );
    assert_eq!(found[0].path, Some(RootPath::from("/srv/data")));
}

#[test]
fn updates_and_crumbs_are_no_residue() {
    let found = residue([
        layer([
            program("/bin/bash", ["shell.bash"]),
            sized("/etc/passwd", 900),
            dir("/srv", 0o755),
        ]),
        layer([
            program("/bin/bash", ["shell.bash"]),
            sized("/etc/passwd", 950),
            dir("/srv", 0o700),
        ]),
    ]);
    assert_eq!(messages(&found), Vec::<&str>::new());
    let replaced = residue([
        layer([program("/bin/bash", ["shell.bash"])]),
        layer([program("/bin/bash", [])]),
    ]);
    assert_eq!(
        messages(&replaced),
        ["/bin/bash, the shell bash, is still shipped in layer 0, though layer 1 overwrites it"]
    );
    assert_eq!(replaced[0].state, State::Overwritten);
}

#[test]
fn rights_and_devices_that_a_later_layer_takes_away_are_named() {
    let gone = |entry: Entry| {
        let path = entry.path.to_string();
        let found = residue([layer([entry]), layer([whiteout(&path)])]);
        assert_eq!(found.len(), 1, "{path}");
        found[0].message.clone()
    };
    let still = " is still shipped in layer 0, though layer 1 removes it";
    for (entry, what) in [
        (mode(program("/x", []), 0o4755), ", a set-uid program of uid 0,"),
        (
            owned(mode(program("/x", []), 0o2755), 0, 42),
            ", a set-gid program of gid 42,",
        ),
        (
            mode(program("/x", []), 0o6755),
            ", a set-uid program of uid 0, a set-gid program of gid 0,",
        ),
        (
            mode(program("/x", ["shell.bash"]), 0o4755),
            ", the shell bash, a set-uid program of uid 0,",
        ),
        (
            capable("/x", [1, 0, 0, 2], 3 << 12, 0),
            ", a program with the file capabilities net_admin, net_raw,",
        ),
        (disk("/x", 0o600), ", a block device (8:0, a disk),"),
        (
            device("/x", 1, 1),
            ", a character device (1:1, the memory of the machine),",
        ),
        (
            device("/null", 1, 3),
            ", a character device (1:3, the null device),",
        ),
        // What gives nothing is only a removed file.
        (mode(program("/x", []), 0o4644), ""),
        (mode(program("/x", []), 0o2745), ""),
        (mode(script("/x", "/bin/sh", []), 0o6755), ""),
        (mode(capable("/x", [1, 0, 0, 2], 1, 0), 0o644), ""),
        (capable("/x", [0, 0, 0, 2], 0, 1), ""),
    ] {
        let path = entry.path.to_string();
        assert_eq!(gone(entry), format!("{path}{what}{still}"));
    }
    for nothing in [
        device("/dev/null", 1, 3),
        device("/x", 0, 0),
        entry("/x", Kind::Fifo, 0o666),
    ] {
        let path = nothing.path.to_string();
        assert!(residue([layer([nothing]), layer([whiteout(&path)])]).is_empty());
    }
}

#[test]
fn rights_that_are_still_there_are_judged_there() {
    let su = || mode(program("/x", []), 0o4755);
    let told = |now: Entry| residue([layer([su()]), layer([now])]).len();
    assert_eq!(told(su()), 0);
    assert_eq!(told(program("/x", [])), 1);
    assert_eq!(told(owned(su(), 7, 0)), 1);
    assert_eq!(told(mode(program("/x", []), 0o4644)), 1);
    let net_raw = |value: u32| capable("/x", [1, 0, 0, 2], value, 0);
    let told = |now: Entry| residue([layer([net_raw(1 << 13)]), layer([now])]).len();
    assert_eq!(told(net_raw(1 << 13)), 0);
    assert_eq!(told(net_raw(1 << 10)), 1);
    assert_eq!(told(program("/x", [])), 1);
    assert_eq!(
        residue([layer([disk("/x", 0o600)]), layer([disk("/x", 0o660)])]).len(),
        0
    );
    assert_eq!(
        residue([layer([disk("/x", 0o600)]), layer([device("/x", 1, 1)])]).len(),
        1
    );
}

/// What is no program carries no rights.
#[test]
fn an_archive_with_a_set_uid_bit_is_only_a_removed_file() {
    let mut jar = mode(program("/x", []), 0o4755);
    jar.program = Some(Box::new(Program {
        form: Form::Data,
        identities: Vec::new(),
        opaque: None,
        inside: Vec::new(),
    }));
    let found = residue([layer([jar]), layer([whiteout("/x")])]);
    assert!(!found[0].message.contains("set-uid"), "{}", found[0].message);
}
