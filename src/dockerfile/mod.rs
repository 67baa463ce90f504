//! A Dockerfile: its stages and their instructions, each with the lines it stands on.
//!
//! Read as `BuildKit`'s `frontend/dockerfile/parser` reads it: directives, continuations with comments and empty lines inside
//! them, here-documents, any line ending. Nothing is expanded: a variable's value is known to the builder alone.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod history;
mod lines;

#[cfg(test)]
mod tests;

pub use history::{MADE_UP, parts as history_parts};
use lines::Logical;

/// A Dockerfile and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dockerfile {
    /// Its path from the root of the repository, with `/` between its parts.
    pub file: String,
    /// Its stages, in order; at least one.
    pub stages: Vec<Stage>,
    /// Its lines without their ends, as an editor counts them.
    lines: Vec<String>,
}

/// What stands between one `FROM` and the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The name after `AS`, in lower case.
    pub name: Option<String>,
    /// An earlier stage that this one continues, by index; otherwise it begins with another image, or with nothing.
    pub continues: Option<usize>,
    /// The `FROM`.
    pub from: Instruction,
    /// What follows it.
    pub instructions: Vec<Instruction>,
}

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// The keyword, in upper case.
    pub keyword: String,
    /// What follows the keyword and its flags, continuations joined.
    pub words: String,
    /// Here-documents, in order.
    pub heredocs: Vec<Heredoc>,
    /// Its first line, from 1.
    pub line: usize,
    /// Its last line.
    pub end_line: usize,
}

/// A here-document of an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc {
    /// The word that ends it.
    pub name: String,
    /// Its lines, each with its end; without leading tabs after `<<-`.
    pub body: String,
}

impl Dockerfile {
    /// Reads the text of a Dockerfile that lies at `file`.
    ///
    /// # Errors
    /// There is no `FROM`, or a here-document has no end.
    pub fn parse(file: &str, text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines: Vec<String> = text
            .lines()
            .map(|line| line.trim_end_matches('\r').to_owned())
            .collect();
        let mut stages: Vec<Stage> = Vec::new();
        for logical in lines::logical(&lines)? {
            let instruction = instruction(logical);
            if instruction.keyword == "FROM" {
                let stage = stage(instruction, &stages);
                stages.push(stage);
            } else if let Some(stage) = stages.last_mut() {
                stage.instructions.push(instruction);
            }
            // Only ARG may stand before the first FROM, and no image shows it.
        }
        if stages.is_empty() {
            return Err("there is no FROM in it".to_owned());
        }
        Ok(Self {
            file: file.to_owned(),
            stages,
            lines,
        })
    }

    /// What an image built from a stage went through: its instructions after those of the stages it continues.
    pub fn chain(&self, stage: usize) -> Vec<&Instruction> {
        let mut stages = Vec::new();
        let mut next = self.stages.get(stage);
        while let Some(stage) = next {
            stages.push(stage);
            // A stage continues an earlier one only, so this ends.
            next = stage.continues.and_then(|index| self.stages.get(index));
        }
        let parts = stages.iter().rev();
        parts.flat_map(|stage| &stage.instructions).collect()
    }

    /// The `FROM` that names the image which a stage, and those it continues, begin with.
    pub fn base(&self, stage: usize) -> Option<&Instruction> {
        let mut stage = self.stages.get(stage)?;
        while let Some(earlier) = stage.continues.and_then(|index| self.stages.get(index)) {
            stage = earlier;
        }
        Some(&stage.from)
    }

    /// The text of a line, counted from 1; empty where there is none.
    pub fn line(&self, line: usize) -> &str {
        let index = line.checked_sub(1);
        index
            .and_then(|index| self.lines.get(index))
            .map_or("", String::as_str)
    }
}

/// Keyword and words of a logical line, without the flags in front (`--from=build`, `--mount=…`).
fn instruction(logical: Logical) -> Instruction {
    let (keyword, rest) = split(&logical.text);
    let mut words = rest;
    while words.starts_with("--") {
        words = split(words).1;
    }
    Instruction {
        keyword: keyword.to_ascii_uppercase(),
        words: words.trim_end().to_owned(),
        heredocs: logical.heredocs,
        line: logical.line,
        end_line: logical.end_line,
    }
}

/// The first word, and what follows it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

fn stage(from: Instruction, earlier: &[Stage]) -> Stage {
    let mut words = from.words.split_whitespace();
    let base = words.next().unwrap_or_default().to_ascii_lowercase();
    let named = words.next().is_some_and(|word| word.eq_ignore_ascii_case("as"));
    let name = words.next().filter(|_| named).map(str::to_ascii_lowercase);
    let continues = earlier
        .iter()
        .rposition(|stage| stage.name.as_deref() == Some(base.as_str()));
    Stage {
        name,
        continues,
        from,
        instructions: Vec::new(),
    }
}
