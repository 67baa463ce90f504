//! scant judges container images: is one really distroless, and if not, what is in the way?
//!
//! A scan goes through these stages, and each is a module that may use only those before it:
//!
//! ```text
//! target ─► source ─► layer ─► rootfs ─► checks ─► policy ─► score ─► report ─► output
//!           (open)   (facts)  (merge)  (findings) (judge)  (grade)
//! ```
//!
//! - [`target`] and [`reference`](mod@reference): what was asked for, as written and as understood.
//! - [`source`]: opens it, in a registry, a layout, an archive or a directory; hands out layers as verified bytes.
//! - [`layer`]: turns one layer's bytes into facts, in one pass; [`binary`] says what a program is, by [`catalog`], and looks
//!   into the archives that hold some.
//! - [`rootfs`]: merges the facts into the file system that a container sees, and says who runs in it.
//! - [`checks`]: finds what breaks a rule; a [`finding`] knows no policy.
//! - [`policy`]: lays levels and waivers on findings; [`score`] adds up points.
//! - [`report`] and [`output`]: all that is shown of a run, and the formats it is shown in.
//!
//! [`scan`] runs the stages; [`config`] makes its plan out of the words of [`cli`]; [`command`] carries out each
//! subcommand. [`text`], [`path`], [`limits`], [`failure`], [`gap`], [`image`] and [`dockerfile`] are words that stages share.

pub mod binary;
pub mod catalog;
pub mod checks;
pub mod cli;
pub mod command;
pub mod config;
pub mod dockerfile;
pub mod failure;
pub mod finding;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod gap;
pub mod image;
pub mod layer;
pub mod limits;
pub mod output;
pub mod path;
pub mod policy;
pub mod reference;
pub mod report;
pub mod rootfs;
pub mod scan;
pub mod score;
pub mod source;
mod tar;
pub mod target;
pub mod text;
