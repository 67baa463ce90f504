//! The origin of a finding: the layer that brought it, and the instruction and line which that is put down to.

use crate::image::Layer;

/// A layer with what it is put down to: a hint, since the builder wrote the history, and how good a hint it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerOrigin {
    /// The layer.
    pub layer: Layer,
    /// What the image's history says made it, where the history fits the layers.
    pub instruction: Option<String>,
    /// What speaks for that.
    pub ground: Ground,
    /// Bytes after decompression.
    pub uncompressed: u64,
    /// Files in it.
    pub files: u64,
}

/// What speaks for the instruction that a layer or a finding is put down to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ground {
    /// It is not put down to any.
    #[default]
    None,
    /// The history has as many lines that made a layer as there are layers.
    ByPosition,
    /// The history says of it what the user's Dockerfile says.
    Matched,
}

impl Ground {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ByPosition => "by-position",
            Self::Matched => "matched",
        }
    }
}

/// Lines of the user's Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file, from the root of the repository.
    pub file: String,
    /// First line of the instruction, from 1.
    pub line: usize,
    /// Last line of the instruction.
    pub end_line: usize,
    /// The line of it that names what was found, else the first.
    pub focus: usize,
    /// Length of that line in UTF-16 code units.
    pub columns: usize,
}
