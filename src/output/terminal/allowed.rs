//! What is allowed is what an intruder could do with an image, the worst of it in one line, all of it for who asks.

use super::ink::Ink;
use crate::{path::RootPath, report::Verdict};

/// Everything, a line each: for who asks for it.
pub(super) fn section(verdict: &Verdict, ink: Ink<'_>) -> Vec<String> {
    if !ink.0.verbose {
        return Vec::new();
    }
    let together = verdict.combinations.iter().map(|one| {
        let by: Vec<String> = one.by.iter().map(ToString::to_string).collect();
        let by = if by.is_empty() {
            one.meaning.clone()
        } else {
            by.join(" + ")
        };
        format!("  {} ({}): {by}", one.id, one.attack.join(", "))
    });
    let alone = verdict.capabilities.iter();
    let alone = alone.map(|one| format!("  {} ({}): {}", one.id, one.attack.join(", "), one.by));
    together
        .chain(alone)
        .map(|line| ink.cut(&line, ink.0.width))
        .collect()
}

/// The worst in one line: what several files allow together, else what the file allows that allows most.
pub(super) fn worst(verdict: &Verdict, ink: Ink<'_>) -> Option<String> {
    if ink.0.verbose {
        return None;
    }
    let files = by_file(verdict);
    let told = if let Some(one) = verdict.combinations.first() {
        let by: Vec<String> = one.by.iter().map(ToString::to_string).collect();
        let by = if by.is_empty() {
            String::new()
        } else {
            format!(" with {}", by.join(" + "))
        };
        format!("{} ({}){by}", one.id, one.attack.join(", "))
    } else {
        let (path, groups) = files.first()?;
        format!("{} with {path}", groups.join(", "))
    };
    let line = format!("lets an intruder: {told}");
    Some(format!("    {}", ink.cut(&line, ink.0.width.saturating_sub(4))))
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
