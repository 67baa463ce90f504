//! An expectation is what a recipe under `images/` says that a perfect scanner must say of its image.

use std::{fs, path::PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// Grades, best first.
const GRADES: [&str; 7] = ["A+", "A", "B", "C", "D", "E", "F"];

/// A sample image with what is expected of it.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) expect: Vec<Expect>,
}

#[derive(Deserialize)]
struct Recipe {
    #[serde(default)]
    expect: Vec<Expect>,
}

/// One `[[expect]]` of a recipe: see `images/README.md`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    #[serde(default = "distroless")]
    pub(crate) profile: String,
    pub(crate) platform: Option<String>,
    exit: Option<i32>,
    grade: Option<String>,
    at_best: Option<String>,
    at_least: Option<String>,
    #[serde(default)]
    incomplete: bool,
    #[serde(default)]
    findings: Vec<Description>,
    #[serde(default)]
    absent: Vec<Description>,
    #[serde(default)]
    residue: Vec<String>,
    #[serde(default)]
    none: bool,
    #[serde(default)]
    no_other_deny: bool,
}

fn distroless() -> String {
    "distroless".to_owned()
}

/// As much of a finding as is worth saying.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    rule: String,
    path: Option<String>,
    subject: Option<String>,
    name: Option<String>,
    level: Option<String>,
}

/// Every sample, by name.
pub(crate) fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for entry in fs::read_dir("images").unwrap() {
        let folder = entry.unwrap().path();
        let Ok(text) = fs::read_to_string(folder.join("image.toml")) else {
            continue;
        };
        let recipe: Recipe =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        samples.push(Sample {
            name,
            expect: recipe.expect,
        });
    }
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(samples.len() > 50, "the recipes were found");
    samples
}

/// Where `tests/run` has put a sample's layout.
pub(crate) fn layout(name: &str) -> PathBuf {
    let layout = PathBuf::from("target/images").join(name);
    assert!(
        layout.join("index.json").is_file(),
        "{} is absent: run tests/run, which assembles it",
        layout.display()
    );
    layout
}

impl Description {
    fn describes(&self, finding: &Value) -> bool {
        let agrees = |said: &Option<String>, is: &Value| said.as_ref().is_none_or(|said| is == said.as_str());
        finding["rule"] == self.rule.as_str()
            && agrees(&self.path, &finding["path"])
            && agrees(&self.subject, &finding["subject"])
            && agrees(&self.name, &finding["identity"]["name"])
            && agrees(&self.level, &finding["level"])
    }
}

impl Expect {
    /// What of this a report and its exit code do not keep; empty when all is as expected.
    pub(crate) fn unmet(&self, report: &Value, exit: i32) -> Vec<String> {
        let mut unmet = Vec::new();
        let mut hold = |holds: bool, what: String| {
            if !holds {
                unmet.push(what);
            }
        };
        if let Some(wanted) = self.exit {
            hold(exit == wanted, format!("exit code {exit}, not {wanted}"));
        }
        let images: Vec<&Value> = report["images"].as_array().unwrap().iter().collect();
        hold(!images.is_empty(), "no image in the report".to_owned());
        let findings: Vec<&Value> = images
            .iter()
            .flat_map(|image| image["findings"].as_array().unwrap())
            .collect();
        for image in &images {
            let grade = image["grade"].as_str();
            if self.incomplete {
                let status = image["status"].as_str().unwrap_or_default();
                hold(grade.is_none(), format!("grade {grade:?} for what was not read"));
                hold(
                    ["incomplete", "error"].contains(&status),
                    format!("status {status}"),
                );
                hold(
                    image["compliant"].is_null(),
                    "an opinion on compliance".to_owned(),
                );
                continue;
            }
            let place = |grade: &str| GRADES.iter().position(|known| *known == grade).expect("a grade");
            match grade {
                None => hold(
                    self.grade.is_none() && self.at_best.is_none() && self.at_least.is_none(),
                    format!("no grade: {}", image["error"]["message"]),
                ),
                Some(is) => {
                    for (wanted, kept) in [
                        (
                            &self.grade,
                            self.grade.as_deref().is_none_or(|wanted| is == wanted),
                        ),
                        (
                            &self.at_best,
                            self.at_best
                                .as_deref()
                                .is_none_or(|best| place(is) >= place(best)),
                        ),
                        (
                            &self.at_least,
                            self.at_least
                                .as_deref()
                                .is_none_or(|least| place(is) <= place(least)),
                        ),
                    ] {
                        hold(
                            kept,
                            format!("grade {is} ({}), expected {wanted:?}", image["score"]),
                        );
                    }
                }
            }
        }
        for description in &self.findings {
            hold(
                findings.iter().any(|finding| description.describes(finding)),
                format!("not found: {description:?}"),
            );
        }
        for description in &self.absent {
            hold(
                !findings.iter().any(|finding| description.describes(finding)),
                format!("found: {description:?}"),
            );
        }
        for path in &self.residue {
            let named = findings.iter().any(|finding| {
                finding["state"] != "present"
                    && (finding["path"] == path.as_str()
                        || finding["message"].as_str().unwrap().contains(path.as_str()))
            });
            hold(named, format!("residue not named: {path}"));
        }
        for finding in &findings {
            let level = finding["level"].as_str().unwrap();
            let told = || {
                format!(
                    "{level} {} {}: {}",
                    finding["rule"], finding["path"], finding["message"]
                )
            };
            hold(
                !(self.none && level != "allow"),
                format!("unexpected: {}", told()),
            );
            let described = self
                .findings
                .iter()
                .any(|description| description.describes(finding));
            hold(
                !(self.no_other_deny && level == "deny" && !described),
                format!("unexpected: {}", told()),
            );
        }
        unmet
    }
}
