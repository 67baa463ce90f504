//! To compile a catalogue is to check every entry and to turn its texts into hashes. The build script does it with
//! `policies/catalog/`, scant itself with entries of the user's own.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{
    combination::Combination,
    hash,
    module::Module,
    tables::{Applet, AppletTable, Capability, Condition, Kind, Literal, Signature, Tables, Tool},
};

/// Rules that a tool can belong to, strongest first.
pub(crate) const RULES: [&str; 9] = [
    "shell",
    "package-manager",
    "network-tool",
    "debug-tool",
    "privilege-tool",
    "interpreter",
    "build-tool",
    "os-utility",
    "packed-executable",
];

/// One file of a catalogue, as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    #[serde(default)]
    pub(crate) tool: Vec<Entry>,
    #[serde(default)]
    pub(crate) capability: Vec<Capability>,
    #[serde(default)]
    pub(crate) applets: Vec<Applets>,
    #[serde(default)]
    pub(crate) module: Vec<Module>,
    #[serde(default)]
    pub(crate) combination: Vec<Combination>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    id: String,
    rule: Option<String>,
    kind: Kind,
    #[serde(default)]
    generic: bool,
    #[serde(default)]
    capabilities: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    swallows: Vec<String>,
    table: Option<AppletTable>,
    #[serde(default)]
    go: Vec<String>,
    #[serde(default)]
    script: Vec<String>,
    #[serde(default)]
    signature: Vec<Texts>,
    #[serde(default)]
    structure: Vec<Structure>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "variant, origin, tested and note speak to the reader of the catalogue"
)]
struct Texts {
    variant: Option<String>,
    k: usize,
    any: Vec<String>,
    #[serde(default)]
    none: Vec<String>,
    origin: Option<String>,
    tested: Option<bool>,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "variant and tested speak to the reader of the catalogue")]
struct Structure {
    variant: Option<String>,
    all: Vec<String>,
    tested: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Applets {
    rule: String,
    #[serde(default)]
    capabilities: Vec<String>,
    names: Vec<String>,
}

type Result<T> = std::result::Result<T, String>;

/// Checks every entry of `file` and adds it to `tables`, whose entries it may name.
pub(crate) fn compile(file: &File, tables: &mut Tables) -> Result<()> {
    let ids = tables.tools.iter().map(|tool| &tool.id);
    let ids = unique(ids.chain(file.tool.iter().map(|tool| &tool.id)), "tool")?;
    let capabilities = tables.capabilities.iter().chain(&file.capability);
    let capabilities = unique(capabilities.map(|capability| &capability.id), "capability")?;
    let literals = literals(file)?;
    let compiled = file.tool.iter().map(|tool| {
        compile_tool(tool, &ids, &capabilities).map_err(|error| format!("tool {}: {error}", tool.id))
    });
    let compiled = compiled.collect::<Result<Vec<_>>>()?;
    let applets = compile_applets(&file.applets, &tables.applets, &capabilities)?;
    file.module.iter().try_for_each(|module| module.check(&ids))?;
    let combinations = tables.combinations.iter().chain(&file.combination);
    unique(combinations.map(|combination| &combination.id), "combination")?;
    file.combination
        .iter()
        .try_for_each(|all| all.check(&capabilities))?;

    renumber(tables, literals.values())?;
    let number = |text: &String| {
        let literal = literals.get(text.as_str())?;
        let at = tables.literals.binary_search(literal).ok()?;
        u16::try_from(at).ok()
    };
    for (mut tool, entry) in compiled.into_iter().zip(&file.tool) {
        let signatures = entry.signature.iter().map(|texts| Signature {
            k: texts.k,
            any: texts.any.iter().filter_map(number).collect(),
            none: texts.none.iter().filter_map(number).collect(),
        });
        tool.signatures = signatures.collect();
        tables.tools.push(tool);
    }
    let rank = |tool: &Tool| RULES.iter().position(|rule| Some(*rule) == tool.rule.as_deref());
    tables
        .tools
        .sort_by_cached_key(|tool| (rank(tool).unwrap_or(RULES.len()), tool.id.clone()));
    tables.capabilities.extend(file.capability.iter().cloned());
    tables.capabilities.sort_by(|a, b| a.id.cmp(&b.id));
    tables.modules.extend(file.module.iter().cloned());
    tables.modules.sort_by(|a, b| a.tool.cmp(&b.tool));
    tables.combinations.extend(file.combination.iter().cloned());
    tables.applets.extend(applets);
    tables.applets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(())
}

/// Adds literals to the ordered table, and gives those that signatures name their new numbers.
fn renumber<'a>(tables: &mut Tables, new: impl Iterator<Item = &'a Literal>) -> Result<()> {
    let old = std::mem::take(&mut tables.literals);
    let all: BTreeSet<Literal> = old.iter().copied().chain(new.copied()).collect();
    tables.literals = all.into_iter().collect();
    if tables.literals.len() > usize::from(u16::MAX) {
        return Err(format!("there are more than {} literals", u16::MAX));
    }
    let moved: Vec<usize> = old
        .iter()
        .filter_map(|literal| tables.literals.binary_search(literal).ok())
        .collect();
    for signature in tables.tools.iter_mut().flat_map(|tool| &mut tool.signatures) {
        for number in signature.any.iter_mut().chain(&mut signature.none) {
            if let Some(at) = moved.get(usize::from(*number)) {
                *number = u16::try_from(*at).map_err(|error| error.to_string())?;
            }
        }
    }
    Ok(())
}

