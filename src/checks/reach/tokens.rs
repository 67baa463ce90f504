//! Tokens are what a loader puts in for `$ORIGIN`, `$LIB` and `$PLATFORM` in a search path.

use super::Object;
use crate::limits::Limits;

/// An element of `DT_RPATH` or `DT_RUNPATH` with `$ORIGIN`, `$LIB` and `$PLATFORM` put in; the last two are any of several.
/// What becomes longer than a path can be names nothing: each token may stand for thousands of bytes.
pub(super) fn expand(element: &[u8], object: &Object<'_>) -> Vec<Vec<u8>> {
    if !element.contains(&b'$') {
        return vec![element.to_vec()];
    }
    let origin = [b"/", object.origin.as_bytes()].concat();
    // Debian's directories bear the name of the oldest processor.
    let (platform, oldest): (&[u8], &[u8]) = match object.elf.machine {
        3 => (b"i686", b"i386"),
        183 => (b"aarch64", b"aarch64"),
        _ => (b"x86_64", b"x86_64"),
    };
    let triplet = [b"lib/", oldest, b"-linux-gnu"].concat();
    [&b"lib"[..], b"lib64", &triplet]
        .into_iter()
        .filter_map(|lib| {
            let one = replace(element, b"ORIGIN", &origin)?;
            let one = replace(&one, b"LIB", lib)?;
            replace(&one, b"PLATFORM", platform)
        })
        .collect()
}

/// `$NAME` and `${NAME}` replaced. `None`: it is no path any more.
fn replace(text: &[u8], name: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let most = Limits::default().path;
    let braced = [b"${", name, b"}"].concat();
    let bare = [b"$", name].concat();
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'$', rest) {
        let (before, token) = rest.split_at(at);
        out.extend_from_slice(before);
        rest = if let Some(after) = token.strip_prefix(braced.as_slice()) {
            out.extend_from_slice(value);
            after
        } else if let Some(after) = token.strip_prefix(bare.as_slice()) {
            out.extend_from_slice(value);
            after
        } else {
            out.push(b'$');
            token.get(1..).unwrap_or_default()
        };
        if out.len() > most {
            return None;
        }
    }
    out.extend_from_slice(rest);
    (out.len() <= most).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        binary::Elf,
        path::RootPath,
        rootfs::testing::{program, rootfs},
    };

    fn of(machine: u16, element: &str) -> Vec<String> {
        let elf = Elf {
            machine,
            ..Elf::default()
        };
        let files = rootfs([program("/srv/app/x", [])]);
        let object = Object {
            node: files.get(&"/srv/app/x".into()).unwrap(),
            elf: &elf,
            origin: RootPath::from("/srv/app"),
            process: 0,
            loader: None,
            round: 0,
        };
        let spelt = expand(element.as_bytes(), &object);
        spelt
            .into_iter()
            .map(|one| String::from_utf8(one).unwrap())
            .collect()
    }

    #[test]
    fn each_token_stands_for_what_loaders_put_in() {
        for (machine, platform, oldest) in [
            (62, "x86_64", "x86_64"),
            (183, "aarch64", "aarch64"),
            (3, "i686", "i386"),
        ] {
            assert_eq!(
                of(machine, "/a/$LIB:x"),
                [
                    "/a/lib:x".to_owned(),
                    "/a/lib64:x".to_owned(),
                    format!("/a/lib/{oldest}-linux-gnu:x")
                ]
            );
            for token in ["$PLATFORM", "${PLATFORM}"] {
                assert_eq!(
                    of(machine, &format!("/a/{token}/b"))[0],
                    format!("/a/{platform}/b")
                );
            }
        }
        for element in ["$ORIGIN/../lib", "${ORIGIN}/../lib"] {
            assert_eq!(of(62, element)[0], "/srv/app/../lib");
        }
        assert_eq!(of(62, "${ORIGIN}/$LIB/${LIB}")[1], "/srv/app/lib64/lib64");
        // What is no token stays, or is no path that is there.
        assert_eq!(of(62, "/plain"), ["/plain"]);
        assert_eq!(of(62, "/$HOME/x")[0], "/$HOME/x");
        assert_eq!(of(62, "a$")[0], "a$");
    }

    #[test]
    fn what_becomes_longer_than_any_path_names_nothing() {
        // Eight bytes each time, and one that stands for itself.
        assert_eq!(
            of(62, &format!("{}x", "$ORIGIN".repeat(511)))[0].len(),
            8 * 511 + 1
        );
        for many in [512, 100_000] {
            assert!(of(62, &"$ORIGIN".repeat(many)).is_empty());
        }
        // Of three spellings only the short one fits.
        assert_eq!(of(62, &"$LIB".repeat(1_000)).len(), 1);
        assert!(replace(&b"$X".repeat(100_000), b"X", &[b'x'; 4_000]).is_none());
    }
}
