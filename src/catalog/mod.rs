//! The catalogue is what scant looks for: tools by family, the rule each belongs to, and what it lets an intruder do.

mod compile;
pub(crate) mod hash;
mod names;
mod own;
pub mod secrets;
pub(crate) mod tables;
#[cfg(test)]
mod tests;
pub mod words;

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::LazyLock,
};

pub use tables::Capability;
use tables::{Applet, Condition, Literal, Tables, Tool};

/// Words of the bitmap of slots.
const SLOTS: usize = 1 << (hash::SLOT_BITS - 6);

/// All families, capabilities and signatures, compiled from `policies/catalog/`.
pub struct Catalog {
    tables: Tables,
    /// One for each of [`Tables::tools`], in its order: by rule, strongest first.
    families: Vec<Family>,
    by_name: HashMap<Vec<u8>, usize>,
    /// One bit for each slot that some literal's window has.
    bitmap: Box<[u64; SLOTS]>,
    /// Where the literals of 64 neighbouring slots begin in [`Tables::literals`].
    buckets: Box<[u16]>,
    patterns: Vec<Pattern>,
    symbols: BTreeSet<Vec<u8>>,
    digest: [u8; 32],
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

/// A regular expression that identifies a family, and the family's number.
pub(crate) struct Pattern {
    pub(crate) tool: usize,
    pub(crate) go: bool,
    pub(crate) regex: regex::bytes::Regex,
}

/// What a multi-call program is when its applets cannot be told: it may be the strongest.
const UNREAD_APPLETS: &[&str] = &["sh"];

impl Catalog {
    /// The catalogue that scant carries.
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Catalog> = LazyLock::new(|| {
            Catalog::of(builtin_tables()).expect("a test compiles every pattern of the catalogue")
        });
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
        Self::of(tables)
    }

    fn of(tables: Tables) -> Result<Self, String> {
        let mut by_name = HashMap::new();
        for (number, tool) in tables.tools.iter().enumerate() {
            for name in &tool.names {
                by_name.entry(name.clone().into_bytes()).or_insert(number);
            }
        }
        let bitmap: Result<Box<[u64; SLOTS]>, _> = vec![0; SLOTS].try_into();
        let mut bitmap = bitmap.map_err(|_| "the bitmap has another size".to_owned())?;
        let mut buckets = vec![0_u16; bitmap.len() + 1];
        for literal in &tables.literals {
            let word = (literal.slot >> 6) as usize;
            bitmap[word] |= 1 << (literal.slot & 63);
            buckets[word + 1] += 1;
        }
        for word in 1..buckets.len() {
            buckets[word] += buckets[word - 1];
        }
        let symbols = tables.tools.iter().flat_map(|tool| &tool.structures).flatten();
        let symbols = symbols.filter_map(|condition| match condition {
            Condition::Import(name) | Condition::Define(name) => Some(name.clone().into_bytes()),
            _ => None,
        });
        Ok(Self {
            families: tables.tools.iter().map(Family::of).collect(),
            by_name,
            bitmap,
            buckets: buckets.into(),
            patterns: patterns(&tables.tools)?,
            symbols: symbols.collect(),
            digest: digest(&tables)?,
            tables,
        })
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

    /// What `family` with these `applets` inside is: a multi-call program belongs to the rule of its strongest applet, and
    /// can do what its applets can; without a list of applets it counts as a shell. `None`: no such family.
    pub fn meaning(&self, family: &str, applets: &[String]) -> Option<Meaning<'_>> {
        let tool = self.tool(family)?;
        let mut meaning = Meaning {
            rule: rule(tool.rule.as_deref()),
            capabilities: tool.capabilities.iter().map(String::as_str).collect(),
        };
        if tool.table.is_some() {
            let unread = UNREAD_APPLETS.iter().copied();
            let named = applets.iter().map(String::as_str);
            let inside: Vec<&str> = if applets.is_empty() {
                unread.collect()
            } else {
                named.collect()
            };
            for name in inside {
                if let Some(applet) = self.known_applet(name) {
                    meaning.rule = stronger(meaning.rule, rule(Some(&applet.rule)));
                    meaning
                        .capabilities
                        .extend(applet.capabilities.iter().map(String::as_str));
                }
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
        self.digest
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

    /// Every literal, by slot.
    pub(crate) fn literals(&self) -> &[Literal] {
        &self.tables.literals
    }

    /// Every dynamic symbol that an entry asks for.
    pub(crate) fn symbols(&self) -> &BTreeSet<Vec<u8>> {
        &self.symbols
    }

    /// The bitmap of slots, 64 in a word.
    pub(crate) fn bitmap(&self) -> &[u64; SLOTS] {
        &self.bitmap
    }

    /// The literals of the 64 slots around `slot`, and the number of the first.
    pub(crate) fn literals_near(&self, slot: u32) -> (usize, &[Literal]) {
        let word = (slot >> 6) as usize;
        let bound = |word: usize| self.buckets.get(word).map_or(0, |bound| usize::from(*bound));
        (
            bound(word),
            self.tables
                .literals
                .get(bound(word)..bound(word + 1))
                .unwrap_or_default(),
        )
    }

    /// Regular expressions over Go package paths and script beginnings.
    pub(crate) fn patterns(&self) -> &[Pattern] {
        &self.patterns
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

fn builtin_tables() -> Tables {
    serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/catalog.json")))
        .expect("the build script wrote it with the same types")
}

fn digest(tables: &Tables) -> Result<[u8; 32], String> {
    let text = serde_json::to_vec(tables).map_err(|error| error.to_string())?;
    let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    hash.update(&text);
    hash.update(secrets::data());
    hash.finish()
        .as_ref()
        .try_into()
        .map_err(|_| "the digest has another size".to_owned())
}

fn patterns(tools: &[Tool]) -> Result<Vec<Pattern>, String> {
    let mut patterns = Vec::new();
    for (number, tool) in tools.iter().enumerate() {
        let mut add = |go, text: &str, whole: &str| {
            let regex = regex::bytes::Regex::new(whole)
                .map_err(|error| format!("tool {}: pattern `{text}`: {error}", tool.id))?;
            patterns.push(Pattern {
                tool: number,
                go,
                regex,
            });
            Ok::<(), String>(())
        };
        for text in &tool.go {
            add(true, text, &format!("^(?:{text})$"))?;
        }
        for text in &tool.script {
            add(false, text, &format!("(?m-u){text}"))?;
        }
    }
    Ok(patterns)
}
