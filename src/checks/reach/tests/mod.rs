//! Tests of the closure: what leads to what, and what narrowly does not.

mod bounds;
mod scripts;
mod search;
mod trees;

use super::{cache::tests::cache, *};
use crate::{
    binary::Script,
    catalog::Catalog,
    image::Platform,
    layer::{Entry, Kept},
    rootfs::testing::{file, program, rootfs, symlink, text},
};

const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

fn elf(entry: &mut Entry) -> &mut Elf {
    match &mut entry.program.as_mut().unwrap().form {
        Form::Elf(elf) => elf,
        other => panic!("{other:?}"),
    }
}

fn names(list: &[&str]) -> Vec<Vec<u8>> {
    list.iter().map(|name| name.as_bytes().to_vec()).collect()
}

/// A dynamic program that is linked with these libraries.
fn dynamic(path: &str, needed: &[&str]) -> Entry {
    let mut entry = program(path, []);
    elf(&mut entry).interpreter = Some(LOADER.into());
    elf(&mut entry).needed = names(needed);
    entry
}

/// Python, linked with the C library.
fn python() -> Entry {
    let mut entry = program("/usr/bin/python3", ["interp.python"]);
    elf(&mut entry).interpreter = Some(LOADER.into());
    elf(&mut entry).needed = names(&["libc.so.6"]);
    entry
}

/// A library whose soname is its file's name.
fn library(path: &str, needed: &[&str]) -> Entry {
    let mut entry = program(path, []);
    let soname = entry.path.name().to_vec();
    let elf = elf(&mut entry);
    elf.startable = false;
    elf.soname = Some(soname);
    elf.needed = names(needed);
    entry
}

fn with(mut entry: Entry, change: impl FnOnce(&mut Elf)) -> Entry {
    change(elf(&mut entry));
    entry
}

fn kept(path: &str, bytes: Vec<u8>) -> Entry {
    Entry {
        size: bytes.len() as u64,
        kept: Some(Kept { bytes, cut: false }),
        ..file(path, 0o644)
    }
}

fn config(entrypoint: &[&str]) -> ImageConfig {
    ImageConfig {
        entrypoint: entrypoint.iter().map(|&word| word.to_owned()).collect(),
        env: vec!["PATH=/usr/bin:/bin".to_owned()],
        ..ImageConfig::default()
    }
}

/// What was reached, as `path: tier why`, and what is missing, as `name by path`.
fn follow(
    entries: impl IntoIterator<Item = Entry>,
    config: &ImageConfig,
) -> (Vec<String>, Vec<String>, bool) {
    let files = rootfs(entries);
    let platform = Platform::new("linux", "amd64", None);
    let subject = Subject::new(&files, Some(config), Some(&platform), Catalog::builtin());
    let closure = closure(&subject);
    let told = |(path, reach): (&RootPath, &Reach)| match reach {
        Reach::Needed { tier, why } => format!("{path}: {} {why}", tier.as_str()),
        Reach::NotNeeded => panic!("{path}"),
    };
    let missing = closure.missing.iter();
    let missing = missing.map(|one| format!("{} by {}", escape(&one.name), one.by));
    (
        closure.reached.iter().map(told).collect(),
        missing.collect(),
        closure.incomplete.is_none(),
    )
}

fn missing(entries: impl IntoIterator<Item = Entry>) -> Vec<String> {
    follow(entries, &config(&["/app"])).1
}

#[test]
fn the_start_is_followed_through_all_that_is_linked() {
    let (reached, missing, complete) = follow(
        [
            dynamic("/app", &["liba.so.1", "libc.so.6"]),
            library(LOADER, &[]),
            library("/usr/lib/x86_64-linux-gnu/liba.so.1", &["libb.so.1", "libc.so.6"]),
            library("/lib/libb.so.1", &["liba.so.1", "ld-linux-x86-64.so.2"]),
            library("/usr/lib64/libc.so.6", &[]),
            library("/usr/lib/libother.so", &[]),
        ],
        &config(&["/app"]),
    );
    assert_eq!(
        reached,
        [
            "/app: start the entry point",
            "/lib/libb.so.1: start NEEDED by /usr/lib/x86_64-linux-gnu/liba.so.1",
            "/lib64/ld-linux-x86-64.so.2: start the loader of /app",
            "/usr/lib/x86_64-linux-gnu/liba.so.1: start NEEDED by /app",
            "/usr/lib64/libc.so.6: start NEEDED by /app",
        ]
    );
    assert_eq!((missing.len(), complete), (0, true));
}

