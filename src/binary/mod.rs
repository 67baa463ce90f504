//! A binary is a file that could be started: an ELF program, a script, or something packed; this stage says what it is.

mod appended;
mod applets;
mod archive;
mod bundle;
mod commands;
mod content;
mod crates;
mod elf;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod go;
mod identify;
mod inspector;
mod library_names;
mod nrv;
mod packed;
mod script;
mod search;
mod self_extracting;
#[cfg(test)]
mod tests;
mod traces;

pub use commands::Commands;
pub use inspector::Inspector;
use serde::{Deserialize, Serialize};

use crate::catalog::{Catalog, Meaning};
use content::{Content, Piece};

/// What the bytes of one file say about it as a program. Knows no policy and no path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// What sort of program it is.
    pub form: Form,
    /// Known programs whose code is in the file, strongest first; empty for an unknown one. On a library they are no tools:
    /// see [`Program::tool`].
    pub identities: Vec<Identity>,
    /// What of the file could not be looked into, as a sentence; such a file may hold any program.
    pub opaque: Option<String>,
    /// Tools, and programs that cannot be looked into, that lie packed in the file: as members of an archive or behind its own
    /// program. They start only once somebody takes them out.
    pub inside: Vec<Inner>,
}

/// A program inside another file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inner {
    /// Its path in the archive, with `!/` between archives in one another; empty where a file holds it without a name.
    pub path: Vec<u8>,
    /// What it is.
    pub program: Program,
}

impl Program {
    /// A program of this form, of which no more is known than what it holds.
    fn of(form: Form, inside: Vec<Inner>) -> Self {
        Self {
            form,
            identities: Vec::new(),
            opaque: None,
            inside,
        }
    }

    /// A file that is no program itself; `None` if it holds none either.
    fn holding(inside: Vec<Inner>) -> Option<Self> {
        (!inside.is_empty()).then(|| Self::of(Form::Data, inside))
    }

    /// Bytes of memory that it takes, roughly.
    pub fn weight(&self) -> usize {
        let lists = |all: &[Vec<u8>]| {
            all.iter()
                .map(|one| one.len() + size_of::<Vec<u8>>())
                .sum::<usize>()
        };
        let one = |text: &Option<Vec<u8>>| text.as_ref().map_or(0, Vec::len);
        let form = match &self.form {
            Form::Elf(elf) => {
                let names = [&elf.interpreter, &elf.soname, &elf.rpath, &elf.runpath];
                lists(&elf.needed) + lists(&elf.library_names) + names.into_iter().map(one).sum::<usize>()
            }
            Form::Script(script) => {
                let commands = script.commands.as_ref().map_or(0, Commands::weight);
                script.interpreter.len() + one(&script.argument) + one(&script.inner) + commands
            }
            Form::Archive | Form::Text | Form::Data => 0,
        };
        let identities = self.identities.iter().map(|identity| {
            let applets = identity
                .applets
                .iter()
                .map(|name| name.len() + size_of::<String>());
            size_of::<Identity>() + identity.family.len() + identity.evidence.len() + applets.sum::<usize>()
        });
        let inside = self.inside.iter();
        let inside = inside.map(|inner| inner.path.len() + inner.program.weight());
        size_of::<Self>() + form + identities.sum::<usize>() + inside.sum::<usize>()
    }

    /// Whether something starts it: the kernel, or the interpreter of an archive. A library only carries code: a family
    /// found on it does not mean that the tool is there.
    pub fn starts(&self) -> bool {
        match &self.form {
            Form::Elf(elf) => elf.startable,
            Form::Script(_) | Form::Archive => true,
            Form::Text | Form::Data => false,
        }
    }

    /// Whether the file is a program, rather than data that holds some.
    pub fn is_program(&self) -> bool {
        self.form != Form::Data
    }

    /// The strongest tool that the program is, and what that means. `None`: it is none that belongs to a rule, or cannot be
    /// started.
    pub fn tool<'c>(&self, catalog: &'c Catalog) -> Option<(&Identity, Meaning<'c>)> {
        let identities = self.identities.iter().filter(|_| self.starts());
        identities
            .filter_map(|identity| Some((identity, identity.meaning(catalog)?)))
            .find(|(_, meaning)| meaning.rule.is_some())
    }
}

