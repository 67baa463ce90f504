//! The sections of one image's report below and above the table of findings.

use std::fmt::Write as _;

use std::collections::BTreeMap;

use super::ink::{self, Ink, columns, count, number, pad};
use crate::{
    policy::{Grade, Level},
    report::{ReportedFinding, Verdict},
    score::{Score, Worth},
    text,
};

/// Entries of a section, if not everything is asked for.
const FEW: usize = 3;

pub(super) fn gaps(verdict: &Verdict, ink: Ink<'_>) -> Vec<String> {
    let lines = verdict.gaps.iter().flat_map(|gap| {
        let hides = match gap.could_hide.len() {
            0 => "hides nothing that could run".to_owned(),
            1..=4 => {
                let rules: Vec<&str> = gap.could_hide.iter().map(|rule| rule.id).collect();
                format!("could hide {}", rules.join(", "))
            }
            n => format!("could hide findings of {n} rules"),
        };
        ink::wrap(&format!("  {}: {}; {hides}", gap.place, gap.why), ink.0.width, 4)
            .into_iter()
            .enumerate()
            .map(|(index, line)| if index == 0 { format!("  {line}") } else { line })
    });
    few(lines.collect(), 2 * FEW, ink)
}

/// The removals that are worth most.
pub(super) fn worth(verdict: &Verdict, ink: Ink<'_>) -> Vec<String> {
    let Some(score) = &verdict.score else {
        return Vec::new();
    };
    let valuable: Vec<_> = score
        .worth
        .iter()
        .filter(|one| one.points > 0.0 || one.grade > score.grade)
        .collect();
    let points = |one: &Worth| format!("+{}", number(one.points));
    let wide = valuable.iter().map(|one| points(one).len()).max().unwrap_or(0);
    let rule = valuable.iter().map(|one| one.rule.id.len()).max().unwrap_or(0);
    if valuable.is_empty() {
        return otherwise(verdict, score, ink);
    }
    let shown = if ink.0.verbose { valuable.len() } else { FEW };
    let mut lines = Vec::new();
    for (index, one) in valuable.iter().take(shown).enumerate() {
        let fix = verdict
            .findings
            .iter()
            .find(|found| found.active() && found.finding.rule == one.rule)
            .map_or("", |found| found.finding.fix.as_str());
        let start = format!(
            "  {:>wide$}  {}  {}  ",
            points(one),
            step(score, one.grade, ink),
            pad(one.rule.id, rule)
        );
        // The first one is told whole: it is what to do first.
        if index == 0 || ink.0.verbose {
            lines.extend(behind(&start, fix, ink));
        } else {
            lines.push(format!("{start}{fix}"));
        }
    }
    fit(lines, valuable.len().saturating_sub(shown), ink)
}

/// What to do where no single removal wins points: the whole image is wrong, or what denies it costs nothing.
fn otherwise(verdict: &Verdict, score: &Score, ink: Ink<'_>) -> Vec<String> {
    let denied: Vec<&ReportedFinding> = verdict
        .findings
        .iter()
        .filter(|one| one.active() && one.level == Level::Deny)
        .collect();
    let Some(first) = denied.first() else {
        return Vec::new();
    };
    if score.points > 0.0 {
        return behind(&format!("  {}  ", first.finding.rule.id), &first.finding.fix, ink);
    }
    let told = "No single step lifts the grade: build in one stage, and copy only the application and its runtime into a base \
                that is distroless";
    behind("  ", told, ink)
}

/// A text behind a start, wrapped so that it stays behind it.
fn behind(start: &str, text: &str, ink: Ink<'_>) -> Vec<String> {
    let indent = columns(start);
    let lines = ink::wrap(text, ink.0.width.saturating_sub(indent).max(24), 0);
    let starts = std::iter::once(start.to_owned()).chain(std::iter::repeat(" ".repeat(indent)));
    let lines = starts.zip(lines).map(|(start, line)| format!("{start}{line}"));
    lines.map(|line| line.trim_end().to_owned()).collect()
}

/// `C → A`, always as wide.
fn step(score: &Score, to: Grade, ink: Ink<'_>) -> String {
    let from = score.grade.as_str();
    let text = if to == score.grade {
        format!("still {from}")
    } else {
        format!("{from} {} {}", ink.arrow(), to.as_str())
    };
    pad(&text, 7)
}

