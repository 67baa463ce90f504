//! A reference: the name of an image in a registry, in Docker's spelling and made whole.

use std::{fmt, net::IpAddr, str::FromStr};

use crate::{
    failure::{Code, Failure},
    image::Digest,
    text,
};

/// Longest host and repository together (distribution/reference).
const LONGEST_NAME: usize = 255;
/// Longest tag (distribution-spec, "Pulling manifests").
const LONGEST_TAG: usize = 128;
/// The registry of names that name none.
const DOCKER_HUB: &str = "docker.io";

/// `[host[:port]/]repository[:tag][@digest]`, with what Docker adds to short names filled in: the host `docker.io`, its
/// namespace `library/`, the tag `latest`.
///
/// Every part is made of characters that need no escaping in a URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    host: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// The registry as named, with its port if one was given: `docker.io`, `localhost:5000`, `[::1]:5000`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host that answers the registry's requests; only Docker Hub's differs from its name.
    pub fn api_host(&self) -> &str {
        if self.host == DOCKER_HUB {
            "registry-1.docker.io"
        } else {
            &self.host
        }
    }

    /// The repository without host, tag and digest: `library/nginx`.
    pub fn name(&self) -> &str {
        &self.repository
    }

    /// The tag; `None` when a digest was given without one.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, which decides when a tag stands beside it.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The whole name without the digest: `docker.io/library/nginx:1.27`.
    pub fn canonical(&self) -> String {
        match &self.tag {
            Some(tag) => format!("{}/{}:{tag}", self.host, self.repository),
            None => format!("{}/{}", self.host, self.repository),
        }
    }
}

/// Whether `host`, with or without a port, is this machine: `localhost`, `127.0.0.0/8` or `::1`.
pub fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl FromStr for Reference {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        parse(text).map_err(|why| {
            let shown = text::escape(text.as_bytes());
            Failure::new(
                Code::BadTarget,
                format!("`{shown}` is not an image reference: {why}"),
            )
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.canonical())?;
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

fn parse(text: &str) -> Result<Reference, String> {
    if text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err("64 hex digits are an image id, which no registry knows".into());
    }
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest.parse::<Digest>()?)),
        None => (text, None),
    };
    let (host, rest) = match name.split_once('/') {
        Some((first, rest)) if names_host(first) => (first, rest),
        _ => (DOCKER_HUB, name),
    };
    // `index.docker.io` is how old configurations spell Docker Hub.
    let host = if host == "index.docker.io" {
        DOCKER_HUB
    } else {
        host
    };
    check_host(host)?;
    // Neither host nor repository can hold a colon here, so the first one opens the tag.
    let (path, tag) = match rest.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (rest, None),
    };
    if path.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err("a repository is written in lower case".into());
    }
    if !path.split('/').all(is_component) {
        return Err(
            "a repository is made of `a-z`, `0-9`, `/` and single separators `.`, `_`, `__`, `-`".into(),
        );
    }
    if let Some(tag) = tag
        && !is_tag(tag)
    {
        return Err("a tag is 1 to 128 of `A-Za-z0-9_.-`, the first no `.` or `-`".into());
    }
    let repository = if host == DOCKER_HUB && !path.contains('/') {
        format!("library/{path}")
    } else {
        path.to_owned()
    };
    if host.len() + 1 + repository.len() > LONGEST_NAME {
        return Err(format!(
            "host and repository are longer than {LONGEST_NAME} characters"
        ));
    }
    let tag = match (tag, &digest) {
        (Some(tag), _) => Some(tag.to_owned()),
        (None, Some(_)) => None,
        (None, None) => Some("latest".to_owned()),
    };
    Ok(Reference {
        host: host.to_owned(),
        repository,
        tag,
        digest,
    })
}

/// Whether the part before the first slash is a registry and not a namespace of Docker Hub.
fn names_host(first: &str) -> bool {
    first == "localhost"
        || first
            .bytes()
            .any(|b| matches!(b, b'.' | b':') || b.is_ascii_uppercase())
}

fn check_host(host: &str) -> Result<(), String> {
    let (name_is_good, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest
                .split_once(']')
                .ok_or("the host opens a bracket that nothing closes")?;
            let port = match after.strip_prefix(':') {
                Some(port) => Some(port),
                None if after.is_empty() => None,
                None => return Err("only a port may follow an address in brackets".into()),
            };
            (address.parse::<std::net::Ipv6Addr>().is_ok(), port)
        }
        None => match host.split_once(':') {
            Some((name, port)) => (name.split('.').all(is_host_label), Some(port)),
            None => (host.split('.').all(is_host_label), None),
        },
    };
    if !name_is_good {
        return Err("the registry is no host name or address".into());
    }
    match port {
        Some(port) if !port.bytes().all(|b| b.is_ascii_digit()) || port.parse::<u16>().is_err() => {
            Err("the registry's port is no number up to 65535".into())
        }
        _ => Ok(()),
    }
}

fn is_host_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(component: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let starts_and_ends_plain =
        component.bytes().next().is_some_and(is_plain) && component.bytes().next_back().is_some_and(is_plain);
    starts_and_ends_plain
        && component
            .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            .all(|separator| {
                matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|b| b == b'-')
            })
}

