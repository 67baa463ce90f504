//! A credential helper: a program `docker-credential-NAME` that keeps logins for Docker and podman.

use std::{
    io::{Read, Write},
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;

use super::credentials::Credentials;
use crate::source::{Login, Secret};

/// How long a helper may take; some ask a key ring, some a cloud.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of its answer. Tokens of clouds have a few thousand.
const ANSWER: u64 = 1 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Asks the helper `name` for the login to `server`; `None` if it knows none.
///
/// # Errors
/// A helper that is absent, fails, takes too long or answers nonsense. The text never holds what it printed, since that
/// may be secret.
pub(super) fn get(name: &str, server: &str, stop: &AtomicBool) -> Result<Option<Credentials>, String> {
    if name.is_empty()
        || !name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    {
        return Err("this is no name of a program".into());
    }
    let program = format!("docker-credential-{name}");
    ask(&program, server, stop, PATIENCE)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the credential helper is the one program that scant ever starts"
)]
fn ask(
    program: &str,
    server: &str,
    stop: &AtomicBool,
    patience: Duration,
) -> Result<Option<Credentials>, String> {
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{program} cannot be started: {error}"))?;
    // One line to a fresh pipe cannot block; a helper that ends without reading it is judged by its exit.
    if let Some(mut stdin) = child.stdin.take() {
        let _ = writeln!(stdin, "{server}");
    }
    let result = collect(&mut child, program, stop, patience);
    let _ = child.kill();
    let _ = child.wait();
    result
}

fn collect(
    child: &mut Child,
    program: &str,
    stop: &AtomicBool,
    patience: Duration,
) -> Result<Option<Credentials>, String> {
    let stdout = child.stdout.take().ok_or("its output cannot be read")?;
    let (sender, receiver) = mpsc::channel();
    // Left behind if the helper's own children keep the pipe open: it ends with them.
    thread::spawn(move || {
        let _ = sender.send(read(stdout));
    });
    let deadline = Instant::now() + patience;
    let output = loop {
        match receiver.recv_timeout(Duration::from_millis(100)) {
            Ok(output) => break output.map_err(|error| format!("{program} cannot be read: {error}"))?,
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err("its output cannot be read".into()),
            Err(mpsc::RecvTimeoutError::Timeout) if stop.load(Ordering::Relaxed) => {
                return Err("the scan was interrupted".into());
            }
            Err(mpsc::RecvTimeoutError::Timeout) if Instant::now() >= deadline => {
                return Err(format!(
                    "{program} gave no answer within {} s",
                    patience.as_secs()
                ));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    };
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(20)),
            Ok(None) => return Err(format!("{program} does not end")),
            Err(error) => return Err(format!("{program} cannot be waited for: {error}")),
        }
    };
    if !status.success() {
        let text = String::from_utf8_lossy(&output).to_lowercase();
        if text.contains("credentials not found") {
            return Ok(None);
        }
        return Err(format!("{program} failed ({status})"));
    }
    let answer: Answer = serde_json::from_slice(&output)
        .map_err(|_| format!("{program} did not answer as a credential helper"))?;
    Ok(match answer.username.as_str() {
        _ if answer.secret.is_empty() => None,
        "<token>" => Some(Credentials::Identity(Secret(answer.secret))),
        _ => Some(Credentials::Password(Login {
            username: answer.username,
            password: Secret(answer.secret),
        })),
    })
}

#[expect(clippy::disallowed_methods, reason = "bounded by `take`")]
fn read(stdout: impl Read) -> std::io::Result<Vec<u8>> {
    let mut output = Vec::new();
    stdout.take(ANSWER).read_to_end(&mut output)?;
    Ok(output)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write their own small files")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn helper(script: &str) -> (tempfile::TempDir, String) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("docker-credential-test");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        let program = path.to_str().unwrap().to_owned();
        (directory, program)
    }

    fn run(script: &str) -> Result<Option<Credentials>, String> {
        let (_directory, program) = helper(script);
        ask(
            &program,
            "reg.example:5000",
            &AtomicBool::new(false),
            Duration::from_millis(700),
        )
    }

    #[test]
    fn logins_and_identity_tokens_are_understood() {
        let login = run(
            r#"read server; [ "$1" = get ] && echo "{\"ServerURL\":\"$server\",\"Username\":\"u\",\"Secret\":\"$server\"}""#,
        );
        assert_eq!(
            login.unwrap(),
            Some(Credentials::Password(Login {
                username: "u".into(),
                password: Secret("reg.example:5000".into())
            }))
        );
        let token = run(r#"echo '{"ServerURL":"s","Username":"<token>","Secret":"t"}'"#);
        assert_eq!(token.unwrap(), Some(Credentials::Identity(Secret("t".into()))));
        let none = run("echo credentials not found in native keychain; exit 1");
        assert_eq!(none.unwrap(), None);
        let empty = run(r#"echo '{"ServerURL":"s","Username":"","Secret":""}'"#);
        assert_eq!(empty.unwrap(), None);
    }

    #[test]
    fn what_a_failing_helper_prints_is_never_shown() {
        for script in [
            "echo s3cret; exit 1",
            "echo s3cret",
            "echo '{\"Username\":\"s3cret\"}'",
            "echo s3cret; exec sleep 5",
        ] {
            let started = Instant::now();
            let why = run(script).expect_err(script);
            assert!(!why.contains("s3cret"), "{why}");
            assert!(started.elapsed() < Duration::from_secs(3), "{script}");
        }
    }

    #[test]
    fn a_name_cannot_lead_to_another_program() {
        for name in ["", "../x", "a/b", "a b", "a\0"] {
            assert!(get(name, "s", &AtomicBool::new(false)).is_err());
        }
        let absent = get("no-such-helper", "s", &AtomicBool::new(false)).unwrap_err();
        assert!(absent.contains("docker-credential-no-such-helper"), "{absent}");
    }
}
