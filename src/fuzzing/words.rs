//! Words that users and images write: paths, references, targets, texts to show.

use super::{assert_shown, lossy, parts};
use crate::{
    path::RootPath,
    reference::{Reference, is_loopback},
    target::{Kind, Target},
    text,
};

/// Cleaning never leaves the root, is idempotent, and does what a stack of components does.
pub fn path(data: &[u8]) {
    let [base, relative] = parts(data, 0);
    let path = RootPath::clean(base).join(relative);
    let mut stack: Vec<&[u8]> = Vec::new();
    for part in [base, relative]
        .into_iter()
        .flat_map(|raw| raw.split(|&byte| byte == b'/'))
    {
        match part {
            b"" | b"." => {}
            b".." => drop(stack.pop()),
            name => stack.push(name),
        }
    }
    assert_eq!(path.as_bytes(), stack.join(&b'/'));
    assert!(path.components().eq(stack.iter().copied()));
    assert_eq!(RootPath::clean(path.as_bytes()), path);
    assert_eq!(path.is_root(), stack.is_empty());
    match path.parent() {
        None => assert!(path.is_root()),
        Some(parent) => {
            assert!(path.is_below(&parent) && !parent.is_below(&path));
            assert_eq!(parent.join(path.name()), path);
        }
    }
    assert!(!path.is_below(&path));
    assert_shown(&path.to_string());
}

/// What is escaped is safe to show, short, and the same where nothing had to be escaped.
pub fn escaping(data: &[u8]) {
    let shown = text::escape(data);
    assert_shown(&shown);
    assert!(shown.len() < 600);
    let plain = std::str::from_utf8(data).is_ok_and(|text| !text.chars().any(text::is_obeyed));
    if plain && data.len() <= 500 {
        assert_eq!(shown.as_bytes(), data);
    }
    assert_eq!(text::hex(data).len(), 2 * data.len());
    if data.len() < 16 {
        assert_shown(&text::unknown(
            "word",
            &lossy(data),
            ["shell", "root-user"].into_iter(),
        ));
    }
}

/// A reference in its whole spelling means itself.
pub fn reference(data: &[u8]) {
    let words = lossy(data);
    // Whatever stands before the port.
    let _ = is_loopback(&words);
    match words.parse::<Reference>() {
        Err(failure) => assert_shown(&failure.to_string()),
        Ok(reference) => {
            let whole = reference.to_string();
            assert_eq!(whole.parse::<Reference>().as_ref(), Ok(&reference), "{whole}");
            let url = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:/@[]".contains(&byte);
            assert!(whole.bytes().all(url), "{whole}");
            assert!(!reference.host().is_empty() && !reference.name().is_empty());
            assert!(
                reference
                    .name()
                    .split('/')
                    .all(|part| !matches!(part, "" | "." | ".."))
            );
            assert!(reference.tag().is_some() || reference.digest().is_some());
            assert!(whole.starts_with(&reference.canonical()));
        }
    }
}

/// A target is understood or refused in words that are safe to show, and every reference in it stands for itself.
pub fn target(data: &[u8]) {
    match lossy(data).parse::<Target>() {
        Err(failure) => {
            assert_shown(&failure.to_string());
            assert_shown(failure.advice.as_deref().unwrap_or_default());
        }
        Ok(target) => {
            assert_shown(&target.to_string());
            match target.kind {
                Kind::Registry(reference) | Kind::Word(_, Ok(reference)) => {
                    assert_eq!(
                        reference.to_string().parse::<Reference>().as_ref(),
                        Ok(&reference)
                    );
                }
                Kind::Word(_, Err(failure)) => assert_shown(&failure.to_string()),
                Kind::OciLayout(path, _) | Kind::OciArchive(path, _) | Kind::DockerArchive(path, _) => {
                    assert!(!path.as_os_str().is_empty());
                }
                _ => {}
            }
        }
    }
}
