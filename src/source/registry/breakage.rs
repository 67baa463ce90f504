//! A breakage: a request that came to no answer, made into a failure that a reader understands.

use std::{error::Error, io, iter::successors, time::Duration};

use crate::{
    failure::{Code, Failure},
    text,
};

/// What broke on the way to `host`, and whether another try may mend it.
pub(super) fn of(error: &reqwest::Error, what: &str, host: &str) -> (Failure, bool) {
    let why = innermost(error);
    if breaks_tls(error) {
        let failure = Failure::new(
            Code::Untrusted,
            format!("{what}: no trusted connection to {host}: {why}"),
        );
        let failure = failure.advise(
            "give the registry's certificate authority with --ca-file; a registry without TLS needs --plain-http HOST",
        );
        return (failure, false);
    }
    if why.contains("Name or service not known") || why.contains("nodename nor servname") {
        return (
            Failure::new(Code::NotFound, format!("{what}: there is no host {host}"))
                .advise("check the registry's name"),
            false,
        );
    }
    (unavailable(what, host, &why), !error.is_builder())
}

/// No byte came within the patience that there is.
pub(super) fn silence(what: &str, host: &str, patience: Duration) -> Failure {
    let why = format!("it did not answer within {} seconds", patience.as_secs());
    unavailable(what, host, &why)
}

/// Why a transfer was given up in which nothing came for as long as `stall`.
pub(super) fn stalled(stall: Duration) -> String {
    format!("no byte came for {} seconds", stall.as_secs())
}

/// A connection that could not be used, or not to the end.
pub(super) fn unavailable(what: &str, host: &str, why: &str) -> Failure {
    Failure::new(
        Code::Unavailable,
        format!("{what}: {host} cannot be reached: {why}"),
    )
    .advise("try again later")
}

/// A client that could not even be made: most often no certificate authority was found.
pub(super) fn no_client(error: &reqwest::Error, host: &str) -> Failure {
    let why = innermost(error);
    Failure::new(Code::Untrusted, format!("no trusted connection to {host} can be made: {why}")).advise(
        "install the system's certificates (package ca-certificates), or name a file with SSL_CERT_FILE or --ca-file",
    )
}

/// The last cause, which says most, without the address: that of an object store holds a signature.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    let last = causes(error).last().map(ToString::to_string).unwrap_or_default();
    text::escape(last.as_bytes())
}

fn causes<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(error.source(), |cause: &&'a (dyn Error + 'static)| {
        (*cause).source()
    })
}

/// rustls reports what it refuses, certificates among it, as I/O errors of invalid data, which may sit in other ones.
fn breaks_tls(error: &reqwest::Error) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .flat_map(|error| successors(Some(error), |error| error.get_ref()?.downcast_ref::<io::Error>()))
        .any(|error| error.kind() == io::ErrorKind::InvalidData)
}
