//! Compiles `policies/catalog/*.toml` to tables of hashes: a signature's text never reaches the program.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads the project's own files and says where to put the result"
)]
#![expect(
    clippy::format_push_string,
    reason = "the tables are written once, and read more easily so"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fmt, fs,
    path::Path,
};

use serde::Deserialize;

#[path = "src/catalog/hash.rs"]
mod hash;

/// Rules that a tool can belong to, strongest first.
const RULES: [&str; 9] = [
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

/// One file of the catalogue.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    tool: Vec<Tool>,
    #[serde(default)]
    capability: Vec<Capability>,
    #[serde(default)]
    applets: Vec<Applets>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    id: String,
    rule: Option<String>,
    kind: String,
    #[serde(default)]
    generic: bool,
    capabilities: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    swallows: Vec<String>,
    table: Option<String>,
    #[serde(default)]
    go: Vec<String>,
    #[serde(default)]
    script: Vec<String>,
    #[serde(default)]
    signature: Vec<Signature>,
    #[serde(default)]
    structure: Vec<Structure>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "variant, origin, tested and note speak to the reader of the catalogue"
)]
struct Signature {
    variant: Option<String>,
    k: usize,
    any: Vec<String>,
    #[serde(default)]
    none: Vec<String>,
    origin: String,
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
struct Capability {
    id: String,
    meaning: String,
    attack: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Applets {
    rule: String,
    #[serde(default)]
    capabilities: Vec<String>,
    names: Vec<String>,
}

type Result<T> = std::result::Result<T, String>;

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=policies/catalog");
    println!("cargo::rerun-if-changed=src/catalog/hash.rs");
    let catalog = read(Path::new("policies/catalog"))?;
    let tables = compile(&catalog)?;
    let to = Path::new(&env::var("OUT_DIR")?).join("catalog.rs");
    fs::write(to, tables)?;
    Ok(())
}

/// Reads all files of the catalogue into one, in the order of the rules, then of ids.
fn read(directory: &Path) -> Result<File> {
    let mut all = File {
        tool: Vec::new(),
        capability: Vec::new(),
        applets: Vec::new(),
    };
    for entry in fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let at = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| at(&error))?;
        let file: File = toml::from_str(&text).map_err(|error| at(&error))?;
        all.tool.extend(file.tool);
        all.capability.extend(file.capability);
        all.applets.extend(file.applets);
    }
    let rank = |rule: &Option<String>| rule.as_ref().map_or(RULES.len(), |rule| rank(rule));
    all.tool
        .sort_by(|a, b| (rank(&a.rule), &a.id).cmp(&(rank(&b.rule), &b.id)));
    all.capability.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(all)
}

fn rank(rule: &str) -> usize {
    RULES
        .iter()
        .position(|known| *known == rule)
        .unwrap_or(RULES.len())
}

/// Checks every entry and writes the tables as Rust.
fn compile(catalog: &File) -> Result<String> {
    let capabilities = unique(
        catalog.capability.iter().map(|capability| capability.id.as_str()),
        "capability",
    )?;
    let ids = unique(catalog.tool.iter().map(|tool| tool.id.as_str()), "tool")?;
    let literals = literals(catalog)?;
    let mut out = String::new();

    out.push_str(&format!("pub(crate) static RULES: &[&str] = &{RULES:?};\n"));
    out.push_str("pub(crate) static CAPABILITIES: &[Capability] = &[\n");
    for Capability { id, meaning, attack } in &catalog.capability {
        out.push_str(&format!(
            "Capability {{ id: {id:?}, meaning: {meaning:?}, attack: &{attack:?} }},\n"
        ));
    }
    out.push_str("];\npub(crate) static LITERALS: &[Literal] = &[\n");
    for literal in literals.values().collect::<BTreeSet<_>>() {
        out.push_str(&format!("{literal:?},\n"));
    }
    out.push_str("];\npub(crate) static TOOLS: &[Tool] = &[\n");
    for tool in &catalog.tool {
        let id = &tool.id;
        out.push_str(
            &compile_tool(tool, &ids, &capabilities, &literals).map_err(|error| format!("{id}: {error}"))?,
        );
    }
    out.push_str("];\npub(crate) static APPLETS: &[Applet] = &[\n");
    out.push_str(&compile_applets(&catalog.applets, &capabilities)?);
    out.push_str("];\n");
    Ok(out)
}

