//! The transport: one request brought to an answer, over redirects and retries, with each host its own trust.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use reqwest::{
    Client, Response, StatusCode, Url,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION, RANGE, RETRY_AFTER,
    },
    redirect::Policy,
};
use tokio::time::{sleep, sleep_until, timeout};

use super::{breakage, refusal, retry, trust::Trust};
use crate::{
    failure::{self, Code, Failure},
    limits::Limits,
    reference::is_loopback,
    source::RegistryOptions,
};

/// How long a connection may take to come up.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take to begin.
const FIRST_BYTE: Duration = Duration::from_secs(30);

/// What to ask for.
pub(super) struct Ask<'a> {
    /// Its name in messages.
    pub(super) what: &'a str,
    /// Where.
    pub(super) url: Url,
    /// Media types to accept.
    pub(super) accept: &'a [&'static str],
    /// From which byte on.
    pub(super) from: u64,
    /// Proof of who one is. Goes to the origin of `url` and nowhere else.
    pub(super) authorization: Option<HeaderValue>,
    /// A form to post instead of a plain GET.
    pub(super) form: Option<String>,
}

/// An answer whose status is no passing failure.
pub(super) struct Answer {
    /// The answer, its body unread.
    pub(super) response: Response,
    /// It came from another place than the one asked.
    pub(super) redirected: bool,
}

/// Brings requests to answers.
pub(super) struct Transport {
    options: RegistryOptions,
    limits: Limits,
    certificates: Vec<PathBuf>,
    registry: String,
    clients: Mutex<BTreeMap<String, Client>>,
    /// Hosts talked to without a look at their certificate.
    unchecked: Mutex<BTreeSet<String>>,
}

/// Until when a host asked to be left alone. Limits count per machine, so all of a process' images share it.
static REST: Mutex<BTreeMap<String, Instant>> = Mutex::new(BTreeMap::new());

/// Why one try brought no answer.
enum Broken {
    /// Another try may.
    Passing(Failure, Option<Duration>),
    /// None will.
    Final(Failure),
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self::Final(failure)
    }
}

impl Transport {
    /// A transport for the registry at `registry`, a host with its port if any. `certificates` are directories with
    /// one directory of certificates for each host.
    pub(super) fn new(
        registry: &str,
        options: &RegistryOptions,
        limits: &Limits,
        certificates: Vec<PathBuf>,
    ) -> Self {
        Self {
            options: options.clone(),
            limits: limits.clone(),
            certificates,
            registry: registry.to_ascii_lowercase(),
            clients: Mutex::default(),
            unchecked: Mutex::default(),
        }
    }

    /// The caps.
    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The longest silence in the middle of an answer.
    pub(super) fn stall(&self) -> Duration {
        Duration::from_secs(self.limits.stall)
    }

    /// The hosts that were talked to so far without a look at their certificate.
    pub(super) fn unchecked(&self) -> Vec<String> {
        let unchecked = self.unchecked.lock().unwrap_or_else(PoisonError::into_inner);
        unchecked.iter().cloned().collect()
    }

    /// Whether a host may be sent credentials without TLS: one of this machine, or one that the user named for it.
    pub(super) fn may_go_plain(&self, url: &Url) -> bool {
        let named = &self.options.plain_http;
        is_loopback(&authority(url))
            || spellings(url)
                .iter()
                .any(|spelling| named.iter().any(|host| host.eq_ignore_ascii_case(spelling)))
    }

