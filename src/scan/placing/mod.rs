//! Placing finds the lines of a Dockerfile that an image was built from, and so the line that a finding is put down to.
//!
//! The image's history, written by the builder, is compared with each stage, from the end backwards. What the stage did not
//! write came with its base image, and is put down to the `FROM`. Nothing is guessed: where the stage's instructions are not
//! all found in the history, in their order, no finding has a line.

use super::attribution;
use crate::{
    dockerfile::{Dockerfile, Instruction, MADE_UP, history_parts},
    finding::{Finding, Location},
    image::{History, Image, ImageConfig},
    path::RootPath,
    report::DockerfileView,
    text,
};

/// Instructions of a stage, and lines of history above them, that are compared.
const LONGEST: usize = 400;
/// Lines of history that a builder may have added to those of the stage.
const ADDED: usize = 32;

/// Keywords whose last instruction decides what a rule about the configuration found.
const DECIDED_BY: &[(&str, &[&str])] = &[
    ("root-user", &["USER"]),
    ("root-group", &["USER"]),
    ("unknown-user", &["USER"]),
    ("non-numeric-user", &["USER"]),
    ("shell-form-command", &["ENTRYPOINT", "CMD"]),
    ("missing-program", &["ENTRYPOINT", "CMD"]),
    ("missing-library", &["ENTRYPOINT", "CMD"]),
    ("no-command", &["ENTRYPOINT", "CMD"]),
    ("shell-healthcheck", &["HEALTHCHECK"]),
];

/// Keywords of which the last instruction that names the subject made a finding of a rule.
const NAMED_BY: &[(&str, &[&str])] = &[
    ("remote-login-port", &["EXPOSE"]),
    ("sensitive-volume", &["VOLUME"]),
    (
        "secret-in-config",
        &["ENV", "LABEL", "ENTRYPOINT", "CMD", "HEALTHCHECK", "ARG", "RUN"],
    ),
];

/// A Dockerfile laid beside an image.
pub(super) struct Placing<'a> {
    dockerfile: &'a Dockerfile,
    config: Option<&'a ImageConfig>,
    /// The stage that was built, if one was found.
    fit: Option<Fit<'a>>,
    /// What made each layer, if that can be told, with the line of history that says so.
    layers: Vec<Option<(&'a Instruction, Option<&'a str>)>>,
}

/// A stage whose instructions are in the history.
struct Fit<'a> {
    stage: usize,
    chain: Vec<&'a Instruction>,
    /// Line of history and instruction, first to last.
    pairs: Vec<(usize, usize)>,
}

/// Lays a Dockerfile beside an image.
pub(super) fn place<'a>(dockerfile: &'a Dockerfile, image: &'a Image) -> Placing<'a> {
    let config = image.config.as_ref();
    let mut history: &[History] = config.map_or(&[], |config| &config.history);
    while let Some((last, before)) = history.split_last() {
        if last.comment.as_deref() != Some(MADE_UP) {
            break;
        }
        history = before;
    }
    // Of equal fits the last one: it is what a build without a target makes.
    let fit = (0..dockerfile.stages.len())
        .filter_map(|stage| fit(dockerfile, stage, history))
        .max_by_key(|fit| (fit.pairs.len(), std::cmp::Reverse(fit.chain.len()), fit.stage));
    let layers = fit
        .as_ref()
        .and_then(|fit| layers(dockerfile, fit, history, image.layers.len()))
        .unwrap_or_else(|| vec![None; image.layers.len()]);
    Placing {
        dockerfile,
        config,
        fit,
        layers,
    }
}

/// The longest common run of instructions and history, if every instruction that makes a layer is in it, and behind the
/// base image's part of the history every line that made a layer, too.
fn fit<'a>(dockerfile: &'a Dockerfile, stage: usize, history: &[History]) -> Option<Fit<'a>> {
    let chain = dockerfile.chain(stage);
    if chain.len() > LONGEST {
        return None;
    }
    let skipped = history.len().saturating_sub(chain.len().saturating_add(ADDED));
    let tail = history.get(skipped..)?;
    let written: Vec<(&str, &str)> = tail
        .iter()
        .map(|line| line.created_by.as_deref().unwrap_or_default())
        .map(|created_by| (history_parts(created_by).0, created_by))
        .collect();
    let mut pairs: Vec<(usize, usize)> = common(&written, &chain)
        .into_iter()
        .map(|(line, at)| (line.saturating_add(skipped), at))
        .collect();
    let paired = |pairs: &[(usize, usize)], line: usize| pairs.iter().any(|pair| pair.0 == line);
    let base = history
        .iter()
        .enumerate()
        .rposition(|(line, one)| !one.empty_layer && !paired(&pairs, line));
    // Nothing made a layer before a stage that begins with nothing.
    if base.is_some() && begins_with_nothing(dockerfile.base(stage)?) {
        return None;
    }
    pairs.retain(|pair| base.is_none_or(|base| pair.0 > base));
    let all = chain
        .iter()
        .enumerate()
        .filter(|(_, instruction)| instruction.makes_a_layer())
        .all(|(at, _)| pairs.iter().any(|pair| pair.1 == at));
    (all && !pairs.is_empty()).then_some(Fit { stage, chain, pairs })
}

