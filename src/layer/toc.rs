//! A table of contents of eStargz form: the last member of such a layer, by which some runtimes fetch files one by one.
//!
//! They see what the table says, and others what the archive says (stargz-snapshotter, `docs/estargz.md`). So the two must
//! agree. Contents need no hash for that: a table says in which gzip member of the blob each of them begins, and where that
//! lies in the archive is known once the blob was read.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

use super::{Entry, Kind};
use crate::path::RootPath;

/// Where the table lies.
const PATH: &[u8] = b"stargz.index.json";
/// Differing members that are named.
const NAMED: usize = 3;

/// Where things lie in a layer.
pub(super) struct Places<'a> {
    /// Where each gzip member begins in the blob, and in the archive; in order.
    pub(super) members: &'a [(u64, u64)],
    /// Where the content of each entry begins in the archive; `None` for those with holes.
    pub(super) contents: &'a [Option<u64>],
}

impl Places<'_> {
    /// Where the gzip member that begins there in the blob begins in the archive.
    pub(super) fn of_member(&self, blob: u64) -> Option<u64> {
        let at = self.members.binary_search_by_key(&blob, |member| member.0).ok()?;
        self.members.get(at).map(|member| member.1)
    }
}

#[derive(Deserialize)]
struct Table {
    version: i64,
    entries: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    link_name: String,
    #[serde(default)]
    mode: i64,
    #[serde(default)]
    uid: i64,
    #[serde(default)]
    gid: i64,
    #[serde(default)]
    xattrs: BTreeMap<String, String>,
    /// The gzip member in which this content, or this piece of it, is.
    #[serde(default)]
    offset: u64,
    /// Bytes of the member before it.
    #[serde(default)]
    inner_offset: u64,
    /// Bytes of the content before it.
    #[serde(default)]
    chunk_offset: u64,
}

/// What both sides say of one path.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    kind: &'static str,
    size: u64,
    link: Vec<u8>,
    mode: i64,
    owner: (i64, i64),
    capability: Option<Vec<u8>>,
}

/// Whether an entry is a table of contents.
pub(super) fn is_table(entry: &Entry) -> bool {
    entry.kind == Kind::File && entry.path.as_bytes() == PATH
}

/// How the table differs from the members before it: what a gap says. `Err`: it is no such table.
pub(super) fn difference(
    table: &[u8],
    entries: &[Entry],
    places: &Places<'_>,
) -> Result<Option<String>, String> {
    let table: Table = serde_json::from_slice(table).map_err(|error| error.to_string())?;
    if table.version != 1 {
        return Err(format!("its version is {}", table.version));
    }
    let rows = table.entries.iter().filter(|row| row.kind != "chunk");
    let told: BTreeMap<(RootPath, bool), Said> = rows.map(of_row).collect();
    let is: BTreeMap<(RootPath, bool), Said> = entries
        .iter()
        .filter(|entry| !is_table(entry))
        .filter_map(of_entry)
        .collect();
    let mut differing: Vec<&RootPath> = told
        .iter()
        .filter(|(path, said)| is.get(*path) != Some(*said))
        .map(|((path, _), _)| path)
        .chain(
            is.keys()
                .filter(|path| !told.contains_key(*path))
                .map(|(path, _)| path),
        )
        .collect();
    let elsewhere = elsewhere(&table, entries, places);
    differing.extend(&elsewhere);
    differing.sort_unstable();
    differing.dedup();
    if differing.is_empty() {
        return Ok(None);
    }
    let named: Vec<String> = differing.iter().take(NAMED).map(ToString::to_string).collect();
    Ok(Some(format!(
        "the table of contents in `stargz.index.json` differs from the archive at {} paths, such as {}: a runtime that fetches \
         files one by one would show others than one that unpacks",
        differing.len(),
        named.join(", ")
    )))
}

/// Files whose content, or a piece of it, is not where the table says.
fn elsewhere(table: &Table, entries: &[Entry], places: &Places<'_>) -> Vec<RootPath> {
    let files = entries.iter().zip(places.contents);
    let files = files.filter(|(entry, _)| entry.kind == Kind::File);
    let is: BTreeMap<&RootPath, Option<u64>> = files.map(|(entry, at)| (&entry.path, *at)).collect();
    let mut elsewhere = Vec::new();
    // A piece belongs to the file before it, whatever it is called.
    let mut file = RootPath::root();
    for row in &table.entries {
        if row.kind != "chunk" {
            file = RootPath::clean(row.name.as_bytes());
        }
        if row.kind != "chunk" && (row.kind != "reg" || row.size == 0) {
            continue;
        }
        let told = places
            .of_member(row.offset)
            .and_then(|at| at.checked_add(row.inner_offset));
        let is = is.get(&file).copied().flatten();
        if told.is_none() || told != is.and_then(|at| at.checked_add(row.chunk_offset)) {
            elsewhere.push(file.clone());
        }
    }
    elsewhere
}

