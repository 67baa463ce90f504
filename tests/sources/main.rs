//! Sources against what is really there: Debian's registry, and servers that fail in every way there is.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests start real servers and write their own small files"
)]

mod caps;
mod credentials;
mod faults;
mod registry;
mod retries;
mod support;
