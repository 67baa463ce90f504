//! The content of one file of a root directory, as a tar member that keeps the size its header states.

use std::{
    fs::File,
    io::{self, Read},
};

use crate::path::RootPath;

/// A regular file that is being read.
pub(super) struct Content {
    /// Where it lies.
    pub(super) path: RootPath,
    /// Gone once it failed or ended.
    file: Option<File>,
    left: u64,
    padding: u64,
}

impl Content {
    /// A file whose header states `size` bytes.
    pub(super) fn new(path: RootPath, file: File, size: u64) -> Self {
        let padding = (512 - size % 512) % 512;
        Self {
            path,
            file: Some(file),
            left: size,
            padding,
        }
    }

    /// The next bytes, 0 behind the end, and what went wrong: the member keeps its stated size, whatever becomes of the
    /// file.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> (usize, Option<String>) {
        if self.left == 0 {
            return self.read_padding(buffer);
        }
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let part = buffer.get_mut(..wanted).unwrap_or_default();
        let read = self.file.as_ref().map_or(Ok(0), |file| read_some(file, part));
        if let Ok(count @ 1..) = read {
            self.left = self.left.saturating_sub(count as u64);
            return (count, None);
        }
        part.fill(0);
        self.left = self.left.saturating_sub(wanted as u64);
        let fault = self.file.take().map(|_| match read {
            Ok(_) => "became shorter while it was being read".to_owned(),
            Err(error) => format!("cannot be read to its end: {error}"),
        });
        (wanted, fault)
    }

    fn read_padding(&mut self, buffer: &mut [u8]) -> (usize, Option<String>) {
        let count = usize::try_from(self.padding)
            .unwrap_or_default()
            .min(buffer.len());
        buffer.iter_mut().take(count).for_each(|byte| *byte = 0);
        self.padding = self.padding.saturating_sub(count as u64);
        let longer = self
            .file
            .take()
            .is_some_and(|file| read_some(&file, &mut [0]).is_ok_and(|more| more > 0));
        (
            count,
            longer.then(|| "became longer while it was being read".to_owned()),
        )
    }
}

fn read_some(mut file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
