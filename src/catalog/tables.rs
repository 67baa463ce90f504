//! The tables are a catalogue in the form that scant carries: every text of a signature is a hash, and has a number.

use serde::{Deserialize, Serialize};

use super::{combination::Combination, module::Module};

/// All that a catalogue says.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tables {
    /// In order, each only once.
    pub(crate) literals: Vec<Literal>,
    /// By rule, strongest first, then by id.
    pub(crate) tools: Vec<Tool>,
    /// By id.
    pub(crate) capabilities: Vec<Capability>,
    /// By name.
    pub(crate) applets: Vec<Applet>,
    /// By tool.
    pub(crate) modules: Vec<Module>,
    /// In the order in which they are told.
    pub(crate) combinations: Vec<Combination>,
}

/// One literal: what the search compares, never the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Literal {
    /// [`hash::whole`](super::hash::whole) of the literal.
    pub(crate) whole: u64,
    /// [`hash::window`](super::hash::window) of its last [`WINDOW`](super::hash::WINDOW) bytes: where it is not this literal that
    /// stands behind a window, this mostly tells.
    pub(crate) end: u32,
    /// [`hash::window`](super::hash::window) of its rarest windows, one behind the other.
    pub(crate) windows: [u32; super::hash::STRIDE],
    /// Where in the literal the first of them lies.
    pub(crate) offset: u8,
    /// Bytes of the literal.
    pub(crate) length: u8,
    /// The windows have [`WINDOW`](super::hash::WINDOW) bytes, not [`SHORT_WINDOW`](super::hash::SHORT_WINDOW).
    pub(crate) wide: bool,
    /// The windows are text as far as the search asks for it.
    pub(crate) text: bool,
}

/// What a family is, for what it gives way to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A known program.
    Program,
    /// One program that is many: its applets decide what it is.
    MultiCall,
    /// A tool that is a script.
    Script,
    /// A shape, no known program.
    Heuristic,
    /// Code of one applet, known from its texts.
    Applet,
    /// A library.
    Library,
    /// An engine inside a program.
    Embeds,
    /// An interpreter together with its scripts.
    Bundle,
    /// A dynamic loader.
    Loader,
    /// Something that programs share.
    Feature,
    /// A packer: that a program is packed is seen from its structure, by code.
    Packed,
}

/// How a multi-call program lists its applets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AppletTable {
    /// As busybox: the names in ascending order, one NUL between two.
    #[serde(rename = "busybox")]
    Names,
    /// As toybox: an array of structures whose first word points to a name.
    #[serde(rename = "toybox")]
    Pointers,
}

/// One entry of the catalogue. A family's number is its place in [`Tables::tools`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Tool {
    pub(crate) id: String,
    pub(crate) rule: Option<String>,
    pub(crate) kind: Kind,
    /// Gives way to any other program, script or multi-call program in the same file.
    pub(crate) generic: bool,
    pub(crate) capabilities: Vec<String>,
    pub(crate) names: Vec<String>,
    /// Families whose code is part of this one; may end in `*`.
    pub(crate) swallows: Vec<String>,
    /// Its applets decide what it is, and are listed so.
    pub(crate) table: Option<AppletTable>,
    pub(crate) signatures: Vec<Signature>,
    /// Any of these, if all its conditions hold.
    pub(crate) structures: Vec<Structure>,
    /// Regular expressions for the path of a Go program's main package.
    pub(crate) go: Vec<String>,
    /// Regular expressions for the beginning of a script.
    pub(crate) script: Vec<String>,
}

/// `k` different literals of `any` must occur, and no literal of `none`. Numbers of [`Tables::literals`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Signature {
    pub(crate) k: usize,
    pub(crate) any: Vec<u16>,
    pub(crate) none: Vec<u16>,
}

/// All of these hold of a file of that family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Structure {
    pub(crate) all: Vec<Condition>,
    /// What that means, for the evidence.
    pub(crate) because: Option<String>,
}

/// What must hold of an ELF file. Names may end in `*`; of several names one must be there. Names of what a program is built
/// from are kept as [`hash::whole`](super::hash::whole).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Condition {
    Startable(bool),
    Needed(String),
    Soname(String),
    Interpreter(String),
    /// An undefined dynamic symbol.
    Import(Vec<String>),
    /// A defined dynamic symbol.
    Define(String),
    /// At least so many literals of a family.
    Hits(String, usize),
    /// One of these literals. Numbers of [`Tables::literals`].
    Text(Vec<u16>),
    /// The module of a Go program's main package.
    GoMain(Vec<u64>),
    /// A module that a Go program is built with.
    GoModule(Vec<u64>),
    /// The crate of a Rust program's `main`.
    CrateMain(Vec<u64>),
    /// A crate that a Rust program is built with.
    Crate(Vec<u64>),
    /// The last loaded segment ends at or below this file offset: data may be appended without end.
    LoadedBelow(u64),
}

/// One applet of multi-call programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Applet {
    pub(crate) name: String,
    pub(crate) rule: String,
    pub(crate) capabilities: Vec<String>,
}

/// One thing that a program lets an intruder do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// `exec.shell`, `net.fetch`, …
    pub id: String,
    /// One word for several that are told together: `execute`, `download`, `escalate`.
    #[serde(default)]
    pub group: String,
    /// What it means, in words that fit after "it".
    pub meaning: String,
    /// Ids of MITRE ATT&CK techniques (Enterprise 18.1).
    pub attack: Vec<String>,
}
