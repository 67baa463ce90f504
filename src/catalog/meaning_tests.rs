//! Tests of what programs let an intruder do, and of the ids of ATT&CK that reports give for it.

use super::*;

/// What both fetches and sends.
const BOTH_WAYS: &[&str] = &[
    "net.curl",
    "net.wget",
    "net.scp",
    "net.rsync",
    "net.git",
    "net.rclone",
];

#[test]
fn capabilities_have_their_techniques_and_their_usual_carriers() {
    let rows: &[(&str, &[&str], &[&str])] = &[
        (
            "exec.shell",
            &["T1059.004", "T1609"],
            &[
                "shell.bash",
                "multi.u-root",
                "edit.vim",
                "edit.less",
                "debug.gdb",
                "interp.sqlite3",
                "net.psql",
                "mux.screen",
                "mux.tmux",
                "priv.su",
            ],
        ),
        (
            "exec.command",
            &["T1059", "T1218"],
            &[
                "os.findutils",
                "os.coreutils",
                "os.tar",
                "net.git",
                "net.rsync",
                "net.ssh",
                "net.tcpdump",
                "net.ip",
                "debug.strace",
                "build.make",
                "interp.sed",
            ],
        ),
        (
            "exec.script",
            &["T1059"],
            &[
                "interp.python",
                "interp.node",
                "interp.lua",
                "interp.gawk",
                "interp.mawk",
                "interp.sed",
                "os.bc",
                "net.nmap",
                "debug.gdb",
                "net.redis-cli",
            ],
        ),
        (
            "exec.loader",
            &["T1574.006", "T1129"],
            &["loader.ld-so", "net.openssl-cli", "interp.sqlite3"],
        ),
        ("net.fetch", &["T1105"], BOTH_WAYS),
        ("net.push", &["T1048", "T1567"], BOTH_WAYS),
        (
            "net.stream",
            &["T1095", "T1059.004"],
            &[
                "net.nc-openbsd",
                "net.nc-traditional",
                "net.ncat",
                "net.socat",
                "shell.bash",
                "shell.zsh",
                "interp.gawk",
                "net.openssl-cli",
                "net.telnet",
            ],
        ),
        (
            "priv.switch",
            &["T1548.001", "T1548.003"],
            &["priv.su", "priv.sudo", "priv.doas", "priv.gosu"],
        ),
        (
            "priv.ns",
            &["T1611"],
            &[
                "priv.nsenter",
                "priv.unshare",
                "priv.chroot",
                "priv.bwrap",
                "ct.containerd-shim",
            ],
        ),
        (
            "pkg.install",
            &["T1072", "T1105", "T1546.016"],
            &[
                "pm.apt",
                "pm.apk",
                "pm.dpkg",
                "pm.rpm",
                "pm.pip",
                "pm.npm",
                "pm.uv",
                "pm.luarocks",
            ],
        ),
        (
            "net.tunnel",
            &["T1572", "T1090"],
            &["net.docker-proxy", "net.ssh", "net.socat"],
        ),
    ];
    let catalog = Catalog::builtin();
    for (id, attack, carriers) in rows {
        assert_eq!(catalog.capability(id).unwrap().attack, *attack, "{id}");
        for carrier in *carriers {
            let meaning = catalog.meaning(carrier, &[]).unwrap();
            assert!(meaning.capabilities.contains(id), "{carrier} without {id}");
        }
    }
    let applets: &[(&str, &str)] = &[
        ("sh", "exec.shell"),
        ("ash", "exec.shell"),
        ("find", "exec.command"),
        ("xargs", "exec.command"),
        ("env", "exec.command"),
        ("timeout", "exec.command"),
        ("awk", "exec.script"),
        ("wget", "net.fetch"),
        ("nc", "net.stream"),
        ("telnet", "net.stream"),
        ("su", "priv.switch"),
        ("nsenter", "priv.ns"),
        ("unshare", "priv.ns"),
        ("chroot", "priv.ns"),
        ("chmod", "fs.perm"),
        ("tar", "fs.archive"),
    ];
    for (applet, id) in applets {
        let meaning = catalog.applet(applet);
        assert!(meaning.capabilities.contains(id), "{applet} without {id}");
    }
}

#[test]
fn whoever_falls_under_a_rule_can_do_what_that_rule_is_about() {
    let about: &[(&str, &[&str])] = &[
        ("shell", &["exec.shell"]),
        ("package-manager", &["pkg.install"]),
        ("interpreter", &["exec.script", "exec.shell"]),
    ];
    for tool in Catalog::builtin().tools() {
        // What a multi-call program can do comes from its applets.
        let rule = tool.rule.as_deref().filter(|_| tool.table.is_none());
        for (_, ids) in about.iter().filter(|(known, _)| Some(*known) == rule) {
            let can = |id: &&str| tool.capabilities.iter().any(|have| have == id);
            assert!(ids.iter().any(can), "{}: {:?}", tool.id, tool.capabilities);
        }
    }
}

#[test]
fn what_is_worse_together_is_told_so() {
    let catalog = Catalog::builtin();
    let of = |id: &str| {
        let mut all = catalog.combinations().iter();
        let one = all.find(|one| one.id == id).unwrap();
        let parts: Vec<Vec<&str>> = one
            .all
            .iter()
            .map(|part| part.iter().map(String::as_str).collect())
            .collect();
        parts
    };
    assert_eq!(
        of("reverse-shell"),
        [vec!["exec.shell", "exec.script"], vec!["net.stream"]]
    );
    let [fetch, run] = of("drop-and-run").try_into().unwrap();
    assert_eq!(fetch, ["net.fetch"]);
    assert!(run.contains(&"fs.perm") && run.contains(&"exec.loader"));
    let [install, writable] = of("install-and-run").try_into().unwrap();
    assert_eq!(install, ["pkg.install"]);
    assert!(writable.contains(&"rule:root-user"));
    for atom in ["exec.command@setuid-file", "exec.command@file-capability"] {
        assert!(of("root-by-set-id")[0].contains(&atom), "{atom}");
    }
}