/// The set of `names`, each only once.
fn unique<'a>(names: impl Iterator<Item = &'a String>, what: &str) -> Result<BTreeSet<&'a str>> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name.as_str()) {
            return Err(format!("{what} {name} stands twice in the catalogue"));
        }
    }
    Ok(seen)
}

/// Every literal of every signature, once.
fn literals(file: &File) -> Result<BTreeMap<&str, Literal>> {
    let mut all = BTreeMap::new();
    for tool in &file.tool {
        let texts = tool
            .signature
            .iter()
            .flat_map(|texts| texts.any.iter().chain(&texts.none));
        for text in texts {
            let literal = literal(text).map_err(|error| format!("tool {}: {error}", tool.id))?;
            all.insert(text.as_str(), literal);
        }
    }
    Ok(all)
}

fn literal(text: &str) -> Result<Literal> {
    let bytes = text.as_bytes();
    let shown = || text.chars().take(20).collect::<String>();
    if !hash::LITERAL.contains(&bytes.len()) {
        return Err(format!(
            "literal {:?}… has {} bytes, not 8 to 110",
            shown(),
            bytes.len()
        ));
    }
    let windows = bytes.array_windows::<{ hash::WINDOW }>().enumerate();
    let (offset, window) = windows
        .min_by_key(|(_, window)| commonness(*window))
        .ok_or_else(|| format!("literal {:?} is empty", shown()))?;
    let word = u64::from_le_bytes(*window);
    Ok(Literal {
        slot: hash::slot(word),
        check: hash::check(word),
        whole: hash::whole(bytes),
        offset: u8::try_from(offset).map_err(|error| error.to_string())?,
        length: u8::try_from(bytes.len()).map_err(|error| error.to_string())?,
    })
}

/// How often a window may occur in other programs: many equal bytes, lower-case letters and blanks are common.
fn commonness(window: &[u8]) -> usize {
    let equal = window.len() - window.iter().collect::<BTreeSet<_>>().len();
    let common = window
        .iter()
        .filter(|byte| byte.is_ascii_lowercase() || **byte == b' ')
        .count();
    2 * equal + common
}

