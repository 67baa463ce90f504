//! A layer is a tree as a tar file, compressed: the same tree gives the same bytes on every machine.

use std::io::Write;

use flate2::{Compression as Level, GzBuilder};
use tar::{Builder, EntryType, Header};

use crate::{
    Result,
    recipe::{Compression, Damage},
    tree::{Kind, Node, Tree},
};

/// The tree as a tar file: sorted, times zero, hard links last so that their targets come first.
pub(crate) fn tar(tree: &Tree) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    let (links, others): (Vec<_>, Vec<_>) = tree
        .nodes
        .iter()
        .partition(|(_, node)| matches!(node.kind, Kind::HardLink(_)));
    for (path, node) in others.into_iter().chain(links) {
        append(&mut archive, path, node).map_err(|why| format!("{path}: {why}"))?;
    }
    Ok(archive.into_inner()?)
}

fn append(archive: &mut Builder<Vec<u8>>, path: &str, node: &Node) -> Result<()> {
    if let Some(value) = &node.capability {
        archive.append_pax_extensions([("SCHILY.xattr.security.capability", value.as_slice())])?;
    }
    let mut header = Header::new_gnu();
    header.set_mode(node.mode);
    header.set_uid(node.uid.into());
    header.set_gid(node.gid.into());
    header.set_mtime(0);
    header.set_size(0);
    match &node.kind {
        Kind::File(bytes) => {
            header.set_entry_type(EntryType::Regular);
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, path, bytes.as_slice())?;
        }
        Kind::Directory => {
            header.set_entry_type(EntryType::Directory);
            archive.append_data(&mut header, format!("{path}/"), std::io::empty())?;
        }
        Kind::Symlink(target) => {
            header.set_entry_type(EntryType::Symlink);
            archive.append_link(&mut header, path, target)?;
        }
        Kind::HardLink(target) => {
            header.set_entry_type(EntryType::Link);
            archive.append_link(&mut header, path, target)?;
        }
        Kind::BlockDevice(major, minor) | Kind::CharDevice(major, minor) => {
            header.set_entry_type(match node.kind {
                Kind::BlockDevice(..) => EntryType::Block,
                _ => EntryType::Char,
            });
            header.set_device_major(*major)?;
            header.set_device_minor(*minor)?;
            archive.append_data(&mut header, path, std::io::empty())?;
        }
    }
    Ok(())
}

/// The tar file as it is stored.
pub(crate) fn compress(tar: &[u8], compression: Compression) -> Result<Vec<u8>> {
    match compression {
        Compression::None => Ok(tar.to_vec()),
        Compression::Zstd => Ok(zstd::encode_all(tar, 3)?),
        Compression::Gzip => {
            // 255 is "unknown": the system that wrote it must not show.
            let mut gzip = GzBuilder::new()
                .mtime(0)
                .operating_system(255)
                .write(Vec::new(), Level::new(6));
            gzip.write_all(tar)?;
            Ok(gzip.finish()?)
        }
    }
}

/// The media type that tells the compression (image-spec `layer.md`).
pub(crate) fn media_type(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "application/vnd.oci.image.layer.v1.tar",
        Compression::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        Compression::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
    }
}

/// What is stored for a blob, and what the manifest describes: the same bytes unless there is a defect.
pub(crate) fn damage(mut blob: Vec<u8>, damage: Option<Damage>) -> (Vec<u8>, Vec<u8>) {
    let described = blob.clone();
    match damage {
        None => (blob, described),
        Some(Damage::CutStream) => {
            blob.truncate(described.len() / 2);
            (blob.clone(), blob)
        }
        Some(Damage::CutBlob) => {
            blob.truncate(described.len() / 2);
            (blob, described)
        }
        Some(Damage::ChangedByte) => {
            let middle = blob.len() / 2;
            if let Some(byte) = blob.get_mut(middle) {
                *byte ^= 0xff;
            }
            (blob, described)
        }
    }
}