/// `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`
fn is_tag(tag: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= LONGEST_TAG
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|b| is_word(b) || matches!(b, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hex() -> String {
        "0a".repeat(32)
    }

    #[test]
    fn short_names_are_made_whole() {
        let digest = format!("sha256:{}", hex());
        for (text, host, name, tag) in [
            ("nginx", "docker.io", "library/nginx", Some("latest")),
            ("nginx:1.27", "docker.io", "library/nginx", Some("1.27")),
            (
                "index.docker.io/nginx",
                "docker.io",
                "library/nginx",
                Some("latest"),
            ),
            ("docker.io/a/b", "docker.io", "a/b", Some("latest")),
            ("a/b", "docker.io", "a/b", Some("latest")),
            ("ghcr.io/a/b/c:1", "ghcr.io", "a/b/c", Some("1")),
            ("localhost/x", "localhost", "x", Some("latest")),
            ("localhost:5000/x:Y_z", "localhost:5000", "x", Some("Y_z")),
            ("Host/x", "Host", "x", Some("latest")),
            ("[::1]:5000/x:1", "[::1]:5000", "x", Some("1")),
            ("[fe80::1]/x", "[fe80::1]", "x", Some("latest")),
            (
                "a__b/c-----d.e_f",
                "docker.io",
                "a__b/c-----d.e_f",
                Some("latest"),
            ),
            (&format!("nginx@{digest}"), "docker.io", "library/nginx", None),
            (&format!("r:1/x:t@{digest}"), "r:1", "x", Some("t")),
        ] {
            let reference: Reference = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(reference.host(), host, "{text}");
            assert_eq!(reference.name(), name, "{text}");
            assert_eq!(reference.tag(), tag, "{text}");
            assert_eq!(reference.digest().is_some(), text.contains('@'), "{text}");
            assert_eq!(
                reference.to_string().parse::<Reference>().unwrap(),
                reference,
                "{text}"
            );
        }
        let longest = format!("ghcr.io/{}:{}", "a".repeat(247), "t".repeat(128));
        assert_eq!(longest.parse::<Reference>().unwrap().to_string(), longest);
        let upper = "a/B".parse::<Reference>().unwrap_err();
        assert!(upper.message.contains("lower case"), "{upper}");
        let hub: Reference = "nginx".parse().unwrap();
        assert_eq!(hub.api_host(), "registry-1.docker.io");
        assert_eq!(hub.canonical(), "docker.io/library/nginx:latest");
    }

    #[test]
    fn what_no_registry_could_serve_is_refused() {
        for text in [
            "",
            "/",
            "a/",
            "a//b",
            "UPPER",
            "a/B",
            "a:",
            "a:-x",
            "a:.x",
            "a b",
            "a..b",
            "a___b",
            "-a",
            "a-",
            "r:/x",
            "r:99999/x",
            "r:5x/x",
            "[::1/x",
            "[::1]5/x",
            "[zz]:1/x",
            "-h.io/x",
            "h..io/x",
            "a%2f/b",
            "a?b",
            "user@host/x",
            "a@sha256:00",
            "a@md5:d41d8cd98f00b204e9800998ecf8427e",
            "https://ghcr.io/a/b",
            &hex(),
            &format!("a@sha256:{}", hex().to_uppercase()),
            &format!("a@sha256:{h}@sha256:{h}", h = hex()),
            &format!("a:{}", "t".repeat(129)),
            &format!("ghcr.io/{}", "a".repeat(248)),
        ] {
            let failure = text.parse::<Reference>().expect_err(text);
            assert_eq!(failure.code, Code::BadTarget, "{text}");
        }
    }

    #[test]
    fn loopback_is_this_machine_only() {
        for host in [
            "localhost",
            "LOCALHOST:5000",
            "127.0.0.1",
            "127.9.9.9:1",
            "[::1]",
            "[::1]:5000",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "localhost.example",
            "128.0.0.1",
            "[::2]",
            "127.0.0.1.nip.io",
            "10.0.0.1:127",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    proptest! {
        /// A second reader of the same grammar: what both accept, both must understand alike. (A host known as one only
        /// by an upper-case letter is left out: oci-client takes it for a namespace of Docker Hub.)
        #[test]
        fn agrees_with_oci_client(text in "([a-z.]{1,6}|localhost|index\\.docker\\.io|docker\\.io)?(:[0-9]{1,3})?/?[a-z0-9._/-]{1,12}(:[a-zA-Z0-9_.-]{1,4})?") {
            if let (Ok(ours), Ok(theirs)) = (text.parse::<Reference>(), text.parse::<oci_client::Reference>()) {
                let host = if theirs.registry() == "index.docker.io" { "docker.io" } else { theirs.registry() };
                prop_assert_eq!(ours.host(), host);
                prop_assert_eq!(ours.name(), theirs.repository());
                prop_assert_eq!(ours.tag(), theirs.tag());
            }
        }

        #[test]
        fn never_panics(text in ".*") {
            let _ = text.parse::<Reference>();
        }
    }
}
