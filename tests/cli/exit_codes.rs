//! Exit codes: of the verdict alone, the highest of all images.

use std::net::TcpListener;

use crate::process::{oci, run};

fn code(words: &[&str]) -> i32 {
    let words: Vec<&str> = ["scan"].iter().chain(words).copied().collect();
    run(&words).code.unwrap()
}

/// A reference to a port where nobody listens.
fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("{}/x", listener.local_addr().unwrap())
}

#[test]
fn every_code() {
    let (good, bad, cut) = (oci("distroless-static-nonroot"), oci("demo"), oci("cut-stream"));
    let absent = "oci:/absent";
    assert_eq!(code(&[&good]), 0);
    assert_eq!(code(&[&bad]), 1);
    assert_eq!(code(&["--policy", "no-such-profile", &good]), 2);
    assert_eq!(code(&[&cut]), 3);
    assert_eq!(code(&[absent]), 3);
    assert_eq!(code(&["ghcr.io/UPPER/case"]), 3, "a name that cannot be meant");
    // With several images the highest one.
    assert_eq!(code(&[&bad, &good]), 1);
    assert_eq!(code(&[&good, absent, &bad]), 3);
    // Only 1 is turned into 0.
    assert_eq!(code(&["--exit-zero", &bad]), 0);
    assert_eq!(code(&["--exit-zero", "--policy", "no-such-profile", &bad]), 2);
    assert_eq!(code(&["--exit-zero", &cut]), 3);
}

#[test]
fn a_closed_port_is_worth_a_retry() {
    let (closed, bad) = (closed(), oci("demo"));
    let ran = run(&["scan", "--exit-zero", "-o", "json", &closed, &bad, "oci:/absent"]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    let report = ran.json();
    assert_eq!(report["images"][0]["error"]["retryable"], true);
    assert_eq!(report["images"][1]["compliant"], false);
    assert_eq!(report["summary"]["exit_code"], 4);
}

#[test]
fn formats_never_change_the_code() {
    for (name, want) in [("distroless-static-nonroot", 0), ("demo", 1), ("cut-stream", 3)] {
        for format in ["text", "json", "sarif"] {
            assert_eq!(code(&["-o", format, &oci(name)]), want, "{name} as {format}");
        }
    }
}

#[test]
fn mistakes_of_the_command_line() {
    for words in [
        &["scan"][..],
        &["scn"],
        &["scan", "--no-such-flag", "x"],
        &["scan", "--jobs", "0", "x"],
        &["scan", "-q", "-v", "x"],
        &["scan", "--platform", "amd64", "x"],
        &["schema", "xml"],
        &["explain"],
        &["explain", "shel"],
        &[],
    ] {
        let ran = run(words);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{words:?}: {ran:?}");
        assert!(!ran.err.is_empty());
    }
    run(&["scn"]).refused_with("scan");
}