    /// Closes all idle connections, so that the next request takes a new one.
    pub(super) fn reconnect(&self) {
        self.clients
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Asks until there is an answer that another try would not change.
    ///
    /// # Errors
    /// The last passing failure once all tries are used up, or one that no try can mend.
    pub(super) async fn send(&self, ask: &Ask<'_>) -> failure::Result<Answer> {
        let mut tries = 0;
        let mut asked_again = false;
        loop {
            rest(&ask.url).await;
            let (failure, asked_to_wait) = match self.attempt(ask).await {
                // A signed address of an object store can outlive its signature: the registry makes a new one.
                Ok(answer)
                    if answer.redirected
                        && answer.response.status() == StatusCode::FORBIDDEN
                        && !asked_again =>
                {
                    asked_again = true;
                    continue;
                }
                Ok(answer) => return Ok(answer),
                Err(Broken::Final(failure)) => return Err(failure),
                Err(Broken::Passing(failure, wait)) => (failure, wait),
            };
            tries += 1;
            if tries >= self.limits.tries {
                return Err(retry::in_vain(failure, tries));
            }
            let wait = asked_to_wait.unwrap_or_else(|| retry::back_off(tries, retry::random()));
            tracing::debug!(%failure, ?wait, tries, "trying again");
            if asked_to_wait.is_some() {
                rest_until(&ask.url, wait);
            } else {
                sleep(wait).await;
            }
        }
    }

    /// Whether a server of this machine answers plain HTTP as one that wants TLS does: with 400, or not in HTTP.
    pub(super) async fn refuses_plain_http(&self, ask: &Ask<'_>) -> bool {
        match self.client(&ask.url) {
            Ok(client) => match timeout(CONNECT, client.get(ask.url.clone()).send()).await {
                Ok(Ok(response)) => response.status() == StatusCode::BAD_REQUEST,
                Ok(Err(error)) => !error.is_connect() && !error.is_timeout(),
                Err(_) => false,
            },
            Err(_) => false,
        }
    }

    async fn attempt(&self, ask: &Ask<'_>) -> Result<Answer, Broken> {
        let mut url = ask.url.clone();
        for _ in 0..=self.limits.redirects {
            let response = self.request(ask, &url).await?;
            let status = response.status();
            if retry::may_pass(status.as_u16()) {
                return Err(self.passing(ask.what, response).await);
            }
            let target = response
                .headers()
                .get(LOCATION)
                .filter(|_| status.is_redirection());
            let Some(target) = target else {
                return Ok(Answer {
                    response,
                    redirected: url != ask.url,
                });
            };
            if ask.form.is_some() {
                return Err(Broken::Final(refusal::failure(ask.what, status.as_u16(), b"")));
            }
            url = hop(&url, target.to_str().unwrap_or_default())
                .map_err(|why| Failure::new(Code::Untrusted, format!("{}: {why}", ask.what)))?;
        }
        let hops = self.limits.redirects;
        Err(Broken::Final(Failure::new(
            Code::BadTarget,
            format!("{} is redirected more than {hops} times", ask.what),
        )))
    }

    async fn request(&self, ask: &Ask<'_>, url: &Url) -> Result<Response, Broken> {
        let client = self.client(url)?;
        let mut request = match &ask.form {
            Some(form) => client
                .post(url.clone())
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.clone()),
            None => client.get(url.clone()),
        };
        // A body unpacked on the way would have another digest.
        request = request.header(ACCEPT_ENCODING, "identity");
        if !ask.accept.is_empty() {
            request = request.header(ACCEPT, ask.accept.join(", "));
        }
        if ask.from > 0 {
            request = request.header(RANGE, format!("bytes={}-", ask.from));
        }
        if let Some(authorization) = &ask.authorization
            && url.origin() == ask.url.origin()
        {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let patience = CONNECT + FIRST_BYTE.min(self.stall());
        match timeout(patience, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                let (failure, passing) = breakage::of(&error, ask.what, &authority(url));
                Err(if passing {
                    Broken::Passing(failure, None)
                } else {
                    Broken::Final(failure)
                })
            }
            Err(_) => Err(Broken::Passing(
                breakage::silence(ask.what, &authority(url), patience),
                None,
            )),
        }
    }

    async fn passing(&self, what: &str, response: Response) -> Broken {
        let status = response.status().as_u16();
        let longest = Duration::from_secs(self.limits.retry_after);
        let header = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let wait = header.and_then(|header| retry::retry_after(header, now(), longest));
        let body = self.body_prefix(response).await;
        Broken::Passing(refusal::failure(what, status, &body), wait)
    }

    /// What a failing answer says, up to the cap; a body that breaks says what it said so far.
    pub(super) async fn body_prefix(&self, mut response: Response) -> Vec<u8> {
        let cap = usize::try_from(self.limits.answer).unwrap_or(usize::MAX);
        let mut body = Vec::new();
        while let Ok(Ok(Some(chunk))) = timeout(self.stall(), response.chunk()).await {
            let room = cap.saturating_sub(body.len());
            body.extend(chunk.iter().take(room));
            if chunk.len() > room {
                break;
            }
        }
        body
    }

