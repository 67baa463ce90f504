//! apt fetches Debian packages into a cache below a directory of ours: neither root nor a change to the machine is needed, also
//! for packages of another architecture. The test of identities fetches with this file, too.

use std::{
    collections::BTreeSet,
    fmt::Display,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Error>;

fn context<E: Display>(thing: impl AsRef<Path>) -> impl FnOnce(E) -> Error {
    move |why| format!("{}: {why}", thing.as_ref().display()).into()
}

/// The Debian release that the recipes are written for; apt prefers it to whatever else the machine knows.
const RELEASE: &str = "bookworm";
/// Architectures that recipes name besides the machine's own.
const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];
/// The machine's architecture, as packages and images call it.
pub(crate) fn machine() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// The cache of fetched packages.
#[derive(Debug)]
pub(crate) struct Packages {
    directory: PathBuf,
}

impl Packages {
    /// A cache below `work`.
    pub(crate) fn new(work: &Path) -> Self {
        // apt takes a relative directory as one below the root.
        Self {
            directory: std::path::absolute(work).unwrap_or_else(|_| work.to_owned()),
        }
    }

    /// Fetches those of `names` that the cache lacks.
    pub(crate) fn fetch(&self, names: &BTreeSet<&str>) -> Result<()> {
        let packages = self.directory.join("packages");
        fs::create_dir_all(&packages).map_err(context(&packages))?;
        let missing: Vec<_> = names.iter().filter(|name| self.file(name).is_err()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let state = self.directory.join("apt");
        for part in ["lists/partial", "archives/partial"] {
            fs::create_dir_all(state.join(part)).map_err(context(&state))?;
        }
        fs::write(state.join("status"), "").map_err(context(&state))?;
        let apt = || {
            let mut apt = Command::new("apt-get");
            for (key, value) in [("State", ""), ("State::status", "status"), ("Cache", "")] {
                apt.arg(format!("-oDir::{key}={}", state.join(value).display()));
            }
            apt.arg(format!("-oAPT::Architecture={}", machine()));
            apt.arg(format!("-oAPT::Architectures::={}", machine()));
            apt.args(ARCHITECTURES.map(|name| format!("-oAPT::Architectures::={name}")));
            apt.arg(format!("-oAPT::Default-Release={RELEASE}"));
            // The user `_apt` cannot write to our directory; packages are verified all the same.
            apt.args([
                "-q",
                "-oAPT::Sandbox::User=root",
                "-oAcquire::Languages=none",
                "-oAcquire::Retries=3",
            ]);
            apt.current_dir(&packages);
            apt
        };
        output(apt().arg("update")).map_err(|why| with_hint(&why))?;
        output(apt().arg("download").args(&missing)).map_err(|why| with_hint(&why))?;
        Ok(())
    }

    /// The fetched file of a package: its name holds the version.
    pub(crate) fn file(&self, name: &str) -> Result<PathBuf> {
        let (name, architecture) = name.split_once(':').unwrap_or((name, machine()));
        let directory = self.directory.join("packages");
        let mut found: Vec<_> = fs::read_dir(&directory)
            .map_err(context(&directory))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                let suffix = |part: &str| file.ends_with(&format!("_{part}.deb"));
                file.split('_').next() == Some(name) && (suffix(architecture) || suffix("all"))
            })
            .collect();
        found.sort();
        found
            .pop()
            .ok_or_else(|| format!("package {name} is not in {}", directory.display()).into())
    }
}

/// Says what fetching needs.
fn with_hint(why: &Error) -> String {
    format!("{why}\nthese samples need apt-get and dpkg-deb of Debian 12, and its packages")
}

/// Runs a command and gives its standard output.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command.output().map_err(context(&name))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        return Err(format!("{name} failed: {}", said.trim()).into());
    }
    Ok(done.stdout)
}
