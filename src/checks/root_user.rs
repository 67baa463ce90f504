//! A root user is uid 0 under some runtime, however the image spells it.

use super::{Check, Subject, user};
use crate::finding::Finding;

const RULE: &str = "root-user";

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: user::WANTS,
    run,
};

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(verdict) = user::resolution(subject).and_then(|user| user.root()) else {
        return Vec::new();
    };
    let fix = "Write `USER 65532:65532`, or another uid and gid that are not 0, as the last USER of the final stage";
    user::finding(RULE, "The container runs as root", &verdict, fix.to_owned())
}
