//! Registries that fail, lie or break off.

use std::{
    io::Read,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use scant::{
    failure::{Code, Failure},
    source::{Login, Secret},
};
use serde_json::json;

use crate::support::{
    certificates::Certificates,
    fault::{Length, Reply, Request, Server, serve},
    image::{TestImage, sha256},
    open, options, pull, read,
    registry::{Mode, Registry},
};

/// A right registry for [`TestImage::plain`], but for what `change` does to its answers.
pub(crate) fn faulty(
    change: impl Fn(&Request, Reply) -> Reply + Send + Sync + 'static,
) -> (TestImage, Server, String) {
    let image = TestImage::plain();
    let kept = image.clone();
    let server = Server::start(move |request| change(request, serve(&kept, request)));
    let target = format!("{}/a:1", server.address);
    (image, server, target)
}

fn is_blob(request: &Request) -> bool {
    request.path.contains("/blobs/")
}

fn is_manifest(request: &Request) -> bool {
    request.path.contains("/manifests/")
}

/// Changes answers about layers, not about the configuration.
fn of_layers(change: impl Fn(&Request, Reply) -> Reply) -> impl Fn(&Request, Reply) -> Reply {
    let config = sha256(&TestImage::plain().config);
    move |request, reply| {
        if is_blob(request) && !request.path.contains(&config) {
            change(request, reply)
        } else {
            reply
        }
    }
}

#[test]
fn a_broken_transfer_is_taken_up_where_it_broke() {
    for length in [Length::Right, Length::Chunked] {
        let (image, server, target) = faulty(move |request, reply| {
            let half = reply.body.len() / 2;
            match request.earlier {
                0 if is_blob(request) => {
                    // The length is told of the whole, the cut comes before.
                    let claimed = reply.body.len();
                    let length = if length == Length::Right {
                        Length::Claimed(claimed)
                    } else {
                        length
                    };
                    reply.length(length).cut(half)
                }
                _ => reply,
            }
        });
        let config = sha256(&image.config);
        let (_, layers) = pull(&target, &options()).unwrap();
        assert!(layers == image.layers);
        for layer in &image.layers {
            let asked: Vec<_> = server
                .requests(&sha256(layer))
                .iter()
                .map(Request::from)
                .collect();
            assert_eq!(asked, [None, Some(layer.len() / 2)]);
        }
        assert_eq!(server.requests(&config).len(), 2);
    }
}

#[test]
fn a_body_without_length_that_ends_early_is_taken_up_too() {
    let (image, server, target) = faulty(of_layers(|request, reply| {
        let half = reply.body.len() / 2;
        let reply = reply.length(Length::Untold);
        if request.earlier == 0 {
            reply.cut(half)
        } else {
            reply
        }
    }));
    assert!(pull(&target, &options()).unwrap().1 == image.layers);
    assert_eq!(server.requests(&sha256(&image.layers[0])).len(), 2);
}

#[test]
fn a_server_without_ranges_sends_the_whole_again() {
    let (image, _server, target) = faulty(|request, reply| {
        if !is_blob(request) {
            return reply;
        }
        let whole = serve(
            &TestImage::plain(),
            &Request {
                headers: std::collections::BTreeMap::new(),
                ..request.clone()
            },
        );
        let two_thirds = whole.body.len() * 2 / 3;
        if request.earlier == 0 {
            whole.cut(two_thirds)
        } else {
            whole
        }
    });
    assert!(pull(&target, &options()).unwrap().1 == image.layers);
}

#[test]
fn a_part_of_something_else_is_corrupt() {
    type Change = fn(Reply) -> Reply;
    let changes: [(&str, Change); 4] = [
        ("other start", |reply| with_range(reply, "bytes 7-9/10")),
        ("other total", |reply| {
            let range = reply
                .headers
                .iter()
                .find(|(name, _)| name == "Content-Range")
                .unwrap()
                .1
                .clone();
            let (range, total) = range.split_once('/').unwrap();
            let range = format!("{range}/{}", total.parse::<usize>().unwrap() + 1);
            with_range(reply, &range)
        }),
        ("no range", |mut reply| {
            reply.headers.clear();
            reply
        }),
        ("behind the end", |_| Reply::new(416, "")),
    ];
    for (name, change) in changes {
        let (_, _server, target) = faulty(of_layers(move |request, reply| {
            if request.from().is_some() {
                return change(reply);
            }
            let half = reply.body.len() / 2;
            reply.cut(half)
        }));
        let failure = pull(&target, &options()).unwrap_err();
        assert_eq!(failure.code, Code::DigestMismatch, "{name}: {failure}");
    }
}

fn with_range(mut reply: Reply, range: &str) -> Reply {
    reply.headers = vec![("Content-Range".into(), range.into())];
    reply
}

#[test]
fn a_stalled_transfer_is_taken_up() {
    let (image, _server, target) = faulty(of_layers(|request, mut reply| {
        if request.earlier == 0 {
            let half = reply.body.len() / 2;
            let length = reply.body.len();
            reply = reply.length(Length::Claimed(length)).cut(half);
            reply.stall = true;
        }
        reply
    }));
    let mut options = options();
    options.limits.stall = 1;
    assert!(pull(&target, &options).unwrap().1 == image.layers);
}

#[test]
fn a_transfer_that_always_breaks_is_given_up() {
    let (_, server, target) = faulty(of_layers(|_, reply| reply.cut(0)));
    let mut options = options();
    options.limits.tries = 2;
    let failure = pull(&target, &options).unwrap_err();
    assert_eq!(failure.code, Code::Unavailable);
    assert!(
        failure.code.retryable() && failure.message.contains("broke off"),
        "{failure}"
    );
    assert_eq!(server.requests(&sha256(&TestImage::plain().layers[0])).len(), 2);
}

#[test]
fn wrong_bytes_and_sizes_are_corrupt() {
    type Change = fn(Reply) -> Reply;
    let changes: [(&str, Change); 4] = [
        ("a changed byte", |mut reply| {
            if let Some(byte) = reply.body.get_mut(20) {
                *byte ^= 1;
            }
            reply
        }),
        ("a longer body", |mut reply| {
            reply.body.push(0);
            reply
        }),
        ("a longer body of untold length", |mut reply| {
            reply.body.push(0);
            reply.length(Length::Chunked)
        }),
        ("an endless body", |mut reply| {
            reply.endless = true;
            reply.length(Length::Untold)
        }),
    ];
    for (name, change) in changes {
        let (_, _server, target) = faulty(of_layers(move |_, reply| change(reply)));
        let failure = pull(&target, &options()).unwrap_err();
        assert_eq!(failure.code, Code::DigestMismatch, "{name}: {failure}");
        assert!(!failure.code.retryable());
    }
}

#[test]
fn a_wrong_document_is_asked_for_once_more() {
    let spoil = |mut reply: Reply| {
        reply.body.push(b' ');
        reply
    };
    for always in [false, true] {
        let (image, server, _) = faulty(move |request, reply| {
            let is_document =
                is_manifest(request) || request.path.contains(&sha256(&TestImage::plain().config));
            if is_document && (always || request.earlier == 0) {
                spoil(reply)
            } else {
                reply
            }
        });
        let target = format!("{}/a@{}", server.address, image.digest());
        let result = pull(&target, &options());
        if always {
            assert_eq!(result.unwrap_err().code, Code::DigestMismatch);
            assert_eq!(server.requests("/manifests/").len(), 2);
        } else {
            assert!(result.unwrap().1 == image.layers);
            assert_eq!(server.requests(&sha256(&image.config)).len(), 2);
        }
    }
}

#[test]
fn a_registry_that_contradicts_its_own_digest_is_corrupt() {
    let (_, _server, target) = faulty(|request, reply| {
        if is_manifest(request) {
            reply.with("Docker-Content-Digest", sha256(b"else"))
        } else {
            reply
        }
    });
    assert_eq!(
        open(&target, &options()).err().unwrap().code,
        Code::DigestMismatch
    );
}

#[test]
fn passing_failures_are_retried_and_retry_after_is_obeyed() {
    for status in [500, 503, 408] {
        let (image, server, target) = faulty(move |request, reply| {
            if request.earlier < 1 {
                Reply::new(status, "")
            } else {
                reply
            }
        });
        assert!(pull(&target, &options()).unwrap().1 == image.layers);
        assert_eq!(server.requests("/manifests/1").len(), 2, "{status}");
    }
    let (_, server, target) = faulty(|request, reply| {
        if is_manifest(request) && request.earlier == 0 {
            Reply::new(429, "").with("Retry-After", "1")
        } else {
            reply
        }
    });
    let started = Instant::now();
    pull(&target, &options()).unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.requests("/manifests/1").len(), 2);
}

