//! Checks turn facts into findings: one file per check, and one ordered list of them.

use crate::{
    catalog::Catalog,
    finding::Finding,
    image::{ImageConfig, Platform},
    layer::Want,
    rootfs::Rootfs,
};

/// One check. It only finds: it does not print, judge, score, waive or exit.
pub struct Check {
    /// Id of the rule whose findings it makes.
    pub rule: &'static str,
    /// Files whose content it needs.
    pub wants: &'static [Want],
    /// Looks at an image.
    pub run: fn(&Subject<'_>) -> Vec<Finding>,
}

/// What a check may look at.
pub struct Subject<'a> {
    /// The merged file system.
    pub rootfs: &'a Rootfs,
    /// The configuration; `None` for a bare root file system.
    pub config: Option<&'a ImageConfig>,
    /// The platform of the image, where known.
    pub platform: Option<&'a Platform>,
    /// What the tools are.
    pub catalog: &'a Catalog,
}

/// Every check, in the order of the rules.
pub static CHECKS: &[Check] = &[];

/// All contents that the checks need.
pub fn wants() -> Vec<Want> {
    let mut wants: Vec<Want> = CHECKS.iter().flat_map(|check| check.wants).copied().collect();
    wants.sort_unstable();
    wants.dedup();
    wants
}
