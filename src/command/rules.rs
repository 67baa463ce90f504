//! `scant rules` and `scant explain`: what scant looks for, and what to do about it.

use super::{Done, Trouble, print};
use crate::{
    cli::GlobalArgs,
    config,
    finding::{RULES, Rule},
    output::help,
    text,
};

/// Explains one rule.
pub fn explain(global: &GlobalArgs, id: &str) -> Done {
    let Some(rule) = Rule::get(id) else {
        return Err(Trouble::Usage(text::unknown(
            "rule",
            id,
            RULES.iter().map(|rule| rule.id),
        )));
    };
    print(&help::explain(rule, &config::style(global)?))
}

/// Lists all rules, as a table for a terminal or in Markdown.
pub fn list(global: &GlobalArgs, markdown: bool) -> Done {
    let _style = config::style(global)?;
    print(&if markdown {
        help::rules_markdown()
    } else {
        help::rules_table()
    })
}
