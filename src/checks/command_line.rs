//! A command line is what a container is started with: the words, and what they hand on to other programs.

use crate::{binary::Script, image::ImageConfig};

/// What Docker and Kubernetes' containerd search when `Env` has no `PATH`.
pub(super) const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Small programs that only start what their arguments name.
const WRAPPERS: &[&[u8]] = &[
    b"env",
    b"tini",
    b"tini-static",
    b"dumb-init",
    b"catatonit",
    b"docker-init",
];

/// The command line: `Entrypoint` and `Cmd` in one. Empty where the image has none.
///
/// An `Entrypoint` of one empty string counts as none, as in Kubernetes' containerd.
pub(super) fn words(config: &ImageConfig) -> Vec<&str> {
    let entrypoint = match config.entrypoint.as_slice() {
        [only] if only.is_empty() => &[],
        all => all,
    };
    entrypoint.iter().chain(&config.cmd).map(String::as_str).collect()
}

/// `PATH` as a runtime uses it: the last one set counts.
pub(super) fn search_path(config: &ImageConfig) -> &str {
    config
        .env
        .iter()
        .rev()
        .find_map(|pair| pair.strip_prefix("PATH="))
        .unwrap_or(DEFAULT_PATH)
}

/// The command that this command line hands on to: `tini -- x`, `env A=b x`, `sh -c "exec x"`.
pub(super) fn delegated<'v>(argv: &[&'v [u8]]) -> Option<Vec<&'v [u8]>> {
    let (first, rest) = argv.split_first()?;
    if let Some(command) = shell_command(argv) {
        let mut words: Vec<&[u8]> = command
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
            .skip_while(|word| *word == b"exec")
            .collect();
        // Anything that the shell would have to expand or that strings commands together is left alone.
        let plain = words
            .first()?
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"/._-+".contains(b));
        words.truncate(64);
        return plain.then_some(words);
    }
    if !WRAPPERS.contains(&file_name(first)) {
        return None;
    }
    // The options of an init program may have arguments; `--` ends them.
    let end = rest
        .iter()
        .position(|word| *word == b"--" && file_name(first) != b"env");
    let rest = rest.get(end.map_or(0, |end| end + 1)..)?;
    let at = rest
        .iter()
        .position(|word| !word.starts_with(b"-") && !word.contains(&b'='))?;
    Some(rest.get(at..)?.to_vec())
}

/// The text that `argv` hands to a shell as `-c`, as in `bash -eo pipefail -c TEXT`.
pub(super) fn shell_command<'v>(argv: &[&'v [u8]]) -> Option<&'v [u8]> {
    let (shell, mut rest) = argv.split_first()?;
    if file_name(shell) == b"busybox" {
        rest = rest.split_first().filter(|(applet, _)| is_shell_name(applet))?.1;
    } else if !is_shell_name(shell) {
        return None;
    }
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        match word {
            [b'-', b'-', long @ ..] => {
                if matches!(long, b"rcfile" | b"init-file") {
                    words.next();
                }
            }
            [b'-', short @ ..] if short.contains(&b'c') => return words.next().copied(),
            // `-o pipefail`, `+O extglob`
            [b'-' | b'+', .., b'o' | b'O'] => {
                words.next();
            }
            [b'-' | b'+', ..] => {}
            _ => return None,
        }
    }
    None
}

fn is_shell_name(word: &[u8]) -> bool {
    [
        &b"sh"[..],
        b"bash",
        b"ash",
        b"dash",
        b"zsh",
        b"ksh",
        b"mksh",
        b"csh",
        b"tcsh",
        b"fish",
        b"hush",
    ]
    .contains(&file_name(word))
}

fn file_name(word: &[u8]) -> &[u8] {
    word.rsplit(|&b| b == b'/').next().unwrap_or(word)
}

/// The program that a script's first line names through `env`.
pub(super) fn env_program(script: &Script) -> Option<Vec<u8>> {
    if file_name(&script.interpreter) != b"env" {
        return None;
    }
    let argument = script.argument.as_deref()?;
    // The kernel hands over one argument; only `-S` makes `env` split it.
    let Some(options) = argument.strip_prefix(b"-") else {
        return Some(argument.to_vec());
    };
    let split = options
        .strip_prefix(b"-split-string")
        .map(|rest| rest.strip_prefix(b"=").unwrap_or(rest))
        .or_else(|| {
            let at = options.iter().position(|b| *b == b'S')?;
            options
                .get(..at)?
                .iter()
                .all(u8::is_ascii_alphabetic)
                .then(|| options.get(at + 1..))?
        })?;
    split
        .split(u8::is_ascii_whitespace)
        .find(|word| !word.is_empty() && !word.starts_with(b"-") && !word.contains(&b'='))
        .map(<[u8]>::to_vec)
}
