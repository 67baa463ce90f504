//! A set-uid file runs as its owner.

use super::{Check, set_id};

/// The check.
pub(super) const CHECK: Check = Check {
    rule: "setuid-file",
    wants: &[],
    run: |subject| set_id::find("setuid-file", set_id::Bit::User, subject),
};
