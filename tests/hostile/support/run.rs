//! A watched run of scant: its report, its exit code, its peak of memory; killed when it does not end.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Bytes that scant may hold at most, however large or mean the image is.
pub(crate) const MEMORY: u64 = 512 << 20;
/// After this long a run counts as hanging. Generous: it guards against runs without end, and times nothing.
const HANGS: Duration = Duration::from_secs(20);

/// What a run came to.
pub(crate) struct Run {
    /// `None` if it was killed.
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    /// Peak of resident memory in bytes, as far as it was seen.
    pub(crate) peak: u64,
}

impl Run {
    pub(crate) fn report(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or(Value::Null)
    }

    /// What every run must keep to, whatever the image: the breaches.
    pub(crate) fn breaches(&self) -> Vec<String> {
        let mut breaches = Vec::new();
        if self.exit.is_none() {
            breaches.push("it did not end".to_owned());
        }
        if self.stderr.contains("panicked") {
            breaches.push(format!("it panicked: {}", self.stderr));
        }
        if self.peak >= MEMORY {
            breaches.push(format!("it held {} MiB", self.peak >> 20));
        }
        breaches
    }
}

/// Runs scant in `directory` with these words and, if any, this file as standard input.
pub(crate) fn scant(directory: &Path, words: &[&str], stdin: Option<&Path>) -> Run {
    // Files and not pipes, so that nothing needs to read while the run is watched.
    let scratch = tempfile::tempdir().unwrap();
    let [out, err] = ["out", "err"].map(|name| scratch.path().join(name));
    let stdin = match stdin {
        Some(path) => Stdio::from(File::open(path).unwrap()),
        None => Stdio::null(),
    };
    let mut child = Command::new(env!("CARGO_BIN_EXE_scant"))
        .args(words)
        .current_dir(directory)
        .env_clear()
        .env("SOURCE_DATE_EPOCH", "1790000000")
        .stdin(stdin)
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let (start, mut peak) = (Instant::now(), 0);
    let exit = loop {
        peak = high_water(&status).unwrap_or_default().max(peak);
        if let Some(exit) = child.try_wait().unwrap() {
            break exit.code();
        }
        if start.elapsed() > HANGS {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        thread::sleep(Duration::from_millis(2));
    };
    Run {
        exit,
        stdout: fs::read(out).unwrap(),
        stderr: String::from_utf8_lossy(&fs::read(err).unwrap()).into_owned(),
        peak,
    }
}

fn high_water(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim()
        .strip_suffix(" kB")?
        .trim()
        .parse::<u64>()
        .ok()
        .map(|kib| kib << 10)
}
