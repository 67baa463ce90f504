//! Tests of `package-database`.

use super::*;

#[test]
fn databases_are_found_and_what_distroless_keeps_is_not() {
    let found = in_files(
        "package-database",
        [
            sized("/var/lib/dpkg/status", 100),
            sized("/var/lib/dpkg/info/a.list", 10),
            sized("/var/lib/dpkg/status.d/base", 1000),
            sized("/lib/apk/db/installed", 7),
            sized("/var/lib/rpm/rpmdb.sqlite", 9),
        ],
    );
    let got: Vec<(String, u64)> = found
        .iter()
        .map(|finding| (finding.path.as_ref().unwrap().to_string(), finding.bytes))
        .collect();
    assert_eq!(
        got,
        [
            ("/var/lib/dpkg/status".to_owned(), 110),
            ("/lib/apk/db/installed".to_owned(), 7),
            ("/var/lib/rpm/rpmdb.sqlite".to_owned(), 9),
        ]
    );
    let none = [
        sized("/var/lib/dpkg/status.d/base", 1000),
        sized("/var/lib/dpkg/status", 0),
        sized("/srv/lib/apk/db/installed", 5),
        dir("/var/lib/rpm/Packages", 0o755),
    ];
    assert!(in_files("package-database", none).is_empty());
}
