//! A privilege tool changes users, namespaces, accounts or capabilities.

use super::{Check, tools};

/// The check.
pub(super) const CHECK: Check = Check {
    rule: "privilege-tool",
    wants: &[],
    run: |subject| tools::find("privilege-tool", &WORDS, subject),
};

const WORDS: tools::Words = tools::Words {
    what: "a tool that changes privileges",
    fix: "Remove it and set USER to a numeric uid and gid, so that nothing has to change user at run time",
};
