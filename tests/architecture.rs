//! The house rules, enforced: which module may use which, and what every source file looks like.

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
    ("catalog", &[]),
    ("failure", &["text"]),
    ("path", &["text"]),
    ("image", &["text"]),
    ("gap", &["path"]),
    ("reference", &["failure", "image", "text"]),
    ("target", &["failure", "image", "reference", "text"]),
    ("binary", &["catalog", "limits"]),
    (
        "layer",
        &[
            "binary", "catalog", "failure", "gap", "image", "limits", "path", "text",
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
            "target",
            "text",
        ],
    ),
    ("rootfs", &["binary", "gap", "layer", "path", "text"]),
    ("finding", &["image", "path"]),
    (
        "checks",
        &[
            "binary", "catalog", "finding", "gap", "image", "layer", "path", "rootfs", "text",
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
            "catalog", "checks", "failure", "finding", "gap", "image", "layer", "policy", "report", "rootfs",
            "score", "source", "target", "text",
        ],
    ),
    (
        "config",
        &[
            "cli", "image", "limits", "output", "policy", "scan", "source", "target", "text",
        ],
    ),
    (
        "command",
        &[
            "cli", "config", "finding", "output", "policy", "report", "scan", "text",
        ],
    ),
];

/// Lines of a file before its tests; what is longer wants to be two files.
const LONGEST_FILE: usize = 400;

#[test]
fn modules_use_only_what_the_table_allows() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut seen = BTreeSet::new();
    for (path, module, code) in sources() {
        if module == "lib" || module == "main" {
            continue;
        }
        let may = allowed
            .get(module.as_str())
            .unwrap_or_else(|| panic!("add `{module}` to the table"));
        for used in crate_uses(&code) {
            assert!(
                used == module || may.contains(&used.as_str()),
                "{}: `{module}` must not use `{used}`",
                path.display()
            );
        }
        let depth = path.components().count() - 2;
        assert!(
            !code.contains(&"super::".repeat(depth + 1)),
            "{}: leaves its module by `super`",
            path.display()
        );
        seen.insert(module);
    }
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
    for (path, _, code) in sources() {
        let shown = path.display();
        assert!(
            code.starts_with("//! "),
            "{shown}: begin with one `//!` sentence that defines its word"
        );
        let lines = code.lines().take_while(|line| *line != "#[cfg(test)]").count();
        let is_tests = path
            .file_stem()
            .is_some_and(|stem| stem == "tests" || stem == "testing");
        assert!(
            is_tests || lines <= LONGEST_FILE,
            "{shown}: {lines} lines before its tests; split it by meaning"
        );
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        assert!(
            !["utils", "util", "common", "helpers", "misc", "types"].contains(&stem),
            "{shown}: a thing that finds no home has no name yet"
        );
        if let Some(folder) = path.file_stem().map(|stem| path.with_file_name(stem)) {
            assert!(
                !folder.is_dir() || stem == "lib",
                "{shown}: one module style, `{stem}/mod.rs`"
            );
        }
    }
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
    let code: Vec<&str> = code
        .lines()
        .take_while(|line| *line != "#[cfg(test)]")
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
