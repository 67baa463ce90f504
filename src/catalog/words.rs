//! Words are the texts of a configuration: variables, arguments, history lines; here the secrets in them are found and masked.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::secrets::Secrets;

/// What stands in place of a secret.
const MASK: &str = "…";

/// A secret in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reveal {
    /// What it is, with its article: `a token of GitHub`, `the value of DB_PASSWORD`.
    pub what: String,
    /// The name that it was given to, where there is one.
    pub name: Option<String>,
    /// It may be something else.
    pub likely: bool,
}

/// A name that speaks of a secret, and what it is set to, in small letters.
const ASSIGNMENT: &str = r#"(?x)
    (?P<name> (?:--?)? [a-z0-9_.\-]*
        (?: password | passwd | passphrase | secret | token | api[_-]?key | access[_-]?key | private[_-]?key
          | credentials? | [_-]key | [_-]pass | [_-]pwd ) )
    (?P<by> "?\s*[=:]\s* | "\s*,?\s*" | \x20+ )
    (?P<value> "(?:[^"\\]|\\.)*" | '[^']*' | [^\s"';&|,)\]]+ )"#;
/// A password in an address.
const ADDRESS: &str =
    r#"(?P<start>\b[a-zA-Z][a-zA-Z0-9+.-]*://)(?P<user>[^\s/:@"']*):(?P<value>[^\s/@"']+)@"#;
/// An address with a user, whose name may be a token.
const USER: &str = r#"(?P<start>\b[a-zA-Z][a-zA-Z0-9+.-]*://)(?P<value>[^\s/@"']+)@"#;
/// A login as programs for HTTP take it.
const LOGIN: &str = r#"(?:\bBearer\s+|\bBasic\s+|\bbearer\s+|\bbasic\s+|\s(?:-u|--user|--proxy-user)[ =]?["']?[^\s:"'=]+:)(?P<value>[^\s"']{4,})"#;
/// A key from its first line on.
const KEY: &str = r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----(?P<value>(?:[^-]|-[^-])*)";
/// Build arguments as history lines hold them.
const ARGUMENTS: &str = r"(?s)^(?:RUN )?\|(?P<count>[0-9]{1,3}) (?P<value>.*?) ?(?:/[^\s=]+ -[a-z]*c\b|$)";

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a test compiles it")
}

macro_rules! pattern {
    ($name:ident) => {{
        static COMPILED: LazyLock<Regex> = LazyLock::new(|| regex($name));
        &*COMPILED
    }};
}

/// Parts of names that end like a secret's and are none.
const PUBLIC: &[&str] = &[
    "gpg",
    "pgp",
    "public",
    "pub_key",
    "fingerprint",
    "keyring",
    "known",
    "site_key",
    "publishable",
    "cache_key",
    "sort_key",
    "primary_key",
    "partition_key",
    "foreign_key",
    "host_key",
    "hotkey",
    "signing_key_id",
    "no_pass",
    "csrf",
    "xsrf",
];

/// Whether a variable of this name usually holds a secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['-', '.'], "_");
    let name = name
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .trim_end_matches('_');
    let ends = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "api_key",
        "accesskey",
        "access_key",
        "privatekey",
        "private_key",
        "credential",
        "credentials",
        "_key",
        "_pass",
        "_pwd",
    ];
    ends.iter().any(|end| name.ends_with(end)) && !PUBLIC.iter().any(|part| name.contains(part))
}

/// Whether a value given to such a name is a secret itself, rather than a place, a reference, a switch or a placeholder.
fn is_real(name: &str, value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    let elsewhere = [
        "/", "./", "../", "~", "$", "file:", "http://", "https://", "@", "arn:", "vault:", "\\$", "`", "-",
    ];
    let lower = name.to_ascii_lowercase();
    // Any map has keys: only one that looks made by chance is a secret.
    let weak = lower.ends_with("key")
        && !["api", "access", "private", "secret"]
            .iter()
            .any(|word| lower.contains(word));
    let chance = value.len() >= 16
        && value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().any(|b| b.is_ascii_alphabetic())
        && !value.contains(' ');
    let short = value.len() < 4 || digits && value.len() < 6;
    let refers = elsewhere.iter().any(|start| value.starts_with(start))
        || value.contains("/run/secrets")
        || value.contains(".get");
    let guessed = weak && !chance;
    !(short || refers || guessed || Secrets::builtin().is_placeholder(value.as_bytes()))
}

/// What a variable's, label's or build argument's value reveals.
pub fn of_variable(name: &str, value: &str) -> Vec<Reveal> {
    if is_secret_name(name) && is_real(name, value) {
        let token = Secrets::builtin().tokens(value).into_iter().next();
        return vec![Reveal {
            what: token.map_or_else(|| format!("the value of {name}"), |(kind, _)| kind.what.clone()),
            name: Some(name.to_owned()),
            likely: false,
        }];
    }
    let mut found = of_forms(value);
    for reveal in &mut found {
        reveal.name = Some(name.to_owned());
    }
    found
}

