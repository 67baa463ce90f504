//! A script's first line, read by the rules of the kernel (`fs/binfmt_script.c`).

use super::{Commands, Script};

/// The first bytes of every script.
pub(super) const MAGIC: &[u8] = b"#!";
/// Bytes of a file that the kernel reads of the line (`BINPRM_BUF_SIZE`, since Linux 5.1), less the final NUL.
const LINE: usize = 255;

/// The interpreter and argument of a file that begins with `head`. `None`: the kernel would not start it, because no
/// interpreter is named or its path does not end within the first 255 bytes.
///
/// Of the argument, which may hold blanks, only trailing ones are cut. A carriage return belongs to the name.
pub(super) fn read(head: &[u8]) -> Option<Script> {
    let line = head.get(..LINE).unwrap_or(head);
    let newline = memchr::memchr2(b'\n', 0, line);
    let line = line.get(..newline.unwrap_or(line.len()))?.strip_prefix(MAGIC)?;
    let line = line.get(line.iter().position(|byte| !is_blank(*byte))?..)?;
    let end = line.iter().position(|byte| is_blank(*byte));
    if end.is_none() && newline.is_none() && head.len() >= LINE {
        return None;
    }
    let (interpreter, rest) = line.split_at_checked(end.unwrap_or(line.len()))?;
    let from = rest.iter().position(|byte| !is_blank(*byte));
    let to = rest.iter().rposition(|byte| !is_blank(*byte));
    let argument = from.zip(to).and_then(|(from, to)| rest.get(from..=to));
    (!interpreter.is_empty()).then(|| Script {
        interpreter: interpreter.to_vec(),
        argument: argument.map(<[u8]>::to_vec),
        inner: inner(interpreter, head),
        commands: commands(interpreter, argument, head),
    })
}

/// What the shell half of a script in two languages hands the script to: the word behind `exec` on a line of the first
/// bytes that also has `$0`. `None` where the first line names no shell.
fn inner(interpreter: &[u8], head: &[u8]) -> Option<Vec<u8>> {
    if !SHELLS.contains(&file_name(interpreter)) {
        return None;
    }
    let header = head.get(..HEADER).unwrap_or(head);
    let mut lines = header.split(|byte| *byte == b'\n').skip(1).take(LINES);
    lines.find_map(|line| {
        memchr::memmem::find(line, b"$0")?;
        let mut words = line
            .split(|byte| byte.is_ascii_whitespace() || *byte == b';')
            .map(bare)
            .filter(|word| !word.is_empty());
        words.by_ref().find(|word| *word == b"exec")?;
        let option = |word: &[u8]| word.starts_with(b"-") || word.contains(&b'=');
        let program = words.find(|word| !option(word) && file_name(word) != b"env")?;
        let name = file_name(program);
        let known = LANGUAGES.iter().any(|language| name.starts_with(language));
        known.then(|| program.to_vec())
    })
}

/// What the script of a shell runs, also where `env` or busybox finds the shell.
fn commands(interpreter: &[u8], argument: Option<&[u8]>, head: &[u8]) -> Option<Commands> {
    let finds = [&b"env"[..], b"busybox"].contains(&file_name(interpreter));
    let mut words = argument.unwrap_or_default().split(u8::is_ascii_whitespace);
    let shell = |word: &[u8]| SHELLS.contains(&file_name(word));
    (shell(interpreter) || finds && words.any(shell)).then(|| Commands::of(head, head.len() >= HEAD))
}

/// Whether an executable text without `#!` reads like a shell's: two or more different words that shell scripts begin or end
/// lines with, in UTF-8 without NUL.
pub(super) fn is_shell_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A character may be cut at the end of what was read.
        Err(error) if error.error_len().is_none() => {
            let whole = head.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(whole).unwrap_or_default()
        }
        Err(_) => return false,
    };
    if text.contains('\0') {
        return false;
    }
    let text = text.trim_start_matches(BYTE_ORDER_MARK);
    let lines: Vec<&str> = text.lines().take(LINES).map(str::trim).collect();
    let begins = BEGINS
        .iter()
        .filter(|word| lines.iter().any(|line| line.starts_with(**word)));
    let ends = ENDS
        .iter()
        .filter(|word| lines.iter().any(|line| line.ends_with(**word)));
    let whole = WHOLE.iter().filter(|word| lines.contains(*word));
    begins.count() + ends.count() + whole.count() >= 2
}

/// What before `#!` makes of a script a text that the kernel refuses.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// What lines of shell scripts begin with.
const BEGINS: &[&str] = &["set -", "if [ ", "exec ", "export ", ". /", "#!"];
/// What they end with.
const ENDS: &[&str] = &["; then", "; do"];
/// What they are.
const WHOLE: &[&str] = &["fi", "done", "esac", "then"];
/// Lines of a text that are looked at.
const LINES: usize = 60;
/// Bytes of a script that are looked at; what goes on behind them is known in part only. Entry points of databases have some 15 KiB.
pub(super) const HEAD: usize = 64 << 10;
/// Bytes in which the shell half of a script in two languages lies.
const HEADER: usize = 1 << 10;
/// Names of shells that a first line names.
const SHELLS: &[&[u8]] = &[b"sh", b"bash", b"dash", b"ash", b"ksh", b"zsh", b"mksh"];
/// How the names of interpreters begin that a shell half starts.
const LANGUAGES: &[&[u8]] = &[
    b"python", b"pypy", b"node", b"deno", b"bun", b"perl", b"ruby", b"php", b"lua", b"tclsh", b"wish",
    b"java", b"guile",
];

