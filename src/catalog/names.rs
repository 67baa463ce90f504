//! A file's name in the forms under which a catalogue may know it: `x86_64-linux-gnu-gcc-12` is `gcc`.

/// The name as it is, then without version suffix, without target triplet, and without both; each digit group of a
/// version goes one by one, so that `python3.11` is first sought as `python3`.
pub(super) fn forms(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let bare = without_triplet(name);
    unversioned(name).chain(bare.into_iter().flat_map(unversioned))
}

/// `name`, then `name` without its last group of digits and what joins it, and so on.
fn unversioned(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(Some(name), |name| {
        let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        let rest = name.get(..name.len() - digits)?;
        let rest = rest
            .strip_suffix(b".")
            .or_else(|| rest.strip_suffix(b"-"))
            .unwrap_or(rest);
        // One letter is no name of a tool that lost its version.
        (rest.len() > 1).then_some(rest)
    })
}

/// What stands behind `x86_64-linux-gnu-`, `aarch64-alpine-linux-musl-`, `i686-w64-mingw32-`.
fn without_triplet(name: &[u8]) -> Option<&[u8]> {
    const ENVIRONMENTS: [&[u8]; 10] = [
        b"gnu",
        b"gnux32",
        b"gnueabi",
        b"gnueabihf",
        b"gnuabi64",
        b"musl",
        b"musleabi",
        b"musleabihf",
        b"mingw32",
        b"elf",
    ];
    let mut parts = name.split(|byte| *byte == b'-');
    let mut length = 0;
    // The architecture comes first, then at most a vendor and a system.
    for place in 0..4 {
        let part = parts.next()?;
        length += part.len() + 1;
        if place > 0 && ENVIRONMENTS.contains(&part) {
            return name.get(length..).filter(|rest| !rest.is_empty());
        }
    }
    None
}
