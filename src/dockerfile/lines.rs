//! A logical line: an instruction with its continuations joined and its here-documents taken out.

use super::Heredoc;

/// One instruction before it is split into words.
pub(super) struct Logical {
    pub(super) text: String,
    pub(super) heredocs: Vec<Heredoc>,
    /// From 1.
    pub(super) line: usize,
    pub(super) end_line: usize,
}

/// Splits a file's lines into instructions.
///
/// # Errors
/// A here-document has no end.
pub(super) fn logical(lines: &[String]) -> Result<Vec<Logical>, String> {
    let escape = escape(lines);
    let mut found = Vec::new();
    let mut rest = lines.iter().enumerate();
    while let Some((index, first)) = rest.next() {
        if is_nothing(first) {
            continue;
        }
        let mut end = index;
        let mut text = first.trim_start().to_owned();
        while let Some(joined) = continued(&text, escape) {
            text = joined;
            // Comments and empty lines inside a continuation are as if they were not there.
            let Some((index, next)) = rest.by_ref().find(|(_, line)| !is_nothing(line)) else {
                break;
            };
            text.push_str(next);
            end = index;
        }
        let mut heredocs = Vec::new();
        for (name, chomp) in heredocs_of(&text) {
            let mut body = String::new();
            loop {
                let Some((index, line)) = rest.next() else {
                    let line = index.saturating_add(1);
                    return Err(format!("the here-document `{name}` of line {line} has no end"));
                };
                end = index;
                let line = if chomp {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                if line == name {
                    break;
                }
                body.push_str(line);
                body.push('\n');
            }
            heredocs.push(Heredoc { name, body });
        }
        found.push(Logical {
            text,
            heredocs,
            line: index.saturating_add(1),
            end_line: end.saturating_add(1),
        });
    }
    Ok(found)
}

fn is_nothing(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// The character that continues a line: `\`, or what the directive `# escape=` at the top of the file says.
fn escape(lines: &[String]) -> char {
    for line in lines {
        let directive = line
            .trim_start()
            .strip_prefix('#')
            .and_then(|line| line.split_once('='));
        let Some((name, value)) = directive else { break };
        match name.trim().to_ascii_lowercase().as_str() {
            "escape" if value.trim() == "`" => return '`',
            "escape" => return '\\',
            "syntax" | "check" => {}
            // Any other comment ends the directives.
            _ => break,
        }
    }
    '\\'
}

/// The line without the escape at its end, if it goes on; two escapes are one of the text.
fn continued(text: &str, escape: char) -> Option<String> {
    let cut = text.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    (!cut.ends_with(escape)).then(|| cut.to_owned())
}

/// The here-documents that an instruction announces, and whether leading tabs are cut off their lines.
fn heredocs_of(text: &str) -> Vec<(String, bool)> {
    let mut words = shell_words(text).into_iter();
    let mut keyword = words.next().unwrap_or_default().to_ascii_uppercase();
    if keyword == "ONBUILD" {
        keyword = words.next().unwrap_or_default().to_ascii_uppercase();
    }
    if !["RUN", "COPY", "ADD"].contains(&keyword.as_str()) {
        return Vec::new();
    }
    words.filter_map(|word| heredoc(&word)).collect()
}

/// A word such as `<<EOF`, `3<<-"END"`.
fn heredoc(word: &str) -> Option<(String, bool)> {
    let word = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = word.strip_prefix("<<")?;
    let (rest, chomp) = match rest.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let name: String = rest.chars().filter(|c| !['"', '\'', '\\'].contains(c)).collect();
    (!name.is_empty() && !name.contains('<')).then_some((name, chomp))
}

/// The text at its blanks, but for those inside quotes. Quotes stay.
fn shell_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut escaped = false;
    for c in text.chars() {
        let plain = !escaped;
        escaped = plain && c == '\\' && quote != Some('\'');
        match quote {
            Some(open) if plain && c == open => quote = None,
            None if plain && (c == '"' || c == '\'') => quote = Some(c),
            None if plain && c.is_whitespace() => {
                words.push(std::mem::take(&mut word));
                continue;
            }
            _ => {}
        }
        word.push(c);
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}