/// The longest common subsequence of what was written and what is instructed; of several the one nearest the end.
fn common(written: &[(&str, &str)], chain: &[&Instruction]) -> Vec<(usize, usize)> {
    let width = chain.len().saturating_add(1);
    let same: Vec<bool> = written
        .iter()
        .flat_map(|(keyword, line)| {
            chain
                .iter()
                .map(move |instruction| instruction.keyword == *keyword && instruction.wrote(line))
        })
        .collect();
    let same = |i: usize, j: usize| same.get(i * chain.len() + j) == Some(&true);
    // Length of the longest one in the first `i` lines and `j` instructions.
    let mut longest = vec![0_u32; written.len().saturating_add(1).saturating_mul(width)];
    let at = |longest: &[u32], i: usize, j: usize| longest.get(i * width + j).copied().unwrap_or(0);
    for i in 0..written.len() {
        for j in 0..chain.len() {
            let here = if same(i, j) {
                at(&longest, i, j).saturating_add(1)
            } else {
                at(&longest, i, j + 1).max(at(&longest, i + 1, j))
            };
            if let Some(cell) = longest.get_mut((i + 1) * width + j + 1) {
                *cell = here;
            }
        }
    }
    let mut pairs = Vec::new();
    let (mut i, mut j) = (written.len(), chain.len());
    while i > 0 && j > 0 {
        if same(i - 1, j - 1) && at(&longest, i, j) == at(&longest, i - 1, j - 1).saturating_add(1) {
            pairs.push((i - 1, j - 1));
            (i, j) = (i - 1, j - 1);
        } else if at(&longest, i, j - 1) >= at(&longest, i - 1, j) {
            j -= 1;
        } else {
            i -= 1;
        }
    }
    pairs.reverse();
    pairs
}

fn begins_with_nothing(from: &Instruction) -> bool {
    from.words.split_whitespace().next() == Some("scratch")
}

type Made<'a> = Option<(&'a Instruction, Option<&'a str>)>;

/// What made each layer: the stage's own are the last ones, whether or not the base image has a history.
fn layers<'a>(
    dockerfile: &'a Dockerfile,
    fit: &Fit<'a>,
    history: &'a [History],
    layers: usize,
) -> Option<Vec<Made<'a>>> {
    let mut own = Vec::new();
    for &(line, at) in &fit.pairs {
        let (line, instruction) = (history.get(line)?, *fit.chain.get(at)?);
        match (line.empty_layer, instruction.makes_a_layer()) {
            (false, _) => own.push(Some((instruction, line.created_by.as_deref()))),
            // Several instructions went into one layer: which of them brought a file cannot be told.
            (true, true) => return None,
            (true, false) => {}
        }
    }
    let below = layers.checked_sub(own.len())?;
    let from = dockerfile.base(fit.stage)?;
    if below > 0 && begins_with_nothing(from) {
        return None;
    }
    let mut made: Vec<Made<'a>> = vec![Some((from, None)); below];
    made.append(&mut own);
    Some(made)
}

