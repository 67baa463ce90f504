//! Sources against what is really there: Debian's registry, and servers that fail in every way there is.

mod faults;
mod registry;
mod support;
