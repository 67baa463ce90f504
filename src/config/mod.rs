//! Configuration: command line, environment and `scant.toml` become one valid plan.

mod settings;
mod surroundings;

use std::{
    collections::BTreeSet,
    io::{self, BufRead, IsTerminal, Read},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use jiff::SignedDuration;
use settings::settings;
use surroundings::{
    colors, cores, from_repository, read_file, read_stdin, source_date_epoch, speaks_utf8, terminal_width,
    today, variable,
};

use crate::{
    catalog::Catalog,
    cli::{GlobalArgs, ScanArgs},
    dockerfile::Dockerfile,
    image::Platform,
    limits::Limits,
    output::{Format, SarifProfile, Style},
    policy::{self, Policy},
    scan::Plan,
    source::{self, Login, PlatformChoice, RegistryOptions, Secret},
    target::{Kind, Target},
    text,
};

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
    /// How long the scan may take; `None`: as long as it takes.
    pub timeout: Option<Duration>,
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

/// The time for each target where nobody asks for another.
const TIMEOUT: Duration = Duration::from_mins(10);

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
    one_registry(&registry, &targets)?;
    let timeout = timeout(args.timeout.or(settings.timeout).as_deref(), targets.len())?;
    let plan = Plan {
        targets,
        source: source::Options {
            platform,
            limits: Limits::default(),
            stop,
            registry,
        },
        catalog: catalog(&first_of(args.catalog, settings.catalog.extra))?,
        policy: policy(
            args.policy.or(settings.policy).as_deref().unwrap_or("distroless"),
            &first_of(args.waivers, settings.waivers),
        )?,
        jobs: args.jobs.or(settings.jobs).map_or_else(cores, usize::from),
        verify_diff_ids: args.verify_diff_ids || settings.verify_diff_ids,
        dockerfile: args
            .dockerfile
            .or(settings.dockerfile)
            .map(|path| dockerfile(&path))
            .transpose()?,
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
        timeout,
    })
}

/// How long the scan of so many targets may take. `None`: as long as it takes.
fn timeout(asked: Option<&str>, targets: usize) -> Result<Option<Duration>> {
    let Some(text) = asked else {
        let targets = u32::try_from(targets).unwrap_or(u32::MAX);
        return Ok(Some(TIMEOUT.saturating_mul(targets)));
    };
    let parsed = text
        .parse()
        .map(Duration::from_secs)
        .ok()
        .or_else(|| text.parse::<SignedDuration>().ok()?.try_into().ok());
    match parsed {
        Some(timeout) => Ok((!timeout.is_zero()).then_some(timeout)),
        None => usage(format!(
            "`{}` is no time to give up after: write it like 90s, 10m or 1h30m",
            text::escape(text.as_bytes())
        )),
    }
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

/// What `scant identify` knows: the catalogue with the files named, or with those of the settings.
///
/// # Errors
/// A file that cannot be read, or a mistake in one.
pub fn identify(global: &GlobalArgs, extra: &[PathBuf]) -> Result<&'static Catalog> {
    let settings = settings(global.config.as_deref())?;
    catalog(&first_of(extra.to_vec(), settings.catalog.extra))
}

/// The catalogue that scant carries, with the user's own files. Made once, and kept as long as the process lives.
fn catalog(extra: &[PathBuf]) -> Result<&'static Catalog> {
    if extra.is_empty() {
        return Ok(Catalog::builtin());
    }
    let files: Vec<(String, String)> = extra
        .iter()
        .map(|path| {
            let name = path.display().to_string();
            let text = read_file(path).map_err(|why| UsageError(format!("catalogue `{name}`: {why}")))?;
            Ok((name, text))
        })
        .collect::<Result<_>>()?;
    let catalog = Catalog::with(&files).map_err(UsageError)?;
    Ok(Box::leak(Box::new(catalog)))
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

/// The Dockerfile, with its path as code scanning wants it: from the root of the repository that holds it, links followed,
/// for a link has no lines to show.
fn dockerfile(path: &Path) -> Result<Dockerfile> {
    let fault = |why: String| UsageError(format!("dockerfile `{}`: {why}", path.display()));
    let text = read_file(path).map_err(fault)?;
    Dockerfile::parse(&from_repository(path), &text).map_err(fault)
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

/// Credentials of the command line name no registry, so that with two of them one would be sent the other's.
fn one_registry(registry: &RegistryOptions, targets: &[Target]) -> Result<()> {
    let hosts: BTreeSet<&str> = targets.iter().filter_map(source::registry_host).collect();
    if hosts.len() < 2 || registry.login.is_none() && registry.token.is_none() {
        return Ok(());
    }
    let hosts: Vec<&str> = hosts.into_iter().collect();
    usage(format!(
        "--username and --registry-token are for one registry, and the targets are in {}; log in to each with `docker login`",
        hosts.join(", ")
    ))
}

fn sarif_profile(word: Option<&str>) -> Result<SarifProfile> {
    match word {
        Some("github") => Ok(SarifProfile::Github),
        Some("plain") => Ok(SarifProfile::Plain),
        None => Ok(match variable("GITHUB_ACTIONS").as_deref() {
            Some("true") => SarifProfile::Github,
            _ => SarifProfile::Plain,
        }),
        Some(other) => usage(text::unknown(
            "SARIF profile",
            other,
            ["github", "plain"].into_iter(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_login_is_sent_to_one_registry() {
        let login = RegistryOptions {
            login: Some(Login {
                username: "u".into(),
                password: Secret("p".into()),
            }),
            ..RegistryOptions::default()
        };
        let token = RegistryOptions {
            token: Some(Secret("t".into())),
            ..RegistryOptions::default()
        };
        let targets =
            |words: &[&str]| targets(words.iter().map(|word| (*word).to_owned()).collect(), None).unwrap();
        for (words, one) in [
            (
                &["r.example/a", "r.example/b:1", "oci:x", "-", "./y", "/"][..],
                true,
            ),
            (&["nginx", "docker.io/a/b", "docker://index.docker.io/c"], true),
            (&["r.example/a", "r.example:444/a"], false),
            (&["r.example/a", "nginx"], false),
            (&["docker://r.example/a", "s.example/a"], false),
        ] {
            let targets = targets(words);
            for registry in [&login, &token] {
                assert_eq!(one_registry(registry, &targets).is_ok(), one, "{words:?}");
            }
            assert!(one_registry(&RegistryOptions::default(), &targets).is_ok());
        }
    }

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