#[test]
fn what_nothing_satisfies_is_missing_once() {
    let base = || vec![dynamic("/app", &["liba.so.1"]), library(LOADER, &[])];
    let and = |entries: Vec<Entry>| missing(base().into_iter().chain(entries));
    assert_eq!(and(vec![]), ["liba.so.1 by /app"]);
    assert_eq!(and(vec![library("/opt/liba.so.1", &[])]), ["liba.so.1 by /app"]);
    // Of another processor or word size, or no library at all: skipped.
    let foreign = with(library("/lib/liba.so.1", &[]), |elf| elf.machine = 183);
    assert_eq!(and(vec![foreign.clone()]), ["liba.so.1 by /app"]);
    let narrow = with(library("/lib/liba.so.1", &[]), |elf| elf.class64 = false);
    assert_eq!(and(vec![narrow]), ["liba.so.1 by /app"]);
    assert_eq!(
        and(vec![text("/lib/liba.so.1", "INPUT(x)")]),
        ["liba.so.1 by /app"]
    );
    assert!(and(vec![foreign, library("/usr/lib/liba.so.1", &[])]).is_empty());
    assert_eq!(
        and(vec![library("/lib/liba.so.1", &["libz.so.1"])]),
        ["libz.so.1 by /lib/liba.so.1"]
    );
    // A soname that is loaded already satisfies, wherever it came from.
    let entries = [
        with(dynamic("/app", &["/opt/liba.so.1", "liba.so.1"]), |_| ()),
        library(LOADER, &[]),
        library("/opt/liba.so.1", &[]),
    ];
    assert!(missing(entries).is_empty());
    assert_eq!(
        and(vec![symlink("/lib/liba.so.1", "/nowhere")]),
        ["liba.so.1 by /app"]
    );
    assert!(and(vec![symlink("/lib/liba.so.1", "/opt/x"), library("/opt/x", &[])]).is_empty());
    // A C library of its own looks beside its loader.
    let own = [
        with(dynamic("/app", &["liba.so.1"]), |elf| {
            elf.interpreter = Some("/opt/c/ld-linux-x86-64.so.2".into());
        }),
        library("/opt/c/ld-linux-x86-64.so.2", &[]),
        library("/opt/c/liba.so.1", &[]),
    ];
    assert!(missing(own).is_empty());
}

#[test]
fn own_paths_are_searched_as_the_loader_does() {
    let found = |app: Entry, lib: &str| missing([app, library(LOADER, &[]), library(lib, &["libb.so"])]);
    let app = || dynamic("/srv/bin/app", &["liba.so"]);
    let start = |app: Entry, extra: Vec<Entry>| {
        let entries = [symlink("/app", "/srv/bin/app"), app, library(LOADER, &[])];
        missing(entries.into_iter().chain(extra))
    };
    assert_eq!(
        found(dynamic("/app", &["liba.so"]), "/opt/liba.so"),
        ["liba.so by /app"]
    );
    for list in [
        "$ORIGIN/../lib",
        "/x:${ORIGIN}/../$LIB",
        "/srv/lib",
        "/srv/${LIB}",
    ] {
        let run = with(app(), |elf| elf.runpath = Some(list.into()));
        assert!(
            start(run, vec![library("/srv/lib/liba.so", &[])]).is_empty(),
            "{list}"
        );
    }
    let below = || {
        vec![
            library("/srv/lib/liba.so", &["libb.so"]),
            library("/srv/lib/libb.so", &[]),
        ]
    };
    // DT_RPATH of the program holds for its libraries too, DT_RUNPATH does not, and an object with one forgets its loaders.
    let rpath = with(app(), |elf| elf.rpath = Some("/srv/lib".into()));
    assert!(start(rpath.clone(), below()).is_empty());
    let runpath = with(app(), |elf| elf.runpath = Some("/srv/lib".into()));
    assert_eq!(start(runpath, below()), ["libb.so by /srv/lib/liba.so"]);
    let forgets = vec![
        with(library("/srv/lib/liba.so", &["libb.so"]), |elf| {
            elf.runpath = Some("/x".into());
        }),
        library("/srv/lib/libb.so", &[]),
    ];
    assert_eq!(start(rpath, forgets), ["libb.so by /srv/lib/liba.so"]);
}

