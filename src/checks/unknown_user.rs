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
    let Some(resolution) = user::resolution(subject) else {
        return Vec::new();
    };
    let Some((part, verdict)) = resolution.refused() else {
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
    // A number of more than 64 bits is a name to every runtime.
    let (name, group) = resolution.user.split_once(':').unwrap_or((&resolution.user, ""));
    let out_of_range = match part {
        Part::Range => true,
        Part::User => is_number(name),
        Part::Group => is_number(group),
        Part::Form | Part::File => false,
    };
    if out_of_range {
        for finding in &mut found {
            finding.message.push_str(
                ", and older containerd takes such a number for another user, root included (CVE-2024-40635, \
                 CVE-2026-46680)",
            );
        }
    }
    found
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
