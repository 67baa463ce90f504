//! Tokens are what a loader puts in for `$ORIGIN`, `$LIB` and `$PLATFORM` in a search path.

use super::Object;

/// An element of `DT_RPATH` or `DT_RUNPATH` with `$ORIGIN`, `$LIB` and `$PLATFORM` put in; the last two are any of several.
pub(super) fn expand(element: &[u8], object: &Object<'_>) -> Vec<Vec<u8>> {
    if !element.contains(&b'$') {
        return vec![element.to_vec()];
    }
    let origin = [b"/", object.origin.as_bytes()].concat();
    let platform: &[u8] = match object.elf.machine {
        3 => b"i686",
        183 => b"aarch64",
        _ => b"x86_64",
    };
    let triplet = [b"lib/", platform, b"-linux-gnu"].concat();
    [&b"lib"[..], b"lib64", &triplet]
        .into_iter()
        .map(|lib| {
            let one = replace(element, b"ORIGIN", &origin);
            let one = replace(&one, b"LIB", lib);
            replace(&one, b"PLATFORM", platform)
        })
        .collect()
}

/// `$NAME` and `${NAME}` replaced.
fn replace(text: &[u8], name: &[u8], value: &[u8]) -> Vec<u8> {
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
    }
    out.extend_from_slice(rest);
    out
}
