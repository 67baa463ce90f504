//! An archive is one file that holds images (`docker save`, an OCI layout in a tar) or a root file system.

mod members;
mod packed;
mod stream;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt as _,
    sync::Arc,
};

use self::members::{Kind, Members};
use super::{
    Blobs, Opened, Options,
    files::{Files, blob_digest, blob_path},
    listing::{self, Asked, DOCKER_MARK, Form, OCI_MARKS},
};
use crate::{
    failure::{self, Code, Failure},
    image::{Image, Layer},
    limits::Limits,
    path::RootPath,
};

pub(crate) use stream::ArchiveStream;

/// What lies at the top of root file systems and of no image archive; `docker export` adds some to every one.
const ROOT_MARKS: [&str; 22] = [
    ".dockerenv",
    "bin",
    "boot",
    "dev",
    "etc",
    "home",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "media",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "sbin",
    "srv",
    "sys",
    "tmp",
    "usr",
    "var",
];

/// The name of the one layer of a root file system.
const ROOT_BLOB: &str = "root file system";

/// Opens a regular file: its layers by their place in it, or front to back if the whole is compressed.
///
/// # Errors
/// `NotAnImage`, `Corrupt`, `Ambiguous`, `TooLarge`, `Unreadable`, and as [`listing::images`].
pub(crate) fn open(file: File, asked: &Asked, options: &Options, root: bool) -> failure::Result<Opened> {
    let unreadable = |error: io::Error| Failure::from_io(error, Code::Unreadable);
    let length = file.metadata().map_err(unreadable)?.len();
    let mut start = [0; 6];
    let count = file.read_at(&mut start, 0).map_err(unreadable)?;
    if packed::Packing::of(start.get(..count).unwrap_or_default())?.is_some() && !root {
        let stream = ArchiveStream::new(Box::new(file), asked.clone(), options.clone());
        return Ok(Opened::Stream(Box::new(stream)));
    }
    let file = Arc::new(file);
    let whole = Slice {
        file: Arc::clone(&file),
        at: 0,
        left: length,
    };
    if root {
        return Ok(Opened::Images {
            images: vec![Ok(root_image(asked))],
            blobs: Arc::new(WholeFile(whole)),
        });
    }
    let archive = Archive::index(&file, length, &options.limits)?;
    let has = |name: &&str| archive.members.contains_key(&RootPath::from(*name));
    if OCI_MARKS.iter().chain([&DOCKER_MARK]).any(has) || asked.form != Form::Any {
        archive.refuse_odd()?;
        archive.refuse_twice(&options.limits)?;
        let images = listing::images(&archive, asked, options)?;
        return Ok(Opened::Images {
            images,
            blobs: Arc::new(archive),
        });
    }
    if archive.members.keys().chain(&archive.others).any(is_root_mark) {
        return Ok(Opened::Images {
            images: vec![Ok(root_image(asked))],
            blobs: Arc::new(WholeFile(whole)),
        });
    }
    Err(listing::nothing_listed())
}

/// Whether a file that begins so could be an archive.
pub(crate) fn looks_like_one(start: &[u8]) -> bool {
    let tar = Members::streaming(start, &Limits::default()).next();
    !matches!(packed::Packing::of(start), Ok(None)) || matches!(tar, Ok(Some(_)))
}

fn is_root_mark(path: &RootPath) -> bool {
    path.components()
        .next()
        .is_some_and(|first| ROOT_MARKS.iter().any(|mark| mark.as_bytes() == first))
}

/// A root file system in a tar, as an image of one layer.
fn root_image(asked: &Asked) -> Image {
    super::bare_image(asked, ROOT_BLOB)
}

/// Where a member's content is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    File { at: u64, size: u64 },
    Link(RootPath),
    Sparse,
}

/// An archive in a regular file, its headers read once.
struct Archive {
    file: Arc<File>,
    members: BTreeMap<RootPath, Place>,
    /// Directories at the top.
    others: Vec<RootPath>,
    /// Members that came again: the name and the earlier place.
    twice: Vec<(RootPath, Place)>,
    hops: usize,
}

impl Archive {
    fn index(file: &Arc<File>, length: u64, limits: &Limits) -> failure::Result<Self> {
        let reader = file
            .try_clone()
            .map_err(|error| Failure::from_io(error, Code::Unreadable))?;
        let mut archive = Self {
            file: Arc::clone(file),
            members: BTreeMap::new(),
            others: Vec::new(),
            twice: Vec::new(),
            hops: limits.link_hops,
        };
        let mut members = Members::seeking(reader, limits);
        while let Some(member) = members.next()? {
            if member.at.checked_add(member.size).is_none_or(|end| end > length) {
                return Err(Failure::new(
                    Code::Corrupt,
                    format!("the archive ends in the middle of {}", member.path),
                ));
            }
            let place = match member.kind {
                Kind::File => Place::File {
                    at: member.at,
                    size: member.size,
                },
                Kind::Link(to) => Place::Link(to),
                Kind::Sparse => Place::Sparse,
                Kind::Other => {
                    if is_root_mark(&member.path) && archive.others.is_empty() {
                        archive.others.push(member.path);
                    }
                    continue;
                }
            };
            if let Some(earlier) = archive.members.insert(member.path.clone(), place) {
                archive.twice.push((member.path, earlier));
            }
        }
        Ok(archive)
    }

