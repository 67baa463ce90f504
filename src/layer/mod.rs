//! A layer becomes facts: decompressed, read as tar, its programs looked into, in one pass over its bytes.

mod contents;
mod decompress;
mod entry;
mod facts;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod pass;
mod pipe;
mod remarks;
mod sniff;
mod stages;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod toc;

use std::{
    io::Read,
    sync::atomic::{AtomicBool, AtomicUsize},
};

use serde::{Deserialize, Serialize};

pub(crate) use self::facts::too_many_facts;
use self::{contents::Contents, facts::Collector, pass::Pass};
use crate::{
    binary::Program,
    catalog::Catalog,
    failure::{self, Failure},
    gap::Gap,
    image::{Algorithm, Digest},
    limits::Limits,
    path::RootPath,
};

/// What one layer says, policy-free, keyed by the layer's digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerFacts {
    /// Members in archive order: what an unpacker would do, step by step.
    pub entries: Vec<Entry>,
    /// Members behind the end of the archive, which no runtime unpacks but the layer ships.
    pub behind_end: Vec<Entry>,
    /// Bytes of the blob as stored.
    pub size: u64,
    /// Bytes after decompression.
    pub uncompressed: u64,
    /// Digest of the bytes after decompression, where it was asked for.
    pub diff_id: Option<Digest>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Oddities that change no verdict.
    pub notes: Vec<String>,
}

/// One tar member made safe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it lies. For a whiteout: what it hides. For an opaque marker: its directory.
    pub path: RootPath,
    /// What it is.
    pub kind: Kind,
    /// The low 12 bits of the mode.
    pub mode: u16,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
    /// Bytes of content; the logical size of a sparse file.
    pub size: u64,
    /// Raw `security.capability`, as `SCHILY.xattr` carries it.
    pub capability: Option<Vec<u8>>,
    /// The same as `LIBARCHIVE.xattr` carries it, which common runtimes do not apply.
    pub unapplied_capability: Option<Vec<u8>>,
    /// Names of other extended attributes, and of those that common runtimes do not apply (`LIBARCHIVE.xattr.…`).
    pub xattrs: Vec<String>,
    /// What it is as a program; only for regular files that look like one.
    pub program: Option<Box<Program>>,
    /// The content, for the few files that checks declare interest in; may be cut, see [`Kept`].
    pub kept: Option<Kept>,
    /// Secrets in it, by line; only of text files.
    pub secrets: Vec<Secret>,
}

/// A secret in a file: what and where, never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Its kind in `policies/secrets.toml`.
    pub kind: String,
    /// Number of the line, from 1; 0 where the file has none.
    pub line: u32,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A regular file (also contiguous and sparse ones).
    File,
    /// A directory.
    Directory,
    /// A symbolic link and its target, as written.
    Symlink(Vec<u8>),
    /// A hard link to another path of the image.
    HardLink(RootPath),
    /// A character device.
    CharDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
    /// `.wh.NAME`: hides what lower layers have at [`Entry::path`].
    Whiteout,
    /// `.wh..wh..opq`: hides all that lower layers have below [`Entry::path`].
    Opaque,
}

/// Content of a file that a check asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The bytes, from the start.
    pub bytes: Vec<u8>,
    /// A cap cut it: the file goes on.
    pub cut: bool,
}

/// A file whose content a check needs. Layers keep the content of files that match one, up to the caps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    /// The file at this absolute path, in every layer: `/etc/passwd`.
    Path(&'static str),
    /// Every file directly or deeper below this directory: `/var/lib/dpkg/status.d`.
    Below(&'static str),
    /// Every file of this name anywhere, since a link may lead to it: `passwd`.
    Name(&'static str),
    /// Every small text file that reads like a passwd or group file, since a link of any name may lead to it.
    Accounts,
}

/// How to read layers: the same for all of a run.
pub struct Reading<'a> {
    /// What programs to know.
    pub catalog: &'a Catalog,
    /// Whose contents to keep.
    pub wants: &'a [Want],
    /// The caps.
    pub limits: &'a Limits,
    /// Set to stop between members.
    pub stop: &'a AtomicBool,
    /// Bytes of facts that all layers read with it hold together, up to [`Limits::facts`].
    pub held: &'a AtomicUsize,
}

/// Reads one layer's blob to its end.
///
/// The compression is sniffed (gzip with any number of members, zstd with any number of frames, plain tar). With
/// `diff_id` the uncompressed bytes are hashed too, for [`LayerFacts::diff_id`]. The blob is read on a thread of its own, so that what
/// it does inside `read`, such as hashing, runs beside decompression, which has a thread of its own too. It is read to its end
/// whatever is in it, unless `reading.stop` is set.
///
/// # Errors
/// Whatever `blob` fails with; a codec or tar error, for which no runtime could unpack the layer. The message names the
/// entry, the caller adds the layer.
pub fn read(
    blob: &mut (dyn Read + Send),
    diff_id: Option<Algorithm>,
    reading: &Reading<'_>,
) -> failure::Result<LayerFacts> {
    match read_to_fault(blob, diff_id, reading)? {
        (facts, None) => Ok(facts),
        (_, Some(fault)) => Err(fault),
    }
}

/// Reads one layer's blob as [`read`] does; of a corrupt one, tells the members before the fault together with it. No runtime
/// could unpack such a layer, but what is in it is evidence.
///
/// # Errors
/// Whatever `blob` fails with, and caps of the whole image.
pub fn read_to_fault(
    blob: &mut (dyn Read + Send),
    diff_id: Option<Algorithm>,
    reading: &Reading<'_>,
) -> failure::Result<(LayerFacts, Option<Failure>)> {
    let limits = reading.limits;
    let inspector = contents::inspector(reading.catalog, limits);
    let contents = Contents::new(reading.wants, limits, inspector).knowing(reading.catalog.modules());
    let mut pass = Pass::new(
        limits,
        diff_id,
        Collector::new(limits, contents).sharing(reading.held),
    );
    let decompressed = stages::run(blob, limits, reading.stop, |plain| pass.take(plain))?;
    pass.finish(decompressed)
}
