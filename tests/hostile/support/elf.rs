//! An ELF writer: header, program headers and what follows, each number as the test says.

/// Texts of an Almquist shell: whatever its headers say, a file that holds them is a shell.
pub(crate) const SHELL: &[u8] = b"ad for loop variable\0ad function name\0ad fd number\0\
EOF in backquote substitution\0%.*s: bad variable name\0is a %sshell builtin\0\
nterminated quoted string\0llegal option -%c\0is a shell keyword\0o arg for -%c option\0llegal mode: %s\0";

/// One program header.
#[derive(Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) kind: u32,
    pub(crate) offset: u64,
    pub(crate) address: u64,
    pub(crate) file_size: u64,
    pub(crate) memory_size: u64,
}

pub(crate) const LOAD: u32 = 1;
pub(crate) const DYNAMIC: u32 = 2;
pub(crate) const INTERP: u32 = 3;

impl Segment {
    pub(crate) fn new(kind: u32, offset: u64, size: u64) -> Self {
        Self {
            kind,
            offset,
            address: offset,
            file_size: size,
            memory_size: size,
        }
    }
}

/// A 64-bit little-endian executable for x86-64.
#[derive(Clone, Default)]
pub(crate) struct Elf {
    pub(crate) segments: Vec<Segment>,
    /// What follows the program headers.
    pub(crate) data: Vec<u8>,
    /// Bytes put over the result.
    pub(crate) lies: Vec<(usize, Vec<u8>)>,
}

impl Elf {
    /// An honest static program that holds `data`.
    pub(crate) fn holding(data: &[u8]) -> Self {
        let mut elf = Self {
            data: data.to_vec(),
            ..Self::default()
        };
        elf.segments
            .push(Segment::new(LOAD, 0, 64 + 56 + data.len() as u64));
        elf
    }

    /// The same with one more segment; the first still holds the whole file.
    pub(crate) fn segment(mut self, segment: Segment) -> Self {
        self.segments.push(segment);
        if let Some(first) = self.segments.first_mut() {
            first.file_size += 56;
            first.memory_size += 56;
        }
        self
    }

    /// The same with `bytes` put at `at`, over whatever is right there.
    pub(crate) fn lie(mut self, at: usize, bytes: impl AsRef<[u8]>) -> Self {
        self.lies.push((at, bytes.as_ref().to_vec()));
        self
    }

    /// Where the data begins.
    pub(crate) fn data_at(&self) -> u64 {
        64 + 56 * self.segments.len() as u64
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        out.extend(2_u16.to_le_bytes());
        out.extend(62_u16.to_le_bytes());
        out.extend(1_u32.to_le_bytes());
        out.extend(self.data_at().to_le_bytes());
        out.extend(64_u64.to_le_bytes());
        out.extend(0_u64.to_le_bytes());
        out.extend(0_u32.to_le_bytes());
        for half in [64, 56, self.segments.len() as u16, 64, 0, 0] {
            out.extend(half.to_le_bytes());
        }
        for segment in &self.segments {
            out.extend(segment.kind.to_le_bytes());
            out.extend(5_u32.to_le_bytes());
            for number in [
                segment.offset,
                segment.address,
                segment.address,
                segment.file_size,
                segment.memory_size,
                4096,
            ] {
                out.extend(number.to_le_bytes());
            }
        }
        out.extend(&self.data);
        for (at, bytes) in &self.lies {
            if out.len() < at + bytes.len() {
                out.resize(at + bytes.len(), 0);
            }
            out[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        out
    }
}

/// An honest static program without anything of note.
pub(crate) fn server() -> Vec<u8> {
    Elf::holding(b"a server that serves\0").bytes()
}

/// A static shell.
pub(crate) fn shell() -> Vec<u8> {
    Elf::holding(SHELL).bytes()
}