impl Identity {
    /// The rule and capabilities that it stands for; of a multi-call program, those of its applets. `None`: the catalogue
    /// has no such family.
    pub fn meaning<'c>(&self, catalog: &'c Catalog) -> Option<Meaning<'c>> {
        catalog.meaning(&self.family, &self.applets)
    }
}

/// The form of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// An ELF file.
    Elf(Elf),
    /// A text that begins with `#!`.
    Script(Script),
    /// An archive that an interpreter starts: a zip application, a jar.
    Archive,
    /// An executable text without `#!` that reads like a shell's: the kernel refuses it, a shell would run it.
    Text,
    /// No program: an archive or a compressed file that holds some.
    Data,
}

/// What the kernel and the loader would read of an ELF file. Bytes, since nothing in it need be UTF-8.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts that do not exclude each other"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elf {
    /// `e_machine`: 3 i386, 62 x86-64, 183 aarch64, …
    pub machine: u16,
    /// 64-bit class.
    pub class64: bool,
    /// Little-endian.
    pub little_endian: bool,
    /// It can be started, rather than only linked or loaded: a program, not a library or object.
    pub startable: bool,
    /// `PT_INTERP`, the dynamic loader it asks for.
    pub interpreter: Option<Vec<u8>>,
    /// `DT_NEEDED`, in order.
    pub needed: Vec<Vec<u8>>,
    /// `DT_SONAME`.
    pub soname: Option<Vec<u8>>,
    /// `DT_RPATH`.
    pub rpath: Option<Vec<u8>>,
    /// `DT_RUNPATH`.
    pub runpath: Option<Vec<u8>>,
    /// Names of further libraries that stand somewhere in the file, sorted: it may load them by itself.
    pub library_names: Vec<Vec<u8>>,
    /// There are more such names than are kept.
    pub library_names_cut: bool,
    /// What the reader could not make sense of, such as "dynamic section outside the file". The program stays one.
    pub damage: Option<String>,
}

impl Elf {
    /// The machine that it is built for: `x86-64`; `None` for a rare one.
    pub fn machine_name(&self) -> Option<&'static str> {
        Some(match self.machine {
            3 => "i386",
            8 => "MIPS",
            20 => "PowerPC",
            21 => "PowerPC 64",
            22 => "s390",
            40 => "arm",
            62 => "x86-64",
            183 => "aarch64",
            243 => "RISC-V",
            258 => "LoongArch",
            _ => return None,
        })
    }

    /// Why the kernel would not start it, whatever else it is (`fs/binfmt_elf.c`).
    pub fn refused(&self) -> Option<&str> {
        self.damage
            .as_deref()
            .filter(|damage| elf::REFUSED.iter().any(|refused| damage.starts_with(refused)))
    }

    /// What a loader would read of it, and could not be read.
    pub(crate) fn unread(&self) -> Option<&str> {
        let damage = self.damage.as_deref();
        damage.filter(|damage| *damage != elf::MISSTATED && self.refused().is_none())
    }

    /// How it is linked, in one word: a library, static or dynamic.
    pub fn linkage(&self) -> &'static str {
        if !self.startable {
            "library"
        } else if self.interpreter.is_some() {
            "dynamic"
        } else {
            "static"
        }
    }
}

/// The first line of a script, as the kernel reads it (`fs/binfmt_script.c`), and what a shell's script runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// The interpreter's path.
    pub interpreter: Vec<u8>,
    /// The rest of the line, one argument.
    pub argument: Option<Vec<u8>>,
    /// Of a script in two languages, what its shell half starts with the same file: `exec python3 "$0"`.
    pub inner: Option<Vec<u8>>,
    /// What it runs, if its interpreter is a shell.
    pub commands: Option<Commands>,
}

/// A known program found in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The family in the catalogue: `shell.bash`, `multi.busybox`.
    pub family: String,
    /// How sure.
    pub confidence: Confidence,
    /// Why, in words that a person can check; never quotes a signature.
    pub evidence: String,
    /// Names of the applets inside a multi-call program, sorted.
    pub applets: Vec<String>,
    /// The version, where the program states one.
    pub version: Option<String>,
}

/// How sure an identity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Confidence {
    /// Only the file's name says so. Never stored in facts: judged later, where names are known.
    NameOnly,
    /// Enough of the content for a finding.
    Likely,
    /// No doubt is left.
    Certain,
}
