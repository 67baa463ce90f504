//! The catalogue is what scant looks for: tools by family, the rule each belongs to, and what it lets an intruder do.

pub(crate) mod hash;
mod names;
pub(crate) mod tables;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, fmt::Write as _, sync::LazyLock};

use tables::{Literal, Tool};

/// Words of the bitmap of slots.
const SLOTS: usize = 1 << (hash::SLOT_BITS - 6);

/// All families, capabilities and signatures, compiled from `policies/catalog/`.
pub struct Catalog {
    /// One for each entry of [`tables::TOOLS`], in its order: by rule, strongest first.
    families: Vec<Family>,
    by_name: HashMap<&'static [u8], usize>,
    /// One bit for each slot that some literal's window has.
    bitmap: Box<[u64; SLOTS]>,
    /// Where the literals of 64 neighbouring slots begin in [`tables::LITERALS`].
    buckets: Box<[u16]>,
    patterns: Vec<Pattern>,
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

/// One thing that a program lets an intruder do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// `exec.shell`, `net.fetch`, …
    pub id: &'static str,
    /// What it means, in words that fit after "it".
    pub meaning: &'static str,
    /// Ids of MITRE ATT&CK techniques (Enterprise 18.1).
    pub attack: &'static [&'static str],
}

/// The rule that a program belongs to, and what it lets an intruder do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// Id of the rule; `None` for what makes no finding.
    pub rule: Option<&'static str>,
    /// Ids of capabilities, sorted.
    pub capabilities: Vec<&'static str>,
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
        static BUILTIN: LazyLock<Catalog> = LazyLock::new(Catalog::build);
        &BUILTIN
    }

    fn build() -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let mut by_name = HashMap::new();
        for (number, tool) in tables::TOOLS.iter().enumerate() {
            for name in tool.names {
                by_name.entry(name.as_bytes()).or_insert(number);
            }
        }
        let bitmap: Result<Box<[u64; SLOTS]>, _> = vec![0; SLOTS].try_into();
        let mut bitmap = bitmap.expect("as many words as it was made of");
        let mut buckets = vec![0_u16; bitmap.len() + 1];
        for literal in tables::LITERALS {
            let word = (literal.slot >> 6) as usize;
            bitmap[word] |= 1 << (literal.slot & 63);
            buckets[word + 1] += 1;
        }
        for word in 1..buckets.len() {
            buckets[word] += buckets[word - 1];
        }
        Self {
            families: tables::TOOLS
                .iter()
                .map(|tool| Family {
                    id: tool.id.to_owned(),
                    rule: tool.rule.map(str::to_owned),
                    capabilities: owned(tool.capabilities),
                    names: owned(tool.names),
                })
                .collect(),
            by_name,
            bitmap,
            buckets: buckets.into(),
            patterns: patterns(),
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
        tables::RULES
    }

    /// The capability with this id.
    pub fn capability(&self, id: &str) -> Option<Capability> {
        tables::CAPABILITIES
            .iter()
            .find(|capability| capability.id == id)
            .copied()
    }

    /// What `family` with these `applets` inside is: a multi-call program belongs to the rule of its strongest applet, and
    /// can do what its applets can; without a list of applets it counts as a shell. `None`: no such family.
    pub fn meaning(&self, family: &str, applets: &[String]) -> Option<Meaning> {
        let tool = tables::TOOLS.iter().find(|tool| tool.id == family)?;
        let mut meaning = Meaning {
            rule: tool.rule,
            capabilities: tool.capabilities.to_vec(),
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
                if let Some(applet) = applet(name) {
                    meaning.rule = stronger(meaning.rule, Some(applet.rule));
                    meaning.capabilities.extend(applet.capabilities);
                }
            }
        }
        meaning.capabilities.sort_unstable();
        meaning.capabilities.dedup();
        Some(meaning)
    }

    /// What an applet of this name is in any multi-call program; one that is not known is an `os-utility`.
    pub fn applet(&self, name: &str) -> Meaning {
        applet(name).map_or(
            Meaning {
                rule: Some("os-utility"),
                capabilities: Vec::new(),
            },
            |applet| Meaning {
                rule: Some(applet.rule),
                capabilities: applet.capabilities.to_vec(),
            },
        )
    }

    /// Whether busybox or toybox are known to have an applet of this name.
    pub fn is_applet(&self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|name| applet(name).is_some())
    }

    /// SHA-256 of all that identities depend on. Part of the key of stored facts: another catalogue, other facts.
    pub fn digest(&self) -> [u8; 32] {
        static DIGEST: LazyLock<[u8; 32]> = LazyLock::new(|| {
            let mut text = String::new();
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "{:?}{:?}{:?}",
                tables::LITERALS,
                tables::TOOLS,
                tables::APPLETS
            );
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
            let mut bytes = [0; 32];
            bytes
                .iter_mut()
                .zip(digest.as_ref())
                .for_each(|(to, from)| *to = *from);
            bytes
        });
        *DIGEST
    }

    /// The bitmap of slots, 64 in a word.
    pub(crate) fn bitmap(&self) -> &[u64; SLOTS] {
        &self.bitmap
    }

    /// The literals of the 64 slots around `slot`, and the number of the first.
    pub(crate) fn literals_near(&self, slot: u32) -> (usize, &'static [Literal]) {
        let word = (slot >> 6) as usize;
        let bound = |word: usize| self.buckets.get(word).map_or(0, |bound| usize::from(*bound));
        (
            bound(word),
            tables::LITERALS
                .get(bound(word)..bound(word + 1))
                .unwrap_or_default(),
        )
    }

    /// Regular expressions over Go package paths and script beginnings.
    pub(crate) fn patterns(&self) -> &[Pattern] {
        &self.patterns
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
    rule.and_then(|rule| tables::RULES.iter().position(|known| *known == rule))
        .unwrap_or(tables::RULES.len())
}

fn applet(name: &str) -> Option<&'static tables::Applet> {
    let at = tables::APPLETS
        .binary_search_by(|applet| applet.name.cmp(name))
        .ok()?;
    tables::APPLETS.get(at)
}

fn patterns() -> Vec<Pattern> {
    let compile = |tool, go, text: String| {
        let regex = regex::bytes::Regex::new(&text).expect("a test compiles every pattern of the catalogue");
        Pattern { tool, go, regex }
    };
    let each = |(number, tool): (usize, &Tool)| {
        let go = tool
            .go
            .iter()
            .map(move |text| compile(number, true, format!("^(?:{text})$")));
        let script = tool
            .script
            .iter()
            .map(move |text| compile(number, false, format!("(?m-u){text}")));
        go.chain(script).collect::<Vec<_>>()
    };
    tables::TOOLS.iter().enumerate().flat_map(each).collect()
}
