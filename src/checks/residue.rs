//! Residue is what a lower layer ships and the container never sees: removed or overwritten, and still downloaded and readable.

use std::collections::BTreeMap;

use crate::{
    binary::Form,
    finding::{Finding, Rule, Severity, State},
    layer::Kind,
    path::RootPath,
    rootfs::Residue,
};

use super::{
    Check, Subject, capability, device_file, identify, package_database, secret_file,
    set_id::{self, Bit},
};

const RULE: &str = "residue";
const FIX: &str = "Remove it in the instruction that brings it, or build in an earlier stage and copy only the result: a later \
                   layer hides a file, but does not take it out";

/// Bytes from which a file is named by itself.
const LARGE: u64 = 10 << 20;

/// Bytes below which what a later layer merely wrote anew is not worth a finding: `/etc/passwd`, a time stamp.
const CRUMBS: u64 = 64 << 10;

/// Removed files of one layer that are told one by one; more are told together.
const FEW: usize = 8;

/// Directories that only building fills. Their files are told together.
const CACHES: &[&str] = &[
    "/var/cache/apt",
    "/var/cache/apk",
    "/var/cache/dnf",
    "/var/cache/yum",
    "/var/lib/apt/lists",
    "/root/.cache",
    "/root/.npm",
    "/root/.cargo",
    "/root/.m2",
    "/root/.gradle",
    "/root/go/pkg",
    "/go/pkg",
    "/usr/local/cargo/registry",
    "/tmp",
    "/var/tmp",
];

/// Names that usually hold credentials.
const SECRETS: &[&[u8]] = &[
    b".env",
    b".netrc",
    b".npmrc",
    b".pypirc",
    b".git-credentials",
    b".dockercfg",
    b"id_rsa",
    b"id_dsa",
    b"id_ecdsa",
    b"id_ed25519",
    b"credentials",
];

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: &[],
    run,
};

/// What some residue is told as.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    /// By itself, since it is this.
    Alone(String),
    /// Together with the other files of a directory.
    Cache(RootPath),
    /// Together with the rest of its layer.
    Rest,
}

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(rule) = Rule::get(RULE) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut groups: BTreeMap<(Told, usize), Vec<&Residue>> = BTreeMap::new();
    for residue in subject.rootfs.residue() {
        if let Some(what) = device(residue, subject) {
            found.push(alone(rule, &what, residue, subject));
            continue;
        }
        if residue.entry.kind != Kind::File || residue.entry.size == 0 {
            continue;
        }
        match told(residue, subject) {
            Told::Alone(what) => found.push(alone(rule, &what, residue, subject)),
            group => groups.entry((group, residue.layer)).or_default().push(residue),
        }
    }
    for ((told, layer), mut members) in groups {
        let removed = members.iter().filter(|residue| !residue.overwritten).count();
        if told == Told::Rest && removed <= FEW {
            let (few, anew): (Vec<&Residue>, Vec<&Residue>) =
                members.into_iter().partition(|residue| !residue.overwritten);
            found.extend(few.into_iter().map(|residue| alone(rule, "", residue, subject)));
            members = anew;
        }
        found.extend(group(rule, &told, layer, &members));
    }
    found.sort_by(|a, b| (&a.path, &a.subject, a.layer).cmp(&(&b.path, &b.subject, b.layer)));
    found
}

fn told(residue: &Residue, subject: &Subject<'_>) -> Told {
    let entry = &residue.entry;
    let path = &entry.path;
    let (tool, rights) = (tool(residue, subject), rights(residue, subject));
    if tool.is_some() || !rights.is_empty() {
        let what: Vec<String> = tool.into_iter().chain(rights).collect();
        return Told::Alone(format!(", {},", what.join(", ")));
    }
    if let Some((what, _)) = secret_file::describe(path, &entry.secrets) {
        return Told::Alone(format!(", which holds {what},"));
    }
    if SECRETS.contains(&path.name()) && residue.entry.secrets.is_empty() {
        return Told::Alone(", a file that usually holds credentials,".to_owned());
    }
    if let Some(manager) = package_database::manager(path).filter(|_| !residue.overwritten) {
        return Told::Alone(format!(", the database of {manager},"));
    }
    let cache = CACHES
        .iter()
        .map(|cache| RootPath::from(*cache))
        .find(|cache| path.is_below(cache));
    if let Some(cache) = cache.or_else(|| dependency_cache(path)) {
        return Told::Cache(cache);
    }
    if entry.size >= LARGE {
        return Told::Alone(format!(" ({})", megabytes(entry.size)));
    }
    Told::Rest
}

/// The program, if one of the stronger rules about tools would have found it. What a later layer brings again, as an
/// update does, is judged where it is now.
fn tool(residue: &Residue, subject: &Subject<'_>) -> Option<String> {
    let program = residue.entry.program.as_ref()?;
    if matches!(&program.form, Form::Elf(elf) if !elf.startable) {
        return None;
    }
    let tool = identify::by_content(program, subject)?;
    if Rule::get(tool.rule)?.severity < Severity::Medium {
        return None;
    }
    let now = subject
        .rootfs
        .get(&residue.entry.path)
        .and_then(|node| node.program.as_ref());
    if now
        .and_then(|program| identify::by_content(program, subject))
        .is_some_and(|now| now.rule == tool.rule)
    {
        return None;
    }
    let name = identify::bare_evidence(&residue.entry.path, &tool, subject).name;
    let rule = tool.rule.replace('-', " ");
    Some(format!("the {rule} {name}"))
}

