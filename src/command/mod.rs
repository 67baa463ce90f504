//! The commands: each carries out one subcommand, from its words to its exit code.

mod progress;

pub mod identify;
pub mod policy;
pub mod rules;
pub mod scan;
pub mod schema;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use crate::config::UsageError;

/// Why a command ended without doing what it should.
#[derive(Debug)]
pub enum Trouble {
    /// A mistake of the user: exit code 2.
    Usage(String),
    /// A report could not be written: exit code 3.
    Write(String),
    /// The scan took too long, and nothing of it can be reported: exit code 4.
    Late(String),
    /// Nobody reads standard output any more, as with `| head`: not worth a word.
    BrokenPipe,
}

/// What a command comes to.
pub type Done = Result<ExitCode, Trouble>;

impl Trouble {
    /// Says it on standard error, and gives the exit code.
    #[expect(
        clippy::print_stderr,
        reason = "the edge of the process: talk goes to standard error"
    )]
    pub fn report(self) -> ExitCode {
        match self {
            Self::Usage(message) => {
                eprintln!("error: {message}");
                ExitCode::from(2)
            }
            Self::Write(message) => {
                eprintln!("error: {message}");
                ExitCode::from(3)
            }
            Self::Late(message) => {
                eprintln!("error: {message}");
                ExitCode::from(4)
            }
            Self::BrokenPipe => ExitCode::from(3),
        }
    }
}

impl From<UsageError> for Trouble {
    fn from(error: UsageError) -> Self {
        Self::Usage(error.to_string())
    }
}

/// Puts text on standard output.
fn print(text: &str) -> Done {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| to_stdout(&error))?;
    Ok(ExitCode::SUCCESS)
}

fn to_stdout(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Trouble::BrokenPipe,
        _ => Trouble::Write(format!("standard output: {error}")),
    }
}
