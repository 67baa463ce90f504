//! Commands are the programs that a shell's text names where a command begins, read without running it (POSIX, section 2).

mod reader;
mod redirection;
#[cfg(test)]
mod tests;
mod word;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use self::{reader::Reader, word::Word};

/// Commands kept of one text.
const MOST: usize = 256;
/// Bytes of one command's name; longer ones name no program that anybody has.
const LONGEST: usize = 255;
/// Texts inside the text that are read as well: what `eval`, `trap` and `sh -c` are given.
const TEXTS: usize = 16;

/// What a shell's text runs, as far as it is plain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commands {
    /// Names and paths where a command begins, sorted; not what every shell does itself, nor the text's own functions.
    pub run: Vec<Vec<u8>>,
    /// Absolute paths among the arguments of those, and what programs that start others are given; sorted. They may be data.
    pub mentioned: Vec<Vec<u8>>,
    /// It runs its own arguments: `exec "$@"`.
    pub arguments: bool,
    /// It runs more, which only shows when it does: `$COMMAND`, a file that it reads, what was not read to the end.
    pub unclear: bool,
}

impl Commands {
    /// The commands of a text; `cut`: it goes on.
    pub fn of(text: &[u8], cut: bool) -> Self {
        let mut gather = Gather::default();
        let mut left = TEXTS;
        gather.out.unclear = cut;
        gather.texts.push(text.to_vec());
        while let Some(text) = gather.texts.pop() {
            let Some(fewer) = left.checked_sub(1) else {
                gather.out.unclear = true;
                break;
            };
            left = fewer;
            Reader::new(&text).read(&mut gather);
        }
        gather.finish()
    }

    /// Bytes of memory that they take, roughly.
    pub(super) fn weight(&self) -> usize {
        let all = self.run.iter().chain(&self.mentioned);
        all.map(|word| word.len() + size_of::<Vec<u8>>()).sum()
    }
}

/// What a shell does by itself. Some of these are programs as well, which then are not started.
const BUILTINS: &[&str] = &[
    ":",
    "[",
    "bg",
    "break",
    "cd",
    "continue",
    "declare",
    "dirs",
    "disown",
    "echo",
    "exit",
    "export",
    "false",
    "fc",
    "fg",
    "getopts",
    "hash",
    "jobs",
    "kill",
    "let",
    "local",
    "mapfile",
    "popd",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readarray",
    "readonly",
    "return",
    "shift",
    "shopt",
    "test",
    "times",
    "true",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "wait",
];
/// Words behind which a command begins.
const BEFORE: &[&str] = &[
    "!", "coproc", "do", "elif", "else", "if", "then", "time", "until", "while", "{",
];
/// Words that end a compound command, or behind which no command begins.
const NO_COMMAND: &[&str] = &["[[", "case", "done", "esac", "fi", "for", "in", "select", "}"];
/// Programs that start what their arguments name.
const STARTERS: &[&str] = &[
    "catatonit",
    "chpst",
    "chroot",
    "docker-init",
    "dumb-init",
    "env",
    "flock",
    "gosu",
    "ionice",
    "nice",
    "nohup",
    "runuser",
    "setpriv",
    "setsid",
    "setuidgid",
    "stdbuf",
    "su",
    "su-exec",
    "sudo",
    "taskset",
    "tini",
    "tini-static",
    "timeout",
    "unshare",
    "xargs",
];
/// Shells, whose `-c` is a text and whose argument is a script.
const SHELLS: &[&str] = &["ash", "bash", "dash", "ksh", "mksh", "sh", "zsh"];

/// What is gathered while a text is read.
#[derive(Default)]
struct Gather {
    out: Commands,
    run: BTreeSet<Vec<u8>>,
    mentioned: BTreeSet<Vec<u8>>,
    functions: BTreeSet<Vec<u8>>,
    /// Texts that are still to be read.
    texts: Vec<Vec<u8>>,
}

impl Gather {
    fn finish(mut self) -> Commands {
        self.run.retain(|name| !self.functions.contains(name));
        self.out.run = self.run.into_iter().collect();
        self.out.mentioned = self.mentioned.into_iter().collect();
        self.out
    }

    fn add(&mut self, word: &[u8], mentioned: bool) {
        let full = self.run.len() + self.mentioned.len() >= MOST;
        let set = if mentioned {
            &mut self.mentioned
        } else {
            &mut self.run
        };
        if set.contains(word) {
        } else if full || word.len() > LONGEST {
            self.out.unclear = true;
        } else {
            set.insert(word.to_vec());
        }
    }