    /// The client for an origin, made on first use: one for plain HTTP loads no certificates.
    fn client(&self, url: &Url) -> failure::Result<Client> {
        let origin = url.origin().ascii_serialization();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&origin) {
            return Ok(client.clone());
        }
        let mut builder = Client::builder()
            .user_agent(concat!("scant/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .connect_timeout(CONNECT);
        let host = authority(url);
        if is_loopback(&host) {
            builder = builder.no_proxy();
        }
        builder = if url.scheme() == "http" {
            builder.tls_certs_only([])
        } else {
            let spellings = spellings(url);
            let is_registry = spellings.contains(&self.registry);
            let trust = Trust::of(&spellings, is_registry, &self.options, &self.certificates)?;
            if trust.is_unchecked() {
                let mut unchecked = self.unchecked.lock().unwrap_or_else(PoisonError::into_inner);
                unchecked.insert(host.clone());
            }
            trust.apply(builder)
        };
        let client = builder
            .build()
            .map_err(|error| breakage::no_client(&error, &host))?;
        clients.insert(origin, client.clone());
        Ok(client)
    }
}

/// Waits as long as a host asked all to wait.
async fn rest(url: &Url) {
    let until = {
        let rest = REST.lock().unwrap_or_else(PoisonError::into_inner);
        rest.get(&authority(url)).copied()
    };
    if let Some(until) = until {
        sleep_until(until.into()).await;
    }
}

fn rest_until(url: &Url, wait: Duration) {
    let mut rest = REST.lock().unwrap_or_else(PoisonError::into_inner);
    rest.insert(authority(url), Instant::now() + wait);
}

#[expect(
    clippy::disallowed_methods,
    reason = "`Retry-After` may be a date; no report depends on it"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

/// The host of a URL with its port, if that is not the scheme's own: fit for messages, since it holds no secret.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// How a user may have spelled the host of a URL.
fn spellings(url: &Url) -> Vec<String> {
    let host = url.host_str().unwrap_or_default();
    match (url.port(), url.port_or_known_default()) {
        (Some(port), _) => vec![format!("{host}:{port}")],
        (None, Some(port)) => vec![host.to_owned(), format!("{host}:{port}")],
        (None, None) => vec![host.to_owned()],
    }
}

/// Where a redirect leads, if scant may follow.
fn hop(from: &Url, location: &str) -> Result<Url, &'static str> {
    let to = from
        .join(location)
        .map_err(|_| "the redirect leads to no address")?;
    match (from.scheme(), to.scheme()) {
        ("http" | "https", "https") | ("http", "http") => Ok(to),
        ("https", "http") => Err("a redirect from https to plain http is not followed"),
        _ => Err("the redirect leads to no web address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_never_lose_tls() {
        let from = |text: &str| Url::parse(text).unwrap();
        let secure = from("https://r.example/v2/a");
        let plain = from("http://r.example/v2/a");
        assert_eq!(hop(&secure, "/b?c").unwrap().as_str(), "https://r.example/b?c");
        assert!(hop(&secure, "https://s.example/x").is_ok());
        assert!(hop(&plain, "https://s.example/x").is_ok());
        assert!(hop(&plain, "//s.example/x").is_ok());
        for location in [
            "http://r.example/v2/a",
            "file:///etc/passwd",
            "ftp://x",
            "http://[",
            "data:,x",
        ] {
            assert!(hop(&secure, location).is_err(), "{location}");
        }
        assert!(hop(&plain, "file:///etc/passwd").is_err());
    }

    #[test]
    fn each_spelling_of_an_unchecked_host_is_told() {
        for (named, told) in [
            ("r.example", true),
            ("R.example:443", true),
            ("r.example:444", false),
            ("s.example", false),
        ] {
            let options = RegistryOptions {
                insecure: vec![named.to_owned()],
                ..RegistryOptions::default()
            };
            let transport = Transport::new("r.example", &options, &Limits::default(), Vec::new());
            transport
                .client(&Url::parse("https://r.example/v2/").unwrap())
                .unwrap();
            assert_eq!(transport.unchecked() == ["r.example"], told, "{named}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_and_for_hosts_named() {
        let options = RegistryOptions {
            plain_http: vec!["R.example".into(), "s.example:81".into()],
            ..RegistryOptions::default()
        };
        let transport = Transport::new("r.example", &options, &Limits::default(), Vec::new());
        for (url, may) in [
            ("http://r.example/t", true),
            ("http://r.example:80/t", true),
            ("http://r.example:81/t", false),
            ("http://s.example:81/t", true),
            ("http://s.example/t", false),
            ("http://127.0.0.1:1/t", true),
            ("http://[::1]/t", true),
            ("http://localhost.example/t", false),
        ] {
            assert_eq!(transport.may_go_plain(&Url::parse(url).unwrap()), may, "{url}");
        }
    }

    #[test]
    fn hosts_are_shown_without_anything_secret() {
        let url = Url::parse("https://user:secret@s.example:8443/x?signature=secret").unwrap();
        assert_eq!(authority(&url), "s.example:8443");
        let plain = Url::parse("https://[::1]/x").unwrap();
        assert_eq!(spellings(&plain), ["[::1]", "[::1]:443"]);
    }
}
