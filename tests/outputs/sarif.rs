//! SARIF as code scanning takes it: by the validators, and by what no validator looks at.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use scant::{
    finding::{RULES, fingerprint},
    output::{Format, SarifProfile, Style, render, render_image},
    path::RootPath,
    policy::Level,
    report::{Outcome, Report},
};
use serde_json::Value;

use crate::{samples, written};

fn style(sarif: SarifProfile) -> Style {
    Style {
        sarif,
        ..Style::default()
    }
}

fn log(report: &Report, style: &Style) -> Value {
    serde_json::from_slice(&written(Format::Sarif, report, style)).expect("SARIF is JSON")
}

fn results(log: &Value, run: usize) -> &[Value] {
    log["runs"][run]["results"]
        .as_array()
        .expect("results are an array")
}

fn uri(result: &Value) -> &str {
    let place = "/locations/0/physicalLocation/artifactLocation/uri";
    result.pointer(place).and_then(Value::as_str).expect("a uri")
}

/// Runs the checker over the files; its exit code and what it said. A check that did not happen is a failure.
fn check(profile: SarifProfile, files: &[PathBuf]) -> (i32, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    #[expect(
        clippy::disallowed_methods,
        reason = "the validators are programs of others, started by tests only"
    )]
    let mut command = Command::new(root.join("tests/sarif/check"));
    if profile == SarifProfile::Plain {
        command.arg("--plain");
    }
    let output = command
        .args(files)
        .current_dir(root)
        .output()
        .expect("tests/sarif/check can be started");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let code = output.status.code().unwrap_or(2);
    assert!(
        code == 0 || code == 1,
        "the SARIF was not checked; if a tool is missing, run tests/sarif/install\n{said}"
    );
    (code, said)
}

/// Writes logs into a folder that goes away with the test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        #[expect(clippy::disallowed_methods, reason = "the validators read files")]
        std::fs::write(&path, bytes).expect("a temporary file");
        path
    }
}

/// Every sample that GitHub has to take: those alone and unread it refuses, see below.
#[test]
fn the_validators_take_every_log_for_github() {
    let folder = Folder::new();
    let style = style(SarifProfile::Github);
    let log = |report: &Report, style: &Style| written(Format::Sarif, report, style);
    let mut files = Vec::new();
    for (name, report) in samples::all() {
        if !["failed", "incomplete"].contains(&name) {
            files.push(folder.put(&format!("{name}.sarif"), &log(&report, &style)));
        }
    }
    files.push(folder.put("flood.sarif", &log(&samples::flood(), &style)));
    files.push(folder.put("twenty.sarif", &log(&samples::fleet(20), &style)));
    let with_category = Style {
        category: Some("images".into()),
        ..style.clone()
    };
    files.push(folder.put("category.sarif", &log(&samples::several(), &with_category)));
    let many = samples::fleet(21);
    let mut last = Vec::new();
    let image = many.images.last().expect("21 images");
    render_image(Format::Sarif, &many, image, &style, &mut last).expect("memory takes everything");
    files.push(folder.put("one-of-many.sarif", &last));
    let (code, said) = check(SarifProfile::Github, &files);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn the_validators_take_every_plain_log() {
    let folder = Folder::new();
    let more = [("flood", samples::flood()), ("fleet", samples::fleet(20))];
    let files: Vec<PathBuf> = samples::all()
        .into_iter()
        .chain(more)
        .map(|(name, report)| {
            let log = written(Format::Sarif, &report, &style(SarifProfile::Plain));
            folder.put(&format!("{name}.sarif"), &log)
        })
        .collect();
    let (code, said) = check(SarifProfile::Plain, &files);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn twins_are_shown_once_and_told() {
    let mut report = samples::bad();
    for image in &mut report.images {
        if let Outcome::Judged(verdict) = &mut image.outcome {
            let twin = verdict.findings[0].clone();
            verdict.findings.push(twin);
        }
    }
    let style = style(SarifProfile::Github);
    let (one, two) = (log(&samples::bad(), &style), log(&report, &style));
    assert_eq!(results(&one, 0).len(), results(&two, 0).len());
    let note = &two["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    assert!(
        note["message"]["text"]
            .as_str()
            .is_some_and(|text| text.starts_with("1 findings have")),
        "{note}"
    );
}

#[test]
fn github_refuses_an_image_that_was_not_read() {
    let folder = Folder::new();
    for (name, report) in [
        ("failed", samples::failed()),
        ("incomplete", samples::incomplete()),
    ] {
        let log = written(Format::Sarif, &report, &style(SarifProfile::Github));
        let (code, said) = check(SarifProfile::Github, &[folder.put("log.sarif", &log)]);
        assert_eq!(code, 1, "{name}: {said}");
        let errors: Vec<&str> = said.lines().filter(|line| !line.contains(": warning ")).collect();
        assert!(
            errors.len() == 1 && errors[0].ends_with("executionSuccessful false: GitHub refuses it"),
            "{name}: {said}"
        );
    }
}

#[test]
fn a_clean_image_closes_its_alerts() {
    for profile in [SarifProfile::Github, SarifProfile::Plain] {
        let log = log(&samples::clean(), &style(profile));
        assert_eq!(results(&log, 0).len(), 0);
        assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], true);
    }
}

