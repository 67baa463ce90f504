//! A combination is what several capabilities allow together: more than each of them alone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One combination, as `[[combination]]` says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Combination {
    /// `reverse-shell`.
    pub id: String,
    /// What it means, in words.
    pub meaning: String,
    /// Ids of MITRE ATT&CK techniques.
    pub attack: Vec<String>,
    /// Of each list one must be there: a capability (`net.stream`), a finding of a rule (`rule:world-writable-path`), or a
    /// capability on a finding of a rule (`exec.command@setuid-file`).
    pub all: Vec<Vec<String>>,
}

/// One way in which a part of a combination can be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Atom<'a> {
    /// Some finding gives this capability.
    Capability(&'a str),
    /// There is a finding of this rule.
    Rule(&'a str),
    /// A finding of this rule gives this capability.
    CapabilityOf(&'a str, &'a str),
}

impl<'a> Atom<'a> {
    /// What a text of [`Combination::all`] means.
    pub fn of(text: &'a str) -> Self {
        match (text.strip_prefix("rule:"), text.split_once('@')) {
            (Some(rule), _) => Self::Rule(rule),
            (None, Some((capability, rule))) => Self::CapabilityOf(capability, rule),
            (None, None) => Self::Capability(text),
        }
    }
}

impl Combination {
    /// Checks an entry against the ids of all capabilities.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn check(&self, capabilities: &BTreeSet<&str>) -> Result<(), String> {
        let at = |why: String| Err(format!("combination {}: {why}", self.id));
        if self.all.len() < 2 && !self.all.iter().flatten().any(|atom| atom.contains('@')) {
            return at("it needs two parts at least".to_owned());
        }
        if self.all.iter().any(Vec::is_empty) {
            return at("a part has no alternatives".to_owned());
        }
        for atom in self.all.iter().flatten() {
            if let Atom::Capability(id) | Atom::CapabilityOf(id, _) = Atom::of(atom)
                && !capabilities.contains(id)
            {
                return at(format!("there is no capability {id}"));
            }
        }
        Ok(())
    }
}
