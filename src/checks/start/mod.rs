//! The start is what a runtime runs first: the command line, the program that it names, and what that needs to begin.

use crate::{
    binary::{Form, Script},
    image::ImageConfig,
    layer::Kind,
    path::RootPath,
    rootfs::{Node, Rootfs, Unresolved},
    text::escape,
};

mod examine;

pub(super) use super::who::Who;
use super::{
    Subject,
    command_line::{self, EnvLine, delegated, env_line, search_path},
    obstacle::{Obstacle, obstacle},
};

/// Interpreters of interpreters that the kernel follows.
const DEPTH: usize = 5;

/// How a container begins.
#[derive(Debug)]
pub(super) struct Start<'a> {
    /// The files that run one after the other: program, interpreter, and what wrappers start.
    pub(super) chain: Vec<&'a Node>,
    /// The first thing that keeps it from starting.
    pub(super) obstacle: Option<Obstacle>,
}

/// Follows a container's start as `execve` would. `None` where there is no configuration or no command.
pub(super) fn follow<'a>(subject: &Subject<'a>) -> Option<Start<'a>> {
    let config = subject.config?;
    let argv: Vec<&[u8]> = command_line::words(config)
        .into_iter()
        .map(str::as_bytes)
        .collect();
    let program = *argv.first()?;
    let walk = Walk::new(subject, config);
    let mut start = Start {
        chain: Vec::new(),
        obstacle: None,
    };
    let begun = walk.enter().and_then(|()| walk.begin(program, &mut start.chain));
    start.obstacle = begun.err();
    if start.obstacle.is_none() {
        walk.delegate(argv, &mut start.chain);
    }
    Some(start)
}

/// What keeps another program of the image, such as its health check, from starting in the container.
pub(super) fn obstacle_of(subject: &Subject<'_>, program: &[u8]) -> Option<Obstacle> {
    let walk = Walk::new(subject, subject.config?);
    walk.begin(program, &mut Vec::new()).err()
}

/// The programs that names lead to, each with what it runs first: empty where it cannot start.
pub(super) fn programs<'a>(subject: &Subject<'a>, names: &[&[u8]]) -> Vec<Vec<&'a Node>> {
    let Some(config) = subject.config else {
        return Vec::new();
    };
    let walk = Walk::new(subject, config);
    let chain = |name: &&[u8]| {
        let mut chain = Vec::new();
        // What stands in the way of an interpreter leaves nothing that runs.
        match walk.begin(name, &mut chain) {
            Ok(()) => chain,
            Err(_) => Vec::new(),
        }
    };
    names.iter().map(chain).collect()
}

struct Walk<'s, 'a> {
    rootfs: &'a Rootfs,
    subject: &'s Subject<'a>,
    directory: RootPath,
    search: &'a str,
    who: Option<Who>,
}

impl<'s, 'a> Walk<'s, 'a> {
    fn new(subject: &'s Subject<'a>, config: &'a ImageConfig) -> Self {
        Self {
            rootfs: subject.rootfs,
            subject,
            directory: RootPath::clean(config.working_dir.as_bytes()),
            search: search_path(config),
            who: super::user::runs_as(subject),
        }
    }

    /// The working directory: runtimes make one that is missing, but nothing helps where it is no directory or closed.
    fn enter(&self) -> Result<(), Obstacle> {
        let path = &self.directory;
        let fail = |why: &str| Err(obstacle(path, format!("the working directory {path} {why}")));
        match self.rootfs.resolve(path) {
            Ok(node) if node.kind != Kind::Directory => fail("is not a directory"),
            Ok(node) if !node.implied && self.who.as_ref().is_some_and(|who| !who.may_execute(node)) => {
                fail("may not be entered by the user")
            }
            Err(Unresolved::NotADirectory(part)) => {
                fail(&format!("cannot be made: {part} is not a directory"))
            }
            Err(Unresolved::Loop) => fail("is a loop of links"),
            _ => match self.closed_parent(path) {
                Some(closed) => fail(&format!("lies below {closed}, which the user may not enter")),
                None => Ok(()),
            },
        }
    }

    /// Finds and examines a program and its interpreters; every file that was reached goes to `chain`.
    fn begin(&self, name: &[u8], chain: &mut Vec<&'a Node>) -> Result<(), Obstacle> {
        let (mut path, mut node) = self.locate(name)?;
        let mut named_by = None;
        for _ in 0..DEPTH {
            self.examine(&path, node, named_by.as_ref())?;
            chain.push(node);
            let Some(Form::Script(script)) = node.program.as_ref().map(|program| &program.form) else {
                return Ok(());
            };
            let interpreter = self.interpreter(&path, script)?;
            if let Some(line) = env_line(script) {
                chain.push(interpreter.1);
                return self.begin_named_by_env(&path, &line, chain);
            }
            // The shell half of a script in two languages starts the other one.
            if let Some(Ok((_, inner))) = script.inner.as_ref().map(|inner| self.locate(inner))
                && inner.kind == Kind::File
            {
                chain.push(inner);
            }
            named_by = Some(path);
            (path, node) = interpreter;
        }
        Err(obstacle(
            &path,
            format!("{path} is the end of more than {DEPTH} interpreters in a row"),
        ))
    }