/// The set of `names`, each only once.
fn unique<'a>(names: impl Iterator<Item = &'a str>, what: &str) -> Result<BTreeSet<&'a str>> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{what} {name} stands twice in the catalogue"));
        }
    }
    Ok(seen)
}

/// A literal as the program has it. Ordered by slot, which is how the search finds it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Literal {
    slot: u32,
    check: u32,
    whole: u64,
    offset: u8,
    length: u8,
}

impl Literal {
    fn new(text: &str) -> Result<Self> {
        let bytes = text.as_bytes();
        let shown = || text.chars().take(20).collect::<String>();
        if !hash::LITERAL.contains(&bytes.len()) {
            return Err(format!(
                "literal {:?}… has {} bytes, not 8 to 110",
                shown(),
                bytes.len()
            ));
        }
        let (offset, window) = bytes
            .windows(hash::WINDOW)
            .enumerate()
            .min_by_key(|(_, window)| commonness(window))
            .ok_or_else(|| format!("literal {:?} is empty", shown()))?;
        let mut word = [0; hash::WINDOW];
        word.copy_from_slice(window);
        let word = u64::from_le_bytes(word);
        Ok(Self {
            slot: hash::slot(word),
            check: hash::check(word),
            whole: hash::whole(bytes),
            offset: u8::try_from(offset).map_err(|error| error.to_string())?,
            length: u8::try_from(bytes.len()).map_err(|error| error.to_string())?,
        })
    }
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

/// Every literal of every signature, once.
fn literals(catalog: &File) -> Result<BTreeMap<&str, Literal>> {
    let mut all = BTreeMap::new();
    for tool in &catalog.tool {
        for text in tool
            .signature
            .iter()
            .flat_map(|signature| signature.any.iter().chain(&signature.none))
        {
            all.insert(
                text.as_str(),
                Literal::new(text).map_err(|error| format!("{}: {error}", tool.id))?,
            );
        }
    }
    Ok(all)
}

fn compile_tool(
    tool: &Tool,
    ids: &BTreeSet<&str>,
    capabilities: &BTreeSet<&str>,
    literals: &BTreeMap<&str, Literal>,
) -> Result<String> {
    let kind = match tool.kind.as_str() {
        "program" => "Program",
        "multi-call" => "MultiCall",
        "script" => "Script",
        "heuristic" => "Heuristic",
        "applet" => "Applet",
        "library" | "embeds" | "bundle" | "loader" | "feature" => "Evidence",
        "packed" => "Packed",
        other => return Err(format!("kind {other} is unknown")),
    };
    let table = match tool.table.as_deref() {
        None => "None",
        Some("busybox") => "Some(AppletTable::Names)",
        Some("toybox") => "Some(AppletTable::Pointers)",
        Some(other) => return Err(format!("table {other} is neither busybox nor toybox")),
    };
    if let Some(rule) = &tool.rule
        && !RULES.contains(&rule.as_str())
    {
        return Err(format!("rule {rule} is none of {RULES:?}"));
    }
    known(&tool.capabilities, capabilities)?;
    unique(tool.names.iter().map(String::as_str), "name")?;
    for swallowed in &tool.swallows {
        let matches = |id: &&str| {
            swallowed
                .strip_suffix('*')
                .map_or(*id == swallowed, |start| id.starts_with(start))
        };
        if !ids.iter().any(matches) {
            return Err(format!("it swallows {swallowed}, which is no tool"));
        }
    }
    // That a program is packed is seen from its structure, by code.
    if tool.kind != "packed"
        && tool.signature.is_empty()
        && tool.structure.is_empty()
        && tool.go.is_empty()
        && tool.script.is_empty()
    {
        return Err("it has nothing to be found by".to_owned());
    }
    let numbers: BTreeMap<&Literal, usize> = literals
        .values()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .enumerate()
        .map(|(n, literal)| (literal, n))
        .collect();
    let number = |text: &String| numbers[&literals[text.as_str()]];
    let mut signatures = String::new();
    let mut seen = BTreeSet::new();
    for Signature { k, any, none, .. } in &tool.signature {
        unique(any.iter().chain(none).map(String::as_str), "literal")?;
        if *k == 0 || *k > any.len() {
            return Err(format!("k = {k} of {} literals cannot be", any.len()));
        }
        if !seen.insert(any) {
            return Err("the same signature stands there twice".to_owned());
        }
        let any: Vec<usize> = any.iter().map(number).collect();
        let none: Vec<usize> = none.iter().map(number).collect();
        signatures.push_str(&format!(
            "Signature {{ k: {k}, any: &{any:?}, none: &{none:?} }}, "
        ));
    }
    let mut structures = String::new();
    for Structure { all, .. } in &tool.structure {
        let conditions = all
            .iter()
            .map(|text| condition(text, ids))
            .collect::<Result<Vec<_>>>()?;
        structures.push_str(&format!("&[{}], ", conditions.join(", ")));
    }
    let Tool {
        id,
        rule,
        generic,
        capabilities,
        names,
        swallows,
        go,
        script,
        ..
    } = tool;
    Ok(format!(
        "Tool {{ id: {id:?}, rule: {rule:?}, kind: Kind::{kind}, generic: {generic}, capabilities: &{capabilities:?}, \
         names: &{names:?}, swallows: &{swallows:?}, table: {table}, signatures: &[{signatures}], structures: &[{structures}], \
         go: &{go:?}, script: &{script:?} }},\n"
    ))
}

/// One condition of a structural rule: `kind:value`, where a name may end in `*`.
fn condition(text: &str, ids: &BTreeSet<&str>) -> Result<String> {
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
    Ok(match (kind, value) {
        ("role", "exec") => "Condition::Startable(true)".to_owned(),
        ("role", "lib") => "Condition::Startable(false)".to_owned(),
        ("needed", name) => format!("Condition::Needed({name:?})"),
        ("soname", name) => format!("Condition::Soname({name:?})"),
        ("interp", name) => format!("Condition::Interpreter({name:?})"),
        ("import", name) => format!("Condition::Import({name:?})"),
        ("define", name) => format!("Condition::Define({name:?})"),
        ("maxsize", bytes) => format!("Condition::LoadedBelow({})", number(bytes)?),
        ("minhits", value) => {
            let (id, least) = value
                .split_once('=')
                .ok_or_else(|| format!("condition {text} is not minhits:ID=N"))?;
            if !ids.contains(id) {
                return Err(format!("condition {text} names no tool"));
            }
            format!("Condition::Hits({id:?}, {})", number(least)?)
        }
        _ => return Err(format!("condition {text} is of an unknown kind")),
    })
}

fn compile_applets(groups: &[Applets], capabilities: &BTreeSet<&str>) -> Result<String> {
    unique(
        groups.iter().flat_map(|group| &group.names).map(String::as_str),
        "applet",
    )?;
    let mut rows = BTreeMap::new();
    for group in groups {
        let Applets {
            rule,
            capabilities: has,
            names,
        } = group;
        known(has, capabilities).map_err(|error| format!("applets {names:?}: {error}"))?;
        if !RULES.contains(&rule.as_str()) {
            return Err(format!("applets {names:?}: rule {rule} is none of {RULES:?}"));
        }
        for name in names {
            rows.insert(
                name,
                format!("Applet {{ name: {name:?}, rule: {rule:?}, capabilities: &{has:?} }},\n"),
            );
        }
    }
    Ok(rows.into_values().collect())
}

fn known(used: &[String], capabilities: &BTreeSet<&str>) -> Result<()> {
    unique(used.iter().map(String::as_str), "capability")?;
    match used.iter().find(|id| !capabilities.contains(id.as_str())) {
        Some(id) => Err(format!("capability {id} is not in capabilities.toml")),
        None => Ok(()),
    }
}
