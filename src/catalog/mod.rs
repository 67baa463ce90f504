//! The catalogue is what scant looks for: tools by family, the rule each belongs to, and what it lets an intruder do.

/// All families, capabilities and signatures, compiled from `policies/catalog/`.
pub struct Catalog {
    families: Vec<Family>,
}

/// One program, or a group of programs with one code base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// `shell.bash`, `pm.apt`, …
    pub id: String,
    /// The rule it belongs to (`shell`, `package-manager`, …); `None` for families that make no finding.
    pub rule: Option<String>,
    /// Ids of what it lets an intruder do: `exec.shell`, `net.fetch`.
    pub capabilities: Vec<String>,
    /// Usual file names.
    pub names: Vec<String>,
}

impl Catalog {
    /// The catalogue that scant carries.
    pub fn builtin() -> &'static Self {
        static BUILTIN: Catalog = Catalog { families: Vec::new() };
        &BUILTIN
    }

    /// The family with this id.
    pub fn family(&self, id: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.id == id)
    }

    /// The family that usually has a file of this name; version suffixes and target triplets are ignored.
    pub fn by_name(&self, _file_name: &[u8]) -> Option<&Family> {
        None
    }
}
