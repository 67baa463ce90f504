//! What a second try mends, and what scant must not take for an answer meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use scant::failure::Code;

use crate::support::{
    fault::{Length, Reply, Request, Server, serve},
    image::{self, OCI_MANIFEST, TestImage, host_platform, sha256},
    open, options, pull,
};

fn is_manifest(request: &Request) -> bool {
    request.path.contains("/manifests/")
}

#[test]
fn a_wrong_copy_is_asked_for_again_over_a_new_connection() {
    let image = TestImage::plain();
    let kept = image.clone();
    let spoiled = std::sync::OnceLock::new();
    let server = Server::start(move |request| {
        let mut reply = serve(&kept, request);
        reply.keep = true;
        // Behind the first connection that is asked sits a cache with something else.
        if is_manifest(request) && *spoiled.get_or_init(|| request.connection) == request.connection {
            reply.body.push(b' ');
        }
        reply
    });
    let target = format!("{}/a@{}", server.address, image.digest());
    let (_, layers) = pull(&target, &options()).unwrap();
    assert!(layers == image.layers);
    let over: Vec<usize> = server
        .requests("/manifests/")
        .iter()
        .map(|request| request.connection)
        .collect();
    assert_eq!(over.len(), 2);
    assert_ne!(over[0], over[1]);
}

#[test]
fn a_layer_of_the_wrong_length_is_asked_for_once_more() {
    for always in [false, true] {
        let image = TestImage::plain();
        let (kept, config) = (image.clone(), sha256(&image.config));
        let server = Server::start(move |request| {
            let mut reply = serve(&kept, request);
            let is_layer = request.path.contains("/blobs/") && !request.path.contains(&config);
            if is_layer && (always || request.earlier == 0) {
                reply.body.truncate(100);
            }
            reply
        });
        let result = pull(&format!("{}/a:1", server.address), &options());
        assert_eq!(server.requests(&sha256(&image.layers[0])).len(), 2);
        match result {
            Ok((_, layers)) => assert!(!always && layers == image.layers),
            Err(failure) => assert!(always && failure.code == Code::DigestMismatch, "{failure}"),
        }
    }
}

#[test]
fn a_large_layer_may_break_more_often_than_there_are_tries() {
    let image = TestImage::new(OCI_MANIFEST, host_platform(), &[5 << 20]);
    let kept = image.clone();
    let server = Server::start(move |request| {
        let reply = serve(&kept, request);
        if request.path.contains(&sha256(&kept.layers[0])) {
            return reply.cut(1_200_000);
        }
        reply
    });
    let mut options = options();
    // A busy machine may be slow, but that is no break.
    (options.limits.tries, options.limits.stall) = (3, 60);
    assert!(pull(&format!("{}/a:1", server.address), &options).unwrap().1 == image.layers);
    assert!(server.requests(&sha256(&image.layers[0])).len() > 4);
}

#[test]
fn a_manifest_that_breaks_off_or_stalls_is_asked_for_again() {
    for stall in [false, true] {
        let image = TestImage::plain();
        let kept = image.clone();
        let server = Server::start(move |request| {
            let mut reply = serve(&kept, request);
            if is_manifest(request) && request.earlier == 0 {
                let whole = reply.body.len();
                reply = reply.length(Length::Claimed(whole)).cut(whole / 2);
                reply.stall = stall;
            }
            reply
        });
        let mut options = options();
        options.limits.stall = 1;
        assert!(pull(&format!("{}/a:1", server.address), &options).unwrap().1 == image.layers);
        assert_eq!(server.requests("/manifests/1").len(), 2);
        options.limits.tries = 1;
        let always = Server::start(move |request| {
            let reply = serve(&TestImage::plain(), request);
            let whole = reply.body.len();
            if is_manifest(request) {
                reply.length(Length::Claimed(whole)).cut(whole / 2)
            } else {
                reply
            }
        });
        let failure = open(&format!("{}/a:1", always.address), &options).err().unwrap();
        assert_eq!(failure.code, Code::Unavailable, "{failure}");
    }
}

#[test]
fn a_store_that_always_refuses_is_asked_twice() {
    let store = Server::start(|_| Reply::new(403, "expired"));
    let at = store.address.clone();
    let registry = Server::start(move |request| {
        if request.path.contains("/blobs/") {
            return Reply::new(307, "").with("Location", format!("http://{at}{}", request.path));
        }
        serve(&TestImage::plain(), request)
    });
    let failure = open(&format!("{}/a:1", registry.address), &options())
        .err()
        .unwrap();
    assert_eq!(failure.code, Code::Denied, "{failure}");
    assert_eq!(store.requests("").len(), 2);
}

#[test]
fn a_few_layers_are_taken_from_one_host_at_a_time() {
    let image = TestImage::new(OCI_MANIFEST, host_platform(), &[500; 20]);
    let kept = image.clone();
    let (now, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let server = Server::start(move |request| {
        let reply = serve(&kept, request);
        if request.path.contains("/blobs/") {
            seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(100));
            now.fetch_sub(1, Ordering::SeqCst);
        }
        reply
    });
    assert!(pull(&format!("{}/a:1", server.address), &options()).unwrap().1 == image.layers);
    let most = most.load(Ordering::SeqCst);
    assert!((2..=6).contains(&most), "{most}");
}