#[test]
fn every_rule_is_told_and_indexed() {
    let log = log(&samples::bad(), &style(SarifProfile::Github));
    let rules = log["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .expect("rules");
    let ids: Vec<&str> = rules.iter().filter_map(|rule| rule["id"].as_str()).collect();
    assert_eq!(ids, RULES.iter().map(|rule| rule.id).collect::<Vec<_>>());
    for result in results(&log, 0) {
        let index = result["ruleIndex"].as_u64().expect("an index");
        assert_eq!(
            rules[usize::try_from(index).expect("small")]["id"],
            result["ruleId"]
        );
    }
}

#[test]
fn waived_and_allowed_findings_open_no_alert() {
    let github = log(&samples::waived(), &style(SarifProfile::Github));
    assert_eq!(results(&github, 0).len(), 1);
    assert!(results(&github, 0)[0].get("suppressions").is_none());
    let plain = log(&samples::waived(), &style(SarifProfile::Plain));
    let shown = results(&plain, 0);
    assert_eq!(shown.len(), 2);
    assert_eq!(
        shown[0]["suppressions"][0]["justification"],
        "the application is written in Python; owner team-app; expires 2027-01-31"
    );
    assert_eq!(shown[1]["suppressions"], Value::Array(Vec::new()));
    let allowed = |log: &Value| {
        results(log, 0)
            .iter()
            .any(|one| one["ruleId"] == "package-database")
    };
    assert!(!allowed(&log(&samples::bad(), &style(SarifProfile::Github))));
    let plain = log(&samples::bad(), &style(SarifProfile::Plain));
    assert!(allowed(&plain));
    let one = results(&plain, 0)
        .iter()
        .find(|one| one["ruleId"] == "package-database")
        .expect("it");
    assert_eq!(
        (&one["kind"], &one["level"]),
        (&"informational".into(), &"none".into())
    );
}

/// Tags and digests change from build to build: none may be where alerts are recognised by.
#[test]
fn another_build_of_an_image_keeps_its_alerts() {
    let keys = |report: &Report| -> BTreeSet<(String, String)> {
        let log = log(report, &style(SarifProfile::Github));
        let hash = |one: &Value| one["partialFingerprints"]["primaryLocationLineHash"].to_string();
        results(&log, 0)
            .iter()
            .map(|one| (uri(one).to_owned(), hash(one)))
            .collect()
    };
    let mut rebuilt = samples::bad();
    for image in &mut rebuilt.images {
        if let Outcome::Judged(verdict) = &mut image.outcome {
            verdict.image.reference = Some("ghcr.io/acme/app:1.3".into());
            verdict.image.digest = Some(samples::digest(0x99));
            verdict.layers.reverse();
            for one in &mut verdict.findings {
                one.finding.layer = one.finding.layer.map(|index| 2 - index);
            }
        }
    }
    assert_eq!(keys(&samples::bad()), keys(&rebuilt));
}

#[test]
fn several_platforms_are_told_apart() {
    let log = log(&samples::several(), &style(SarifProfile::Plain));
    let ids: Vec<&str> = log["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .filter_map(|run| run.pointer("/automationDetails/id").and_then(Value::as_str))
        .collect();
    assert_eq!(
        ids,
        [
            "scant/acme/api/linux-amd64/",
            "scant/acme/api/linux-arm64/",
            "scant/acme/app/linux-amd64/",
            "scant/not-scanned/",
            "scant/not-scanned/2/",
        ]
    );
    assert_eq!(
        uri(&results(&log, 1)[0]),
        "container-images/acme/api/linux-arm64/bin/sh"
    );
    assert_eq!(uri(&results(&log, 2)[0]), "container-images/acme/app/bin/bash");
}

#[test]
fn an_unread_image_takes_no_other_with_it() {
    let log = log(&samples::several(), &style(SarifProfile::Github));
    let runs = log["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 2);
    assert!(
        runs.iter()
            .all(|run| run["invocations"][0]["executionSuccessful"] == true)
    );
}

#[test]
fn a_single_image_has_a_category_only_if_asked() {
    let id = |category: Option<&str>| {
        let style = Style {
            category: category.map(str::to_owned),
            ..style(SarifProfile::Github)
        };
        log(&samples::bad(), &style)
            .pointer("/runs/0/automationDetails/id")
            .cloned()
    };
    assert_eq!(id(None), None);
    assert_eq!(id(Some("images")), Some("images/".into()));
    assert_eq!(id(Some("images/app/")), Some("images/app/".into()));
}

#[test]
fn more_runs_than_github_takes_are_refused_here() {
    let mut out = Vec::new();
    let error = render(
        Format::Sarif,
        &samples::fleet(21),
        &style(SarifProfile::Github),
        &mut out,
    );
    assert!(error.unwrap_err().to_string().contains("one file an image"));
    assert!(out.is_empty());
}

#[test]
fn a_flood_is_joined_and_hides_nothing_that_is_worse() {
    let log = log(&samples::flood(), &style(SarifProfile::Github));
    let shown = results(&log, 0);
    assert!(shown.len() <= 5_000);
    assert!(
        shown
            .iter()
            .any(|one| uri(one) == "container-images/acme/app/usr/bin/bash")
    );
    let joined: Vec<&Value> = shown
        .iter()
        .filter(|one| uri(one).ends_with("/opt/dir7"))
        .collect();
    assert_eq!(joined.len(), 1);
    let text = joined[0]["message"]["text"].as_str().expect("text");
    assert!(
        text.starts_with("20 findings of os-utility directly in /opt/dir7, in ghcr.io/acme/app:1.2"),
        "{text}"
    );
    let note = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(note["descriptor"]["id"], "joined-results");
    let text = note["message"]["text"].as_str().expect("text");
    assert!(
        text.starts_with(&format!("6051 findings became {} results", shown.len())),
        "{text}"
    );
}

#[test]
fn a_worse_flood_is_joined_further() {
    let mut report = samples::flood();
    for image in &mut report.images {
        if let Outcome::Judged(verdict) = &mut image.outcome {
            for (n, one) in verdict.findings.iter_mut().enumerate() {
                let path = RootPath::from(format!("/d{n}/x").as_str());
                one.fingerprint = fingerprint("shell", "acme/app", "linux/amd64", Some(&path), None);
                one.finding.rule = samples::rule("shell");
                one.finding.severity = one.finding.rule.severity;
                one.finding.path = Some(path);
                one.level = Level::Deny;
            }
        }
    }
    let log = log(&report, &style(SarifProfile::Github));
    assert_eq!(results(&log, 0).len(), 1);
    assert_eq!(uri(&results(&log, 0)[0]), "container-images/acme/app");
}

#[test]
fn times_are_told_only_if_they_are_given() {
    let text = |seconds| {
        let style = Style {
            source_date_epoch: seconds,
            ..style(SarifProfile::Plain)
        };
        String::from_utf8(written(Format::Sarif, &samples::clean(), &style)).expect("UTF-8")
    };
    assert!(!text(None).contains("Utc"));
    assert!(text(Some(1_700_000_000)).contains(r#""endTimeUtc": "2023-11-14T22:13:20Z""#));
}
