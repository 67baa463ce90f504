//! To sniff is to search the beginning of a small text file for secrets as it streams by.

use super::{Entry, Secret};
use crate::{catalog::secrets::Secrets, limits::Limits, path::RootPath};

/// Bytes by which text is told from other content.
const HEAD: usize = 512;
/// How a program begins, which is not worth a copy.
const ELF: &[u8] = b"\x7fELF";
/// How a Java key store begins.
const JKS: &[u8] = b"\xfe\xed\xfe\xed";
/// Bytes of a key store in front of its first entry's tag: magic, version, count.
const JKS_HEAD: usize = 12;
/// The tag of an entry with a private key.
const JKS_KEY: &[u8] = b"\0\0\0\x01";
/// How a PKCS #12 file goes on behind its length: version 3.
const PKCS12: &[u8] = b"\x02\x01\x03";

/// Searches one file after the other.
pub(super) struct Sniff {
    secrets: &'static Secrets,
    /// Bytes of the largest file that is searched.
    file: u64,
    /// Bytes of a file that are searched.
    head: usize,
    path: RootPath,
    /// Bytes wanted of this file.
    wanted: usize,
    buffer: Vec<u8>,
    found: Vec<Secret>,
}

impl Sniff {
    /// Before the first file.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            secrets: Secrets::builtin(),
            file: limits.secrets_file,
            head: limits.secrets_head,
            path: RootPath::root(),
            wanted: 0,
            buffer: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Begins a regular file.
    pub(super) fn begin(&mut self, entry: &Entry) {
        self.buffer.clear();
        self.found.clear();
        self.wanted = 0;
        if (1..=self.file).contains(&entry.size) {
            self.wanted = self.head.min(usize::try_from(entry.size).unwrap_or(usize::MAX));
            self.path = entry.path.clone();
        }
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.wanted == 0 || bytes.is_empty() {
            return;
        }
        if self.buffer.is_empty() {
            if bytes.starts_with(ELF) {
                self.wanted = 0;
                return;
            }
            // Most files come in one piece, which then need not be copied.
            if let Some(all) = bytes.get(..self.wanted) {
                self.found = search(self.secrets, &self.path, all);
                self.wanted = 0;
                return;
            }
        }
        let left = self.wanted.saturating_sub(self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..left.min(bytes.len())]);
        if self.buffer.len() >= self.wanted {
            self.end();
        }
    }

    /// Whether more bytes are wanted.
    pub(super) fn hungry(&self) -> bool {
        self.wanted > 0
    }

    /// Ends the file.
    pub(super) fn finish(&mut self) -> Vec<Secret> {
        self.end();
        std::mem::take(&mut self.found)
    }

    fn end(&mut self) {
        if self.wanted > 0 && !self.buffer.is_empty() {
            self.found = search(self.secrets, &self.path, &self.buffer);
        }
        self.wanted = 0;
    }
}

/// The secrets of a file that begins so.
fn search(secrets: &Secrets, path: &RootPath, bytes: &[u8]) -> Vec<Secret> {
    let head = &bytes[..bytes.len().min(HEAD)];
    if memchr::memchr(0, head).is_some() {
        return key_store(path, head);
    }
    secrets
        .in_file(path.name(), bytes)
        .into_iter()
        .map(|(kind, line)| Secret {
            kind: kind.to_owned(),
            line,
        })
        .collect()
}

/// Key stores are known by name and first bytes; whether a passphrase protects them cannot be told.
fn key_store(path: &RootPath, head: &[u8]) -> Vec<Secret> {
    let name = path.name().to_ascii_lowercase();
    let ends = |ends: &[&[u8]]| ends.iter().any(|end| name.ends_with(end));
    let java = head.starts_with(JKS) && head.get(JKS_HEAD..JKS_HEAD + JKS_KEY.len()) == Some(JKS_KEY);
    let pkcs12 = head.starts_with(b"\x30")
        && ends(&[b".p12", b".pfx"])
        && head
            .get(..8)
            .is_some_and(|start| memchr::memmem::find(start, PKCS12).is_some());
    if java || pkcs12 {
        vec![Secret {
            kind: "key-store".to_owned(),
            line: 0,
        }]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rootfs::testing::file;

    fn sniff(path: &str, content: &[u8], pieces: usize) -> Vec<(String, u32)> {
        let limits = Limits {
            secrets_file: 4096,
            secrets_head: 1024,
            ..Limits::default()
        };
        let mut sniff = Sniff::new(&limits);
        sniff.begin(&Entry {
            size: content.len() as u64,
            ..file(path, 0o644)
        });
        for piece in content.chunks(pieces) {
            sniff.feed(piece);
        }
        let found = sniff.finish();
        found
            .into_iter()
            .map(|secret| (secret.kind, secret.line))
            .collect()
    }

    #[test]
    fn secrets_are_found_in_whatever_pieces_a_file_comes() {
        let text = format!("a\nb\nghp_{}\n", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8");
        for pieces in [1, 3, 7, 4096] {
            assert_eq!(
                sniff("/x", text.as_bytes(), pieces),
                [("github-token".to_owned(), 3)]
            );
        }
    }

    #[test]
    fn large_files_late_places_and_programs_are_left_out() {
        let token = "ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8\n";
        assert_eq!(
            sniff("/x", format!("{}{token}", "\n".repeat(900)).as_bytes(), 100).len(),
            1
        );
        assert!(sniff("/x", format!("{}{token}", "\n".repeat(1100)).as_bytes(), 100).is_empty());
        assert!(sniff("/x", format!("{token}{}", "\n".repeat(5000)).as_bytes(), 100).is_empty());
        assert!(sniff("/x", format!("\x7fELF\n{token}").as_bytes(), 100).is_empty());
        assert!(sniff("/x", format!("a\0b\n{token}").as_bytes(), 100).is_empty());
    }

    #[test]
    fn key_stores_need_a_key_inside() {
        let store = |tag: u8| [JKS, b"\0\0\0\x02\0\0\0\x01\0\0\0", &[tag], b"\0\x05alias"].concat();
        assert_eq!(
            sniff("/app/server.jks", &store(1), 100),
            [("key-store".to_owned(), 0)]
        );
        assert!(sniff("/app/trust.jks", &store(2), 100).is_empty());
        let pkcs12 = b"\x30\x82\x0a\x10\x02\x01\x03\x30\x82\0\0";
        assert_eq!(sniff("/app/server.p12", pkcs12, 100).len(), 1);
        assert!(sniff("/app/server.der", pkcs12, 100).is_empty());
    }
}
