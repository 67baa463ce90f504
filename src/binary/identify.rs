//! An identity is decided from what the search, the headers and the tables of one file say together.

use std::{cmp::Reverse, collections::BTreeSet};

use super::{
    Confidence, Elf, Identity, applets,
    crates::Crates,
    elf::Reading,
    go::{BuildInfo, Module},
    search::Found,
};
use crate::{
    catalog::{
        Catalog, hash, matches, rank,
        tables::{AppletTable, Condition, Kind, Signature, Structure, Tool},
    },
    text,
};

/// Literals beyond the needed ones that leave no doubt.
const BEYOND_DOUBT: usize = 3;
/// So many tools in one file are a list of texts, or a tool that hides among them.
const CARRIER: usize = 5;

/// A family that was found on a file, and why.
struct Label<'c> {
    tool: &'c Tool,
    confidence: Confidence,
    reasons: Vec<String>,
    /// Only texts speak for it.
    texts_only: bool,
    applets: Vec<String>,
    version: Option<String>,
}

impl<'c> Label<'c> {
    fn new(tool: &'c Tool, confidence: Confidence, reason: String, texts_only: bool) -> Self {
        Self {
            tool,
            confidence,
            reasons: vec![reason],
            texts_only,
            applets: Vec::new(),
            version: None,
        }
    }
}

/// What of an ELF file families are known by.
pub(super) struct Seen<'a> {
    pub(super) reading: &'a Reading<'a>,
    /// Literals of the catalogue in it.
    pub(super) found: &'a Found,
    /// Crates that the catalogue asks for.
    pub(super) crates: &'a Crates,
    /// What Go's linker left in it.
    pub(super) go: Option<&'a BuildInfo>,
    /// Its symbols count, too.
    pub(super) symbols: bool,
}

/// What an ELF file is: all families that its content shows, strongest first.
pub(super) fn elf(catalog: &Catalog, seen: &Seen<'_>) -> Vec<Identity> {
    let Seen {
        reading, found, go, ..
    } = *seen;
    let symbols = if seen.symbols {
        reading.symbols(catalog.symbols())
    } else {
        Default::default()
    };
    let main_packages = go.map_or_else(Vec::new, |info| catalog.with_main_package(&info.path));
    // Most programs have texts of few tools.
    let with_texts: BTreeSet<&usize> = found
        .numbers()
        .flat_map(|literal| catalog.tools_of(literal))
        .collect();
    let mut labels: Vec<Label<'_>> = Vec::new();
    for (number, tool) in catalog.tools().iter().enumerate() {
        let structure = tool.structures.iter().find(|structure| {
            structure
                .all
                .iter()
                .all(|one| holds(one, catalog, seen, &symbols))
        });
        let texts = with_texts.contains(&number).then(|| texts(tool, found)).flatten();
        let main_package = go.filter(|_| main_packages.contains(&number));
        let mut add = |confidence, reason, texts_only| match labels.last_mut() {
            Some(label) if label.tool.id == tool.id => {
                label.confidence = label.confidence.max(confidence);
                label.texts_only &= texts_only;
                label.reasons.push(reason);
            }
            _ => labels.push(Label::new(tool, confidence, reason, texts_only)),
        };
        if let Some(structure) = structure {
            add(Confidence::Certain, describe(structure, seen, &symbols.0), false);
        }
        if let Some((confidence, reason)) = texts {
            add(confidence, reason, true);
        }
        if let Some(info) = main_package {
            add(
                Confidence::Certain,
                format!("main package {}", text::escape(&info.path)),
                false,
            );
        }
    }
    for label in &mut labels {
        // A shape may be that of a program of another purpose, whatever it is found by.
        if label.tool.kind == Kind::Heuristic {
            label.confidence = Confidence::Likely;
        }
        label.version = go.and_then(|info| info.version.clone());
    }
    read_applets(catalog, reading, &mut labels);
    resolve(catalog, labels, &format!("ELF {}", describe_elf(&reading.elf)))
}

/// What a script is, by the text it begins with.
pub(super) fn script(catalog: &Catalog, head: &[u8]) -> Vec<Identity> {
    let label = |number: usize| {
        let tool = catalog.tools().get(number)?;
        Some(Label::new(
            tool,
            Confidence::Likely,
            format!("it starts {} as that tool's script does", name(tool)),
            true,
        ))
    };
    let labels = catalog.with_script(head).into_iter().filter_map(label).collect();
    resolve(catalog, labels, "script")
}

