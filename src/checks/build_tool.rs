//! A build tool turns sources into programs, which only the build needs.

use super::{Check, tools};

/// The check.
pub(super) const CHECK: Check = Check {
    rule: "build-tool",
    wants: &[],
    run: |subject| tools::find("build-tool", &WORDS, subject),
};

const WORDS: tools::Words = tools::Words {
    what: "a build tool",
    fix: "Build in a stage of its own and copy only what it made into the final stage",
};
