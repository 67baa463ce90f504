//! A member is what a header block and the extension headers before it say together.

use super::{Fault, Sink, header::Header, pax::Records};

pub(super) const NEGATIVE: Fault = Fault::corrupt("has a negative size");

/// One member with all its headers merged, as Go would hand it out.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// The type flag; NUL has become `0` or `5`.
    pub(crate) flag: u8,
    /// The name as written.
    pub(crate) name: Vec<u8>,
    /// The link target as written.
    pub(crate) link: Vec<u8>,
    /// Bytes of content; the logical size of a sparse file; 0 for members without a body.
    pub(crate) size: u64,
    /// The mode as written.
    pub(crate) mode: i64,
    /// Owner.
    pub(crate) uid: i64,
    /// Group.
    pub(crate) gid: i64,
    /// Major device number.
    pub(crate) major: i64,
    /// Minor device number.
    pub(crate) minor: i64,
    /// The PAX records.
    pub(crate) records: Records,
    /// Where its stored bytes begin in the archive.
    pub(crate) at: u64,
}

/// Extension headers that wait for their member.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) records: Option<Records>,
    pub(super) name: Vec<u8>,
    pub(super) link: Vec<u8>,
}

impl Pending {
    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.name.is_empty() && self.link.is_empty() && self.records.as_ref().is_none_or(Records::is_empty)
    }
}

impl Member {
    /// Merges headers as Go does. Of a sparse member the size is still that of what is stored.
    pub(super) fn merge(header: Header, pending: Pending, sink: &mut impl Sink) -> Result<Self, Fault> {
        let records = pending.records.unwrap_or_default();
        if header.size < 0 && !bodiless(header.flag) {
            return Err(NEGATIVE);
        }
        records.check_times()?;
        let stated = records.number(b"size")?.unwrap_or(header.size);
        let mut member = Self {
            flag: header.flag,
            uid: records.number(b"uid")?.unwrap_or(header.uid),
            gid: records.number(b"gid")?.unwrap_or(header.gid),
            name: authority(header.name, pending.name, records.get(b"path"), sink),
            link: authority(header.link, pending.link, records.get(b"linkpath"), sink),
            size: 0,
            mode: header.mode,
            major: header.major,
            minor: header.minor,
            records,
            at: 0,
        };
        if member.flag == 0 {
            member.flag = if member.name.ends_with(b"/") { b'5' } else { b'0' };
        }
        if !bodiless(member.flag) {
            member.size = u64::try_from(stated).map_err(|_| NEGATIVE)?;
        } else if stated != 0 {
            sink.odd("a size is stated for a link, device or directory", &member.name);
        }
        Ok(member)
    }

    /// Whether its content may have holes that the archive does not store.
    pub(crate) fn is_sparse(&self) -> bool {
        self.flag == b'S'
            || self
                .records
                .iter()
                .any(|(key, _)| key.starts_with(b"GNU.sparse."))
    }

    /// Gives a PAX sparse member its real name and size.
    pub(super) fn expand(&mut self) -> Result<(), Fault> {
        if let Some(name) = self.records.get(b"GNU.sparse.name") {
            self.name = name.to_vec();
        }
        let size = match self.records.number(b"GNU.sparse.size")? {
            None => self.records.number(b"GNU.sparse.realsize")?,
            size => size,
        };
        if let Some(size) = size {
            self.size = u64::try_from(size).map_err(|_| NEGATIVE)?;
        }
        Ok(())
    }
}

/// Links, devices, directories and FIFOs never have a body, whatever their size says.
pub(super) fn bodiless(flag: u8) -> bool {
    matches!(flag, b'1'..=b'6')
}

/// Go's order of authority: GNU long name, then PAX, then the header.
fn authority(header: Vec<u8>, long: Vec<u8>, pax: Option<&[u8]>, sink: &mut impl Sink) -> Vec<u8> {
    if long.is_empty() {
        return pax.map_or(header, <[u8]>::to_vec);
    }
    if let Some(pax) = pax.filter(|&pax| pax != long) {
        sink.odd("other readers call it by its PAX name", pax);
    }
    long
}