/// What a removed program gave whoever started it, unless what is in its place now gives the same.
fn rights(residue: &Residue, subject: &Subject<'_>) -> Vec<String> {
    let entry = &residue.entry;
    let Some(program) = entry.program.as_deref().filter(|program| program.is_program()) else {
        return Vec::new();
    };
    let now = subject
        .rootfs
        .get(&entry.path)
        .filter(|node| node.kind == Kind::File);
    let mut rights = Vec::new();
    for (bit, word, now_owner, owner) in [
        (Bit::User, "uid", now.map(|node| node.uid), entry.uid),
        (Bit::Group, "gid", now.map(|node| node.gid), entry.gid),
    ] {
        let still = now.is_some_and(|node| set_id::obeyed(bit, node.mode, node.program.as_deref()));
        if set_id::obeyed(bit, entry.mode, Some(program)) && !(still && now_owner == Some(owner)) {
            rights.push(format!("a set-{word} program of {word} {owner}"));
        }
    }
    let runs = entry.mode & 0o111 != 0 && !matches!(program.form, Form::Script(_));
    let value = entry.capability.as_deref().filter(|_| runs);
    let gives = value.and_then(|raw| capability::decode(raw).ok());
    let still = now.and_then(|node| node.capability.as_deref()) == value;
    if let Some(set) = gives.filter(|set| set.permitted != 0 && !still) {
        let names = capability::names(set.permitted);
        rights.push(format!("a program with the file capabilities {names}"));
    }
    rights
}

/// A removed device, but for those that open nothing and that tools which build a whole system leave below `/dev`.
fn device(residue: &Residue, subject: &Subject<'_>) -> Option<String> {
    let entry = &residue.entry;
    let device = device_file::device(&entry.kind)?;
    let still = subject
        .rootfs
        .get(&entry.path)
        .is_some_and(|node| node.kind == entry.kind);
    let left_over = device.harmless && entry.path.is_below(&RootPath::from("/dev"));
    (!left_over && !still).then(|| format!(", {},", device.what))
}

/// `node_modules/.cache`, `__pycache__` wherever it lies.
fn dependency_cache(path: &RootPath) -> Option<RootPath> {
    let is_cache = |name: &[u8]| matches!(name, b".cache" | b"__pycache__" | b".npm");
    if !path.components().any(is_cache) {
        return None;
    }
    std::iter::successors(path.parent(), RootPath::parent).find(|above| is_cache(above.name()))
}

fn alone(rule: &'static Rule, what: &str, residue: &Residue, subject: &Subject<'_>) -> Finding {
    let entry = &residue.entry;
    let verb = if residue.overwritten {
        "overwrites"
    } else {
        "removes"
    };
    let mut finding = Finding::new(
        rule,
        format!(
            "{}{what} is still shipped in layer {}, though layer {} {verb} it",
            entry.path, residue.layer, residue.hidden_by
        ),
        FIX,
    );
    finding.path = Some(entry.path.clone());
    finding.layer = Some(residue.layer);
    finding.state = if residue.overwritten {
        State::Overwritten
    } else {
        State::Removed
    };
    finding.bytes = entry.size;
    if SECRETS.contains(&entry.path.name()) || secret_file::describe(&entry.path, &entry.secrets).is_some() {
        finding.severity = Severity::High;
    }
    if let Some(tool) = entry
        .program
        .as_ref()
        .and_then(|program| identify::by_content(program, subject))
    {
        finding.identity = Some(identify::bare_evidence(&entry.path, &tool, subject));
    }
    finding
}

fn group(rule: &'static Rule, told: &Told, layer: usize, members: &[&Residue]) -> Option<Finding> {
    let bytes = members
        .iter()
        .map(|residue| residue.entry.size)
        .fold(0, u64::saturating_add);
    let overwritten = members.iter().all(|residue| residue.overwritten);
    let hidden: std::collections::BTreeSet<usize> = members.iter().map(|residue| residue.hidden_by).collect();
    let hidden: Vec<String> = hidden.iter().map(usize::to_string).collect();
    let by = match hidden.as_slice() {
        [one] => format!("layer {one} hides"),
        [first, .., last] => format!("layers {first} to {last} hide"),
        [] => return None,
    };
    let files = if members.len() == 1 {
        "1 file".to_owned()
    } else {
        format!("{} files", members.len())
    };
    let size = megabytes(bytes);
    if overwritten && bytes < CRUMBS {
        return None;
    }
    let (path, place) = if let Told::Cache(cache) = told {
        (cache.clone(), format!("of the cache {cache}"))
    } else {
        let folder = common_folder(members);
        let place = format!("below {folder}");
        (folder, place)
    };
    let message = format!("{files} {place} ({size}) are still shipped in layer {layer}, though {by} them");
    let mut finding = Finding::new(rule, message, FIX);
    finding.path = Some(path);
    finding.layer = Some(layer);
    finding.state = if overwritten {
        State::Overwritten
    } else {
        State::Removed
    };
    finding.bytes = bytes;
    Some(finding)
}

/// The deepest directory that all of them lie below.
fn common_folder(members: &[&Residue]) -> RootPath {
    let mut paths = members.iter().map(|residue| &residue.entry.path);
    let mut folder = paths.next().and_then(RootPath::parent).unwrap_or_default();
    for path in paths {
        while !path.is_below(&folder) {
            folder = folder.parent().unwrap_or_default();
        }
    }
    folder
}

/// Bytes as people read them, in powers of ten and with one decimal.
fn megabytes(bytes: u64) -> String {
    if bytes < 1_000_000 {
        format!("{:.1} kB", bytes as f64 / 1e3)
    } else {
        format!("{:.1} MB", bytes as f64 / 1e6)
    }
}
