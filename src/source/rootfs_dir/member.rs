//! One member of the tar that a root directory is presented as.

use rustix::fs::{FileType, Stat, major, minor};
use tar::{EntryType, Header};

use crate::path::RootPath;

/// An extended attribute: name and value.
pub(super) type Attribute = (&'static str, Vec<u8>);

/// The header blocks of a member, with those for a long name or link and for extended attributes before it.
pub(super) fn member(
    path: &RootPath,
    stat: &Stat,
    kind: EntryType,
    link: &[u8],
    size: u64,
    attributes: &[Attribute],
) -> Vec<u8> {
    let mut out = Vec::new();
    if !attributes.is_empty() {
        let records = attributes
            .iter()
            .flat_map(|(name, value)| record(&[b"SCHILY.xattr.", name.as_bytes()].concat(), value));
        extension(&mut out, EntryType::XHeader, &records.collect::<Vec<u8>>());
    }
    let mut name = if path.is_root() {
        b"./".to_vec()
    } else {
        path.as_bytes().to_vec()
    };
    if kind == EntryType::Directory && !path.is_root() {
        name.push(b'/');
    }
    if name.len() >= 100 {
        extension(&mut out, EntryType::GNULongName, &[&name[..], b"\0"].concat());
    }
    if link.len() >= 100 {
        extension(&mut out, EntryType::GNULongLink, &[link, b"\0"].concat());
    }
    let mut header = Header::new_gnu();
    let gnu = header.as_gnu_mut();
    if let Some(gnu) = gnu {
        put(&mut gnu.name, &name);
        put(&mut gnu.linkname, link);
    }
    header.set_entry_type(kind);
    header.set_mode(stat.st_mode & 0o7777);
    header.set_uid(stat.st_uid.into());
    header.set_gid(stat.st_gid.into());
    header.set_size(size);
    if matches!(
        FileType::from_raw_mode(stat.st_mode),
        FileType::CharacterDevice | FileType::BlockDevice
    ) {
        // Only a header of another format than the one made above could refuse these.
        let _ = header.set_device_major(major(stat.st_rdev));
        let _ = header.set_device_minor(minor(stat.st_rdev));
    }
    header.set_cksum();
    out.extend_from_slice(header.as_bytes());
    out
}

fn extension(out: &mut Vec<u8>, kind: EntryType, body: &[u8]) {
    let mut header = Header::new_gnu();
    if let Some(gnu) = header.as_gnu_mut() {
        put(&mut gnu.name, b"././@LongLink");
    }
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(body.len() as u64);
    header.set_cksum();
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(body);
    out.resize(out.len().next_multiple_of(512), 0);
}

/// A PAX record: its length in decimal counts itself.
fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}

fn put(field: &mut [u8], bytes: &[u8]) {
    for (to, from) in field.iter_mut().zip(bytes) {
        *to = *from;
    }
}
