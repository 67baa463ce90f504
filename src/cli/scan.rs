//! The words of `scant scan`.

use std::path::PathBuf;

use clap::{Args, builder::BoolishValueParser};

const TARGETS: &str = "\
Targets:
  nginx:1.27, ghcr.io/a/b@sha256:…   an image in a registry
  oci:DIR[:REF]                      an OCI layout
  oci-archive:FILE[:REF]             the same in a tar
  docker-archive:FILE[:REF]          what `docker save` wrote
  docker-daemon:REF                  an image of the local Docker daemon
  rootfs:DIR                         a root directory
  -                                  an archive on standard input
  PATH                               any of these, recognised by what it holds";

/// Scan images and grade them.
#[derive(Debug, Default, Args)]
#[command(after_help = TARGETS)]
pub struct ScanArgs {
    /// Images to scan (see below for how to write them)
    #[arg(value_name = "TARGET", required_unless_present = "from_file")]
    pub targets: Vec<String>,
    /// Read more targets from a file, one a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub from_file: Option<String>,
    /// Report format: text, json or sarif, to standard output or to FILE; may be repeated
    #[arg(
        short,
        long = "output",
        value_name = "FORMAT[=FILE]",
        env = "SCANT_OUTPUT",
        value_delimiter = ','
    )]
    pub outputs: Vec<String>,
    /// Profile (distroless, runtime, strict, minimal) or policy file [default: distroless]
    #[arg(short, long, value_name = "NAME|FILE", env = "SCANT_POLICY")]
    pub policy: Option<String>,
    /// File with accepted findings; may be repeated
    #[arg(long, value_name = "FILE", env = "SCANT_WAIVERS", value_delimiter = ',')]
    pub waivers: Vec<PathBuf>,
    /// File with further programs to know, as docs/signatures.md tells; may be repeated
    #[arg(long, value_name = "FILE", env = "SCANT_CATALOG", value_delimiter = ',')]
    pub catalog: Vec<PathBuf>,
    /// Dockerfile that the images were built from: findings are put down to its lines
    #[arg(long, value_name = "FILE", env = "SCANT_DOCKERFILE")]
    pub dockerfile: Option<PathBuf>,
    /// Platform to scan, such as linux/arm64, or `all` [default: the host's, or the only one there is]
    #[arg(long, value_name = "PLATFORM", env = "SCANT_PLATFORM")]
    pub platform: Option<String>,
    /// Layers read at a time [default: the number of cores]
    #[arg(short, long, value_name = "N", env = "SCANT_JOBS")]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// Give up after so long, such as 90s or 1h30m; 0 is never [default: 10m for each target]
    #[arg(long, value_name = "DURATION", env = "SCANT_TIMEOUT")]
    pub timeout: Option<String>,
    /// Exit with 0 when an image is not compliant (errors still exit with 2, 3 or 4)
    #[arg(long, env = "SCANT_EXIT_ZERO", value_parser = BoolishValueParser::new())]
    pub exit_zero: bool,
    /// Also hash the uncompressed layers and compare with the diff IDs of the configuration
    #[arg(long, env = "SCANT_VERIFY_DIFF_IDS", value_parser = BoolishValueParser::new())]
    pub verify_diff_ids: bool,

    /// User name for the registry
    #[arg(
        long,
        value_name = "NAME",
        env = "SCANT_USERNAME",
        requires = "password_stdin",
        help_heading = "Registry"
    )]
    pub username: Option<String>,
    /// Read the password for the registry from standard input
    #[arg(long, requires = "username", help_heading = "Registry")]
    pub password_stdin: bool,
    /// Bearer token for the registry
    #[arg(
        long,
        value_name = "TOKEN",
        env = "SCANT_REGISTRY_TOKEN",
        help_heading = "Registry"
    )]
    pub registry_token: Option<String>,
    /// Talk to this registry without TLS (loopback needs no such word); may be repeated
    #[arg(
        long,
        value_name = "HOST",
        env = "SCANT_PLAIN_HTTP",
        value_delimiter = ',',
        help_heading = "Registry"
    )]
    pub plain_http: Vec<String>,
    /// Do not check the certificate of this registry; may be repeated
    #[arg(
        long,
        value_name = "HOST",
        env = "SCANT_INSECURE_SKIP_TLS_VERIFY",
        value_delimiter = ',',
        help_heading = "Registry"
    )]
    pub insecure_skip_tls_verify: Vec<String>,
    /// Certificate authority to trust beside the system's (PEM)
    #[arg(long, value_name = "FILE", env = "SCANT_CA_FILE", help_heading = "Registry")]
    pub ca_file: Option<PathBuf>,
    /// Client certificate (PEM)
    #[arg(
        long,
        value_name = "FILE",
        env = "SCANT_CERT",
        requires = "key",
        help_heading = "Registry"
    )]
    pub cert: Option<PathBuf>,
    /// Key of the client certificate (PEM)
    #[arg(
        long,
        value_name = "FILE",
        env = "SCANT_KEY",
        requires = "cert",
        help_heading = "Registry"
    )]
    pub key: Option<PathBuf>,

    /// SARIF as GitHub code scanning takes it, or plain for other readers [default: github inside GitHub Actions]
    #[arg(long, value_name = "PROFILE", env = "SCANT_SARIF_PROFILE", value_parser = ["github", "plain"], help_heading = "SARIF")]
    pub sarif_profile: Option<String>,
    /// Category of the SARIF upload
    #[arg(long, value_name = "TEXT", env = "SCANT_CATEGORY", help_heading = "SARIF")]
    pub category: Option<String>,
}
