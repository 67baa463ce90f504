//! Every rule as SARIF describes it, fired or not, in one fixed order.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use serde_sarif::sarif::{
    MultiformatMessageString, PropertyBag, ReportingConfiguration, ReportingDescriptor,
};

use super::taxonomies;
use crate::{
    finding::{FamilyOfRules, RULES, Rule, Severity},
    output::{page, standards},
};

/// Tags of a rule that GitHub keeps.
const TAGS: usize = 10;
/// Longest short or full description that GitHub takes, in characters.
const DESCRIPTION: usize = 1_024;

/// The position of a rule in [`all`].
pub(super) fn index(rule: &Rule) -> Option<i64> {
    let at = RULES.iter().position(|one| one.id == rule.id)?;
    i64::try_from(at).ok()
}

/// All rules; `tied` to taxonomies where the run has them.
pub(super) fn all(tied: bool) -> Vec<ReportingDescriptor> {
    RULES
        .iter()
        .map(|rule| {
            let mut written = descriptor(rule);
            let relationships = if tied {
                taxonomies::relationships(rule)
            } else {
                Vec::new()
            };
            if !relationships.is_empty() {
                written.relationships = Some(relationships);
            }
            written
        })
        .collect()
}

fn descriptor(rule: &Rule) -> ReportingDescriptor {
    let title = format!("{}.", rule.title);
    let summary = page::summary(rule.page).unwrap_or_else(|| title.clone());
    let severity = rule.severity.as_str().to_uppercase();
    ReportingDescriptor::builder()
        .id(rule.id)
        .name(name(rule.id))
        .short_description(text(cut(&title)))
        .full_description(text(cut(&summary)))
        .help(
            MultiformatMessageString::builder()
                // Ratify's verifier takes the severity from this line by a pattern.
                .text(format!("Severity: {severity}\n\n{}", help(rule, &title)))
                .markdown(format!("**Severity: {severity}**\n\n{}", rule.page.trim()))
                .build(),
        )
        .default_configuration(
            ReportingConfiguration::builder()
                .level(json!(level(rule.severity)))
                .build(),
        )
        .properties(properties(rule))
        .build()
}

fn help(rule: &Rule, title: &str) -> String {
    let page = page::plain(rule.page);
    if page.trim().is_empty() {
        title.to_owned()
    } else {
        page
    }
}

fn text(text: String) -> MultiformatMessageString {
    MultiformatMessageString::builder().text(text).build()
}

/// At most what GitHub takes; a longer text ends with an ellipsis.
fn cut(text: &str) -> String {
    if text.chars().count() <= DESCRIPTION {
        return text.to_owned();
    }
    text.chars().take(DESCRIPTION - 1).chain(['…']).collect()
}

/// `PackageManager`; a name of one word gets a second, since name and id must differ in more than case.
fn name(id: &str) -> String {
    let mut name = String::new();
    for part in id.split('-') {
        let mut chars = part.chars();
        name.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(chars.as_str());
    }
    if !id.contains('-') {
        name.push_str("Present");
    }
    name
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// A figure inside GitHub's band for the severity, away from the bands' edges.
fn security_severity(rule: &Rule) -> Option<&'static str> {
    if !rule.security {
        return None;
    }
    match rule.severity {
        Severity::Critical => Some("9.5"),
        Severity::High => Some("8.0"),
        Severity::Medium => Some("5.5"),
        Severity::Low => Some("2.0"),
        Severity::Info => None,
    }
}

fn properties(rule: &Rule) -> PropertyBag {
    let mut tags = vec!["container".to_owned(), rule.family.as_str().to_owned()];
    for clause in standards::of_rule(rule, "cwe") {
        tags.push(format!("external/cwe/{}", clause.id.to_lowercase()));
    }
    // Programs are known by content, modes and users are read; what is left over or secret is told by names, places and forms.
    let precision = match rule.family {
        FamilyOfRules::Leftovers | FamilyOfRules::Exposure => "high",
        _ => "very-high",
    };
    let mut more: Vec<(&str, Value)> = vec![("precision", json!(precision))];
    if let Some(figure) = security_severity(rule) {
        tags.insert(0, "security".to_owned());
        more.push(("security-severity", json!(figure)));
    } else {
        let word = match level(rule.severity) {
            "note" => "recommendation",
            word => word,
        };
        more.push(("problem.severity", json!(word)));
    }
    tags.truncate(TAGS);
    let more: BTreeMap<String, Value> = more
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    PropertyBag::builder()
        .tags(tags)
        .additional_properties(more)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_from_ids_in_more_than_case() {
        assert_eq!(name("package-manager"), "PackageManager");
        assert_eq!(name("shell"), "ShellPresent");
        for rule in RULES {
            assert!(!name(rule.id).eq_ignore_ascii_case(rule.id), "{}", rule.id);
            assert!(name(rule.id).len() <= 255);
        }
    }

    #[test]
    fn help_begins_with_the_severity() {
        for rule in all(true) {
            let help = rule.help.unwrap();
            let first = help.text.lines().next().unwrap().to_owned();
            assert!(
                first.starts_with("Severity: ") && first == first.replace("severity", ""),
                "{first}"
            );
            assert!(help.text.lines().count() > 2);
        }
    }

    #[test]
    fn only_security_rules_have_a_security_severity() {
        for (rule, written) in RULES.iter().zip(all(true)) {
            let bag = written.properties.unwrap();
            let tagged = bag.tags.unwrap().contains(&"security".to_owned());
            assert_eq!(
                tagged,
                bag.additional_properties.contains_key("security-severity")
            );
            assert_ne!(tagged, bag.additional_properties.contains_key("problem.severity"));
            assert!(!tagged || rule.security);
        }
    }

    #[test]
    fn rules_name_their_weaknesses() {
        let root = all(true).into_iter().find(|rule| rule.id == "root-user").unwrap();
        let tags = root.properties.unwrap().tags.unwrap();
        assert!(tags.contains(&"external/cwe/cwe-250".to_owned()), "{tags:?}");
        let first = root.relationships.unwrap().into_iter().next().unwrap().target;
        assert_eq!(first.id.as_deref(), Some("CWE-250"));
        let taxa = taxonomies::all().into_iter().next().unwrap().taxa.unwrap();
        let index = usize::try_from(first.index.unwrap()).unwrap();
        assert_eq!(taxa[index].id, "CWE-250");
        assert!(all(false).iter().all(|rule| rule.relationships.is_none()));
    }

    #[test]
    fn no_rule_has_more_tags_than_are_kept() {
        for rule in all(false) {
            assert!(
                rule.properties.unwrap().tags.unwrap().len() <= TAGS,
                "{}",
                rule.id
            );
        }
    }

    #[test]
    fn descriptions_are_cut_to_what_is_taken() {
        assert_eq!(cut(&"é".repeat(2_000)).chars().count(), DESCRIPTION);
        assert_eq!(cut("short"), "short");
    }
}