    fn begin_named_by_env(
        &self,
        script: &RootPath,
        line: &EnvLine,
        chain: &mut Vec<&'a Node>,
    ) -> Result<(), Obstacle> {
        let Some(word) = &line.program else {
            return Err(obstacle(
                script,
                format!("{script} has a first line in which `env` is given no program to start"),
            ));
        };
        let set = line
            .path
            .as_deref()
            .and_then(|path| std::str::from_utf8(path).ok());
        let (path, node) = self.locate_in(word, set.unwrap_or(self.search)).map_err(|_| {
            obstacle(
                script,
                format!(
                    "{script} asks `env` for `{}`, which PATH does not have",
                    escape(word)
                ),
            )
        })?;
        self.examine(&path, node, Some(script))?;
        chain.push(node);
        Ok(())
    }

    /// The file under a path, or under a bare name in `PATH`.
    fn locate(&self, name: &[u8]) -> Result<(RootPath, &'a Node), Obstacle> {
        self.locate_in(name, self.search)
    }

    fn locate_in(&self, name: &[u8], search: &str) -> Result<(RootPath, &'a Node), Obstacle> {
        if name.contains(&b'/') {
            let path = self.absolute(name);
            return match self.rootfs.resolve_from(&self.directory, name) {
                Ok(node) => Ok((path, node)),
                Err(why) => Err(obstacle(&path, self.nothing_there(&path, &why))),
            };
        }
        let mut in_the_way = None;
        for element in search.split(':') {
            let path = RootPath::clean(element.as_bytes()).join(name);
            let directory = self.absolute(element.as_bytes());
            let Ok(node) = self.rootfs.resolve_from(&directory, name) else {
                continue;
            };
            if node.kind != Kind::File || !self.may_execute(node) {
                in_the_way.get_or_insert((path, node));
                continue;
            }
            if !element.starts_with('/') {
                return Err(Obstacle {
                    path: None,
                    why: format!(
                        "`{}` is found only through `{}`, an element of PATH that is not absolute, which runc refuses",
                        escape(name),
                        escape(element.as_bytes())
                    ),
                });
            }
            return Ok((path, node));
        }
        match in_the_way {
            // A file that is there without an x bit says more than "not found".
            Some((path, node)) if node.kind == Kind::File => Ok((path, node)),
            _ => Err(Obstacle {
                path: None,
                why: format!(
                    "`{}` is in no directory of PATH ({})",
                    escape(name),
                    escape(search.as_bytes())
                ),
            }),
        }
    }

    fn absolute(&self, name: &[u8]) -> RootPath {
        if name.starts_with(b"/") {
            RootPath::clean(name)
        } else {
            self.directory.join(name)
        }
    }

    fn nothing_there(&self, path: &RootPath, why: &Unresolved) -> String {
        let link = self
            .rootfs
            .get(path)
            .is_some_and(|node| matches!(node.kind, Kind::Symlink(_)));
        match why {
            Unresolved::Missing(missing) if link => {
                format!("{path} is a link to {missing}, which is not there")
            }
            Unresolved::Missing(missing) if missing != path => {
                format!("{path} is not in the image: {missing} is not there")
            }
            Unresolved::Missing(_) => format!("{path} is not in the image"),
            Unresolved::Loop => format!("{path} is a loop of links"),
            Unresolved::NotADirectory(part) => {
                format!("{path} is not in the image: {part} is not a directory")
            }
        }
    }

    /// The interpreter of a script, found.
    fn interpreter(&self, path: &RootPath, script: &Script) -> Result<(RootPath, &'a Node), Obstacle> {
        let name = script.interpreter.as_slice();
        self.rootfs
            .resolve_from(&self.directory, name)
            .map(|node| (self.absolute(name), node))
            .map_err(|_| {
                let mut why = format!(
                    "{path} asks for the interpreter {}, which is not in the image",
                    escape(name)
                );
                if name.ends_with(b"\r") {
                    why.push_str(": its first line ends in a carriage return");
                }
                obstacle(path, why)
            })
    }

    /// Goes on with what a wrapper or a shell's command line starts, as far as that is plain to see.
    fn delegate(&self, mut argv: Vec<&[u8]>, chain: &mut Vec<&'a Node>) {
        for _ in 0..DEPTH {
            let Some(next) = delegated(&argv) else { return };
            let Some(program) = next.first() else { return };
            if self.begin(program, chain).is_err() {
                return;
            }
            argv = next;
        }
    }
}
