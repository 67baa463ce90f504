//! The user is who the container runs as, by each runtime's rules.

use super::{Subject, start::Who};

/// Who starts the program, where that can be told.
pub(super) fn runs_as(_subject: &Subject<'_>) -> Option<Who> {
    None
}
