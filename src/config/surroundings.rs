//! The surroundings: files of settings, environment, clock and terminal, read here and nowhere else.

use std::{
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
};

use jiff::civil::Date;

use super::{Result, UsageError};
use crate::cli::ColorChoice;

/// Largest settings, policy or waiver file and list of targets, in bytes.
const FILE_LIMIT: u64 = 4 << 20;

#[expect(
    clippy::disallowed_methods,
    reason = "this module is where files of settings are read; capped"
)]
pub(super) fn read_file(path: &Path) -> std::result::Result<String, String> {
    read_capped(std::fs::File::open(path).map_err(|error| error.to_string())?)
}

pub(super) fn read_stdin() -> std::result::Result<String, String> {
    read_capped(io::stdin().lock())
}

#[expect(clippy::disallowed_methods, reason = "the read is capped by `take`")]
pub(super) fn read_capped(reader: impl Read) -> std::result::Result<String, String> {
    let mut text = String::new();
    reader
        .take(FILE_LIMIT + 1)
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    if text.len() as u64 > FILE_LIMIT {
        return Err(format!("is larger than {FILE_LIMIT} bytes"));
    }
    Ok(text)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this module is where the environment is read"
)]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this module is where the environment is read"
)]
pub(super) fn working_directory() -> Option<PathBuf> {
    std::env::current_dir().ok()
}

/// A file's path from the root of the repository that holds it, else from the working directory, else its name alone: with
/// `/` between its parts, and links followed.
pub(super) fn from_repository(path: &Path) -> String {
    let there = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let repository = there
        .ancestors()
        .skip(1)
        .find(|folder| folder.join(".git").exists());
    let here = working_directory().and_then(|here| here.canonicalize().ok());
    let relative = repository
        .into_iter()
        .chain(here.as_deref())
        .find_map(|folder| there.strip_prefix(folder).ok());
    let relative = relative
        .or_else(|| there.file_name().map(Path::new))
        .unwrap_or(path);
    let parts = relative.iter().map(|part| part.to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

pub(super) fn source_date_epoch() -> Result<Option<i64>> {
    let Some(text) = variable("SOURCE_DATE_EPOCH") else {
        return Ok(None);
    };
    let seconds = text
        .parse()
        .map_err(|_| UsageError(format!("SOURCE_DATE_EPOCH is `{text}`, not seconds since 1970")))?;
    Ok(Some(seconds))
}

/// The day that decides whether waivers hold: today in UTC, or that of `SOURCE_DATE_EPOCH`.
pub(super) fn today() -> Result<Date> {
    let now = match source_date_epoch()? {
        Some(seconds) => jiff::Timestamp::from_second(seconds)
            .map_err(|error| UsageError(format!("SOURCE_DATE_EPOCH: {error}")))?,
        None => jiff::Timestamp::now(),
    };
    Ok(now.to_zoned(jiff::tz::TimeZone::UTC).date())
}

pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

pub(super) fn colors(choice: ColorChoice) -> bool {
    // anstream knows all other variables; `0` is Node.js' word for "do not".
    let forced = variable("FORCE_COLOR").is_some_and(|value| value != "0");
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if variable("NO_COLOR").is_none() && forced => true,
        ColorChoice::Auto => anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
    }
}

pub(super) fn terminal_width() -> Option<usize> {
    let width = if io::stdout().is_terminal() {
        terminal_size::terminal_size()
    } else {
        None
    };
    width.map(|(width, _)| usize::from(width.0).max(40))
}

/// Whether the locale is one of UTF-8, by the first of the variables that is set (POSIX, "Environment Variables").
pub(super) fn speaks_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(variable)
        .unwrap_or_default();
    !io::stdout().is_terminal() || locale.to_ascii_lowercase().replace('-', "").contains("utf8")
}
