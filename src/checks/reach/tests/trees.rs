//! Tests of trees: each directory of modules by who reads it, and by nobody else.

use super::{config, dynamic, follow, kept, library, python};
use crate::{
    layer::Entry,
    rootfs::testing::{program, text},
};

const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

/// Libraries that are linked only to see whether their trees are followed.
const READERS: &[(&str, &[&str])] = &[
    (
        "libpython3.11.so.1.0",
        &[
            "/usr/lib/python3.11/lib-dynload/x.so",
            "/usr/lib/python3/dist-packages/x.so",
            "/usr/local/lib/python3.11/dist-packages/x.so",
        ],
    ),
    (
        "libperl.so.5.36",
        &[
            "/usr/lib/x86_64-linux-gnu/perl/5.36.0/auto/x.so",
            "/usr/lib/x86_64-linux-gnu/perl-base/auto/x.so",
            "/usr/lib/x86_64-linux-gnu/perl5/5.36/auto/x.so",
            "/usr/local/lib/x86_64-linux-gnu/perl/5.36.0/x.so",
        ],
    ),
    (
        "libruby-3.1.so.3.1",
        &[
            "/usr/lib/x86_64-linux-gnu/ruby/3.1.0/x.so",
            "/var/lib/gems/3.1.0/x.so",
            "/usr/local/bundle/x.so",
        ],
    ),
    (
        "libcrypto.so.3",
        &[
            "/usr/lib/x86_64-linux-gnu/ossl-modules/x.so",
            "/usr/lib/engines-3/x.so",
            "/usr/lib64/ossl-modules/x.so",
        ],
    ),
    (
        "libpam.so.0",
        &[
            "/usr/lib/x86_64-linux-gnu/security/x.so",
            "/lib/security/x.so",
            "/usr/lib64/security/x.so",
        ],
    ),
    (
        "libsasl2.so.2",
        &["/usr/lib/x86_64-linux-gnu/sasl2/x.so", "/usr/lib64/sasl2/x.so"],
    ),
    (
        "libkrb5.so.3",
        &["/usr/lib/x86_64-linux-gnu/krb5/plugins/preauth/x.so"],
    ),
    ("libp11-kit.so.0", &["/usr/lib/x86_64-linux-gnu/pkcs11/x.so"]),
    (
        "libaprutil-1.so.0",
        &["/usr/lib/x86_64-linux-gnu/apr-util-1/x.so"],
    ),
    (
        "libc.so.6",
        &["/usr/lib/x86_64-linux-gnu/gconv/x.so", "/usr/lib64/gconv/x.so"],
    ),
];

#[test]
fn each_library_brings_its_own_directories_and_no_other() {
    let modules = || {
        READERS
            .iter()
            .flat_map(|(_, modules)| modules.iter().map(|path| library(path, &[])))
    };
    for (reader, modules_of_it) in READERS {
        let files = [
            dynamic("/app", &[*reader]),
            library(LOADER, &[]),
            library(&format!("/usr/lib/{reader}"), &[]),
        ];
        let (reached, _, complete) = follow(files.into_iter().chain(modules()), &config(&["/app"]));
        let mut trees: Vec<&str> = reached
            .iter()
            .filter_map(|line| line.split_once(": tree ").map(|(path, _)| path))
            .collect();
        trees.sort_unstable();
        let mut want = modules_of_it.to_vec();
        want.sort_unstable();
        assert_eq!(trees, want, "{reader}");
        assert!(complete, "{reader}");
    }
}

#[test]
fn each_interpreter_brings_its_own_directories_and_no_other() {
    let interpreters: [(&str, &str, &[&str]); 5] = [
        (
            "/opt/p/bin/python3",
            "interp.python",
            &["/opt/p/lib/python3.12/x.so", "/usr/lib/python3/x.so"],
        ),
        (
            "/opt/q/bin/perl",
            "interp.perl",
            &["/opt/q/lib/perl5/x.so", "/usr/share/perl5/x.so", "/etc/perl/x.so"],
        ),
        (
            "/opt/r/bin/ruby",
            "interp.ruby",
            &["/opt/r/lib/ruby/3.3.0/x.so", "/usr/local/bundle/x.so"],
        ),
        (
            "/opt/j/bin/java",
            "build.jvm-launcher",
            &["/opt/j/lib/server/libjvm.so"],
        ),
        (
            "/opt/n/bin/node",
            "interp.node",
            &[
                "/usr/share/nodejs/x.node",
                "/srv/app/node_modules/a/x.node",
                "/srv/node_modules/b/x.node",
            ],
        ),
    ];
    let modules = || {
        interpreters
            .iter()
            .flat_map(|(.., modules)| modules.iter().map(|path| library(path, &[])))
    };
    for (path, family, want) in interpreters {
        let runs = program(path, [family]);
        let main = text("/srv/app/main", "");
        let elsewhere = library("/opt/node_modules/x.node", &[]);
        let (reached, ..) = follow(
            [runs, main, elsewhere].into_iter().chain(modules()),
            &config(&[path, "/srv/app/main"]),
        );
        let trees: Vec<&str> = reached
            .iter()
            .filter_map(|line| line.split_once(": tree ").map(|(path, _)| path))
            .collect();
        let mut want = want.to_vec();
        want.sort_unstable();
        assert_eq!(trees, want, "{family}");
    }
}

