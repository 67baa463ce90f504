//! One image through every way in: the same grade, the same findings.

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixListener,
    path::{Path, PathBuf},
    sync::LazyLock,
    thread,
};

use serde_json::Value;

use crate::{
    process::{Ran, finish, oci, run, sample, scant, skopeo},
    support,
};

/// The demo image as archives of every kind, each called `demo`, so that fingerprints can be compared, too.
static ARCHIVES: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let from = format!("{}:latest", oci("demo"));
    skopeo(&[&from, &format!("oci-archive:{}:latest", path("demo.tar"))]);
    skopeo(&[
        &from,
        &format!("docker-archive:{}:demo:latest", path("docker.tar")),
    ]);
    for plain in ["demo.tar", "docker.tar"] {
        let zstd = support::run("zstd", "zstd", &["-q", "-c", &path(plain)]);
        fs::write(path(&format!("{plain}.zst")), zstd).unwrap();
        let gzip = support::run("gzip", "gzip", &["-c", &path(plain)]);
        fs::write(path(&format!("{plain}.gz")), gzip).unwrap();
    }
    folder
});

pub(crate) fn archive(name: &str) -> PathBuf {
    ARCHIVES.path().join(name)
}

/// What must not depend on the way in: the grade, and each finding without its place in an archive or registry.
pub(crate) fn essence(ran: &Ran) -> Vec<Value> {
    let report = ran.json();
    let images = report["images"].as_array().unwrap();
    assert!(!images.is_empty(), "{ran:?}");
    let of_image = |image: &Value| {
        let findings = image["findings"].as_array().unwrap().iter();
        let findings: Vec<Value> = findings
            .map(|finding| {
                let mut finding = finding.clone();
                finding.as_object_mut().unwrap().remove("fingerprint").unwrap();
                // An archive of Docker's knows no digest of a compressed layer.
                let layer = finding["layer"].as_object_mut();
                layer.map(|layer| layer.remove("digest"));
                finding
            })
            .collect();
        let parts = ["grade", "score", "compliant", "user", "platform"].map(|key| image[key].clone());
        serde_json::json!([parts, findings])
    };
    images.iter().map(of_image).collect()
}

pub(crate) fn fingerprints(ran: &Ran) -> Vec<String> {
    let report = ran.json();
    let images = report["images"].as_array().unwrap().iter();
    images
        .flat_map(|image| image["findings"].as_array().unwrap())
        .map(|finding| finding["fingerprint"].as_str().unwrap().to_owned())
        .collect()
}

/// The demo image from where it was assembled.
pub(crate) fn demo() -> Ran {
    let ran = run(&["scan", "-o", "json", &oci("demo")]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(fingerprints(&ran).len() >= 3, "{ran:?}");
    ran
}

#[track_caller]
fn same(ran: &Ran, want: &Ran) {
    assert_eq!(ran.code, want.code, "{ran:?}");
    assert_eq!(ran.err, "");
    assert_eq!(essence(ran), essence(want));
}

#[test]
fn files_and_folders() {
    let want = demo();
    let folder = sample("demo").display().to_string();
    let digest = want.json()["images"][0]["digest"].as_str().unwrap().to_owned();
    let file = |name: &str| archive(name).display().to_string();
    let targets = [
        (format!("oci:{folder}:latest"), true),
        (format!("oci:{folder}@{digest}"), true),
        (folder, true),
        (format!("oci-archive:{}", file("demo.tar")), true),
        (format!("oci-archive:{}:latest", file("demo.tar")), true),
        (format!("oci-archive:{}", file("demo.tar.gz")), true),
        (format!("oci-archive:{}", file("demo.tar.zst")), true),
        (file("demo.tar"), true),
        (file("demo.tar.zst"), true),
        (format!("docker-archive:{}", file("docker.tar")), false),
        (
            format!("docker-archive:{}:demo:latest", file("docker.tar")),
            false,
        ),
        (format!("docker-archive:{}", file("docker.tar.gz")), false),
        (format!("docker-archive:{}", file("docker.tar.zst")), false),
        (file("docker.tar"), false),
    ];
    for (target, same_name) in targets {
        let ran = run(&["scan", "-o", "json", &target]);
        same(&ran, &want);
        // The name of the image is part of a fingerprint, and Docker's archives say another than a folder's.
        assert_eq!(fingerprints(&ran) == fingerprints(&want), same_name, "{target}");
    }
}

#[test]
fn a_path_from_here() {
    let mut command = scant(&["scan", "-o", "json", "demo"]);
    let ran = finish(command.current_dir(sample("demo").parent().unwrap()), b"");
    same(&ran, &demo());
    let ran = finish(
        scant(&["scan", "-o", "json", "./demo.tar"]).current_dir(ARCHIVES.path()),
        b"",
    );
    same(&ran, &demo());
}

#[test]
fn standard_input() {
    let want = demo();
    let names = [
        "demo.tar",
        "demo.tar.gz",
        "demo.tar.zst",
        "docker.tar",
        "docker.tar.gz",
    ];
    for name in names {
        let bytes = fs::read(archive(name)).unwrap();
        let ran = finish(&mut scant(&["scan", "-o", "json", "-"]), &bytes);
        same(&ran, &want);
    }
    for rubbish in ["", "no archive"] {
        let ran = finish(&mut scant(&["scan", "-"]), rubbish.as_bytes());
        assert_eq!(ran.code, Some(3), "{ran:?}");
    }
}

#[test]
fn a_root_directory_has_no_user_and_no_start() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("bin")).unwrap();
    fs::copy("/bin/sh", root.path().join("bin/tool")).unwrap();
    let target = format!("rootfs:{}", root.path().display());
    let ran = run(&["scan", "-o", "json", &target]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let findings = ran.json()["images"][0]["findings"].clone();
    let rules: Vec<&str> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["shell"], "{findings:#}");
    assert_eq!(findings[0]["path"], "/bin/tool");
}

