//! A token: what a token service gives for credentials, or for none, and a registry takes as proof.

use std::time::Duration;

use reqwest::{StatusCode, Url};
use serde::Deserialize;

use super::{
    credentials::Credentials,
    refusal, session,
    transport::{Ask, Transport, authority},
};
use crate::{
    failure::{self, Code, Failure},
    source::Secret,
    text,
};

/// How long a token lives if its service does not say (CNCF distribution, `spec/auth/token`).
const DEFAULT_LIFE: Duration = Duration::from_mins(1);
/// Longer lives are not counted on.
const LONGEST_LIFE: f64 = 86_400.0;

/// A token service and what to ask it for.
pub(super) struct Service {
    realm: Url,
    name: Option<String>,
    scope: String,
    what: String,
}

/// A token and how long to use it.
pub(super) struct Token {
    pub(super) secret: Secret,
    pub(super) life: Duration,
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<serde_json::Value>,
}

impl Service {
    /// The token service that the registry at `registry` named in its challenge.
    ///
    /// # Errors
    /// A realm that is no web address, one over plain http although the registry is not, and one over plain http that
    /// `may_go_plain` does not take: credentials would leave TLS.
    pub(super) fn new(
        registry: &Url,
        realm: &str,
        service: Option<&str>,
        scope: &str,
        may_go_plain: impl Fn(&Url) -> bool,
    ) -> failure::Result<Self> {
        let url = Url::parse(realm)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let Some(mut url) = url else {
            let shown = text::escape(realm.as_bytes());
            let message = format!(
                "{} names a token service that is no web address: `{shown}`",
                authority(registry)
            );
            return Err(Failure::new(Code::BadTarget, message));
        };
        if registry.scheme() == "https" && url.scheme() == "http" {
            let message = format!(
                "{} wants credentials sent to {} over plain http, which is refused",
                authority(registry),
                authority(&url)
            );
            return Err(Failure::new(Code::Untrusted, message).advise("tell the registry's operator"));
        }
        if url.scheme() == "http" && !may_go_plain(&url) {
            let service = authority(&url);
            let message = format!(
                "{} wants credentials sent to {service} over plain http",
                authority(registry)
            );
            return Err(Failure::new(Code::Untrusted, message).advise(format!(
                "if that network is yours to trust, add --plain-http {service}"
            )));
        }
        // Credentials in the address would be sent as ours.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        Ok(Self {
            what: format!("token service {}", authority(&url)),
            realm: url,
            name: service.map(str::to_owned),
            scope: scope.to_owned(),
        })
    }

    fn query(&self) -> Url {
        let mut url = self.realm.clone();
        {
            let mut pairs = url.query_pairs_mut();
            if let Some(service) = &self.name {
                pairs.append_pair("service", service);
            }
            pairs.append_pair("scope", &self.scope);
        }
        url
    }

    /// The `OAuth2` form (CNCF distribution, `spec/auth/oauth`).
    fn form(&self, refresh_token: &Secret) -> String {
        let mut url = self.realm.clone();
        url.set_query(None);
        url.query_pairs_mut()
            .append_pair("grant_type", "refresh_token")
            .append_pair("service", self.name.as_deref().unwrap_or_default())
            .append_pair("client_id", "scant")
            .append_pair("scope", &self.scope)
            .append_pair("refresh_token", &refresh_token.0);
        url.query().unwrap_or_default().to_owned()
    }
}

/// Asks for a token: with an identity token by the `OAuth2` form where the service has that, else by a plain GET.
pub(super) async fn fetch(
    transport: &Transport,
    service: &Service,
    credentials: &Credentials,
) -> failure::Result<Token> {
    let what = service.what.as_str();
    if let Credentials::Identity(refresh_token) = credentials {
        let ask = Ask {
            what,
            url: service.realm.clone(),
            accept: &[],
            from: 0,
            authorization: None,
            form: Some(service.form(refresh_token)),
        };
        let answer = transport.send(&ask).await?;
        let status = answer.response.status();
        if !matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
            return read(what, status, &transport.body_prefix(answer.response).await);
        }
    }
    let authorization = match credentials {
        Credentials::Password(login) => Some(session::basic(login)?),
        _ => None,
    };
    let ask = Ask {
        what,
        url: service.query(),
        accept: &[],
        from: 0,
        authorization,
        form: None,
    };
    let answer = transport.send(&ask).await?;
    let status = answer.response.status();
    read(what, status, &transport.body_prefix(answer.response).await)
}

