//! The table of what is in the way: a line a finding, grouped by rule, worst first, on one screen.

use std::fmt::Write as _;

use std::collections::BTreeMap;

use super::ink::{self, Ink, columns, count, number, pad};
use crate::{
    finding::{Finding, Ground, Reach, Rule, State},
    policy::Level,
    report::{ReportedFinding, Verdict},
    text,
};

/// Lines that the table takes on one screen.
pub(super) const SCREEN: usize = 8;
/// Names of rules for which the table gives up a line.
const NAMES: usize = 10;
/// Lines of one rule.
const OF_A_RULE: usize = 10;

/// Findings of one rule and level.
struct Group<'a> {
    level: Level,
    rule: &'static Rule,
    findings: Vec<&'a ReportedFinding>,
    shown: usize,
}

/// One line before it is laid out.
struct Line {
    level: Level,
    /// Level and rule are written on a group's first line only.
    head: Option<(&'static str, f64)>,
    place: String,
    what: String,
    /// `what` is a sentence: it may be wrapped, and is not cut.
    sentence: bool,
    /// What must not be cut off `what`: links, and how many more there are.
    tail: String,
    from: String,
    details: Vec<String>,
}

/// The table's lines, `room` of them unless all is asked for, and whether they leave anything out.
pub(super) fn table(verdict: &Verdict, room: usize, ink: Ink<'_>) -> (Vec<String>, bool) {
    let (groups, rest) = share_out(groups(verdict), room, ink.0.verbose);
    let mut lines = Vec::new();
    for group in &groups {
        let hidden = group.findings.len() - group.shown;
        for (index, one) in group.findings.iter().take(group.shown).enumerate() {
            let last = index + 1 == group.shown;
            lines.push(line(
                group,
                index,
                one,
                if last { hidden } else { 0 },
                verdict,
                ink,
            ));
        }
    }
    let hides = !rest.is_empty() || groups.iter().any(|group| group.shown < group.findings.len());
    let mut out = lay_out(&lines, ink);
    for level in [Level::Deny, Level::Warn] {
        let names: Vec<String> = rest
            .iter()
            .filter(|group| group.level == level)
            // A rule that is denied above is told.
            .filter(|group| !groups.iter().any(|shown| shown.rule == group.rule))
            .map(|group| match group.findings.len() {
                1 => group.rule.id.to_owned(),
                n => format!("{} ({n})", group.rule.id),
            })
            .collect();
        if !names.is_empty() {
            let told = names.join(", ");
            let mut lines = ink::wrap(&told, ink.0.width.saturating_sub(8), 0).into_iter();
            let first = lines.next().unwrap_or_default();
            out.push(format!(
                "  {}  {first}",
                ink.level(level, &pad(level.as_str(), 4))
            ));
            out.extend(lines.map(|line| format!("        {line}")));
        }
    }
    (out, hides)
}

/// Active findings by level and rule, in the report's order.
fn groups(verdict: &Verdict) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut at = BTreeMap::new();
    for one in verdict.findings.iter().filter(|one| one.active()) {
        let rule = one.finding.rule;
        let index = *at.entry((one.level, rule.id)).or_insert(groups.len());
        match groups.get_mut(index) {
            Some(group) => group.findings.push(one),
            None => groups.push(Group {
                level: one.level,
                rule,
                findings: vec![one],
                shown: 0,
            }),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.level));
    groups
}

/// Gives each group its lines, `room` in all: one each, then one more in turn while the screen lasts. What gets none comes second.
fn share_out(mut groups: Vec<Group<'_>>, room: usize, all: bool) -> (Vec<Group<'_>>, Vec<Group<'_>>) {
    if all {
        for group in &mut groups {
            group.shown = group.findings.len();
        }
        return (groups, Vec::new());
    }
    let over = groups.len().saturating_sub(room);
    // The names of those without a line fill lines, too.
    let taken = if over == 0 { 0 } else { 1 + over / NAMES };
    let mut left = room.saturating_sub(taken);
    let rest = groups.split_off(groups.len().min(left));
    for group in &mut groups {
        group.shown = 1;
        left = left.saturating_sub(1);
    }
    let alone = groups.len() == 1;
    while left > 0 {
        let mut gave = false;
        for group in &mut groups {
            let most = group
                .findings
                .len()
                .min(if alone { OF_A_RULE } else { OF_A_RULE / 2 });
            if left > 0 && group.shown < most {
                group.shown += 1;
                left -= 1;
                gave = true;
            }
        }
        if !gave {
            break;
        }
    }
    (groups, rest)
}

