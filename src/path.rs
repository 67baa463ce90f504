//! A path inside an image: bytes, absolute, clean, and never above the root.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text;

/// An absolute path inside an image, kept without its leading slash and in lexically clean form.
///
/// Bytes, not text: Linux names need not be UTF-8, `\` is an ordinary byte, and case matters. Cleaning is what containerd
/// does before it follows any link: `.`, empty parts and leading slashes vanish, `a/../b` is `b`, and `..` at the root
/// stays there. Order is by bytes, so that reports do not depend on a locale.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct RootPath(Box<[u8]>);

impl RootPath {
    /// The root directory itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Cleans any spelling of a path: `./bin/sh`, `/bin/sh`, `bin//sh/` and `../bin/sh` are one path.
    pub fn clean(raw: &[u8]) -> Self {
        Self::root().join(raw)
    }

    /// This path with `relative` appended, cleaned; a leading slash in `relative` has no special meaning.
    #[must_use]
    pub fn join(&self, relative: &[u8]) -> Self {
        let mut out = self.0.to_vec();
        for part in relative.split(|&b| b == b'/') {
            match part {
                b"" | b"." => {}
                b".." => out.truncate(out.iter().rposition(|&b| b == b'/').unwrap_or(0)),
                name => {
                    if !out.is_empty() {
                        out.push(b'/');
                    }
                    out.extend_from_slice(name);
                }
            }
        }
        Self(out.into_boxed_slice())
    }

    /// The bytes without the leading slash; empty for the root.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the root directory.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The directory that holds this path; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let end = self.0.iter().rposition(|&b| b == b'/').unwrap_or(0);
        Some(Self(self.0[..end].into()))
    }

    /// The last component; empty for the root.
    pub fn name(&self) -> &[u8] {
        let start = self.0.iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1);
        &self.0[start..]
    }

    /// The components from the root downwards.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|&b| b == b'/').filter(|part| !part.is_empty())
    }

    /// Whether this path lies strictly below `directory`.
    pub fn is_below(&self, directory: &Self) -> bool {
        directory.is_root() && !self.is_root()
            || self.0.len() > directory.0.len()
                && self.0.starts_with(&directory.0)
                && self.0[directory.0.len()] == b'/'
    }

    /// The absolute path as text for data formats: bytes that are no UTF-8 become U+FFFD, nothing is escaped.
    pub fn to_lossy(&self) -> String {
        format!("/{}", String::from_utf8_lossy(&self.0))
    }

    /// Whether the path is valid UTF-8, so that [`RootPath::to_lossy`] loses nothing.
    pub fn is_utf8(&self) -> bool {
        std::str::from_utf8(&self.0).is_ok()
    }
}

impl From<&str> for RootPath {
    fn from(text: &str) -> Self {
        Self::clean(text.as_bytes())
    }
}

/// The absolute path, safe to show to a person: see [`text::escape`].
impl fmt::Display for RootPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", text::escape(&self.0))
    }
}

impl fmt::Debug for RootPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_one_path() {
        for raw in [
            "./bin/sh",
            "/bin/sh",
            "bin//sh",
            "../bin/sh",
            "bin/sh/",
            "x/../bin/./sh",
            "//bin/sh/.",
        ] {
            assert_eq!(RootPath::from(raw).to_string(), "/bin/sh", "{raw}");
        }
        assert_eq!(RootPath::from("a/../../..").to_string(), "/");
    }

    #[test]
    fn parents_and_names() {
        let path = RootPath::from("/usr/bin/[");
        assert_eq!(path.name(), b"[");
        assert_eq!(path.parent(), Some(RootPath::from("/usr/bin")));
        assert_eq!(RootPath::from("x").parent(), Some(RootPath::root()));
        assert_eq!(RootPath::root().parent(), None);
        assert!(path.is_below(&RootPath::from("usr")) && path.is_below(&RootPath::root()));
        assert!(!RootPath::from("/usrx/bin").is_below(&RootPath::from("usr")));
    }

    #[test]
    fn hostile_names_are_shown_escaped() {
        assert_eq!(
            RootPath::clean(b"a\x1b[31m\n\xff").to_string(),
            r"/a\x1b[31m\x0a\xff"
        );
    }
}
