//! Several reports from one pass, each whole or not there at all.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use crate::process::{finish, oci, run, scant};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_format_from_one_pass() {
    let folder = tempfile::tempdir().unwrap();
    let target = oci("demo");
    let words = [
        "scan",
        "-o",
        "sarif=a.sarif",
        "-o",
        "json=a.json",
        "-o",
        "text",
        &target,
    ];
    let ran = finish(scant(&words).current_dir(folder.path()), b"");
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    assert_eq!(names(folder.path()), ["a.json", "a.sarif"]);
    let file = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    for (format, got) in [
        ("text", ran.out.clone()),
        ("json", file("a.json")),
        ("sarif", file("a.sarif")),
    ] {
        let alone = run(&["scan", "-o", format, &target]);
        assert_eq!((alone.code, alone.out), (Some(1), got), "{format}");
    }
    let mode = fs::metadata(folder.path().join("a.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o644, "a report is an ordinary file");

    let without = finish(
        scant(&["scan", "-o", "json=b.json", &target]).current_dir(folder.path()),
        b"",
    );
    assert_eq!((without.code, without.out.as_str()), (Some(1), ""));
    assert_eq!(file("b.json"), file("a.json"), "two runs are equal");
}

#[test]
fn outputs_that_cannot_be_meant() {
    let target = oci("demo");
    for (words, part) in [
        (
            vec!["-o", "json", "-o", "sarif"],
            "two outputs go to standard output",
        ),
        (vec!["-o", "json=x", "-o", "sarif=x"], "two outputs go to `x`"),
        (vec!["-o", "jsn"], "did you mean `json`?"),
        (vec!["-o", "json="], "names no file"),
    ] {
        let words: Vec<&str> = ["scan", &target].into_iter().chain(words).collect();
        run(&words).refused_with(part);
    }
}

#[test]
fn a_report_replaces_the_old_one_whole() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("a.json");
    fs::write(&old, "old").unwrap();
    // A folder in the way of the rename: the write fails at its very end.
    let taken = folder.path().join("taken");
    fs::create_dir_all(taken.join("x")).unwrap();
    let words = ["scan", "-o", "sarif=taken", "-o", "json=a.json", &oci("demo")];
    let ran = finish(scant(&words).current_dir(folder.path()), b"");
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.starts_with("error: taken: "), "{ran:?}");
    assert_eq!(
        names(folder.path()),
        ["a.json", "taken"],
        "no temporary file is left"
    );

    let words = ["scan", "-o", "json=no/such/folder/a.json", &oci("demo")];
    let ran = finish(scant(&words).current_dir(folder.path()), b"");
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("no/such/folder/a.json"), "{ran:?}");

    // An image that cannot be scanned is a report as well.
    let ran = finish(
        scant(&["scan", "-o", "json=a.json", "oci:absent"]).current_dir(folder.path()),
        b"",
    );
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(fs::read_to_string(&old).unwrap().starts_with('{'));
}

/// A write that fails halfway: the file size is limited, as on a full disk.
#[test]
fn a_write_that_fails_leaves_the_old_report() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("a.json");
    fs::write(&old, "old").unwrap();
    let target = oci("debian-slim");
    // SIGXFSZ is ignored, so that the write itself fails, as it does without room.
    let script = r#"trap '' XFSZ; ulimit -f 8; exec "$0" scan -o json=a.json "$1""#;
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_scant"), &target])
        .env_clear()
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.starts_with("error: a.json: "), "{said}");
    assert_eq!(fs::read_to_string(&old).unwrap(), "old");
    assert_eq!(names(folder.path()), ["a.json"], "no temporary file is left");
}

