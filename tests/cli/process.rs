//! scant as a process: started in an empty folder with an empty environment, and what it said.

use std::{
    ffi::OsStr,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use serde_json::Value;

/// Nothing lies here, so no settings are found.
static EMPTY: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

/// How scant ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// scant with these words, neither started nor given anything of this process' environment.
pub(crate) fn scant<W: AsRef<OsStr>>(words: &[W]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scant"));
    command
        .args(words)
        .env_clear()
        .env("SOURCE_DATE_EPOCH", "1790000000")
        .current_dir(EMPTY.path());
    command
}

/// Runs scant with these words.
pub(crate) fn run<W: AsRef<OsStr>>(words: &[W]) -> Ran {
    finish(&mut scant(words), b"")
}

/// Runs a command to its end with `input` on its standard input.
pub(crate) fn finish(command: &mut Command, input: &[u8]) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // Who does not read all of its input breaks the pipe; that is no fault here.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap()
    });
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// The JSON on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A mistake of the user: nothing on standard output, and a message that holds `part`.
    #[track_caller]
    pub(crate) fn refused_with(&self, part: &str) {
        assert_eq!(self.code, Some(2), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        assert!(
            self.err.starts_with("error: ") && self.err.contains(part),
            "no `{part}` in {self:?}"
        );
    }
}

/// The layout of a sample image.
pub(crate) fn sample(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/images")
        .join(name);
    assert!(
        path.join("index.json").is_file(),
        "no sample at {}: run `cargo run --features samples --bin assemble -- --all target/images`",
        path.display()
    );
    path
}

/// `oci:` and the layout of a sample image.
pub(crate) fn oci(name: &str) -> String {
    format!("oci:{}", sample(name).display())
}

/// Copies with skopeo, which no policy of the machine's owner shall stop.
pub(crate) fn skopeo(words: &[&str]) {
    let words: Vec<&str> = ["--insecure-policy", "copy", "--quiet"]
        .iter()
        .chain(words)
        .copied()
        .collect();
    crate::support::run("skopeo", "skopeo", &words);
}
