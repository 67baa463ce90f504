//! A root directory is presented as one plain tar, made while it is read, so that it is looked into as layers are.

mod content;
mod marks;
mod member;
mod walk;

use std::{
    io::Read,
    os::fd::OwnedFd,
    path::Path,
    sync::{Arc, Mutex},
};

use rustix::fs::{self, Mode, OFlags};

use self::walk::Walk;
use super::{Blobs, Opened, Options, bare_image, cannot_read, listing::Asked};
use crate::{
    failure::{self, Code, Failure},
    gap::Gap,
    image::Layer,
    limits::Limits,
};

/// The name of the one layer.
const BLOB: &str = "root directory";

/// Opens a root directory. Nothing outside it and no other file system is looked at.
///
/// # Errors
/// `NotFound` or `Unreadable` if there is no directory that may be read.
pub(crate) fn open(path: &Path, asked: &Asked, options: &Options) -> failure::Result<Opened> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = fs::open(path, flags, Mode::empty()).map_err(|errno| cannot_read(path, &errno.into()))?;
    let stat = fs::fstat(&root).map_err(|errno| cannot_read(path, &errno.into()))?;
    let mut image = bare_image(asked, BLOB);
    if stat.st_uid != 0 {
        image.notes.push(format!(
            "the directory itself is owned by uid {}, so owners may be shifted, as in a user namespace",
            stat.st_uid
        ));
    }
    let blobs = RootDirectory {
        root,
        limits: options.limits.clone(),
        gaps: Arc::default(),
    };
    Ok(Opened::Images {
        images: vec![Ok(image)],
        blobs: Arc::new(blobs),
    })
}

struct RootDirectory {
    root: OwnedFd,
    limits: Limits,
    gaps: Arc<Mutex<Vec<Gap>>>,
}

impl Blobs for RootDirectory {
    fn open(&self, _: &Layer) -> failure::Result<Box<dyn Read + Send>> {
        let unreadable = |error: std::io::Error| {
            Failure::new(
                Code::Unreadable,
                format!("the root directory cannot be read: {error}"),
            )
        };
        let root = self.root.try_clone().map_err(unreadable)?;
        if let Ok(mut gaps) = self.gaps.lock() {
            gaps.clear();
        }
        let walk = Walk::new(root, self.limits.clone(), Arc::clone(&self.gaps))
            .map_err(|errno| unreadable(errno.into()))?;
        Ok(Box::new(walk))
    }

    fn gaps(&self) -> Vec<Gap> {
        // A panic elsewhere leaves a whole list behind.
        self.gaps
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }
}

#[cfg(test)]
mod tests;
