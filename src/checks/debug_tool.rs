//! A debug tool looks into processes, traffic or files of others.

use super::{Check, tools};

/// The check.
pub(super) const CHECK: Check = Check {
    rule: "debug-tool",
    wants: &[],
    run: |subject| tools::find("debug-tool", &WORDS, subject),
};

const WORDS: tools::Words = tools::Words {
    what: "a debug tool",
    fix: "Keep it out of the final stage and debug with an ephemeral container that brings its own tools",
};
