//! Programs of other sources than Debian's packages, counted apart: builds with another libc, and products of Go modules.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, process::Command};

use scant::{binary::Confidence, catalog::Catalog};
use serde::Deserialize;

use crate::{keep, layers};

/// Marks around the table on the page.
const MARKS: [&str; 2] = ["<!-- others: begin -->\n", "<!-- others: end -->\n"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Other {
    rule: Option<String>,
}

#[test]
fn programs_of_other_sources_are_known_too() {
    let folder = Path::new("target/others");
    let built = Command::new("tests/identity/other-programs")
        .arg(folder)
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let others: BTreeMap<String, Other> = toml::from_str(include_str!("others.toml")).unwrap();
    let mut table = String::from("| program | is | found as |\n|---|---|---|\n");
    let (mut found, mut all, mut wrong) = (0, 0, Vec::new());
    for (name, other) in &others {
        let program = layers::inspect(&fs::read(folder.join(name)).unwrap()).unwrap();
        let tool = program.tool(Catalog::builtin());
        let rule = tool.as_ref().and_then(|(_, meaning)| meaning.rule);
        all += usize::from(other.rule.is_some());
        found += usize::from(other.rule.is_some() && rule == other.rule.as_deref());
        if rule.is_some() && other.rule.is_none() {
            wrong.push(name);
        }
        let says = tool.map_or_else(
            || "–".to_owned(),
            |(identity, _)| {
                let sure = if identity.confidence == Confidence::Certain {
                    "certain"
                } else {
                    "likely"
                };
                format!("{}, {sure}: `{}`", rule.unwrap_or_default(), identity.family)
            },
        );
        let is = other.rule.as_deref().unwrap_or("no tool");
        let _ = writeln!(table, "| {name} | {is} | {says} |");
    }
    let _ = writeln!(table, "\n{found} of {all} found.");
    print!("{table}");
    assert!(all >= 10, "only {all} programs");
    assert!(wrong.is_empty(), "taken for tools: {wrong:?}");
    keep(MARKS, &table);
}
