//! A URI says where a finding is put: relative, clean, and the same for every build of an image.

use std::fmt::Write as _;

use crate::{finding::Finding, path::RootPath, report::Verdict};

/// Where the files of images are put, so that they cannot be taken for files of the repository.
const ROOT: &str = "container-images";

/// The folder of one image: its name, and its platform where several platforms of that name are in the report.
pub(super) fn folder(verdict: &Verdict, with_platform: bool) -> String {
    let mut uri = format!("{ROOT}/{}", name(verdict));
    if with_platform {
        uri.push('/');
        uri.push_str(&platform(verdict));
    }
    uri
}

/// The image's name as clean URI parts; never empty.
pub(super) fn name(verdict: &Verdict) -> String {
    // Cleaning as for paths: a name from an archive may hold `..`, which a reader of the URI would resolve.
    let name = RootPath::clean(verdict.image.name.as_bytes());
    if name.is_root() {
        "image".to_owned()
    } else {
        encode(name.as_bytes())
    }
}

/// The platform as one URI part: `linux-arm64`.
pub(super) fn platform(verdict: &Verdict) -> String {
    match &verdict.image.platform {
        Some(platform) => encode(platform.to_string().replace('/', "-").as_bytes()),
        None => "any-platform".to_owned(),
    }
}

/// Where a finding is put inside its image's folder: its path, or `config`.
pub(super) fn of_finding(folder: &str, finding: &Finding) -> String {
    match &finding.path {
        Some(path) => of_path(folder, path),
        None => format!("{folder}/config"),
    }
}

/// A file of the repository.
pub(super) fn of_file(path: &str) -> String {
    encode(RootPath::clean(path.as_bytes()).as_bytes())
}

/// A path inside an image's folder; the root directory is the folder itself.
pub(super) fn of_path(folder: &str, path: &RootPath) -> String {
    if path.is_root() {
        folder.to_owned()
    } else {
        format!("{folder}/{}", encode(path.as_bytes()))
    }
}

/// Percent-encodes all bytes but those that a URI's path may hold as they are (RFC 3986, 3.3). The colon is encoded
/// too: in the first part it would read as a scheme.
fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=@/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_outside_a_uri_path_is_encoded() {
        assert_eq!(encode(b"usr/bin/["), "usr/bin/%5B");
        assert_eq!(encode(b"a b%#?:\xff\n<\"\\"), "a%20b%25%23%3F%3A%FF%0A%3C%22%5C");
        assert_eq!(encode(b"~!$&'()*+,;=@-._"), "~!$&'()*+,;=@-._");
    }
}
