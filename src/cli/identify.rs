//! The words of `scant identify`.

use std::path::PathBuf;

use clap::Args;

/// Say what files are, and why.
#[derive(Debug, Args)]
#[command(
    after_help = "Of a directory, every program below it gets one line; with -v also what is no program.\n\
                  Exit codes: 0 all were read, 2 usage error, 3 something could not be read"
)]
pub struct IdentifyArgs {
    /// Files or directories
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// File with further programs to know, as docs/signatures.md tells; may be repeated
    #[arg(long, value_name = "FILE", env = "SCANT_CATALOG", value_delimiter = ',')]
    pub catalog: Vec<PathBuf>,
}
