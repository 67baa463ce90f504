//! An unknown user is one for which some runtime refuses to start the container.

use super::{Check, Subject, user};
use crate::{finding::Finding, rootfs::user::Part};

const RULE: &str = "unknown-user";

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: user::WANTS,
    run,
};

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let Some((part, verdict)) = user::resolution(subject).and_then(|user| user.refused()) else {
        return Vec::new();
    };
    let fix = match part {
        Part::User | Part::Group => {
            "Write `USER uid:gid` with two numbers that are not 0, which need no account file"
        }
        Part::Range => "Write a uid and gid from 1 to 2147483647",
        Part::Form => "Write `USER uid:gid` with two numbers and one colon",
        Part::File => "Ship /etc/passwd and /etc/group as ordinary files, or none at all and `USER uid:gid`",
    };
    let mut found = user::finding(RULE, "The container does not start", &verdict, fix.to_owned());
    if part == Part::Range {
        for finding in &mut found {
            finding.message.push_str(
                ", and older containerd takes such a number for another user, root included (CVE-2024-40635, \
                 CVE-2026-46680)",
            );
        }
    }
    found
}