/// The best signature of `tool` that matches.
fn texts(tool: &Tool, found: &Found) -> Option<(Confidence, String)> {
    let hits = |signature: &Signature| found.count(&signature.any);
    let matching =
        |signature: &&Signature| hits(signature) >= signature.k && found.count(&signature.none) == 0;
    let best = tool
        .signatures
        .iter()
        .filter(matching)
        .max_by_key(|signature| hits(signature) - signature.k)?;
    let sure = hits(best) >= best.k + BEYOND_DOUBT || best.any.len() == 1;
    let confidence = if sure {
        Confidence::Certain
    } else {
        Confidence::Likely
    };
    Some((
        confidence,
        format!("{} of {} texts of {}", hits(best), best.any.len(), name(tool)),
    ))
}

fn holds(
    condition: &Condition,
    catalog: &Catalog,
    seen: &Seen<'_>,
    (imports, defines): &(BTreeSet<&[u8]>, BTreeSet<&[u8]>),
) -> bool {
    let elf = &seen.reading.elf;
    match condition {
        Condition::Startable(wanted) => elf.startable == *wanted,
        Condition::Needed(pattern) => elf.needed.iter().any(|name| matches(pattern, name)),
        Condition::Soname(pattern) => elf.soname.as_ref().is_some_and(|name| matches(pattern, name)),
        Condition::Interpreter(pattern) => elf
            .interpreter
            .as_ref()
            .is_some_and(|path| matches(pattern, path)),
        Condition::Import(names) => names.iter().any(|name| imports.contains(name.as_bytes())),
        Condition::Define(name) => defines.contains(name.as_bytes()),
        Condition::LoadedBelow(bytes) => seen.reading.loaded_end <= *bytes,
        Condition::Text(literals) => seen.found.count(literals) > 0,
        Condition::GoMain(names) => seen
            .go
            .is_some_and(|info| names.contains(&hash::whole(&info.module))),
        Condition::GoModule(names) => module(seen, names).is_some(),
        Condition::CrateMain(names) => seen.crates.main(names).is_some(),
        Condition::Crate(names) => seen.crates.any(names).is_some(),
        Condition::Hits(id, least) => {
            let literals: BTreeSet<u16> = catalog
                .tool(id)
                .into_iter()
                .flat_map(|tool| &tool.signatures)
                .flat_map(|signature| &signature.any)
                .copied()
                .collect();
            seen.found.count(&literals.into_iter().collect::<Vec<_>>()) >= *least
        }
    }
}

/// The first of these modules that a Go program is built with.
fn module<'a>(seen: &Seen<'a>, names: &[u64]) -> Option<&'a Module> {
    let modules = &seen.go?.modules;
    modules
        .iter()
        .find(|module| names.contains(&hash::whole(&module.path)))
}

/// Reads the table of a multi-call program. One that has none is judged by the applets whose code its texts show, since
/// a build of a single applet has no table.
fn read_applets(catalog: &Catalog, reading: &Reading<'_>, labels: &mut [Label<'_>]) {
    let seen: Vec<&str> = labels.iter().filter_map(|label| applet_of(label.tool)).collect();
    let seen: Vec<String> = seen.into_iter().map(str::to_owned).collect();
    for label in labels {
        let Some(table) = label.tool.table else { continue };
        label.applets = match table {
            AppletTable::Names => applets::in_name_table(catalog, reading.content.head),
            AppletTable::Pointers => applets::in_pointer_table(catalog, reading),
        };
        if label.applets.is_empty() {
            label.applets.clone_from(&seen);
            label.confidence = Confidence::Likely;
            let mut reason = "its table of applets cannot be read".to_owned();
            if seen.is_empty() && applets::names_a_shell(reading.content.head) {
                label.applets.push("sh".to_owned());
                reason.push_str(", but a shell is named in it");
            }
            label.reasons.push(reason);
        } else {
            label.confidence = Confidence::Certain;
            label.texts_only = false;
            label
                .reasons
                .push(format!("a table of {} applets", label.applets.len()));
        }
    }
}

/// The applet whose code a family's texts show.
fn applet_of(tool: &Tool) -> Option<&str> {
    match (tool.kind, tool.id.as_str()) {
        (Kind::Applet, id) => id.strip_prefix("applet."),
        (_, "shell.almquist") => Some("ash"),
        (_, "shell.hush") => Some("hush"),
        _ => None,
    }
}

/// Lets families give way to those whose code contains theirs, and orders the rest by rule.
fn resolve(catalog: &Catalog, mut labels: Vec<Label<'_>>, form: &str) -> Vec<Identity> {
    let rule = |label: &Label<'_>| catalog.meaning(&label.tool.id, &label.applets)?.rule;
    let others: Vec<(&Tool, Option<&str>)> = labels.iter().map(|label| (label.tool, rule(label))).collect();
    labels.retain(|label| {
        let mut others = others.iter().filter(|(other, _)| other.id != label.tool.id);
        !others.any(|(other, rule)| gives_way(label.tool, other, *rule))
    });
    let tools = labels.iter().filter(|label| label.tool.rule.is_some()).count();
    let identities = labels.into_iter().map(|label| {
        let Label {
            tool,
            mut confidence,
            mut reasons,
            texts_only,
            applets,
            version,
        } = label;
        if texts_only && tools >= CARRIER {
            confidence = Confidence::Likely;
            reasons.push(format!(
                "one of {tools} tools in this file: a list of texts, or a tool hidden in one"
            ));
        }
        let evidence = format!("{}; {form}", reasons.join(", "));
        Identity {
            family: tool.id.clone(),
            confidence,
            evidence,
            applets,
            version,
        }
    });
    let mut identities: Vec<Identity> = identities.collect();
    order(catalog, &mut identities);
    identities
}

