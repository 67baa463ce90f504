//! Registries and stores that would like to have what is not theirs: credentials, and requests without TLS.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use scant::{
    failure::Code,
    source::{Login, Secret},
};
use serde_json::json;

use crate::support::{
    fault::{Reply, Request, Server, serve},
    image::{OCI_MANIFEST, TestImage, host_platform, sha256},
    open, options, pull, pull_with_environment, read,
};

/// `reader:s3cret`, as a header carries it.
const BASIC: &str = "Basic cmVhZGVyOnMzY3JldA==";

fn logged_in() -> scant::source::Options {
    let mut options = options();
    options.registry.login = Some(Login {
        username: "reader".into(),
        password: Secret("s3cret".into()),
    });
    options
}

/// A file with the login for one registry.
fn login_file(registry: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let entry = json!({ "username": "reader", "password": "s3cret" });
    std::fs::write(file.path(), json!({ "auths": { registry: entry } }).to_string()).unwrap();
    file
}

#[test]
fn a_store_that_asks_who_one_is_gets_no_answer() {
    for kind in ["blobs", "manifests"] {
        for scheme in ["Basic", "Bearer"] {
            let store = Server::start(move |request| {
                if request.path.starts_with("/token") {
                    return Reply::new(200, r#"{"token":"t"}"#);
                }
                let realm = format!("http://{}/token", request.header("host").unwrap());
                Reply::new(401, "").with("WWW-Authenticate", format!("{scheme} realm=\"{realm}\""))
            });
            let at = store.address.clone();
            let image = TestImage::plain();
            let registry = Server::start(move |request| {
                if request.path.contains(&format!("/{kind}/")) {
                    return Reply::new(307, "").with("Location", format!("http://{at}{}", request.path));
                }
                serve(&image, request)
            });
            let failure = pull(&format!("{}/a:1", registry.address), &logged_in()).unwrap_err();
            assert_eq!(failure.code, Code::Denied, "{kind} {scheme}: {failure}");
            let at_store = store.requests("");
            assert!(
                !at_store.is_empty() && store.requests("/token").is_empty(),
                "{kind} {scheme}"
            );
            for request in at_store {
                assert_eq!(request.header("authorization"), None, "{kind} {scheme}");
            }
        }
    }
}

#[test]
fn a_token_service_that_has_moved_gets_no_credentials_elsewhere() {
    let elsewhere = Server::start(|_| Reply::new(200, r#"{"token":"t"}"#));
    let at = elsewhere.address.clone();
    let service = Server::start(move |_| Reply::new(307, "").with("Location", format!("http://{at}/token")));
    let realm = format!("http://{}/token", service.address);
    let image = TestImage::plain();
    let registry = Server::start(move |request| {
        if request.path != "/v2/" && request.header("authorization") != Some("Bearer t") {
            return Reply::new(401, "").with("WWW-Authenticate", format!("Bearer realm=\"{realm}\""));
        }
        serve(&image, request)
    });
    let target = format!("{}/a:1", registry.address);
    pull(&target, &logged_in()).unwrap();
    assert_eq!(service.requests("")[0].header("authorization"), Some(BASIC));
    assert_eq!(elsewhere.requests("")[0].header("authorization"), None);

    // An identity token goes in the body, and is not sent on at all.
    let file = tempfile::NamedTempFile::new().unwrap();
    let content = json!({ "auths": { &registry.address: { "identitytoken": "s3cret" } } });
    std::fs::write(file.path(), content.to_string()).unwrap();
    let before = elsewhere.requests("").len();
    let variables = [("REGISTRY_AUTH_FILE", file.path().to_str().unwrap())];
    let printed = pull_with_environment(&target, &variables);
    assert!(printed.contains("BadTarget"), "{printed}");
    assert_eq!(elsewhere.requests("").len(), before);
}

#[test]
fn credentials_leave_this_machine_without_tls_only_where_the_user_says_so() {
    let image = TestImage::plain();
    let registry = Server::start(move |request| {
        if request.path != "/v2/" && request.header("authorization") != Some("Bearer t") {
            let challenge = "Bearer realm=\"http://tokens.test/token\"";
            return Reply::new(401, "").with("WWW-Authenticate", challenge);
        }
        serve(&image, request)
    });
    let network = Server::start(|_| Reply::new(200, r#"{"token":"t"}"#));
    let through = format!("http://{}", network.address);
    let file = login_file(&registry.address);
    let variables = [
        ("REGISTRY_AUTH_FILE", file.path().to_str().unwrap()),
        ("HTTP_PROXY", through.as_str()),
        ("http_proxy", &through),
        ("NO_PROXY", ""),
    ];
    let target = format!("{}/a:1", registry.address);
    let refused = pull_with_environment(&target, &variables);
    assert!(
        refused.contains("Untrusted") && refused.contains("--plain-http tokens.test"),
        "{refused}"
    );
    assert!(network.requests("").is_empty(), "nothing was sent");
    let named = [&variables[..], &[("PLAIN_HTTP", "tokens.test")]].concat();
    assert!(pull_with_environment(&target, &named).contains("pulled 2 layers"));
    let asked = network.requests("http://tokens.test/token");
    assert_eq!(asked[0].header("authorization"), Some(BASIC));
}

#[test]
fn only_this_machine_and_hosts_named_are_asked_without_tls() {
    let network = Server::start(|_| Reply::new(403, ""));
    let through = format!("http://{}", network.address);
    let hosts = [
        "registry.test",
        "localhost.test",
        "127.0.0.1.test",
        "registry.test:80",
        "other.test:5000",
    ];
    for host in hosts {
        let file = login_file(host);
        let variables = [
            ("REGISTRY_AUTH_FILE", file.path().to_str().unwrap()),
            ("HTTP_PROXY", through.as_str()),
            ("http_proxy", &through),
            ("HTTPS_PROXY", &through),
            ("https_proxy", &through),
            ("NO_PROXY", ""),
            ("ONE_TRY", "1"),
            // Another port is another registry.
            ("PLAIN_HTTP", "other.test:5001"),
        ];
        let printed = pull_with_environment(&format!("{host}/a:1"), &variables);
        assert!(!printed.contains("pulled"), "{host}: {printed}");
    }
    let asked: Vec<Request> = network.requests("");
    assert_eq!(asked.len(), hosts.len());
    for (request, host) in asked.iter().zip(hosts) {
        let at = if host.contains(':') {
            host.to_owned()
        } else {
            format!("{host}:443")
        };
        assert_eq!((request.method.as_str(), &request.path), ("CONNECT", &at));
        assert_eq!(request.header("authorization"), None);
    }
}

#[test]
fn a_password_that_was_refused_is_not_sent_again() {
    let image = TestImage::plain();
    let registry = Server::start(move |request| {
        let allowed = request.path == "/v2/"
            || request.path.contains("/manifests/") && request.header("authorization") == Some(BASIC);
        if allowed {
            return serve(&image, request);
        }
        Reply::new(401, "").with("WWW-Authenticate", "Basic realm=\"r\"")
    });
    let failure = open(&format!("{}/a:1", registry.address), &logged_in())
        .err()
        .unwrap();
    assert_eq!(failure.code, Code::Denied);
    assert!(failure.advice.unwrap().contains("check the name"));
    assert_eq!(registry.requests("/blobs/").len(), 1);
}

#[test]
fn a_token_is_renewed_before_its_life_is_over() {
    let image = TestImage::plain();
    let service = Server::start(|_| Reply::new(200, r#"{"token":"t","expires_in":2}"#));
    let realm = format!("http://{}/token", service.address);
    let registry = Server::start(move |request| {
        if request.path != "/v2/" && request.header("authorization").is_none() {
            return Reply::new(401, "").with("WWW-Authenticate", format!("Bearer realm=\"{realm}\""));
        }
        serve(&image, request)
    });
    let (images, blobs) = open(&format!("{}/a:1", registry.address), &options()).unwrap();
    let before = service.requests("").len();
    // A fifth of its life is left at most, and no request was refused.
    std::thread::sleep(Duration::from_millis(1_750));
    read(blobs.open(&images[0].layers[0]).unwrap()).unwrap();
    assert_eq!(service.requests("").len(), before + 1);
}

#[test]
fn layers_refused_at_once_share_one_new_token() {
    let image = TestImage::new(OCI_MANIFEST, host_platform(), &[1_000, 2_000, 3_000, 4_000]);
    let (served, layers) = (image.clone(), image.layers.len());
    let issued = AtomicUsize::new(0);
    let service = Server::start(move |_| {
        let number = issued.fetch_add(1, Ordering::Relaxed) + 1;
        Reply::new(200, json!({ "token": format!("t{number}") }).to_string())
    });
    let realm = format!("http://{}/token", service.address);
    let refused = AtomicUsize::new(0);
    let registry = Server::start(move |request| {
        let is_layer = served
            .layers
            .iter()
            .any(|layer| request.path.ends_with(&sha256(layer)));
        let wanted = if is_layer { "Bearer t2" } else { "Bearer t1" };
        if request.path == "/v2/" || request.header("authorization") == Some(wanted) {
            return serve(&served, request);
        }
        if is_layer {
            // None is told before all have asked with the old token.
            refused.fetch_add(1, Ordering::SeqCst);
            let deadline = Instant::now() + Duration::from_secs(5);
            while refused.load(Ordering::SeqCst) < layers && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Reply::new(401, "").with("WWW-Authenticate", format!("Bearer realm=\"{realm}\""))
    });
    assert!(pull(&format!("{}/a:1", registry.address), &options()).unwrap().1 == image.layers);
    assert_eq!(service.requests("/token").len(), 2);
}

#[test]
fn requests_tell_no_more_than_they_must() {
    let image = TestImage::plain();
    let (served, stored) = (image.clone(), image);
    let store = Server::start(move |request| serve(&stored, request));
    let at = store.address.clone();
    let registry = Server::start(move |request| {
        if request.path.contains("/blobs/") {
            return Reply::new(307, "").with("Location", format!("http://{at}{}", request.path));
        }
        serve(&served, request)
    });
    pull(&format!("{}/a:1", registry.address), &options()).unwrap();
    let known = ["accept", "accept-encoding", "host", "user-agent"];
    for request in [registry.requests(""), store.requests("")].concat() {
        let unknown: Vec<_> = request
            .headers
            .keys()
            .filter(|name| !known.contains(&name.as_str()))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

#[test]
fn the_digest_asked_for_decides_and_not_the_one_in_a_header() {
    let asked = TestImage::plain();
    let other = TestImage::new(OCI_MANIFEST, host_platform(), &[1_000]);
    let (asked_digest, other_digest) = (asked.digest(), other.digest());
    let (served, stated) = (asked.clone(), other_digest.clone());
    let lying =
        Server::start(move |request| serve(&served, request).with("Docker-Content-Digest", stated.clone()));
    let (found, layers) = pull(&format!("{}/a@{asked_digest}", lying.address), &options()).unwrap();
    assert_eq!(found.digest.unwrap().to_string(), asked_digest);
    assert!(layers == asked.layers);

    // Another image that calls itself by its right name is still not the one asked for.
    let swapped = Server::start(move |request| {
        serve(&other, request).with("Docker-Content-Digest", sha256(&other.manifest))
    });
    let target = format!("{}/a:1@{asked_digest}", swapped.address);
    assert_eq!(
        open(&target, &options()).err().unwrap().code,
        Code::DigestMismatch
    );
}
