//! An obstacle is the first thing for which a program cannot be started.

use crate::path::RootPath;

/// Why a program cannot be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Obstacle {
    /// Where it was looked for; `None` for a bare name.
    pub(super) path: Option<RootPath>,
    /// The fact, as half a sentence with the path in it.
    pub(super) why: String,
}

/// What stands in the way of what was looked for at a path.
pub(super) fn obstacle(path: &RootPath, why: String) -> Obstacle {
    Obstacle {
        path: Some(path.clone()),
        why,
    }
}
