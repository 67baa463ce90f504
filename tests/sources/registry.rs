//! Debian's registry in every mode it has.

use scant::{
    failure::Code,
    source::{Login, PlatformChoice, RegistryOptions, Secret},
};
use serde_json::json;

use crate::support::{
    certificates::{self, Certificates, Signer},
    fault::{Reply, Server, serve},
    image::{self, TestImage, host_platform},
    open, options, pull, pull_with_environment,
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
    let registry = Registry::start(&Mode::Plain, |registry| {
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
    assert_eq!(found.target, format!("{address}/docker"));
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
    let registry = Registry::start(&Mode::Plain, |registry| {
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
    let registry = Registry::start(&Mode::Password, |registry| registry.push("private", "1", &image));
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
    let registry = Registry::start(&mode, |registry| registry.push("a", "1", &image));
    let target = format!("{}/a:1", registry.address);

    let mut options = options();
    let untrusted = open(&target, &options).err().unwrap();
    assert_eq!(untrusted.code, Code::Untrusted, "{untrusted}");
    assert!(untrusted.message.contains("certificate"), "{untrusted}");
    assert!(untrusted.advice.unwrap().contains("--ca-file"));

    options.registry.ca_file = Some(certificates.path("ca.pem"));
    let (checked, layers) = pull(&target, &options).unwrap();
    assert!(layers == image.layers && checked.notes.is_empty());

    options.registry.ca_file = None;
    options.registry.insecure = vec!["127.0.0.1:1".into()];
    assert_eq!(open(&target, &options).err().unwrap().code, Code::Untrusted);
    options.registry.insecure = vec![registry.address.clone()];
    let (unchecked, layers) = pull(&target, &options).unwrap();
    assert!(layers == image.layers);
    assert!(
        unchecked.notes[0].contains("was not checked"),
        "{:?}",
        unchecked.notes
    );

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
    let registry = Registry::start(&mode, |registry| registry.push("a", "1", &image));
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
    let registry = Registry::start(&mode, |registry| registry.push("a", "1", &image));
    let target = format!("{}/a:1", registry.address);
    let (ca, empty) = (ca.to_str().unwrap(), empty.to_str().unwrap());
    let pull = |authorities, ca_file: &[(&str, &str)]| {
        let variables = [&[("SSL_CERT_FILE", authorities), ("SSL_CERT_DIR", "")], ca_file].concat();
        pull_with_environment(&target, &variables)
    };
    assert!(pull(ca, &[]).contains("pulled 2 layers"));
    let none = pull(empty, &[]);
    assert!(
        none.contains("Untrusted") && none.contains("ca-certificates"),
        "{none}"
    );
    let by_option = pull(empty, &[("CA_FILE", ca)]);
    assert!(by_option.contains("pulled 2 layers"), "{by_option}");
}

#[test]
fn logins_of_other_tools_are_found() {
    let image = TestImage::plain();
    let registry = Registry::start(&Mode::Password, |registry| {
        registry.push("team/private", "1", &image);
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
    let target = format!("{}/team/private:1", registry.address);
    let pull = |variable, value: &std::path::Path| {
        pull_with_environment(&target, &[(variable, value.to_str().unwrap())])
    };
    assert!(pull("REGISTRY_AUTH_FILE", &file).contains("pulled 2 layers"));
    std::fs::rename(&file, directory.path().join("config.json")).unwrap();
    assert!(pull("DOCKER_CONFIG", directory.path()).contains("pulled 2 layers"));
    assert!(pull("NOTHING", directory.path()).contains("Denied"));
}

#[test]
fn a_credential_helper_is_asked() {
    let image = TestImage::plain();
    let registry = Registry::start(&Mode::Password, |registry| registry.push("private", "1", &image));
    let directory = tempfile::tempdir().unwrap();
    let helper = directory.path().join("docker-credential-ours");
    // It answers for the one server that the file names, and to the one question there is.
    let script = format!(
        "#!/bin/sh\nread server\n[ \"$1 $server\" = 'get {}' ] || exit 1\nprintf '{{\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"}}'\n",
        registry.address
    );
    std::fs::write(&helper, script).unwrap();
    std::fs::set_permissions(&helper, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let config = directory.path().join("config.json");
    let path = format!(
        "{}:{}",
        directory.path().display(),
        std::env::var("PATH").unwrap()
    );
    let target = format!("{}/private:1", registry.address);
    for (content, outcome) in [
        (
            json!({ "credHelpers": { &registry.address: "ours" } }),
            "pulled 2 layers",
        ),
        (
            json!({ "credsStore": "ours", "auths": { &registry.address: {} } }),
            "pulled 2 layers",
        ),
        (json!({ "credsStore": "ours" }), "pulled 2 layers"),
        (json!({ "credsStore": "absent" }), "docker-credential-absent"),
    ] {
        std::fs::write(&config, content.to_string()).unwrap();
        let printed = pull_with_environment(
            &target,
            &[
                ("DOCKER_CONFIG", directory.path().to_str().unwrap()),
                ("PATH", &path),
            ],
        );
        assert!(printed.contains(outcome), "{content}: {printed}");
    }
}

#[test]
fn identity_tokens_are_exchanged_by_form_or_left_out() {
    for (has_oauth, without) in [(true, 404), (false, 404), (false, 405)] {
        let image = TestImage::plain();
        let tokens = Server::start(move |request| match request.method.as_str() {
            "POST" if has_oauth => Reply::new(200, r#"{"access_token":"t"}"#),
            "POST" => Reply::new(without, ""),
            _ => Reply::new(200, r#"{"token":"t"}"#),
        });
        let realm = format!("http://{}/token", tokens.address);
        let registry = Server::start(move |request| {
            if request.path != "/v2/" && request.header("authorization") != Some("Bearer t") {
                let challenge = format!("Bearer realm=\"{realm}\",service=\"s\"");
                return Reply::new(401, "").with("WWW-Authenticate", challenge);
            }
            serve(&image, request)
        });
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("auth.json");
        let content = json!({ "auths": { &registry.address: { "identitytoken": "refresh&me" } } });
        std::fs::write(&file, content.to_string()).unwrap();
        let variables = [("REGISTRY_AUTH_FILE", file.to_str().unwrap())];
        let printed = pull_with_environment(&format!("{}/a/b:1", registry.address), &variables);
        assert!(printed.contains("pulled 2 layers"), "{printed}");
        let asked = tokens.requests("/token");
        let form = "grant_type=refresh_token&service=s&client_id=scant&scope=repository%3Aa%2Fb%3Apull&refresh_token=refresh%26me";
        assert_eq!((asked[0].method.as_str(), asked[0].body.as_str()), ("POST", form));
        assert_eq!(asked.len(), if has_oauth { 1 } else { 2 });
    }
}

#[test]
fn proxies_are_used_but_not_for_this_machine() {
    let image = TestImage::plain();
    let served = image.clone();
    let proxy = Server::start(move |request| serve(&served, request));
    let proxy_address = format!("http://{}", proxy.address);
    let variables = [
        ("HTTP_PROXY", proxy_address.as_str()),
        ("http_proxy", &proxy_address),
        ("NO_PROXY", ""),
    ];
    let through = [&variables[..], &[("PLAIN_HTTP", "registry.test")]].concat();
    assert!(pull_with_environment("registry.test/a:1", &through).contains("pulled 2 layers"));
    assert_eq!(proxy.requests("http://registry.test/v2/a/").len(), 4);
    let registry = Server::start(move |request| serve(&image, request));
    let target = format!("{}/a:1", registry.address);
    assert!(pull_with_environment(&target, &variables).contains("pulled 2 layers"));
    assert_eq!(proxy.requests("").len(), 4);
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
    let registry = Registry::start(&mode, |registry| {
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
