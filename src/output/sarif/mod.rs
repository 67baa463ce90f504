//! SARIF 2.1.0 as GitHub code scanning takes it: one run for each image.

mod join;
mod results;
mod rules;
mod taxonomies;
mod uri;

use std::fmt::Write as _;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    str::FromStr,
};

use serde_json::json;
use serde_sarif::sarif::{
    Invocation, Notification, ReportingDescriptorReference, Run, RunAutomationDetails, Sarif, Tool,
    ToolComponent,
};

use self::results::{Context, message};
use super::Style;
use crate::{
    policy::Level,
    report::{ImageReport, Outcome, Report, ReportedFinding, UnusedWaiver, Verdict},
    text,
};

/// Runs that GitHub takes in one file.
pub const MAX_RUNS: usize = 20;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Which readers a SARIF file is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// GitHub code scanning, which opens an alert for every result, suppressed ones too: active findings only, and no
    /// run for an image that was not read to the end, since that would close alerts of what was not seen.
    Github,
    /// Everybody else: all findings, waived ones with their suppression.
    #[default]
    Plain,
}

impl Profile {
    /// The word on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Plain => "plain",
        }
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Self::Github, Self::Plain]
            .into_iter()
            .find(|profile| profile.name() == word)
            .ok_or_else(|| {
                let shown = text::escape(word.as_bytes());
                format!("`{shown}` is no SARIF profile: choose github or plain")
            })
    }
}

/// Writes one run for each of `images`.
pub(super) fn write(
    report: &Report,
    images: &[ImageReport],
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let runs = runs(report, images, style);
    if style.sarif == Profile::Github && runs.len() > MAX_RUNS {
        return Err(io::Error::other(format!(
            "{} images do not fit into one SARIF file, of which GitHub takes {MAX_RUNS} runs: write one file an image",
            runs.len()
        )));
    }
    let log = Sarif::builder()
        .schema(SCHEMA)
        .version(json!("2.1.0"))
        .runs(runs)
        .build();
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, &log)?;
    out.write_all(b"\n")?;
    out.flush()
}

fn runs(report: &Report, images: &[ImageReport], style: &Style) -> Vec<Run> {
    let platforms = platforms(report);
    let mut categories = BTreeSet::new();
    let mut runs = Vec::new();
    for image in images {
        let (mut run, category, whole) = match &image.outcome {
            Outcome::Judged(verdict) => {
                let with_platform = platforms
                    .get(verdict.image.name.as_str())
                    .is_some_and(|known| known.len() > 1);
                (
                    judged(report, verdict, with_platform, style),
                    format!("{}/{}", uri::name(verdict), uri::platform(verdict)),
                    !verdict.incomplete(),
                )
            }
            Outcome::NotApplicable(_) | Outcome::Failed(_) => (
                empty_run(invocation(report, problems(image), style), style.sarif),
                "not-scanned".to_owned(),
                false,
            ),
        };
        // In a file of several, a run that GitHub refuses would take the others with it.
        if style.sarif == Profile::Github && images.len() > 1 && !whole {
            continue;
        }
        if let Some(id) = category_of_run(&category, report.images.len() > 1, style, &mut categories) {
            run.automation_details = Some(RunAutomationDetails::builder().id(id).build());
        }
        runs.push(run);
    }
    if runs.is_empty() {
        // A file needs a run. GitHub refuses this one, which leaves the alerts of all these images as they are.
        let notes = images.iter().flat_map(problems).collect();
        runs.push(empty_run(invocation(report, notes, style), style.sarif));
    }
    runs
}

/// The platforms that the report holds of each image name.
fn platforms(report: &Report) -> BTreeMap<&str, BTreeSet<Option<String>>> {
    let mut platforms: BTreeMap<&str, BTreeSet<Option<String>>> = BTreeMap::new();
    for image in &report.images {
        if let Outcome::Judged(verdict) = &image.outcome {
            let platform = verdict.image.platform.as_ref().map(ToString::to_string);
            platforms.entry(&verdict.image.name).or_default().insert(platform);
        }
    }
    platforms
}

/// The category of a run, with the slash that makes it one; a single image has none unless the user asks, since it
/// would override the upload's own. Two tags of an image are told apart by their order.
fn category_of_run(
    image: &str,
    several: bool,
    style: &Style,
    taken: &mut BTreeSet<String>,
) -> Option<String> {
    let prefix = style
        .category
        .as_deref()
        .map(|category| category.trim_matches('/'));
    let base = match (prefix, several) {
        (None, false) => return None,
        (Some(prefix), false) => prefix.to_owned(),
        (prefix, true) => format!("{}/{image}", prefix.unwrap_or("scant")),
    };
    let mut category = format!("{base}/");
    let mut number = 2;
    while !taken.insert(category.clone()) {
        category = format!("{base}/{number}/");
        number += 1;
    }
    Some(category)
}

