//! The house rules, enforced: which module may use which, and what every source file looks like.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files and starts programs, and panics when something is wrong"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Each module with the modules it may use, bottom-up: one may only name modules listed above it, so there is no cycle.
const MAY_USE: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("limits", &[]),
    ("cli", &[]),
    ("dockerfile", &[]),
    ("catalog", &["text"]),
    ("failure", &["text"]),
    ("path", &["text"]),
    ("image", &["text"]),
    ("gap", &["path"]),
    ("reference", &["failure", "image", "text"]),
    ("target", &["failure", "image", "reference", "text"]),
    ("tar", &["failure", "limits"]),
    ("binary", &["catalog", "limits", "tar", "text"]),
    (
        "layer",
        &[
            "binary", "catalog", "failure", "gap", "image", "limits", "path", "tar", "text",
        ],
    ),
    (
        "source",
        &[
            "failure",
            "gap",
            "image",
            "limits",
            "path",
            "reference",
            "tar",
            "target",
            "text",
        ],
    ),
    ("rootfs", &["binary", "gap", "layer", "limits", "path", "text"]),
    ("finding", &["image", "path", "text"]),
    (
        "checks",
        &[
            "binary", "catalog", "finding", "gap", "image", "layer", "limits", "path", "rootfs", "text",
        ],
    ),
    ("policy", &["finding", "image", "path", "text"]),
    ("score", &["finding", "policy"]),
    (
        "report",
        &["failure", "finding", "image", "path", "policy", "score"],
    ),
    (
        "output",
        &[
            "failure", "finding", "image", "path", "policy", "report", "score", "text",
        ],
    ),
    (
        "scan",
        &[
            "catalog",
            "checks",
            "dockerfile",
            "failure",
            "finding",
            "gap",
            "image",
            "layer",
            "path",
            "policy",
            "report",
            "rootfs",
            "score",
            "source",
            "target",
            "text",
        ],
    ),
    (
        "config",
        &[
            "catalog",
            "cli",
            "dockerfile",
            "image",
            "limits",
            "output",
            "policy",
            "scan",
            "source",
            "target",
            "text",
        ],
    ),
    (
        "command",
        &[
            "binary", "catalog", "cli", "config", "finding", "limits", "output", "policy", "report", "scan",
            "text",
        ],
    ),
];

/// Lines of a file before its tests; what is longer wants to be two files.
const LONGEST_FILE: usize = 400;

#[test]
fn modules_use_only_what_the_table_allows() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    for (path, module, code) in sources() {
        if module == "lib" || module == "main" || is_test(&path) {
            continue;
        }
        let may = allowed
            .get(module.as_str())
            .unwrap_or_else(|| panic!("add `{module}` to the table"));
        for used in crate_uses(&code) {
            if used != module && !may.contains(&used.as_str()) {
                faults.push(format!("{}: `{module}` must not use `{used}`", path.display()));
            }
        }
        let levels = path.components().count() - 1 - usize::from(path.ends_with("mod.rs"));
        let leaves = before_tests(&code).contains(&"super::".repeat(levels));
        if leaves {
            faults.push(format!("{}: leaves its module by `super`", path.display()));
        }
        seen.insert(module);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    for (module, _) in MAY_USE {
        assert!(
            seen.contains(*module),
            "the table lists `{module}`, which is gone"
        );
    }
}

#[test]
fn the_table_has_no_cycle() {
    let mut above = BTreeSet::new();
    for (module, uses) in MAY_USE {
        for used in *uses {
            assert!(
                above.contains(used),
                "`{module}` names `{used}` before it is listed"
            );
        }
        above.insert(*module);
    }
}

#[test]
fn files_say_what_they_are_and_stay_short() {
    let mut faults = Vec::new();
    for (path, _, code) in sources() {
        let mut hold = |holds: bool, what: &str| {
            if !holds {
                faults.push(format!("{}: {what}", path.display()));
            }
        };
        hold(
            code.starts_with("//! "),
            "begin with one `//!` sentence that defines its word",
        );
        let lines = before_tests(&code).lines().count();
        hold(
            is_test(&path) || lines <= LONGEST_FILE,
            "more than 400 lines before its tests; split it by meaning",
        );
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        let nameless = ["utils", "util", "common", "helpers", "misc", "types"].contains(&stem);
        hold(!nameless, "a thing that finds no home has no name yet");
        let folder = path.with_extension("");
        hold(
            stem == "lib" || !folder.is_dir(),
            "one module style: a folder with a `mod.rs`",
        );
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn main_stays_an_edge() {
    let main = fs::read_to_string("src/main.rs").unwrap();
    assert!(
        main.lines().count() < 80,
        "main.rs parses, hands on and exits, and nothing else"
    );
}

#[test]
fn nothing_decompresses_http() {
    // A decompressing HTTP client would change what digests are taken of.
    let lock = fs::read_to_string("Cargo.lock").unwrap();
    assert!(lock.contains("name = \"reqwest\""), "the lock file was read");
    assert!(
        !lock.contains("name = \"async-compression\""),
        "some crate turned on reqwest's decompression"
    );
}

/// Whether a file holds tests, or what they are made with, and nothing else.
fn is_test(path: &Path) -> bool {
    let names = [
        "tests",
        "tests.rs",
        "testing",
        "testing.rs",
        "samples.rs",
        "fuzzing",
        "fuzzing.rs",
        "model.rs",
    ];
    path.iter().any(|part| names.iter().any(|name| part == *name))
}

/// The code of a file without the tests at its end.
fn before_tests(code: &str) -> &str {
    match code.rsplit_once("\n#[cfg(test)]\n") {
        Some((before, after)) if after.contains("mod tests {") => before,
        _ => code,
    }
}

/// Path, top-level module and text of every file under `src`.
fn sources() -> Vec<(PathBuf, String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|ending| ending == "rs") {
                let inside = entry.strip_prefix("src").unwrap();
                let first = Path::new(inside.components().next().unwrap().as_os_str());
                let module = first.file_stem().unwrap().to_str().unwrap().to_owned();
                let code = fs::read_to_string(&entry).unwrap();
                found.push((entry, module, code));
            }
        }
    }
    assert!(found.len() > 20, "the walk found the sources");
    found
}

/// Top-level modules named after `crate::`, also inside `crate::{a, b::c}`; tests at the end of a file may use any.
fn crate_uses(code: &str) -> BTreeSet<String> {
    let ident = |text: &str| {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let code: Vec<&str> = before_tests(code)
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            used.insert(ident(rest));
            continue;
        };
        let (mut depth, mut item) = (0, String::new());
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    used.insert(ident(item.trim()));
                    item.clear();
                }
                c if depth == 0 => item.push(c),
                _ => {}
            }
        }
        if !item.trim().is_empty() {
            used.insert(ident(item.trim()));
        }
    }
    used
}
