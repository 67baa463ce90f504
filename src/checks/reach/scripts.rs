//! A shell script leads to the programs that it names where a command begins, and to its arguments where it runs those.

use std::{borrow::Cow, collections::BTreeSet};

use super::{Walk, first};
use crate::{
    binary::{Commands, Form},
    checks::{Subject, command_line, identify, start},
    finding::Tier,
    path::RootPath,
    rootfs::Node,
    text::escape,
};

/// Scripts that are followed.
const SCRIPTS: usize = 64;
/// Command lines that lead to command lines.
const LINES: usize = 5;

/// Why not all is known.
const SHELL: &str = "a shell decides what else is run";

/// A text that is to be followed, and what it is called.
type Text<'a> = (Cow<'a, Commands>, String);

/// Follows the shell scripts that the start runs, and the texts that it hands to a shell.
pub(super) fn follow<'a>(walk: &mut Walk<'a>, subject: &Subject<'a>, chain: &[&'a Node]) {
    let argv: Vec<&[u8]> = command_line::words(walk.config)
        .into_iter()
        .map(str::as_bytes)
        .collect();
    let run: Vec<&Node> = chain.iter().chain(&walk.arguments).copied().collect();
    let mut todo: Vec<Text<'a>> = run.iter().filter_map(|node| commands_of(node)).collect();
    let mut seen: BTreeSet<RootPath> = run.iter().map(|node| first(node)).collect();
    let mut lines = Vec::new();
    texts(&argv, &mut todo, &mut lines);
    if todo.is_empty() && chain.iter().any(|node| identify::is_shell(node, subject)) {
        walk.incomplete(SHELL);
    }
    // Behind the last script that the command line names stand its arguments.
    let mut behind = Some(behind(&argv, &run, walk));
    let mut followed = 0;
    while let Some((commands, name)) = todo.pop() {
        followed += 1;
        if commands.unclear {
            walk.incomplete(SHELL);
        }
        if followed > SCRIPTS || !walk.search.spend() {
            walk.incomplete("there are too many shell scripts");
            return;
        }
        let why = format!("run by {name}");
        found(walk, subject, &commands.run, true, &why, &mut seen, &mut todo);
        let why = format!("named in {name}");
        found(
            walk,
            subject,
            &commands.mentioned,
            false,
            &why,
            &mut seen,
            &mut todo,
        );
        let Some(line) = behind.take_if(|_| commands.arguments) else {
            continue;
        };
        let mut lines = Vec::new();
        texts(&line, &mut todo, &mut lines);
        let shell = lines.iter().any(|word| command_line::is_shell_name(word));
        if shell
            && command_line::shell_command(&line).is_none()
            && !walk.arguments.iter().any(|node| commands_of(node).is_some())
        {
            walk.incomplete(SHELL);
        }
        let why = format!("an argument that {name} runs");
        let programs: Vec<Vec<u8>> = lines.into_iter().filter(|word| !word.starts_with(b"-")).collect();
        found(walk, subject, &programs, true, &why, &mut seen, &mut todo);
    }
}

/// What a shell's script runs.
fn commands_of(node: &Node) -> Option<Text<'_>> {
    match &node.program.as_ref()?.form {
        Form::Script(script) => {
            let commands = script.commands.as_ref()?;
            Some((Cow::Borrowed(commands), first(node).to_string()))
        }
        _ => None,
    }
}

/// What a command line runs, and what that is told to run: programs, and texts for a shell.
fn texts(argv: &[&[u8]], todo: &mut Vec<Text<'_>>, programs: &mut Vec<Vec<u8>>) {
    let mut line = argv.to_vec();
    for _ in 0..LINES {
        programs.extend(line.first().map(|word| word.to_vec()));
        if let Some(text) = command_line::shell_command(&line) {
            let what = format!("`{}`", escape(line.first().copied().unwrap_or_default()));
            todo.push((
                Cow::Owned(Commands::of(text, false)),
                format!("what {what} is given"),
            ));
        }
        match command_line::delegated(&line) {
            Some(next) => line = next,
            None => return,
        }
    }
}

/// The words behind the last one that leads to a script which is run.
fn behind<'v>(argv: &[&'v [u8]], run: &[&Node], walk: &Walk<'_>) -> Vec<&'v [u8]> {
    let here = RootPath::clean(walk.config.working_dir.as_bytes());
    let is_script = |word: &[u8]| {
        let node = walk.rootfs.resolve_from(&here, word).ok();
        let named = |node: &&&Node| node.paths.iter().any(|path| path.name() == word);
        let node = node.or_else(|| run.iter().find(named).copied());
        node.is_some_and(|node| commands_of(node).is_some())
    };
    let at = argv.iter().rposition(|word| is_script(word));
    argv.get(at.map_or(0, |at| at + 1)..).unwrap_or_default().to_vec()
}

/// Marks the programs that words lead to. Where one leads nowhere although it must (`run`), not all could be followed.
fn found<'a>(
    walk: &mut Walk<'a>,
    subject: &Subject<'a>,
    words: &[Vec<u8>],
    run: bool,
    why: &str,
    seen: &mut BTreeSet<RootPath>,
    todo: &mut Vec<Text<'a>>,
) {
    let words: Vec<&[u8]> = words
        .iter()
        .take_while(|_| walk.search.spend())
        .map(Vec::as_slice)
        .collect();
    for (word, chain) in words.iter().zip(start::programs(subject, &words)) {
        let Some(node) = chain.first() else {
            if run {
                walk.incomplete("a shell runs what is not found in the image");
            }
            continue;
        };
        if is_shell_by_another_name(word, node) {
            walk.incomplete(SHELL);
        }
        let mut why = why.to_owned();
        for node in chain {
            if seen.insert(first(node)) {
                todo.extend(commands_of(node));
                walk.program(node, Tier::Named, why);
            }
            why = format!("run by {}", first(node));
        }
    }
}

/// Whether a script runs a shell of which it cannot be told from the name that it is one.
fn is_shell_by_another_name(word: &[u8], node: &Node) -> bool {
    let identities = node.program.iter().flat_map(|program| &program.identities);
    let mut families = identities.map(|identity| identity.family.as_str());
    families.any(|family| family.starts_with("shell.")) && !command_line::is_shell_name(word)
}