impl Placing<'_> {
    /// What a layer is put down to: the line of history that matched, else the `FROM`.
    pub(super) fn instruction(&self, layer: usize) -> Option<String> {
        match self.layers.get(layer).copied().flatten()? {
            (_, Some(created_by)) => attribution::instruction(created_by),
            (from, None) => attribution::instruction(&format!("FROM {}", from.words)),
        }
    }

    /// The line that a finding is put down to.
    pub(super) fn location(&self, finding: &Finding) -> Option<Location> {
        let instruction = match finding.layer {
            Some(layer) => self.layers.get(layer).copied().flatten()?.0,
            None if finding.path.is_none() => self.decisive(finding)?,
            None => return None,
        };
        let name = finding.path.as_ref().map(RootPath::name);
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        let identity = finding.identity.as_ref().map(|identity| identity.name.as_str());
        let subject = finding.subject.as_deref().map(named);
        let words: Vec<&str> = [name, identity, subject].into_iter().flatten().collect();
        Some(self.lines(instruction, &words))
    }

    /// The instruction that made the configuration what a finding says of it; the `FROM` where none did.
    fn decisive(&self, finding: &Finding) -> Option<&Instruction> {
        let fit = self.fit.as_ref()?;
        let config = self.config?;
        let keywords = |table: &[(&str, &'static [&'static str])]| {
            let row = table.iter().find(|(rule, _)| *rule == finding.rule.id);
            row.map(|(_, keywords)| *keywords)
        };
        let inherited = || self.dockerfile.base(fit.stage);
        if let Some(keywords) = keywords(NAMED_BY) {
            let name = named(finding.subject.as_deref()?);
            let by = |instruction: &&&Instruction| {
                keywords.contains(&instruction.keyword.as_str()) && mentions(&instruction.words, name)
            };
            return fit.chain.iter().rev().find(by).copied().or_else(inherited);
        }
        let last = |keyword: &str| fit.chain.iter().rev().find(|one| one.keyword == keyword).copied();
        match keywords(DECIDED_BY)? {
            ["USER"] => match last("USER") {
                // Something else has set the user since.
                Some(user) if !user.says(&config.user) => None,
                Some(user) => Some(user),
                None => inherited(),
            },
            ["ENTRYPOINT", "CMD"] => {
                let of_cmd = match finding.subject.as_deref() {
                    Some(subject) => subject == "Cmd",
                    None => config.entrypoint.is_empty(),
                };
                last(if of_cmd { "CMD" } else { "ENTRYPOINT" }).or_else(inherited)
            }
            [keyword, ..] => last(keyword).or_else(inherited),
            [] => None,
        }
    }

    /// Where an instruction stands, and which of its lines names one of `words`.
    fn lines(&self, instruction: &Instruction, words: &[&str]) -> Location {
        let named = (instruction.line..=instruction.end_line).find(|&line| {
            words
                .iter()
                .any(|word| mentions(self.dockerfile.line(line), word))
        });
        let focus = named.unwrap_or(instruction.line);
        Location {
            file: self.dockerfile.file.clone(),
            line: instruction.line,
            end_line: instruction.end_line,
            focus,
            columns: self.dockerfile.line(focus).encode_utf16().count(),
        }
    }

    /// What the report says of the Dockerfile as a whole.
    pub(super) fn view(&self) -> Option<DockerfileView> {
        let last = self.dockerfile.stages.len().checked_sub(1)?;
        let stage = self.fit.as_ref().map_or(last, |fit| fit.stage);
        let from = &self.dockerfile.stages.get(stage)?.from;
        Some(DockerfileView {
            from: self.lines(from, &[]),
            matched: self.fit.is_some(),
        })
    }

    /// What a reader must know of how the lines were found.
    pub(super) fn note(&self) -> Option<String> {
        let file = text::escape(self.dockerfile.file.as_bytes());
        let Some(fit) = &self.fit else {
            return Some(format!(
                "{file}: no stage of it fits the image's history, so no finding is put down to a line of it"
            ));
        };
        let stage = self.dockerfile.stages.get(fit.stage)?;
        let line = stage.from.line;
        let name = match &stage.name {
            Some(name) => format!("stage `{}` (line {line})", text::escape(name.as_bytes())),
            None => format!("the stage of line {line}"),
        };
        if self.layers.iter().all(Option::is_none) && !self.layers.is_empty() {
            return Some(format!(
                "{file}: the image was built from {name}, but which instruction made which layer cannot be told"
            ));
        }
        (self.dockerfile.stages.len() > 1).then(|| format!("{file}: the image was built from {name}"))
    }
}

/// The name in a subject such as `22/tcp`, `TOKEN=…` or `ENV TOKEN`.
fn named(subject: &str) -> &str {
    let word = subject.split_whitespace().next_back().unwrap_or_default();
    word.split('=')
        .next()
        .and_then(|word| word.split("/tcp").next())
        .unwrap_or_default()
}

/// Whether `line` holds `word` as a whole word.
fn mentions(line: &str, word: &str) -> bool {
    let of_word = |c: char| c.is_alphanumeric() || c == '_';
    !word.is_empty()
        && line.match_indices(word).any(|(at, _)| {
            let before = line.get(..at).and_then(|text| text.chars().next_back());
            let after = line
                .get(at.saturating_add(word.len())..)
                .and_then(|text| text.chars().next());
            !before.is_some_and(of_word) && !after.is_some_and(of_word)
        })
}

#[cfg(test)]
mod tests;
