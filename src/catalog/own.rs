//! Own entries are a file of the user's in the format of `policies/catalog/`, read with a word on what is misspelt.

use super::compile::File;
use crate::text;

/// The keys of each table, by the name of the table.
pub(super) const KEYS: &[(&str, &[&str])] = &[
    ("", &["tool", "capability", "applets", "module", "combination"]),
    (
        "tool",
        &[
            "id",
            "rule",
            "kind",
            "generic",
            "capabilities",
            "names",
            "swallows",
            "table",
            "go",
            "script",
            "signature",
            "structure",
        ],
    ),
    (
        "signature",
        &["variant", "k", "any", "none", "origin", "tested", "note"],
    ),
    ("structure", &["variant", "all", "because", "tested"]),
    ("capability", &["id", "group", "meaning", "attack"]),
    ("applets", &["rule", "capabilities", "names"]),
    (
        "module",
        &["tool", "serves", "needs", "run", "files", "contains", "dormant"],
    ),
    ("combination", &["id", "meaning", "attack", "all"]),
];

/// Reads a file of entries.
///
/// # Errors
/// What is wrong, with the entry and the nearest right key.
pub(super) fn read(text: &str) -> Result<File, String> {
    let table: toml::Table = toml::from_str(text).map_err(|error| trimmed(&error))?;
    keys("", &table, None)?;
    // Once more from the text, since only so a message can tell the line.
    toml::from_str(text).map_err(|error| trimmed(&error))
}

/// Looks for unknown keys in a table and those inside it. The depth is that of [`KEYS`], whatever the file's is.
fn keys(name: &str, table: &toml::Table, entry: Option<&str>) -> Result<(), String> {
    let Some((_, known)) = KEYS.iter().find(|(table, _)| *table == name) else {
        return Ok(());
    };
    let entry = table.get("id").and_then(toml::Value::as_str).or(entry);
    for (key, value) in table {
        if !known.contains(&key.as_str()) {
            let place = entry.map_or_else(String::new, |id| format!("{}: ", text::escape(id.as_bytes())));
            return Err(place + &text::unknown("key", key, known.iter().copied()));
        }
        for inner in value.as_array().into_iter().flatten() {
            if let Some(inner) = inner.as_table().filter(|_| key != name) {
                keys(key, inner, entry)?;
            }
        }
    }
    Ok(())
}

fn trimmed(error: &toml::de::Error) -> String {
    error.to_string().trim_end().to_owned()
}
