//! Tests of `world-writable-path`.

use super::*;

#[test]
fn world_writable_trees_are_told_once() {
    let found = in_files(
        "world-writable-path",
        [
            dir("/app", 0o777),
            file("/app/a", 0o666),
            dir("/app/b", 0o777),
            file("/app/b/c", 0o666),
            file("/app-x", 0o644),
            dir("/app/closed", 0o755),
            file("/app/closed/d", 0o646),
            dir("/secret", 0o700),
            file("/secret/e", 0o666),
            mode(program("/srv/f", []), 0o777),
        ],
    );
    assert_eq!(
        messages(&found),
        [
            "/app is a directory that every user may change (mode 0777), and so are 3 paths below it",
            "/app/closed/d is a file that every user may change (mode 0646)",
            "/secret/e is a file that every user may change (mode 0666); others cannot enter /secret above it",
            "/srv/f is a file that every user may change (mode 0777); it is a program, so that whoever changes it acts for \
         whoever runs it",
        ]
    );
    let got: Vec<Severity> = found.iter().map(|finding| finding.severity).collect();
    assert_eq!(
        got,
        [Severity::Medium, Severity::Medium, Severity::Low, Severity::High]
    );
    let fine = [
        dir("/tmp", 0o1777),
        symlink("/l", "/tmp"),
        file("/g", 0o664),
        dir("/d", 0o775),
        entry("/p", crate::layer::Kind::Fifo, 0o666),
    ];
    assert!(in_files("world-writable-path", fine).is_empty());
}

#[test]
fn a_tree_weighs_as_much_as_the_programs_in_it_and_second_names_count() {
    let open = |entries: Vec<Entry>| {
        let found = in_files("world-writable-path", entries);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].severity
    };
    let all = |entry: Entry| vec![dir("/app", 0o777), entry];
    assert_eq!(open(all(file("/app/x", 0o666))), Severity::Medium);
    assert_eq!(open(all(mode(program("/app/x", []), 0o777))), Severity::High);
    assert_eq!(open(all(program("/app/x", []))), Severity::Medium);
    let closed = || vec![dir("/closed", 0o700), mode(file("/closed/x", 0o666), 0o666)];
    assert_eq!(open(closed()), Severity::Low);
    let link = |path: &str| mode(hardlink(path, "/closed/x"), 0o666);
    assert_eq!(open([closed(), vec![link("/open")]].concat()), Severity::Medium);
    assert_eq!(open([closed(), vec![link("/closed/y")]].concat()), Severity::Low);
}
