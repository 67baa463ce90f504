//! Reading that fails half way: what came before is told, and a gap names the place.

use std::fs::File;

use rustix::{
    fs::{AtFlags, CWD, FileType, mknodat, statat},
    io::Errno,
};

use crate::layer;

use super::{
    super::content::Content,
    traps::{facts, paths, told, walk},
    *,
};

fn opened(path: &Path) -> File {
    fs::open(path, OFlags::RDONLY, Mode::empty()).unwrap().into()
}

#[test]
fn a_listing_that_breaks_off_is_a_gap_and_keeps_what_came() {
    let directory = tempfile::tempdir().unwrap();
    let (mut walk, gaps) = walk(directory.path());
    let listed = [Ok(b"a".to_vec()), Ok(b".".to_vec()), Ok(b"b".to_vec())];
    let broken = listed.into_iter().chain([Err(Errno::IO), Ok(b"c".to_vec())]);
    assert_eq!(walk.names(&"/d".into(), broken), [b"b", b"a"]);
    told(
        &gaps,
        &[("/d", "cannot be listed to its end: Input/output error")],
    );
}

#[test]
fn a_content_that_fails_half_way_keeps_its_size_and_is_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    // Reading a directory fails as a bad disk does: with the first read, and with all after it.
    let unreadable = || opened(directory.path());
    let mut content = Content::new("/f".into(), unreadable(), 700);
    let (mut read, mut faults) = (0, Vec::new());
    loop {
        let mut buffer = [b'x'; 200];
        let (count, fault) = content.read(&mut buffer);
        faults.extend(fault);
        if count == 0 {
            break;
        }
        assert!(buffer[..count].iter().all(|byte| *byte == 0));
        read += count;
    }
    assert_eq!(read, 1024);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(
        faults[0].starts_with("cannot be read to its end: Is a directory"),
        "{faults:?}"
    );
}

#[test]
fn a_file_that_became_a_pipe_is_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::from(0o644), 0).unwrap();
    let stat = statat(CWD, &pipe, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    let (mut walk, gaps) = walk(directory.path());
    walk.regular(&"/pipe".into(), b"pipe", &stat).unwrap();
    told(&gaps, &[("/pipe", "was exchanged")]);
    // Where it was one all along it is told as such, and never opened.
    let entries = facts(walk).entries;
    let kinds: Vec<_> = entries.iter().map(|entry| &entry.kind).collect();
    assert_eq!(kinds, [&layer::Kind::Directory, &layer::Kind::Fifo]);
}

#[test]
fn a_directory_that_goes_away_is_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        std::fs::create_dir(directory.path().join(name)).unwrap();
    }
    let (walk, gaps) = walk(directory.path());
    std::fs::remove_dir(directory.path().join("a")).unwrap();
    assert_eq!(paths(&facts(walk)), ["/", "/b"]);
    told(&gaps, &[("/a", "cannot be read: No such file")]);
}

#[test]
fn a_file_whose_size_is_made_up_is_a_gap() {
    // As the files of the kernel have it: they state no size, and bytes come all the same.
    let content = opened(Path::new("/proc/self/status"));
    assert_eq!(content.metadata().unwrap().len(), 0);
    let mut content = Content::new("/status".into(), content, 0);
    let (count, fault) = content.read(&mut [0; 512]);
    assert_eq!(count, 0);
    assert_eq!(fault.unwrap(), "became longer while it was being read");
}
