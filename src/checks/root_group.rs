//! A root group is gid 0, as the group or among the groups of a user that is not root.

use super::{Check, Subject, user};
use crate::finding::Finding;

const RULE: &str = "root-group";

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: user::WANTS,
    run,
};

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(user) = user::resolution(subject) else {
        return Vec::new();
    };
    let Some(verdict) = user.root_group() else {
        return Vec::new();
    };
    let fix = match user.ids() {
        Some(ids) if ids.gid == 0 => {
            format!(
                "Write both numbers, such as `USER {uid}:{uid}`, with a group that is not 0",
                uid = ids.uid
            )
        }
        Some(ids) => format!(
            "Write `USER {}:{}` and take the user out of group 0",
            ids.uid, ids.gid
        ),
        None => "Write `USER uid:gid` with two numbers that are not 0".to_owned(),
    };
    user::finding(RULE, "The container runs with group 0", &verdict, fix)
}
