//! A session: requests to one repository that carry the proof the registry asks for.

use std::time::{Duration, Instant};

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{
    StatusCode, Url,
    header::{HeaderValue, WWW_AUTHENTICATE},
};
use tokio::sync::Mutex;

use super::{
    challenge::{self, Challenge},
    credentials::Credentials,
    refusal, token,
    transport::{Answer, Ask, Transport, authority},
};
use crate::{
    failure::{self, Code, Failure},
    source::{Login, Secret},
};

/// Asks one repository, and proves who it is where that is asked.
pub(super) struct Session {
    transport: Transport,
    base: Url,
    repository: String,
    credentials: Credentials,
    notes: Vec<String>,
    proof: Mutex<Proof>,
}

/// What the registry took, or may take, as proof. Layers share it, so one token request serves them all.
#[derive(Default)]
struct Proof {
    /// Grows with each change, so that one who was refused sees whether another already asked anew.
    generation: u64,
    header: Option<HeaderValue>,
    /// When to ask for a new token, and where.
    renewal: Option<(Instant, Challenge)>,
}

impl Session {
    /// A session with the repository `repository` of the registry at `base`. `notes` tell of credentials that could not
    /// be read; a refusal repeats them.
    pub(super) fn new(
        transport: Transport,
        base: Url,
        repository: &str,
        credentials: Credentials,
        notes: Vec<String>,
    ) -> failure::Result<Self> {
        let header = match &credentials {
            Credentials::Token(token) => Some(bearer(token)?),
            _ => None,
        };
        Ok(Self {
            transport,
            base,
            repository: repository.to_owned(),
            credentials,
            notes,
            proof: Mutex::new(Proof {
                header,
                ..Proof::default()
            }),
        })
    }

    /// The way to the registry.
    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The registry's host, with its port if that is not the scheme's own.
    pub(super) fn host(&self) -> String {
        authority(&self.base)
    }

    /// Asks for `kind` (`manifests`, `blobs`) and `name` (a tag or digest), from byte `from` on.
    ///
    /// # Errors
    /// Every answer that is neither a success nor, to a question for a part, 416.
    pub(super) async fn get(
        &self,
        what: &str,
        kind: &str,
        name: &str,
        accept: &[&'static str],
        from: u64,
    ) -> failure::Result<Answer> {
        let path = format!("/v2/{}/{kind}/{name}", self.repository);
        let mut url = self.base.clone();
        url.set_path(&path);
        let mut refused = false;
        loop {
            let (authorization, generation) = self.authorization().await?;
            let ask = Ask {
                what,
                url: url.clone(),
                accept,
                from,
                authorization,
                form: None,
            };
            let answer = self.transport.send(&ask).await?;
            let status = answer.response.status();
            if status.is_success() || (from > 0 && status == StatusCode::RANGE_NOT_SATISFIABLE) {
                return Ok(answer);
            }
            if status == StatusCode::UNAUTHORIZED && !answer.redirected && !refused {
                refused = true;
                let headers = answer.response.headers().get_all(WWW_AUTHENTICATE);
                let challenge = challenge::choose(headers.iter().filter_map(|header| header.to_str().ok()));
                if let Some(challenge) = challenge
                    && self.prove(challenge, generation).await?
                {
                    continue;
                }
            }
            let body = self.transport.body_prefix(answer.response).await;
            return Err(self.explain(refusal::failure(what, status.as_u16(), &body)));
        }
    }

    /// The proof to send, renewed when its time is nearly over.
    async fn authorization(&self) -> failure::Result<(Option<HeaderValue>, u64)> {
        let mut proof = self.proof.lock().await;
        if let Some((when, challenge)) = &proof.renewal
            && Instant::now() >= *when
        {
            let challenge = challenge.clone();
            self.renew(&mut proof, challenge).await?;
        }
        Ok((proof.header.clone(), proof.generation))
    }

    /// Answers a challenge to a request that carried the proof of `generation`. False if there is nothing to show.
    async fn prove(&self, challenge: Challenge, generation: u64) -> failure::Result<bool> {
        let mut proof = self.proof.lock().await;
        if proof.generation != generation {
            return Ok(true);
        }
        match (&challenge, &self.credentials) {
            (_, Credentials::Token(_)) => Ok(false),
            (Challenge::Bearer { .. }, _) => {
                self.renew(&mut proof, challenge).await?;
                Ok(true)
            }
            (Challenge::Basic, Credentials::Password(login)) if proof.header.is_none() => {
                proof.header = Some(basic(login)?);
                proof.generation += 1;
                Ok(true)
            }
            (Challenge::Basic, _) => Ok(false),
        }
    }

    async fn renew(&self, proof: &mut Proof, challenge: Challenge) -> failure::Result<()> {
        let Challenge::Bearer { realm, service } = &challenge else {
            return Ok(());
        };
        let scope = format!("repository:{}:pull", self.repository);
        let service = token::Service::new(&self.base, realm, service.as_deref(), &scope, |url| {
            self.transport.may_go_plain(url)
        })?;
        let token = token::fetch(&self.transport, &service, &self.credentials)
            .await
            .map_err(|failure| self.explain(failure))?;
        proof.header = Some(bearer(&token.secret)?);
        proof.generation += 1;
        // With a fifth of its life left, so that no request starts with a token that ends on the way.
        proof.renewal = Some((
            Instant::now() + token.life.mul_f64(0.8).max(Duration::from_millis(1)),
            challenge,
        ));
        Ok(())
    }

    /// Adds what could not be read of the credentials to a refusal, since that may be its reason.
    fn explain(&self, failure: Failure) -> Failure {
        if !matches!(failure.code, Code::Denied | Code::NotFound) || self.notes.is_empty() {
            return failure;
        }
        let notes = self.notes.join("; ");
        match failure.advice.clone() {
            Some(advice) => failure.advise(format!("{advice} ({notes})")),
            None => failure.advise(notes),
        }
    }
}

/// The header that carries a token.
fn bearer(token: &Secret) -> failure::Result<HeaderValue> {
    header(&format!("Bearer {}", token.0))
}

/// The header that carries a user name and password.
pub(super) fn basic(login: &Login) -> failure::Result<HeaderValue> {
    let pair = BASE64_STANDARD.encode(format!("{}:{}", login.username, login.password.0));
    header(&format!("Basic {pair}"))
}

fn header(text: &str) -> failure::Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        Failure::new(
            Code::Denied,
            "the token for the registry holds characters that no token has",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proofs_are_never_shown() {
        let secret = |text: &str| Secret(text.to_owned());
        let login = Login {
            username: "u".into(),
            password: secret("p"),
        };
        let headers = [bearer(&secret("s3cret")).unwrap(), basic(&login).unwrap()];
        let shown = format!("{headers:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("dTpw"), "{shown}");
        let broken = bearer(&secret("s3cret\n")).unwrap_err();
        assert!(broken.code == Code::Denied && !format!("{broken:?}").contains("s3cret"));
    }
}
