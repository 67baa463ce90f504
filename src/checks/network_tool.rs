//! A network tool fetches, sends, listens or scans: how tools come in and data goes out.

use super::{Check, tools};

/// The check.
pub(super) const CHECK: Check = Check {
    rule: "network-tool",
    wants: &[],
    run: |subject| tools::find("network-tool", &WORDS, subject),
};

const WORDS: tools::Words = tools::Words {
    what: "a network tool",
    fix: "Do not copy or install it in the final stage; let the application, or a probe of the orchestrator, make the connections that are needed",
};
