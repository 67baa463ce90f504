//! The sample images: scant says of each what its recipe expects, in equal bytes for any number of jobs, and the grades of the
//! design's anchors come out.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files and starts programs, and panics when something is wrong"
)]

mod expectation;

use std::{
    process::{Command, Output},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use expectation::{layout, samples};
use serde_json::Value;

/// Runs scant as a user would, without the settings of whoever runs the tests.
fn scant(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_scant"))
        .args(words)
        .env_clear()
        .env("SOURCE_DATE_EPOCH", "1790000000")
        .output()
        .unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn every_sample_is_judged_as_its_recipe_expects() {
    let samples = samples();
    let next = AtomicUsize::new(0);
    let unmet = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(sample) = samples.get(next.fetch_add(1, Ordering::Relaxed)) {
                    for expect in &sample.expect {
                        let target = format!("oci:{}", layout(&sample.name).display());
                        let mut words = vec!["scan", "-o", "json", "--policy", &expect.profile];
                        if let Some(platform) = &expect.platform {
                            words.extend(["--platform", platform]);
                        }
                        words.push(&target);
                        let output = scant(&words);
                        let exit = output.status.code().unwrap_or(-1);
                        for what in expect.unmet(&report(&output), exit) {
                            unmet
                                .lock()
                                .unwrap()
                                .push(format!("{} ({}): {what}", sample.name, expect.profile));
                        }
                    }
                }
            });
        }
    });
    let mut unmet = unmet.into_inner().unwrap();
    unmet.sort();
    assert!(
        unmet.is_empty(),
        "{} expectations are not met:\n{}",
        unmet.len(),
        unmet.join("\n")
    );
}

#[test]
fn a_broken_expectation_is_noticed() {
    let sample = samples()
        .into_iter()
        .find(|sample| sample.name == "demo")
        .unwrap();
    let output = scant(&["scan", "-o", "json", &format!("oci:{}", layout("demo").display())]);
    let mut report = report(&output);
    assert_eq!(sample.expect[0].unmet(&report, 1), [""; 0]);
    assert_eq!(sample.expect[0].unmet(&report, 0).len(), 1);
    report["images"][0]["grade"] = "A".into();
    report["images"][0]["findings"] = Value::Array(Vec::new());
    assert!(sample.expect[0].unmet(&report, 1).len() > 3);
}

#[test]
fn reports_do_not_depend_on_jobs_or_order_of_work() {
    let names = ["demo", "two-platforms", "debug", "debian-slim"];
    let targets: Vec<String> = names
        .iter()
        .map(|name| format!("oci:{}", layout(name).display()))
        .collect();
    for format in ["json", "sarif", "text"] {
        let run = |jobs: &str| {
            let mut words = vec!["scan", "--platform", "all", "-o", format, "--jobs", jobs];
            words.extend(targets.iter().map(String::as_str));
            let output = scant(&words);
            assert!(
                !output.stdout.is_empty(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            output.stdout
        };
        let one = run("1");
        assert_eq!(one, run("8"), "{format}");
        assert_eq!(one, run("3"), "{format}");
    }
}