fn line(
    group: &Group<'_>,
    index: usize,
    one: &ReportedFinding,
    hidden: usize,
    verdict: &Verdict,
    ink: Ink<'_>,
) -> Line {
    let finding = &one.finding;
    let mut tail = String::new();
    if !finding.aliases.is_empty() {
        let _ = write!(tail, " +{}", count(finding.aliases.len(), "link"));
    }
    if hidden > 0 {
        let _ = write!(
            tail,
            ", and {} more",
            count(hidden, "").trim_end_matches([' ', 's'])
        );
    }
    // A sentence is about no place, so it has no column for its line.
    let sentence = finding.identity.is_none() && finding.path.is_none();
    if let Some(location) = one.location.as_ref().filter(|_| sentence) {
        let _ = write!(tail, " ({})", super::line(location));
    }
    let cost: f64 = if ink.0.verbose {
        one.points
    } else {
        group.findings.iter().map(|one| one.points).sum()
    };
    Line {
        level: group.level,
        head: (index == 0 || ink.0.verbose).then_some((group.rule.id, cost)),
        place: place(finding),
        what: what(finding),
        sentence,
        tail,
        from: match (&one.location, finding.layer) {
            _ if sentence => String::new(),
            (Some(location), _) => super::line(location),
            (None, Some(index)) => format!("layer {index}"),
            (None, None) => String::new(),
        },
        details: if ink.0.verbose {
            details(one, verdict, ink)
        } else {
            Vec::new()
        },
    }
}

fn place(finding: &Finding) -> String {
    match (&finding.path, &finding.subject) {
        (Some(path), _) => path.to_string(),
        (None, Some(subject)) => text::escape(subject.as_bytes()),
        (None, None) => "configuration".to_owned(),
    }
}

fn what(finding: &Finding) -> String {
    let mut out = match (&finding.identity, &finding.path, &finding.subject) {
        (Some(identity), ..) => {
            let version = identity.version.as_deref().unwrap_or_default();
            let sure = match identity.confidence {
                "certain" => "",
                "likely" => " (likely)",
                _ => " (by name only)",
            };
            let name = format!("{} {version}", identity.name);
            format!("{}{sure}", text::escape(name.trim().as_bytes()))
        }
        (None, Some(_), Some(subject)) => text::escape(subject.as_bytes()),
        (None, Some(_), None) => String::new(),
        (None, None, Some(subject)) if !finding.message.contains(subject) => {
            format!("{}: {}", text::escape(subject.as_bytes()), finding.message)
        }
        (None, None, _) => finding.message.clone(),
    };
    match finding.state {
        State::Present => {}
        State::Removed => out.push_str(" (removed later)"),
        State::Overwritten => out.push_str(" (overwritten later)"),
    }
    out.trim_start().to_owned()
}

/// What `-v` tells below a finding's line.
fn details(one: &ReportedFinding, verdict: &Verdict, ink: Ink<'_>) -> Vec<String> {
    let finding = &one.finding;
    // A finding about no place has told its message already.
    let placed = finding.path.is_some() || finding.identity.is_some();
    let mut details: Vec<String> = placed.then(|| finding.message.clone()).into_iter().collect();
    if let Some(identity) = &finding.identity {
        details.push(format!(
            "evidence: {}",
            text::escape(identity.evidence.as_bytes())
        ));
    }
    if !finding.aliases.is_empty() {
        let paths: Vec<String> = finding
            .aliases
            .iter()
            .map(|alias| format!("{} ({})", alias.path, alias.kind.as_str()))
            .collect();
        details.push(format!("also reached as {}", paths.join(", ")));
    }
    let origin = finding.layer.and_then(|index| verdict.layers.get(index));
    if let Some(instruction) = origin.and_then(|origin| origin.instruction.as_deref()) {
        let sure = match one.ground(&verdict.layers) {
            Ground::Matched => ", by the Dockerfile",
            Ground::ByPosition => ", by its position in the history",
            Ground::None => "",
        };
        details.push(format!(
            "put there by {}{sure}",
            text::escape(instruction.as_bytes())
        ));
    }
    match &finding.reach {
        Some(Reach::Needed { why, .. }) => details.push(format!("needed: {why}")),
        Some(Reach::NotNeeded) => details.push("not needed by the entry point".to_owned()),
        None => {}
    }
    if !finding.capabilities.is_empty() {
        details.push(format!("lets an intruder: {}", finding.capabilities.join(", ")));
    }
    details.push(format!("fix: {}", finding.fix));
    details.push(format!("fingerprint: {}", one.fingerprint));
    details
        .iter()
        .flat_map(|text| ink::wrap(text, ink.0.width.saturating_sub(8), 2))
        .collect()
}

