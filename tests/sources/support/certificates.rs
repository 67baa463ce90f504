//! Certificates that live as long as one test.

use std::path::{Path, PathBuf};

use super::run;

const PACKAGE: &str = "openssl";

/// A certificate authority with a certificate for this machine and one for a client.
pub(crate) struct Certificates {
    directory: tempfile::TempDir,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let certificates = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        let path = |name: &str| certificates.path(name).to_str().unwrap().to_owned();
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let make = |rest: &[&str]| {
            let arguments: Vec<&str> = std::iter::once("req")
                .chain(key)
                .chain(rest.iter().copied())
                .collect();
            run(PACKAGE, "openssl", &arguments);
        };
        let (ca, ca_key) = (path("ca.pem"), path("ca.key"));
        make(&[
            "-x509",
            "-days",
            "2",
            "-subj",
            "/CN=test authority",
            "-keyout",
            &ca_key,
            "-out",
            &ca,
        ]);
        for (name, extension) in [
            ("server", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
            ("client", "extendedKeyUsage=clientAuth"),
        ] {
            let (request, extensions) = (path("request.pem"), path("extensions"));
            std::fs::write(&extensions, format!("{extension}\nbasicConstraints=CA:FALSE\n")).unwrap();
            let (certificate, key) = (path(&format!("{name}.pem")), path(&format!("{name}.key")));
            make(&["-subj", &format!("/CN={name}"), "-keyout", &key, "-out", &request]);
            run(
                PACKAGE,
                "openssl",
                &[
                    "x509",
                    "-req",
                    "-days",
                    "2",
                    "-in",
                    &request,
                    "-CA",
                    &ca,
                    "-CAkey",
                    &ca_key,
                    "-CAcreateserial",
                    "-extfile",
                    &extensions,
                    "-out",
                    &certificate,
                ],
            );
        }
        certificates
    }

    /// `ca.pem`, `server.pem`, `server.key`, `client.pem` or `client.key`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// Makes an RSA key and a certificate for it, with which tokens are signed.
pub(crate) fn token_signer(directory: &Path) -> (PathBuf, PathBuf) {
    let (key, certificate) = (directory.join("token.key"), directory.join("token.pem"));
    run(
        PACKAGE,
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=token service",
            "-keyout",
            key.to_str().unwrap(),
            "-out",
            certificate.to_str().unwrap(),
        ],
    );
    (key, certificate)
}

/// The bytes in a PEM file's first section, in base64.
pub(crate) fn pem_body(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect()
}
