//! A finding: one rule broken once, with its subject, evidence and place.

mod fingerprint;
mod origin;
mod reach;
mod rule;

pub use fingerprint::fingerprint;
pub use origin::{Ground, LayerOrigin, Location};
pub use reach::{Reach, Tier};
pub use rule::{FamilyOfRules, RULES, Rule};

use crate::path::RootPath;

/// How bad it is: a property of the rule, and of the evidence where the rule says so. Worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Little by itself.
    Low,
    /// Helps an intruder.
    Medium,
    /// Helps an intruder much.
    High,
    /// Gives an intruder what they want.
    Critical,
}

impl Severity {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Whether the container sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It is in the final file system or configuration.
    Present,
    /// A later layer removed it; a lower one still ships it.
    Removed,
    /// A later layer put something else in its place; a lower one still ships it.
    Overwritten,
}

impl State {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Removed => "removed",
            Self::Overwritten => "overwritten",
        }
    }
}

/// Something about a finding that a profile may judge apart from its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Qualifier {
    /// The interpreter that the entry point itself runs: the application's runtime.
    EntryPointRuntime,
    /// Only the file's name speaks for it.
    NameOnly,
    /// It cannot run as it is: packed in a bundle that a command unpacks, or without the execute bit that the container's user
    /// may not set.
    Dormant,
    /// Not the program that the container starts, but something that it loads or trusts.
    BesideEntryPoint,
    /// It looks like what the rule is about, but may be something else.
    Likely,
}

impl Qualifier {
    /// The word in profiles.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EntryPointRuntime => "entry-point-runtime",
            Self::NameOnly => "name-only",
            Self::Dormant => "dormant",
            Self::BesideEntryPoint => "beside-entry-point",
            Self::Likely => "likely",
        }
    }
}

/// Another path that reaches the same file or program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alias {
    /// The other path.
    pub path: RootPath,
    /// `hardlink`, `symlink`, `applet` or `part`.
    pub kind: AliasKind,
}

/// How an alias reaches its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AliasKind {
    /// The same inode.
    Hardlink,
    /// A symbolic link.
    Symlink,
    /// A link of either sort whose name is an applet of the program.
    Applet,
    /// No link: another script of the same tool, or the directory of its code.
    Part,
}

impl AliasKind {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hardlink => "hardlink",
            Self::Symlink => "symlink",
            Self::Applet => "applet",
            Self::Part => "part",
        }
    }
}

/// What a program is, and why we say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The usual name: `busybox`, `bash`.
    pub name: String,
    /// The family in the catalogue: `multi.busybox`.
    pub family: String,
    /// The version, where the program states one.
    pub version: Option<String>,
    /// `certain`, `likely` or `name-only`.
    pub confidence: &'static str,
    /// Why, in words that a person can check.
    pub evidence: String,
    /// A multi-call program that no applet name leads to.
    pub latent: bool,
}

/// One rule broken once. Says nothing of levels, points or waivers: those are judged later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static Rule,
    /// How bad.
    pub severity: Severity,
    /// The path it is about; `None` for one about the configuration.
    pub path: Option<RootPath>,
    /// What it is about where a path does not say it: an account, a variable, `User`. Part of the fingerprint.
    pub subject: Option<String>,
    /// Other paths to the same file, sorted.
    pub aliases: Vec<Alias>,
    /// What the program is.
    pub identity: Option<Evidence>,
    /// Index of the layer that brought it.
    pub layer: Option<usize>,
    /// Whether the container sees it.
    pub state: State,
    /// Catalogue ids of what it lets an intruder do: `exec.shell`.
    pub capabilities: Vec<String>,
    /// What a profile may judge apart.
    pub qualifier: Option<Qualifier>,
    /// Whether the entry point needs the program, where that can be told.
    pub reach: Option<Reach>,
    /// Bytes that would go with it; 0 where there are none.
    pub bytes: u64,
    /// One sentence with the fact, complete by itself; image text in it is escaped.
    pub message: String,
    /// What to do, one sentence.
    pub fix: String,
}

impl Finding {
    /// Whether what it is about can be used as it lies there: its content says what it is, and it can be started.
    pub fn runs_as_it_is(&self) -> bool {
        !matches!(self.qualifier, Some(Qualifier::NameOnly | Qualifier::Dormant))
    }

    /// A finding of `rule` with the rule's severity and nothing else filled in.
    pub fn new(rule: &'static Rule, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            path: None,
            subject: None,
            aliases: Vec::new(),
            identity: None,
            layer: None,
            state: State::Present,
            capabilities: Vec::new(),
            qualifier: None,
            reach: None,
            bytes: 0,
            message: message.into(),
            fix: fix.into(),
        }
    }
}

/// Something of an image that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageGap {
    /// `layer 2, entry /usr/bin/x`.
    pub place: String,
    /// What could not be read and why.
    pub why: String,
    /// Rules whose findings it could hide; empty when it hides nothing.
    pub could_hide: Vec<&'static Rule>,
}