#[test]
fn json_keeps_to_the_published_schema() {
    let published = include_str!("../../docs/schema/scant-1.json");
    let shown = run(&["schema", "json"]);
    assert_eq!((shown.code, shown.out.as_str()), (Some(0), published));
    let schema: serde_json::Value = serde_json::from_str(published).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for words in [
        vec![oci("demo")],
        vec![oci("demo"), oci("cut-stream"), "oci:absent".to_owned()],
        vec!["--platform=all".to_owned(), oci("two-platforms")],
        vec!["--policy=strict".to_owned(), oci("removed-shell")],
    ] {
        let words: Vec<String> = ["scan", "-o", "json"]
            .map(str::to_owned)
            .into_iter()
            .chain(words)
            .collect();
        let report = run(&words).json();
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{words:?}: {errors:#?}");
    }
}

/// Without the validators this fails: `tests/sarif/install` brings them.
#[test]
fn sarif_is_taken_by_code_scanning() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (one, all) = (file("one.sarif"), file("all.sarif"));
    let github = ["scan", "--sarif-profile", "github", "-o"];
    let demo = oci("demo");
    run(&[&github[..], &[&format!("sarif={one}"), &demo]].concat());
    let two = oci("two-platforms");
    run(&[
        &github[..],
        &[&format!("sarif={all}"), "--platform", "all", &two, &demo],
    ]
    .concat());
    let check = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sarif/check");
    let output = Command::new(check).args([&one, &all]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    for words in [
        vec!["rules".to_owned()],
        vec!["explain".to_owned(), "shell".to_owned()],
        vec!["scan".to_owned(), "-v".to_owned(), oci("debian-slim")],
        vec!["scan".to_owned(), "-o".to_owned(), "json".to_owned(), oci("demo")],
    ] {
        let mut child = scant(&words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
        assert!(output.status.code().is_some(), "{words:?}: {:?}", output.status);
    }
}

#[test]
fn a_link_stays_a_link_and_a_pipe_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let target = oci("distroless-static-nonroot");
    fs::write(at("real.json"), "old").unwrap();
    std::os::unix::fs::symlink("real.json", at("link.json")).unwrap();
    let ran = finish(
        scant(&["scan", "-o", "json=link.json", &target]).current_dir(folder.path()),
        b"",
    );
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(at("link.json").symlink_metadata().unwrap().is_symlink());
    let report = fs::read_to_string(at("real.json")).unwrap();
    assert!(report.contains("\"scant/1\""));

    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    let pipe = at("pipe");
    let reader = std::thread::spawn(move || fs::read_to_string(pipe).unwrap());
    let ran = finish(
        scant(&["scan", "-o", "json=pipe", &target]).current_dir(folder.path()),
        b"",
    );
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(reader.join().unwrap(), report);
    assert!(!at("pipe").is_file(), "the pipe was replaced by a file");
    assert_eq!(names(folder.path()), ["link.json", "pipe", "real.json"]);
}

/// Whatever is asked for, no secret of an image is in what comes out.
#[test]
fn planted_secrets_are_in_no_report() {
    let secrets = [
        "plantedargument81",
        "plantedoption81",
        "plantednpmrc81",
        "cGxhbnRlZDpkb2NrZXI4MQ",
        "plantedhash",
        "plantedvariable81",
        "plantedaddress81",
        "plantedlabel81",
        "plantedword81",
        "MIIEpAIBAAKCAQEA",
    ];
    let target = oci("secrets");
    for words in [
        &["-o", "text"][..],
        &["-o", "text", "-v"],
        &["-o", "text", "--color", "always", "-v"],
        &["-o", "json"],
        &["-o", "json", "-v"],
        &["-o", "sarif", "--sarif-profile", "plain"],
        &["-o", "sarif", "--sarif-profile", "github"],
        &["-o", "json", "-p", "strict"],
    ] {
        let words: Vec<&str> = ["scan", &target]
            .into_iter()
            .chain(words.iter().copied())
            .collect();
        let ran = run(&words);
        assert_eq!(ran.code, Some(1), "{words:?}: {}", ran.err);
        assert!(ran.out.contains("secret"), "{words:?}");
        for secret in secrets {
            assert!(!ran.out.contains(secret), "{secret} is shown by {words:?}");
            assert!(!ran.err.contains(secret), "{secret} is told by {words:?}");
        }
    }
}
