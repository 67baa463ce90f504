//! Standards are the clauses that a rule speaks to, as far as outputs refer to them by number.

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;

use crate::finding::Rule;

/// One clause of a standard.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Clause {
    framework: String,
    /// As the standard writes it: `CWE-250`, `T1059.004`.
    pub(super) id: String,
    /// As the standard words it.
    pub(super) title: String,
}

/// The clauses of one rule, as `framework:id`, the closest first.
#[derive(Clone, Debug, Default, Deserialize)]
struct Links {
    direct: Vec<String>,
    supports: Vec<String>,
    related: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Standards {
    clause: Vec<Clause>,
    rules: BTreeMap<String, Links>,
}

fn standards() -> &'static Standards {
    static STANDARDS: OnceLock<Standards> = OnceLock::new();
    // A test reads the file strictly: what is embedded is never the default.
    STANDARDS
        .get_or_init(|| toml::from_str(include_str!("../../policies/standards.toml")).unwrap_or_default())
}

/// All clauses of a framework, in the order of the file.
pub(super) fn clauses(framework: &str) -> Vec<&'static Clause> {
    standards()
        .clause
        .iter()
        .filter(|clause| clause.framework == framework)
        .collect()
}

/// The clauses of a framework that a rule speaks to, the closest first.
pub(super) fn of_rule(rule: &Rule, framework: &str) -> Vec<&'static Clause> {
    let Some(links) = standards().rules.get(rule.id) else {
        return Vec::new();
    };
    let all = links.direct.iter().chain(&links.supports).chain(&links.related);
    all.filter_map(|link| link.split_once(':'))
        .filter(|(of, _)| *of == framework)
        .filter_map(|(of, id)| {
            standards()
                .clause
                .iter()
                .find(|clause| clause.framework == of && clause.id == id)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::RULES;

    #[test]
    fn the_file_is_read_and_names_every_rule() {
        let file: Standards = toml::from_str(include_str!("../../policies/standards.toml")).unwrap();
        for rule in RULES {
            assert!(
                file.rules.contains_key(rule.id),
                "{} is not in standards.toml",
                rule.id
            );
        }
        let shell = Rule::get("root-user").unwrap();
        let ids: Vec<&str> = of_rule(shell, "cwe")
            .iter()
            .map(|clause| clause.id.as_str())
            .collect();
        assert_eq!(ids.first(), Some(&"CWE-250"));
        assert!(clauses("attack").iter().any(|clause| clause.id == "T1059.004"));
    }
}
