//! A refusal: an answer of a registry that is no success, made into a failure that a reader understands.

use serde::Deserialize;

use crate::{
    failure::{Code, Failure},
    text,
};

/// Characters shown of what a registry says.
const SHOWN: usize = 300;

/// Codes of the distribution specification in the shape of any registry: GitLab, Harbor and others add own ones, which
/// `oci_client`'s closed list cannot hold.
#[derive(Deserialize)]
struct Errors {
    errors: Vec<Error>,
}

#[derive(Deserialize)]
struct Error {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// Makes a failure of a final answer: its status and what its body says. `what` names the thing asked for.
pub(super) fn failure(what: &str, status: u16, body: &[u8]) -> Failure {
    let says = match said(body) {
        Some(said) => format!(": the registry says \"{said}\""),
        None => String::new(),
    };
    let (code, why) = match status {
        _ if names_code(body, "TOOMANYREQUESTS") => (Code::Unavailable, "is asked for too often"),
        401 | 402 | 403 | 451 => (Code::Denied, "is denied"),
        404 | 410 => (Code::NotFound, "is absent or not permitted"),
        408 | 429 | 500 | 502..=504 | 520..=527 => (Code::Unavailable, "is not available now"),
        _ => (Code::BadTarget, "cannot be asked for here; is this a registry?"),
    };
    let failure = Failure::new(code, format!("{what} {why} (HTTP {status}){says}"));
    match (code, status) {
        (Code::Denied, _) => {
            // Who may not see an image is told the same whether it is there or not.
            failure
                .advise("check the name; log in with `docker login`, or give --username and --password-stdin")
        }
        (Code::NotFound, _) => failure.advise(
            "check the name and the tag; for a private repository log in, since registries hide those",
        ),
        (Code::Unavailable, 429) => failure.advise("wait, or log in for a higher limit"),
        (Code::Unavailable, _) => failure.advise("try again later"),
        _ => failure,
    }
}

/// Whether an error body names this code of the distribution specification.
fn names_code(body: &[u8], code: &str) -> bool {
    serde_json::from_slice::<Errors>(body)
        .is_ok_and(|body| body.errors.iter().any(|error| error.code == code))
}

/// What an error body says, cleaned and cut; HTML and bytes that are no text say nothing.
fn said(body: &[u8]) -> Option<String> {
    let text = match serde_json::from_slice::<Errors>(body) {
        Ok(body) => {
            let lines = body.errors.into_iter().map(|error| {
                if error.message.is_empty() {
                    error.code
                } else {
                    format!("{}: {}", error.code, error.message)
                }
            });
            lines.collect::<Vec<_>>().join("; ")
        }
        Err(_) if looks_like_html(body) => return None,
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = one_line.chars().take(SHOWN).collect();
    (!cut.is_empty()).then(|| text::escape(cut.as_bytes()))
}

/// Whether a body is a web page: what a proxy, a login page or a wrong address answers with.
pub(super) fn looks_like_html(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_decides_the_code() {
        for (status, code) in [
            (400, Code::BadTarget),
            (401, Code::Denied),
            (403, Code::Denied),
            (404, Code::NotFound),
            (405, Code::BadTarget),
            (406, Code::BadTarget),
            (415, Code::BadTarget),
            (429, Code::Unavailable),
            (500, Code::Unavailable),
            (501, Code::BadTarget),
            (503, Code::Unavailable),
        ] {
            let failure = failure("manifest x", status, b"");
            assert_eq!(failure.code, code, "{status}");
            assert_eq!(
                failure.code == Code::Unavailable,
                super::super::retry::may_pass(status)
            );
            assert!(
                failure.message.starts_with("manifest x is ")
                    || failure.message.starts_with("manifest x cannot ")
            );
        }
    }

    #[test]
    fn bodies_are_cleaned_and_cut() {
        let body = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no\u001b[31m such\n\u202e thing","detail":{}}]}"#;
        assert_eq!(
            said(body).unwrap(),
            r"MANIFEST_UNKNOWN: no\x1b[31m such \u{202e} thing"
        );
        assert!(names_code(body, "MANIFEST_UNKNOWN") && !names_code(body, "TOOMANYREQUESTS"));
        for letter in ["a", "é"] {
            let shown = said(letter.repeat(5_000).as_bytes()).unwrap();
            assert!(shown.chars().count() <= SHOWN + 1, "{letter}");
        }
        let often = failure(
            "x",
            403,
            br#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#,
        );
        assert_eq!(often.code, Code::Unavailable);
        assert_eq!(said(b" \n<!doctype html><html>"), None);
        assert_eq!(said(b""), None);
        assert_eq!(said(b"plain\xff text").as_deref(), Some("plain\u{fffd} text"));
    }
}
