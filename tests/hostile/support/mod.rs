//! What makes hostile images byte by byte, and what runs scant on them under watch.

pub(crate) mod codec;
pub(crate) mod elf;
pub(crate) mod image;
pub(crate) mod run;
pub(crate) mod tar;