#[test]
fn tries_end() {
    let (_, server, target) = faulty(|request, reply| {
        if is_manifest(request) {
            Reply::new(
                429,
                r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"pull rate limit"}]}"#,
            )
            .with("Retry-After", "0")
        } else {
            reply
        }
    });
    let failure = open(&target, &options()).err().unwrap();
    assert_eq!(failure.code, Code::Unavailable);
    assert!(failure.message.contains("pull rate limit"), "{failure}");
    assert!(failure.message.ends_with("(tried 6 times)"), "{failure}");
    assert_eq!(server.requests("/manifests/1").len(), 6);
}

#[test]
fn final_answers_are_not_retried() {
    for (status, code) in [
        (400, Code::BadTarget),
        (401, Code::Denied),
        (403, Code::Denied),
        (404, Code::NotFound),
        (405, Code::BadTarget),
        (406, Code::BadTarget),
        (501, Code::BadTarget),
    ] {
        let (_, server, target) = faulty(move |request, reply| {
            if is_manifest(request) {
                Reply::new(status, "no")
            } else {
                reply
            }
        });
        let failure = open(&target, &options()).err().unwrap();
        assert_eq!(failure.code, code, "{status}: {failure}");
        assert!(!failure.code.retryable());
        assert_eq!(server.requests("/manifests/").len(), 1, "{status}");
    }
}

