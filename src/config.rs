//! Configuration: command line, environment and `scant.toml` become one valid plan.

use std::{
    io::{self, BufRead, IsTerminal, Read},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use jiff::civil::Date;
use serde::Deserialize;

use crate::{
    cli::{ColorChoice, GlobalArgs, ScanArgs},
    image::Platform,
    limits::Limits,
    output::{Format, SarifProfile, Style},
    policy::{self, Policy},
    scan::Plan,
    source::{self, Login, PlatformChoice, RegistryOptions, Secret},
    target::{Kind, Target},
    text,
};

/// Largest settings, policy or waiver file and list of targets, in bytes.
const FILE_LIMIT: u64 = 4 << 20;
/// Columns of a report that goes to no terminal.
const DEFAULT_WIDTH: usize = 100;

/// A mistake of the command line, the environment or a settings file: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

type Result<T> = std::result::Result<T, UsageError>;

/// All that `scant scan` needs.
#[derive(Debug)]
pub struct Scan {
    /// What to scan, and how.
    pub plan: Plan,
    /// Where the reports go.
    pub outputs: Vec<Output>,
    /// How they look.
    pub style: Style,
    /// Turn exit code 1 into 0.
    pub exit_zero: bool,
    /// Show how far the scan has come.
    pub progress: bool,
}

/// One report to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// In which format.
    pub format: Format,
    /// To which file; `None` is standard output.
    pub file: Option<PathBuf>,
}

/// `scant.toml`. What the command line or the environment says wins.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Settings {
    policy: Option<String>,
    waivers: Vec<PathBuf>,
    output: Vec<String>,
    platform: Option<String>,
    jobs: Option<std::num::NonZeroUsize>,
    verify_diff_ids: bool,
    plain_http: Vec<String>,
    insecure_skip_tls_verify: Vec<String>,
    ca_file: Option<PathBuf>,
    sarif_profile: Option<String>,
    category: Option<String>,
}

const SETTINGS_FILE: &str = "scant.toml";
const SETTINGS_KEYS: &[&str] = &[
    "policy",
    "waivers",
    "output",
    "platform",
    "jobs",
    "verify-diff-ids",
    "plain-http",
    "insecure-skip-tls-verify",
    "ca-file",
    "sarif-profile",
    "category",
];

/// Makes the plan for `scant scan`. Reads the settings, policy and waiver files, and standard input where it is asked for
/// a password or a list of targets.
///
/// # Errors
/// Any mistake in them, with what to do about it.
pub fn scan(global: &GlobalArgs, args: ScanArgs, stop: Arc<AtomicBool>) -> Result<Scan> {
    let settings = settings(global.config.as_deref())?;
    let outputs = outputs(first_of(args.outputs, settings.output))?;
    let targets = targets(args.targets, args.from_file.as_deref())?;
    let reads_archive = targets.iter().any(|target| matches!(target.kind, Kind::Stdin));
    let reads_list = args.from_file.as_deref() == Some("-");
    if usize::from(reads_archive) + usize::from(reads_list) + usize::from(args.password_stdin) > 1 {
        return usage("standard input can hold only one of: an archive, a list of targets, a password");
    }
    let platform = match args.platform.or(settings.platform).as_deref() {
        None => PlatformChoice::Default,
        Some("all") => PlatformChoice::All,
        Some(text) => PlatformChoice::Exact(text.parse::<Platform>().map_err(UsageError)?),
    };
    let registry = RegistryOptions {
        login: login(args.username, args.password_stdin)?,
        token: args.registry_token.map(Secret),
        plain_http: first_of(args.plain_http, settings.plain_http),
        insecure: first_of(args.insecure_skip_tls_verify, settings.insecure_skip_tls_verify),
        ca_file: args.ca_file.or(settings.ca_file),
        client_certificate: args.cert.zip(args.key),
    };
    let plan = Plan {
        targets,
        source: source::Options {
            platform,
            limits: Limits::default(),
            stop,
            registry,
        },
        policy: policy(
            args.policy.or(settings.policy).as_deref().unwrap_or("distroless"),
            &first_of(args.waivers, settings.waivers),
        )?,
        jobs: args.jobs.or(settings.jobs).map_or_else(cores, usize::from),
        verify_diff_ids: args.verify_diff_ids || settings.verify_diff_ids,
        today: today()?,
    };
    let sarif = sarif_profile(args.sarif_profile.or(settings.sarif_profile).as_deref())?;
    let style = Style {
        sarif,
        category: args.category.or(settings.category),
        ..style(global)?
    };
    let progress = !global.quiet && io::stderr().is_terminal();
    Ok(Scan {
        plan,
        outputs,
        style,
        exit_zero: args.exit_zero,
        progress,
    })
}

