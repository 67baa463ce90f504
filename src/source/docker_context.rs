//! A context is where Docker's own client looks for the daemon: scant must ask the same one, or it judges another image.

use std::{
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::read_capped;
use crate::{
    failure::{self, Code, Failure},
    image::Algorithm,
    source::verified::Hasher,
    text,
};

/// Bytes of one of Docker's own files; real ones have a few hundred.
const FILE: u64 = 1 << 20;
/// The context that no file describes.
const DEFAULT: &str = "default";

/// `config.json`, of which the name of the context counts here.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    current_context: Option<String>,
}

/// `meta.json` of one context.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Endpoint,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoint {
    host: String,
}

/// The daemon's address: `DOCKER_HOST`, else that of the context in `DOCKER_CONTEXT` or `config.json`. Empty for the
/// default one. `variable` reads the environment.
///
/// # Errors
/// `Unreadable` for a context that is named and not described.
pub(super) fn host(variable: impl Fn(&str) -> Option<OsString>) -> failure::Result<String> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let text = |value: OsString| value.to_string_lossy().into_owned();
    if let Some(host) = set("DOCKER_HOST") {
        return Ok(text(host));
    }
    let home = || Some(PathBuf::from(set("HOME")?).join(".docker"));
    let folder = set("DOCKER_CONFIG").map(PathBuf::from).or_else(home);
    let named = set("DOCKER_CONTEXT").map(text).or_else(|| {
        // A file that is absent or broken names none to Docker's client either.
        let config = read(&folder.as_ref()?.join("config.json")).ok()?;
        let config: Config = serde_json::from_slice(&config).ok()?;
        config.current_context.filter(|name| !name.is_empty())
    });
    let Some(name) = named.filter(|name| name != DEFAULT) else {
        return Ok(String::new());
    };
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(name.as_bytes());
    let place = format!("contexts/meta/{}/meta.json", hasher.finish().hex());
    let meta = folder
        .ok_or_else(|| "there is no folder of Docker's settings".to_owned())
        .and_then(|folder| read(&folder.join(place)).map_err(|failure| failure.message))
        .and_then(|meta| serde_json::from_slice::<Meta>(&meta).map_err(|error| error.to_string()));
    match meta {
        Ok(meta) => Ok(meta.endpoints.docker.host),
        Err(why) => {
            let name = text::escape(name.as_bytes());
            let why = text::escape(why.as_bytes());
            Err(Failure::new(
                Code::Unreadable,
                format!("the Docker context `{name}` cannot be read: {why}"),
            )
            .advise("choose another with `docker context use`, or name the daemon's socket in DOCKER_HOST"))
        }
    }
}

fn read(path: &Path) -> failure::Result<Vec<u8>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the user's own settings for Docker; capped"
    )]
    let file = File::open(path).map_err(|error| super::cannot_read(path, &error))?;
    read_capped(file, FILE, path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::samples::write;

    /// A folder of Docker's settings: its current context, and one described.
    fn folder(current: &str, described: &str, meta: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        write(
            &folder.path().join("config.json"),
            format!(r#"{{"auths":{{}},"currentContext":"{current}"}}"#).as_bytes(),
        );
        let hash = crate::source::samples::digest(described.as_bytes());
        let place = folder.path().join("contexts/meta").join(hash.hex());
        std::fs::create_dir_all(&place).unwrap();
        write(&place.join("meta.json"), meta.as_bytes());
        folder
    }

    const META: &str = r#"{"Name":"mine","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///run/mine.sock","SkipTLSVerify":false}}}"#;

    fn with(folder: &Path, variables: &[(&str, &str)]) -> failure::Result<String> {
        host(|name| match variables.iter().find(|(own, _)| *own == name) {
            Some((_, value)) => Some(value.into()),
            None if name == "DOCKER_CONFIG" => Some(folder.into()),
            None => None,
        })
    }

    #[test]
    fn the_daemon_is_the_one_that_dockers_client_would_ask() {
        let mine = folder("mine", "mine", META);
        let other = folder("other", "mine", META);
        let socket = "unix:///run/mine.sock";
        for (folder, variables, want) in [
            (&mine, &[][..], socket),
            (&other, &[("DOCKER_CONTEXT", "mine")], socket),
            (&mine, &[("DOCKER_CONTEXT", "")], socket),
            (&mine, &[("DOCKER_CONTEXT", "default")], ""),
            (
                &mine,
                &[("DOCKER_HOST", "unix:///h"), ("DOCKER_CONTEXT", "mine")],
                "unix:///h",
            ),
            (&folder("", "mine", META), &[], ""),
            (&folder("default", "mine", META), &[], ""),
        ] {
            assert_eq!(with(folder.path(), variables).unwrap(), want, "{variables:?}");
        }
        let home = tempfile::tempdir().unwrap();
        std::fs::rename(mine.path(), home.path().join(".docker")).unwrap();
        let from_home = host(|name| (name == "HOME").then(|| home.path().into())).unwrap();
        assert_eq!(from_home, socket);
        assert_eq!(host(|_| None).unwrap(), "");
    }

    #[test]
    fn a_context_that_is_not_described_is_never_another_daemon() {
        for (current, meta) in [("other", META), ("mine", "{}"), ("mine", "no JSON")] {
            let folder = folder(current, "mine", meta);
            let failure = with(folder.path(), &[]).unwrap_err();
            assert_eq!(failure.code, Code::Unreadable);
            assert!(failure.message.contains(current), "{failure}");
            assert!(failure.advice.unwrap().contains("DOCKER_HOST"));
        }
    }
}