    /// One simple command, or the words of a compound one up to the first end.
    fn command(&mut self, words: &[Word]) {
        let mut rest = words;
        while let [first, after @ ..] = rest {
            if first.is_assignment() {
                rest = after;
                continue;
            }
            if first.arguments {
                self.out.arguments = true;
                return;
            }
            if first.own_name {
                return;
            }
            let Some(text) = first.plain() else {
                self.out.unclear = true;
                return;
            };
            let name = std::str::from_utf8(text).unwrap_or_default();
            rest = match name {
                "function" => {
                    self.functions.extend(after.first().map(|word| word.text.clone()));
                    after.get(1..).unwrap_or_default()
                }
                "exec" | "command" | "builtin" => without_options(after),
                // `set -- server "$@"` changes what `"$@"` is.
                "set" => match after.iter().position(|word| word.plain() == Some(b"--")) {
                    Some(at) => after.get(at + 1..).unwrap_or_default(),
                    None => return,
                },
                "." | "source" | "alias" | "enable" => {
                    self.out.unclear = true;
                    return;
                }
                "eval" => return self.text(after),
                // `-` takes a trap away.
                "trap" if after.first().and_then(Word::plain) == Some(b"-") => return,
                "trap" => return self.text(after.get(..1).unwrap_or_default()),
                // Its first argument is the program that it then is.
                "busybox" => {
                    self.add(text, false);
                    after
                }
                _ if BEFORE.contains(&name) => after,
                _ if NO_COMMAND.contains(&name) || BUILTINS.contains(&name) => return,
                _ => {
                    self.add(text, false);
                    return self.handed(name, after);
                }
            };
        }
    }

    /// What a program is given, as far as it leads to programs.
    fn handed(&mut self, program: &str, words: &[Word]) {
        let program = program.rsplit('/').next().unwrap_or(program);
        if SHELLS.contains(&program) {
            return self.shell(words);
        }
        let starts = match program {
            "find" => words.iter().position(|word| {
                let action = word.plain().unwrap_or_default();
                [&b"-exec"[..], b"-execdir", b"-ok", b"-okdir"].contains(&action)
            }),
            _ if STARTERS.contains(&program) => Some(0),
            _ => None,
        };
        for (at, word) in words.iter().enumerate() {
            let started = starts.is_some_and(|from| at >= from);
            match word.plain() {
                Some(text) if text.starts_with(b"/") => self.add(text, true),
                Some(text) if started && is_program_name(text) => {
                    self.add(text, true);
                }
                None if started && word.arguments => self.out.arguments = true,
                None if started && !word.own_name && !word.is_assignment() => self.out.unclear = true,
                _ => {}
            }
        }
    }

    /// What a shell is given: the text behind `-c`, or a script.
    fn shell(&mut self, words: &[Word]) {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.plain() {
                Some([b'-', b'-', ..]) => {}
                Some([b'-', options @ ..]) if options.contains(&b'c') => {
                    return self.text(words.as_slice().get(..1).unwrap_or_default());
                }
                Some([b'-' | b'+', .., b'o' | b'O']) => {
                    words.next();
                }
                Some([b'-' | b'+', ..]) => {}
                Some(script) if script.starts_with(b"/") => return self.add(script, false),
                _ if word.arguments => {
                    self.out.arguments = true;
                    return;
                }
                _ => break,
            }
        }
        // Another script, or what comes in.
        self.out.unclear = true;
    }

    /// Words that are run as a text.
    fn text(&mut self, words: &[Word]) {
        match words.iter().map(Word::plain).collect::<Option<Vec<_>>>() {
            Some(plain) => self.texts.push(plain.join(&b' ')),
            None => self.out.unclear = true,
        }
    }
}

/// Whether an argument may be a program's name: no option, no setting, no sign.
fn is_program_name(word: &[u8]) -> bool {
    word.first().is_some_and(|byte| *byte != b'-')
        && !word.contains(&b'=')
        && word.iter().any(u8::is_ascii_alphanumeric)
}

/// The words behind the options of `exec`, `command` or `builtin`.
fn without_options(mut words: &[Word]) -> &[Word] {
    while let [first, rest @ ..] = words {
        words = match first.plain() {
            Some(b"-a") => rest.get(1..).unwrap_or_default(),
            Some([b'-', ..]) => rest,
            _ => break,
        };
    }
    words
}
