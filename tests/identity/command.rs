//! `scant identify` as a user runs it.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

fn identify(words: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_scant"))
        .arg("identify")
        .args(words)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A folder with the machine's shell under another name, a script and a text.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy("/bin/sh", folder.path().join("healthd")).unwrap();
    fs::create_dir(folder.path().join("inner")).unwrap();
    fs::write(
        folder.path().join("inner/start"),
        "#!/usr/bin/env -S python3 -u\n",
    )
    .unwrap();
    fs::write(
        folder.path().join("inner/bash"),
        "no program, whatever it is called\n",
    )
    .unwrap();
    folder
}

#[test]
fn a_renamed_shell_is_explained() {
    let folder = folder();
    let text = identify(&["healthd"], folder.path());
    let text = String::from_utf8(text.stdout).unwrap();
    for wanted in [
        "healthd\n  form",
        "ELF, ",
        "shell.",
        ", certain",
        " texts of ",
        "rule          shell",
        "exec.shell: it ",
        "T1059.004",
    ] {
        assert!(text.contains(wanted), "{wanted:?} is not in {text}");
    }
    let answer = json(&identify(
        &["--json", "healthd", "inner/bash", "inner/start"],
        folder.path(),
    ));
    let files = answer["files"].as_array().unwrap();
    assert_eq!(files.len(), 3);
    assert_eq!(files[0]["rule"], "shell");
    assert_eq!(files[0]["identities"][0]["confidence"], "certain");
    assert!(
        files[0]["capabilities"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["id"] == "exec.shell")
    );
    assert_eq!(
        (&files[1]["form"], &files[1]["rule"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(files[2]["script"]["interpreter"], "/usr/bin/env");
    assert_eq!(files[2]["script"]["argument"], "-S python3 -u");
}

#[test]
fn of_a_directory_each_program_gets_a_line() {
    let folder = folder();
    let lines = |words: &[&str]| {
        let output = identify(words, folder.path());
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .map(|line| line.split('\t').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(&["."]), ["./healthd", "./inner/start"]);
    assert_eq!(
        lines(&["-v", "."]),
        ["./healthd", "./inner/bash", "./inner/start"]
    );
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_read() {
    let folder = folder();
    let output = identify(&["missing", "healthd"], folder.path());
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("missing\n  unread") && text.contains("rule          shell"),
        "{text}"
    );
}

#[test]
fn own_entries_are_known_from_the_command_line_and_from_settings() {
    let folder = folder();
    let entry = "[[tool]]\nid = \"net.mine\"\nrule = \"network-tool\"\nkind = \"script\"\nscript = [\"python3 -u\"]\n";
    fs::write(folder.path().join("mine.toml"), entry).unwrap();
    let rule = |words: &[&str]| json(&identify(words, folder.path()))["files"][0]["rule"].clone();
    assert_eq!(rule(&["--json", "inner/start"]), Value::Null);
    assert_eq!(
        rule(&["--json", "--catalog", "mine.toml", "inner/start"]),
        "network-tool"
    );
    fs::write(
        folder.path().join("scant.toml"),
        "[catalog]\nextra = [\"mine.toml\"]\n",
    )
    .unwrap();
    assert_eq!(rule(&["--json", "inner/start"]), "network-tool");

    fs::write(folder.path().join("mine.toml"), entry.replace("kind", "kid")).unwrap();
    let output = identify(&["inner/start"], folder.path());
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("mine.toml`: net.mine: there is no key `kid`; did you mean `kind`?"),
        "{said}"
    );
    fs::write(folder.path().join("scant.toml"), "[catalog]\nextras = []\n").unwrap();
    let output = identify(&["inner/start"], folder.path());
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("did you mean `extra`?")
    );
}
