//! Reach says whether the entry point needs a file, and by which chain, as far as that can be told without running it.

/// How a file is needed, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// The start itself: program, interpreter, loader, libraries that they are linked with.
    Start,
    /// A library whose name stands in a needed program, or a program that a needed shell script names: it may load or run it.
    Named,
    /// A directory of modules or a configuration that a needed program reads.
    Tree,
}

impl Tier {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Named => "named",
            Self::Tree => "tree",
        }
    }
}

/// Whether the entry point needs a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It does, or may.
    Needed {
        /// How.
        tier: Tier,
        /// The last step of the chain, with the path it comes from: `NEEDED by /app`.
        why: String,
    },
    /// Nothing that was followed leads to it.
    NotNeeded,
}
