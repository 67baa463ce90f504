//! An interpreter runs programs from text: as good as a shell for whoever can feed it.

use super::{Check, tools};

/// The check.
pub(super) const CHECK: Check = Check {
    rule: "interpreter",
    wants: &[],
    run: |subject| tools::find("interpreter", &WORDS, subject),
};

const WORDS: tools::Words = tools::Words {
    what: "an interpreter",
    fix: "If the application does not need it, use a base without it; if it does, use the runtime's own distroless image and no other interpreter",
};
