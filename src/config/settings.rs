//! Settings are what `scant.toml` says; the command line and the environment come before it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{
    Result, UsageError,
    surroundings::{read_file, working_directory},
};
use crate::{policy, text};

const SETTINGS_FILE: &str = "scant.toml";
const SETTINGS_KEYS: &[&str] = &[
    "policy",
    "waivers",
    "output",
    "dockerfile",
    "platform",
    "jobs",
    "timeout",
    "verify-diff-ids",
    "plain-http",
    "insecure-skip-tls-verify",
    "ca-file",
    "sarif-profile",
    "category",
    "catalog",
];
const CATALOG_KEYS: &[&str] = &["extra"];

/// `scant.toml`. What the command line or the environment says wins.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Settings {
    pub(super) policy: Option<String>,
    pub(super) waivers: Vec<PathBuf>,
    pub(super) output: Vec<String>,
    pub(super) dockerfile: Option<PathBuf>,
    pub(super) platform: Option<String>,
    pub(super) jobs: Option<std::num::NonZeroUsize>,
    pub(super) timeout: Option<String>,
    pub(super) verify_diff_ids: bool,
    pub(super) plain_http: Vec<String>,
    pub(super) insecure_skip_tls_verify: Vec<String>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) sarif_profile: Option<String>,
    pub(super) category: Option<String>,
    pub(super) catalog: CatalogSettings,
}

/// `[catalog]` of the settings.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct CatalogSettings {
    pub(super) extra: Vec<PathBuf>,
}

/// The settings file named, else the nearest one from here upwards; none is no mistake.
pub(super) fn settings(named: Option<&Path>) -> Result<Settings> {
    let found = match named {
        Some(path) => Some(path.to_owned()),
        None => working_directory().and_then(|here| {
            here.ancestors()
                .map(|folder| folder.join(SETTINGS_FILE))
                .find(|path| path.is_file())
        }),
    };
    let Some(path) = found else {
        return Ok(Settings::default());
    };
    let fault =
        |why: &dyn std::fmt::Display| UsageError(format!("settings file `{}`: {why}", path.display()));
    let text = read_file(&path).map_err(|why| fault(&why))?;
    let table: toml::Table = toml::from_str(&text).map_err(|error| fault(&error))?;
    if let Some(key) = table.keys().find(|key| !SETTINGS_KEYS.contains(&key.as_str())) {
        return Err(fault(&text::unknown("key", key, SETTINGS_KEYS.iter().copied())));
    }
    if let Some(toml::Value::Table(catalog)) = table.get("catalog")
        && let Some(key) = catalog.keys().find(|key| !CATALOG_KEYS.contains(&key.as_str()))
    {
        return Err(fault(&text::unknown(
            "key of [catalog]",
            key,
            CATALOG_KEYS.iter().copied(),
        )));
    }
    let mut settings: Settings = table.try_into().map_err(|error: toml::de::Error| fault(&error))?;
    // Paths in the file are meant from where the file lies.
    let folder = path.parent().unwrap_or(Path::new(""));
    let own = settings.waivers.iter_mut().chain(&mut settings.catalog.extra);
    let own = own.chain(&mut settings.dockerfile);
    for file in own.chain(&mut settings.ca_file) {
        *file = folder.join(&*file);
    }
    if let Some(policy) = settings.policy.as_mut().filter(|policy| policy::is_file(policy)) {
        *policy = folder.join(&*policy).to_string_lossy().into_owned();
    }
    Ok(settings)
}