#[test]
fn tools_in_a_tree_are_no_part_of_it() {
    let tools = [
        ("/usr/lib/python3/a", "shell.bash"),
        ("/usr/lib/python3/b", "interp.perl"),
        ("/usr/lib/python3/c", "pm.pip"),
    ];
    let tools = tools.map(|(path, family)| program(path, [family]));
    let (reached, ..) = follow(
        tools.into_iter().chain([
            python(),
            library(LOADER, &[]),
            program("/usr/lib/python3/d", ["net.curl"]),
        ]),
        &config(&["/usr/bin/python3"]),
    );
    assert_eq!(
        reached.last().unwrap(),
        "/usr/lib/python3/d: tree modules of Python, which /usr/bin/python3 loads"
    );
    assert_eq!(reached.iter().filter(|line| line.contains(": tree ")).count(), 1);
}

#[test]
fn name_services_are_those_of_the_switch_and_three_more() {
    let service = |name: &str| library(&format!("/usr/lib/libnss_{name}.so.2"), &[]);
    let asked = |told: Option<Entry>| {
        let services = [
            "files",
            "dns",
            "compat",
            "sss",
            "mdns4_minimal",
            "db",
            "NOTFOUND",
            "return",
            "hosts",
        ];
        let files = [
            dynamic("/app", &["libc.so.6"]),
            library(LOADER, &[]),
            library("/usr/lib/libc.so.6", &[]),
        ];
        let all = files.into_iter().chain(services.map(service)).chain(told);
        let (reached, ..) = follow(all, &config(&["/app"]));
        let names = reached.iter().filter_map(|line| {
            let (name, why) = line.strip_prefix("/usr/lib/libnss_")?.split_once(".so.2: ")?;
            assert_eq!(why, "tree the name service switch loads it");
            Some(name.to_owned())
        });
        names.collect::<Vec<_>>()
    };
    assert_eq!(asked(None), ["compat", "dns", "files"]);
    let switch = "# db: db\npasswd:sss\nhosts: files mdns4_minimal [NOTFOUND=return] dns\n";
    assert_eq!(
        asked(Some(kept("/etc/nsswitch.conf", switch.into()))),
        ["compat", "dns", "files", "mdns4_minimal", "sss"]
    );
}

#[test]
fn web_servers_load_what_their_configurations_name() {
    for (server, file, line, module) in [
        (
            "/usr/sbin/nginx",
            "/etc/nginx/nginx.conf",
            "load_module modules/a.so;",
            "/usr/lib/nginx/modules/a.so",
        ),
        (
            "/usr/sbin/nginx",
            "/etc/nginx/modules-enabled/50-x.conf",
            "load_module \"/opt/a.so\";",
            "/opt/a.so",
        ),
        (
            "/usr/sbin/apache2",
            "/etc/apache2/mods-available/a.load",
            "  LoadModule a_module /usr/lib/apache2/modules/a.so",
            "/usr/lib/apache2/modules/a.so",
        ),
        (
            "/usr/local/apache2/bin/httpd",
            "/usr/local/apache2/conf/httpd.conf",
            "LoadModule a_module modules/a.so",
            "/usr/local/apache2/modules/a.so",
        ),
    ] {
        let files = |line: &str| {
            [
                dynamic(server, &[]),
                library(LOADER, &[]),
                library(module, &[]),
                kept(file, line.into()),
            ]
        };
        let reached = |line: &str| {
            let reached = follow(files(line), &config(&[server])).0;
            reached.contains(&format!("{module}: tree {file} names it"))
        };
        assert!(reached(line), "{line}");
        assert!(!reached(&format!("#{line}")), "{line}");
    }
}