#[test]
fn environment_cache_and_newer_builds_count() {
    let base = || {
        [
            dynamic("/app", &["liba.so"]),
            library(LOADER, &[]),
            library("/opt/a/liba.so", &[]),
        ]
    };
    let mut told = config(&["/app"]);
    told.env.push("LD_LIBRARY_PATH=/x:/opt/a".to_owned());
    assert!(follow(base(), &told).1.is_empty());
    let cached = kept("/etc/ld.so.cache", cache(&[("liba.so", "/opt/a/liba.so")]));
    assert!(missing(base().into_iter().chain([cached])).is_empty());
    let stale = kept("/etc/ld.so.cache", cache(&[("liba.so", "/gone/liba.so")]));
    assert_eq!(missing(base().into_iter().chain([stale])), ["liba.so by /app"]);
    let newer = library("/lib/glibc-hwcaps/x86-64-v3/liba.so", &[]);
    let plain = library("/lib/liba.so", &[]);
    let reached = follow(base().into_iter().chain([newer, plain]), &config(&["/app"])).0;
    assert!(reached.contains(&"/lib/glibc-hwcaps/x86-64-v3/liba.so: start NEEDED by /app".to_owned()));
    let mut early = config(&["/app"]);
    early.env.push("LD_PRELOAD=/opt/a/liba.so".to_owned());
    let entries = [
        dynamic("/app", &[]),
        library(LOADER, &[]),
        library("/opt/a/liba.so", &[]),
    ];
    assert_eq!(
        follow(entries, &early).0.last().unwrap(),
        "/opt/a/liba.so: start loaded before all other libraries"
    );
}

#[test]
fn musl_is_its_own_parts_and_has_its_own_directories() {
    let loader = "/lib/ld-musl-x86_64.so.1";
    let app = |needed: &[&str]| {
        with(dynamic("/app", needed), |elf| {
            elf.interpreter = Some(loader.into());
        })
    };
    let look = |needed: &[&str], extra: Vec<Entry>| {
        missing([app(needed), library(loader, &[])].into_iter().chain(extra))
    };
    assert!(
        look(
            &["libc.musl-x86_64.so.1", "libc.so", "libpthread.so.0", "libm.so.6"],
            vec![]
        )
        .is_empty()
    );
    assert_eq!(
        look(&["liba.so"], vec![library("/lib64/liba.so", &[])]),
        ["liba.so by /app"]
    );
    assert!(look(&["liba.so"], vec![library("/usr/local/lib/liba.so", &[])]).is_empty());
    let told = kept("/etc/ld-musl-x86_64.path", b"/opt\n/lib\n".to_vec());
    assert!(look(&["liba.so"], vec![library("/opt/liba.so", &[]), told.clone()]).is_empty());
    assert_eq!(
        look(&["liba.so"], vec![library("/usr/local/lib/liba.so", &[]), told]),
        ["liba.so by /app"]
    );
    // Nobody knows how other loaders search.
    let other = with(app(&["liba.so"]), |elf| {
        elf.interpreter = Some("/lib/ld-uClibc.so.0".into());
    });
    assert!(missing([other, library("/lib/ld-uClibc.so.0", &[])]).is_empty());
}

#[test]
fn names_in_what_is_needed_lead_on_but_are_never_missing() {
    let (reached, missing, _) = follow(
        [
            with(dynamic("/app", &[]), |elf| {
                elf.library_names = names(&["libplug.so", "libgone.so", "/opt/own.so"]);
            }),
            library(LOADER, &[]),
            library("/usr/lib/libplug.so", &["libdeep.so", "libabsent.so"]),
            library("/usr/lib/libdeep.so", &[]),
            library("/opt/own.so", &[]),
        ],
        &config(&["/app"]),
    );
    assert!(missing.is_empty());
    assert_eq!(
        reached[2..],
        [
            "/opt/own.so: named /opt/own.so is named in /app",
            "/usr/lib/libdeep.so: named NEEDED by /usr/lib/libplug.so",
            "/usr/lib/libplug.so: named libplug.so is named in /app",
        ]
    );
}

