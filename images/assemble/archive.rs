//! An archive is a file of a layer that holds others: a zip, a tar compressed with gzip, or a squashfs image.

use std::{collections::BTreeMap, fs, io::Write, os::unix::fs::PermissionsExt, process::Command};

use flate2::{Compression, Crc, write::DeflateEncoder, write::GzEncoder};

use crate::{Result, recipe::ArchiveRecipe};

/// The archive's bytes. `read` gives what a source stands for.
pub(crate) fn build(recipe: &ArchiveRecipe, read: impl Fn(&str) -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    let mut members: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for (name, text) in &recipe.files {
        members.insert(name, text.clone().into_bytes());
    }
    for (name, source) in &recipe.copy {
        members.insert(name, read(source)?);
    }
    let is = |ends: &[&str]| ends.iter().any(|end| recipe.path.ends_with(end));
    let archive = if is(&[".tar.gz", ".tgz"]) {
        tar(&members)?
    } else if is(&[".squashfs", ".AppImage"]) {
        squashfs(&members)?
    } else {
        zip(&members)?
    };
    let before = recipe
        .behind
        .as_deref()
        .map(read)
        .transpose()?
        .unwrap_or_default();
    Ok([before, archive].concat())
}

/// As `mksquashfs` makes it, of no time and no owner.
fn squashfs(members: &BTreeMap<&str, Vec<u8>>) -> Result<Vec<u8>> {
    let directory = tempfile::tempdir()?;
    let (root, image) = (directory.path().join("root"), directory.path().join("image"));
    for (name, bytes) in members {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&root))?;
        fs::write(&path, bytes)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    }
    let options =
        "-comp zstd -all-root -no-xattrs -mkfs-time 0 -all-time 0 -quiet -no-progress -processors 1";
    let made = Command::new("mksquashfs")
        .args([&root, &image])
        .args(options.split(' '))
        .output()
        .map_err(|why| format!("mksquashfs, of the package squashfs-tools: {why}"))?;
    if !made.status.success() {
        return Err(format!("mksquashfs: {}", String::from_utf8_lossy(&made.stderr)).into());
    }
    Ok(fs::read(&image)?)
}

fn tar(members: &BTreeMap<&str, Vec<u8>>) -> Result<Vec<u8>> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (name, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o755);
        builder.append_data(&mut header, name, bytes.as_slice())?;
    }
    Ok(builder.into_inner()?.finish()?)
}

/// Every member deflated, its size before it.
fn zip(members: &BTreeMap<&str, Vec<u8>>) -> Result<Vec<u8>> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes)?;
        let packed = encoder.finish()?;
        let mut crc = Crc::new();
        crc.update(bytes);
        // Version 2.0, no flags, deflate, midnight of 1 January 1980.
        let mut common: Vec<u8> = [20_u16, 0, 8, 0, 0x21]
            .into_iter()
            .flat_map(u16::to_le_bytes)
            .collect();
        for number in [
            crc.sum(),
            u32::try_from(packed.len())?,
            u32::try_from(bytes.len())?,
        ] {
            common.extend(number.to_le_bytes());
        }
        common.extend(u16::try_from(name.len())?.to_le_bytes());
        common.extend([0, 0]);
        let at = u32::try_from(out.len())?;
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (begins, size) = (u32::try_from(out.len())?, u32::try_from(directory.len())?);
    let count = u16::try_from(members.len())?.to_le_bytes();
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.iter().chain(&count));
    out.extend(size.to_le_bytes().iter().chain(&begins.to_le_bytes()));
    out.extend([0, 0]);
    Ok(out)
}
