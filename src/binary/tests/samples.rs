//! What the tests inspect: ELF files of any form, packed ones, archives.

use std::io::Write;

use super::texts_of;

pub(super) const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

/// How an ELF file of the tests is to look: 64-bit, little-endian, one segment that holds all of it. A library begins nowhere.
#[derive(Clone, Default)]
pub(super) struct Elf64<'a> {
    pub(super) interpreter: Option<&'a str>,
    pub(super) needed: Vec<&'a str>,
    pub(super) soname: Option<&'a str>,
    pub(super) imports: Vec<&'a str>,
    /// What lies in the segment besides.
    pub(super) data: Vec<u8>,
    /// No dynamic section, `ET_EXEC`.
    pub(super) fixed: bool,
    /// By what its symbols are found.
    pub(super) lookup: Lookup,
    /// It says that it is a position-independent program.
    pub(super) position_independent: bool,
    /// Relocations of `data` to other places in it.
    pub(super) relative: Vec<(u64, u64)>,
}

/// What leads to the symbols of an ELF file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lookup {
    #[default]
    Hash,
    GnuHash,
    /// The hash table knows none, but relocations name them.
    Relocations,
    /// No table at all: the names stand behind the symbols.
    Gap,
}

impl Elf64<'_> {
    /// A program without libraries that holds this.
    pub(super) fn holding(data: Vec<u8>) -> Self {
        Self {
            fixed: true,
            data,
            ..Self::default()
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut strings = vec![0];
        let mut string = |text: &str| {
            let at = strings.len() as u64;
            strings.extend(text.as_bytes());
            strings.push(0);
            at
        };
        let mut dynamic: Vec<(u64, u64)> = self.needed.iter().map(|name| (1, string(name))).collect();
        dynamic.extend(self.soname.map(|name| (14, string(name))));
        let mut symbols = vec![0; 24];
        for name in &self.imports {
            symbols.extend((string(name) as u32).to_le_bytes());
            symbols.extend([0x12, 0]);
            symbols.extend([0; 18]);
        }
        let interpreter = string(self.interpreter.unwrap_or_default());
        let count = 1 + self.imports.len() as u32;
        let hash: Vec<u32> = match self.lookup {
            Lookup::Hash => vec![1, count, 0, 0],
            Lookup::Relocations => vec![1, 0, 0, 0],
            Lookup::Gap => Vec::new(),
            // One bucket of all symbols but the null one, the last of which is marked.
            Lookup::GnuHash => {
                let chain = (1..count).map(|symbol| u32::from(symbol + 1 == count));
                [1, 1, 1, 0, 0, 0, 1].into_iter().chain(chain).collect()
            }
        };
        let hash: Vec<u8> = hash.into_iter().flat_map(u32::to_le_bytes).collect();

        let (strings_size, symbols_size) = (strings.len() as u64, symbols.len() as u64);
        let headers = 64 + 3 * 56;
        let gap = self.lookup == Lookup::Gap;
        let (strings_at, symbols_at) = if gap {
            (headers + symbols_size, headers)
        } else {
            (headers, headers + strings_size)
        };
        let hash_at = headers + strings_size + symbols_size;
        let jumps_at = hash_at + hash.len() as u64;
        let jumps: Vec<u8> = (1..u64::from(count))
            .filter(|_| self.lookup == Lookup::Relocations)
            .flat_map(|symbol| [0, symbol << 32 | 7, 0])
            .flat_map(u64::to_le_bytes)
            .collect();
        let relative_at = jumps_at + jumps.len() as u64;
        let relative_size = 24 * self.relative.len() as u64;
        let dynamic_at = relative_at + relative_size;
        if self.lookup == Lookup::Relocations {
            dynamic.extend([(23, jumps_at), (2, jumps.len() as u64), (20, 7)]);
        }
        if self.position_independent {
            dynamic.push((0x6fff_fffb, 0x0800_0000));
        }
        if !self.relative.is_empty() {
            dynamic.extend([(7, relative_at), (8, relative_size)]);
        }
        match self.lookup {
            Lookup::Hash | Lookup::Relocations => dynamic.push((4, hash_at)),
            Lookup::GnuHash => dynamic.push((0x6fff_fef5, hash_at)),
            Lookup::Gap => {}
        }
        dynamic.extend([(5, strings_at), (6, symbols_at), (0, 0)]);
        let dynamic: Vec<u8> = dynamic
            .into_iter()
            .flat_map(|(tag, value)| [tag, value])
            .flat_map(u64::to_le_bytes)
            .collect();
        let data_at = dynamic_at + dynamic.len() as u64;
        let relative: Vec<u8> = self
            .relative
            .iter()
            .flat_map(|(place, target)| [data_at + place, 8, data_at + target])
            .flat_map(u64::to_le_bytes)
            .collect();
        let size = data_at + self.data.len() as u64;

        let mut out = b"\x7fELF\x02\x01\x01".to_vec();
        out.resize(16, 0);
        out.extend([if self.fixed { 2 } else { 3 }, 0, 62, 0, 1, 0, 0, 0]);
        let asks = self.soname.is_some() || !self.needed.is_empty() || !self.imports.is_empty();
        let library = asks && self.interpreter.is_none() && !self.position_independent && !self.fixed;
        for word in [u64::from(!library), 64, 1] {
            out.extend(word.to_le_bytes());
        }
        let flags = if library { 6 } else { 7_u32 };
        out.extend([0, 0, 0, 0, 64, 0, 56, 0, 3, 0, 64, 0, 1, 0, 0, 0]);
        let segment = |out: &mut Vec<u8>, kind: u32, at: u64, size: u64| {
            out.extend(kind.to_le_bytes());
            out.extend(flags.to_le_bytes());
            for word in [at, at, at, size, size, 1] {
                out.extend(word.to_le_bytes());
            }
        };
        segment(&mut out, 1, 0, size);
        let kind = |present, kind| if present { kind } else { 0 };
        segment(&mut out, kind(!self.fixed, 2), dynamic_at, dynamic.len() as u64);
        let length = self.interpreter.unwrap_or_default().len() as u64 + 1;
        segment(
            &mut out,
            kind(self.interpreter.is_some(), 3),
            strings_at + interpreter,
            length,
        );
        let names = if gap {
            [&symbols, &strings]
        } else {
            [&strings, &symbols]
        };
        for part in names
            .into_iter()
            .chain([&hash, &jumps, &relative, &dynamic, &self.data])
        {
            out.extend(part.iter());
        }
        out
    }
}

