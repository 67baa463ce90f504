//! An interpreter is the program that a script's first line names, and that must be in the image for the script to run.

use std::collections::BTreeSet;

use crate::{
    binary::{Form, Script},
    layer::Kind,
    path::RootPath,
    rootfs::Node,
};

use super::{
    Subject,
    command_line::{DEFAULT_PATH, env_line, search_path},
};

/// Elements of `PATH` that are searched for the interpreter of any script: there may be as many scripts as files.
const SEARCHED: usize = 64;

/// Interpreters of interpreters that the kernel follows.
const DEPTH: usize = 5;

/// Whether what a script's first line names is there and could run: the interpreter, behind `env` the program, and where
/// that is a script too, its interpreter. A script in two languages needs what its shell half starts, too.
pub(super) fn exists(script: &Script, subject: &Subject<'_>) -> bool {
    let mut seen = BTreeSet::new();
    let mut script = script;
    for _ in 0..DEPTH {
        if !inner_exists(script, subject) {
            return false;
        }
        let Some(node) = end_of_line(script, subject) else {
            return expands(script, subject);
        };
        match node.program.as_deref().map(|program| &program.form) {
            Some(Form::Script(next)) => {
                if !seen.insert(node.paths.first()) {
                    return false;
                }
                script = next;
            }
            Some(Form::Elf(elf)) => return elf.startable,
            // The kernel cannot start it, unless it is one that was not looked into.
            Some(Form::Archive | Form::Text | Form::Data) => return false,
            None => return node.size > 0 && !subject.rootfs.gaps().is_empty(),
        }
    }
    false
}

/// Whether `env` makes the interpreter's name of a variable or an escape (`env -S`), so that any may be meant.
fn expands(script: &Script, subject: &Subject<'_>) -> bool {
    let program = env_line(script).and_then(|line| line.program);
    program.is_some_and(|name| name.iter().any(|byte| b"$\\".contains(byte)))
        && file(&directory(subject), &script.interpreter, subject).is_some()
}

/// The file that the first line starts in the end.
fn end_of_line<'a>(script: &Script, subject: &Subject<'a>) -> Option<&'a Node> {
    let here = directory(subject);
    let interpreter = file(&here, &script.interpreter, subject)?;
    let Some(line) = env_line(script) else {
        return Some(interpreter);
    };
    let program = line.program?;
    search(&program, line.path.as_deref(), subject)
}

/// Whether the interpreter that a shell header starts is there, as far as that can be told.
fn inner_exists(script: &Script, subject: &Subject<'_>) -> bool {
    script.inner.as_deref().is_none_or(|name| {
        let plain = !name.contains(&b'$') && !name.contains(&b'`');
        !plain || search(name, None, subject).is_some()
    })
}

/// A program by path, or by name in `path`, in the image's and in the usual `PATH`: a script may be started with another one
/// than the image's.
fn search<'a>(name: &[u8], path: Option<&[u8]>, subject: &Subject<'a>) -> Option<&'a Node> {
    let here = directory(subject);
    if name.contains(&b'/') {
        return file(&here, name, subject);
    }
    [
        path.unwrap_or_default(),
        subject.config.map_or(DEFAULT_PATH, search_path).as_bytes(),
        DEFAULT_PATH.as_bytes(),
    ]
    .into_iter()
    .flat_map(|path| path.split(|byte| *byte == b':').take(SEARCHED))
    .filter(|element| !element.is_empty())
    .find_map(|element| file(&RootPath::clean(element), name, subject))
}

fn directory(subject: &Subject<'_>) -> RootPath {
    subject.config.map_or_else(RootPath::root, |config| {
        RootPath::clean(config.working_dir.as_bytes())
    })
}

fn file<'a>(directory: &RootPath, raw: &[u8], subject: &Subject<'a>) -> Option<&'a Node> {
    let node = subject.rootfs.resolve_from(directory, raw).ok()?;
    (node.kind == Kind::File).then_some(node)
}
