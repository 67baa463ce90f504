//! A view is all that `scant identify` shows of one file: its JSON, and what its page is made of.

use std::{collections::BTreeSet, os::unix::ffi::OsStrExt, path::Path};

use serde::Serialize;

use crate::{
    binary::{Confidence, Elf, Form, Identity, Inner, Program},
    catalog::{Capability, Catalog, Module},
    text::escape,
};

/// What is said of one file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View {
    pub(super) path: String,
    /// `elf`, `script`, `archive` (an interpreter starts it), `module` (code that an interpreter runs as a tool), `text` (a shell
    /// would run it, the kernel refuses it) or `data` (no program, but it holds some); none for all else.
    pub(super) form: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) elf: Option<ElfView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) script: Option<ScriptView>,
    /// The rule that a scan would put it under.
    pub(super) rule: Option<&'static str>,
    pub(super) identities: Vec<IdentityView>,
    /// What it lets an intruder do.
    pub(super) capabilities: Vec<Capability>,
    /// The family that usually has this name, where the content says nothing of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) called_like: Option<String>,
    /// What could not be looked into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) opaque: Option<String>,
    /// Tools, and programs that cannot be looked into, that lie packed in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) inside: Vec<InnerView>,
    /// What of it could not be looked into, and may hold any program.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) unread: Vec<String>,
    /// Why the file could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// A program inside the file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InnerView {
    /// Its path in the archive, `!/` between archives; empty where it has none.
    pub(super) path: String,
    pub(super) rule: Option<&'static str>,
    pub(super) identities: Vec<IdentityView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) opaque: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ElfView {
    pub(super) machine: String,
    pub(super) bits: u8,
    pub(super) byte_order: &'static str,
    /// `dynamic`, `static` or `library`.
    pub(super) linkage: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) interpreter: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) needed: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) soname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) damage: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScriptView {
    pub(super) interpreter: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) argument: Option<String>,
    /// What the shell half of a script in two languages starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inner: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IdentityView {
    pub(super) family: String,
    pub(super) rule: Option<&'static str>,
    pub(super) confidence: &'static str,
    pub(super) evidence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) applets: Vec<String>,
}

/// The whole answer in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    version: &'static str,
    files: &'a [View],
}

/// All files as one document.
pub(super) fn json(files: &[View]) -> serde_json::Result<String> {
    let answer = Answer {
        version: env!("CARGO_PKG_VERSION"),
        files,
    };
    Ok(serde_json::to_string_pretty(&answer)? + "\n")
}

fn shown(bytes: &[u8]) -> String {
    escape(bytes)
}

impl View {
    fn empty(path: &Path) -> Self {
        Self {
            path: shown(path.as_os_str().as_bytes()),
            form: None,
            elf: None,
            script: None,
            rule: None,
            identities: Vec::new(),
            capabilities: Vec::new(),
            called_like: None,
            opaque: None,
            inside: Vec::new(),
            unread: Vec::new(),
            error: None,
        }
    }

    /// Of a file that could not be read.
    pub(super) fn unread(path: &Path, error: &std::io::Error) -> Self {
        Self {
            error: Some(error.to_string()),
            ..Self::empty(path)
        }
    }

