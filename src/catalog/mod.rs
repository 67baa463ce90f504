//! The catalogue is what scant looks for: tools by family, the rule each belongs to, and what it lets an intruder do.

mod combination;
mod compile;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
pub(crate) mod hash;
mod index;
mod literal;
#[cfg(test)]
mod meaning_tests;
mod module;
mod names;
mod own;
mod patterns;
pub mod secrets;
mod symbols;
pub(crate) mod tables;
#[cfg(test)]
mod tests;
pub mod words;

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::LazyLock,
};

pub use combination::{Atom, Combination};
use index::Index;
pub use module::Module;
use patterns::Patterns;
pub(crate) use symbols::SymbolNames;
pub use tables::Capability;
use tables::{Applet, Condition, Literal, Tables, Tool};

/// All families, capabilities and signatures, compiled from `policies/catalog/`.
pub struct Catalog {
    tables: Tables,
    /// One for each of [`Tables::tools`], in its order: by rule, strongest first.
    families: Vec<Family>,
    by_name: HashMap<Vec<u8>, usize>,
    index: Index,
    go: Patterns,
    script: Patterns,
    symbols: SymbolNames,
    /// For each literal the tools that have it in a signature.
    tools_of: Vec<Vec<usize>>,
    crates: BTreeSet<u64>,
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

/// The rule that a program belongs to, and what it lets an intruder do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning<'c> {
    /// Id of the rule; `None` for what makes no finding.
    pub rule: Option<&'static str>,
    /// Ids of capabilities, sorted.
    pub capabilities: Vec<&'c str>,
}

impl Catalog {
    /// The catalogue that scant carries.
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Catalog> = LazyLock::new(|| Catalog::of(builtin_tables()));
        &BUILTIN
    }

    /// The catalogue that scant carries, with further files in the format of `policies/catalog/`, each a name for messages
    /// and its text.
    ///
    /// # Errors
    /// What is wrong with one of them: the file, the entry, and the nearest right key.
    pub fn with(files: &[(String, String)]) -> Result<Self, String> {
        let mut tables = builtin_tables();
        for (name, text) in files {
            let at = |why: String| format!("catalogue `{name}`: {why}");
            compile::compile(&own::read(text).map_err(at)?, &mut tables).map_err(at)?;
        }
        let catalog = Self::of(tables);
        catalog.go.check()?;
        catalog.script.check()?;
        Ok(catalog)
    }

    /// A catalogue that knows nothing: with it no file is looked into.
    pub fn empty() -> Self {
        Self::of(Tables::default())
    }

    fn of(tables: Tables) -> Self {
        let mut by_name = HashMap::new();
        for (number, tool) in tables.tools.iter().enumerate() {
            for name in &tool.names {
                by_name.entry(name.clone().into_bytes()).or_insert(number);
            }
        }
        let (mut symbols, mut crates) = (BTreeSet::new(), BTreeSet::new());
        let structures = tables.tools.iter().flat_map(|tool| &tool.structures);
        for condition in structures.flat_map(|structure| &structure.all) {
            match condition {
                Condition::Import(names) => {
                    symbols.extend(names.iter().map(|name| name.clone().into_bytes()));
                }
                Condition::Define(name) => {
                    symbols.insert(name.clone().into_bytes());
                }
                Condition::CrateMain(names) | Condition::Crate(names) => crates.extend(names),
                _ => {}
            }
        }
        Self {
            tools_of: tools_of(&tables),
            families: tables.tools.iter().map(Family::of).collect(),
            by_name,
            index: Index::of(&tables.literals),
            go: Patterns::go(&tables.tools),
            script: Patterns::script(&tables.tools),
            symbols: SymbolNames::of(symbols),
            crates,
            tables,
        }
    }

    /// Every family, strongest rule first.
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// The family with this id.
    pub fn family(&self, id: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.id == id)
    }

    /// The family that usually has a file of this name; version suffixes and target triplets are ignored.
    pub fn by_name(&self, file_name: &[u8]) -> Option<&Family> {
        names::forms(file_name)
            .find_map(|form| self.by_name.get(form))
            .and_then(|number| self.families.get(*number))
    }

    /// Rules that a program can belong to, strongest first: a program with several families belongs to the first of them.
    pub fn rule_order(&self) -> &'static [&'static str] {
        &compile::RULES
    }

    /// The capability with this id.
    pub fn capability(&self, id: &str) -> Option<&Capability> {
        self.tables
            .capabilities
            .iter()
            .find(|capability| capability.id == id)
    }

    /// Code that an interpreter runs as a tool, without a script.
    pub fn modules(&self) -> &[Module] {
        &self.tables.modules
    }

    /// What several capabilities allow together, worst first.
    pub fn combinations(&self) -> &[Combination] {
        &self.tables.combinations
    }

    /// What `family` with these `applets` inside is: a multi-call program belongs to the rule of its strongest applet, and
    /// can do what its applets can. `None`: no such family.
    pub fn meaning(&self, family: &str, applets: &[String]) -> Option<Meaning<'_>> {
        let tool = self.tool(family)?;
        let mut meaning = Meaning {
            rule: rule(tool.rule.as_deref()),
            capabilities: tool.capabilities.iter().map(String::as_str).collect(),
        };
        if tool.table.is_some() {
            let known = applets.iter().filter_map(|name| self.known_applet(name));
            for applet in known {
                meaning.rule = stronger(meaning.rule, rule(Some(&applet.rule)));
                meaning
                    .capabilities
                    .extend(applet.capabilities.iter().map(String::as_str));
            }
        }
        meaning.capabilities.sort_unstable();
        meaning.capabilities.dedup();
        Some(meaning)
    }

    /// What an applet of this name is in any multi-call program; one that is not known is an `os-utility`.
    pub fn applet(&self, name: &str) -> Meaning<'_> {
        let known = self.known_applet(name);
        Meaning {
            rule: rule(known.map_or(Some("os-utility"), |applet| Some(&applet.rule))),
            capabilities: known.map_or_else(Vec::new, |applet| {
                applet.capabilities.iter().map(String::as_str).collect()
            }),
        }
    }

    /// Whether busybox or toybox are known to have an applet of this name.
    pub fn is_applet(&self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|name| self.known_applet(name).is_some())
    }

    /// SHA-256 of all that identities depend on. Part of the key of stored facts: another catalogue, other facts.
    pub fn digest(&self) -> [u8; 32] {
        let bytes = postcard::to_allocvec(&self.tables).expect("tables of known sizes can be written");
        let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        hash.update(&bytes);
        hash.update(secrets::data());
        hash.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
    }

    fn known_applet(&self, name: &str) -> Option<&Applet> {
        let applets = &self.tables.applets;
        let at = applets
            .binary_search_by(|applet| applet.name.as_str().cmp(name))
            .ok()?;
        applets.get(at)
    }

    /// Every entry; a family's number is its place.
    pub(crate) fn tools(&self) -> &[Tool] {
        &self.tables.tools
    }

    /// The entry with this id.
    pub(crate) fn tool(&self, id: &str) -> Option<&Tool> {
        self.tables.tools.iter().find(|tool| tool.id == id)
    }

    /// Every literal, in order.
    pub(crate) fn literals(&self) -> &[Literal] {
        &self.tables.literals
    }

    /// Every dynamic symbol that an entry asks for.
    pub(crate) fn symbols(&self) -> &SymbolNames {
        &self.symbols
    }

    /// Hashes of the names of all Rust crates that an entry asks for.
    pub(crate) fn crates(&self) -> &BTreeSet<u64> {
        &self.crates
    }

    /// Numbers of the tools that have the literal of this number in a signature; ascending.
    pub(crate) fn tools_of(&self, literal: usize) -> &[usize] {
        self.tools_of.get(literal).map_or(&[], Vec::as_slice)
    }

    /// The windows of the literals.
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// Numbers of the tools whose main package, in Go, has this path; ascending.
    pub(crate) fn with_main_package(&self, path: &[u8]) -> Vec<usize> {
        self.go.matching(path)
    }

    /// Numbers of the tools whose script begins as this text does; ascending.
    pub(crate) fn with_script(&self, text: &[u8]) -> Vec<usize> {
        self.script.matching(text)
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tools = self.tables.tools.len();
        f.debug_struct("Catalog")
            .field("tools", &tools)
            .finish_non_exhaustive()
    }
}

