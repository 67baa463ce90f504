//! A tar writer: any header byte, any size field, any type, right or wrong.

pub(crate) const BLOCK: usize = 512;

/// One header block, field by field.
#[derive(Clone)]
pub(crate) struct Head(pub(crate) [u8; BLOCK]);

impl Head {
    /// A ustar header of `flag`, with mode 0755, owner 0 and `size` in octal.
    pub(crate) fn new(flag: u8, name: impl AsRef<[u8]>, size: u64) -> Self {
        let mut head = Self([0; BLOCK]);
        head.put(0, name.as_ref());
        head.put(100, b"0000755\0");
        head.put(108, b"0000000\0");
        head.put(116, b"0000000\0");
        head.put(124, format!("{size:011o}\0").as_bytes());
        head.put(136, b"00000000000\0");
        head.0[156] = flag;
        head.put(257, b"ustar\x0000");
        head
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// The same header with `bytes` at `at`.
    pub(crate) fn with(mut self, at: usize, bytes: &[u8]) -> Self {
        self.put(at, bytes);
        self
    }

    /// The same header with a link target.
    pub(crate) fn link(self, target: impl AsRef<[u8]>) -> Self {
        self.with(157, target.as_ref())
    }

    /// The same header with this size field, byte by byte.
    pub(crate) fn size_field(self, field: &[u8; 12]) -> Self {
        self.with(124, field)
    }

    /// The block with its checksum.
    pub(crate) fn block(mut self) -> [u8; BLOCK] {
        self.put(148, b"        ");
        let sum: u64 = self.0.iter().map(|&byte| u64::from(byte)).sum();
        self.put(148, format!("{sum:06o}\0 ").as_bytes());
        self.0
    }
}

/// An archive in the making.
#[derive(Clone, Default)]
pub(crate) struct Tar(pub(crate) Vec<u8>);

impl Tar {
    /// Bytes as they are.
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Bytes filled up to the block.
    pub(crate) fn body(self, bytes: &[u8]) -> Self {
        let mut all = self.raw(bytes);
        all.0.resize(all.0.len().next_multiple_of(BLOCK), 0);
        all
    }

    /// A header and its body.
    pub(crate) fn member(self, head: Head, body: &[u8]) -> Self {
        self.raw(&head.block()).body(body)
    }

    /// A regular file with mode 0755.
    pub(crate) fn file(self, name: impl AsRef<[u8]>, body: &[u8]) -> Self {
        self.member(Head::new(b'0', name, body.len() as u64), body)
    }

    /// A directory.
    pub(crate) fn directory(self, name: &str) -> Self {
        self.member(Head::new(b'5', name, 0), b"")
    }

    /// A symbolic link.
    pub(crate) fn symlink(self, name: &str, target: &str) -> Self {
        self.member(Head::new(b'2', name, 0).link(target), b"")
    }

    /// A hard link.
    pub(crate) fn hard_link(self, name: &str, target: &str) -> Self {
        self.member(Head::new(b'1', name, 0).link(target), b"")
    }

    /// PAX records for the next member.
    pub(crate) fn pax(self, records: &[(&str, &[u8])]) -> Self {
        let body = pax_records(records);
        self.member(Head::new(b'x', "pax", body.len() as u64), &body)
    }

    /// A regular file under a name of any bytes and length, by a GNU long name.
    pub(crate) fn long_file(self, name: &[u8], body: &[u8]) -> Self {
        let mut long = name.to_vec();
        long.push(0);
        self.member(Head::new(b'L', "././@LongLink", long.len() as u64), &long)
            .file(&name[..name.len().min(99)], body)
    }

    /// The archive with the two blocks that end it.
    pub(crate) fn end(self) -> Vec<u8> {
        self.raw(&[0; 2 * BLOCK]).0
    }
}

/// PAX records with right lengths.
pub(crate) fn pax_records(records: &[(&str, &[u8])]) -> Vec<u8> {
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
