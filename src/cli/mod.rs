//! The command line as the user writes it: words only, nothing opened or decided yet.

mod identify;
mod scan;

use std::path::PathBuf;

use clap::{Arg, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, builder::Resettable};

pub use identify::IdentifyArgs;
pub use scan::ScanArgs;

/// Checks that a container image is really distroless.
#[derive(Debug, Parser)]
#[command(name = "scant", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 compliant, 1 not compliant, 2 usage or policy error, 3 cannot be scanned, 4 try again"
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads the command line and the variables that stand for its flags; help, version and mistakes end the process.
    pub fn read() -> Self {
        let command = Self::command()
            .mut_args(as_said)
            .mut_subcommands(|command| command.mut_args(as_said));
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

/// A flag whose variable says nothing if it is empty, as pipelines pass on what nobody set; and whose help does not show
/// what the variable holds.
#[expect(
    clippy::disallowed_methods,
    reason = "whether a flag's variable is empty belongs to reading the command line"
)]
fn as_said(arg: Arg) -> Arg {
    let arg = arg.hide_env_values(true);
    let value = arg.get_env().and_then(std::env::var_os);
    match value {
        Some(value) if value.is_empty() => arg.env(Resettable::Reset),
        _ => arg,
    }
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "General")]
pub struct GlobalArgs {
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        env = "SCANT_COLOR"
    )]
    pub color: ColorChoice,
    /// Show everything, not only the first screen
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Print nothing but the report and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Settings file [default: scant.toml here or in a parent directory]
    #[arg(long, global = true, value_name = "FILE", env = "SCANT_CONFIG")]
    pub config: Option<PathBuf>,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scan images and grade them
    Scan(Box<ScanArgs>),
    /// Say what files are, and why
    Identify(IdentifyArgs),
    /// Explain a rule: what it finds, why that matters, how to fix it
    Explain {
        /// Id of the rule, such as `shell`
        rule: String,
    },
    /// List the rules
    Rules {
        /// As a Markdown table
        #[arg(long)]
        markdown: bool,
    },
    /// Show or check policies
    Policy {
        /// What to do with them.
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Print the schema of a report format
    Schema {
        /// Which format
        #[arg(value_parser = ["json"])]
        format: String,
    },
}

/// What to do with policies.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Show a policy with all that it extends: pass mark, levels, weights, waivers
    Show {
        /// Name of a profile, or a file
        #[arg(default_value = "distroless")]
        policy: String,
    },
    /// Check policy files: unknown words, bad dates, missing reasons
    Check {
        /// Names of profiles, or files
        #[arg(required = true)]
        policies: Vec<String>,
    },
}
