//! What bounds the search for libraries: directories of a list, loaders of an object, and that both count as work.

use super::*;
use crate::rootfs::testing::dir;

/// `/d0:/d1:…`, the last one being the only directory that is there.
fn directories(count: usize) -> String {
    let list: Vec<String> = (1..count).map(|at| format!("/d{at}")).collect();
    [list, vec!["/there".to_owned()]].concat().join(":")
}

/// What an image of these files misses, and whether it could be followed to the end.
fn missed(files: Vec<Entry>, env: &str) -> (Vec<String>, bool) {
    let mut config = config(&["/app"]);
    config.env.push(env.to_owned());
    let (_, missing, complete) = follow(files, &config);
    (missing, complete)
}

#[test]
fn a_list_of_more_directories_than_are_looked_at_is_no_proof() {
    let base = || vec![library(LOADER, &[]), library("/there/liba.so", &[])];
    for (count, seen) in [(64, true), (65, false)] {
        let list = directories(count);
        let own = with(dynamic("/app", &["liba.so"]), |elf| {
            elf.runpath = Some(list.clone().into());
        });
        let files = [base(), vec![own]].concat();
        assert_eq!(missed(files, "A="), (vec![], seen), "{count}");
        let files = [base(), vec![dynamic("/app", &["liba.so"])]].concat();
        let env = format!("LD_LIBRARY_PATH={list}");
        assert_eq!(missed(files, &env), (vec![], seen), "{count}");
    }
    let files = [base(), vec![dynamic("/app", &["liba.so"])]].concat();
    assert_eq!(missed(files, "A="), (vec!["liba.so by /app".to_owned()], true));
}

#[test]
fn more_directories_for_processors_than_are_looked_at_are_no_proof() {
    for (count, seen) in [(64, true), (65, false)] {
        let mut files = vec![library(LOADER, &[]), dynamic("/app", &["liba.so"])];
        files.extend((1..count).map(|at| dir(&format!("/usr/lib/a{at:02}-linux-gnu"), 0o755)));
        files.push(library("/usr/lib/z-linux-gnu/liba.so", &[]));
        assert_eq!(missed(files, "A="), (vec![], seen), "{count}");
    }
}

#[test]
fn an_object_with_more_loaders_than_are_looked_at_is_no_proof() {
    // Each loads the next; only the program says where the last one is.
    let chain = |length: usize| {
        let app = with(dynamic("/app", &["lib1.so"]), |elf| {
            elf.rpath = Some("/there".into());
        });
        let link = |at: usize| library(&format!("/lib/lib{at}.so"), &[&format!("lib{}.so", at + 1)]);
        let last = library(&format!("/there/lib{length}.so"), &[]);
        let mut files = vec![app, library(LOADER, &[]), last];
        files.extend((1..length).map(link));
        missed(files, "A=")
    };
    // The program and 29 libraries.
    assert_eq!(chain(30), (vec![], true));
    assert_eq!(chain(31), (vec![], false));
}

#[test]
fn directories_that_are_made_up_again_for_every_name_count_as_work() {
    let files = rootfs([library("/there/liba.so", &[])]);
    let node = files.get(&"/there/liba.so".into()).unwrap();
    let elf = Elf {
        rpath: Some(format!("/there:{}", directories(63)).into()),
        ..match &node.program.as_ref().unwrap().form {
            Form::Elf(elf) => elf.clone(),
            other => panic!("{other:?}"),
        }
    };
    let object = Object {
        node,
        elf: &elf,
        origin: RootPath::root(),
        process: 0,
        loader: None,
        round: 0,
    };
    let mut search = Search::new(&files, &config(&[]));
    let most = crate::limits::Limits::default().reach_work;
    // It is found at the first place, and 64 were made up.
    let objects = [object];
    for _ in 0..most / 65 {
        assert!(search.find(b"liba.so", Libc::Glibc, &objects, 0).is_some());
    }
    assert!(search.find(b"liba.so", Libc::Glibc, &objects, 0).is_none() && search.gave_up());
}

#[test]
fn builds_for_newer_processors_are_looked_at_up_to_a_number() {
    let reached = |builds: usize| {
        let newer = (0..builds).map(|at| library(&format!("/lib/glibc-hwcaps/{at:02}/liba.so"), &[]));
        let mut files = vec![dynamic("/app", &["liba.so"]), library(LOADER, &[])];
        files.push(library("/lib/liba.so", &[]));
        files.extend(newer);
        let lines = follow(files, &config(&["/app"])).0;
        lines.iter().filter(|line| line.contains("glibc-hwcaps")).count()
    };
    assert_eq!([reached(63), reached(64), reached(70)], [63, 64, 64]);
}
