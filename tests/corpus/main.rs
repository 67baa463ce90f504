//! The sample images: scant says of each what its recipe expects, in equal bytes for any number of jobs, and the grades of the
//! design's anchors come out.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files and starts programs, and panics when something is wrong"
)]

mod arrival;
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

/// The anchors of grading: whatever the arithmetic of the rubric, these come out. `at best` is `<=`, `or better` is `>=`.
const ANCHORS: &[(&str, &str, &str, &str)] = &[
    (
        "one static program, uid and gid numeric",
        "scratch-static",
        "distroless",
        "= A+",
    ),
    (
        "the same with the uid alone: group 0",
        "scratch-static-uid",
        "distroless",
        ">= A",
    ),
    (
        "distroless static as nonroot, with an app",
        "go-static-nonroot",
        "distroless",
        "= A+",
    ),
    (
        "distroless base as nonroot, with an app",
        "go-base-nonroot",
        "distroless",
        "= A+",
    ),
    (
        "distroless cc as nonroot, with an app",
        "go-cc-nonroot",
        "distroless",
        "= A+",
    ),
    (
        "a base that carries openssl",
        "go-base-openssl",
        "distroless",
        "= A",
    ),
    ("a user by name", "go-base-named", "distroless", ">= A"),
    ("java as nonroot", "java-distroless", "runtime", ">= A"),
    ("node as nonroot", "node-distroless-nonroot", "runtime", ">= A"),
    ("python as nonroot", "python-distroless-venv", "runtime", ">= A"),
    ("root, unset or by number", "go-base-root", "distroless", "<= B"),
    (
        "root by a name that maps to uid 0",
        "root-by-name",
        "distroless",
        "<= B",
    ),
    ("node as root", "node-distroless", "runtime", "<= B"),
    ("a debug variant with busybox", "debug", "distroless", "<= D"),
    (
        "an app on an Alpine-like base, not root",
        "node-alpine-user",
        "distroless",
        "<= E",
    ),
    (
        "an app on a slim base, not root",
        "go-slim-user",
        "distroless",
        "<= E",
    ),
    ("an app on a slim base, as root", "go-slim", "distroless", "= F"),
    ("a full node image", "node-single", "distroless", "= F"),
    ("a full python image", "python-single", "distroless", "= F"),
    (
        "busybox under another name as the app",
        "renamed-busybox",
        "distroless",
        "<= D",
    ),
    (
        "a shell removed in a later layer",
        "removed-shell",
        "distroless",
        ">= A",
    ),
];

#[test]
fn the_anchors_of_grading_hold() {
    let place = |grade: &str| {
        ["F", "E", "D", "C", "B", "A", "A+"]
            .iter()
            .position(|known| *known == grade)
    };
    let mut faults = Vec::new();
    for (what, name, profile, anchor) in ANCHORS {
        let target = format!("oci:{}", layout(name).display());
        let report = report(&scant(&["scan", "-o", "json", "--policy", profile, &target]));
        let grade = report["images"][0]["grade"].as_str().unwrap_or("none").to_owned();
        let (sign, wanted) = anchor.split_once(' ').unwrap();
        let order = place(&grade).cmp(&place(wanted));
        let holds = match sign {
            "=" => order.is_eq(),
            ">=" => order.is_ge(),
            _ => order.is_le() && place(&grade).is_some(),
        };
        if !holds {
            faults.push(format!("{what} ({name}, {profile}): {grade}, wanted {anchor}"));
        }
    }
    let strict = report(&scant(&[
        "scan",
        "-o",
        "json",
        "--policy",
        "strict",
        &format!("oci:{}", layout("removed-shell").display()),
    ]));
    if strict["images"][0]["compliant"] != false {
        faults.push("strict does not deny residue".to_owned());
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn each_step_towards_distroless_is_worth_something() {
    let score = |name: &str| {
        let report = report(&scant(&[
            "scan",
            "-o",
            "json",
            &format!("oci:{}", layout(name).display()),
        ]));
        report["images"][0]["score"]
            .as_f64()
            .unwrap_or_else(|| panic!("{name} has no score"))
    };
    let steps = [
        "node-single",
        "node-alpine",
        "node-distroless",
        "node-distroless-nonroot",
        "scratch-static",
    ]
    .map(score);
    assert!(steps.is_sorted(), "{steps:?}");
    assert!(
        steps[1] < steps[2] && steps[2] < steps[3] && steps[3] < steps[4],
        "{steps:?}"
    );
}