/// What a command line or history line reveals.
pub fn of_command(text: &str) -> Vec<Reveal> {
    let mut found = Vec::new();
    let mut text = text.to_owned();
    let arguments = pattern!(ARGUMENTS)
        .captures(&text)
        .and_then(|all| all.name("value"))
        .map(|found| found.range());
    if let Some(range) = arguments {
        let words = text.get(range.clone()).unwrap_or_default().to_owned();
        for (name, value) in words.split(' ').filter_map(|word| word.split_once('=')) {
            found.extend(of_variable(name, value));
        }
        text.replace_range(range, "");
    }
    for (name, value) in assignments(&text) {
        let (Some(name), Some(value)) = (text.get(name), text.get(value)) else {
            continue;
        };
        let name = name.trim_start_matches('-');
        if is_secret_name(name) && is_real(name, value) {
            found.push(Reveal {
                what: format!("the value of {name}"),
                name: Some(name.to_owned()),
                likely: false,
            });
        }
    }
    for reveal in of_forms(&text) {
        let told = found.iter().any(|known| known.what == reveal.what);
        if !told {
            found.push(reveal);
        }
    }
    found
}

/// Tokens of a known form, and passwords in addresses.
fn of_forms(text: &str) -> Vec<Reveal> {
    let secrets = Secrets::builtin();
    let reveal = |what: &str, likely| Reveal {
        what: what.to_owned(),
        name: None,
        likely,
    };
    let mut found: Vec<Reveal> = secrets
        .tokens(text)
        .into_iter()
        .filter(|(_, range)| !secrets.is_placeholder(text.as_bytes().get(range.clone()).unwrap_or_default()))
        .map(|(kind, _)| reveal(&kind.what, kind.likely))
        .collect();
    let password = pattern!(ADDRESS)
        .captures_iter(text)
        .filter_map(|address| address.name("value"))
        .any(|value| is_real("password", value.as_str()));
    if password {
        found.push(reveal("a password in an address", false));
    }
    found.dedup();
    found
}

/// Assignments to names that speak of secrets: name and value.
fn assignments(text: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let text = text.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(captures) = pattern!(ASSIGNMENT).captures_at(&text, from) {
        let (Some(name), Some(by), Some(value)) =
            (captures.name("name"), captures.name("by"), captures.name("value"))
        else {
            break;
        };
        // Only an option or a line of a Dockerfile has its value behind a blank.
        let assigned = by.as_str().contains(['=', ':'])
            || name.as_str().starts_with('-')
            || matches!(
                text.get(..name.start())
                    .unwrap_or_default()
                    .trim_end()
                    .rsplit(' ')
                    .next(),
                Some("env")
            );
        if assigned {
            found.push((name.range(), value.range()));
            from = value.end();
        } else {
            from = name.end();
        }
    }
    found
}

/// The text without what is or may be a secret: values of names that speak of one, passwords in addresses, tokens, keys,
/// and build arguments.
///
/// It takes out more than is reported, since what is not shown harms nobody.
pub fn mask(text: &str) -> String {
    let mut hidden: Vec<Range<usize>> = assignments(text).into_iter().map(|(_, value)| value).collect();
    hidden.extend(
        Secrets::builtin()
            .tokens(text)
            .into_iter()
            .map(|(_, range)| range),
    );
    for pattern in [
        pattern!(USER),
        pattern!(ADDRESS),
        pattern!(LOGIN),
        pattern!(KEY),
        pattern!(ARGUMENTS),
    ] {
        let values = pattern
            .captures_iter(text)
            .filter_map(|found| found.name("value"));
        hidden.extend(values.map(|value| value.range()));
    }
    hidden.retain(|range| !range.is_empty());
    hidden.sort_by_key(|range| (range.start, range.end));
    let mut out = String::with_capacity(text.len());
    let mut shown = 0;
    for range in hidden {
        if range.start >= shown {
            out.push_str(text.get(shown..range.start).unwrap_or_default());
            out.push_str(MASK);
        }
        shown = shown.max(range.end);
    }
    out.push_str(text.get(shown..).unwrap_or_default());
    out
}

/// The value of a variable or label as it may be shown.
pub fn mask_value(name: &str, value: &str) -> String {
    if is_secret_name(name) && !value.is_empty() {
        MASK.to_owned()
    } else {
        mask(value)
    }
}

