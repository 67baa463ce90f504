//! The tables are what the build script made of `policies/catalog/`: no signature is in them in the clear.

use super::Capability;

/// One literal: what the search compares, never the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    /// [`hash::slot`](super::hash::slot) of its rarest window. The table is ordered by it.
    pub(crate) slot: u32,
    /// [`hash::check`](super::hash::check) of that window.
    pub(crate) check: u32,
    /// [`hash::whole`](super::hash::whole) of the literal.
    pub(crate) whole: u64,
    /// Where in the literal the window lies.
    pub(crate) offset: u8,
    /// Bytes of the literal.
    pub(crate) length: u8,
}

/// What a family is, for what it gives way to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// A library, an embedded engine, a bundle, a loader: no tool by itself.
    Evidence,
    /// A packer.
    Packed,
}

/// How a multi-call program lists its applets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AppletTable {
    /// As busybox: the names in ascending order, one NUL between two.
    Names,
    /// As toybox: an array of structures whose first word points to a name.
    Pointers,
}

/// One entry of the catalogue. A family's number is its place in [`TOOLS`].
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) id: &'static str,
    pub(crate) rule: Option<&'static str>,
    pub(crate) kind: Kind,
    /// Gives way to any other program, script or multi-call program in the same file.
    pub(crate) generic: bool,
    pub(crate) capabilities: &'static [&'static str],
    pub(crate) names: &'static [&'static str],
    /// Families whose code is part of this one; may end in `*`.
    pub(crate) swallows: &'static [&'static str],
    /// Its applets decide what it is, and are listed so.
    pub(crate) table: Option<AppletTable>,
    pub(crate) signatures: &'static [Signature],
    /// Any of these, if all its conditions hold.
    pub(crate) structures: &'static [&'static [Condition]],
    /// Regular expressions for the path of a Go program's main package.
    pub(crate) go: &'static [&'static str],
    /// Regular expressions for the beginning of a script.
    pub(crate) script: &'static [&'static str],
}

/// `k` different literals of `any` must occur, and no literal of `none`. Numbers of [`LITERALS`].
#[derive(Debug)]
pub(crate) struct Signature {
    pub(crate) k: usize,
    pub(crate) any: &'static [u16],
    pub(crate) none: &'static [u16],
}

/// What must hold of an ELF file. Names may end in `*`.
#[derive(Debug)]
pub(crate) enum Condition {
    Startable(bool),
    Needed(&'static str),
    Soname(&'static str),
    #[expect(dead_code, reason = "a kind of condition that no entry uses at present")]
    Interpreter(&'static str),
    /// An undefined dynamic symbol.
    Import(&'static str),
    /// A defined dynamic symbol.
    #[expect(dead_code, reason = "a kind of condition that no entry uses at present")]
    Define(&'static str),
    /// At least so many literals of a family.
    Hits(&'static str, usize),
    /// The last loaded segment ends at or below this file offset: data may be appended without end.
    LoadedBelow(u64),
}

/// One applet of multi-call programs.
#[derive(Debug)]
pub(crate) struct Applet {
    pub(crate) name: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) capabilities: &'static [&'static str],
}

pub(crate) use generated::*;

mod generated {
    #![expect(clippy::unreadable_literal, reason = "hashes, written by the build script")]
    use super::{Applet, AppletTable, Capability, Condition, Kind, Literal, Signature, Tool};

    include!(concat!(env!("OUT_DIR"), "/catalog.rs"));
}
