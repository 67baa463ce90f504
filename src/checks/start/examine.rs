//! What a kernel asks of a file before it runs it, apart from what that file names in turn.

use super::Walk;
use crate::{
    binary::{Elf, Form},
    checks::{
        capability, machine,
        obstacle::{Obstacle, obstacle},
    },
    layer::Kind,
    path::RootPath,
    rootfs::Node,
    text::escape,
};

impl Walk<'_, '_> {
    /// Reasons in the order in which a kernel meets them, apart from a script's interpreter.
    pub(super) fn examine(
        &self,
        path: &RootPath,
        node: &Node,
        named_by: Option<&RootPath>,
    ) -> Result<(), Obstacle> {
        let what = match named_by {
            Some(script) => format!("{path}, the interpreter of {script},"),
            None => path.to_string(),
        };
        let fail = |why: String| Err(obstacle(path, format!("{what} {why}")));
        match node.kind {
            Kind::File => {}
            Kind::Directory => return fail("is a directory".to_owned()),
            _ => return fail("is no regular file".to_owned()),
        }
        if !self.always_executes(node) {
            return fail(match &self.who {
                Some(who) if self.may_execute(node) => format!(
                    "may not be executed by uid {} with every runtime: they differ in the owner that they give it",
                    who.uid
                ),
                Some(who) if node.mode & 0o111 != 0 => {
                    format!("may not be executed by uid {} (mode {:04o})", who.uid, node.mode)
                }
                _ => format!("has no execute bit (mode {:04o})", node.mode),
            });
        }
        if let Some(closed) = self.closed_parent(path) {
            return fail(format!("lies below {closed}, which the user may not enter"));
        }
        let Some(program) = node.program.as_ref().filter(|program| program.is_program()) else {
            if self.unread(node) {
                return Ok(());
            }
            return fail(if node.size == 0 {
                "is empty".to_owned()
            } else {
                "is neither an ELF program nor a text that begins with `#!`".to_owned()
            });
        };
        match &program.form {
            Form::Elf(elf) => self.examine_elf(&what, path, elf)?,
            Form::Text => {
                return fail(
                    "is a text without `#!`, which only a shell would run: the kernel refuses it (ENOEXEC)"
                        .to_owned(),
                );
            }
            Form::Script(_) | Form::Archive | Form::Data => {}
        }
        match node.capability.as_deref().map(capability::decode) {
            Some(Err(why)) => fail(format!("carries an invalid `security.capability`, which {why}")),
            Some(Ok(set)) if set.beyond_default() != 0 && set.root_id == 0 => fail(format!(
                "carries capabilities that a default container may not have ({}), so the kernel refuses it",
                capability::names(set.beyond_default())
            )),
            _ => Ok(()),
        }
    }

    fn examine_elf(&self, what: &str, path: &RootPath, elf: &Elf) -> Result<(), Obstacle> {
        if let (Some(machine), Some(platform)) = (
            machine::foreign(elf, self.subject.platform),
            self.subject.platform,
        ) {
            return Err(obstacle(
                path,
                format!("{what} is built for {machine}, not for {platform}"),
            ));
        }
        if let Some(why) = elf.refused() {
            return Err(obstacle(
                path,
                format!("{what} is an ELF file that the kernel refuses: {why}"),
            ));
        }
        if !elf.startable {
            return Err(obstacle(
                path,
                format!("{what} is a library or an object file, not a program"),
            ));
        }
        let Some(loader) = &elf.interpreter else {
            return Ok(());
        };
        let fail = |why: &str| {
            let loader = escape(loader);
            Err(obstacle(
                path,
                format!("{what} needs the dynamic loader {loader}, which {why}"),
            ))
        };
        match self.rootfs.resolve_from(&self.directory, loader) {
            Ok(node) if node.kind == Kind::File => match node.program.as_ref().map(|program| &program.form) {
                _ if !self.always_executes(node) => fail("may not be executed"),
                Some(Form::Elf(other)) if machine::foreign(other, self.subject.platform).is_some() => {
                    fail("is built for another processor")
                }
                Some(Form::Elf(_)) => Ok(()),
                None if self.unread(node) => Ok(()),
                _ => fail("is no ELF file"),
            },
            _ => fail("is not in the image"),
        }
    }

    pub(super) fn may_execute(&self, node: &Node) -> bool {
        match &self.who {
            Some(who) => who.may_execute(node),
            None => node.mode & 0o111 != 0,
        }
    }

    fn always_executes(&self, node: &Node) -> bool {
        match &self.who {
            Some(who) => who.always_executes(node),
            None => node.mode & 0o111 != 0,
        }
    }

    /// The first directory above `path` that the user may not enter.
    pub(super) fn closed_parent(&self, path: &RootPath) -> Option<RootPath> {
        let who = self.who.as_ref()?;
        let mut above: Vec<RootPath> = std::iter::successors(path.parent(), RootPath::parent).collect();
        above.reverse();
        above.into_iter().find(|directory| {
            self.rootfs
                .resolve(directory)
                .is_ok_and(|node| !node.implied && node.kind == Kind::Directory && !who.may_execute(node))
        })
    }

    /// Whether a gap is why nothing is known of the file.
    fn unread(&self, node: &Node) -> bool {
        self.rootfs
            .gaps()
            .iter()
            .any(|(_, gap)| gap.path.as_ref().is_none_or(|path| node.paths.contains(path)))
    }
}
