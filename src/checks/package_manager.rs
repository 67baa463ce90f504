//! A package manager installs software: every other tool is one command away.

use super::{Check, tools};

/// The check.
pub(super) const CHECK: Check = Check {
    rule: "package-manager",
    wants: &[],
    run: |subject| tools::find("package-manager", &WORDS, subject),
};

const WORDS: tools::Words = tools::Words {
    what: "a package manager",
    fix: "Install packages in a build stage and copy only the result into a base without a package manager",
};
