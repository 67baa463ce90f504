//! A page is a rule's Markdown read as blocks, as far as our own pages use Markdown.

/// One block of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block<'a> {
    /// A heading and its depth, 1 for the page's title.
    Heading(usize, &'a str),
    /// A paragraph, its lines joined.
    Paragraph(String),
    /// An item of a list, its lines joined.
    Item(String),
    /// Lines to show as they are: code, rows of a table.
    Code(Vec<&'a str>),
}

/// Reads a page.
pub(super) fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open = false; // whether the last block takes the next line of text
    let mut fenced = false;
    for line in page.lines() {
        let text = line.trim();
        if text.starts_with("```") {
            fenced = !fenced;
            open = false;
            if fenced {
                blocks.push(Block::Code(Vec::new()));
            }
        } else if fenced {
            if let Some(Block::Code(lines)) = blocks.last_mut() {
                lines.push(line);
            }
        } else if text.is_empty() {
            open = false;
        } else if text.starts_with('#') {
            let title = text.trim_start_matches('#');
            blocks.push(Block::Heading(text.len() - title.len(), title.trim()));
            open = false;
        } else if text.starts_with('|') || (line.starts_with("    ") && !open) {
            let row = line.strip_prefix("    ").unwrap_or(line);
            match blocks.last_mut() {
                Some(Block::Code(lines)) => lines.push(row),
                _ => blocks.push(Block::Code(vec![row])),
            }
            open = false;
        } else if let Some(item) = text.strip_prefix("- ").or_else(|| text.strip_prefix("* ")) {
            blocks.push(Block::Item(item.to_owned()));
            open = true;
        } else {
            match blocks.last_mut() {
                Some(Block::Paragraph(joined) | Block::Item(joined)) if open => {
                    joined.push(' ');
                    joined.push_str(text);
                }
                _ => blocks.push(Block::Paragraph(text.to_owned())),
            }
            open = true;
        }
    }
    blocks
}

/// The first paragraph: what the rule is about.
pub(super) fn summary(page: &str) -> Option<String> {
    blocks(page).into_iter().find_map(|block| match block {
        Block::Paragraph(text) => Some(text),
        _ => None,
    })
}

/// The page as plain text without its title, for readers that know no Markdown.
pub(super) fn plain(page: &str) -> String {
    let mut out = String::new();
    let mut after_item = false;
    for block in blocks(page) {
        let item = matches!(block, Block::Item(_));
        if !out.is_empty() {
            out.push_str(if item && after_item { "\n" } else { "\n\n" });
        }
        match block {
            Block::Heading(1, _) => {}
            Block::Heading(_, text) => {
                out.push_str(text);
                out.push(':');
            }
            Block::Paragraph(text) => out.push_str(&text),
            Block::Item(text) => {
                out.push_str("- ");
                out.push_str(&text);
            }
            Block::Code(lines) => {
                let lines: Vec<String> = lines.iter().map(|line| format!("    {line}")).collect();
                out.push_str(&lines.join("\n"));
            }
        }
        after_item = item;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# shell\n\nA shell is\na shell.\n\n## How to fix\n\n- one\n  more\n- two\n\n```dockerfile\nFROM x\n  RUN y\n```\n\nEnd.\n";

    #[test]
    fn blocks_are_what_the_page_shows() {
        assert_eq!(
            blocks(PAGE),
            [
                Block::Heading(1, "shell"),
                Block::Paragraph("A shell is a shell.".into()),
                Block::Heading(2, "How to fix"),
                Block::Item("one more".into()),
                Block::Item("two".into()),
                Block::Code(vec!["FROM x", "  RUN y"]),
                Block::Paragraph("End.".into()),
            ]
        );
    }

    #[test]
    fn plain_text_keeps_everything_but_the_title() {
        assert_eq!(
            plain(PAGE),
            "A shell is a shell.\n\nHow to fix:\n\n- one more\n- two\n\n    FROM x\n      RUN y\n\nEnd."
        );
        assert_eq!(summary(PAGE).as_deref(), Some("A shell is a shell."));
        assert_eq!(summary("# shell\n"), None);
    }
}
