//! A walk through a root directory: no link followed, nothing opened but directories and regular files.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    sync::{Arc, Mutex},
};

use rustix::{
    fs::{self, AtFlags, Dir, FileType, Mode, OFlags, Stat},
    io::Errno,
};
use tar::EntryType;

use super::{
    content::Content,
    marks::{attribute, is_made_up, overlay, reads_as_marker, sees_trusted},
    member::{Attribute, member},
};
use crate::{
    gap::{Gap, Hides},
    limits::Limits,
    path::RootPath,
};

/// Directories in one another that are walked into; each holds a descriptor, of which a process has about 1,000.
const DEPTH: usize = 256;

/// Above this size a file that is mostly holes is not read through.
const SPARSE: u64 = 64 << 20;

/// Extended attributes that say who may do more than the mode tells.
const ATTRIBUTES: [&str; 2] = ["security.capability", "system.posix_acl_access"];

/// Yields the tar.
pub(super) struct Walk {
    limits: Limits,
    gaps: Arc<Mutex<Vec<Gap>>>,
    device: u64,
    open: Vec<Level>,
    /// The first name of each file that has several.
    inodes: BTreeMap<u64, RootPath>,
    listed: usize,
    whiteouts: bool,
    pending: io::Cursor<Vec<u8>>,
    content: Option<Content>,
    ended: bool,
}

/// A directory that is being walked through.
struct Level {
    path: RootPath,
    directory: OwnedFd,
    /// Names that are still to come, the last one first.
    names: Vec<Vec<u8>>,
}

impl Walk {
    pub(super) fn new(root: OwnedFd, limits: Limits, gaps: Arc<Mutex<Vec<Gap>>>) -> Result<Self, Errno> {
        let stat = fs::fstat(&root)?;
        let mut walk = Self {
            limits,
            gaps,
            device: stat.st_dev,
            open: Vec::new(),
            inodes: BTreeMap::new(),
            listed: 0,
            whiteouts: false,
            pending: io::Cursor::default(),
            content: None,
            ended: false,
        };
        walk.enter(RootPath::root(), root, &stat);
        Ok(walk)
    }

    /// Leaves out all but these names of the root.
    #[cfg(test)]
    pub(super) fn only(&mut self, names: &[&[u8]]) {
        self.open[0].names.retain(|name| names.contains(&name.as_slice()));
    }

    /// Takes all that is still to come for parts of another file system.
    #[cfg(test)]
    pub(super) fn on_another_device(&mut self) {
        self.device = self.device.wrapping_add(1);
    }

    /// Emits a directory and begins to walk through it.
    fn enter(&mut self, path: RootPath, directory: OwnedFd, stat: &Stat) {
        let attributes = self.attributes(&directory);
        self.emit(&path, stat, EntryType::Directory, b"", 0, &attributes);
        if stat.st_dev != self.device {
            let made_up = is_made_up(&directory);
            if !made_up {
                self.gap(
                    &path,
                    "another file system is mounted here and was not looked into",
                    Hides::Anything,
                );
            }
            return;
        }
        if self.open.len() >= DEPTH {
            self.gap(
                &path,
                &format!("directories are nested too deep (limit {DEPTH})"),
                Hides::Anything,
            );
            return;
        }
        if overlay(&directory, "redirect").is_some() {
            self.gap(
                &path,
                "its content comes from another layer (overlay redirect)",
                Hides::Anything,
            );
        }
        if overlay(&directory, "opaque").is_some_and(|value| value == b"y") {
            self.emit(&path.join(b".wh..wh..opq"), stat, EntryType::Regular, b"", 0, &[]);
        }
        let names = match Dir::read_from(&directory) {
            Ok(entries) => {
                let names = entries.map(|entry| Ok(entry?.file_name().to_bytes().to_vec()));
                self.names(&path, names)
            }
            Err(errno) => {
                self.gap(
                    &path,
                    &format!("cannot be listed: {}", io::Error::from(errno)),
                    Hides::Anything,
                );
                return;
            }
        };
        self.open.push(Level {
            path,
            directory,
            names,
        });
    }

