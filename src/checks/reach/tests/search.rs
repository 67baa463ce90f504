//! Tests of the order in which libraries are searched, and of what bounds the search.

use super::*;
use crate::{
    gap::{Gap, Hides},
    rootfs::testing::{layer, merge},
};

const MUSL: &str = "/lib/ld-musl-x86_64.so.1";

/// Where the library is taken from, place after place, each time without the one before.
fn order(base: impl Fn() -> Vec<Entry>, config: &ImageConfig, places: &[&str]) -> Vec<String> {
    let mut out = Vec::new();
    let mut places = places.to_vec();
    loop {
        let files = base()
            .into_iter()
            .chain(places.iter().map(|path| library(path, &[])));
        let (reached, missing, _) = follow(files, config);
        let found = reached
            .iter()
            .find_map(|line| line.strip_suffix(": start NEEDED by /srv/app"));
        let Some(found) = found else {
            assert_eq!(missing, ["liba.so by /srv/app"]);
            return out;
        };
        assert!(missing.is_empty());
        places.retain(|path| *path != found);
        out.push(found.to_owned());
    }
}

#[test]
fn glibc_searches_in_this_order() {
    let mut told = config(&["/srv/app"]);
    told.env.push("LD_LIBRARY_PATH=/env:/env2".to_owned());
    let usual = [
        "/lib/x86_64-linux-gnu/liba.so",
        "/usr/lib/x86_64-linux-gnu/liba.so",
        "/lib/liba.so",
    ];
    let base = |change: fn(&mut Elf)| {
        move || {
            vec![
                with(dynamic("/srv/app", &["liba.so"]), change),
                library(LOADER, &[]),
                kept(
                    "/etc/ld.so.cache",
                    cache(&[("liba.so", "/cached/liba.so"), ("liba.so", "/cached/2/liba.so")]),
                ),
                // Only `ldconfig` reads it.
                kept("/etc/ld.so.conf", b"/conf\n".to_vec()),
            ]
        }
    };
    let all = [
        "/conf/liba.so",
        "/lib/liba.so",
        "/usr/lib/x86_64-linux-gnu/liba.so",
        "/lib/x86_64-linux-gnu/liba.so",
        "/cached/2/liba.so",
        "/cached/liba.so",
        "/env2/liba.so",
        "/env/liba.so",
        "/run/liba.so",
        "/srv/lib/liba.so",
        "/rpath/liba.so",
    ];
    let rpath = base(|elf| elf.rpath = Some("/rpath:$ORIGIN/lib".into()));
    let runpath = base(|elf| elf.runpath = Some("/run".into()));
    let both = base(|elf| {
        elf.rpath = Some("/rpath".into());
        elf.runpath = Some("/run".into());
    });
    let behind = |first: &[&str]| -> Vec<String> {
        let cached = ["/cached/liba.so", "/cached/2/liba.so"];
        let all = first.iter().chain(&cached).chain(&usual);
        all.map(|&path| path.to_owned()).collect()
    };
    assert_eq!(
        order(rpath, &told, &all),
        behind(&[
            "/rpath/liba.so",
            "/srv/lib/liba.so",
            "/env/liba.so",
            "/env2/liba.so"
        ])
    );
    let late = behind(&["/env/liba.so", "/env2/liba.so", "/run/liba.so"]);
    assert_eq!(order(runpath, &told, &all), late);
    // Beside DT_RUNPATH the older DT_RPATH does not count.
    assert_eq!(order(both, &told, &all), late);
}

#[test]
fn an_older_path_beside_a_newer_one_does_not_count_for_libraries_either() {
    let missing = |newer: bool| {
        let app = with(dynamic("/srv/app", &["libb.so"]), |elf| {
            elf.rpath = Some("/rpath".into());
            elf.runpath = newer.then(|| "/run".into());
        });
        let files = [
            app,
            library(LOADER, &[]),
            library(
                if newer { "/run/libb.so" } else { "/rpath/libb.so" },
                &["liba.so"],
            ),
            library("/rpath/liba.so", &[]),
        ];
        follow(files, &config(&["/srv/app"])).1
    };
    assert!(missing(false).is_empty());
    assert_eq!(missing(true), ["liba.so by /run/libb.so"]);
}

#[test]
fn musl_searches_in_this_order() {
    let mut told = config(&["/srv/app"]);
    told.env.push("LD_LIBRARY_PATH=/env".to_owned());
    let base = || {
        let change = |elf: &mut Elf| {
            elf.interpreter = Some(MUSL.into());
            elf.rpath = Some("/rpath".into());
        };
        vec![
            with(dynamic("/srv/app", &["liba.so"]), change),
            library(MUSL, &[]),
            kept("/etc/ld.so.cache", cache(&[("liba.so", "/cached/liba.so")])),
        ]
    };
    let places = [
        "/cached/liba.so",
        "/lib64/liba.so",
        "/usr/lib/liba.so",
        "/usr/local/lib/liba.so",
        "/lib/liba.so",
    ];
    let places = [&places[..], &["/rpath/liba.so", "/env/liba.so"]].concat();
    let want = [
        "/env/liba.so",
        "/rpath/liba.so",
        "/lib/liba.so",
        "/usr/local/lib/liba.so",
        "/usr/lib/liba.so",
    ];
    assert_eq!(order(base, &told, &places), want);
    // What the program says holds for its libraries, whichever of the two entries says it.
    for runpath in [false, true] {
        let change = |elf: &mut Elf| {
            elf.interpreter = Some(MUSL.into());
            *(if runpath { &mut elf.runpath } else { &mut elf.rpath }) = Some("/own".into());
        };
        let files = [
            with(dynamic("/srv/app", &["libb.so"]), change),
            library(MUSL, &[]),
            library("/own/libb.so", &["liba.so"]),
            library("/own/liba.so", &[]),
        ];
        assert!(follow(files, &config(&["/srv/app"])).1.is_empty(), "{runpath}");
    }
}