/// Columns: level, points, rule, layer, place, what. What is told comes last, for it may go on below.
fn lay_out(lines: &[Line], ink: Ink<'_>) -> Vec<String> {
    let widest = |of: &dyn Fn(&Line) -> usize| lines.iter().map(of).max().unwrap_or(0);
    let points = |line: &Line| match line.head {
        Some((_, cost)) if cost > 0.0 => format!("-{}", number(cost)),
        _ => String::new(),
    };
    // A column that nobody fills takes no room.
    let column = |width: usize| if width == 0 { 0 } else { width + 2 };
    let cost = column(widest(&|line| points(line).len()));
    let rule = column(widest(&|line| line.head.map_or(0, |(rule, _)| rule.len())));
    let from = column(widest(&|line| columns(&line.from)));
    // Two spaces before the level (four letters) and behind it.
    let room = ink.0.width.saturating_sub(2 + 4 + 2 + cost + rule + from);
    let apart = |line: &Line, width: usize| if line.sentence { 0 } else { width };
    let what = widest(&|line| apart(line, columns(&line.what) + columns(&line.tail)));
    let place = widest(&|line| apart(line, columns(&line.place)));
    let place = place.min(room.saturating_sub(what + 2).max(room / 2)).max(12);
    let what = room.saturating_sub(place + 2).max(12);
    let places = shortened(lines, place, ink);
    let mut out = Vec::new();
    for (line, shown) in lines.iter().zip(places) {
        let (level, id) = line
            .head
            .map_or(("", ""), |(rule, _)| (line.level.as_str(), rule));
        let points = format!("{:>1$}", points(line), cost.saturating_sub(2));
        let start = format!(
            "  {}  {}{}",
            ink.level(line.level, &pad(level, 4)),
            pad(&points, cost),
            pad(id, rule),
        );
        if line.sentence {
            // It is about no place: so it has the room of all columns that follow.
            let told = ink::wrap(&format!("{}{}", line.what, line.tail), room + from, 0);
            let below = " ".repeat(2 + 4 + 2 + cost + rule);
            let starts = std::iter::once(start).chain(std::iter::repeat(below));
            out.extend(
                told.iter()
                    .zip(starts)
                    .map(|(told, start)| format!("{start}{told}")),
            );
        } else {
            let from = ink.dim(&pad(&line.from, from));
            let told = ink.cut(&line.what, what.saturating_sub(columns(&line.tail)).max(8));
            let told = format!("{told}{}", line.tail);
            let told = told.trim_start_matches([' ', ',']);
            out.push(
                format!("{start}{from}{}  {told}", pad(&shown, place))
                    .trim_end()
                    .to_owned(),
            );
        }
        out.extend(
            line.details
                .iter()
                .map(|detail| ink.dim(&format!("        {detail}"))),
        );
    }
    out
}

/// Places at most `width` columns wide, but whole where two would look alike.
fn shortened(lines: &[Line], width: usize, ink: Ink<'_>) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let short: Vec<String> = lines.iter().map(|line| ink.shorten(&line.place, width)).collect();
    for one in &short {
        *seen.entry(one.clone()).or_default() += 1;
    }
    short
        .into_iter()
        .zip(lines)
        .map(|(short, line)| {
            if seen.get(&short).is_some_and(|&n| n > 1) {
                line.place.clone()
            } else {
                short
            }
        })
        .collect()
}