/// Answers once as the Docker daemon does.
fn daemon(socket: &Path, answer: Vec<u8>) -> thread::JoinHandle<String> {
    let listener = UnixListener::bind(socket).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
            request.push(byte[0]);
        }
        stream.write_all(&answer).unwrap();
        String::from_utf8(request).unwrap()
    })
}

#[test]
fn the_docker_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let host = format!("unix://{}", socket.display());
    let mut answer =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\nConnection: close\r\n\r\n".to_vec();
    answer.extend(fs::read(archive("docker.tar")).unwrap());
    let served = daemon(&socket, answer);
    let words = ["scan", "-o", "json", "docker-daemon:demo:latest"];
    let ran = finish(scant(&words).env("DOCKER_HOST", &host), b"");
    let request = served.join().unwrap();
    assert!(request.starts_with("GET /images/demo"), "{request}");
    same(&ran, &demo());

    fs::remove_file(&socket).unwrap();
    let ran = finish(scant(&words).env("DOCKER_HOST", &host), b"");
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.out.contains("cannot be reached"), "{ran:?}");
}

#[test]
fn several_targets_in_the_order_asked_for() {
    let names = ["demo", "distroless-static-nonroot", "removed-shell"];
    let targets = names.map(oci);
    let words: Vec<&str> = ["scan", "-o", "json"]
        .into_iter()
        .chain(targets.iter().map(String::as_str))
        .collect();
    let ran = run(&words);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let asked = |ran: &Ran| -> Vec<String> {
        let report = ran.json();
        let images = report["images"].as_array().unwrap().iter();
        images
            .map(|image| image["target"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(asked(&ran), targets);

    let list = format!("# the fleet\n\n  {}\n{}\n", targets[1], targets[2]);
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &list).unwrap();
    let path = file.path().to_str().unwrap();
    let from_file = run(&["scan", "-o", "json", "--from-file", path, &targets[0]]);
    assert_eq!(asked(&from_file), targets);
    assert_eq!(from_file.out, ran.out);
    let mut command = scant(&["scan", "-o", "json", "--from-file", "-", &targets[0]]);
    assert_eq!(finish(&mut command, list.as_bytes()).out, ran.out);

    finish(&mut scant(&["scan", "--from-file", "-"]), b"# none\n")
        .refused_with("the list of targets is empty");
    run(&["scan", "--from-file", "-", "-"]).refused_with("standard input can hold only one of");
    run(&["scan", "--from-file", "no-such-list"]).refused_with("list of targets `no-such-list`");
}