#[test]
fn libraries_before_all_others_are_searched_as_the_rest() {
    let mut told = config(&["/srv/app"]);
    told.env.push("LD_PRELOAD=libc1.so /opt/b.so".to_owned());
    let files = [
        dynamic("/srv/app", &[]),
        library(LOADER, &[]),
        library("/opt/a.so", &["libdeep.so"]),
        library("/opt/b.so", &[]),
        library("/lib/libc1.so", &[]),
        library("/lib/libdeep.so", &[]),
        kept("/etc/ld.so.preload", b"/opt/a.so\n".to_vec()),
    ];
    let (reached, missing, _) = follow(files, &told);
    let before = reached
        .iter()
        .filter_map(|line| line.strip_suffix(": start loaded before all other libraries"));
    assert_eq!(
        before.collect::<Vec<_>>(),
        ["/lib/libc1.so", "/opt/a.so", "/opt/b.so"]
    );
    assert!(reached.contains(&"/lib/libdeep.so: start NEEDED by /opt/a.so".to_owned()));
    assert!(missing.is_empty());
}

#[test]
fn names_lead_on_for_four_rounds() {
    let names = |at: usize| {
        let name = format!("lib{}.so", at + 1);
        move |elf: &mut Elf| elf.library_names = vec![name.into_bytes()]
    };
    let libraries = (1..=6).map(|at| with(library(&format!("/lib/lib{at}.so"), &[]), names(at)));
    let files = [with(dynamic("/srv/app", &[]), names(0)), library(LOADER, &[])];
    let (reached, ..) = follow(files.into_iter().chain(libraries), &config(&["/srv/app"]));
    assert_eq!(reached.iter().filter(|line| line.contains(": named ")).count(), 4);
}

#[test]
fn a_script_needs_its_interpreter_with_all_that_is_linked() {
    let script = |path: &str, interpreter: &str, argument: Option<&str>| {
        let mut entry = program(path, []);
        entry.program.as_mut().unwrap().form = Form::Script(Script {
            interpreter: interpreter.into(),
            argument: argument.map(Into::into),
            ..Script::default()
        });
        entry
    };
    let files = || {
        vec![
            script("/a", "/b", None),
            script("/b", "/usr/bin/env", Some("run")),
            program("/usr/bin/env", []),
            dynamic("/usr/bin/run", &["liba.so"]),
            library(LOADER, &[]),
        ]
    };
    let (reached, missing, _) = follow(
        files().into_iter().chain([library("/lib/liba.so", &[])]),
        &config(&["/a"]),
    );
    assert_eq!(
        reached,
        [
            "/a: start the entry point",
            "/b: start run by /a",
            "/lib/liba.so: start NEEDED by /usr/bin/run",
            "/lib64/ld-linux-x86-64.so.2: start the loader of /usr/bin/run",
            "/usr/bin/env: start run by /b",
            "/usr/bin/run: start run by /usr/bin/env",
        ]
    );
    assert!(missing.is_empty());
    assert_eq!(follow(files(), &config(&["/a"])).1, ["liba.so by /usr/bin/run"]);
}

#[test]
fn what_could_not_be_read_keeps_all_from_being_called_unneeded() {
    let complete = |hides: Option<Hides>, damage: Option<&str>| {
        let app = with(dynamic("/srv/app", &["liba.so"]), |_| ());
        let damaged = with(library("/lib/liba.so", &[]), |elf| {
            elf.damage = damage.map(str::to_owned);
        });
        let mut facts = layer([app, library(LOADER, &[]), damaged]);
        facts.gaps.extend(hides.map(|hides| Gap {
            path: None,
            why: "too large".to_owned(),
            hides,
        }));
        let files = merge([facts]);
        let config = config(&["/srv/app"]);
        let subject = Subject::new(&files, Some(&config), None, Catalog::builtin());
        closure(&subject).incomplete.is_none()
    };
    assert!(complete(None, None));
    assert!(!complete(Some(Hides::Anything), None));
    assert!(!complete(Some(Hides::Programs), None));
    assert!(complete(Some(Hides::Accounts), None));
    assert!(!complete(None, Some("the dynamic section lies outside")));
}

#[test]
fn a_search_that_is_given_up_keeps_all_from_being_called_unneeded() {
    let complete = |libraries: usize| {
        let directories: Vec<String> = (0..64).map(|at| format!("/d{at}")).collect();
        let needed: Vec<String> = (0..libraries).map(|at| format!("lib{at}.so")).collect();
        let greedy = |name: &String| {
            with(library(&format!("/lib/{name}"), &[]), |elf| {
                elf.runpath = Some(directories.join(":").into());
                elf.library_names = (0..1_000)
                    .map(|at| format!("{name}.{at}x.so").into_bytes())
                    .collect();
            })
        };
        let all = needed.iter().map(greedy);
        let needed: Vec<&str> = needed.iter().map(String::as_str).collect();
        let files = [dynamic("/srv/app", &needed), library(LOADER, &[])];
        follow(files.into_iter().chain(all), &config(&["/srv/app"])).2
    };
    assert!(complete(1));
    // Each library stands for 64,000 look-ups.
    assert!(!complete(20));
}