/// A program without libraries that holds `texts`.
pub(super) fn program_with<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let data = texts
        .into_iter()
        .flat_map(|text| [text.as_bytes(), &[0]])
        .flatten()
        .copied()
        .collect();
    Elf64::holding(data).bytes()
}

/// A tool of a few hundred bytes: a shell by its texts.
pub(super) fn tool() -> Vec<u8> {
    program_with(texts_of("shell.bash").iter().map(String::as_str))
}

/// A program of several blocks whose texts stand in the last of them.
pub(super) fn large_tool() -> Vec<u8> {
    let mut data: Vec<u8> = (0..100_000_u32)
        .flat_map(|word| word.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    for text in texts_of("shell.bash") {
        data.extend(text.as_bytes());
        data.push(0);
    }
    Elf64::holding(data).bytes()
}

/// What a packer would make of `program`: its headers, and behind them two stored blocks of the whole and these bytes.
pub(super) fn packed_as_stored(program: &[u8], behind: &[u8]) -> Vec<u8> {
    let block = |bytes: &[u8]| {
        let length = (bytes.len() as u32).to_le_bytes();
        [&length[..], &length, &[2, 0, 0, 0], bytes].concat()
    };
    let (headers, rest) = program.split_at(64 + 3 * 56);
    let mut out = [headers, &[0; 24], &block(headers), &block(rest), behind].concat();
    let length = out.len() as u64;
    for field in [64 + 32, 64 + 40] {
        out[field..field + 8].copy_from_slice(&length.to_le_bytes());
    }
    out
}

/// Bytes without a pattern.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    });
    next.take(length).collect()
}

pub(super) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = ::tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        header.set_cksum();
        let mut header = header.clone();
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// How a member is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Stored,
    Deflated,
    /// With the sizes behind the content, as the JDK's `jar` does.
    Streamed,
    /// With the sizes in the 64-bit extra field.
    Zip64,
    Encrypted,
    /// By a method that nobody knows.
    Unknown,
}

pub(super) fn zip(members: &[(&str, &[u8], Written)]) -> Vec<u8> {
    zip_at(members, 0)
}

/// A zip archive whose directory says that it begins `shift` bytes further on.
pub(super) fn zip_at(members: &[(&str, &[u8], Written)], shift: u32) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content, written) in members {
        let at = out.len() as u32 + shift;
        let stored = [Written::Stored, Written::Unknown].contains(written);
        let packed = if stored {
            content.to_vec()
        } else {
            deflated(content)
        };
        let (flags, method) = match written {
            Written::Stored => (0_u16, 0_u16),
            Written::Deflated | Written::Zip64 => (0, 8),
            Written::Streamed => (8, 8),
            Written::Encrypted => (1, 8),
            Written::Unknown => (0, 98),
        };
        let (real, full) = (packed.len() as u32, content.len() as u32);
        let wide = *written == Written::Zip64;
        let (here, here_full) = match written {
            Written::Streamed => (0, 0),
            Written::Zip64 => (u32::MAX, u32::MAX),
            _ => (real, full),
        };
        let more = if wide {
            extra(&[full.into(), real.into()])
        } else {
            Vec::new()
        };
        let common = |sizes: (u32, u32), extra: usize| {
            let mut bytes = vec![20, 0];
            bytes.extend([flags, method, 0, 0].iter().flat_map(|field| field.to_le_bytes()));
            bytes.extend([0, sizes.0, sizes.1].iter().flat_map(|field| field.to_le_bytes()));
            bytes.extend((name.len() as u16).to_le_bytes());
            bytes.extend((extra as u16).to_le_bytes());
            bytes
        };
        out.extend(b"PK\x03\x04");
        out.extend(common((here, here_full), more.len()));
        out.extend(name.as_bytes());
        out.extend(&more);
        out.extend(&packed);
        if *written == Written::Streamed {
            out.extend(b"PK\x07\x08");
            out.extend([0, real, full].iter().flat_map(|field| field.to_le_bytes()));
        }
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(common((real, full), 0));
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let begins = out.len() as u32 + shift;
    let (size, count) = (directory.len() as u32, members.len() as u16);
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count, count].iter().flat_map(|field| field.to_le_bytes()));
    out.extend([size, begins].iter().flat_map(|field| field.to_le_bytes()));
    out.extend([0, 0]);
    out
}

fn extra(values: &[u64]) -> Vec<u8> {
    let mut bytes = 1_u16.to_le_bytes().to_vec();
    bytes.extend((8 * values.len() as u16).to_le_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The header of the first member of a zip archive, which is called so.
pub(super) fn zip_header(name: &str) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.resize(26, 0);
    bytes.extend((name.len() as u16).to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(name.as_bytes());
    bytes
}
