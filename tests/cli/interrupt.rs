//! Ctrl-C and `--timeout` end a scan soon, whatever it waits for, and leave nothing behind.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    process::scant,
    support::{
        fault::{Reply, Server, serve},
        image::{OCI_MANIFEST, TestImage, host_platform},
    },
    targets::archive,
};

fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    let done = Command::new("sh")
        .args(["-c", &format!("kill -INT {pid}")])
        .status()
        .unwrap();
    assert!(done.success());
}

/// Interrupts a running scan and sees that it ends soon, with 130 and nothing left in `folder`.
fn ends(mut child: Child, folder: &Path) {
    assert_eq!(child.try_wait().unwrap(), None, "it still waits");
    let start = Instant::now();
    interrupt(&child);
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(10) {
            let _ = child.kill();
            panic!("it does not end");
        }
        thread::sleep(Duration::from_millis(10));
    }
    let took = start.elapsed();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(took < Duration::from_millis(1_500), "{took:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "files are left");
}

fn start(words: &[&str], folder: &Path) -> Child {
    let outputs = ["scan", "-o", "json=a.json", "-o", "text"];
    let words: Vec<&str> = outputs.iter().chain(words).copied().collect();
    scant(&words)
        .current_dir(folder)
        .env("TMPDIR", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A registry that sends a part of a layer, and then nothing more.
fn trickling() -> Server {
    let image = TestImage::new(OCI_MANIFEST, host_platform(), &[300_000]);
    Server::start(move |request| {
        let mut reply = serve(&image, request);
        if reply.body.len() > 100_000 {
            reply.cut = Some(50_000);
            reply.stall = true;
        }
        reply
    })
}

#[test]
fn while_a_registry_trickles() {
    let server = trickling();
    let folder = tempfile::tempdir().unwrap();
    let child = start(&[&format!("{}/x", server.address)], folder.path());
    wait_for(&server, "/blobs/");
    thread::sleep(Duration::from_millis(300));
    ends(child, folder.path());
}

#[test]
fn while_a_registry_says_nothing() {
    let server = Server::start(|_| {
        thread::sleep(Duration::from_secs(20));
        Reply::new(200, "")
    });
    let folder = tempfile::tempdir().unwrap();
    let child = start(&[&format!("{}/x", server.address)], folder.path());
    wait_for(&server, "/v2/");
    ends(child, folder.path());
}

fn wait_for(server: &Server, path: &str) {
    let start = Instant::now();
    while server.requests(path).len() < 2 && start.elapsed() < Duration::from_secs(2) {
        thread::sleep(Duration::from_millis(10));
    }
    assert!(!server.requests(path).is_empty(), "no request for {path}");
}

#[test]
fn while_standard_input_is_held_open() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(&["-"], folder.path());
    let bytes = fs::read(archive("demo.tar")).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&bytes[..bytes.len() / 2]).unwrap();
    thread::sleep(Duration::from_millis(400));
    ends(child, folder.path());
    drop(stdin);
}

#[test]
fn while_nothing_comes_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(&["-"], folder.path());
    let stdin = child.stdin.take();
    thread::sleep(Duration::from_millis(300));
    ends(child, folder.path());
    drop(stdin);
}

/// What was read in time is reported, and the exit code says that a retry may help.
#[test]
fn a_scan_that_takes_too_long_reports_what_it_has() {
    let server = trickling();
    let stalling = format!("{}/x", server.address);
    let demo = format!("oci-archive:{}", archive("demo.tar").display());
    let output = scant(&["scan", "-o", "json", "--timeout", "2s", &stalling, &demo])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("longer than --timeout allows"), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let images = report["images"].as_array().unwrap();
    assert_eq!(images[0]["error"]["code"], "interrupted", "{report}");
    assert_eq!(images[1]["grade"], "E", "{report}");
}

#[test]
fn an_input_that_never_comes_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(&["--timeout", "1s", "-"], folder.path());
    let stdin = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("see what it waits for"), "{said}");
    drop(stdin);
}

#[test]
fn a_time_that_is_none_is_refused() {
    for text in ["soon", "-3s", "10", "0", "1h30m"] {
        let output = scant(&["scan", "--timeout", text, "oci:/nowhere/at/all"])
            .output()
            .unwrap();
        let bad = ["soon", "-3s"].contains(&text);
        assert_eq!(
            output.status.code(),
            Some(if bad { 2 } else { 3 }),
            "{text}: {output:?}"
        );
    }
}
