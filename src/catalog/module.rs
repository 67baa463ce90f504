//! A module is code that an interpreter runs as a tool without any script of its own: `python -m pip`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One kind of module tree, as `[[module]]` says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// The family that it is: `pm.pip`.
    pub tool: String,
    /// Further families whose scripts load this code: `pm.npx`.
    #[serde(default)]
    pub serves: Vec<String>,
    /// Families of which one must be in the image to run it; may end in `*`.
    pub needs: Vec<String>,
    /// The command that runs it, for a person to read: `python -m pip`.
    pub run: String,
    /// Ends of paths, any of which tells that the tree is there; a part may hold one `*`.
    pub(crate) files: Vec<String>,
    /// Texts that must all stand in the first bytes of such a file.
    #[serde(default)]
    pub(crate) contains: Vec<String>,
    /// It has to be unpacked first, by a command that is there: a bundled wheel.
    #[serde(default)]
    pub dormant: bool,
}

impl Module {
    /// Bytes at the beginning of a file in which [`Module::shown_in`] looks for its texts.
    pub const HEAD: usize = 16 << 10;

    /// How many of the last parts of `path` lie in the tree, if a file there would tell of it.
    pub fn depth(&self, path: &[u8]) -> Option<usize> {
        let file = self.files.iter().find(|file| ends_in(path, file.as_bytes()))?;
        Some(file.split('/').count())
    }

    /// Whether a file must be read to tell.
    pub fn asks_for_content(&self) -> bool {
        !self.contains.is_empty()
    }

    /// Whether the beginning of a file has all texts that make it the module.
    pub fn shown_in(&self, head: &[u8]) -> bool {
        let head = head.get(..Self::HEAD).unwrap_or(head);
        let mut texts = self.contains.iter();
        texts.all(|text| occurs(head, text.as_bytes()))
    }

    /// Whether a program of this family runs it.
    pub fn runs_on(&self, family: &str) -> bool {
        self.needs.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => family.starts_with(start),
            None => family == pattern,
        })
    }

    /// Whether a script of this family loads its code.
    pub fn serves(&self, family: &str) -> bool {
        self.tool == family || self.serves.iter().any(|served| served == family)
    }

    /// A path for each of its files, for tests.
    #[cfg(test)]
    pub(crate) fn examples(&self) -> Vec<String> {
        let files = self.files.iter();
        files
            .map(|file| format!("/opt/{}", file.replace('*', "tool-1")))
            .collect()
    }

    /// A content that has all its texts, for tests.
    #[cfg(test)]
    pub(crate) fn example_content(&self) -> String {
        self.contains.join("\n")
    }

    /// Checks an entry against the ids of all tools.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn check(&self, ids: &BTreeSet<&str>) -> Result<(), String> {
        let at = |why: String| Err(format!("module of {}: {why}", self.tool));
        for id in std::iter::once(&self.tool).chain(&self.serves) {
            if !ids.contains(id.as_str()) {
                return at(format!("there is no tool {id}"));
            }
        }
        for pattern in &self.needs {
            let known = ids.iter().any(|id| match pattern.strip_suffix('*') {
                Some(start) => id.starts_with(start),
                None => id == pattern,
            });
            if !known {
                return at(format!("it needs {pattern}, which is no tool"));
            }
        }
        if self.needs.is_empty() || self.files.is_empty() || self.run.is_empty() {
            return at("needs, files and run must not be empty".to_owned());
        }
        for file in &self.files {
            let parts: Vec<&str> = file.split('/').collect();
            if parts
                .iter()
                .any(|part| part.is_empty() || part.matches('*').count() > 1)
            {
                return at(format!(
                    "file {file} is no end of a path: parts between single slashes, each with one `*` at most"
                ));
            }
            if parts.last().is_none_or(|name| *name == "*") {
                return at(format!("file {file} fits every file"));
            }
            if file.contains('*') && parts.len() < 2 && self.contains.is_empty() {
                return at(format!("file {file} needs a text in `contains`"));
            }
        }
        match self.contains.iter().find(|text| text.len() < 3) {
            Some(text) => at(format!("text {text:?} is shorter than 3 bytes")),
            None => Ok(()),
        }
    }
}

/// Whether the last parts of `path` are those of `pattern`.
fn ends_in(path: &[u8], pattern: &[u8]) -> bool {
    // Every file of a layer is asked for every pattern: nearly all differ in the last byte.
    if pattern.last() != Some(&b'*') && pattern.last() != path.last() {
        return false;
    }
    let mut path = path.rsplit(|byte| *byte == b'/');
    let mut pattern = pattern.rsplit(|byte| *byte == b'/');
    pattern.all(|wanted| path.next().is_some_and(|part| fits(part, wanted)))
}

/// Whether one part of a path is `wanted`, in which one `*` stands for any bytes.
fn fits(part: &[u8], wanted: &[u8]) -> bool {
    let Some(star) = wanted.iter().position(|byte| *byte == b'*') else {
        return part == wanted;
    };
    let (start, end) = (wanted.get(..star), wanted.get(star + 1..));
    let rest = start.and_then(|start| part.strip_prefix(start));
    !part.is_empty() && rest.zip(end).is_some_and(|(rest, end)| rest.ends_with(end))
}

/// Whether `text` occurs. The build script has no search of its own.
fn occurs(head: &[u8], text: &[u8]) -> bool {
    !text.is_empty() && head.windows(text.len()).any(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_parts_of_a_path_tell() {
        for (path, pattern, want) in [
            ("/usr/lib/pip/__main__.py", "pip/__main__.py", true),
            ("pip/__main__.py", "pip/__main__.py", true),
            ("/usr/lib/xpip/__main__.py", "pip/__main__.py", false),
            ("/__main__.py", "pip/__main__.py", false),
            ("/opt/other/lib/npm.js", "*/lib/npm.js", true),
            ("/lib/npm.js", "*/lib/npm.js", false),
            ("/w/pip-24.0-py3.whl", "pip-*.whl", true),
            ("/w/pip-.whl", "pip-*.whl", true),
            ("/w/pip-.wh", "pip-*.whl", false),
            ("/w/pipwhl", "pip*pwhl", false),
        ] {
            assert_eq!(
                ends_in(path.as_bytes(), pattern.as_bytes()),
                want,
                "{path} {pattern}"
            );
        }
    }
}
