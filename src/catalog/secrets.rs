//! A secret is a value that opens something: how it is recognised by its form, and taken out of what is shown.

use std::{collections::HashMap, ops::Range, sync::LazyLock};

use regex::bytes::{Captures, Regex};
use serde::Deserialize;

const DATA: &str = include_str!("../../policies/secrets.toml");
/// Findings of one kind in one file that are told; more say nothing new.
const SAME: usize = 8;

/// A kind of secret.
#[derive(Debug)]
pub struct Kind {
    /// Public, stable name: `private-key`.
    pub id: String,
    /// The same in words, with its article.
    pub what: String,
    /// It may be something else, or of no use by itself.
    pub likely: bool,
    /// Also looked for in the configuration.
    words: bool,
    anchors: Vec<String>,
    pattern: Regex,
}

/// All kinds of secrets, compiled from `policies/secrets.toml`.
pub struct Secrets {
    kinds: Vec<Kind>,
    /// Any anchor of any kind.
    anchors: Regex,
    by_name: HashMap<String, Vec<usize>>,
    placeholders: Vec<String>,
    nothing: Vec<String>,
    test_directories: Vec<String>,
    harmless_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    placeholders: Vec<String>,
    nothing: Vec<String>,
    test_directories: Vec<String>,
    harmless_names: Vec<String>,
    secret: Vec<KindText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KindText {
    id: String,
    what: String,
    pattern: String,
    #[serde(default)]
    anchors: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    words: bool,
    #[serde(default)]
    likely: bool,
}

/// The text of the data file, which stored facts depend on.
pub(crate) fn data() -> &'static [u8] {
    DATA.as_bytes()
}

impl Secrets {
    /// What scant carries.
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Secrets> =
            LazyLock::new(|| Secrets::of(DATA).expect("a test compiles every pattern"));
        &BUILTIN
    }

    fn of(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        let mut kinds = Vec::new();
        for (number, kind) in file.secret.into_iter().enumerate() {
            for name in &kind.names {
                by_name.entry(name.clone()).or_default().push(number);
            }
            let pattern = Regex::new(&format!("(?-u){}", kind.pattern))
                .map_err(|error| format!("{}: {error}", kind.id))?;
            kinds.push(Kind {
                id: kind.id,
                what: kind.what,
                likely: kind.likely,
                words: kind.words,
                anchors: kind.anchors,
                pattern,
            });
        }
        let mut anchors: Vec<String> = kinds
            .iter()
            .flat_map(|kind| &kind.anchors)
            .map(|anchor| regex::escape(anchor))
            .collect();
        anchors.sort();
        anchors.dedup();
        let anchors =
            Regex::new(&format!("(?-u){}", anchors.join("|"))).map_err(|error| error.to_string())?;
        Ok(Self {
            kinds,
            anchors,
            by_name,
            placeholders: file.placeholders,
            nothing: file.nothing,
            test_directories: file.test_directories,
            harmless_names: file.harmless_names,
        })
    }

    /// The kind of this id.
    pub fn kind(&self, id: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.id == id)
    }

    /// The secrets in the text of a file called `name`: kind and line, from 1; the values stay where they are.
    pub fn in_file(&self, name: &[u8], text: &[u8]) -> Vec<(&str, u32)> {
        let named = std::str::from_utf8(name)
            .ok()
            .and_then(|name| self.by_name.get(name))
            .map_or(&[][..], Vec::as_slice);
        let anchored = self.anchors.is_match(text);
        if named.is_empty() && !anchored {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (number, kind) in self.kinds.iter().enumerate() {
            let looked_for = named.contains(&number) || anchored && kind.is_anchored(text);
            if !looked_for {
                continue;
            }
            for captures in kind.pattern.captures_iter(text).take(SAME) {
                let value = value(&captures);
                if !self.is_placeholder(text.get(value.clone()).unwrap_or_default()) {
                    let before = text.get(..value.start).unwrap_or_default();
                    let line = memchr::memchr_iter(b'\n', before).count() + 1;
                    found.push((kind.id.as_str(), u32::try_from(line).unwrap_or(u32::MAX)));
                }
            }
        }
        found.sort_by_key(|(_, line)| *line);
        // What two patterns see in one place is told once, by the first, which is the more exact one.
        found.dedup_by_key(|(_, line)| *line);
        found
    }

    /// Tokens of a form that nothing else has, anywhere in a text: kind and place.
    pub fn tokens(&self, text: &str) -> Vec<(&Kind, Range<usize>)> {
        if !self.anchors.is_match(text.as_bytes()) {
            return Vec::new();
        }
        let mut found = Vec::new();
        let kinds = self.kinds.iter().filter(|kind| kind.words);
        for kind in kinds.filter(|kind| kind.is_anchored(text.as_bytes())) {
            // All of them, since they are masked by this.
            let all = kind.pattern.captures_iter(text.as_bytes());
            found.extend(all.map(|captures| (kind, value(&captures))));
        }
        found
    }

    /// Whether a value stands for one that somebody is to fill in.
    pub fn is_placeholder(&self, value: &[u8]) -> bool {
        let lower = value.to_ascii_lowercase();
        let mut seen = [false; 256];
        for byte in &lower {
            seen[usize::from(*byte)] = true;
        }
        let different = seen.iter().filter(|seen| **seen).count();
        (different < 5 && lower.len() > 3)
            || self.nothing.iter().any(|word| word.as_bytes() == lower)
            || self
                .placeholders
                .iter()
                .any(|part| memchr::memmem::find(&lower, part.as_bytes()).is_some())
    }

    /// Whether a path lies among the test data, examples or documentation of a package, or is known to hold nothing.
    pub fn is_test_data<'p>(&self, mut components: impl Iterator<Item = &'p [u8]>, name: &[u8]) -> bool {
        let is = |list: &[String], part: &[u8]| list.iter().any(|word| word.as_bytes() == part);
        is(&self.harmless_names, name)
            || components.any(|part| part != name && is(&self.test_directories, part))
    }
}

