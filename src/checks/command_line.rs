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

/// Whether a program of this name is a shell.
pub(super) fn is_shell_name(word: &[u8]) -> bool {
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

/// What a script's first line asks `env` for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EnvLine {
    /// The program; `None` where `env` would only complain, or print its environment.
    pub(super) program: Option<Vec<u8>>,
    /// `PATH` as the line sets it.
    pub(super) path: Option<Vec<u8>>,
}

/// What a script's first line asks `env` for; `None` where the interpreter is none.
///
/// The kernel hands over one argument; only `-S` makes `env` split it. Without it, blanks belong to the name.
pub(super) fn env_line(script: &Script) -> Option<EnvLine> {
    if file_name(&script.interpreter) != b"env" {
        return None;
    }
    let mut line = EnvLine::default();
    let Some(argument) = script.argument.as_deref() else {
        return Some(line);
    };
    let Some(split) = split_string(argument) else {
        let alone = !argument.starts_with(b"-") && !argument.contains(&b'=');
        line.program = alone.then(|| argument.to_vec());
        return Some(line);
    };
    let mut words = split
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .map(unquoted);
    let mut options = true;
    while let Some(word) = words.next() {
        match word {
            b"--" if options => options = false,
            b"-u" | b"-C" | b"-a" | b"--unset" | b"--chdir" | b"--argv0" if options => {
                words.next();
            }
            [b'-', ..] if options => {}
            _ if word.contains(&b'=') => {
                options = false;
                if let Some(path) = word.strip_prefix(b"PATH=") {
                    line.path = Some(path.to_vec());
                }
            }
            _ => {
                line.program = Some(word.to_vec());
                break;
            }
        }
    }
    Some(line)
}

/// What `env` is told to split: behind `-S`, which may stand behind other short options, or behind `--split-string`.
fn split_string(argument: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = argument.strip_prefix(b"--split-string") {
        return Some(rest.strip_prefix(b"=").unwrap_or(rest));
    }
    let options = argument.strip_prefix(b"-")?;
    let at = options.iter().position(|byte| *byte == b'S')?;
    let before = options.get(..at)?;
    before
        .iter()
        .all(|byte| b"iv0".contains(byte))
        .then(|| options.get(at + 1..))?
}

/// A word without the quotes around it.
fn unquoted(word: &[u8]) -> &[u8] {
    let quoted = |quote: u8| word.strip_prefix(&[quote])?.strip_suffix(&[quote]);
    quoted(b'"').or_else(|| quoted(b'\'')).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_is_read_as_it_reads_itself() {
        let line = |argument: Option<&str>| {
            env_line(&Script {
                interpreter: b"/usr/bin/env".to_vec(),
                argument: argument.map(|text| text.as_bytes().to_vec()),
                ..Script::default()
            })
            .unwrap()
        };
        for (argument, program, path) in [
            (Some("python3"), Some("python3"), None),
            // One argument: `env` looks for a program of that name, blank and all.
            (Some("python3 -u"), Some("python3 -u"), None),
            (Some("A=b python3"), None, None),
            (Some("-i python3"), None, None),
            (None, None, None),
            (Some("-S python3 -u"), Some("python3"), None),
            (Some("-Spython3"), Some("python3"), None),
            (Some("-vS A=b -u X C=d python3"), Some("-u"), None),
            (Some("-S -u X A=b python3"), Some("python3"), None),
            (Some("-S -C /tmp -- python3"), Some("python3"), None),
            (Some("--split-string=python3 -E"), Some("python3"), None),
            (
                Some("-S PATH=/opt/bin:/x tool"),
                Some("tool"),
                Some("/opt/bin:/x"),
            ),
            (Some("-S \"python3\" -E"), Some("python3"), None),
        ] {
            let got = line(argument);
            let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(text(got.program).as_deref(), program, "{argument:?}");
            assert_eq!(text(got.path).as_deref(), path, "{argument:?}");
        }
    }
}