/// A word without the quotes and marks around it.
fn bare(word: &[u8]) -> &[u8] {
    let mark = |byte: &u8| b"\"'`\\:".contains(byte);
    let from = word.iter().position(|byte| !mark(byte)).unwrap_or(word.len());
    let to = word
        .iter()
        .rposition(|byte| !mark(byte))
        .map_or(from, |at| at + 1);
    word.get(from..to).unwrap_or_default()
}

fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Option<(String, Option<String>)> {
        let script = read(text.as_bytes())?;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Some((text(script.interpreter), script.argument.map(text)))
    }

    fn parts(interpreter: &str, argument: Option<&str>) -> (String, Option<String>) {
        (interpreter.to_owned(), argument.map(str::to_owned))
    }

    #[test]
    fn lines_are_read_as_the_kernel_does() {
        assert_eq!(line("#!/bin/sh\necho"), Some(parts("/bin/sh", None)));
        assert_eq!(
            line("#! \t/bin/sh -e -u \t\necho"),
            Some(parts("/bin/sh", Some("-e -u")))
        );
        assert_eq!(line("#!/bin/sh\r\n"), Some(parts("/bin/sh\r", None)));
        assert_eq!(line("#!/bin/sh"), Some(parts("/bin/sh", None)));
        assert_eq!(line("#!bin/app x"), Some(parts("bin/app", Some("x"))));
        assert_eq!(line("#!/bin/sh\0-x\n"), Some(parts("/bin/sh", None)));
        for nothing in ["#!", "#!\n", "#!  \t\n/bin/sh", "\u{feff}#!/bin/sh\n", "#", ""] {
            assert_eq!(line(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn the_shell_half_says_what_it_starts() {
        let inner = |text: &str| read(text.as_bytes()).unwrap().inner;
        for (text, want) in [
            (
                "#!/bin/sh\n'''exec' /opt/long/python3.11 \"$0\" \"$@\"\n' '''\n",
                Some("/opt/long/python3.11"),
            ),
            ("#!/bin/sh\n\"exec\" \"python\" \"$0\" \"$@\"\n", Some("python")),
            (
                "#!/bin/sh\n\":\" //# x; exec /usr/bin/env node --y \"$0\" \"$@\"\n",
                Some("node"),
            ),
            (
                "#!/bin/sh\neval 'exec perl -x -wS $0 ${1+\"$@\"}'\n",
                Some("perl"),
            ),
            (
                "#!/bin/sh\n# restart \\\nexec tclsh \"$0\" \"$@\"\n",
                Some("tclsh"),
            ),
            ("#!/bin/sh\nexec python3 app.py\n", None),
            ("#!/bin/sh\nexec /app/server \"$0\"\n", None),
            ("#!/usr/bin/python3\nexec python \"$0\"\n", None),
        ] {
            assert_eq!(inner(text), want.map(|name| name.as_bytes().to_vec()), "{text}");
        }
        let late = format!("#!/bin/sh\n{}\nexec python3 \"$0\"\n", "#".repeat(1_100));
        assert_eq!(inner(&late), None);
    }

    #[test]
    fn a_text_of_a_shell_is_known_by_two_words() {
        for (text, want) in [
            ("set -e\nexec /app/server\n", true),
            ("export A=b\nif [ -n \"$A\" ]; then\n  x\nfi\n", true),
            ("\u{feff}#!/bin/sh\nexec /app/server\n", true),
            ("exec /app/server\n", false),
            ("exec a\nexec b\n", false),
            ("set -e\nexec x\0\n", false),
            ("done is better than perfect\nfine\n", false),
            ("", false),
        ] {
            assert_eq!(is_shell_text(text.as_bytes()), want, "{text:?}");
        }
        assert!(!is_shell_text(b"set -e\nexec \xff\n"));
        let cut = "set -e\nexec /é".as_bytes();
        assert!(is_shell_text(&cut[..cut.len() - 1]));
        let late = format!("{}set -e\nexec x\n", "x\n".repeat(60));
        assert!(!is_shell_text(late.as_bytes()));
    }

    #[test]
    fn a_cut_interpreter_is_none_a_cut_argument_is() {
        let long = format!("#!/{}", "x".repeat(300));
        assert_eq!(line(&long), None);
        let path = "/".repeat(250);
        assert_eq!(
            line(&format!("#!{path} argument-that-is-cut"))
                .unwrap()
                .1
                .as_deref(),
            Some("ar")
        );
        assert_eq!(line(&format!("#!{path}\n")).unwrap().0, path);
    }
}
