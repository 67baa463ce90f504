//! Debian's registry in every mode it has.

use scant::{
    failure::Code,
    source::{Login, PlatformChoice, RegistryOptions, Secret},
};
use serde_json::json;

use crate::support::{
    certificates::{self, Certificates, Signer},
    fault::{Reply, Server},
    image::{self, TestImage, host_platform},
    open, options, pull,
    registry::{Mode, PASSWORD, Registry, USER},
    run,
};

fn logged_in(password: &str) -> RegistryOptions {
    RegistryOptions {
        login: Some(Login {
            username: USER.into(),
            password: Secret(password.into()),
        }),
        ..RegistryOptions::default()
    }
}

#[test]
fn an_image_comes_whole_under_tag_and_digest() {
    let image = TestImage::plain();
    let docker = TestImage::new(image::DOCKER_MANIFEST, host_platform(), &[1_000_000, 0, 77]);
    let registry = Registry::start_with(&Mode::Plain, |registry| {
        registry.push("team/app", "1.0", &image);
        registry.push("docker", "latest", &docker);
    });
    let address = &registry.address;
    let digest = image.digest();
    for target in [
        format!("{address}/team/app:1.0"),
        format!("{address}/team/app@{digest}"),
        format!("{address}/team/app:no-such-tag@{digest}"),
    ] {
        let (found, layers) =
            pull(&target, &options()).unwrap_or_else(|failure| panic!("{target}: {failure}"));
        assert_eq!(found.target, target);
        assert_eq!(found.name, "team/app");
        assert_eq!(found.digest.unwrap().to_string(), digest);
        assert_eq!(found.config.unwrap().user, "65532:65532");
        assert!(layers == image.layers);
    }
    let (found, layers) = pull(&format!("{address}/docker"), &options()).unwrap();
    assert_eq!(found.reference, Some(format!("{address}/docker:latest")));
    assert!(layers == docker.layers);
    let absent = open(&format!("{address}/team/app:2.0"), &options())
        .err()
        .unwrap();
    assert_eq!(absent.code, Code::NotFound);
    assert!(absent.message.contains("MANIFEST_UNKNOWN"), "{absent}");
}

#[test]
fn an_index_yields_the_platforms_asked_for() {
    let amd = TestImage::new(image::OCI_MANIFEST, ("linux", "amd64"), &[1_000]);
    let arm = TestImage::new(image::OCI_MANIFEST, ("linux", "arm64"), &[2_000]);
    let children = [(&amd, ("linux", "amd64")), (&arm, ("linux", "arm64"))];
    let index = image::index(image::OCI_INDEX, &children);
    let list = image::index(image::DOCKER_LIST, &children);
    let registry = Registry::start_with(&Mode::Plain, |registry| {
        registry.push("multi", "amd", &amd);
        registry.push("multi", "arm", &arm);
        registry.push_manifest("multi", "all", image::OCI_INDEX, &index);
        registry.push_manifest("multi", "list", image::DOCKER_LIST, &list);
    });
    let target = format!("{}/multi:all", registry.address);
    let mut options = options();
    options.platform = PlatformChoice::Exact("linux/arm64".parse().unwrap());
    let (found, layers) = pull(&target, &options).unwrap();
    assert_eq!(found.index_digest.unwrap().to_string(), image::sha256(&index));
    assert_eq!(found.digest.unwrap().to_string(), arm.digest());
    assert!(layers == arm.layers);
    options.platform = PlatformChoice::All;
    let (found, _) = open(&target, &options).unwrap();
    assert_eq!(found.len(), 2);
    options.platform = PlatformChoice::Exact("linux/s390x".parse().unwrap());
    assert_eq!(open(&target, &options).err().unwrap().code, Code::NoSuchPlatform);
    options.platform = PlatformChoice::All;
    let (found, _) = open(&format!("{}/multi:list", registry.address), &options).unwrap();
    assert_eq!(found.len(), 2);
}