fn read(what: &str, status: StatusCode, body: &[u8]) -> failure::Result<Token> {
    if !status.is_success() {
        let failure = refusal::failure(what, status.as_u16(), body);
        // The `OAuth2` form answers 400 to a refresh token that is worth nothing any more.
        let code = if status == StatusCode::BAD_REQUEST {
            Code::Denied
        } else {
            failure.code
        };
        return Err(Failure { code, ..failure });
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|_| {
        Failure::new(
            Code::BadTarget,
            format!("{what} answers with something that is no token"),
        )
    })?;
    let secret = [answer.token, answer.access_token]
        .into_iter()
        .flatten()
        .find(|token| !token.is_empty());
    let Some(secret) = secret else {
        return Err(Failure::new(Code::Denied, format!("{what} gives no token")));
    };
    let life = answer
        .expires_in
        .and_then(|life| life.as_f64())
        .filter(|life| *life > 0.0);
    Ok(Token {
        secret: Secret(secret),
        life: life.map_or(DEFAULT_LIFE, |life| {
            Duration::from_secs_f64(life.min(LONGEST_LIFE))
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_realm_may_not_leave_tls() {
        let secure = url("https://r.example");
        let code = |registry: &Url, realm| {
            Service::new(registry, realm, None, "s", |url| {
                url.host_str() != Some("far.example")
            })
            .map_or_else(|f| Some(f.code), |_| None)
        };
        assert_eq!(code(&secure, "https://auth.example/token"), None);
        assert_eq!(code(&secure, "http://auth.example/token"), Some(Code::Untrusted));
        assert_eq!(
            code(&url("http://localhost:5000"), "http://localhost:5001/t"),
            None
        );
        assert_eq!(
            code(&url("http://localhost:5000"), "http://far.example/t"),
            Some(Code::Untrusted)
        );
        assert_eq!(code(&url("http://localhost:5000"), "https://far.example/t"), None);
        for realm in ["", "/token", "file:///etc/passwd", "ftp://x/", "https://"] {
            assert_eq!(code(&secure, realm), Some(Code::BadTarget), "{realm}");
        }
    }

    #[test]
    fn questions_keep_the_realm_and_escape_the_rest() {
        let service = Service::new(
            &url("https://r.example"),
            "https://u:p@a.example/t?x=1#f",
            Some("a b&c"),
            "repository:a/b:pull",
            |_| false,
        )
        .unwrap();
        assert_eq!(
            service.query().as_str(),
            "https://a.example/t?x=1&service=a+b%26c&scope=repository%3Aa%2Fb%3Apull"
        );
        let form = service.form(&Secret("r&t=".into()));
        assert_eq!(
            form,
            "grant_type=refresh_token&service=a+b%26c&client_id=scant&scope=repository%3Aa%2Fb%3Apull&refresh_token=r%26t%3D"
        );
    }

    #[test]
    fn answers_are_read_in_both_spellings() {
        let read = |body: &str| read("token service x", StatusCode::OK, body.as_bytes());
        let token = read(r#"{"token":"a","expires_in":300}"#).unwrap();
        assert_eq!((token.secret.0.as_str(), token.life.as_secs()), ("a", 300));
        let token = read(r#"{"token":"","access_token":"b","expires_in":-5}"#).unwrap();
        assert_eq!((token.secret.0.as_str(), token.life), ("b", DEFAULT_LIFE));
        assert!(read(r#"{"access_token":"b","expires_in":1e300}"#).unwrap().life <= Duration::from_hours(24));
        assert_eq!(read("{}").err().unwrap().code, Code::Denied);
        // What the `OAuth2` form answers to a refresh token that is worth nothing any more.
        for (status, code) in [
            (400, Code::Denied),
            (401, Code::Denied),
            (404, Code::NotFound),
            (500, Code::Unavailable),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let failure = super::read("token service x", status, b"").err().unwrap();
            assert_eq!(failure.code, code, "{status}");
        }
        assert_eq!(read("<html>").err().unwrap().code, Code::BadTarget);
    }
}