    /// The names in a directory, sorted backwards; where the listing breaks off, those before are looked at all the same.
    pub(super) fn names(
        &mut self,
        path: &RootPath,
        listed: impl Iterator<Item = Result<Vec<u8>, Errno>>,
    ) -> Vec<Vec<u8>> {
        let mut names = Vec::new();
        for name in listed {
            let name = match name {
                Ok(name) => name,
                Err(errno) => {
                    let why = format!("cannot be listed to its end: {}", io::Error::from(errno));
                    self.gap(path, &why, Hides::Anything);
                    break;
                }
            };
            if name == b"." || name == b".." {
                continue;
            }
            if self.listed >= self.limits.members {
                self.gap(
                    path,
                    &format!("too many files (limit {})", self.limits.members),
                    Hides::Anything,
                );
                break;
            }
            self.listed += 1;
            names.push(name);
        }
        names.sort_unstable_by(|a, b| b.cmp(a));
        names
    }

    /// Goes on to the next name.
    fn step(&mut self) {
        let Some(level) = self.open.last_mut() else {
            self.pending = io::Cursor::new(vec![0; 1024]);
            self.ended = true;
            return;
        };
        let Some(name) = level.names.pop() else {
            self.open.pop();
            return;
        };
        let path = level.path.join(&name);
        if let Err(errno) = self.look_at(&path, &name) {
            let why = format!("cannot be read: {}", io::Error::from(errno));
            self.gap(&path, &why, Hides::Anything);
        }
    }

