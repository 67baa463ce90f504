//! scant from the outside, as its users run it: every kind of target, output, setting and exit code, and the documents that
//! show what it prints.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests start scant and other programs, and read what they wrote"
)]

mod digests;
mod dockerfile;
mod documents;
mod exit_codes;
mod interrupt;
mod outputs;
mod policies;
mod process;
mod registry;
mod root_directories;
mod settings;
#[allow(dead_code, reason = "the tests of sources need more of it")]
#[path = "../sources/support/mod.rs"]
mod support;
mod targets;
mod terminal;
