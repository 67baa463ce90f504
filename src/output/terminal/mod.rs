//! The terminal report: what a person needs first, on one screen.

mod allowed;
mod findings;
pub(super) mod ink;
mod sections;

use std::io::{self, Write};

use self::ink::{Ink, columns, count, number, pad, size};
use super::Style;
use crate::{
    failure::Failure,
    finding::Location,
    policy::{Level, Policy},
    report::{ImageReport, Outcome, Report, Verdict},
    text,
};

/// Writes all images, and a line that counts them where there are several.
pub(super) fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let ink = Ink(style);
    for (index, image) in report.images.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        write_image(report, image, style, out)?;
    }
    let unused = unused_waivers(report, ink);
    if report.images.len() > 1 || !unused.is_empty() {
        writeln!(out)?;
    }
    for line in unused {
        writeln!(out, "{}", tame(&line))?;
    }
    if report.images.len() > 1 {
        writeln!(out, "{}", ink.bold(&summary(report)))?;
    }
    Ok(())
}

/// Writes one image.
pub(super) fn write_image(
    report: &Report,
    image: &ImageReport,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let ink = Ink(style);
    let lines = match &image.outcome {
        Outcome::Judged(verdict) => judged(verdict, &report.policy, ink),
        Outcome::NotApplicable(failure) => unread("skipped", image, failure, ink),
        Outcome::Failed(failure) => unread("error", image, failure, ink),
    };
    for line in lines {
        writeln!(out, "{}", tame(&line))?;
    }
    Ok(())
}

/// A line that no CI log takes for a command: GitHub's runner obeys `::` behind any white space, and `##[` anywhere.
fn tame(line: &str) -> String {
    let line = line.replace("##[", r"#\x23[");
    let text = line.trim_start();
    match text.strip_prefix("::") {
        Some(rest) => format!(r"{}\x3a:{rest}", " ".repeat(line.len() - text.len())),
        None => line,
    }
}

fn unread(word: &str, image: &ImageReport, failure: &Failure, ink: Ink<'_>) -> Vec<String> {
    let target = text::escape(image.target.as_bytes());
    let message = if failure.message.contains(&target) {
        failure.message.clone()
    } else {
        format!("{target}: {}", failure.message)
    };
    let word_shown = if word == "error" {
        ink.bad(word)
    } else {
        ink.middling(word)
    };
    let mut lines = vec![format!("{word_shown}: {message}")];
    let indent = " ".repeat(columns(word) + 2);
    lines.extend(failure.advice.iter().map(|advice| format!("{indent}{advice}")));
    lines
}

/// `Dockerfile:7`.
fn line(location: &Location) -> String {
    let file = location.file.rsplit('/').next().unwrap_or_default();
    format!("{}:{}", text::escape(file.as_bytes()), location.focus)
}

fn judged(verdict: &Verdict, policy: &Policy, ink: Ink<'_>) -> Vec<String> {
    let mut lines = head(verdict, policy, ink);
    let worst = allowed::worst(verdict, ink);
    let room = findings::SCREEN - usize::from(worst.is_some());
    lines.extend(worst);
    let mut section = |title: &str, content: Vec<String>| {
        if !content.is_empty() {
            lines.push(String::new());
            lines.push(ink.bold(title));
            lines.extend(content);
        }
    };
    section("Not read", sections::gaps(verdict, ink));
    let (table, hides) = findings::table(verdict, room, ink);
    let denied = verdict
        .findings
        .iter()
        .any(|one| one.active() && one.level == Level::Deny);
    let title = if denied { "In the way" } else { "Could be better" };
    section(
        &if hides {
            format!("{title} (-v shows all)")
        } else {
            title.to_owned()
        },
        table,
    );
    section("What to do first", sections::worth(verdict, ink));
    section("What an intruder could do", allowed::section(verdict, ink));
    section("Put there by", sections::origins(verdict, ink));
    section("Waived", sections::waived(verdict, ink));
    if ink.0.verbose {
        section(
            "Notes",
            verdict
                .all_notes()
                .iter()
                .map(|note| format!("  {note}"))
                .collect(),
        );
    }
    lines
}

