//! An entry is one tar member made safe: clean path, known kind, marker names understood.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{Entry, Kind, remarks::Remarks};
use crate::{
    failure::{Code, Failure, Result},
    gap::Hides,
    limits::Limits,
    path::RootPath,
    tar::Member,
    text,
};

const CAPABILITY: &[u8] = b"security.capability";
/// As libarchive writes values (`tar(5)`); it leaves the padding out, other writers do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const SCHILY: &[u8] = b"SCHILY.xattr.";
const LIBARCHIVE: &[u8] = b"LIBARCHIVE.xattr.";
/// Longest name of an extended attribute (Linux).
const XATTR_NAME: usize = 255;
/// Bit 31 and above of an owner: no Linux owner has them.
const LARGEST_OWNER: i64 = 0xffff_ffff;

/// Makes an entry of a member; `None` for one that no runtime would create.
///
/// # Errors
/// Attributes that Linux would refuse, so that no runtime could unpack the layer.
pub(super) fn build(member: &Member, limits: &Limits, remarks: &mut Remarks) -> Result<Option<Entry>> {
    let name = &member.name;
    if leaves_root(name) {
        remarks.odd("a name leaves the root", name);
    } else if name.starts_with(b"/") {
        remarks.odd("a name is absolute", name);
    }
    let path = RootPath::clean(name);
    if let Some(why) = impossible(&path, limits) {
        let shown = text::escape(name);
        remarks.gap(None, format!("`{shown}` has {why}"), Hides::Nothing);
        return Ok(None);
    }
    let (mut capability, mut unapplied_capability, mut xattrs) = (None, None, Vec::new());
    for (key, value) in member.records.iter() {
        let Some(name) = key.strip_prefix(SCHILY) else {
            if let Some(name) = key.strip_prefix(LIBARCHIVE) {
                let name = percent_decoded(name);
                if name == CAPABILITY && value.len() <= limits.xattr {
                    unapplied_capability = BASE64.decode(value).ok();
                }
                xattrs.push(text::escape(&[LIBARCHIVE, &name].concat()));
            }
            continue;
        };
        if name.len() > XATTR_NAME || value.len() > limits.xattr {
            return Err(Failure::new(
                Code::TooLarge,
                format!(
                    "`{path}` has an extended attribute that Linux could not hold: its name has {} bytes (limit {XATTR_NAME}), its \
                     value {} (limit {})",
                    name.len(),
                    value.len(),
                    limits.xattr
                ),
            ));
        }
        if name == CAPABILITY {
            capability = Some(value.to_vec());
        } else {
            xattrs.push(text::escape(name));
        }
    }
    if !(0..=LARGEST_OWNER).contains(&member.uid) || !(0..=LARGEST_OWNER).contains(&member.gid) {
        remarks.odd(
            "an owner is beyond 32 bits, of which runtimes keep the low ones",
            name,
        );
    }
    let Some((path, kind)) = marker(path, name, remarks) else {
        return Ok(None);
    };
    let kind = match kind {
        Some(kind) => kind,
        None => match kind_of(member, limits, remarks) {
            Some(kind) => kind,
            None => return Ok(None),
        },
    };
    if path.is_root() && !matches!(kind, Kind::Directory | Kind::Opaque) {
        remarks.odd("a member other than a directory is named like the root", name);
        return Ok(None);
    }
    let size = if kind == Kind::File { member.size } else { 0 };
    Ok(Some(Entry {
        path,
        kind,
        mode: (member.mode & 0o7777) as u16,
        uid: member.uid as u64,
        gid: member.gid as u64,
        size,
        capability,
        unapplied_capability,
        xattrs,
        program: None,
        kept: None,
        secrets: Vec::new(),
    }))
}

/// Bytes that the entry holds in memory beside its own fields.
pub(super) fn weight(entry: &Entry) -> usize {
    let link = match &entry.kind {
        Kind::Symlink(target) => target.len(),
        Kind::HardLink(target) => target.as_bytes().len(),
        _ => 0,
    };
    let xattrs: usize = entry
        .xattrs
        .iter()
        .map(|name| name.len() + size_of::<String>())
        .sum();
    let values = [&entry.capability, &entry.unapplied_capability];
    let values: usize = values.into_iter().flatten().map(Vec::len).sum();
    entry.path.as_bytes().len() + link + xattrs + values
}