#[test]
fn a_password_is_asked_for_and_taken() {
    let image = TestImage::plain();
    let registry = Registry::start_with(&Mode::Password, |registry| registry.push("private", "1", &image));
    let target = format!("{}/private:1", registry.address);
    let mut options = options();
    let denied = open(&target, &options).err().unwrap();
    assert_eq!(denied.code, Code::Denied, "{denied}");
    options.registry = logged_in("wrong");
    let denied = open(&target, &options).err().unwrap();
    assert_eq!(denied.code, Code::Denied, "{denied}");
    assert!(!format!("{denied:?} {options:?}").contains("wrong"));
    options.registry = logged_in(PASSWORD);
    assert!(pull(&target, &options).unwrap().1 == image.layers);
}

#[test]
fn tls_is_believed_only_where_someone_vouches() {
    let image = TestImage::plain();
    let certificates = Certificates::new();
    let (certificate, key) = (certificates.path("server.pem"), certificates.path("server.key"));
    let mode = Mode::Tls {
        certificate: &certificate,
        key: &key,
    };
    let registry = Registry::start_with(&mode, |registry| registry.push("a", "1", &image));
    let target = format!("{}/a:1", registry.address);

    let mut options = options();
    let untrusted = open(&target, &options).err().unwrap();
    assert_eq!(untrusted.code, Code::Untrusted, "{untrusted}");
    assert!(untrusted.message.contains("certificate"), "{untrusted}");
    assert!(untrusted.advice.unwrap().contains("--ca-file"));

    options.registry.ca_file = Some(certificates.path("ca.pem"));
    assert!(pull(&target, &options).unwrap().1 == image.layers);

    options.registry.ca_file = None;
    options.registry.insecure = vec!["127.0.0.1:1".into()];
    assert_eq!(open(&target, &options).err().unwrap().code, Code::Untrusted);
    options.registry.insecure = vec![registry.address.clone()];
    assert!(pull(&target, &options).unwrap().1 == image.layers);

    options.registry.ca_file = Some(certificates.path("ca.key"));
    assert_eq!(open(&target, &options).err().unwrap().code, Code::Unreadable);

    // Asked for plain http, scant does not turn to TLS by itself.
    let mut options = super::support::options();
    options.registry.plain_http = vec![registry.address.clone()];
    assert_eq!(open(&target, &options).err().unwrap().code, Code::BadTarget);
}

#[test]
fn a_client_certificate_is_shown() {
    let image = TestImage::plain();
    let certificates = Certificates::new();
    let [certificate, key, clients] =
        ["server.pem", "server.key", "ca.pem"].map(|name| certificates.path(name));
    let mode = Mode::MutualTls {
        certificate: &certificate,
        key: &key,
        clients: &clients,
    };
    let registry = Registry::start_with(&mode, |registry| registry.push("a", "1", &image));
    let target = format!("{}/a:1", registry.address);
    let mut options = options();
    options.registry.ca_file = Some(clients.clone());
    let refused = open(&target, &options).err().unwrap();
    assert_eq!(refused.code, Code::Untrusted, "{refused}");
    options.registry.client_certificate =
        Some((certificates.path("client.pem"), certificates.path("client.key")));
    assert!(pull(&target, &options).unwrap().1 == image.layers);
}

#[test]
fn the_environment_names_the_authorities() {
    let certificates = Certificates::new();
    let ca = certificates.path("ca.pem");
    let empty = certificates.path("empty");
    std::fs::write(&empty, "").unwrap();
    let image = TestImage::plain();
    let (certificate, key) = (certificates.path("server.pem"), certificates.path("server.key"));
    let mode = Mode::Tls {
        certificate: &certificate,
        key: &key,
    };
    let registry = Registry::start_with(&mode, |registry| registry.push("a", "1", &image));
    for (authorities, outcome) in [(&ca, "good"), (&empty, "bad")] {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "registry::child_that_pulls",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .env("SSL_CERT_FILE", authorities)
            .env("SSL_CERT_DIR", "")
            .env("PULL", format!("{}/a:1", registry.address))
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if outcome == "good" {
            assert!(printed.contains("pulled 2 layers"), "{printed}");
        } else {
            assert!(
                printed.contains("Untrusted") && printed.contains("SSL_CERT_FILE"),
                "{printed}"
            );
        }
    }
}

