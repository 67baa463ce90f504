//! The build information that Go's linker leaves in a program: its main package, module and version.

use super::Content;
use crate::text;

/// What it begins with, at an offset divisible by 16.
pub(super) const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Bytes that are kept of it: the main package and its module stand first, dependencies follow, a hundred bytes each.
pub(super) const KEPT: usize = 64 << 10;
/// Where it may begin.
pub(super) const ALIGNMENT: u64 = 16;
/// Wraps the module text on both sides.
const SENTINEL: usize = 16;

/// What a Go program says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BuildInfo {
    /// `go1.22.1`.
    pub(super) toolchain: String,
    /// The path of the main package: `github.com/docker/cli/cmd/docker`. Empty where it says none.
    pub(super) path: Vec<u8>,
    /// The version of the main module, unless it is `(devel)`.
    pub(super) version: Option<String>,
    /// The main module, without its major version.
    pub(super) module: Vec<u8>,
    /// The modules whose packages are in the program.
    pub(super) modules: Vec<Module>,
}

/// A module that a program is built with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Module {
    /// Its path, without its major version.
    pub(super) path: Vec<u8>,
    pub(super) version: Vec<u8>,
}

/// A module's path without its major version: `mvdan.cc/sh` of `mvdan.cc/sh/v3`.
fn without_major(path: &[u8]) -> &[u8] {
    let digits = path.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let cut = path.get(..path.len() - digits).unwrap_or_default();
    match cut.strip_suffix(b"/v") {
        Some(bare) if digits > 0 => bare,
        _ => path,
    }
}

/// Reads the build information that begins at `offset`. `resolve` turns an address into a file offset, for programs of
/// Go before 1.18, which hold pointers instead of texts.
pub(super) fn read(
    content: &Content<'_>,
    offset: u64,
    little_endian: bool,
    resolve: impl Fn(u64) -> Option<u64>,
) -> Option<BuildInfo> {
    let header = content.at(offset, 2 * SENTINEL).strip_prefix(MAGIC)?;
    let (pointer, flags) = (usize::from(*header.first()?), *header.get(1)?);
    let (toolchain, modules) = if flags & 2 == 2 {
        let body = content.at(offset.checked_add(32)?, KEPT);
        let (toolchain, rest) = counted(body)?;
        (toolchain, counted_or_cut(rest))
    } else {
        let word = |at: u64| {
            let bytes = content.at(at, pointer);
            let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
            let big = flags & 1 == 1 || !little_endian;
            (matches!(pointer, 4 | 8) && bytes.len() == pointer).then(|| {
                if big {
                    bytes.iter().fold(0, fold)
                } else {
                    bytes.iter().rev().fold(0, fold)
                }
            })
        };
        // Each pointer leads to a Go string: a pointer and a length.
        let text = |place: u64| {
            let string = resolve(word(offset.checked_add(place)?)?)?;
            let length = usize::try_from(word(string.checked_add(pointer as u64)?)?).ok()?;
            Some(content.at(resolve(word(string)?)?, length.min(KEPT)))
        };
        (text(16)?, text(16 + pointer as u64).unwrap_or_default())
    };
    if !(toolchain.starts_with(b"go") || toolchain.starts_with(b"devel")) || toolchain.len() > 256 {
        return None;
    }
    let mut info = BuildInfo {
        toolchain: text::escape(toolchain),
        ..BuildInfo::default()
    };
    for line in modules
        .get(SENTINEL..)
        .unwrap_or_default()
        .split(|byte| *byte == b'\n')
    {
        let mut fields = line.split(|byte| *byte == b'\t');
        match fields.next() {
            Some(b"path") => info.path = fields.next().unwrap_or_default().to_vec(),
            Some(b"mod") => {
                info.module = without_major(fields.next().unwrap_or_default()).to_vec();
                let version = fields
                    .next()
                    .filter(|version| !version.is_empty() && *version != b"(devel)");
                info.version = version.map(text::escape);
            }
            Some(b"dep") => {
                let (path, version) = (fields.next().unwrap_or_default(), fields.next());
                info.modules.push(Module {
                    path: without_major(path).to_vec(),
                    version: version.unwrap_or_default().to_vec(),
                });
            }
            // What a dependency is replaced by, or settings of the build.
            _ => {}
        }
    }
    Some(info)
}

/// A text behind its length as a varint, and what follows it.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = varint(bytes)?;
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// The same, but for a text that may go on behind what is kept.
fn counted_or_cut(bytes: &[u8]) -> &[u8] {
    let Some((length, rest)) = varint(bytes) else {
        return &[];
    };
    usize::try_from(length)
        .ok()
        .and_then(|length| rest.get(..length))
        .unwrap_or(rest)
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (place, byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(place + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inline(module: &str) -> Vec<u8> {
        let mut bytes = vec![0; 48];
        bytes.extend(MAGIC);
        bytes.extend([8, 2]);
        bytes.extend([0; 16]);
        bytes.push(8);
        bytes.extend(b"go1.22.1");
        let module = format!("0123456789abcdef{module}0123456789abcdef");
        bytes.push(module.len() as u8 | 0x80);
        bytes.push((module.len() >> 7) as u8);
        bytes.extend(module.as_bytes());
        bytes
    }

    #[test]
    fn the_main_package_is_read() {
        let bytes = inline(
            "path\texample.org/cmd/app\nmod\texample.org\tv1.2.3\th1:x\ndep\tother\tv9\n=>\tfork\tv8\n\
             dep\ta.b/c/v3\tv3.1.0\th1:y\ndep\tv2\tv1\nbuild\tCGO_ENABLED=0\n",
        );
        let info = read(&Content::whole(&bytes), 48, true, |_| None).unwrap();
        assert_eq!(
            (info.path.as_slice(), info.module.as_slice()),
            (&b"example.org/cmd/app"[..], &b"example.org"[..])
        );
        let modules: Vec<_> = info
            .modules
            .iter()
            .map(|one| (&one.path[..], &one.version[..]))
            .collect();
        assert_eq!(
            modules,
            [(&b"other"[..], &b"v9"[..]), (b"a.b/c", b"v3.1.0"), (b"v2", b"v1")]
        );
        assert_eq!(info.version.as_deref(), Some("v1.2.3"));
        assert_eq!(info.toolchain, "go1.22.1");
    }

    #[test]
    fn no_prefix_of_it_panics() {
        let bytes = inline("path\texample.org/cmd/app\n");
        for end in 0..bytes.len() {
            let _ = read(&Content::whole(&bytes[..end]), 48, true, |_| None);
        }
        assert_eq!(read(&Content::whole(&bytes), 32, true, |_| None), None);
    }

    #[test]
    fn pointers_are_followed() {
        // Magic, pointer size 8, little-endian; the pointers are file offsets here.
        let mut bytes = MAGIC.to_vec();
        bytes.extend([8, 0]);
        for word in [32_u64, 48, 64, 6, 70, 41] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(b"go1.16");
        bytes.extend(b"0123456789abcdefpath\ta/b\n0123456789abcdef");
        let info = read(&Content::whole(&bytes), 0, true, Some).unwrap();
        assert_eq!(
            (info.toolchain.as_str(), info.path.as_slice()),
            ("go1.16", &b"a/b"[..])
        );
    }
}
