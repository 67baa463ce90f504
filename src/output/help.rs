//! Help is what scant says of its rules: one page, or the table of all.

use std::fmt::Write as _;

use super::{
    Style,
    page::{self, Block},
    terminal::ink::{self, Ink, pad},
};
use crate::finding::{RULES, Rule, Severity};

/// The page of one rule, to be read in a terminal.
pub fn explain(rule: &Rule, style: &Style) -> String {
    let ink = Ink(style);
    let severity = rule.severity.as_str();
    let shown = match rule.severity {
        Severity::Critical | Severity::High => ink.bad(severity),
        Severity::Medium => ink.middling(severity),
        Severity::Low | Severity::Info => severity.to_owned(),
    };
    let mut out = format!(
        "{}  {}\n{shown}{}{}\n",
        ink.bold(rule.id),
        rule.title,
        ink.dot(),
        rule.family.as_str()
    );
    let mut after_item = false;
    for block in page::blocks(rule.page) {
        let item = matches!(block, Block::Item(_));
        if !(item && after_item || matches!(block, Block::Heading(1, _))) {
            out.push('\n');
        }
        after_item = item;
        let lines: Vec<String> = match block {
            Block::Heading(1, _) => Vec::new(),
            Block::Heading(_, text) => vec![ink.bold(text)],
            Block::Paragraph(text) => ink::wrap(&text, style.width, 0),
            Block::Item(text) => ink::wrap(&format!("- {text}"), style.width, 2),
            Block::Code(lines) => lines.iter().map(|line| ink.dim(&format!("    {line}"))).collect(),
        };
        for line in lines {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

/// All rules, a line each.
pub fn rules_table() -> String {
    let id = RULES.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let family = RULES
        .iter()
        .map(|rule| rule.family.as_str().len())
        .max()
        .unwrap_or(0);
    let mut out = String::new();
    for rule in RULES {
        let _ = writeln!(
            out,
            "{}  {}  {}  {}",
            pad(rule.id, id),
            pad(rule.severity.as_str(), "critical".len()),
            pad(rule.family.as_str(), family),
            rule.title
        );
    }
    out
}

/// All rules as the README's table.
pub fn rules_markdown() -> String {
    let mut out = "| rule | severity | family | what it means |\n|---|---|---|---|\n".to_owned();
    for rule in RULES {
        let _ = writeln!(
            out,
            "| [`{id}`](policies/rules/{id}.md) | {} | {} | {} |",
            rule.severity.as_str(),
            rule.family.as_str(),
            rule.title,
            id = rule.id,
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_shown_whole_and_within_the_width() {
        let style = Style {
            width: 72,
            ..Style::default()
        };
        for rule in RULES {
            let shown = explain(rule, &style);
            assert!(shown.starts_with(rule.id) && shown.contains(rule.title));
            assert!(!shown.contains("```") && !shown.contains("\n\n\n"), "{shown}");
            for line in shown.lines().filter(|line| !line.starts_with("    ")) {
                let word = line.split_whitespace().map(str::len).max().unwrap_or(0);
                assert!(line.chars().count() <= 72.max(word + 2), "{line}");
            }
            // Headings lose their marks, and comments in code have the same; so words are compared without.
            let words = |text: &str| {
                let words = text
                    .split_whitespace()
                    .map(|word| word.trim_start_matches('#').to_owned());
                words.filter(|word| !word.is_empty()).collect::<Vec<_>>()
            };
            let body = rule.page.lines().skip(1).filter(|line| !line.starts_with("```"));
            let body = body.collect::<Vec<_>>().join("\n");
            assert!(words(&shown).ends_with(&words(&body)), "{} loses words", rule.id);
        }
    }

    #[test]
    fn tables_name_every_rule_in_order() {
        let ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
        let table = rules_table();
        let first: Vec<&str> = table
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(first, ids);
        let markdown = rules_markdown();
        let linked: Vec<&str> = markdown
            .lines()
            .skip(2)
            .filter_map(|line| line.split('`').nth(1))
            .collect();
        assert_eq!(linked, ids);
    }
}
