//! A gap: something that could not be read, and what it could hide.

use serde::{Deserialize, Serialize};

use crate::path::RootPath;

/// One thing of a layer that scant could not look into.
///
/// Parts that can fail return what they got together with their gaps; an image with a gap that could hide a denied
/// finding is never called compliant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The entry it is about; `None` when it is about the layer or image as a whole.
    pub path: Option<RootPath>,
    /// What could not be read and why, naming the cap if one was hit: lower case, no full stop.
    pub why: String,
    /// What may be in there.
    pub hides: Hides,
}

/// What a gap could hide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Hides {
    /// Files and everything about them: any rule.
    Anything,
    /// What one program is: the rules about tools.
    Programs,
    /// Users and groups: the rules about users.
    Accounts,
    /// A content that only rules about leftovers or cargo would look at.
    Contents,
    /// Nothing that exists at run time.
    Nothing,
}
