//! The JSON report keeps to its schema, and the schema says all that the report holds.

use jsonschema::Validator;
use scant::{
    failure::Code,
    output::{Format, Style, schema},
    report::Outcome,
};
use serde_json::Value;

use crate::{samples, written};

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(schema()).expect("the schema is JSON");
    jsonschema::draft202012::meta::validate(&schema).expect("the schema is a schema");
    jsonschema::draft202012::new(&schema).expect("the schema compiles")
}

fn json(report: &scant::report::Report) -> Value {
    serde_json::from_slice(&written(Format::Json, report, &Style::default())).expect("JSON")
}

#[test]
fn reports_keep_to_the_schema() {
    let validator = validator();
    let more = [("flood", samples::flood()), ("fleet", samples::fleet(21))];
    for (name, report) in samples::all().into_iter().chain(more) {
        let document = json(&report);
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

/// A schema that takes everything would prove nothing: each of these must be refused.
#[test]
fn the_schema_refuses_what_is_wrong() {
    let validator = validator();
    let good = json(&samples::bad());
    assert!(validator.is_valid(&good));
    let spoilt: [(&str, Value); 12] = [
        ("/schema", "scant/2".into()),
        ("/policy/pass_mark", 101.into()),
        ("/summary/exit_code", 5.into()),
        ("/images/0/status", "fine".into()),
        ("/images/0/status", "incomplete".into()),
        ("/images/0/grade", Value::Null),
        ("/images/0/digest", "sha256:00".into()),
        ("/images/0/findings/0/path", "usr/bin/bash".into()),
        ("/images/0/findings/0/severity", "severe".into()),
        ("/images/0/findings/0/fingerprint", "x".into()),
        ("/images/0/findings/0/identity/confidence", "maybe".into()),
        ("/images/0/config/env", Value::Null),
    ];
    for (place, value) in spoilt {
        let mut bad = good.clone();
        *bad.pointer_mut(place)
            .unwrap_or_else(|| panic!("{place} is gone")) = value;
        assert!(!validator.is_valid(&bad), "{place}");
    }
    let mut bad = good;
    bad["images"][0]["findings"][0]["nonsense"] = 1.into();
    assert!(!validator.is_valid(&bad), "an unknown field");
}

#[test]
fn every_error_code_is_in_the_schema() {
    let schema: Value = serde_json::from_str(schema()).expect("JSON");
    let place = "/$defs/image/properties/error/properties/code/enum";
    let listed: Vec<&str> = schema
        .pointer(place)
        .and_then(Value::as_array)
        .expect("the codes")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(listed, Code::ALL.map(Code::as_str));
}

#[test]
fn fields_come_in_the_documented_order() {
    let text = String::from_utf8(written(Format::Json, &samples::bad(), &Style::default())).expect("UTF-8");
    let order = |text: &str, keys: &[&str]| {
        let mut from = 0;
        for key in keys {
            let at = text[from..].find(&format!("\"{key}\":"));
            from += at.unwrap_or_else(|| panic!("{key} is missing or out of order"));
        }
    };
    order(
        &text,
        &["schema", "tool", "policy", "summary", "images", "unused_waivers"],
    );
    order(
        &text,
        &[
            "target",
            "reference",
            "digest",
            "index_digest",
            "platform",
            "status",
            "error",
            "compliant",
            "score",
            "grade",
            "caps",
            "user",
            "config",
            "layers",
            "bytes",
            "capabilities",
            "combinations",
            "notes",
            "gaps",
            "findings",
        ],
    );
    order(
        &text[text.find("\"findings\":").expect("findings")..],
        &[
            "rule",
            "severity",
            "level",
            "path",
            "subject",
            "aliases",
            "identity",
            "layer",
            "instruction",
            "location",
            "state",
            "capabilities",
            "message",
            "fix",
            "points",
            "fingerprint",
            "waiver",
        ],
    );
}

#[test]
fn paths_that_are_no_utf8_keep_their_bytes() {
    let report = json(&samples::hostile());
    let findings = report["images"][0]["findings"].as_array().expect("findings");
    let odd: Vec<&Value> = findings
        .iter()
        .filter(|one| one.get("path_hex").is_some())
        .collect();
    assert_eq!(odd.len(), 1);
    assert_eq!(odd[0]["path"], "/latin-\u{fffd}\u{fffd}");
    assert_eq!(odd[0]["path_hex"], "2f6c6174696e2de9ff");
    assert_eq!(
        odd[0]["aliases"][0]["path_hex"],
        "2f6c6174696e2de9ff2fff2d6c696e6b"
    );
}

#[test]
fn an_unread_image_is_never_compliant() {
    let mut report = samples::incomplete();
    for image in &mut report.images {
        if let Outcome::Judged(verdict) = &mut image.outcome {
            verdict.compliant = Some(true); // a defect elsewhere must not pass the output
        }
    }
    let document = json(&report);
    assert_eq!(document["images"][0]["status"], "incomplete");
    assert_eq!(document["images"][0]["compliant"], Value::Null);
    assert_eq!(document["summary"]["incomplete"], 1);
    assert_eq!(document["summary"]["compliant"], 0);
}
