//! x
use super::Rootfs;
/// x
pub struct UserResolution { /** x */ pub gap: Option<String> }
/// x
pub fn resolve(_u: &str, _r: &Rootfs) -> UserResolution { UserResolution { gap: None } }
