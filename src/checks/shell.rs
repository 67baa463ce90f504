//! A shell runs whatever commands it is given: the first thing that an intruder looks for.

use super::{Check, tools};

/// The check.
pub(super) const CHECK: Check = Check {
    rule: "shell",
    wants: &[],
    run: |subject| tools::find("shell", &WORDS, subject),
};

const WORDS: tools::Words = tools::Words {
    what: "a shell",
    fix: "Build in one stage and copy only the application into a base without a shell, such as distroless static, cc or the image of the language's runtime",
};
