//! Golden reports: every sample in every format, rewritten by `UPDATE=1`.

use std::path::PathBuf;

use scant::{
    finding::Rule,
    output::{Format, SarifProfile, Style, help},
};
use serde_json::{Value, json};

use crate::{samples, written};

fn check(name: &str, got: &[u8]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    #[expect(
        clippy::disallowed_methods,
        reason = "a test asks whether to rewrite its own goldens"
    )]
    let update = std::env::var("UPDATE").is_ok_and(|value| value == "1");
    if update {
        #[expect(clippy::disallowed_methods, reason = "a test rewrites its own goldens")]
        std::fs::write(&path, got).unwrap_or_else(|error| panic!("{name}: {error}"));
        return;
    }
    #[expect(clippy::disallowed_methods, reason = "a test reads its own goldens")]
    let want = std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(
        String::from_utf8_lossy(got),
        String::from_utf8_lossy(&want),
        "{name} has changed; if that is meant, run with UPDATE=1 and read the difference"
    );
}

/// The log with no more than the ids of rules and no taxonomies, which are the same in every log and long.
fn without_help(log: &[u8]) -> Vec<u8> {
    let mut log: Value = serde_json::from_slice(log).expect("SARIF is JSON");
    for run in log["runs"].as_array_mut().expect("runs") {
        let rules = run["tool"]["driver"]["rules"].as_array_mut().expect("rules");
        for rule in rules {
            *rule = json!({ "id": rule["id"] });
        }
        if let Some(run) = run.as_object_mut() {
            run.remove("taxonomies");
        }
    }
    let mut text = serde_json::to_vec_pretty(&log).expect("JSON");
    text.push(b'\n');
    text
}

#[test]
fn the_rules_are_told_as_they_were() {
    let style = Style {
        sarif: SarifProfile::Plain,
        ..Style::default()
    };
    let log: Value =
        serde_json::from_slice(&written(Format::Sarif, &samples::clean(), &style)).expect("JSON");
    let rules = log["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .expect("rules");
    // The first is held whole, of the others what does not come from their page.
    let mut shown = rules.clone();
    for rule in shown.iter_mut().skip(1) {
        if let Some(rule) = rule.as_object_mut() {
            rule.remove("help");
            rule.remove("fullDescription");
        }
    }
    let mut text = serde_json::to_vec_pretty(&shown).expect("JSON");
    text.push(b'\n');
    check("rules.plain.json", &text);
    check("rules.txt", help::rules_table().as_bytes());
    check("rules.md", help::rules_markdown().as_bytes());
    let shell = Rule::get("shell").expect("the first rule");
    check("explain.txt", help::explain(shell, &Style::default()).as_bytes());
}

#[test]
fn reports_are_as_they_were() {
    for (name, report) in samples::all() {
        let style = Style::default();
        check(&format!("{name}.txt"), &written(Format::Text, &report, &style));
        check(&format!("{name}.json"), &written(Format::Json, &report, &style));
        for profile in [SarifProfile::Plain, SarifProfile::Github] {
            let style = Style {
                sarif: profile,
                ..Style::default()
            };
            let log = written(Format::Sarif, &report, &style);
            check(&format!("{name}.{}.sarif", profile.name()), &without_help(&log));
        }
    }
    let verbose = Style {
        verbose: true,
        ..Style::default()
    };
    check(
        "bad.verbose.txt",
        &written(Format::Text, &samples::bad(), &verbose),
    );
}

#[test]
fn equal_reports_give_equal_bytes() {
    for (name, report) in samples::all() {
        for format in Format::ALL {
            let style = Style::default();
            assert_eq!(
                written(format, &report, &style),
                written(format, &report.clone(), &style),
                "{name} as {format}"
            );
        }
    }
}
