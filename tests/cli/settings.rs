//! Settings: `scant.toml` found upwards, the environment over it, the command line over both.

use std::{fs, path::Path};

use crate::process::{Ran, finish, oci, scant};

fn folder(settings: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("a/b")).unwrap();
    fs::write(folder.path().join("scant.toml"), settings).unwrap();
    folder
}

fn scan(at: &Path, variables: &[(&str, &str)], words: &[&str]) -> Ran {
    let demo = oci("demo");
    let words: Vec<&str> = ["scan", "-o", "json", &demo]
        .iter()
        .chain(words)
        .copied()
        .collect();
    finish(scant(&words).envs(variables.iter().copied()).current_dir(at), b"")
}

fn policy(ran: &Ran) -> String {
    ran.json()["policy"]["name"].as_str().unwrap().to_owned()
}

#[test]
fn the_command_line_wins_over_the_environment_over_the_file() {
    let folder = folder("policy = \"minimal\"\n");
    let below = folder.path().join("a/b");
    let environment = [("SCANT_POLICY", "runtime")];
    assert_eq!(policy(&scan(&below, &[], &[])), "minimal");
    assert_eq!(policy(&scan(&below, &environment, &[])), "runtime");
    assert_eq!(
        policy(&scan(&below, &environment, &["--policy", "strict"])),
        "strict"
    );
    // The nearest file counts, alone.
    fs::write(folder.path().join("a/scant.toml"), "jobs = 1\n").unwrap();
    assert_eq!(policy(&scan(&below, &[], &[])), "distroless");
    let named = folder.path().join("scant.toml");
    assert_eq!(
        policy(&scan(&below, &[], &["--config", named.to_str().unwrap()])),
        "minimal"
    );
    let variable = [("SCANT_CONFIG", named.to_str().unwrap())];
    assert_eq!(policy(&scan(&below, &variable, &[])), "minimal");
    // An empty variable says nothing.
    assert_eq!(
        policy(&scan(folder.path(), &[("SCANT_POLICY", "")], &[])),
        "minimal"
    );
}

#[test]
fn paths_are_meant_from_where_the_file_lies() {
    let waiver = "[[waiver]]\nrule = \"shell\"\nreason = \"known\"\nexpires = \"never\"\n";
    let folder = folder("policy = \"own.toml\"\nwaivers = [\"accepted.toml\"]\n");
    fs::write(folder.path().join("own.toml"), "extends = \"minimal\"\n").unwrap();
    fs::write(folder.path().join("accepted.toml"), waiver).unwrap();
    let ran = scan(&folder.path().join("a/b"), &[], &[]);
    assert!(ran.out.contains("\"reason\": \"known\""), "{ran:?}");
}

#[test]
fn outputs_from_settings_and_environment() {
    let folder = folder("output = [\"text\", \"json=scant.json\"]\n");
    let demo = oci("demo");
    let run = |variables: &[(&str, &str)]| {
        let mut command = scant(&["scan", &demo]);
        finish(
            command.envs(variables.iter().copied()).current_dir(folder.path()),
            b"",
        )
    };
    let ran = run(&[]);
    assert!(ran.code == Some(1) && ran.out.starts_with("E "), "{ran:?}");
    assert!(folder.path().join("scant.json").is_file());
    let ran = run(&[("SCANT_OUTPUT", "json,sarif=x.sarif")]);
    assert!(ran.json()["schema"] == "scant/1" && folder.path().join("x.sarif").is_file());
    let ran = run(&[("SCANT_EXIT_ZERO", "true")]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = run(&[("SCANT_EXIT_ZERO", "1"), ("SCANT_JOBS", "2")]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = run(&[("SCANT_EXIT_ZERO", "0")]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
}

#[test]
fn wrong_settings_are_refused_with_the_place() {
    for (text, part) in [
        ("polcy = \"strict\"", "did you mean `policy`?"),
        ("platform = 3", "platform"),
        ("= 3", "scant.toml"),
        ("jobs = 0", "jobs"),
        ("output = [\"jsn\"]", "did you mean `json`?"),
        ("policy = \"strikt\"", "did you mean `strict`?"),
    ] {
        let folder = folder(text);
        let ran = finish(
            scant(&["scan", &oci("demo")]).current_dir(folder.path().join("a")),
            b"",
        );
        ran.refused_with(part);
    }
    let ran = scan(Path::new("/"), &[("SCANT_JOBS", "many")], &[]);
    ran.refused_with("many");
    let ran = scan(Path::new("/"), &[], &["--config", "absent.toml"]);
    ran.refused_with("settings file `absent.toml`");
}