#[test]
fn a_closed_port_is_unavailable() {
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let mut options = options();
    options.limits.tries = 2;
    let failure = open(&format!("{address}/a:1"), &options).err().unwrap();
    assert_eq!(failure.code, Code::Unavailable, "{failure}");
    assert!(failure.message.contains(&address), "{failure}");
}

#[test]
fn what_is_no_registry_is_named_so() {
    for (media_type, body) in [
        ("text/html", "<!DOCTYPE html><html>sign in</html>"),
        ("application/json", " <html>"),
        ("text/plain", "hello"),
        ("text/html; charset=utf-8", r#"{"schemaVersion":2}"#),
    ] {
        let (_, _server, target) = faulty(move |request, reply| {
            if is_manifest(request) {
                Reply::new(200, body).with("Content-Type", media_type)
            } else {
                reply
            }
        });
        let failure = open(&target, &options()).err().unwrap();
        assert_eq!(failure.code, Code::BadTarget, "{body}");
        assert!(failure.message.contains("is this a registry?"), "{failure}");
    }
}

#[test]
fn documents_are_capped_with_and_without_a_length() {
    for length in [Length::Right, Length::Chunked] {
        let (_, _server, target) = faulty(move |request, mut reply| {
            if is_manifest(request) {
                reply.body = vec![b' '; 40_000];
            }
            reply.length(length)
        });
        let mut options = options();
        options.limits.manifest = 30_000;
        assert_eq!(open(&target, &options).err().unwrap().code, Code::TooLarge);
    }
}

#[test]
fn endless_error_bodies_are_cut_and_cleaned() {
    let (_, _server, target) = faulty(|request, reply| {
        if is_manifest(request) {
            let mut reply = Reply::new(404, "\u{1b}[31mno\u{202e} ".repeat(100)).length(Length::Untold);
            reply.endless = true;
            reply
        } else {
            reply
        }
    });
    let failure = open(&target, &options()).err().unwrap();
    assert_eq!(failure.code, Code::NotFound);
    assert!(
        !failure.message.contains(['\u{1b}', '\u{202e}']) && failure.message.len() < 2_000,
        "{failure}"
    );
}

#[test]
fn a_packed_transfer_is_not_unpacked() {
    let (image, server, target) = faulty(|request, reply| {
        if is_blob(request) {
            reply.with("Content-Encoding", "gzip")
        } else {
            reply
        }
    });
    assert!(pull(&target, &options()).unwrap().1 == image.layers);
    for request in server.requests("/a/") {
        assert_eq!(request.header("accept-encoding"), Some("identity"));
        assert!(request.header("user-agent").unwrap().starts_with("scant/"));
    }
    let accepted = server.requests("/manifests/1")[0]
        .header("accept")
        .unwrap()
        .to_owned();
    assert_eq!(accepted.split(", ").count(), 4, "{accepted}");
}

/// A store of blobs and a registry that sends everyone there, for [`Login`]s only.
fn redirecting(
    target_of: impl Fn(&Request, &str) -> Option<String> + Send + Sync + 'static,
) -> (TestImage, Server, Server) {
    let image = TestImage::plain();
    let (stored, served) = (image.clone(), image.clone());
    let store = Server::start(move |request| serve(&stored, request));
    let store_address = store.address.clone();
    let registry = Server::start(move |request| {
        if request.path != "/v2/" && request.header("authorization").is_none() {
            return Reply::new(401, "").with("WWW-Authenticate", "Basic realm=\"r, s\"");
        }
        match target_of(request, &store_address) {
            Some(location) => Reply::new(307, "").with("Location", location),
            None => serve(&served, request),
        }
    });
    (image, registry, store)
}

fn login() -> Login {
    Login {
        username: "reader".into(),
        password: Secret("s3cret".into()),
    }
}

#[test]
fn credentials_stay_with_their_host() {
    let (image, registry, store) = redirecting(|request, store| {
        is_blob(request).then(|| format!("http://{store}{}?signature=s3cret", request.path))
    });
    let mut options = options();
    options.registry.login = Some(login());
    let (_, layers) = pull(&format!("{}/a:1", registry.address), &options).unwrap();
    assert!(layers == image.layers);
    let at_store = store.requests("/blobs/");
    assert_eq!(at_store.len(), 3);
    assert!(
        at_store
            .iter()
            .all(|request| request.header("authorization").is_none())
    );
    assert!(
        registry
            .requests("/blobs/")
            .iter()
            .all(|request| request.header("authorization").is_some())
    );
}

#[test]
fn redirects_within_a_host_keep_credentials_and_loops_end() {
    let (image, registry, _store) = redirecting(|request, _| {
        let moved = request.path.contains("moved");
        (is_blob(request) && !moved).then(|| format!("{}?moved", request.path))
    });
    let mut options = options();
    options.registry.login = Some(login());
    assert!(pull(&format!("{}/a:1", registry.address), &options).unwrap().1 == image.layers);

    let (_, registry, _store) = redirecting(|request, _| is_manifest(request).then(|| request.path.clone()));
    let failure = open(&format!("{}/a:1", registry.address), &options)
        .err()
        .unwrap();
    assert_eq!(failure.code, Code::BadTarget, "{failure}");
    assert!(failure.message.contains("redirected"));
}

#[test]
fn an_expired_signature_is_made_anew() {
    let image = TestImage::plain();
    let (stored, served) = (image.clone(), image.clone());
    let signatures = AtomicUsize::new(0);
    let store = Server::start(move |request| {
        if request.path.contains("signature=1") {
            Reply::new(403, "expired")
        } else {
            serve(&stored, request)
        }
    });
    let at = store.address.clone();
    let registry = Server::start(move |request| {
        if is_blob(request) {
            let signature = signatures.fetch_add(1, Ordering::Relaxed);
            let location = format!("http://{at}{}?signature={signature}", request.path);
            return Reply::new(307, "").with("Location", location);
        }
        serve(&served, request)
    });
    assert!(pull(&format!("{}/a:1", registry.address), &options()).unwrap().1 == image.layers);
}

#[test]
fn an_expired_token_is_renewed_in_the_middle() {
    let image = TestImage::plain();
    let served = image.clone();
    let good = Arc::new(AtomicUsize::new(0));
    let issued = Arc::clone(&good);
    let tokens = Server::start(move |_| {
        let number = issued.fetch_add(1, Ordering::Relaxed) + 1;
        Reply::new(200, json!({ "access_token": format!("t{number}") }).to_string())
    });
    let realm = format!("http://{}/t", tokens.address);
    let registry = Server::start(move |request| {
        // The first token is good for the manifest only.
        let good = if is_manifest(request) {
            "Bearer t1"
        } else {
            "Bearer t2"
        };
        if request.path != "/v2/" && request.header("authorization") != Some(good) {
            let challenge = format!("Bearer realm=\"{realm}\",error=\"invalid_token\"");
            return Reply::new(401, "")
                .with("WWW-Authenticate", "Negotiate")
                .with("WWW-Authenticate", challenge);
        }
        serve(&served, request)
    });
    assert!(pull(&format!("{}/a:1", registry.address), &options()).unwrap().1 == image.layers);
    assert_eq!(good.load(Ordering::Relaxed), 2, "layers share the new token");
    assert_eq!(tokens.requests("/t").len(), 2);
}

#[test]
fn a_ready_token_is_used_as_it_is() {
    let image = TestImage::plain();
    let served = image.clone();
    let registry = Server::start(move |request| {
        if request.path != "/v2/" && request.header("authorization") != Some("Bearer ready") {
            return Reply::new(401, "").with("WWW-Authenticate", "Bearer realm=\"http://127.0.0.1:1/\"");
        }
        serve(&served, request)
    });
    let target = format!("{}/a:1", registry.address);
    let mut options = options();
    options.registry.token = Some(Secret("ready".into()));
    assert!(pull(&target, &options).unwrap().1 == image.layers);
    options.registry.token = Some(Secret("other".into()));
    assert_eq!(open(&target, &options).err().unwrap().code, Code::Denied);
}

#[test]
fn tls_is_never_left() {
    let certificates = Certificates::new();
    let (certificate, key) = (certificates.path("server.pem"), certificates.path("server.key"));
    let image = TestImage::plain();
    let service = Server::start(|_| Reply::new(200, r#"{"token":"t"}"#));
    let realm = format!("http://{}/token", service.address);
    let mode = Mode::TokenTls {
        realm: &realm,
        certificate: &certificate,
        key: &key,
    };
    let registry = Registry::start(&mode, |registry| registry.push("a", "1", &image));
    let mut options = options();
    options.registry.ca_file = Some(certificates.path("ca.pem"));
    options.registry.login = Some(login());
    let failure = open(&format!("{}/a:1", registry.address), &options)
        .err()
        .unwrap();
    assert_eq!(failure.code, Code::Untrusted, "{failure}");
    assert!(failure.message.contains("plain http"), "{failure}");
    assert!(service.requests("").is_empty(), "nothing was sent there");
}

#[test]
fn stopping_ends_every_wait() {
    let (_, _server, target) = faulty(|request, reply| {
        if is_manifest(request) {
            Reply::new(429, "").with("Retry-After", "100")
        } else {
            reply
        }
    });
    let mut options = options();
    options.limits.retry_after = 100;
    let stop = Arc::clone(&options.stop);
    let failure = stopped_after(&stop, || open(&target, &options).err().unwrap());
    assert_eq!(failure.code, Code::Interrupted);

    let (_, _server, target) = faulty(of_layers(|_, mut reply| {
        let length = reply.body.len();
        reply = reply.length(Length::Claimed(length)).cut(10);
        reply.stall = true;
        reply
    }));
    let mut options = super::support::options();
    options.limits.stall = 60;
    let (images, blobs) = open(&target, &options).unwrap();
    let mut blob = blobs.open(&images[0].layers[0]).unwrap();
    let mut some = [0; 10];
    blob.read_exact(&mut some).unwrap();
    let stop = Arc::clone(&options.stop);
    let failure = stopped_after(&stop, || read(blob).unwrap_err());
    assert_eq!(failure.code, Code::Interrupted);
}

fn stopped_after(stop: &Arc<AtomicBool>, wait: impl FnOnce() -> Failure) -> Failure {
    let setter = Arc::clone(stop);
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        setter.store(true, Ordering::Relaxed);
    });
    let started = Instant::now();
    let failure = wait();
    assert!(
        started.elapsed() < Duration::from_millis(1_300),
        "{:?}",
        started.elapsed()
    );
    failure
}