/// Understands whiteouts, of which only the last component counts. `None`: a marker that is ignored. The kind is `None`
/// for names that are no marker.
fn marker(path: RootPath, name: &[u8], remarks: &mut Remarks) -> Option<(RootPath, Option<Kind>)> {
    let Some(hidden) = path.name().strip_prefix(b".wh.") else {
        return Some((path, None));
    };
    let directory = path.parent().unwrap_or_default();
    match hidden {
        b".wh..opq" => Some((directory, Some(Kind::Opaque))),
        b"" | b"." | b".." => {
            remarks.odd("a whiteout names its own directory or the parent", name);
            None
        }
        _ if hidden.starts_with(b".wh.") => {
            remarks.odd("a bookkeeping file of AUFS", name);
            None
        }
        hidden => Some((directory.join(hidden), Some(Kind::Whiteout))),
    }
}

fn kind_of(member: &Member, limits: &Limits, remarks: &mut Remarks) -> Option<Kind> {
    let name = &member.name;
    // Of what runtimes hand it, the kernel keeps 12 and 20 bits (`mknod` takes a number of 32).
    let (major, minor) = (member.major as u32 & 0xfff, member.minor as u32 & 0xf_ffff);
    Some(match member.flag {
        b'0' => {
            if name.ends_with(b"/") {
                remarks.odd("a file is named like a directory", name);
            }
            Kind::File
        }
        b'1' => {
            let target = RootPath::clean(&member.link);
            if let Some(why) = impossible(&target, limits) {
                remarks.gap(
                    None,
                    format!("the target of hard link `{}` has {why}", text::escape(name)),
                    Hides::Nothing,
                );
                return None;
            }
            Kind::HardLink(target)
        }
        b'2' if member.link.len() > limits.path => {
            remarks.gap(
                None,
                format!(
                    "the target of link `{}` is longer than {} bytes",
                    text::escape(name),
                    limits.path
                ),
                Hides::Nothing,
            );
            return None;
        }
        b'2' => Kind::Symlink(member.link.clone()),
        b'3' => {
            if (major, minor) == (0, 0) {
                remarks.odd(
                    "a character device 0/0, which overlayfs takes for a whiteout",
                    name,
                );
            }
            Kind::CharDevice { major, minor }
        }
        b'4' => Kind::BlockDevice { major, minor },
        b'5' => Kind::Directory,
        b'6' => Kind::Fifo,
        b'7' => {
            remarks.odd("a contiguous file, which containerd refuses", name);
            Kind::File
        }
        b'S' => {
            remarks.odd("an old GNU sparse file, which containerd refuses", name);
            Kind::File
        }
        _ => {
            remarks.odd("a member of a vendor's type, which containerd refuses", name);
            Kind::File
        }
    })
}

/// `%2E` is a full stop: libarchive writes what is no plain ASCII in the name of an attribute so, and reads any.
fn percent_decoded(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((&byte, behind)) = rest.split_first() {
        let digit = |at: usize| char::from(*behind.get(at)?).to_digit(16);
        let coded = digit(0).zip(digit(1)).filter(|_| byte == b'%');
        let (byte, read) = coded.map_or((byte, 0), |(high, low)| ((high * 16 + low) as u8, 2));
        out.push(byte);
        rest = behind.get(read..).unwrap_or_default();
    }
    out
}

/// Why no such path can exist on Linux.
fn impossible(path: &RootPath, limits: &Limits) -> Option<String> {
    if path.as_bytes().len() > limits.path {
        Some(format!("a path longer than {} bytes", limits.path))
    } else if path.components().any(|part| part.len() > limits.component) {
        Some(format!("a component longer than {} bytes", limits.component))
    } else {
        None
    }
}

/// Whether a reader that does not stop at the root would end above it.
fn leaves_root(name: &[u8]) -> bool {
    let mut depth = 0_usize;
    for part in name.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => match depth.checked_sub(1) {
                Some(up) => depth = up,
                None => return true,
            },
            _ => depth += 1,
        }
    }
    false
}
