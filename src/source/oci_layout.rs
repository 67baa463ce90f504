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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::{
        source::{
            open as open_target,
            samples::{Made, Sample, Seen, layer, options, see, write},
        },
        target::Target,
    };

    fn open_at(path: &Path, scheme: &str, select: &str) -> failure::Result<Seen> {
        let target: Target = format!("{scheme}{}{select}", path.display()).parse()?;
        open_target(&target, &options()).and_then(see)
    }

    fn sample() -> Sample {
        Sample::oci(&[
            Made::new("1.0", "1", &["a"]),
            Made::new("ghcr.io/a/two:2.0", "2", &["b"]),
        ])
    }

    #[test]
    fn images_of_a_directory_are_found() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app");
        sample().to_directory(&path);
        for scheme in ["oci:", ""] {
            let seen = open_at(&path, scheme, "").unwrap();
            assert_eq!(seen.references(), ["app:1.0", "ghcr.io/a/two:2.0"]);
            assert_eq!(seen.layers[1][0].as_ref().unwrap(), &layer("b"));
        }
        let one = open_at(&path, "oci:", ":2.0").unwrap();
        assert_eq!(one.references(), ["ghcr.io/a/two:2.0"]);
        assert_eq!(open_at(&path, "oci:", ":3").err().unwrap().code, Code::NotFound);
    }

    #[test]
    fn several_names_of_one_digest_are_one_image() {
        let directory = tempfile::tempdir().unwrap();
        let mut made = Made::new("1.0", "1", &["a"]);
        made.names.push("latest");
        Sample::oci(&[made]).to_directory(directory.path());
        let seen = open_at(directory.path(), "oci:", "").unwrap();
        assert_eq!(seen.images().len(), 1);
        assert!(seen.images()[0].notes.iter().any(|note| note.contains("latest")));
        assert_eq!(
            open_at(directory.path(), "oci:", ":latest")
                .unwrap()
                .images()
                .len(),
            1
        );
    }

    #[test]
    fn an_unpacked_docker_archive_is_read_too() {
        let directory = tempfile::tempdir().unwrap();
        Sample::docker(&[Made::new("one:1", "1", &["a"])]).to_directory(directory.path());
        let seen = open_at(directory.path(), "", "").unwrap();
        assert_eq!(seen.references(), ["docker.io/library/one:1"]);
        assert_eq!(seen.layers[0][0].as_ref().unwrap(), &layer("a"));
    }

    #[test]
    fn no_link_leads_out_of_the_layout() {
        let directory = tempfile::tempdir().unwrap();
        let (path, outside) = (directory.path().join("app"), directory.path().join("outside"));
        sample().to_directory(&path);
        let blob = path.join(&sample().0[0].0);
        let bytes = layer("a");
        // The right bytes, but not the layout's own.
        write(&outside, &bytes);
        std::fs::remove_file(&blob).unwrap();
        for to in [outside.clone(), "../../../outside".into()] {
            symlink(&to, &blob).unwrap();
            let seen = open_at(&path, "oci:", ":1.0").unwrap();
            assert_eq!(
                seen.layers[0][0].as_ref().unwrap_err().code,
                Code::NotFound,
                "{}",
                to.display()
            );
            std::fs::remove_file(&blob).unwrap();
        }
        write(&path.join("inside"), &bytes);
        symlink("../../inside", &blob).unwrap();
        assert_eq!(
            open_at(&path, "oci:", ":1.0").unwrap().layers[0][0]
                .as_ref()
                .unwrap(),
            &bytes
        );
    }

    #[test]
    fn blobs_are_regular_files_of_the_right_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app");
        sample().to_directory(&path);
        let blob = path.join(&sample().0[0].0);
        let code = || {
            open_at(&path, "oci:", ":1.0").unwrap().layers[0][0]
                .clone()
                .unwrap_err()
                .code
        };
        let mut wrong = layer("a");
        wrong[600] ^= 1;
        write(&blob, &wrong);
        assert_eq!(code(), Code::DigestMismatch);
        write(&blob, &wrong[..600]);
        assert_eq!(code(), Code::DigestMismatch);
        std::fs::remove_file(&blob).unwrap();
        assert_eq!(code(), Code::NotFound);
        fs::mknodat(fs::CWD, &blob, FileType::Fifo, Mode::from(0o600), 0).unwrap();
        assert_eq!(code(), Code::NotFound);
    }

    #[test]
    fn other_directories_are_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        assert_eq!(open_at(path, "", "").err().unwrap().code, Code::NotAnImage);
        assert_eq!(open_at(path, "oci:", "").err().unwrap().code, Code::NotAnImage);
        assert_eq!(
            open_at(path, "oci-archive:", "").err().unwrap().code,
            Code::BadTarget
        );
        write(&path.join("manifest.json"), b"{}");
        write(&path.join("version"), b"Directory Transport Version: 1.1\n");
        assert!(
            open_at(path, "", "")
                .err()
                .unwrap()
                .advice
                .unwrap()
                .contains("skopeo copy")
        );
        assert_eq!(
            open_at(&path.join("absent"), "oci:", "").err().unwrap().code,
            Code::NotFound
        );
    }

    #[test]
    fn what_is_no_image_is_left_out_beside_one() {
        let directory = tempfile::tempdir().unwrap();
        let mut sample = Sample::oci(&[Made::new("1.0", "1", &["a"])]);
        let empty = sample.blob(b"{}");
        let chart = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"{empty}","size":2}},"layers":[]}}"#
        );
        let chart = sample.blob(chart.as_bytes());
        let listed =
            format!(r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{chart}"}}"#);
        let index = sample.file("index.json");
        let with = String::from_utf8(index.clone())
            .unwrap()
            .replace("\"manifests\":[", &format!("\"manifests\":[{listed},"));
        *index = with.into_bytes();
        sample.to_directory(directory.path());
        let seen = open_at(directory.path(), "oci:", "").unwrap();
        assert_eq!(seen.images().len(), 1);
        assert!(seen.images()[0].notes.iter().any(|note| note.contains("Helm")));
        let alone = open_at(directory.path(), "oci:", &format!("@{chart}")).unwrap();
        assert_eq!(alone.found[0].as_ref().unwrap_err().1.code, Code::NotAnImage);
    }
}
