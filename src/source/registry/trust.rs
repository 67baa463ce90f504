//! Trust: whose certificates scant believes when it talks to one host, and which certificate it shows there.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use reqwest::{Certificate, ClientBuilder, Identity};

use crate::{
    failure::{self, Code, Failure},
    source::RegistryOptions,
};

/// Bytes of one certificate or key file; a whole system's roots have a quarter of it.
const FILE: u64 = 1 << 20;

/// Where Docker, podman and containerd's users keep certificates, one directory for each host.
pub(super) const HOST_DIRECTORIES: [&str; 2] = ["/etc/containers/certs.d", "/etc/docker/certs.d"];

/// What to believe and to show at one host, beside the platform's roots (`SSL_CERT_FILE`, `SSL_CERT_DIR`, or the
/// system's).
#[derive(Default)]
pub(super) struct Trust {
    authorities: Vec<Certificate>,
    identity: Option<Identity>,
    unchecked: bool,
}

impl Trust {
    /// Collects what the options and the directories of `roots` say about a host. `spellings` are the names it may go by
    /// there, with and without its port; `is_registry` is false for hosts that the registry only refers to, which
    /// never see the client certificate of the command line.
    pub(super) fn of(
        spellings: &[String],
        is_registry: bool,
        options: &RegistryOptions,
        roots: &[PathBuf],
    ) -> failure::Result<Self> {
        let mut trust = Self {
            unchecked: options.insecure.iter().any(|host| {
                spellings
                    .iter()
                    .any(|spelling| spelling.eq_ignore_ascii_case(host))
            }),
            ..Self::default()
        };
        for root in roots {
            for spelling in spellings {
                trust.add_directory(&root.join(spelling))?;
            }
        }
        if let Some(path) = &options.ca_file {
            trust.add_authorities(path)?;
        }
        if let Some((certificate, key)) = &options.client_certificate
            && is_registry
        {
            trust.identity = Some(identity(certificate, key)?);
        }
        Ok(trust)
    }

    /// Reads `*.crt` as authorities and `NAME.cert` with `NAME.key` as client certificate (containers-certs.d(5)).
    #[expect(
        clippy::disallowed_methods,
        reason = "the user's certificates belong to this module"
    )]
    fn add_directory(&mut self, directory: &Path) -> failure::Result<()> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(());
            }
            Err(error) => return Err(unreadable(directory, &error.to_string())),
        };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        for path in paths {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => self.add_authorities(&path)?,
                Some("cert") if self.identity.is_none() => {
                    self.identity = Some(identity(&path, &path.with_extension("key"))?);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn add_authorities(&mut self, path: &Path) -> failure::Result<()> {
        let certificates = Certificate::from_pem_bundle(&read(path)?)
            .map_err(|_| unreadable(path, "it holds no certificates in PEM form"))?;
        if certificates.is_empty() {
            return Err(unreadable(path, "it holds no certificates in PEM form"));
        }
        self.authorities.extend(certificates);
        Ok(())
    }

    /// Whether no certificate is checked at all.
    pub(super) fn is_unchecked(&self) -> bool {
        self.unchecked
    }

    /// Tells a client to believe and show so.
    pub(super) fn apply(self, client: ClientBuilder) -> ClientBuilder {
        let client = client
            .tls_certs_merge(self.authorities)
            .tls_danger_accept_invalid_certs(self.unchecked);
        match self.identity {
            Some(identity) => client.identity(identity),
            None => client,
        }
    }
}

fn identity(certificate: &Path, key: &Path) -> failure::Result<Identity> {
    let mut pem = read(certificate)?;
    pem.push(b'\n');
    pem.extend(read(key)?);
    Identity::from_pem(&pem).map_err(|_| {
        unreadable(
            certificate,
            "it and its key are no client certificate in PEM form",
        )
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the user's certificates belong to this module; bounded by `take`"
)]
fn read(path: &Path) -> failure::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE).read_to_end(&mut bytes))
        .map_err(|error| unreadable(path, &error.to_string()))?;
    Ok(bytes)
}

fn unreadable(path: &Path, why: &str) -> Failure {
    Failure::new(
        Code::Unreadable,
        format!("{} cannot be read: {why}", path.display()),
    )
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write their own small files")]
mod tests {
    use super::*;

    // Only the wrapping is looked at before a handshake.
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";

    fn spellings() -> [String; 2] {
        ["r.example".to_owned(), "r.example:443".to_owned()]
    }

    #[test]
    fn each_host_has_its_own_directories() {
        let root = tempfile::tempdir().unwrap();
        let files = [
            ("r.example/ca.crt", CERTIFICATE),
            ("r.example/client.cert", CERTIFICATE),
            ("r.example/client.key", KEY),
            ("r.example/notes.txt", "no certificate"),
            // Of several client certificates the first is shown; this one has no key.
            ("r.example/second.cert", CERTIFICATE),
            ("r.example:443/two.crt", CERTIFICATE),
            ("other.example/ca.crt", CERTIFICATE),
        ];
        for (name, content) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let roots = [root.path().join("absent"), root.path().to_owned()];
        let trust = Trust::of(&spellings(), true, &RegistryOptions::default(), &roots).unwrap();
        assert_eq!(trust.authorities.len(), 2);
        assert!(trust.identity.is_some() && !trust.unchecked);
        let none = Trust::of(
            &["q.example".to_owned()],
            true,
            &RegistryOptions::default(),
            &roots,
        )
        .unwrap();
        assert!(none.authorities.is_empty() && none.identity.is_none());
    }

    #[test]
    fn the_command_line_speaks_for_the_registry_only() {
        let directory = tempfile::tempdir().unwrap();
        let [certificate, key] = ["c.pem", "k.pem"].map(|name| directory.path().join(name));
        fs::write(&certificate, CERTIFICATE).unwrap();
        fs::write(&key, KEY).unwrap();
        let options = RegistryOptions {
            insecure: vec!["R.example:443".into()],
            ca_file: Some(certificate.clone()),
            client_certificate: Some((certificate, key)),
            ..RegistryOptions::default()
        };
        let registry = Trust::of(&spellings(), true, &options, &[]).unwrap();
        assert!(registry.identity.is_some() && registry.unchecked && registry.authorities.len() == 1);
        let store = Trust::of(&["s.example".to_owned()], false, &options, &[]).unwrap();
        assert!(store.identity.is_none() && !store.unchecked && store.authorities.len() == 1);
    }

    #[test]
    fn a_file_that_holds_no_certificate_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        for content in ["", "-----BEGIN CERTIFICATE-----\n"] {
            fs::write(&path, content).unwrap();
            let options = RegistryOptions {
                ca_file: Some(path.clone()),
                ..RegistryOptions::default()
            };
            let failure = Trust::of(&spellings(), true, &options, &[]).err().unwrap();
            assert_eq!(failure.code, Code::Unreadable, "{content}");
            assert!(failure.message.contains("ca.pem"), "{failure}");
        }
    }
}