/// The layers that brought most of it, with the instruction that made them.
pub(super) fn origins(verdict: &Verdict, ink: Ink<'_>) -> Vec<String> {
    let mut layers: BTreeMap<usize, (usize, f64)> = BTreeMap::new();
    for one in verdict.findings.iter().filter(|one| one.active()) {
        if let Some(index) = one.finding.layer {
            let sums = layers.entry(index).or_default();
            sums.0 += 1;
            sums.1 += one.points;
        }
    }
    let told = |index: &usize| {
        verdict
            .layers
            .get(*index)
            .is_some_and(|origin| origin.instruction.is_some())
    };
    if !layers.keys().any(told) {
        return Vec::new();
    }
    let mut layers: Vec<_> = layers.into_iter().collect();
    layers.sort_by(|a, b| b.1.1.total_cmp(&a.1.1).then(a.0.cmp(&b.0)));
    let rows: Vec<(String, String, String, usize)> = layers
        .into_iter()
        .map(|(index, (findings, points))| {
            (
                format!("layer {index}"),
                if points > 0.0 {
                    format!("-{}", number(points))
                } else {
                    String::new()
                },
                count(findings, "finding"),
                index,
            )
        })
        .collect();
    let name = rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
    let cost = rows.iter().map(|row| row.1.len()).max().unwrap_or(0);
    let found = rows.iter().map(|row| row.2.len()).max().unwrap_or(0);
    let lines = rows.iter().map(|(layer, points, findings, index)| {
        let instruction = verdict
            .layers
            .get(*index)
            .and_then(|origin| origin.instruction.as_deref());
        let instruction = instruction.unwrap_or("(the image does not say)");
        let start = format!(
            "  {}  {points:>cost$}  {}  ",
            pad(layer, name),
            pad(findings, found)
        );
        let left = ink.0.width.saturating_sub(columns(&start));
        format!("{start}{}", ink.cut(&text::escape(instruction.as_bytes()), left))
    });
    few(lines.collect(), FEW - 1, ink)
}

pub(super) fn waived(verdict: &Verdict, ink: Ink<'_>) -> Vec<String> {
    let lines = verdict.findings.iter().filter_map(|one| {
        let waiver = one.waiver.as_ref()?;
        let mut line = format!("  {}  {}: {}", one.finding.rule.id, place(one), waiver.reason);
        let by = waiver.owner.iter().map(|owner| format!("by {owner}"));
        let until = waiver.expires.iter().map(|day| format!("until {day}"));
        let terms: Vec<String> = by.chain(until).collect();
        if !terms.is_empty() {
            let _ = write!(line, " ({})", terms.join(", "));
        }
        Some(ink.cut(&line, ink.0.width))
    });
    few(lines.collect(), FEW, ink)
}

fn place(one: &ReportedFinding) -> String {
    match (&one.finding.path, &one.finding.subject) {
        (Some(path), _) => path.to_string(),
        (None, subject) => text::escape(subject.as_deref().unwrap_or("configuration").as_bytes()),
    }
}

/// What is only counted.
pub(super) fn rest(verdict: &Verdict, ink: Ink<'_>) -> String {
    let mut parts = Vec::new();
    let allowed = verdict
        .findings
        .iter()
        .filter(|one| one.waiver.is_none() && one.level == Level::Allow)
        .count();
    if allowed > 0 {
        parts.push(format!("{} allowed", count(allowed, "finding")));
    }
    if let Some(view) = verdict.dockerfile.as_ref().filter(|view| !view.matched) {
        let file = text::escape(view.from.file.as_bytes());
        parts.push(format!("{file} does not fit the image"));
    }
    let others = &verdict.image.other_platforms;
    let notes = verdict.all_notes().len() - usize::from(!others.is_empty());
    if notes > 0 && !ink.0.verbose {
        parts.push(format!("{} (-v)", count(notes, "note")));
    }
    if !others.is_empty() {
        let names: Vec<String> = others.iter().map(ToString::to_string).collect();
        parts.push(format!("not looked at: {}", names.join(", ")));
    }
    parts.join(ink.dot())
}

/// The first lines, and how many were left out.
fn few(mut lines: Vec<String>, most: usize, ink: Ink<'_>) -> Vec<String> {
    if ink.0.verbose || lines.len() <= most {
        return lines;
    }
    let hidden = lines.len() - most;
    lines.truncate(most);
    fit(lines, hidden, ink)
}

/// Lines as wide as the terminal, with how many were left out on the last one.
fn fit(mut lines: Vec<String>, hidden: usize, ink: Ink<'_>) -> Vec<String> {
    for line in &mut lines {
        *line = ink.cut(line, ink.0.width);
    }
    if let Some(last) = lines.last_mut().filter(|_| hidden > 0) {
        let more = format!("  (and {hidden} more)");
        let room = ink.0.width.saturating_sub(columns(&more));
        *last = format!("{}{}", ink.cut(last, room), ink.dim(&more));
    }
    lines
}