    fn look_at(&mut self, path: &RootPath, name: &[u8]) -> Result<(), Errno> {
        let Some(Level { directory, .. }) = self.open.last() else {
            return Ok(());
        };
        if path.as_bytes().len() > self.limits.path {
            // No layer could bring it, but step by step it can be made and reached here.
            let why = format!("its path has more than {} bytes", self.limits.path);
            self.gap(path, &why, Hides::Anything);
            return Ok(());
        }
        let stat = fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if reads_as_marker(name, &stat) {
            let why = "is called like a marker of layers, so that it cannot be told from one; rename it";
            self.gap(path, why, Hides::Anything);
        }
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                match fs::openat(directory, name, flags, Mode::empty()) {
                    Ok(inner) => {
                        let stat = fs::fstat(&inner)?;
                        self.enter(path.clone(), inner, &stat);
                    }
                    Err(errno) => {
                        self.emit(path, &stat, EntryType::Directory, b"", 0, &[]);
                        return Err(errno);
                    }
                }
            }
            FileType::RegularFile => self.regular(path, name, &stat)?,
            FileType::Symlink => {
                let to = fs::readlinkat(directory, name, Vec::new())?;
                self.emit(path, &stat, EntryType::Symlink, to.to_bytes(), 0, &[]);
            }
            FileType::CharacterDevice if stat.st_rdev == 0 => self.whiteout(path, &stat),
            FileType::CharacterDevice => self.emit(path, &stat, EntryType::Char, b"", 0, &[]),
            FileType::BlockDevice => self.emit(path, &stat, EntryType::Block, b"", 0, &[]),
            FileType::Fifo => self.emit(path, &stat, EntryType::Fifo, b"", 0, &[]),
            // A tar has no sockets, and an image none that lives.
            _ => {}
        }
        Ok(())
    }

    pub(super) fn regular(&mut self, path: &RootPath, name: &[u8], stat: &Stat) -> Result<(), Errno> {
        let Some(Level { directory, .. }) = self.open.last() else {
            return Ok(());
        };
        if stat.st_dev != self.device {
            self.emit(path, stat, EntryType::Regular, b"", 0, &[]);
            self.gap(
                path,
                "a file of another file system is mounted here and was not read",
                Hides::Anything,
            );
            return Ok(());
        }
        if stat.st_nlink > 1
            && let Some(first) = self.inodes.get(&stat.st_ino).cloned()
        {
            self.emit(path, stat, EntryType::Link, first.as_bytes(), 0, &[]);
            return Ok(());
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match fs::openat(directory, name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(errno) => {
                // Owner and mode are still worth a look.
                self.emit(path, stat, EntryType::Regular, b"", 0, &[]);
                return Err(errno);
            }
        };
        let opened = fs::fstat(&file)?;
        if (opened.st_dev, opened.st_ino) != (stat.st_dev, stat.st_ino)
            || FileType::from_raw_mode(opened.st_mode) != FileType::RegularFile
        {
            self.gap(path, "was exchanged while it was being read", Hides::Anything);
            return Ok(());
        }
        // The kernel heeds it on empty files only.
        if opened.st_size == 0 && overlay(&file, "whiteout").is_some() {
            self.whiteout(path, &opened);
            return Ok(());
        }
        if overlay(&file, "metacopy").is_some() {
            self.gap(
                path,
                "its content is in another layer (overlay metacopy)",
                Hides::Anything,
            );
        }
        if opened.st_nlink > 1 {
            self.inodes.insert(opened.st_ino, path.clone());
        }
        let mut size = u64::try_from(opened.st_size).unwrap_or_default();
        let stored = u64::try_from(opened.st_blocks)
            .unwrap_or_default()
            .saturating_mul(512);
        let mostly_holes = size > SPARSE && stored < size / 8;
        if mostly_holes {
            let why = format!("is mostly holes ({stored} of {size} bytes are stored) and was not read");
            self.gap(path, &why, Hides::Anything);
            size = 0;
        }
        let attributes = self.attributes(&file);
        self.emit(path, &opened, EntryType::Regular, b"", size, &attributes);
        if !mostly_holes {
            self.content = Some(Content::new(path.clone(), File::from(file), size));
        }
        Ok(())
    }

    /// A marker of overlay file systems becomes that of layers.
    fn whiteout(&mut self, path: &RootPath, stat: &Stat) {
        let parent = path.parent().unwrap_or_default();
        let mut plain = *stat;
        plain.st_mode = FileType::RegularFile.as_raw_mode();
        self.emit(
            &parent.join(&[b".wh.", path.name()].concat()),
            &plain,
            EntryType::Regular,
            b"",
            0,
            &[],
        );
        if !sees_trusted() && !std::mem::replace(&mut self.whiteouts, true) {
            let why = "is a marker of an overlay file system, whose further ones only root can read";
            self.gap(path, why, Hides::Anything);
        }
    }

    fn emit(
        &mut self,
        path: &RootPath,
        stat: &Stat,
        kind: EntryType,
        link: &[u8],
        size: u64,
        attributes: &[Attribute],
    ) {
        self.pending
            .get_mut()
            .extend(member(path, stat, kind, link, size, attributes));
    }

    /// The extended attributes that layers tell of their members.
    fn attributes(&self, file: &OwnedFd) -> Vec<Attribute> {
        ATTRIBUTES
            .into_iter()
            .filter_map(|name| Some((name, attribute(file, name, self.limits.xattr)?)))
            .collect()
    }

    fn gap(&self, path: &RootPath, why: &str, hides: Hides) {
        let gap = Gap {
            path: Some(path.clone()),
            why: why.to_owned(),
            hides,
        };
        self.gaps
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(gap);
    }

    /// Bytes of the current file; 0 behind its end.
    fn read_content(&mut self, buffer: &mut [u8]) -> usize {
        let Some(content) = &mut self.content else {
            return 0;
        };
        let (count, fault) = content.read(buffer);
        if let Some(why) = fault {
            let path = content.path.clone();
            self.gap(&path, &why, Hides::Anything);
        }
        count
    }
}

impl Read for Walk {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let count = self.pending.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            let count = self.read_content(buffer);
            if count > 0 {
                return Ok(count);
            }
            if self.ended {
                return Ok(0);
            }
            self.content = None;
            self.pending = io::Cursor::default();
            self.step();
        }
    }
}
