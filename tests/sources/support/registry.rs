//! Debian's `docker-registry` on a free port of this machine, for as long as a value lives.

use std::{
    fmt::Write as _,
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{image::TestImage, run};

pub(crate) const USER: &str = "reader";
pub(crate) const PASSWORD: &str = "correct:horse";

/// How the registry is run.
pub(crate) enum Mode<'a> {
    /// Plain HTTP, open to all.
    Plain,
    /// Plain HTTP with [`USER`] and [`PASSWORD`].
    Password,
    /// TLS with a certificate and its key.
    Tls { certificate: &'a Path, key: &'a Path },
    /// TLS, and only for clients that this authority vouches for.
    MutualTls {
        certificate: &'a Path,
        key: &'a Path,
        clients: &'a Path,
    },
    /// Plain HTTP with tokens from `realm`, signed by the holder of `certificate`.
    Token { realm: &'a str, certificate: &'a Path },
    /// TLS with tokens from `realm`.
    TokenTls {
        realm: &'a str,
        certificate: &'a Path,
        key: &'a Path,
    },
}

/// A running registry.
pub(crate) struct Registry {
    /// Host and port.
    pub(crate) address: String,
    child: Child,
    directory: tempfile::TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Registry {
    /// Starts a registry that holds what `fill` pushes to it while it is still open to all.
    pub(crate) fn start(mode: &Mode<'_>, fill: impl FnOnce(&Self)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (child, address) = launch(directory.path(), &Mode::Plain);
        let mut registry = Self {
            address,
            child,
            directory,
        };
        fill(&registry);
        if !matches!(mode, Mode::Plain) {
            let _ = registry.child.kill();
            let _ = registry.child.wait();
            (registry.child, registry.address) = launch(registry.directory.path(), mode);
        }
        registry
    }

    /// Pushes an image under a tag.
    pub(crate) fn push(&self, repository: &str, tag: &str, image: &TestImage) {
        for (digest, bytes) in image.blobs() {
            self.push_blob(repository, &digest, bytes);
        }
        self.push_manifest(repository, tag, image.media_type, &image.manifest);
    }

    /// Pushes a blob.
    pub(crate) fn push_blob(&self, repository: &str, digest: &str, bytes: &[u8]) {
        let (status, head) = self.request("POST", &format!("/v2/{repository}/blobs/uploads/"), &[], b"");
        assert_eq!(status, 202, "{head}");
        let location = head
            .lines()
            .find_map(|line| line.strip_prefix("Location: "))
            .unwrap_or_else(|| panic!("no location: {head}"))
            .trim();
        let path = location.find("/v2/").map_or(location, |at| &location[at..]);
        let (status, head) = self.request(
            "PUT",
            &format!("{path}&digest={digest}"),
            &["Content-Type: application/octet-stream"],
            bytes,
        );
        assert_eq!(status, 201, "{head}");
    }

    /// Pushes a manifest or index; its blobs and children must be there.
    pub(crate) fn push_manifest(&self, repository: &str, name: &str, media_type: &str, bytes: &[u8]) {
        let (status, head) = self.request(
            "PUT",
            &format!("/v2/{repository}/manifests/{name}"),
            &[&format!("Content-Type: {media_type}")],
            bytes,
        );
        assert_eq!(status, 201, "{head}");
    }

    fn request(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
            self.address
        );
        for header in headers {
            let _ = write!(head, "{header}\r\n");
        }
        let _ = write!(head, "Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or_default(), answer)
    }
}

fn launch(directory: &Path, mode: &Mode<'_>) -> (Child, String) {
    // Another process may take the port between its choice and its use.
    for _ in 0..5 {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let address = format!("127.0.0.1:{port}");
        let configuration = directory.join("config.yml");
        fs::write(&configuration, configure(directory, &address, mode)).unwrap();
        let log = fs::File::create(directory.join("log")).unwrap();
        let mut child = Command::new("docker-registry")
            .arg("serve")
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("docker-registry cannot be started ({error}); install the package docker-registry")
            });
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
            if TcpStream::connect(&address).is_ok() {
                return (child, address);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        let _ = child.wait();
    }
    let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
    panic!("docker-registry does not come up: {log}");
}

fn configure(directory: &Path, address: &str, mode: &Mode<'_>) -> String {
    let tls = |certificate: &Path, key: &Path| {
        format!(
            "  tls:\n    certificate: {}\n    key: {}\n",
            certificate.display(),
            key.display()
        )
    };
    let tokens = |realm: &str, certificate: &Path| {
        format!(
            "auth:\n  token:\n    realm: {realm}\n    service: test-registry\n    issuer: test-issuer\n    rootcertbundle: {}\n",
            certificate.display()
        )
    };
    let security = match mode {
        Mode::Plain => String::new(),
        Mode::Password => {
            let users = directory.join("htpasswd");
            let user = run("apache2-utils", "htpasswd", &["-nbB", "-C", "4", USER, PASSWORD]);
            fs::write(&users, user).unwrap();
            format!(
                "auth:\n  htpasswd:\n    realm: test\n    path: {}\n",
                users.display()
            )
        }
        Mode::Tls { certificate, key } => tls(certificate, key),
        Mode::MutualTls {
            certificate,
            key,
            clients,
        } => tls(certificate, key) + &format!("    clientcas:\n      - {}\n", clients.display()),
        Mode::Token { realm, certificate } => tokens(realm, certificate),
        Mode::TokenTls {
            realm,
            certificate,
            key,
        } => tls(certificate, key) + &tokens(realm, certificate),
    };
    let storage = directory.join("storage");
    format!(
        "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n  secret: test\n{security}",
        storage.display()
    )
}