#[test]
fn logins_of_other_tools_are_found() {
    let image = TestImage::plain();
    let registry = Registry::start_with(&Mode::Password, |registry| {
        registry.push("team/private", "1", &image)
    });
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("auth.json");
    run(
        "skopeo",
        "skopeo",
        &[
            "login",
            "--tls-verify=false",
            "--authfile",
            file.to_str().unwrap(),
            "-u",
            USER,
            "-p",
            PASSWORD,
            &registry.address,
        ],
    );
    let child = |variable: &str, value: &std::path::Path| {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "registry::child_that_pulls",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .env_remove("HOME")
            .env(variable, value)
            .env("PULL", format!("{}/team/private:1", registry.address))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(child("REGISTRY_AUTH_FILE", &file).contains("pulled 2 layers"));
    std::fs::rename(&file, directory.path().join("config.json")).unwrap();
    assert!(child("DOCKER_CONFIG", directory.path()).contains("pulled 2 layers"));
    assert!(child("NOTHING", directory.path()).contains("Denied"));
}

/// Run by other tests in a process of its own, since the environment belongs to a whole process.
#[test]
#[ignore = "only run by other tests"]
fn child_that_pulls() {
    match pull(&std::env::var("PULL").unwrap(), &options()) {
        Ok((_, layers)) => println!("pulled {} layers", layers.len()),
        Err(failure) => println!("{failure:?}"),
    }
}

#[test]
fn tokens_are_fetched_and_shared() {
    let image = TestImage::new(
        image::OCI_MANIFEST,
        host_platform(),
        &[50_000, 60_000, 70_000, 80_000],
    );
    let directory = tempfile::tempdir().unwrap();
    let (key, certificate) = certificates::token_signer(directory.path());
    let signer = Signer::new(&key, &certificate);
    let service = Server::start(move |request| {
        let granted = request.header("authorization") != Some("Basic d3Jvbmc6d3Jvbmc=");
        if !granted {
            return Reply::new(
                401,
                r#"{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}"#,
            );
        }
        let token = signer.token("private/app");
        Reply::new(200, json!({ "token": token, "expires_in": 300 }).to_string())
    });
    let realm = format!("http://{}/token?account=x", service.address);
    let mode = Mode::Token {
        realm: &realm,
        certificate: &certificate,
    };
    let registry = Registry::start_with(&mode, |registry| {
        registry.push("private/app", "1", &image);
        registry.push("other", "1", &image);
    });
    let target = format!("{}/private/app:1", registry.address);
    let (_, layers) = pull(&target, &options()).unwrap();
    assert!(layers == image.layers);
    let asked = service.requests("/token");
    assert_eq!(
        asked.len(),
        1,
        "one token serves manifest, configuration and layers"
    );
    assert_eq!(
        asked[0].path,
        "/token?account=x&service=test-registry&scope=repository%3Aprivate%2Fapp%3Apull"
    );
    assert_eq!(asked[0].header("authorization"), None);

    let mut options = options();
    options.registry = logged_in(PASSWORD);
    pull(&target, &options).unwrap();
    let with_login = service.requests("/token").pop().unwrap();
    assert_eq!(
        with_login.header("authorization"),
        Some("Basic cmVhZGVyOmNvcnJlY3Q6aG9yc2U=")
    );

    // A token for another repository is refused: one new one is asked for, then that is the answer.
    let before = service.requests("/token").len();
    let denied = open(&format!("{}/other:1", registry.address), &options)
        .err()
        .unwrap();
    assert_eq!(denied.code, Code::Denied, "{denied}");
    assert_eq!(service.requests("/token").len(), before + 1);

    options.registry.login = Some(Login {
        username: "wrong".into(),
        password: Secret("wrong".into()),
    });
    let denied = open(&target, &options).err().unwrap();
    assert_eq!(denied.code, Code::Denied, "{denied}");
    assert!(denied.message.contains("wrong password"), "{denied}");
}
