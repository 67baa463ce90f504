//! An operating-system utility is a small program of a base system that the application does not need.

use super::{Check, tools};

/// The check.
pub(super) const CHECK: Check = Check {
    rule: "os-utility",
    wants: &[],
    run: |subject| tools::find("os-utility", &WORDS, subject),
};

const WORDS: tools::Words = tools::Words {
    what: "an operating-system utility",
    fix: "Copy only the application and its libraries into a base without such programs, such as distroless static or cc",
};