    /// Of what the inspector said.
    pub(super) fn of(path: &Path, program: Option<&Program>, unread: Vec<String>, catalog: &Catalog) -> Self {
        let mut view = Self {
            unread,
            ..Self::empty(path)
        };
        let Some(program) = program else { return view };
        match &program.form {
            Form::Elf(elf) => {
                view.form = Some("elf");
                view.elf = Some(ElfView::of(elf));
            }
            Form::Script(script) => {
                view.form = Some("script");
                view.script = Some(ScriptView {
                    interpreter: shown(&script.interpreter),
                    argument: script.argument.as_deref().map(shown),
                    inner: script.inner.as_deref().map(shown),
                });
            }
            Form::Archive => view.form = Some("archive"),
            Form::Text => view.form = Some("text"),
            Form::Data => view.form = Some("data"),
        }
        view.rule = program.tool(catalog).and_then(|(_, meaning)| meaning.rule);
        let mut capabilities = BTreeSet::new();
        for identity in &program.identities {
            let meaning = identity.meaning(catalog);
            if let Some(meaning) = meaning.as_ref().filter(|_| program.starts()) {
                capabilities.extend(meaning.capabilities.iter().copied());
            }
            view.identities.push(IdentityView::of(identity, catalog));
        }
        view.inside = program
            .inside
            .iter()
            .map(|inner| InnerView::of(inner, catalog))
            .collect();
        let known = capabilities.into_iter().filter_map(|id| catalog.capability(id));
        view.capabilities = known.cloned().collect();
        let name = path.file_name().unwrap_or_default().as_bytes();
        view.called_like = catalog
            .by_name(name)
            .filter(|_| program.starts() && view.rule.is_none())
            .map(|family| family.id.clone());
        view.opaque.clone_from(&program.opaque);
        view
    }

    /// Adds that the file is code of a tool.
    pub(super) fn add_module(&mut self, module: &Module, catalog: &Catalog) {
        if self.identities.iter().any(|known| known.family == module.tool) {
            return;
        }
        let Some(meaning) = catalog.meaning(&module.tool, &[]) else {
            return;
        };
        self.form = self.form.or(Some("module"));
        self.rule = self.rule.or(meaning.rule);
        self.called_like = None;
        if self.capabilities.is_empty() {
            let known = meaning
                .capabilities
                .iter()
                .filter_map(|id| catalog.capability(id));
            self.capabilities = known.cloned().collect();
        }
        self.identities.push(IdentityView {
            family: module.tool.clone(),
            rule: meaning.rule,
            confidence: "likely",
            evidence: format!(
                "its code: `{}` runs it in an image that has {}",
                module.run,
                module.needs.join(" or ")
            ),
            version: None,
            applets: Vec::new(),
        });
    }

    /// Whether the file is no program, as far as it can be told.
    pub(super) fn is_nothing(&self) -> bool {
        self.form.is_none() && self.error.is_none() && self.unread.is_empty()
    }
}

impl IdentityView {
    fn of(identity: &Identity, catalog: &Catalog) -> Self {
        Self {
            family: identity.family.clone(),
            rule: identity.meaning(catalog).and_then(|meaning| meaning.rule),
            confidence: match identity.confidence {
                Confidence::NameOnly => "name-only",
                Confidence::Likely => "likely",
                Confidence::Certain => "certain",
            },
            evidence: shown(identity.evidence.as_bytes()),
            version: identity.version.as_ref().map(|version| shown(version.as_bytes())),
            applets: identity
                .applets
                .iter()
                .map(|name| shown(name.as_bytes()))
                .collect(),
        }
    }
}

impl InnerView {
    fn of(inner: &Inner, catalog: &Catalog) -> Self {
        let program = &inner.program;
        Self {
            path: shown(&inner.path),
            rule: program.tool(catalog).and_then(|(_, meaning)| meaning.rule),
            identities: program
                .identities
                .iter()
                .map(|identity| IdentityView::of(identity, catalog))
                .collect(),
            opaque: program.opaque.clone(),
        }
    }
}

impl ElfView {
    fn of(elf: &Elf) -> Self {
        Self {
            machine: elf
                .machine_name()
                .map_or_else(|| elf.machine.to_string(), str::to_owned),
            bits: if elf.class64 { 64 } else { 32 },
            byte_order: if elf.little_endian { "little" } else { "big" },
            linkage: elf.linkage(),
            interpreter: elf.interpreter.as_deref().map(shown),
            needed: elf.needed.iter().map(|name| shown(name)).collect(),
            soname: elf.soname.as_deref().map(shown),
            damage: elf.damage.clone(),
        }
    }
}
