//! Tests of the list of rules: each has its check, its file, its page and its clauses of standards.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_rule_has_its_check_its_file_and_its_page() {
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    let checks: Vec<&str> = CHECKS.iter().map(|check| check.rule).collect();
    assert_eq!(rules, checks);
    // What the checks share.
    let parts = [
        "access",
        "capability",
        "combination",
        "command_line",
        "fuzzing",
        "identify",
        "inside",
        "interpreters",
        "machine",
        "mod",
        "modules",
        "obstacle",
        "set_id",
        "tools",
        "trusted",
        "user",
        "who",
    ];
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |directory: &str, extension: &str| -> BTreeSet<String> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the test compares the table with the source tree"
        )]
        let entries = std::fs::read_dir(root.join(directory)).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| Some(name.strip_suffix(extension)?.to_owned()))
            .collect()
    };
    let files: BTreeSet<String> = rules
        .iter()
        .map(|id| id.replace('-', "_"))
        .chain(parts.map(str::to_owned))
        .collect();
    assert_eq!(names("src/checks", ".rs"), files);
    assert_eq!(
        names("policies/rules", ".md"),
        rules.iter().map(|&id| id.to_owned()).collect()
    );
}

#[test]
fn pages_have_their_sections_in_order() {
    for rule in RULES {
        let mut lines = rule.page.lines();
        assert_eq!(
            lines.next(),
            Some(format!("# {}", rule.title).as_str()),
            "{}",
            rule.id
        );
        let sections: Vec<&str> = rule
            .page
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .collect();
        let mut want = vec!["What", "Why it matters"];
        if rule.family == FamilyOfRules::Tools {
            want.push("What an intruder gains");
        }
        want.extend(["How to fix", "How to accept it", "Standards"]);
        let sections: Vec<&str> = sections
            .into_iter()
            .filter(|section| *section != "What an intruder gains" || rule.family == FamilyOfRules::Tools)
            .collect();
        assert_eq!(sections, want, "{}", rule.id);
        assert_eq!(rule.page.matches("```dockerfile").count(), 2, "{}", rule.id);
        assert!(!rule.page.contains("!["), "{}", rule.id);
        let waiver = rule
            .page
            .split("```toml")
            .nth(1)
            .unwrap()
            .split("```")
            .next()
            .unwrap();
        let waiver: toml::Table = waiver.parse().unwrap();
        let waiver = waiver["waiver"][0].as_table().unwrap();
        assert_eq!(waiver["rule"].as_str(), Some(rule.id));
        for key in waiver.keys() {
            assert!(
                ["rule", "paths", "reason", "owner", "expires"].contains(&key.as_str()),
                "{key}"
            );
        }
        // Text outside of code that a renderer could take for HTML.
        let prose: String = rule
            .page
            .split("```")
            .step_by(2)
            .flat_map(|text| text.split('`').step_by(2))
            .collect();
        assert!(!prose.contains('<'), "{}", rule.id);
    }
}

#[test]
fn pages_and_standards_agree() {
    let data: toml::Table = include_str!("../../../policies/standards.toml").parse().unwrap();
    let text = |table: &toml::Table, key: &str| table[key].as_str().unwrap().to_owned();
    let tables = |key: &str| -> Vec<toml::Table> {
        data[key]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry.as_table().unwrap().clone())
            .collect()
    };
    let frameworks: BTreeMap<String, toml::Table> = tables("framework")
        .into_iter()
        .map(|table| (text(&table, "key"), table))
        .collect();
    let clauses: BTreeMap<String, toml::Table> = tables("clause")
        .into_iter()
        .map(|table| {
            (
                format!("{}:{}", text(&table, "framework"), text(&table, "id")),
                table,
            )
        })
        .collect();
    let mut used = BTreeSet::new();
    let rules = data["rules"].as_table().unwrap();
    assert_eq!(
        rules.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        RULES.iter().map(|rule| rule.id).collect()
    );
    for rule in RULES {
        let page = rule.page.split("## Standards").nth(1).unwrap();
        let mut shown = 0;
        for relation in ["direct", "supports", "related"] {
            for clause in rules[rule.id][relation].as_array().unwrap() {
                let clause = clause.as_str().unwrap();
                let entry = &clauses[clause];
                let framework = &frameworks[&text(entry, "framework")];
                let mark = if entry["verified"].as_bool().unwrap() {
                    ""
                } else {
                    " (unverified)"
                };
                let line = format!(
                    "- {} ({}) `{}`: {}{mark}",
                    text(framework, "name"),
                    text(framework, "version"),
                    text(entry, "id"),
                    text(entry, "title")
                );
                assert!(page.lines().any(|have| have == line), "{}: {line}", rule.id);
                assert!(
                    used.insert((rule.id, clause.to_owned())),
                    "{clause} twice for {}",
                    rule.id
                );
                shown += 1;
            }
        }
        assert_eq!(
            page.lines().filter(|line| line.starts_with("- ")).count(),
            shown,
            "{}",
            rule.id
        );
    }
    let scan = data["scan"].as_table().unwrap();
    let scan = scan
        .values()
        .flat_map(|list| list.as_array().unwrap())
        .map(|clause| clause.as_str().unwrap());
    let all: BTreeSet<String> = used
        .into_iter()
        .map(|(_, clause)| clause)
        .chain(scan.map(str::to_owned))
        .collect();
    assert_eq!(all, clauses.keys().cloned().collect());
}
