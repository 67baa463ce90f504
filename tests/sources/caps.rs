//! Caps on what a registry can make scant do: each one lowered, hit, and named.

use std::time::{Duration, Instant};

use scant::failure::Code;

use crate::{
    faults::faulty,
    support::{
        fault::{Length, Reply},
        image::{TestImage, sha256},
        open, options,
    },
};

/// Far beyond a cap of one second, far below ten.
const SOON: Duration = Duration::from_secs(8);

#[test]
fn a_configuration_is_cut_whatever_its_length_is_said_to_be() {
    for length in [Length::Right, Length::Chunked] {
        let config = sha256(&TestImage::plain().config);
        let (_, _server, target) = faulty(move |request, mut reply| {
            if request.path.contains(&config) {
                reply.body = vec![b' '; 40_000];
                reply = reply.length(length);
            }
            reply
        });
        let mut options = options();
        options.limits.config = 30_000;
        let failure = open(&target, &options).err().unwrap();
        assert_eq!(failure.code, Code::TooLarge, "{failure}");
        assert!(
            failure.message.contains("configuration") && failure.message.contains("30000"),
            "{failure}"
        );
    }
}

#[test]
fn a_document_that_always_breaks_off_is_given_up() {
    let (_, server, target) = faulty(|request, reply| {
        if request.path.contains("/manifests/") {
            reply.cut(3)
        } else {
            reply
        }
    });
    let mut options = options();
    options.limits.tries = 2;
    assert_eq!(open(&target, &options).err().unwrap().code, Code::Unavailable);
    assert_eq!(server.requests("/manifests/1").len(), 2);
}

#[test]
fn silence_is_given_up() {
    let (_, _server, target) = faulty(|request, mut reply| {
        if request.path.contains("/manifests/") {
            let length = reply.body.len();
            reply = reply.length(Length::Claimed(length)).cut(3);
            reply.stall = true;
        }
        reply
    });
    let mut options = options();
    (options.limits.stall, options.limits.tries) = (1, 1);
    let begun = Instant::now();
    let failure = open(&target, &options).err().unwrap();
    assert_eq!(failure.code, Code::Unavailable);
    assert!(
        failure.message.contains("no byte came for 1 seconds"),
        "{failure}"
    );
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[test]
fn a_registry_cannot_ask_for_a_long_wait() {
    let (_, server, target) = faulty(|request, reply| {
        if request.path.contains("/manifests/") && request.earlier == 0 {
            Reply::new(429, "").with("Retry-After", "1000000000")
        } else {
            reply
        }
    });
    let mut options = options();
    options.limits.retry_after = 1;
    let begun = Instant::now();
    open(&target, &options).unwrap();
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(server.requests("/manifests/1").len(), 2);
}

#[test]
fn redirects_end() {
    let (_, server, target) = faulty(|request, reply| {
        if request.path.contains("/manifests/") {
            Reply::new(307, "").with("Location", &request.path)
        } else {
            reply
        }
    });
    let failure = open(&target, &options()).err().unwrap();
    assert_eq!(failure.code, Code::BadTarget);
    assert!(failure.message.contains("more than 10 times"), "{failure}");
    assert_eq!(server.requests("/manifests/1").len(), 11);
}

#[test]
fn what_a_refusal_says_is_cut() {
    let says = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"there is no such thing"}]}"#;
    for (cap, told) in [(says.len(), true), (says.len() - 1, false), (10, false)] {
        let (_, _server, target) = faulty(move |request, reply| {
            if request.path.contains("/manifests/") {
                Reply::new(404, says)
            } else {
                reply
            }
        });
        let mut options = options();
        options.limits.answer = cap as u64;
        let failure = open(&target, &options).err().unwrap();
        assert_eq!(failure.code, Code::NotFound);
        let whole = failure.message.contains("there is no such thing") && !failure.message.contains('{');
        assert_eq!(whole, told, "{cap}: {failure}");
    }
}
