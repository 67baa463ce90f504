//! A challenge: what a registry's 401 says about how to prove who one is.

use http_auth::ChallengeRef;

/// One way to authenticate that scant knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User name and password with every request (RFC 7617).
    Basic,
    /// A token from a token service (CNCF distribution, `spec/auth/token`).
    Bearer {
        /// Where to ask for it.
        realm: String,
        /// What to say that it is for.
        service: Option<String>,
    },
}

/// Reads all `WWW-Authenticate` headers of one answer and takes the best challenge: a token before a password.
///
/// A header may hold several challenges and an answer several headers. Those of unknown schemes, and headers that break
/// the grammar, are skipped.
pub(super) fn choose<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Challenge> {
    let known = headers
        .into_iter()
        .filter_map(|header| http_auth::parse_challenges(header).ok())
        .flatten()
        .filter_map(|challenge| known(&challenge));
    known.min_by_key(|challenge| matches!(challenge, Challenge::Basic))
}

fn known(challenge: &ChallengeRef<'_>) -> Option<Challenge> {
    let parameter = |wanted: &str| {
        let found = challenge
            .params
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.to_unescaped())
    };
    if challenge.scheme.eq_ignore_ascii_case("basic") {
        Some(Challenge::Basic)
    } else if challenge.scheme.eq_ignore_ascii_case("bearer") {
        Some(Challenge::Bearer {
            realm: parameter("realm")?,
            service: parameter("service"),
        })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.into(),
            service: service.map(Into::into),
        }
    }

    #[test]
    fn a_token_comes_before_a_password() {
        let token = r#"Bearer realm="https://a.example/token",service="r",scope="repository:a/b:pull,push""#;
        for headers in [
            &[token][..],
            &["Basic realm=\"x, y\"", token],
            &[token, "Basic realm=x"],
            &[&format!("Negotiate, Basic realm=\"a, Bearer b\", {token}")],
            &["NewScheme a=\"1\", b=2", token],
        ] {
            assert_eq!(
                choose(headers.iter().copied()),
                Some(bearer("https://a.example/token", Some("r"))),
                "{headers:?}"
            );
        }
    }

    #[test]
    fn schemes_and_names_have_no_case_and_quotes_are_undone() {
        assert_eq!(
            choose([r#"bEARER Realm="http://x/\"t\"?a=1,2", SCOPE="a,b""#]),
            Some(bearer("http://x/\"t\"?a=1,2", None))
        );
        assert_eq!(choose(["BASIC realm=\"\""]), Some(Challenge::Basic));
    }

    #[test]
    fn what_is_no_known_challenge_is_skipped() {
        for header in [
            "",
            "Bearer service=\"x\"",
            "Negotiate",
            "Bearer realm=\"unclosed",
            "\u{1}",
        ] {
            assert_eq!(choose([header]), None, "{header}");
        }
        assert_eq!(
            choose(["Bearer realm=\"unclosed", "Basic realm=x"]),
            Some(Challenge::Basic)
        );
    }
}
