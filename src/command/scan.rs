//! `scant scan`: makes the plan, scans, writes the reports, and gives the exit code of the verdict.

use std::{
    io::{self, BufWriter, Write},
    path::Path,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use super::{
    Done, Trouble,
    progress::{self, End},
    to_stdout,
};
use crate::{
    cli::{GlobalArgs, ScanArgs},
    config::{self, Output},
    output::{self, Style},
    report::Report,
    scan::{self, Progress},
};

/// Exit code of a process ended by Ctrl-C, as shells give it.
const INTERRUPTED: u8 = 130;

/// Scans.
pub fn run(global: &GlobalArgs, args: ScanArgs) -> Done {
    let stop = Arc::new(AtomicBool::new(false));
    let config = config::scan(global, args, Arc::clone(&stop))?;
    on_interrupt(&stop)?;
    talk(global);
    let plan = config.plan;
    let work = move |progress: &dyn Progress| scan::run(&plan, progress);
    let report = match progress::with(config.progress, &stop, config.timeout, work) {
        End::Done(report) => report,
        End::Stopped => return Ok(ExitCode::from(INTERRUPTED)),
        End::Late(report) => {
            let late = "the scan took longer than --timeout allows";
            let Some(report) = report else {
                return Err(Trouble::Late(format!(
                    "{late}, and could not be ended with a report: raise it, or see what it waits for"
                )));
            };
            tracing::warn!("{late}: what was not read by then is not judged");
            report
        }
    };
    for output in &config.outputs {
        write(&report, output, &config.style)?;
    }
    Ok(ExitCode::from(match report.exit_code {
        1 if config.exit_zero => 0,
        code => code,
    }))
}

/// Lets the stages talk on standard error: warnings always, retries and such with `--verbose`, nothing with `--quiet`.
fn talk(global: &GlobalArgs) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::OFF,
        (false, false) => LevelFilter::WARN,
        (false, true) => LevelFilter::DEBUG,
    };
    let ours = Targets::new().with_target(env!("CARGO_PKG_NAME"), level);
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .without_time()
        .with_target(false)
        .with_ansi(false);
    tracing_subscriber::registry()
        .with(lines.with_filter(ours))
        .init();
}

/// The first Ctrl-C asks all work to stop, a second one ends the process at once.
fn on_interrupt(stop: &Arc<AtomicBool>) -> Result<(), Trouble> {
    let stop = Arc::clone(stop);
    ctrlc::set_handler(move || {
        if stop.swap(true, Ordering::Relaxed) {
            #[expect(
                clippy::exit,
                reason = "asked for a second time; there are no temporary files to clean"
            )]
            std::process::exit(i32::from(INTERRUPTED));
        }
    })
    .map_err(|error| Trouble::Usage(format!("Ctrl-C cannot be watched for: {error}")))
}

fn write(report: &Report, output: &Output, style: &Style) -> Result<(), Trouble> {
    match &output.file {
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            output::render(output.format, report, style, &mut out)
                .and_then(|()| out.flush())
                .map_err(|error| to_stdout(&error))
        }
        Some(path) => {
            // A file is for a program or for later: no colours, whatever the terminal.
            let style = Style {
                color: false,
                ..style.clone()
            };
            write_file(path, |out| output::render(output.format, report, &style, out))
                .map_err(|error| Trouble::Write(format!("{}: {error}", path.display())))
        }
    }
}

/// Writes beside the file's place, then renames: whoever reads it sees the whole report or the old one. A link stays and its
/// file is renewed; what is no file (`/dev/null`, a pipe) is written to as it is.
fn write_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let path = &match path.canonicalize() {
        Ok(there) if !there.is_file() => {
            let mut out = BufWriter::new(std::fs::OpenOptions::new().write(true).open(there)?);
            return write(&mut out).and_then(|()| out.flush());
        }
        Ok(there) => there,
        Err(_) => path.to_owned(),
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".scant-").tempfile_in(folder)?;
    {
        let mut out = BufWriter::new(file.as_file_mut());
        write(&mut out)?;
        out.flush()?;
    }
    use_default_mode(file.as_file())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Temporary files are private to their owner; a report is an ordinary file.
fn use_default_mode(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}