/// How text for standard output looks.
///
/// # Errors
/// `SOURCE_DATE_EPOCH` is set and is no number.
pub fn style(global: &GlobalArgs) -> Result<Style> {
    Ok(Style {
        color: colors(global.color),
        verbose: global.verbose,
        width: terminal_width().unwrap_or(DEFAULT_WIDTH),
        unicode: speaks_utf8(),
        source_date_epoch: source_date_epoch()?,
        ..Style::default()
    })
}

/// Loads a policy by name or file, with further waiver files.
///
/// # Errors
/// A file that cannot be read, or anything [`policy::load`] refuses.
pub fn policy(spec: &str, waivers: &[PathBuf]) -> Result<Policy> {
    let texts: Vec<(String, String)> = waivers
        .iter()
        .map(|path| {
            let place = format!("waiver file `{}`", path.display());
            let text = read_file(path).map_err(|why| UsageError(format!("{place}: {why}")))?;
            Ok((place, text))
        })
        .collect::<Result<_>>()?;
    policy::load(spec, &texts, &|path| read_file(Path::new(path)))
        .map_err(|error| UsageError(error.to_string()))
}

fn usage<T>(message: impl Into<String>) -> Result<T> {
    Err(UsageError(message.into()))
}

/// What the command line or the environment says, else what the settings say.
fn first_of<T>(said: Vec<T>, settings: Vec<T>) -> Vec<T> {
    if said.is_empty() { settings } else { said }
}

fn targets(mut words: Vec<String>, from_file: Option<&str>) -> Result<Vec<Target>> {
    if let Some(file) = from_file {
        let text = if file == "-" {
            read_stdin()
        } else {
            read_file(Path::new(file))
        };
        let text = text.map_err(|why| UsageError(format!("list of targets `{file}`: {why}")))?;
        let lines = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        words.extend(lines.map(str::to_owned));
    }
    if words.is_empty() {
        return usage("the list of targets is empty");
    }
    words
        .iter()
        .map(|word| {
            word.parse::<Target>()
                .map_err(|error| UsageError(error.to_string()))
        })
        .collect()
}

fn outputs(words: Vec<String>) -> Result<Vec<Output>> {
    let mut outputs: Vec<Output> = Vec::new();
    for word in words {
        let (format, file) = match word.split_once('=') {
            Some((_, "")) => return usage(format!("output `{word}` names no file after `=`")),
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (word.as_str(), None),
        };
        let output = Output {
            format: format.parse().map_err(UsageError)?,
            file,
        };
        if outputs.iter().any(|other| other.file == output.file) {
            return usage(match &output.file {
                Some(file) => format!("two outputs go to `{}`", file.display()),
                None => "two outputs go to standard output; give all but one a file: -o json=scant.json"
                    .to_owned(),
            });
        }
        outputs.push(output);
    }
    if outputs.is_empty() {
        outputs.push(Output {
            format: Format::Text,
            file: None,
        });
    }
    Ok(outputs)
}

fn login(username: Option<String>, password_stdin: bool) -> Result<Option<Login>> {
    let Some(username) = username.filter(|_| password_stdin) else {
        return Ok(None);
    };
    let mut password = String::new();
    let line = io::stdin().lock().take(64 << 10).read_line(&mut password);
    line.map_err(|error| UsageError(format!("password on standard input: {error}")))?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return usage("standard input holds no password");
    }
    Ok(Some(Login {
        username,
        password: Secret(password.to_owned()),
    }))
}

