//! The loader's cache says in which file each library is: what `ldconfig` wrote (glibc, `elf/cache.c`).

/// Where the tables of the present form begin; an older form may stand before it.
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
/// Bytes before the first entry.
const HEADER: usize = 48;
/// Bytes of one entry.
const ENTRY: usize = 24;

/// Names and paths of the cache, in order. One that cannot be read yields what can be.
pub(super) fn read(bytes: &[u8]) -> Vec<(&[u8], &[u8])> {
    let Some(table) = memchr::memmem::find(bytes, MAGIC).and_then(|at| bytes.get(at..)) else {
        return Vec::new();
    };
    // The low bits of the flags are the byte order: 2 little, 3 big, 0 not said.
    let big = table.get(28).is_some_and(|flags| flags & 3 == 3);
    let number = |at: usize| -> Option<usize> {
        let word: [u8; 4] = table.get(at..at.checked_add(4)?)?.try_into().ok()?;
        let word = if big {
            u32::from_be_bytes(word)
        } else {
            u32::from_le_bytes(word)
        };
        usize::try_from(word).ok()
    };
    let text = |at: usize| {
        let rest = table.get(number(at)?..)?;
        rest.get(..memchr::memchr(0, rest)?)
    };
    let stated = number(MAGIC.len()).unwrap_or(0);
    let fit = table.len().saturating_sub(HEADER) / ENTRY;
    (0..stated.min(fit))
        .map(|index| HEADER + index * ENTRY)
        .filter_map(|at| Some((text(at + 4)?, text(at + 8)?)))
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A cache of these names and paths.
    pub(in super::super) fn cache(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut strings = Vec::new();
        let mut table = Vec::new();
        let base = HEADER + entries.len() * ENTRY;
        for (name, path) in entries {
            let mut place = |text: &str| {
                let at = (base + strings.len()) as u32;
                strings.extend_from_slice(text.as_bytes());
                strings.push(0);
                at
            };
            let (name, path) = (place(name), place(path));
            for word in [0x0303, name, path, 0, 0, 0] {
                table.extend_from_slice(&word.to_le_bytes());
            }
        }
        let mut out = MAGIC.to_vec();
        for word in [entries.len() as u32, strings.len() as u32, 2, 0, 0, 0, 0] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        [out, table, strings].concat()
    }

    #[test]
    fn names_and_paths_are_read_behind_an_old_table_too() {
        let new = cache(&[("liba.so.1", "/opt/liba.so.1"), ("libb.so", "/b")]);
        let want: [(&[u8], &[u8]); 2] = [(b"liba.so.1", b"/opt/liba.so.1"), (b"libb.so", b"/b")];
        assert_eq!(read(&new), want);
        assert_eq!(read(&[b"ld.so-1.7.0\0\0\0".to_vec(), new].concat()), want);
    }

    #[test]
    fn a_broken_cache_yields_what_can_be_read() {
        let good = cache(&[("liba.so.1", "/opt/liba.so.1"), ("libb.so", "/b")]);
        assert_eq!(read(&good[..good.len() - 3]).len(), 1);
        let mut boast = good.clone();
        boast[20..24].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(read(&boast)[..2], read(&good));
        let mut wild = good;
        wild[HEADER + 4..HEADER + 8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(read(&wild).len(), 1);
        assert!(read(b"").is_empty() && read(MAGIC).is_empty());
    }
}
