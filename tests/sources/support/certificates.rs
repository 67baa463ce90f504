//! Certificates that live as long as one test.

use std::{
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::json;

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

/// Signs tokens that `docker-registry` takes.
pub(crate) struct Signer {
    key: KeyPair,
    certificate: String,
}

impl Signer {
    pub(crate) fn new(key: &Path, certificate: &Path) -> Self {
        let key = BASE64_STANDARD.decode(pem_body(key)).unwrap();
        Self {
            key: KeyPair::from_pkcs8(&key).unwrap(),
            certificate: pem_body(certificate),
        }
    }

    /// A token with which `repository` may be pulled.
    pub(crate) fn token(&self, repository: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let header = json!({ "typ": "JWT", "alg": "RS256", "x5c": [self.certificate] });
        let claims = json!({
            "iss": "test-issuer", "aud": "test-registry", "sub": "", "jti": "1",
            "iat": now, "nbf": now - 10, "exp": now + 300,
            "access": [{ "type": "repository", "name": repository, "actions": ["pull"] }],
        });
        let part = |json: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .unwrap();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The bytes in a PEM file's first section, in base64.
fn pem_body(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect()
}