/// Checks one tool; its signatures are numbered later.
fn compile_tool(entry: &Entry, ids: &BTreeSet<&str>, capabilities: &BTreeSet<&str>) -> Result<Tool> {
    if let Some(rule) = &entry.rule {
        is_rule(rule)?;
    }
    known(&entry.capabilities, capabilities)?;
    unique(entry.names.iter(), "name")?;
    for swallowed in &entry.swallows {
        let matches = |id: &&str| {
            swallowed
                .strip_suffix('*')
                .map_or(*id == swallowed, |start| id.starts_with(start))
        };
        if !ids.iter().any(matches) {
            return Err(format!("it swallows {swallowed}, which is no tool"));
        }
    }
    if entry.kind != Kind::Packed
        && entry.signature.is_empty()
        && entry.structure.is_empty()
        && entry.go.is_empty()
        && entry.script.is_empty()
    {
        return Err("it has nothing to be found by: no signature, structure, go or script".to_owned());
    }
    let mut seen = BTreeSet::new();
    for Texts { k, any, none, .. } in &entry.signature {
        unique(any.iter().chain(none), "literal")?;
        if *k == 0 || *k > any.len() {
            return Err(format!("k = {k} of {} literals cannot be", any.len()));
        }
        if !seen.insert(any) {
            return Err("the same signature stands there twice".to_owned());
        }
    }
    let structure = |Structure { all, .. }: &Structure| all.iter().map(|text| condition(text, ids)).collect();
    Ok(Tool {
        id: entry.id.clone(),
        rule: entry.rule.clone(),
        kind: entry.kind,
        generic: entry.generic,
        capabilities: entry.capabilities.clone(),
        names: entry.names.clone(),
        swallows: entry.swallows.clone(),
        table: entry.table,
        signatures: Vec::new(),
        structures: entry.structure.iter().map(structure).collect::<Result<_>>()?,
        go: entry.go.clone(),
        script: entry.script.clone(),
    })
}

/// One condition of a structural rule: `kind:value`, where a name may end in `*`.
fn condition(text: &str, ids: &BTreeSet<&str>) -> Result<Condition> {
    let (kind, value) = text
        .split_once(':')
        .ok_or_else(|| format!("condition {text} is not kind:value"))?;
    if value.is_empty() {
        return Err(format!("condition {text} has no value"));
    }
    let number = |value: &str| {
        value
            .parse::<u64>()
            .map_err(|error| format!("condition {text}: {error}"))
    };
    let name = || value.to_owned();
    Ok(match (kind, value) {
        ("role", "exec") => Condition::Startable(true),
        ("role", "lib") => Condition::Startable(false),
        ("needed", _) => Condition::Needed(name()),
        ("soname", _) => Condition::Soname(name()),
        ("interp", _) => Condition::Interpreter(name()),
        ("import", _) => Condition::Import(name()),
        ("define", _) => Condition::Define(name()),
        ("maxsize", bytes) => Condition::LoadedBelow(number(bytes)?),
        ("minhits", value) => {
            let (id, least) = value
                .split_once('=')
                .ok_or_else(|| format!("condition {text} is not minhits:ID=N"))?;
            if !ids.contains(id) {
                return Err(format!("condition {text} names no tool"));
            }
            let least = usize::try_from(number(least)?).map_err(|error| error.to_string())?;
            Condition::Hits(id.to_owned(), least)
        }
        _ => {
            return Err(format!(
                "condition {text} is of an unknown kind; there are role:exec, role:lib, needed, soname, interp, import, \
                 define, maxsize, minhits"
            ));
        }
    })
}

fn compile_applets(
    groups: &[Applets],
    before: &[Applet],
    capabilities: &BTreeSet<&str>,
) -> Result<Vec<Applet>> {
    let new = groups.iter().flat_map(|group| &group.names);
    unique(before.iter().map(|applet| &applet.name).chain(new), "applet")?;
    let mut rows = Vec::new();
    for group in groups {
        let Applets {
            rule,
            capabilities: has,
            names,
        } = group;
        known(has, capabilities)
            .and_then(|()| is_rule(rule))
            .map_err(|error| format!("applets {names:?}: {error}"))?;
        rows.extend(names.iter().map(|name| Applet {
            name: name.clone(),
            rule: rule.clone(),
            capabilities: has.clone(),
        }));
    }
    Ok(rows)
}

fn is_rule(rule: &str) -> Result<()> {
    if RULES.contains(&rule) {
        Ok(())
    } else {
        Err(format!("rule {rule} is none of {}", RULES.join(", ")))
    }
}

fn known(used: &[String], capabilities: &BTreeSet<&str>) -> Result<()> {
    unique(used.iter(), "capability")?;
    match used.iter().find(|id| !capabilities.contains(id.as_str())) {
        Some(id) => Err(format!("there is no capability {id}")),
        None => Ok(()),
    }
}
