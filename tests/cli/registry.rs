//! Images in Debian's own registry: open, with passwords, with TLS, and of several platforms.

use std::fs;

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{
    process::{Ran, finish, oci, run, scant, skopeo},
    support::{
        certificates::Certificates,
        fault::{Server, serve},
        image::{TestImage, sha256},
        registry::{Mode, PASSWORD, Registry, USER},
    },
    targets::{demo, essence},
};

fn push_demo(registry: &Registry) {
    let from = format!("{}:latest", oci("demo"));
    let to = format!("docker://{}/team/demo:1", registry.address);
    skopeo(&["--dest-tls-verify=false", &from, &to]);
}

/// The registry under the name that users write.
fn host(registry: &Registry) -> String {
    registry.address.replace("127.0.0.1", "localhost")
}

#[track_caller]
fn is_demo(ran: &Ran) {
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""), "{ran:?}");
    assert_eq!(essence(ran), essence(&demo()));
}

#[track_caller]
fn failed(ran: &Ran, code: &str) {
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_eq!(ran.json()["images"][0]["error"]["code"], code, "{ran:?}");
}

#[test]
fn plain_by_tag_and_by_digest() {
    let registry = Registry::start(&Mode::Plain, push_demo);
    let name = format!("{}/team/demo", host(&registry));
    let by_tag = run(&["scan", "-o", "json", &format!("{name}:1")]);
    is_demo(&by_tag);
    let digest = by_tag.json()["images"][0]["digest"].as_str().unwrap().to_owned();
    is_demo(&run(&["scan", "-o", "json", &format!("{name}@{digest}")]));
    failed(
        &run(&["scan", "-o", "json", &format!("{name}:absent")]),
        "not-found",
    );
}

#[test]
fn passwords() {
    let registry = Registry::start(&Mode::Password, push_demo);
    let target = format!("{}/team/demo:1", host(&registry));
    let words = [
        "scan",
        "-o",
        "json",
        &target,
        "--username",
        USER,
        "--password-stdin",
    ];
    let input = format!("{PASSWORD}\n");
    is_demo(&finish(&mut scant(&words), input.as_bytes()));

    let folder = tempfile::tempdir().unwrap();
    let login = BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let config = serde_json::json!({ "auths": { host(&registry): { "auth": login } } });
    fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    let mut command = scant(&["scan", "-o", "json", &target]);
    is_demo(&finish(command.env("DOCKER_CONFIG", folder.path()), b""));

    failed(&run(&["scan", "-o", "json", &target]), "denied");
    let wrong = finish(&mut scant(&words), b"hunter2\n");
    failed(&wrong, "denied");
    assert!(
        !wrong.out.contains("hunter2") && !wrong.err.contains("hunter2"),
        "{wrong:?}"
    );
    finish(&mut scant(&words), b"\n").refused_with("standard input holds no password");
    run(&["scan", &target, "--username", USER]).refused_with("--password-stdin");
    // Neither registry may see what is meant for the other.
    let both = ["scan", &target, "registry.test/a"];
    let words = [&both[..], &["--username", USER, "--password-stdin"]].concat();
    finish(&mut scant(&words), b"hunter2\n").refused_with("are for one registry");
    finish(scant(&both).env("SCANT_REGISTRY_TOKEN", "t"), b"").refused_with("are for one registry");
}

#[test]
fn certificates() {
    let certificates = Certificates::new();
    let (certificate, key) = (certificates.path("server.pem"), certificates.path("server.key"));
    let mode = Mode::Tls {
        certificate: &certificate,
        key: &key,
    };
    let registry = Registry::start(&mode, push_demo);
    let target = format!("{}/team/demo:1", host(&registry));
    let authority = certificates.path("ca.pem");
    let words = ["scan", "-o", "json", &target];

    let by_flag = [&words[..], &["--ca-file", authority.to_str().unwrap()]].concat();
    is_demo(&run(&by_flag));
    is_demo(&finish(scant(&words).env("SSL_CERT_FILE", &authority), b""));
    failed(&run(&words), "untrusted");
    let unchecked = run(&[&words[..], &["--insecure-skip-tls-verify", &host(&registry)]].concat());
    assert_eq!(unchecked.code, Some(1), "{unchecked:?}");
    let notes = unchecked.json()["images"][0]["notes"].to_string();
    assert!(notes.contains("certificate"), "{notes}");
}

#[test]
fn a_layer_with_wrong_bytes_is_read_once_more() {
    for always in [false, true] {
        let image = TestImage::plain();
        let layer = sha256(&image.layers[0]);
        let wrong = layer.clone();
        let server = Server::start(move |request| {
            let mut reply = serve(&image, request);
            reply.keep = true;
            // Behind the first connections sits a cache with a changed byte.
            if request.path.contains(&wrong) && (always || request.earlier == 0) {
                reply.body[1_000] ^= 1;
            }
            reply
        });
        let ran = run(&["scan", "-o", "json", &format!("{}/a:1", server.address)]);
        let asked = server.requests(&layer);
        assert_eq!(asked.len(), 2);
        assert_ne!(asked[0].connection, asked[1].connection);
        if always {
            failed(&ran, "digest-mismatch");
        } else {
            assert!(ran.json()["images"][0]["grade"].is_string(), "{ran:?}");
        }
    }
}

#[test]
fn an_index_of_two_platforms() {
    let registry = Registry::start(&Mode::Plain, |registry| {
        let to = format!("docker://{}/two:1", registry.address);
        let from = format!("{}:latest", oci("two-platforms"));
        skopeo(&["--all", "--dest-tls-verify=false", &from, &to]);
    });
    let target = format!("{}/two:1", host(&registry));
    let platforms = |ran: &Ran| -> Vec<(String, String)> {
        let report = ran.json();
        let images = report["images"].as_array().unwrap().iter();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        images
            .map(|image| (text(&image["platform"]), text(&image["grade"])))
            .collect()
    };
    let pair = |platform: &str, grade: &str| (platform.to_owned(), grade.to_owned());
    let (amd64, arm64) = (pair("linux/amd64", "A+"), pair("linux/arm64", "D"));

    let all = run(&["scan", "-o", "json", "--platform", "all", &target]);
    assert_eq!(all.code, Some(1), "{all:?}");
    assert_eq!(platforms(&all), [amd64.clone(), arm64.clone()]);
    let on_disk = run(&["scan", "-o", "json", "--platform", "all", &oci("two-platforms")]);
    assert_eq!(essence(&all), essence(&on_disk));

    let other = run(&["scan", "-o", "json", "--platform", "linux/arm64", &target]);
    assert_eq!((other.code, platforms(&other)), (Some(1), vec![arm64]));
    let one = run(&["scan", "-o", "json", "--platform", "linux/amd64", &target]);
    assert_eq!((one.code, platforms(&one)), (Some(0), vec![amd64]));
    assert!(
        one.json()["images"][0]["notes"]
            .to_string()
            .contains("linux/arm64")
    );
    failed(
        &run(&["scan", "-o", "json", "--platform", "linux/s390x", &target]),
        "no-such-platform",
    );
}
