//! Tests of archives: by offset, and front to back; what they share stands here.

mod caps;
mod damage;
mod framing;
mod images;
mod listed_layers;
mod root_file_system;

use std::{io::Write as _, path::PathBuf};

use super::*;
use crate::{
    source::{
        PlatformChoice, open as open_target,
        samples::{Made, Sample, Seen, layer, options, see, write},
    },
    target::Target,
};

struct Saved {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

fn save(bytes: &[u8]) -> Saved {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.tar");
    write(&path, bytes);
    Saved {
        path,
        _directory: directory,
    }
}

impl Saved {
    fn open(&self, scheme: &str, select: &str) -> failure::Result<Seen> {
        let target: Target = format!("{scheme}{}{select}", self.path.display()).parse()?;
        see(open_target(&target, &options())?)
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A plain archive, read front to back.
fn streamed(tar: Vec<u8>) -> ArchiveStream {
    let asked = Asked {
        text: "-".into(),
        stem: "app".into(),
        form: Form::Any,
        select: None,
    };
    ArchiveStream::new(Box::new(io::Cursor::new(tar)), asked, options())
}

/// Opens a sample in each way an archive can come: by offset, gzipped, in zstd, and plain front to back.
fn every_way(tar: &[u8]) -> Vec<failure::Result<Seen>> {
    vec![
        save(tar).open("", ""),
        save(&gzip(tar)).open("", ""),
        save(&zstd::encode_all(tar, 1).unwrap()).open("", ""),
        see(Opened::Stream(Box::new(streamed(tar.to_vec())))),
    ]
}

fn assert_code(tar: &[u8], code: Code) {
    for seen in every_way(tar) {
        let failure = match seen {
            Err(failure) => failure,
            Ok(Seen { found, .. }) => match found.into_iter().next() {
                Some(Err((_, failure))) => failure,
                other => panic!("{other:?}"),
            },
        };
        assert_eq!(failure.code, code, "{failure}");
    }
}

/// Why the first image, or else its first layer, cannot be read.
fn first_failure(seen: Seen) -> Failure {
    match seen.found.into_iter().next().unwrap() {
        Err((_, failure)) => failure,
        Ok(_) => seen.layers[0][0].clone().unwrap_err(),
    }
}