/// A row by its path, apart for markers.
fn of_row(row: &Row) -> ((RootPath, bool), Said) {
    let path = RootPath::clean(row.name.as_bytes());
    let marker = path.name().starts_with(b".wh.");
    let kind = match row.kind.as_str() {
        _ if marker => "marker",
        "dir" => "dir",
        "reg" => "reg",
        "symlink" => "symlink",
        "hardlink" => "hardlink",
        "char" => "char",
        "block" => "block",
        "fifo" => "fifo",
        _ => "unknown",
    };
    let link = match kind {
        "symlink" => row.link_name.as_bytes().to_vec(),
        "hardlink" => RootPath::clean(row.link_name.as_bytes()).as_bytes().to_vec(),
        _ => Vec::new(),
    };
    let capability = row.xattrs.get("security.capability");
    // What is not base64 equals no set.
    let capability = capability.map(|value| STANDARD.decode(value).unwrap_or_default());
    let said = Said {
        kind,
        size: if kind == "reg" { row.size } else { 0 },
        link,
        mode: if marker { 0 } else { row.mode & 0o7777 },
        owner: if marker { (0, 0) } else { (row.uid, row.gid) },
        capability: capability.filter(|_| !marker),
    };
    ((path, marker), said)
}

/// The same of a member; a marker's path is that of its own.
fn of_entry(entry: &Entry) -> Option<((RootPath, bool), Said)> {
    let (kind, link): (_, &[u8]) = match &entry.kind {
        Kind::File => ("reg", b""),
        Kind::Directory => ("dir", b""),
        Kind::Symlink(target) => ("symlink", target),
        Kind::HardLink(target) => ("hardlink", target.as_bytes()),
        Kind::CharDevice { .. } => ("char", b""),
        Kind::BlockDevice { .. } => ("block", b""),
        Kind::Fifo => ("fifo", b""),
        Kind::Whiteout | Kind::Opaque => ("marker", b""),
    };
    let marker = kind == "marker";
    let path = match entry.kind {
        Kind::Whiteout => {
            let name = [b".wh.".as_slice(), entry.path.name()].concat();
            entry.path.parent()?.join(&name)
        }
        Kind::Opaque => entry.path.join(b".wh..wh..opq"),
        _ => entry.path.clone(),
    };
    let said = Said {
        kind,
        size: if kind == "reg" { entry.size } else { 0 },
        link: link.to_vec(),
        mode: if marker { 0 } else { entry.mode.into() },
        owner: if marker {
            (0, 0)
        } else {
            (
                i64::try_from(entry.uid).unwrap_or(i64::MAX),
                i64::try_from(entry.gid).unwrap_or(i64::MAX),
            )
        },
        capability: entry.capability.clone().filter(|_| !marker),
    };
    Some(((path, marker), said))
}

/// Length of the empty gzip member that ends a layer of eStargz form.
const FOOTER: usize = 51;
/// Where the word stands in it that says so, behind 16 hex digits: the table's place in the blob.
const WORD: usize = 32;

/// The place of the table of contents that the last bytes of a blob state, if it has eStargz form.
pub(super) fn stated_place(tail: &[u8]) -> Option<u64> {
    let footer = tail.get(tail.len().checked_sub(FOOTER)?..)?;
    let digits = footer.get(WORD - 16..WORD)?;
    let word = footer.get(WORD..WORD + 6)?;
    let digits = std::str::from_utf8(digits).ok()?;
    (word == b"STARGZ").then(|| u64::from_str_radix(digits, 16).ok())?
}

/// The form of a blob that ends so, if its table is not in the archive: in a frame that readers skip, or in another blob.
pub(super) fn not_compared(tail: &[u8]) -> Option<&'static str> {
    let external = b"STARGZEXTERNALTOC";
    if tail.ends_with(b"GnUlInUx") {
        Some("zstd:chunked")
    } else if tail.windows(external.len()).any(|part| part == external) {
        Some("eStargz")
    } else {
        None
    }
}

/// The last bytes of a blob, as many as a footer has.
#[derive(Default)]
pub(super) struct Tail(Vec<u8>);

impl Tail {
    /// Takes the next bytes of the blob.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        let last = chunk
            .get(chunk.len().saturating_sub(FOOTER)..)
            .unwrap_or_default();
        self.0.extend_from_slice(last);
        let more = self.0.len().saturating_sub(FOOTER);
        self.0.drain(..more);
    }

    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
