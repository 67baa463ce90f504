//! A tar writer for tests: any header byte, any size field, any type, right or wrong.

use std::io::Write;

use crate::tar::BLOCK;

/// One header block, field by field.
#[derive(Clone)]
pub(super) struct Head(pub(super) [u8; BLOCK]);

impl Head {
    /// A ustar header of `flag`, with mode 0644 and `size` in octal.
    pub(super) fn new(flag: u8, name: &[u8], size: u64) -> Self {
        let mut head = Self([0; BLOCK]);
        head.put(0, name);
        head.put(100, b"0000644\0");
        head.put(108, b"0000000\0");
        head.put(116, b"0000000\0");
        head.put(124, format!("{size:011o}\0").as_bytes());
        head.put(136, b"00000000000\0");
        head.0[156] = flag;
        head.put(257, b"ustar\x0000");
        head
    }

    /// Writes `bytes` at `at`.
    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// The same header with `bytes` at `at`.
    pub(super) fn with(mut self, at: usize, bytes: &[u8]) -> Self {
        self.put(at, bytes);
        self
    }

    /// The same header with a link target.
    pub(super) fn link(self, target: &[u8]) -> Self {
        self.with(157, target)
    }

    /// The same header in the old GNU dialect.
    pub(super) fn gnu(self) -> Self {
        self.with(257, b"ustar  \0")
    }

    /// The same header before POSIX.
    pub(super) fn v7(self) -> Self {
        self.with(257, &[0; 8])
    }

    /// The block with its checksum, of signed bytes if asked for.
    pub(super) fn block(mut self, signed: bool) -> [u8; BLOCK] {
        self.put(148, b"        ");
        let sum: i64 = self
            .0
            .iter()
            .map(|&byte| {
                if signed {
                    i64::from(byte.cast_signed())
                } else {
                    i64::from(byte)
                }
            })
            .sum();
        self.put(148, format!("{sum:06o}\0 ").as_bytes());
        self.0
    }
}

/// An archive in the making.
#[derive(Clone, Default)]
pub(super) struct Tar(pub(super) Vec<u8>);

impl Tar {
    /// A header and its body, filled up to the block.
    pub(super) fn member(self, head: Head, body: &[u8]) -> Self {
        self.raw(&head.block(false)).body(body)
    }

    /// A regular file.
    pub(super) fn file(self, name: &str, body: &[u8]) -> Self {
        self.member(Head::new(b'0', name.as_bytes(), body.len() as u64), body)
    }

    /// An extension header (`x`, `g`, `L`, `K`) and its body.
    pub(super) fn extension(self, flag: u8, body: &[u8]) -> Self {
        self.member(Head::new(flag, b"ext", body.len() as u64), body)
    }

    /// PAX records for the next member.
    pub(super) fn pax(self, records: &[(&str, &[u8])]) -> Self {
        self.extension(b'x', &records_of(records))
    }

    /// Bytes as they are.
    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Bytes filled up to the block.
    pub(super) fn body(self, bytes: &[u8]) -> Self {
        let mut all = self.raw(bytes);
        all.0.resize(all.0.len().next_multiple_of(BLOCK), 0);
        all
    }

    /// So many blocks of zeros.
    pub(super) fn zeros(self, blocks: usize) -> Self {
        self.raw(&vec![0; blocks * BLOCK])
    }

    /// The archive with the two blocks that end it.
    pub(super) fn end(self) -> Vec<u8> {
        self.zeros(2).0
    }
}

/// A number as the fields of a header hold it: so many octal digits and a NUL.
pub(super) fn octal(value: u64, digits: usize) -> Vec<u8> {
    format!("{value:0digits$o}\0").into_bytes()
}

/// PAX records with right lengths.
pub(super) fn records_of(records: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let mut length = rest + 1;
        while length != rest + length.to_string().len() {
            length = rest + length.to_string().len();
        }
        out.extend_from_slice(format!("{length} {key}=").as_bytes());
        out.extend_from_slice(value);
        out.push(b'\n');
    }
    out
}

/// One gzip member.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One zstd frame.
pub(super) fn zstd_frame(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 3).unwrap()
}

/// A skippable zstd frame.
pub(super) fn skippable(bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x5a, 0x2a, 0x4d, 0x18];
    frame.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    frame.extend_from_slice(bytes);
    frame
}