#[test]
fn an_interpreter_brings_its_tree_without_the_tools_in_it() {
    let script = |path: &str| {
        let mut entry = program(path, []);
        entry.program.as_mut().unwrap().form = Form::Script(Script {
            interpreter: "/usr/bin/python3".into(),
            argument: None,
            ..Script::default()
        });
        entry
    };
    let (reached, _, complete) = follow(
        [
            script("/app.py"),
            python(),
            library(LOADER, &[]),
            library("/usr/lib/x86_64-linux-gnu/libc.so.6", &[]),
            library("/usr/lib/python3.11/lib-dynload/_ssl.so", &["libssl.so.3"]),
            library("/usr/lib/x86_64-linux-gnu/libssl.so.3", &["libcrypto.so.3"]),
            library("/usr/lib/x86_64-linux-gnu/libcrypto.so.3", &[]),
            library("/usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so", &[]),
            library("/usr/lib/x86_64-linux-gnu/gconv/UTF-16.so", &[]),
            library("/usr/lib/x86_64-linux-gnu/libnss_sss.so.2", &[]),
            library("/usr/lib/x86_64-linux-gnu/libnss_files.so.2", &[]),
            library("/usr/lib/x86_64-linux-gnu/libnss_db.so.2", &[]),
            text("/etc/nsswitch.conf", "# hosts: db\nhosts: files sss\n"),
            program("/usr/lib/python3/dist-packages/pip", ["pm.pip"]),
            program("/usr/lib/python3/sh", ["shell.bash"]),
            script("/usr/lib/python3.11/test.py"),
            script("/srv/other.py"),
            symlink("/venv/bin/python", "/usr/bin/python3"),
            library("/venv/lib/python3.11/site-packages/x.so", &[]),
        ],
        &config(&["/app.py"]),
    );
    assert!(complete);
    let trees: Vec<&str> = reached
        .iter()
        .filter_map(|line| line.split_once(": tree ").map(|(path, _)| path))
        .collect();
    assert_eq!(
        trees,
        [
            "/usr/lib/python3.11/lib-dynload/_ssl.so",
            "/usr/lib/python3.11/test.py",
            "/usr/lib/x86_64-linux-gnu/gconv/UTF-16.so",
            "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
            "/usr/lib/x86_64-linux-gnu/libnss_files.so.2",
            "/usr/lib/x86_64-linux-gnu/libnss_sss.so.2",
            "/usr/lib/x86_64-linux-gnu/libssl.so.3",
            "/usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so",
            "/venv/lib/python3.11/site-packages/x.so",
        ]
    );
}

#[test]
fn configurations_and_arguments_name_what_is_loaded() {
    let mut told = config(&["/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf"]);
    told.cmd = vec!["/plugin".to_owned()];
    let (reached, ..) = follow(
        [
            with(dynamic("/usr/sbin/nginx", &[]), |_| ()),
            library(LOADER, &[]),
            text(
                "/etc/nginx/nginx.conf",
                "load_module modules/a.so;\n# load_module modules/b.so;\n",
            ),
            library("/usr/share/nginx/modules/a.so", &[]),
            library("/usr/share/nginx/modules/b.so", &[]),
            program("/plugin", []),
        ],
        &told,
    );
    assert!(
        reached.contains(&"/usr/share/nginx/modules/a.so: tree /etc/nginx/nginx.conf names it".to_owned())
    );
    assert!(reached.contains(&"/plugin: start named on the command line".to_owned()));
    assert!(!reached.iter().any(|line| line.contains("b.so")));
}

#[test]
fn what_was_not_followed_to_the_end_says_so() {
    let complete = |entries: Vec<Entry>, config: &ImageConfig| follow(entries, config).2;
    let app = || dynamic("/app", &[]);
    assert!(complete(vec![app(), library(LOADER, &[])], &config(&["/app"])));
    assert!(!complete(vec![app()], &config(&["/app"])));
    assert!(!complete(vec![app()], &config(&[])));
    let cut = with(app(), |elf| elf.library_names_cut = true);
    assert!(!complete(vec![cut, library(LOADER, &[])], &config(&["/app"])));
    let shell = program("/bin/sh", ["shell.bash"]);
    assert!(!complete(vec![shell], &config(&["/bin/sh", "-c", "a && b"])));
}

#[test]
fn too_much_to_look_up_is_given_up() {
    let files = rootfs([]);
    let mut search = Search::new(&files, &config(&[]));
    let most = crate::limits::Limits::default().reach_work;
    assert!((0..most).all(|_| search.spend()));
    assert!(!search.spend() && search.gave_up());
}