    /// Members that two readers take for two things.
    fn refuse_odd(&self) -> failure::Result<()> {
        let again = self.twice.iter().map(|(path, place)| (path, place));
        for (path, place) in self.members.iter().chain(again) {
            match place {
                Place::File { .. } => {}
                Place::Link(_) => refuse_below(path, &self.members)?,
                Place::Sparse => return Err(sparse(path)),
            }
        }
        Ok(())
    }

    /// Two different members of one name are two different images to two readers; a blob's bytes are verified anyway.
    fn refuse_twice(&self, limits: &Limits) -> failure::Result<()> {
        for (path, earlier) in &self.twice {
            let Some(later) = self.members.get(path) else {
                continue;
            };
            let same = match (earlier, later) {
                (Place::Link(a), Place::Link(b)) => a == b,
                (
                    Place::File { at, size },
                    Place::File {
                        at: later_at,
                        size: later_size,
                    },
                ) => {
                    size == later_size
                        && *size <= limits.manifest
                        && self.bytes(*at, *size, path)? == self.bytes(*later_at, *later_size, path)?
                }
                _ => false,
            };
            if !same && blob_digest(path).is_none() {
                return Err(twice(path));
            }
        }
        Ok(())
    }

    fn bytes(&self, at: u64, size: u64, path: &RootPath) -> failure::Result<Vec<u8>> {
        let slice = Slice {
            file: Arc::clone(&self.file),
            at,
            left: size,
        };
        super::read_capped(slice, size, path)
    }

    fn follow(&self, path: &RootPath) -> Option<(RootPath, u64, u64)> {
        let mut path = path.clone();
        for _ in 0..=self.hops {
            match self.members.get(&path)? {
                Place::File { at, size } => return Some((path, *at, *size)),
                Place::Link(to) => path = to.clone(),
                Place::Sparse => return None,
            }
        }
        None
    }
}

fn twice(path: &RootPath) -> Failure {
    Failure::new(
        Code::Ambiguous,
        format!("the archive holds {path} twice, with different bytes"),
    )
    .advise("write the archive anew, such as with `docker save`")
}

/// Who unpacks the archive writes what lies below a link to where the link leads; who reads it member by member does not.
fn refuse_below<T>(link: &RootPath, members: &BTreeMap<RootPath, T>) -> failure::Result<()> {
    // No name holds a NUL, so this is the first that could be below.
    let first = link.join(&[1]);
    let mut from = members.range(first..);
    match from.next().filter(|(path, _)| path.is_below(link)) {
        None => Ok(()),
        Some((path, _)) => Err(Failure::new(
            Code::Ambiguous,
            format!("the archive holds {path} below the link {link}, which readers take differently"),
        )
        .advise("write the archive anew, such as with `docker save`")),
    }
}

/// Readers differ in how they take sparse files, and in what they call them.
fn sparse(path: &RootPath) -> Failure {
    Failure::new(
        Code::Ambiguous,
        format!("the archive holds {path} as a sparse file, which readers take differently"),
    )
    .advise("write the archive anew, without sparse files")
}

impl Files for Archive {
    fn read(&self, path: &RootPath, cap: u64) -> failure::Result<Option<Vec<u8>>> {
        match self.follow(path) {
            None => Ok(None),
            Some((path, _, size)) if size > cap => Err(Failure::new(
                Code::TooLarge,
                format!("{path} has {size} bytes (limit {cap})"),
            )),
            Some((path, at, size)) => self.bytes(at, size, &path).map(Some),
        }
    }

    fn locate(&self, path: &RootPath) -> failure::Result<Option<RootPath>> {
        Ok(self.follow(path).map(|(path, ..)| path))
    }
}

impl Blobs for Archive {
    fn open(&self, layer: &Layer) -> failure::Result<Box<dyn Read + Send>> {
        let path = match &layer.digest {
            Some(digest) => blob_path(digest),
            None => RootPath::from(layer.blob.as_str()),
        };
        let Some((_, at, size)) = self.follow(&path) else {
            return Err(super::no_layer(layer));
        };
        super::blob_reader(
            Slice {
                file: Arc::clone(&self.file),
                at,
                left: size,
            },
            size,
            layer,
        )
    }
}

/// A file that is one layer as a whole.
struct WholeFile(Slice);

impl Blobs for WholeFile {
    fn open(&self, _: &Layer) -> failure::Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.0.clone()))
    }
}

/// A part of a file, read without moving the file's own position, so that several can be read at once.
#[derive(Clone)]
struct Slice {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Read for Slice {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..wanted).filter(|buffer| !buffer.is_empty()) else {
            return Ok(0);
        };
        let count = self.file.read_at(buffer, self.at)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at = self.at.saturating_add(count as u64);
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
