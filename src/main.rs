//! The process: parse, do what was asked, exit with the verdict's code.

use std::process::ExitCode;

use scant::{
    cli::{Cli, Command},
    command,
};

fn main() -> ExitCode {
    let cli = Cli::read();
    let done = match cli.command {
        Command::Scan(args) => command::scan::run(&cli.global, *args),
        Command::Identify(args) => command::identify::run(&cli.global, &args),
        Command::Explain { rule } => command::rules::explain(&cli.global, &rule),
        Command::Rules { markdown } => command::rules::list(&cli.global, markdown),
        Command::Policy { command } => command::policy::run(&command),
        Command::Schema { format: _ } => command::schema::run(),
    };
    done.unwrap_or_else(command::Trouble::report)
}
