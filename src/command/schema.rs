//! `scant schema`: the published schema of a report format.

use super::{Done, print};
use crate::output;

/// Prints the JSON report's schema.
pub fn run() -> Done {
    print(output::schema())
}
