//! What the loader reads and where it looks.

use super::*;

#[test]
fn directories_in_which_the_loader_looks_first_can_be_filled() {
    let role = "a directory in which the loader looks for libraries";
    let files = |change: &dyn Fn(&mut crate::binary::Elf)| {
        let mut server = needs(program("/app/server", []), LOADER, &["libx.so"]);
        change(elf(&mut server));
        vec![
            server,
            library(LOADER, []),
            library("/usr/lib/libx.so", []),
            library("/late/libx.so", []),
            dir("/w", 0o777),
            dir("/w/lib", 0o755),
            dir("/sticky", 0o1777),
            mine(dir("/app/own", 0o755)),
        ]
    };
    let list = |text: &str| Some(text.as_bytes().to_vec());
    let env = |value: &str| {
        let value = format!("LD_LIBRARY_PATH={value}");
        changed(files(&|_| {}), &["/app/server"], move |config| {
            "/w".clone_into(&mut config.working_dir);
            config.env.push(value);
        })
    };
    for (path, told) in [
        ("/w", "/w"),
        ("/w/lib", "/w/lib"),
        ("/w/none/deep", "/w/none"),
        ("/w/lib/none", "/w/lib/none"),
        ("/sticky", "/sticky"),
        ("lib", "/w/lib"),
        ("", ""),
        (":/usr/lib", "/w"),
        ("/usr/lib:/w", ""),
        ("/usr/lib;/w", ""),
        ("/usr/local/lib", ""),
        ("/etc;/w", "/w"),
    ] {
        let want: Vec<_> = [(told.to_owned(), role.to_owned())]
            .into_iter()
            .filter(|_| !told.is_empty())
            .collect();
        assert_eq!(env(path), want, "LD_LIBRARY_PATH={path}");
    }
    for (rpath, runpath, told) in [
        (list("/w"), None, "/w"),
        (None, list("/w"), "/w"),
        (None, list("$ORIGIN/own"), "/app/own"),
        (list("${ORIGIN}/own"), None, "/app/own"),
        (None, list("$ORIGIN/../none"), ""),
        // With a RUNPATH the RPATH counts no more.
        (list("/w"), list("/usr/lib"), ""),
    ] {
        let found = changed(
            files(&|elf| (elf.rpath, elf.runpath) = (rpath.clone(), runpath.clone())),
            &["/app/server"],
            |_| {},
        );
        let want: Vec<_> = [(told.to_owned(), role.to_owned())]
            .into_iter()
            .filter(|_| !told.is_empty())
            .collect();
        assert_eq!(found, want, "{rpath:?} {runpath:?}");
    }
    // Several of them are one finding.
    assert_eq!(env("/w:/sticky").len(), 1);
    // A program that no loader starts searches nothing.
    let mut plain = files(&|elf| elf.runpath = Some(b"/w".to_vec()));
    elf(&mut plain[0]).interpreter = None;
    elf(&mut plain[0]).needed.clear();
    assert!(changeable(plain, &["/app/server"]).is_empty());
}

#[test]
fn what_tells_the_loader_where_to_look_counts_even_where_it_is_not_there() {
    let with = |loader: &str, more: Vec<Entry>| {
        let mut entries = vec![needs(program("/server", []), loader, &[]), library(loader, [])];
        entries.extend(more);
        changeable(entries, &["/server"])
    };
    let open = |path: &str| vec![mode(file(path, 0o666), 0o666)];
    for path in [
        "/etc/ld.so.preload",
        "/etc/ld.so.conf",
        "/etc/ld.so.conf.d/x.conf",
        "/etc/ld.so.cache",
    ] {
        assert_eq!(with(LOADER, open(path)), [path]);
    }
    assert_eq!(
        with(LOADER, vec![mine(dir("/etc/ld.so.conf.d", 0o755))]),
        ["/etc/ld.so.conf.d"]
    );
    assert_eq!(
        with(MUSL, open("/etc/ld-musl-x86_64.path")),
        ["/etc/ld-musl-x86_64.path"]
    );
    assert!(with(MUSL, open("/etc/ld.so.preload")).is_empty());
    assert!(with(LOADER, open("/etc/ld-musl-x86_64.path")).is_empty());
    let etc = || vec![dir("/etc", 0o777)];
    assert_eq!(with(LOADER, etc()), ["/etc/ld.so.preload"]);
    assert_eq!(with(MUSL, etc()), ["/etc/ld-musl-x86_64.path"]);
    // A static program has no loader; who may fill /etc still says who is who.
    let mut entries = etc();
    entries.push(program("/server", []));
    assert_eq!(changeable(entries, &["/server"]), ["/etc/passwd"]);
}

#[test]
fn directories_searched_first_and_a_preload_that_could_be_made() {
    let mut server = program("/usr/bin/server", []);
    elf(&mut server).interpreter = Some(b"/lib/ld.so".to_vec());
    let files = rootfs([
        dir("/etc", 0o777),
        program("/lib/ld.so", []),
        server,
        dir("/opt/bin", 0o777),
        dir("/late", 0o777),
    ]);
    let mut config = config("1000:1000", &["server"], &[]);
    config.env = vec!["PATH=/opt/bin:/usr/bin:/late".to_owned()];
    let found = look("writable-program", &files, Some(&config));
    assert_eq!(paths(&found), ["/etc/ld.so.preload", "/opt/bin"]);
}

#[test]
fn what_one_directory_gives_away_is_told_once() {
    let mut entries = vec![
        needs(program("/server", []), LOADER, &["lib0.so", "lib1.so", "lib2.so"]),
        library(LOADER, []),
        dir("/usr/lib", 0o777),
    ];
    entries.extend((0..3).map(|n| library(&format!("/usr/lib/lib{n}.so"), [])));
    let files = rootfs(entries);
    let found = look(
        "writable-program",
        &files,
        Some(&config("1000:1000", &["/server"], &[])),
    );
    let told: Vec<&str> = messages(&found);
    assert_eq!(
        told,
        [
            "/usr/lib, a directory in which the loader looks for libraries, can be changed by uid 1000: its mode is 0777",
            "/usr/lib/lib0.so, a library that the program loads, can be changed by uid 1000: entries of /usr/lib can be \
             replaced; so can 2 more paths",
        ]
    );
}
