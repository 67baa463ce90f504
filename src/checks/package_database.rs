//! A package database records what a package manager installed: it tells that the image was made by one, and what is in it.

use crate::{
    finding::{Finding, Rule},
    layer::Kind,
    path::RootPath,
    rootfs::Node,
};

use super::{Check, Subject, identify};

const RULE: &str = "package-database";

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: &[],
    run,
};

/// A package manager's database: the files that make it one, in the directory that goes with it.
struct Database {
    manager: &'static str,
    files: &'static [&'static str],
}

/// `var/lib/dpkg/status.d`, which distroless images keep for scanners, is deliberately none of them.
const DATABASES: &[Database] = &[
    Database {
        manager: "dpkg",
        files: &["/var/lib/dpkg/status"],
    },
    Database {
        manager: "apk",
        files: &["/lib/apk/db/installed", "/usr/lib/apk/db/installed"],
    },
    Database {
        manager: "rpm",
        files: &[
            "/var/lib/rpm/rpmdb.sqlite",
            "/var/lib/rpm/Packages",
            "/var/lib/rpm/Packages.db",
            "/usr/lib/sysimage/rpm/rpmdb.sqlite",
            "/usr/lib/sysimage/rpm/Packages",
            "/usr/lib/sysimage/rpm/Packages.db",
        ],
    },
    Database {
        manager: "pacman",
        files: &["/var/lib/pacman/local/ALPM_DB_VERSION"],
    },
    Database {
        manager: "opkg",
        files: &["/var/lib/opkg/status", "/usr/lib/opkg/status"],
    },
];

/// Which package manager's database this path belongs to, as its main file.
pub(super) fn manager(path: &RootPath) -> Option<&'static str> {
    let known = |database: &&Database| database.files.iter().any(|file| RootPath::from(*file) == *path);
    DATABASES.iter().find(known).map(|database| database.manager)
}

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(rule) = Rule::get(RULE) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for database in DATABASES {
        for file in database.files {
            let path = RootPath::from(*file);
            let Some(node) = subject.rootfs.get(&path) else {
                continue;
            };
            if node.kind == Kind::File && node.size > 0 {
                found.push(finding(rule, database, path, node, subject));
            }
        }
    }
    found
}

fn finding(
    rule: &'static Rule,
    database: &Database,
    path: RootPath,
    node: &Node,
    subject: &Subject<'_>,
) -> Finding {
    let directory = path.parent().unwrap_or_default();
    let kept = directory.join(b"status.d");
    let bytes = subject
        .rootfs
        .nodes()
        .filter(|node| node.kind == Kind::File)
        .filter(|node| {
            node.paths
                .iter()
                .any(|path| path.is_below(&directory) && !path.is_below(&kept))
        })
        .map(|node| node.size)
        .fold(0, u64::saturating_add);
    let mut finding = Finding::new(
        rule,
        format!(
            "{path} is the database of {}: the image was made by installing packages into it",
            database.manager
        ),
        "Build the final stage from a base without a package manager; do not delete the database alone, since scanners \
         then no longer see what is installed",
    );
    finding.aliases = identify::aliases(node, subject);
    finding.layer = Some(node.layer);
    finding.bytes = bytes;
    finding.path = Some(path);
    finding
}
