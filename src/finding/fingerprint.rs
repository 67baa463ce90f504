//! A fingerprint recognises a finding again in another build of the same image.

use aws_lc_rs::digest;

use crate::{path::RootPath, text};

/// Stands between the parts, so that no two lists of parts read alike.
const SEPARATOR: &[u8] = b"\x1f";

/// 32 hex digits that stay the same over tags, digests, layer order and time, and differ between images, platforms,
/// rules, paths and subjects.
///
/// `image` is the image's name without host, tag and digest; `platform` its platform in whatever mode it is reported. A
/// finding without a path is put down to `config:` and its subject, one with both to both.
pub fn fingerprint(
    rule: &str,
    image: &str,
    platform: &str,
    path: Option<&RootPath>,
    subject: Option<&str>,
) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(b"scant/v1");
    for part in [rule, image, platform] {
        hash.update(SEPARATOR);
        hash.update(part.as_bytes());
    }
    hash.update(SEPARATOR);
    if let Some(path) = path {
        hash.update(b"/");
        hash.update(path.as_bytes());
        if let Some(subject) = subject {
            hash.update(SEPARATOR);
            hash.update(subject.as_bytes());
        }
    } else {
        hash.update(b"config:");
        hash.update(subject.unwrap_or_default().as_bytes());
    }
    text::hex(hash.finish().as_ref().iter().take(16))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_differs_gives_another_fingerprint() {
        let (sh, ash) = (RootPath::from("/bin/sh"), RootPath::from("/bin/ash"));
        let all = [
            fingerprint("shell", "acme/app", "linux/amd64", Some(&sh), None),
            fingerprint("shell", "acme/app", "linux/amd64", Some(&ash), None),
            fingerprint("shell", "acme/app", "linux/arm64", Some(&sh), None),
            fingerprint("shell", "acme/api", "linux/amd64", Some(&sh), None),
            fingerprint("debug-tool", "acme/app", "linux/amd64", Some(&sh), None),
            fingerprint("shell", "acme/app", "linux/amd64", Some(&sh), Some("root")),
            fingerprint("shell", "acme/app", "linux/amd64", None, Some("/bin/sh")),
            fingerprint("shell", "acme/app", "linux/amd64", None, Some("User")),
            fingerprint("shell", "acme/app", "linux/amd64", None, None),
        ];
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert!(
            all.iter()
                .all(|one| one.len() == 32 && one.bytes().all(|b| b.is_ascii_hexdigit()))
        );
    }

    /// The value is public: stored alerts and baselines are matched by it.
    #[test]
    fn the_value_never_changes() {
        let sh = RootPath::from("/bin/sh");
        let want = "4bcbd7b8e1daec43fbd63e614cc7ff3d";
        assert_eq!(
            fingerprint("shell", "acme/app", "linux/amd64", Some(&sh), None),
            want
        );
    }
}