impl Family {
    fn of(tool: &Tool) -> Self {
        Self {
            id: tool.id.clone(),
            rule: tool.rule.clone(),
            capabilities: tool.capabilities.clone(),
            names: tool.names.clone(),
        }
    }
}

impl Tool {
    /// Whether this family's code contains the other's.
    pub(crate) fn swallows(&self, other: &str) -> bool {
        self.swallows
            .iter()
            .any(|pattern| matches(pattern, other.as_bytes()))
    }
}

/// Whether `name` is `pattern`, or begins with it up to a final `*`.
pub(crate) fn matches(pattern: &str, name: &[u8]) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start.as_bytes()),
        None => name == pattern.as_bytes(),
    }
}

/// The stronger of two rules, by [`Catalog::rule_order`].
pub(crate) fn stronger<'a>(a: Option<&'a str>, b: Option<&'a str>) -> Option<&'a str> {
    if rank(b) < rank(a) { b } else { a }
}

/// A rule's place in [`Catalog::rule_order`]; behind all of them for none.
pub(crate) fn rank(rule: Option<&str>) -> usize {
    rule.and_then(|rule| compile::RULES.iter().position(|known| *known == rule))
        .unwrap_or(compile::RULES.len())
}

/// The rule of this id.
fn rule(id: Option<&str>) -> Option<&'static str> {
    compile::RULES.into_iter().find(|rule| Some(*rule) == id)
}

fn tools_of(tables: &Tables) -> Vec<Vec<usize>> {
    let mut tools = vec![Vec::new(); tables.literals.len()];
    for (number, tool) in tables.tools.iter().enumerate() {
        for literal in tool.signatures.iter().flat_map(|signature| &signature.any) {
            let of_literal = tools.get_mut(usize::from(*literal));
            if let Some(of_literal) = of_literal.filter(|all| all.last() != Some(&number)) {
                of_literal.push(number);
            }
        }
    }
    tools
}

fn builtin_tables() -> Tables {
    postcard::from_bytes(include_bytes!(concat!(env!("OUT_DIR"), "/catalog.bin")))
        .expect("the build script wrote it with the same types")
}