/// Grade, score and verdict in a sentence; what was judged, by what; what holds the grade down.
fn head(verdict: &Verdict, policy: &Policy, ink: Ink<'_>) -> Vec<String> {
    let image = &verdict.image;
    let name = image.reference.as_deref().unwrap_or(&verdict.image.target);
    let name = text::escape(name.as_bytes());
    let platform = image
        .platform
        .as_ref()
        .map_or_else(String::new, |platform| format!(" ({platform})"));
    let wide = columns(&name) + columns(&platform);
    let name = format!("{}{platform}", ink.bold(&name));
    let sentence = sentence(verdict, policy);
    let grade = match &verdict.score {
        Some(score) => ink.grade(score.grade, &pad(score.grade.as_str(), 2)),
        None => ink.middling("? "),
    };
    let mut lines = if "A+  ".len() + wide + 1 + columns(&sentence) > ink.0.width {
        let sentence = ink::wrap(&sentence, ink.0.width.saturating_sub(4), 0);
        let below = sentence.into_iter().map(|line| format!("    {line}"));
        std::iter::once(format!("{grade}  {name}")).chain(below).collect()
    } else {
        vec![format!("{grade}  {name} {sentence}")]
    };
    let mut facts = Vec::new();
    facts.extend(
        verdict
            .score
            .as_ref()
            .map(|score| format!("{} of 100 points", number(score.points))),
    );
    facts.push(format!("policy {}", text::escape(policy.name.as_bytes())));
    facts.push(count(verdict.layers.len(), "layer"));
    facts.push(size(verdict.bytes.compressed.max(verdict.bytes.present)));
    facts.extend(verdict.user.as_ref().map(|user| match (user.uid, user.gid) {
        (Some(uid), Some(gid)) => format!("runs as {uid}:{gid}"),
        (Some(uid), None) => format!("runs as {uid}"),
        _ => "user unknown".to_owned(),
    }));
    let together = facts.join(ink.dot());
    let rows = match facts.pop() {
        Some(last) if 4 + columns(&together) > ink.0.width => vec![facts.join(ink.dot()), last],
        _ => vec![together],
    };
    lines.extend(rows.iter().map(|row| format!("    {}", ink.dim(row))));
    lines.extend(
        image
            .digest
            .as_ref()
            .map(|digest| format!("    {}", ink.dim(&digest.to_string()))),
    );
    let rest = sections::rest(verdict, ink);
    if !rest.is_empty() {
        lines.push(ink.dim(&ink.cut(&format!("    {rest}"), ink.0.width)));
    }
    let mut caps: Vec<_> = verdict.score.iter().flat_map(|score| &score.caps).collect();
    caps.sort_by_key(|cap| cap.grade);
    if !ink.0.verbose {
        caps.truncate(1);
    }
    for cap in caps {
        let why = cap.why.trim_end_matches('.');
        let line = format!(
            "no better than {} because of {}: {why}",
            cap.grade.as_str(),
            cap.rule.id
        );
        lines.push(format!("    {}", ink.cut(&line, ink.0.width.saturating_sub(4))));
    }
    lines
}

fn sentence(verdict: &Verdict, policy: &Policy) -> String {
    let denied = verdict
        .findings
        .iter()
        .filter(|one| one.active() && one.level == Level::Deny)
        .count();
    let told = |at_least: &str| match denied {
        1 => format!("{at_least}1 finding denies it"),
        n => format!("{at_least}{} deny it", count(n, "finding")),
    };
    let distroless = policy.name == "distroless";
    match (&verdict.score, verdict.compliant) {
        (None, _) | (_, None) if denied == 0 => "was not read to the end: no grade".to_owned(),
        (None, _) | (_, None) => {
            format!("was not read to the end: no grade, but {}", told("at least "))
        }
        (Some(_), Some(true)) if distroless => "is distroless".to_owned(),
        (Some(_), Some(true)) => format!("complies with {}", text::escape(policy.name.as_bytes())),
        (Some(_), Some(false)) => {
            let verdict = if distroless {
                "is not distroless".to_owned()
            } else {
                format!("does not comply with {}", text::escape(policy.name.as_bytes()))
            };
            if denied == 0 {
                format!("{verdict}: {} points are needed", number(policy.pass_mark))
            } else {
                format!("{verdict}: {}", told(""))
            }
        }
    }
}

fn unused_waivers(report: &Report, ink: Ink<'_>) -> Vec<String> {
    let lines = report.unused_waivers.iter().map(|unused| {
        let waiver = &unused.waiver;
        let paths = if waiver.paths.is_empty() {
            String::new()
        } else {
            format!(" for {}", waiver.paths.join(", "))
        };
        let why = match (&waiver.expires, unused.expired) {
            (Some(day), true) => format!("ended on {day}: mend its findings or renew it"),
            (None, true) => "has ended: mend its findings or renew it".to_owned(),
            (_, false) => "matches nothing: remove it".to_owned(),
        };
        format!(
            "{}: the waiver of {}{paths} {why}",
            ink.middling("warning"),
            waiver.rule.id
        )
    });
    lines.collect()
}

fn summary(report: &Report) -> String {
    let mut counts = [0_usize; 5];
    for image in &report.images {
        let slot = match &image.outcome {
            Outcome::Judged(verdict) => match verdict.compliant.filter(|_| !verdict.incomplete()) {
                Some(true) => 0,
                Some(false) => 1,
                None => 2,
            },
            Outcome::Failed(_) => 3,
            Outcome::NotApplicable(_) => 4,
        };
        if let Some(n) = counts.get_mut(slot) {
            *n += 1;
        }
    }
    let words = ["compliant", "not compliant", "incomplete", "failed", "skipped"];
    let parts: Vec<String> = counts
        .iter()
        .zip(words)
        .filter(|(n, _)| **n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    format!("{}: {}", count(report.images.len(), "image"), parts.join(", "))
}
