//! What is allowed is what an intruder could do with an image, told in a few lines: the worst together, the rest by file.

use super::ink::{self, Ink};
use crate::{path::RootPath, report::Verdict};

/// Combinations that are told, if not everything is asked for.
const FEW: usize = 3;
/// Files that are told with what they allow.
const FILES: usize = 3;

pub(super) fn section(verdict: &Verdict, ink: Ink<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let shown = if ink.0.verbose { usize::MAX } else { FEW };
    for one in verdict.combinations.iter().take(shown) {
        let by: Vec<String> = one.by.iter().map(ToString::to_string).collect();
        let line = format!(
            "  {} ({}): {}",
            one.id,
            one.attack.join(", "),
            if by.is_empty() {
                one.meaning.clone()
            } else {
                by.join(" + ")
            }
        );
        lines.push(ink.cut(&line, ink.0.width));
    }
    if ink.0.verbose {
        lines.extend(verdict.capabilities.iter().map(|one| {
            let line = format!("  {} ({}): {}", one.id, one.attack.join(", "), one.by);
            ink.cut(&line, ink.0.width)
        }));
        return lines;
    }
    let by_file = by_file(verdict);
    let mut told: Vec<String> = by_file
        .iter()
        .take(FILES)
        .map(|(path, groups)| format!("{path}: {}", groups.join(", ")))
        .collect();
    if by_file.len() > FILES {
        told.push(format!("{} more", by_file.len() - FILES));
    }
    if !told.is_empty() {
        let told = ink::wrap(&told.join("; "), ink.0.width.saturating_sub(2), 0);
        lines.extend(told.iter().map(|line| format!("  {line}")));
    }
    lines
}

/// The groups of capabilities, each under the file that gives it at the least cost; the file that gives most comes first.
fn by_file(verdict: &Verdict) -> Vec<(&RootPath, Vec<&str>)> {
    let mut files: Vec<(&RootPath, Vec<&str>)> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for one in &verdict.capabilities {
        let group = if one.group.is_empty() {
            one.id.as_str()
        } else {
            one.group.as_str()
        };
        if seen.contains(&group) {
            continue;
        }
        seen.push(group);
        match files.iter_mut().find(|(path, _)| **path == one.by) {
            Some((_, groups)) => groups.push(group),
            None => files.push((&one.by, vec![group])),
        }
    }
    files.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then(a.0.cmp(b.0)));
    files
}