/// The words of a command line as they may be shown: a word behind an option such as `--password` is its value.
pub fn mask_words(words: &[String]) -> Vec<String> {
    let mut value_next = false;
    words
        .iter()
        .map(|word| {
            let shown = if value_next { MASK.to_owned() } else { mask(word) };
            value_next =
                word.starts_with('-') && !word.contains('=') && is_secret_name(word.trim_start_matches('-'));
            shown
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GITHUB: &str = concat!("ghp", "_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8");

    fn told(text: &str) -> Vec<String> {
        of_command(text).into_iter().map(|reveal| reveal.what).collect()
    }

    #[test]
    fn every_token_is_masked_however_many_there_are() {
        let shown = mask(&vec![GITHUB; 20].join(" "));
        assert!(!shown.contains("ghp"), "{shown}");
    }

    #[test]
    fn variables_hold_secrets_by_name_and_value() {
        for (name, value) in [
            ("DB_PASSWORD", "hunter22"),
            ("NPM_TOKEN", "c0ffee-1234"),
            ("SECRET_KEY", "s3cr3t-valu3"),
            ("APP_KEY", "base64Zx81kd9Lw02mQp4T"),
            ("X", GITHUB),
            ("DATABASE_URL", "postgres://app:hunter22@db/app"),
        ] {
            assert_eq!(of_variable(name, value).len(), 1, "{name}");
        }
        for (name, value) in [
            ("GPG_KEY", "7169605F62C751356D054A26A821E680E5FA6305"),
            ("DB_PASSWORD", ""),
            ("DB_PASSWORD", "changeme"),
            ("DB_PASSWORD", "${DB_PASSWORD}"),
            ("DB_PASSWORD", "/run/secrets/db"),
            ("DB_PASSWORD_FILE", "/run/secrets/db"),
            ("USE_TOKEN", "true"),
            ("TOKEN_TTL", "3600"),
            ("MAX_TOKEN", "4096"),
            ("CACHE_KEY", "v1"),
            ("PRIMARY_KEY", "id"),
            ("PUBLIC_KEY", "AAAAB3NzaC1yc2EAAAADAQAB1234"),
            ("PATH", "/usr/bin:/bin"),
            ("URL", "https://example.org/?q=1"),
            ("URL", "postgres://user:password@db/app"),
        ] {
            assert_eq!(of_variable(name, value), [], "{name}={value}");
        }
    }

    #[test]
    fn commands_reveal_arguments_and_assignments() {
        assert_eq!(
            told("|1 NPM_TOKEN=c0ffee-1234 /bin/sh -c npm ci"),
            ["the value of NPM_TOKEN"]
        );
        assert_eq!(
            told("RUN |2 A=b PW_TOKEN=c0ffee-1234 /bin/bash -c make"),
            ["the value of PW_TOKEN"]
        );
        assert_eq!(told("ENV DB_PASSWORD=hunter22"), ["the value of DB_PASSWORD"]);
        assert_eq!(told("ENV DB_PASSWORD hunter22"), ["the value of DB_PASSWORD"]);
        assert_eq!(
            told("server --db-password hunter22"),
            ["the value of db-password"]
        );
        assert_eq!(
            told(&format!("git clone https://x:{GITHUB}@github.com/x")).len(),
            2
        );
        for quiet in [
            "ARG NPM_TOKEN",
            "RUN --mount=type=secret,id=token make",
            "RUN export DB_PASSWORD=$(cat /run/secrets/db)",
            "docker login --password-stdin",
            "apk add token tools",
            "COPY secret.txt /",
        ] {
            assert_eq!(told(quiet), Vec::<String>::new(), "{quiet}");
        }
    }

    #[test]
    fn nothing_secret_is_left_in_what_is_shown() {
        for text in [
            "RUN DB_PASSWORD=hunter22 make".to_owned(),
            "RUN DB_PASSWORD=\"a hunter22 b\" make".to_owned(),
            "RUN export password='x hunter22'".to_owned(),
            "RUN |1 INNOCENT=hunter22 /bin/bash -c make".to_owned(),
            "|1 INNOCENT=hunter22 two words /bin/sh -c make".to_owned(),
            "RUN curl -u me:hunter22 https://host".to_owned(),
            "RUN curl -H 'Authorization: Bearer hunter22' https://host".to_owned(),
            "RUN curl https://hunter22@host https://a:hunter22@host".to_owned(),
            "CMD [\"server\" \"--password\" \"hunter22\"]".to_owned(),
            "ENV TOKEN hunter22".to_owned(),
            "RUN echo '-----BEGIN RSA PRIVATE KEY-----\\nhunter22\\n-----END RSA PRIVATE KEY-----'"
                .to_owned(),
        ] {
            let shown = mask(&text);
            assert!(!shown.contains("hunter22") && shown.contains('…'), "{shown}");
        }
        assert!(!mask(&format!("RUN x {GITHUB} y")).contains("A1b2"));
        assert_eq!(mask("RUN apt-get install -y curl"), "RUN apt-get install -y curl");
        assert_eq!(
            mask_words(&[
                "a".to_owned(),
                "--token".to_owned(),
                "hunter22".to_owned(),
                "b".to_owned()
            ]),
            ["a", "--token", "…", "b"]
        );
        assert_eq!(mask_value("DB_PASSWORD", "x"), "…");
    }
}