/// Where the secret itself stands in a match.
fn value(captures: &Captures<'_>) -> Range<usize> {
    captures
        .name("value")
        .or_else(|| captures.name("other"))
        .or_else(|| captures.get(0))
        .map_or(0..0, |found| found.range())
}

impl Kind {
    /// Whether one of its anchors stands in a text.
    fn is_anchored(&self, text: &[u8]) -> bool {
        self.anchors
            .iter()
            .any(|anchor| memchr::memmem::find(text, anchor.as_bytes()).is_some())
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets")
            .field("kinds", &self.kinds.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 64 characters as a key has them.
    const BASE64: &str = "MIIEpAIBAAKCAQEA7Zq0n3o2Jk5Yw1Xc9Vb8Lm4Tg6Rf2Hs0Pd3Qe7Ui5Oa1KjZx";

    fn found(name: &str, text: &str) -> Vec<(&'static str, u32)> {
        Secrets::builtin().in_file(name.as_bytes(), text.as_bytes())
    }

    #[test]
    fn every_kind_is_found_where_it_stands() {
        let key = |label: &str| format!("hello\n-----BEGIN {label}-----\n{BASE64}\n-----END {label}-----\n");
        let hex = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";
        for (kind, name, text, line) in [
            ("private-key", "x", key("PRIVATE KEY"), 3),
            ("private-key", "x", key("RSA PRIVATE KEY"), 3),
            ("private-key", "x", key("EC PRIVATE KEY"), 3),
            ("private-key", "x", key("DSA PRIVATE KEY"), 3),
            ("private-key", "id", key("OPENSSH PRIVATE KEY").replace('\n', "\r\n"), 3),
            ("encrypted-private-key", "x", key("ENCRYPTED PRIVATE KEY"), 3),
            (
                "encrypted-private-key",
                "x",
                format!("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{BASE64}"),
                1,
            ),
            (
                "pgp-private-key",
                "x",
                format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\n{BASE64}\n"),
                4,
            ),
            (
                "putty-private-key",
                "k.ppk",
                "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\n".to_owned(),
                1,
            ),
            (
                "aws-secret-key",
                "credentials",
                "[default]\naws_access_key_id = AKIA2OGYBAH6QPZXN4KD\naws_secret_access_key = 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".to_owned(),
                3,
            ),
            (
                "gcp-service-account",
                "sa.json",
                format!("{{\"type\":\"service_account\",\n\"private_key_id\":\"1\",\n\"private_key\": \"-----BEGIN PRIVATE KEY-----\\n{BASE64}\\n\"}}"),
                3,
            ),
            (
                "azure-storage-key",
                "x.config",
                format!("AccountName=a;AccountKey={}==;", &BASE64.repeat(2)[..86]),
                1,
            ),
            ("google-api-key", "x.js", format!("k=\"AIzaSy{}\"", &BASE64[..33]), 1),
            ("github-token", "x", format!("a\nghp_{}\n", &BASE64[..36]), 2),
            ("gitlab-token", "x", format!("glpat-{}", &BASE64[..20]), 1),
            ("slack-token", "x", format!("xox{}", "b-123456789012-abcDEF123ghiJKL456"), 1),
            ("stripe-key", "x", format!("sk_live_{}", &BASE64[..24]), 1),
            ("npm-token", "x", format!("npm_{}", &BASE64[..36]), 1),
            ("registry-login", "config.json", format!("{{\"auths\":{{\n\"https://r\":{{\"auth\":\"{}\"}}}}}}", &BASE64[..20]), 2),
            (
                "kubeconfig",
                "config",
                format!("apiVersion: v1\nkind: Config\nusers:\n- user:\n    client-key-data: {BASE64}\n"),
                5,
            ),
            ("netrc", ".netrc", "machine h login me password hunter22\n".to_owned(), 1),
            ("npmrc", ".npmrc", format!("x=1\n//r/:_authToken={hex}\n"), 2),
            ("pypirc", ".pypirc", "[pypi]\nusername = a\npassword = hunter22x\n".to_owned(), 3),
            ("git-credentials", ".git-credentials", "https://me:hunter22@host\n".to_owned(), 1),
            ("pip-password", "pip.conf", "[global]\nindex-url = https://me:hunter22@host/simple\n".to_owned(), 2),
            ("password-hash", "shadow", "a:*:1\nroot:$6$salt$0a1b2c3d4e5f60718293:1::\n".to_owned(), 2),
        ] {
            assert_eq!(found(name, &text), [(kind, line)], "{kind}: {text}");
        }
    }

    #[test]
    fn what_narrowly_is_none_is_left_alone() {
        for (name, text) in [
            ("x.pem", format!("-----BEGIN CERTIFICATE-----\n{BASE64}\n")),
            ("x.pem", format!("-----BEGIN PUBLIC KEY-----\n{BASE64}\n")),
            (
                "x.go",
                "const head = \"-----BEGIN PRIVATE KEY-----\\n\"".to_owned(),
            ),
            ("x.py", "b'-----BEGIN RSA PRIVATE KEY-----'\n".to_owned()),
            (
                "x.txt",
                "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n".to_owned(),
            ),
            (".npmrc", "//r/:_authToken=${NPM_TOKEN}\n".to_owned()),
            (".netrc", "machine h login me password <password>\n".to_owned()),
            (".pypirc", "password = changeme\n".to_owned()),
            ("config.json", "{\"auths\":{}}".to_owned()),
            ("config.json", "{\"auth\":{\"auth\":\"oauth2\"}}".to_owned()),
            (
                "credentials",
                "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n".to_owned(),
            ),
            ("x", "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".to_owned()),
            ("x", "sk_test_0123456789abcdef01234567".to_owned()),
            (
                "shadow",
                "root:*:1::\nb:!:1::\nc:!$6$x$0a1b2c3d4e5f:1::\nd:x:\n".to_owned(),
            ),
            ("x.conf", "root:$6$salt$0a1b2c3d4e5f60718293:1::\n".to_owned()),
        ] {
            assert_eq!(found(name, &text), [], "{name}: {text}");
        }
    }

    #[test]
    fn test_data_is_known_by_its_directories() {
        let secrets = Secrets::builtin();
        let is = |path: &str| {
            let parts: Vec<&[u8]> = path
                .split('/')
                .filter(|part| !part.is_empty())
                .map(str::as_bytes)
                .collect();
            secrets.is_test_data(parts.iter().copied(), parts[parts.len() - 1])
        };
        assert!(
            is("/usr/lib/python3.11/test/keycert.pem") && is("/app/node_modules/x/test/fixtures/key.pem")
        );
        assert!(is("/usr/local/go/src/crypto/tls/testdata/example-key.pem"));
        assert!(is("/etc/ssl/private/ssl-cert-snakeoil.key"));
        assert!(!is("/etc/ssl/private/server.key") && !is("/app/test") && !is("/app/latest/key.pem"));
    }
}
