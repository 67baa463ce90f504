//! To compile a catalogue is to check every entry and to turn its texts into hashes. The build script does it with
//! `policies/catalog/`, scant itself with entries of the user's own.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{
    combination::Combination,
    hash,
    literal::literal,
    module::Module,
    tables::{Applet, AppletTable, Capability, Condition, Kind, Literal, Signature, Structure, Tables, Tool},
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
    structure: Vec<Conditions>,
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
struct Conditions {
    variant: Option<String>,
    all: Vec<String>,
    because: Option<String>,
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
    let applets = compile_applets(&file.applets, &tables.applets, &capabilities)?;
    file.module.iter().try_for_each(|module| module.check(&ids))?;
    let combinations = tables.combinations.iter().chain(&file.combination);
    unique(combinations.map(|combination| &combination.id), "combination")?;
    file.combination
        .iter()
        .try_for_each(|all| all.check(&capabilities))?;
    let merged = tables.literals.iter().chain(literals.values()).copied();
    let merged: Vec<Literal> = merged.collect::<BTreeSet<_>>().into_iter().collect();
    if merged.len() > usize::from(u16::MAX) {
        return Err(format!("there are more than {} literals", u16::MAX));
    }
    let number = |text: &str| {
        let at = merged.binary_search(literals.get(text)?).ok()?;
        u16::try_from(at).ok()
    };
    let compiled = file.tool.iter().map(|tool| {
        compile_tool(tool, &ids, &capabilities, &number).map_err(|error| format!("tool {}: {error}", tool.id))
    });
    let compiled = compiled.collect::<Result<Vec<_>>>()?;
    renumber(tables, merged)?;
    tables.tools.extend(compiled);
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

/// Puts `merged`, which has all of the old ones, for the ordered literals, and gives those that tools name their new numbers.
fn renumber(tables: &mut Tables, merged: Vec<Literal>) -> Result<()> {
    let old = std::mem::replace(&mut tables.literals, merged);
    let moved: Vec<usize> = old
        .iter()
        .filter_map(|literal| tables.literals.binary_search(literal).ok())
        .collect();
    let renew = |number: &mut u16| {
        if let Some(at) = moved.get(usize::from(*number)) {
            *number = u16::try_from(*at).map_err(|error| error.to_string())?;
        }
        Ok::<_, String>(())
    };
    for tool in &mut tables.tools {
        let conditions = tool.structures.iter_mut().flat_map(|one| &mut one.all);
        let texts = conditions.filter_map(|condition| match condition {
            Condition::Text(numbers) => Some(numbers),
            _ => None,
        });
        let signatures = tool.signatures.iter_mut();
        let signatures = signatures.flat_map(|one| [&mut one.any, &mut one.none]);
        texts.chain(signatures).flatten().try_for_each(renew)?;
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

/// Shortest name of a symbol that may be asked for, in bytes.
const SYMBOL: usize = 3;

/// Every literal of every signature, once.
fn literals(file: &File) -> Result<BTreeMap<&str, Literal>> {
    let mut all = BTreeMap::new();
    for tool in &file.tool {
        let texts = tool.signature.iter();
        let texts = texts.flat_map(|texts| texts.any.iter().chain(&texts.none));
        let conditions = tool.structure.iter().flat_map(|structure| &structure.all);
        let conditions = conditions.filter_map(|condition| condition.strip_prefix("text:"));
        for text in texts.map(String::as_str).chain(conditions.flat_map(names)) {
            let literal = literal(text).map_err(|error| format!("tool {}: {error}", tool.id))?;
            all.insert(text, literal);
        }
    }
    Ok(all)
}

/// Checks one tool. `number` gives the number of each of its literals.
fn compile_tool(
    entry: &Entry,
    ids: &BTreeSet<&str>,
    capabilities: &BTreeSet<&str>,
    number: &impl Fn(&str) -> Option<u16>,
) -> Result<Tool> {
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
    let numbers = |texts: &[String]| texts.iter().filter_map(|text| number(text)).collect();
    let signatures = entry.signature.iter().map(|texts| Signature {
        k: texts.k,
        any: numbers(&texts.any),
        none: numbers(&texts.none),
    });
    let structures = entry.structure.iter().map(|structure| {
        let all = structure.all.iter().map(|text| condition(text, ids, number));
        Ok(Structure {
            all: all.collect::<Result<_>>()?,
            because: structure.because.clone(),
        })
    });
    Ok(Tool {
        id: entry.id.clone(),
        rule: entry.rule.clone(),
        kind: entry.kind,
        generic: entry.generic,
        capabilities: entry.capabilities.clone(),
        names: entry.names.clone(),
        swallows: entry.swallows.clone(),
        table: entry.table,
        signatures: signatures.collect(),
        structures: structures.collect::<Result<_>>()?,
        go: entry.go.clone(),
        script: entry.script.clone(),
    })
}

/// One condition of a structural rule: `kind:value`, where a name may end in `*` or several stand with `|` between them.
fn condition(text: &str, ids: &BTreeSet<&str>, literal: &impl Fn(&str) -> Option<u16>) -> Result<Condition> {
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
    if matches!(kind, "import" | "define") && names(value).any(|name| name.len() < SYMBOL) {
        return Err(format!("`{text}` names a symbol of fewer than {SYMBOL} letters"));
    }
    let name = || value.to_owned();
    let hashes = || names(value).map(|name| hash::whole(name.as_bytes())).collect();
    Ok(match (kind, value) {
        ("role", "exec") => Condition::Startable(true),
        ("role", "lib") => Condition::Startable(false),
        ("needed", _) => Condition::Needed(name()),
        ("soname", _) => Condition::Soname(name()),
        ("interp", _) => Condition::Interpreter(name()),
        ("import", _) => Condition::Import(names(value).map(str::to_owned).collect()),
        ("define", _) => Condition::Define(name()),
        ("text", _) => Condition::Text(names(value).filter_map(literal).collect()),
        ("go-main", _) => Condition::GoMain(hashes()),
        ("go-module", _) => Condition::GoModule(hashes()),
        ("crate-main", _) => Condition::CrateMain(hashes()),
        ("crate", _) => Condition::Crate(hashes()),
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
                 define, maxsize, minhits, text, go-main, go-module, crate-main, crate"
            ));
        }
    })
}

/// The names of a condition, of which one must be there.
fn names(value: &str) -> impl Iterator<Item = &str> {
    value.split('|')
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
