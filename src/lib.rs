//! scant judges container images: is one really distroless, and if not, what is in the way?

pub mod binary;
pub mod catalog;
pub mod checks;
pub mod failure;
pub mod finding;
pub mod gap;
pub mod image;
pub mod layer;
pub mod limits;
pub mod output;
pub mod path;
pub mod policy;
pub mod reference;
pub mod report;
pub mod rootfs;
pub mod score;
pub mod source;
pub mod target;
pub mod text;
