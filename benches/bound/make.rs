//! Layouts to measure, packed from the machine's own files: real programs and texts, since zeros or random bytes would
//! measure nothing.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;
use flate2::{Compression, write::GzEncoder};

/// Makes a layout of `layers` gzip layers with about `megabytes` MiB of files each, unless it is there already.
pub(crate) fn layout(folder: &Path, layers: usize, megabytes: u64) -> io::Result<()> {
    if folder.join("index.json").exists() {
        return Ok(());
    }
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    let mut files = files(Path::new("/usr"))?.into_iter().cycle();
    let (mut descriptors, mut diff_ids) = (Vec::new(), Vec::new());
    for number in 0..layers {
        let (blob, diff_id) = layer(&mut files, number, megabytes << 20)?;
        let digest = put(&blobs, &blob)?;
        descriptors.push(descriptor(
            "application/vnd.oci.image.layer.v1.tar+gzip",
            &digest,
            blob.len(),
        ));
        diff_ids.push(format!("\"sha256:{diff_id}\""));
    }
    let config = format!(
        r#"{{"os":"linux","architecture":"amd64","config":{{"User":"65532:65532"}},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        diff_ids.join(",")
    );
    let config = descriptor(
        "application/vnd.oci.image.config.v1+json",
        &put(&blobs, config.as_bytes())?,
        config.len(),
    );
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{config},"layers":[{}]}}"#,
        descriptors.join(",")
    );
    let root = put(&blobs, manifest.as_bytes())?;
    let root = descriptor(
        "application/vnd.oci.image.manifest.v1+json",
        &root,
        manifest.len(),
    );
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    fs::write(
        folder.join("index.json"),
        format!(r#"{{"schemaVersion":2,"manifests":[{root}]}}"#),
    )
}

/// One layer: its blob, and the hex of its uncompressed digest.
fn layer(
    files: &mut impl Iterator<Item = PathBuf>,
    number: usize,
    bytes: u64,
) -> io::Result<(Vec<u8>, String)> {
    let mut tar = tar::Builder::new(Hashed {
        to: GzEncoder::new(Vec::new(), Compression::default()),
        hash: digest::Context::new(&digest::SHA256),
        count: 0,
    });
    let mut member = 0u64;
    while tar.get_ref().count < bytes {
        let Some(path) = files.next() else { break };
        let Ok(content) = fs::read(&path) else { continue };
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        header.set_cksum();
        // Numbered, so that a file packed twice is a file of its own.
        tar.append_data(
            &mut header,
            format!("l{number}/{member}{}", path.display()),
            &content[..],
        )?;
        member += 1;
    }
    let Hashed { to, hash, .. } = tar.into_inner()?;
    Ok((to.finish()?, hex(hash.finish().as_ref())))
}

struct Hashed<W> {
    to: W,
    hash: digest::Context,
    count: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.count += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Every regular file below a folder, no link followed, in order.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn put(blobs: &Path, bytes: &[u8]) -> io::Result<String> {
    let digest = hex(digest::digest(&digest::SHA256, bytes).as_ref());
    fs::write(blobs.join(&digest), bytes)?;
    Ok(digest)
}

fn descriptor(media_type: &str, digest: &str, size: usize) -> String {
    format!(r#"{{"mediaType":"{media_type}","digest":"sha256:{digest}","size":{size}}}"#)
}

fn hex(bytes: &[u8]) -> String {
    scant::text::hex(bytes)
}