fn sarif_profile(word: Option<&str>) -> Result<SarifProfile> {
    match word {
        Some("github") => Ok(SarifProfile::Github),
        Some("plain") => Ok(SarifProfile::Plain),
        None if variable("GITHUB_ACTIONS").as_deref() == Some("true") => Ok(SarifProfile::Github),
        None => Ok(SarifProfile::Plain),
        Some(other) => usage(text::unknown(
            "SARIF profile",
            other,
            ["github", "plain"].into_iter(),
        )),
    }
}

/// The settings file named, else the nearest one from here upwards; none is no mistake.
fn settings(named: Option<&Path>) -> Result<Settings> {
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
    let mut settings: Settings = table.try_into().map_err(|error: toml::de::Error| fault(&error))?;
    // Paths in the file are meant from where the file lies.
    let folder = path.parent().unwrap_or(Path::new(""));
    for file in settings.waivers.iter_mut().chain(&mut settings.ca_file) {
        *file = folder.join(&*file);
    }
    if let Some(policy) = settings
        .policy
        .as_mut()
        .filter(|policy| policy.ends_with(".toml"))
    {
        *policy = folder.join(&*policy).to_string_lossy().into_owned();
    }
    Ok(settings)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this module is where files of settings are read; capped"
)]
fn read_file(path: &Path) -> std::result::Result<String, String> {
    read_capped(std::fs::File::open(path).map_err(|error| error.to_string())?)
}

fn read_stdin() -> std::result::Result<String, String> {
    read_capped(io::stdin().lock())
}

#[expect(clippy::disallowed_methods, reason = "the read is capped by `take`")]
fn read_capped(reader: impl Read) -> std::result::Result<String, String> {
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
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this module is where the environment is read"
)]
fn working_directory() -> Option<PathBuf> {
    std::env::current_dir().ok()
}

fn source_date_epoch() -> Result<Option<i64>> {
    let Some(text) = variable("SOURCE_DATE_EPOCH") else {
        return Ok(None);
    };
    let seconds = text
        .parse()
        .map_err(|_| UsageError(format!("SOURCE_DATE_EPOCH is `{text}`, not seconds since 1970")))?;
    Ok(Some(seconds))
}

/// The day that decides whether waivers hold: today in UTC, or that of `SOURCE_DATE_EPOCH`.
fn today() -> Result<Date> {
    let now = match source_date_epoch()? {
        Some(seconds) => jiff::Timestamp::from_second(seconds)
            .map_err(|error| UsageError(format!("SOURCE_DATE_EPOCH: {error}")))?,
        None => jiff::Timestamp::now(),
    };
    Ok(now.to_zoned(jiff::tz::TimeZone::UTC).date())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

fn colors(choice: ColorChoice) -> bool {
    // anstream knows all other variables; `0` is Node.js' word for "do not".
    let forced = variable("FORCE_COLOR").is_some_and(|value| value != "0");
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if variable("NO_COLOR").is_none() && forced => true,
        ColorChoice::Auto => anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
    }
}

fn terminal_width() -> Option<usize> {
    let width = if io::stdout().is_terminal() {
        terminal_size::terminal_size()
    } else {
        None
    };
    width.map(|(width, _)| usize::from(width.0).max(40))
}

/// Whether the locale is one of UTF-8, by the first of the variables that is set (POSIX, "Environment Variables").
fn speaks_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(variable)
        .unwrap_or_default();
    !io::stdout().is_terminal() || locale.to_ascii_lowercase().replace('-', "").contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_told_apart() {
        let parse = |words: &[&str]| outputs(words.iter().map(|word| (*word).to_owned()).collect());
        assert_eq!(
            parse(&[]).unwrap(),
            [Output {
                format: Format::Text,
                file: None
            }]
        );
        let three = parse(&["sarif=a=b.sarif", "json=x.json", "text"]).unwrap();
        assert_eq!(three[0].file.as_deref(), Some(Path::new("a=b.sarif")));
        for (words, want) in [
            (vec!["json", "sarif"], "two outputs go to standard output"),
            (vec!["json=x", "sarif=x"], "two outputs go to `x`"),
            (vec!["json="], "names no file"),
            (vec!["sarf=x"], "sarif"),
        ] {
            assert!(parse(&words).unwrap_err().to_string().contains(want), "{words:?}");
        }
    }
}