/// Puts the strongest first: by rule, named programs before generic ones, the surer before the less sure, by id.
fn order(catalog: &Catalog, identities: &mut [Identity]) {
    identities.sort_by_cached_key(|identity| {
        let rule = catalog
            .meaning(&identity.family, &identity.applets)
            .and_then(|meaning| meaning.rule);
        let generic = catalog.tool(&identity.family).is_some_and(|tool| tool.generic);
        (
            rank(rule),
            generic,
            Reverse(identity.confidence),
            identity.family.clone(),
        )
    });
}

/// What a packed program is: what its unpacked self is, beside what it shows itself, and that it is packed.
pub(super) fn packed(catalog: &Catalog, outside: Vec<Identity>, inside: Vec<Identity>) -> Vec<Identity> {
    let mut all = inside;
    for identity in &mut all {
        identity.evidence.push_str(", found after unpacking");
    }
    for identity in outside {
        if all.iter().all(|known| known.family != identity.family) {
            all.push(identity);
        }
    }
    all.push(Identity {
        family: "packed.upx".to_owned(),
        confidence: Confidence::Certain,
        evidence: "a chain of compressed blocks that holds another program".to_owned(),
        applets: Vec::new(),
        version: None,
    });
    order(catalog, &mut all);
    all
}

/// Whether `tool` is not worth naming beside `other`, which belongs to `rule`: its code is part of the other's, or it is
/// generic and the other is a program by name. A known shell stays beside what is weaker, such as a busybox whose table has
/// no shell: it could hide behind a few texts.
fn gives_way(tool: &Tool, other: &Tool, rule: Option<&str>) -> bool {
    let named = matches!(other.kind, Kind::Program | Kind::MultiCall | Kind::Script);
    let hides = tool.kind == Kind::Program && tool.rule.as_deref() == Some("shell") && rank(rule) > 0;
    let generic = tool.generic && named && (!other.generic || tool.kind != Kind::Program);
    !hides && (generic || other.swallows(&tool.id))
}

/// What a person calls a family.
fn name(tool: &Tool) -> &str {
    tool.id.split_once('.').map_or(&tool.id, |(_, name)| name)
}

fn describe(structure: &Structure, seen: &Seen<'_>, imports: &BTreeSet<&[u8]>) -> String {
    let elf = &seen.reading.elf;
    let versioned = |name: &[u8], version: &[u8]| {
        let blank = if version.is_empty() { "" } else { " " };
        format!("{}{blank}{}", text::escape(name), text::escape(version))
    };
    let parts = structure.all.iter().filter_map(|condition| match condition {
        Condition::Needed(pattern) => {
            let name = elf.needed.iter().find(|name| matches(pattern, name))?;
            Some(format!("needs {}", text::escape(name)))
        }
        Condition::Soname(_) => Some(format!("is the library {}", text::escape(elf.soname.as_ref()?))),
        Condition::Import(names) => {
            let name = names.iter().find(|name| imports.contains(name.as_bytes()))?;
            Some(format!("calls {name}"))
        }
        Condition::Define(name) => Some(format!("has {name}")),
        Condition::GoMain(_) => Some(format!(
            "is a program of the Go module {}",
            versioned(&seen.go?.module, &[])
        )),
        Condition::GoModule(names) => {
            let module = module(seen, names)?;
            let shown = versioned(&module.path, &module.version);
            Some(format!("is built with the Go module {shown}"))
        }
        Condition::CrateMain(names) => {
            let main = seen.crates.main(names)?;
            let shown = versioned(&main.name, &main.version);
            Some(format!("is a program of the Rust crate {shown}"))
        }
        Condition::Crate(names) => {
            let one = seen.crates.any(names)?;
            let shown = versioned(&one.name, &one.version);
            Some(format!("is built with the Rust crate {shown}"))
        }
        _ => None,
    });
    let parts: Vec<String> = parts.chain(structure.because.clone()).collect();
    parts.join(", ")
}

/// The machine and how it is linked: `x86-64, dynamic`.
fn describe_elf(elf: &Elf) -> String {
    match elf.machine_name() {
        Some(machine) => format!("{machine}, {}", elf.linkage()),
        None => format!("machine {}", elf.machine),
    }
}
