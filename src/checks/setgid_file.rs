//! A set-gid file runs as its group.

use super::{Check, set_id};

/// The check.
pub(super) const CHECK: Check = Check {
    rule: "setgid-file",
    wants: &[],
    run: |subject| set_id::find("setgid-file", set_id::Bit::Group, subject),
};
