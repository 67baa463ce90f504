//! A layout is a directory with `index.json` or `manifest.json` and blobs; no link leads out of it.

use std::{
    fs::File,
    io::Read,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    sync::Arc,
};

use rustix::{
    fs::{self, FileType, Mode, OFlags, ResolveFlags},
    io::Errno,
};

use super::{
    Blobs, Opened, Options,
    files::{Files, blob_path},
    listing::{self, Asked},
};
use crate::{
    failure::{self, Code, Failure},
    image::Layer,
    path::RootPath,
};

/// Opens the images of a layout in a directory.
///
/// # Errors
/// `Unreadable` if it is no directory that may be read, and as [`listing::images`].
pub(crate) fn open(path: &Path, asked: &Asked, options: &Options) -> failure::Result<Opened> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root =
        fs::open(path, flags, Mode::empty()).map_err(|errno| super::cannot_read(path, &errno.into()))?;
    let layout = Layout { root };
    let images = listing::images(&layout, asked, options)?;
    Ok(Opened::Images {
        images,
        blobs: Arc::new(layout),
    })
}

struct Layout {
    root: OwnedFd,
}

impl Layout {
    /// Opens a regular file below the root, following links as if the directory were `/`.
    fn file(&self, path: &RootPath) -> failure::Result<Option<(File, u64)>> {
        let unreadable = |errno: Errno| {
            Failure::new(
                Code::Unreadable,
                format!(
                    "{path} of the layout cannot be read: {}",
                    std::io::Error::from(errno)
                ),
            )
        };
        let name = std::path::PathBuf::from(std::ffi::OsString::from(path.to_lossy()));
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let opened = match fs::openat2(self.root.as_fd(), &name, flags, Mode::empty(), resolve) {
            // Kernels and sandboxes without openat2: no link is followed at all.
            Err(Errno::NOSYS) => return self.file_without_links(path).map_err(unreadable),
            other => other,
        };
        match opened {
            Ok(file) => regular(file).map_err(unreadable),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(errno) => Err(unreadable(errno)),
        }
    }

    fn file_without_links(&self, path: &RootPath) -> Result<Option<(File, u64)>, Errno> {
        let mut at = self.root.try_clone().map_err(|_| Errno::MFILE)?;
        for part in path.components() {
            let flags =
                OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            at = match fs::openat(&at, part, flags, Mode::empty()) {
                Ok(next) => next,
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
                Err(errno) => return Err(errno),
            };
        }
        regular(at)
    }
}

/// The file and its size, if it is a regular one.
fn regular(file: OwnedFd) -> Result<Option<(File, u64)>, Errno> {
    let stat = fs::fstat(&file)?;
    let size = u64::try_from(stat.st_size).unwrap_or_default();
    Ok((FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile).then(|| (File::from(file), size)))
}

impl Files for Layout {
    fn read(&self, path: &RootPath, cap: u64) -> failure::Result<Option<Vec<u8>>> {
        match self.file(path)? {
            None => Ok(None),
            Some((file, _)) => super::read_capped(file, cap, path).map(Some),
        }
    }

    fn locate(&self, path: &RootPath) -> failure::Result<Option<RootPath>> {
        Ok(self.file(path)?.map(|_| path.clone()))
    }
}

impl Blobs for Layout {
    fn open(&self, layer: &Layer) -> failure::Result<Box<dyn Read + Send>> {
        let path = match &layer.digest {
            Some(digest) => blob_path(digest),
            None => RootPath::from(layer.blob.as_str()),
        };
        let Some((file, size)) = self.file(&path)? else {
            return Err(super::no_layer(layer));
        };
        super::blob_reader(file, size, layer)
    }
}
