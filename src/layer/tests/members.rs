//! Framing, types, names, PAX, sparse files, the end of the archive.

use super::*;
