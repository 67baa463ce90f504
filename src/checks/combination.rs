//! A combination is what an intruder can do with several things of an image together, each got in the cheapest way.

use std::cmp::Reverse;

use crate::{
    catalog::{Atom, Catalog},
    finding::{Finding, State},
    path::RootPath,
};

/// What several findings allow together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Together {
    /// Id in the catalogue: `reverse-shell`.
    pub id: String,
    /// What it means, in words.
    pub meaning: String,
    /// ATT&CK techniques.
    pub attack: Vec<String>,
    /// The cheapest way: what is used, in the order of the combination's parts. A part that is no file has none.
    pub by: Vec<RootPath>,
}

/// All combinations that the findings hold, in the catalogue's order. What cannot run as it is does not count.
pub fn combinations<'f>(findings: impl IntoIterator<Item = &'f Finding>, catalog: &Catalog) -> Vec<Together> {
    let usable = |finding: &&Finding| finding.state == State::Present && finding.runs_as_it_is();
    let findings: Vec<&Finding> = findings.into_iter().filter(usable).collect();
    let all = catalog.combinations().iter().filter_map(|combination| {
        let mut by: Vec<RootPath> = Vec::new();
        for part in &combination.all {
            let atoms: Vec<Atom<'_>> = part.iter().map(|text| Atom::of(text)).collect();
            let fitting = findings
                .iter()
                .filter(|finding| atoms.iter().any(|atom| gives(finding, *atom)));
            // What serves another part already costs nothing more.
            let best = fitting.min_by_key(|finding| {
                let used = finding.path.as_ref().is_some_and(|path| by.contains(path));
                (Reverse(used), cost(finding))
            })?;
            by.extend(best.path.clone().filter(|path| !by.contains(path)));
        }
        Some(Together {
            id: combination.id.clone(),
            meaning: combination.meaning.clone(),
            attack: combination.attack.clone(),
            by,
        })
    });
    all.collect()
}

fn gives(finding: &Finding, atom: Atom<'_>) -> bool {
    let has = |wanted: &str| finding.capabilities.iter().any(|id| id == wanted);
    match atom {
        Atom::Capability(id) => has(id),
        Atom::Rule(rule) => finding.rule.id == rule,
        Atom::CapabilityOf(id, rule) => finding.rule.id == rule && has(id),
    }
}

/// The surest comes first, then the shortest path.
pub(super) fn cost(finding: &Finding) -> (u8, usize, Option<&RootPath>) {
    let unsure = match finding.identity.as_ref().map(|identity| identity.confidence) {
        Some("certain") => 0,
        Some("likely") => 1,
        _ => 2,
    };
    let path = finding.path.as_ref();
    (unsure, path.map_or(0, |path| path.as_bytes().len()), path)
}
