//! Documents that show what scant prints; `UPDATE=1` writes them anew.

use std::{env, fs, path::PathBuf};

use crate::process::{oci, run};

fn root(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn updating() -> bool {
    env::var_os("UPDATE").is_some_and(|value| value == "1")
}

/// Compares a part of a file between two marks with what it should be.
#[track_caller]
fn part(file: &str, name: &str, want: &str, same: impl Fn(&str) -> String) {
    let path = root(file);
    let text = fs::read_to_string(&path).unwrap();
    let (begin, end) = (
        format!("<!-- {name}: begin -->\n"),
        format!("<!-- {name}: end -->"),
    );
    let (before, rest) = text.split_once(&begin).unwrap();
    let (is, after) = rest.split_once(&end).unwrap();
    if same(is) == same(want) {
        return;
    }
    if updating() {
        fs::write(path, format!("{before}{begin}{want}{end}{after}")).unwrap();
        return;
    }
    assert_eq!(
        same(is),
        same(want),
        "{file} is not up to date: run this test with UPDATE=1"
    );
}

/// The README's two parts are written one after the other: it is one file.
#[test]
fn the_readme_shows_what_is_true() {
    part(
        "README.md",
        "rules",
        &run(&["rules", "--markdown"]).out,
        str::to_owned,
    );
    let picture = run(&["scan", &oci("demo")]);
    assert_eq!(picture.code, Some(1));
    part(
        "README.md",
        "picture",
        &format!("```text\n{}```\n", picture.out),
        masked,
    );
}

/// A picture without what depends on the machine that assembled the image: its shell, digests and sizes.
fn masked(picture: &str) -> String {
    let mut lines = Vec::new();
    for line in picture.lines() {
        let mut words = Vec::new();
        let mut size = false;
        for word in line.split_whitespace() {
            let was_number = words
                .last()
                .is_some_and(|last: &String| last.parse::<f64>().is_ok());
            size |= was_number && matches!(word, "kB" | "MB");
            if size && was_number && matches!(word, "kB" | "MB") {
                words.pop();
                words.push("SIZE".into());
            } else if word.starts_with("sha256:") {
                words.push("DIGEST".into());
            } else if ["dash", "bash", "busybox"].contains(&word) {
                words.push("SHELL".into());
            } else {
                words.push(word.into());
            }
        }
        lines.push(words.join(" "));
    }
    lines.join("\n")
}

#[test]
fn masks_hide_only_what_depends_on_the_machine() {
    assert_eq!(masked("a  2.9 MB sha256:00 dash\nb"), "a SIZE DIGEST SHELL\nb");
    assert_eq!(masked("40 of 100"), "40 of 100");
}

#[test]
fn help_is_as_it_was() {
    let pages: [(&str, &[&str]); 10] = [
        ("scant", &["--help"]),
        ("scan", &["scan", "--help"]),
        ("scan-short", &["scan", "-h"]),
        ("identify", &["identify", "--help"]),
        ("explain", &["explain", "--help"]),
        ("rules", &["rules", "--help"]),
        ("policy", &["policy", "--help"]),
        ("policy-show", &["policy", "show", "--help"]),
        ("policy-check", &["policy", "check", "--help"]),
        ("schema", &["schema", "--help"]),
    ];
    for (name, words) in pages {
        let ran = run(words);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{name}");
        let path = root(&format!("tests/golden/help/{name}.txt"));
        if updating() {
            fs::write(&path, &ran.out).unwrap();
        }
        let want = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            ran.out, want,
            "{name}: look at it, then run this test with UPDATE=1"
        );
    }
}

#[test]
fn the_version_is_the_packages() {
    let ran = run(&["--version"]);
    assert_eq!(
        (ran.code, ran.out),
        (Some(0), format!("scant {}\n", env!("CARGO_PKG_VERSION")))
    );
}

/// Every flag is in some document, under the name that the help gives it.
#[test]
fn every_flag_of_a_scan_is_documented() {
    let mut documents = fs::read_to_string(root("README.md")).unwrap();
    for file in fs::read_dir(root("docs")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            documents += &fs::read_to_string(path).unwrap();
        }
    }
    let help = run(&["scan", "--help"]).out;
    let flags = help
        .split_whitespace()
        .filter(|word| word.starts_with("--"))
        .map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-'));
    let missing: Vec<&str> = flags
        .filter(|flag| *flag != "--help" && !documents.contains(*flag))
        .collect();
    assert_eq!(missing, [""; 0]);
}
