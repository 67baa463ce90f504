//! Credentials: who scant is to a registry, from the command line or from the files that `docker login` and
//! `podman login` write.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;

use super::helper;
use crate::{
    reference::Reference,
    source::{Login, RegistryOptions, Secret},
    text,
};

/// Bytes of one credential file; real ones have a few hundred.
const FILE: u64 = 1 << 20;

/// What to prove oneself with. `Debug` never shows a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Credentials {
    /// Nothing.
    #[default]
    Anonymous,
    /// A user name and password, for `Basic` or for the token service.
    Password(Login),
    /// An `OAuth2` refresh token, for the token service.
    Identity(Secret),
    /// A ready token for the registry itself.
    Token(Secret),
}

/// The credentials for one repository.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The first that some place had.
    pub(super) credentials: Credentials,
    /// Places that could not be read: worth telling once the registry refuses, and only then.
    pub(super) notes: Vec<String>,
}

/// Looks for credentials: first the command line, then `files` in order.
pub(super) fn find(
    reference: &Reference,
    options: &RegistryOptions,
    files: &[PathBuf],
    stop: &AtomicBool,
) -> Found {
    if let Some(token) = &options.token {
        return Found {
            credentials: Credentials::Token(token.clone()),
            notes: Vec::new(),
        };
    }
    if let Some(login) = &options.login {
        return Found {
            credentials: Credentials::Password(login.clone()),
            notes: Vec::new(),
        };
    }
    let mut notes = Vec::new();
    for path in files {
        match read(path) {
            Ok(None) => {}
            Ok(Some(file)) => {
                if let Some(credentials) = file.find(reference, stop, &mut notes) {
                    return Found { credentials, notes };
                }
            }
            Err(why) => notes.push(format!("{} was skipped: {why}", path.display())),
        }
    }
    Found {
        credentials: Credentials::Anonymous,
        notes,
    }
}

/// The files that hold credentials, in the order they are asked. `variable` reads the environment.
pub(super) fn files(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let set = |name: &str| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let home = set("HOME");
    let below_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let config = set("XDG_CONFIG_HOME").or_else(|| below_home(".config"));
    [
        set("REGISTRY_AUTH_FILE"),
        set("DOCKER_CONFIG").map(|directory| directory.join("config.json")),
        set("XDG_RUNTIME_DIR").map(|directory| directory.join("containers/auth.json")),
        config.map(|directory| directory.join("containers/auth.json")),
        below_home(".docker/config.json"),
        below_home(".dockercfg"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What a credential file holds (Docker's `config.json`, containers-auth.json(5)).
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CredentialFile {
    auths: Option<BTreeMap<String, Entry>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "credential files belong to this module; the read is bounded by `take`"
)]
fn read(path: &Path) -> Result<Option<CredentialFile>, String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error.to_string()),
    };
    let mut bytes = Vec::new();
    file.take(FILE)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    // The parser's own message could quote a secret.
    let wrong = |_| "it is no credential file in JSON".to_owned();
    if path.file_name().is_some_and(|name| name == ".dockercfg") {
        let auths = serde_json::from_slice(&bytes).map_err(wrong)?;
        Ok(Some(CredentialFile {
            auths: Some(auths),
            ..CredentialFile::default()
        }))
    } else {
        serde_json::from_slice(&bytes).map_err(wrong).map(Some)
    }
}

impl CredentialFile {
    /// Helpers that are named for this place come first, then the general store, then what stands in the file itself:
    /// beside a store that is only a mark.
    fn find(&self, reference: &Reference, stop: &AtomicBool, notes: &mut Vec<String>) -> Option<Credentials> {
        let mut ask = |name: &str, server: &str| {
            helper::get(name, server, stop).unwrap_or_else(|why| {
                notes.push(format!(
                    "credential helper `{}` was skipped: {why}",
                    text::escape(name.as_bytes())
                ));
                None
            })
        };
        if let Some((key, name)) = self
            .cred_helpers
            .as_ref()
            .and_then(|all| entry_for(all, reference))
            && let Some(credentials) = ask(name, key)
        {
            return Some(credentials);
        }
        let in_file = self.auths.as_ref().and_then(|all| entry_for(all, reference));
        if let Some(store) = &self.creds_store
            && !store.is_empty()
        {
            let server = in_file.map_or_else(|| server_key(reference), |(key, _)| key);
            if let Some(credentials) = ask(store, server) {
                return Some(credentials);
            }
        }
        let (key, entry) = in_file?;
        let credentials = entry.credentials();
        if credentials.is_none() && !entry.is_empty() {
            notes.push(format!(
                "the entry for {} cannot be understood",
                text::escape(key.as_bytes())
            ));
        }
        credentials
    }
}

impl Entry {
    fn is_empty(&self) -> bool {
        let Self {
            auth,
            username,
            password,
            identitytoken,
            registrytoken,
        } = self;
        let all = [auth, username, password, identitytoken, registrytoken];
        all.into_iter().flatten().all(String::is_empty)
    }

    fn credentials(&self) -> Option<Credentials> {
        fn some(text: Option<&String>) -> Option<&str> {
            text.map(String::as_str).filter(|text| !text.is_empty())
        }
        if let Some(token) = some(self.identitytoken.as_ref()) {
            return Some(Credentials::Identity(Secret(token.to_owned())));
        }
        if let Some(token) = some(self.registrytoken.as_ref()) {
            return Some(Credentials::Token(Secret(token.to_owned())));
        }
        if let Some(auth) = some(self.auth.as_ref()) {
            let decoded = String::from_utf8(BASE64_STANDARD.decode(auth.trim()).ok()?).ok()?;
            let (username, password) = decoded.split_once(':')?;
            // Old clients padded the password with zero bytes.
            return Some(password_of(username, password.trim_end_matches('\0')));
        }
        Some(password_of(
            some(self.username.as_ref())?,
            some(self.password.as_ref())?,
        ))
    }
}

fn password_of(username: &str, password: &str) -> Credentials {
    Credentials::Password(Login {
        username: username.to_owned(),
        password: Secret(password.to_owned()),
    })
}

/// How `docker login` spells a registry where no entry tells.
fn server_key(reference: &Reference) -> &str {
    match reference.host() {
        "docker.io" => "https://index.docker.io/v1/",
        host => host,
    }
}

/// The entry for a repository: the longest key that leads to it (`host/ns/repo`, `host/ns`, `host`).
fn entry_for<'a, T>(all: &'a BTreeMap<String, T>, reference: &Reference) -> Option<(&'a str, &'a T)> {
    let whole = format!("{}/{}", reference.host(), reference.name());
    all.iter()
        .filter_map(|(key, value)| {
            let place = place(key);
            let leads = whole
                .strip_prefix(&*place)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            leads.then_some((place.len(), key, value))
        })
        // Of several spellings of one place the plainest, so that the choice does not hang on their order.
        .max_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.len().cmp(&a.1.len())))
        .map(|(_, key, value)| (key.as_str(), value))
}

/// A key without what only its spelling adds: `https://index.docker.io/v1/` is `docker.io`.
fn place(key: &str) -> String {
    let bare = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"))
        .unwrap_or(key)
        .trim_end_matches('/');
    let bare = ["/v1", "/v2"]
        .iter()
        .find_map(|end| bare.strip_suffix(end))
        .unwrap_or(bare);
    let (host, path) = bare
        .split_once('/')
        .map_or((bare, ""), |(host, path)| (host, path));
    let host = match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    };
    if path.is_empty() {
        host.to_owned()
    } else {
        format!("{host}/{path}")
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write their own small files")]
#[path = "credentials_tests.rs"]
mod tests;