fn judged(report: &Report, verdict: &Verdict, with_platform: bool, style: &Style) -> Run {
    let folder = uri::folder(verdict, with_platform);
    let context = Context {
        verdict,
        folder: &folder,
        profile: style.sarif,
    };
    let shown: Vec<&ReportedFinding> = match style.sarif {
        Profile::Github => verdict.findings.iter().filter(|one| one.active()).collect(),
        Profile::Plain => verdict.findings.iter().collect(),
    };
    let rows = join::rows(&shown);
    let mut notes = gaps(verdict);
    if rows.len() < shown.len() {
        let text = format!(
            "{} findings became {} results by joining the lesser ones of a rule and directory, since code scanning \
             keeps {} of a run; the JSON report has each of them",
            shown.len(),
            rows.len(),
            join::MAX_RESULTS
        );
        notes.push(notification("joined-results", "warning", &text));
    }
    let results = context.results(&rows);
    notes.extend(unplaced(verdict, &shown));
    if results.len() < rows.len() {
        let text = format!(
            "{} findings have the rule and place of another and are not shown apart; the JSON report has each of them",
            rows.len() - results.len()
        );
        notes.push(notification("joined-results", "warning", &text));
    }
    let mut run = empty_run(invocation(report, notes, style), style.sarif);
    run.results = Some(results);
    // Only where text is read do columns count anything.
    run.column_kind = verdict.dockerfile.as_ref().map(|_| json!("utf16CodeUnits"));
    run
}

/// Says that findings stand at the `FROM` for want of a line: a guess is not shown as a fact.
fn unplaced(verdict: &Verdict, shown: &[&ReportedFinding]) -> Option<Notification> {
    let view = verdict.dockerfile.as_ref()?;
    let guessed = |one: &&&ReportedFinding| one.location.is_none() && one.level != Level::Allow;
    let count = shown.iter().filter(guessed).count();
    let why = if view.matched {
        "which instruction they come from cannot be told"
    } else {
        "the Dockerfile does not fit the image's history"
    };
    let file = text::escape(view.from.file.as_bytes());
    let findings = if count == 1 {
        "finding stands"
    } else {
        "findings stand"
    };
    let text = format!(
        "{count} {findings} at line {} of {file}, for {why}",
        view.from.line
    );
    (count > 0).then(|| notification("location-guessed", "warning", &text))
}

fn empty_run(invocation: Invocation, profile: Profile) -> Run {
    let tied = profile == Profile::Plain;
    let driver = ToolComponent::builder()
        .name(env!("CARGO_PKG_NAME"))
        .semantic_version(env!("CARGO_PKG_VERSION"))
        .rules(rules::all(tied))
        .build();
    let mut run = Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .invocations(vec![invocation])
        .results(Vec::new())
        .build();
    if let Some(page) = option_env!("CARGO_PKG_REPOSITORY").filter(|page| !page.is_empty()) {
        run.tool.driver.information_uri = Some(page.to_owned());
    }
    if tied {
        run.tool.driver.supported_taxonomies = Some(taxonomies::supported());
        run.taxonomies = Some(taxonomies::all());
    }
    run
}

/// An invocation with what is to be told of it; a notification of level error makes it a failed one (3.20.21).
fn invocation(report: &Report, notes: Vec<Notification>, style: &Style) -> Invocation {
    let successful = notes.iter().all(|note| note.level != Some(json!("error")));
    let mut invocation = Invocation::builder().execution_successful(successful).build();
    if !notes.is_empty() {
        invocation.tool_execution_notifications = Some(notes);
    }
    let waivers: Vec<Notification> = report.unused_waivers.iter().map(unused).collect();
    if !waivers.is_empty() {
        invocation.tool_configuration_notifications = Some(waivers);
    }
    let now = style
        .source_date_epoch
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    invocation.end_time_utc = now.map(|now| now.to_string());
    invocation
}

fn unused(unused: &UnusedWaiver) -> Notification {
    let waiver = &unused.waiver;
    let mut text = format!("the waiver of {}", waiver.rule.id);
    if !waiver.paths.is_empty() {
        let _ = write!(text, " for {}", waiver.paths.join(", "));
    }
    if unused.expired {
        if let Some(day) = &waiver.expires {
            let _ = write!(text, " ended on {day}");
        }
        text.push_str(": mend its findings or renew it");
        notification("waiver-expired", "warning", &text)
    } else {
        text.push_str(" matches nothing: remove it");
        notification("waiver-unused", "warning", &text)
    }
}

/// Why an image, or a part of it, was not read.
fn problems(image: &ImageReport) -> Vec<Notification> {
    match &image.outcome {
        Outcome::Judged(verdict) => gaps(verdict),
        Outcome::NotApplicable(failure) | Outcome::Failed(failure) => {
            let mut text = format!("{}: {}", text::escape(image.target.as_bytes()), failure.message);
            if let Some(advice) = &failure.advice {
                let _ = write!(text, "; {advice}");
            }
            vec![notification(failure.code.as_str(), "error", &text)]
        }
    }
}

/// A gap that leaves the image without a grade is an error, any other a warning.
fn gaps(verdict: &Verdict) -> Vec<Notification> {
    let mut notes: Vec<Notification> = verdict
        .gaps
        .iter()
        .map(|gap| {
            let hides: Vec<&str> = gap.could_hide.iter().map(|rule| rule.id).collect();
            let level = if verdict.incomplete() && !hides.is_empty() {
                "error"
            } else {
                "warning"
            };
            let mut text = format!("{}: {}", gap.place, gap.why);
            if !hides.is_empty() {
                let _ = write!(text, "; could hide {}", hides.join(", "));
            }
            notification("gap", level, &text)
        })
        .collect();
    if verdict.incomplete() && notes.iter().all(|note| note.level != Some(json!("error"))) {
        let text = "the image was not read to the end".to_owned();
        notes.push(notification("gap", "error", &text));
    }
    notes
}

fn notification(id: &str, level: &str, text: &str) -> Notification {
    Notification::builder()
        .descriptor(ReportingDescriptorReference::builder().id(id).build())
        .level(json!(level))
        .message(message(text))
        .build()
}