#[test]
fn a_connection_that_ends_without_an_answer_is_made_again() {
    for (breaks, tries, right) in [(1, 2, true), (2, 2, false)] {
        let image = TestImage::plain();
        let kept = image.clone();
        let server = Server::start(move |request| {
            if is_manifest(request) && request.earlier < breaks {
                return Reply::new(0, "");
            }
            serve(&kept, request)
        });
        let mut options = options();
        options.limits.tries = tries;
        let result = pull(&format!("{}/a:1", server.address), &options);
        assert_eq!(server.requests("/manifests/").len(), 2);
        match result {
            Ok((_, layers)) => assert!(right && layers == image.layers),
            Err(failure) => assert!(!right && failure.code == Code::Unavailable, "{failure}"),
        }
    }
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let server = Server::start(|request| {
        if !is_manifest(request) {
            return serve(&TestImage::plain(), request);
        }
        let mut reply = Reply::new(0, "");
        reply.stall = true;
        reply
    });
    let mut options = options();
    (options.limits.tries, options.limits.stall) = (1, 1);
    let started = Instant::now();
    let failure = open(&format!("{}/a:1", server.address), &options).err().unwrap();
    assert_eq!(failure.code, Code::Unavailable, "{failure}");
    // Ten seconds are for the connection.
    assert!(
        failure.message.contains("did not answer within 11 seconds"),
        "{failure}"
    );
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn who_asks_for_patience_gets_it_from_all() {
    let server = Server::start(|request| {
        if request.path.contains("/a/manifests/") && request.earlier == 0 {
            return Reply::new(429, "").with("Retry-After", "2");
        }
        serve(&TestImage::plain(), request)
    });
    std::thread::scope(|scope| {
        scope.spawn(|| pull(&format!("{}/a:1", server.address), &options()).unwrap());
        while server.requests("/a/manifests/").is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        // The answer has to arrive first.
        std::thread::sleep(Duration::from_millis(500));
        let started = Instant::now();
        pull(&format!("{}/b:1", server.address), &options()).unwrap();
        assert!(
            started.elapsed() > Duration::from_millis(500),
            "{:?}",
            started.elapsed()
        );
    });
}

#[test]
fn the_signature_of_a_store_is_never_shown() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let server = Server::start(move |request| {
        if request.path.contains("/blobs/") {
            let location = format!("http://{closed}{}?signature=s3cret", request.path);
            return Reply::new(307, "").with("Location", location);
        }
        serve(&TestImage::plain(), request)
    });
    let mut options = options();
    options.limits.tries = 1;
    let failure = open(&format!("{}/a:1", server.address), &options).err().unwrap();
    assert_eq!(failure.code, Code::Unavailable, "{failure}");
    let shown = format!("{failure:?}");
    assert!(
        shown.contains(&closed.to_string()) && !shown.contains("s3cret"),
        "{shown}"
    );
}

#[test]
fn what_is_said_to_be_too_large_is_not_read() {
    // By the answer: its body never comes.
    let server = Server::start(|request| {
        let mut reply = serve(&TestImage::plain(), request);
        if is_manifest(request) {
            reply = reply.length(Length::Claimed(40_000)).cut(0);
            reply.stall = true;
        }
        reply
    });
    let mut options = options();
    (options.limits.manifest, options.limits.stall) = (30_000, 20);
    let started = Instant::now();
    let failure = open(&format!("{}/a:1", server.address), &options).err().unwrap();
    assert_eq!(failure.code, Code::TooLarge, "{failure}");
    assert!(started.elapsed() < Duration::from_secs(10));

    // By the descriptor, of a manifest and of a configuration: they are not even asked for.
    let child = TestImage::plain();
    let listed = image::index(image::OCI_INDEX, &[(&child, host_platform())]);
    let listed = String::from_utf8(listed)
        .unwrap()
        .replace(&format!("\"size\":{}", child.manifest.len()), "\"size\":30001");
    let server = Server::start(move |request| {
        if request.path.ends_with("/manifests/1") {
            return Reply::new(200, listed.clone()).with("Content-Type", image::OCI_INDEX);
        }
        serve(&child, request)
    });
    let failure = open(&format!("{}/a:1", server.address), &options).err().unwrap();
    assert_eq!(failure.code, Code::TooLarge, "{failure}");
    assert_eq!(server.requests("/manifests/").len(), 1);

    let mut lying = TestImage::plain();
    let size = format!("\"size\":{}", lying.config.len());
    let manifest = String::from_utf8(lying.manifest).unwrap();
    assert!(manifest.contains(&size));
    lying.manifest = manifest.replace(&size, "\"size\":30001").into_bytes();
    let config = sha256(&lying.config);
    let server = Server::start(move |request| serve(&lying, request));
    options.limits.config = 30_000;
    let failure = open(&format!("{}/a:1", server.address), &options).err().unwrap();
    assert_eq!(failure.code, Code::TooLarge, "{failure}");
    assert!(server.requests(&config).is_empty());
}
