//! A target is what was asked for: an image in a registry, a layout, an archive, a root directory, a daemon's image.

use std::{fmt, path::PathBuf, str::FromStr};

use crate::{
    failure::{Code, Failure},
    image::Digest,
    reference::Reference,
    text,
};

/// What the user asked for, as written and as understood. Nothing on disk is looked at to understand it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As written.
    pub text: String,
    /// As understood.
    pub kind: Kind,
}

/// The sorts of target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An image or index in a registry: `ghcr.io/a/b:1`, or `docker://` before it.
    Registry(Reference),
    /// `oci:DIR[:ref|@digest]`: an OCI image layout.
    OciLayout(PathBuf, Option<Select>),
    /// `oci-archive:FILE[:ref|@digest]`: the same in a tar.
    OciArchive(PathBuf, Option<Select>),
    /// `docker-archive:FILE[:ref|@index]`: what `docker save` writes.
    DockerArchive(PathBuf, Option<Select>),
    /// `docker-daemon:REF`: an image of the Docker Engine, by any name it knows.
    DockerDaemon(String),
    /// `rootfs:DIR`: a root directory, without a configuration.
    Rootfs(PathBuf),
    /// `-`: an archive on standard input.
    Stdin,
    /// A path to whatever turns out to be there: `/x`, `./x`, `../x`, `~`-less.
    Path(PathBuf),
    /// A bare word: the path if something that can be scanned is there, else the reference, or why it is none.
    Word(PathBuf, Result<Reference, Failure>),
}

/// Which image of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Select {
    /// By a name or tag that the layout or archive gives it.
    Name(String),
    /// By the digest of its manifest or index.
    Digest(Digest),
    /// By its place in `manifest.json`, from 0.
    Index(usize),
}

/// The words before a colon that name a sort of target.
const SCHEMES: [&str; 6] = [
    "oci",
    "oci-archive",
    "docker-archive",
    "docker-daemon",
    "rootfs",
    "docker",
];

/// Words of other tools for the same things, and what to write instead.
const FOREIGN: [(&str, &str); 13] = [
    ("oci-dir", "write oci:DIR"),
    (
        "dir",
        "write rootfs:DIR for a root directory, or oci:DIR for an image layout",
    ),
    (
        "registry",
        "write the reference alone, such as ghcr.io/owner/app:1",
    ),
    ("docker-image", "write the reference alone, or docker-daemon:REF"),
    ("tar", "write docker-archive:FILE or oci-archive:FILE"),
    ("tarball", "write docker-archive:FILE or oci-archive:FILE"),
    ("file", "write the path alone"),
    (
        "http",
        "write the reference alone, without http:// (see --plain-http)",
    ),
    ("https", "write the reference alone, without https://"),
    ("podman", "write `podman save REF | scant scan -`"),
    ("containers-storage", "write `podman save REF | scant scan -`"),
    ("containerd", "write `ctr images export - REF | scant scan -`"),
    ("daemon", "write docker-daemon:REF"),
];

impl FromStr for Target {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        Ok(Self {
            text: text.to_owned(),
            kind: kind(text)?,
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::escape(self.text.as_bytes()))
    }
}

fn kind(text: &str) -> Result<Kind, Failure> {
    if text.is_empty() || text.contains('\0') {
        return Err(bad(text, "names nothing"));
    }
    if text == "-" {
        return Ok(Kind::Stdin);
    }
    if ["/", "./", "../"].iter().any(|start| text.starts_with(start)) || text == "." || text == ".." {
        return Ok(Kind::Path(text.into()));
    }
    if let Some(reference) = text.strip_prefix("docker://") {
        return Ok(Kind::Registry(reference.parse()?));
    }
    if let Some((scheme, rest)) = text.split_once(':') {
        let select = |make: fn(PathBuf, Option<Select>) -> Kind| {
            let (path, select) = split_select(text, rest)?;
            Ok(make(path, select))
        };
        match scheme {
            "oci" => return select(Kind::OciLayout),
            "oci-archive" => return select(Kind::OciArchive),
            "docker-archive" => return select(Kind::DockerArchive),
            "docker-daemon" if !rest.is_empty() => return Ok(Kind::DockerDaemon(rest.to_owned())),
            "rootfs" if !rest.is_empty() => return Ok(Kind::Rootfs(rest.into())),
            "docker-daemon" | "rootfs" => return Err(bad(text, "names nothing behind the colon")),
            _ => check_scheme(text, scheme)?,
        }
    }
    let reference = text
        .parse::<Reference>()
        .map_err(|failure| match text.split_once(':') {
            Some((scheme, _)) => match FOREIGN.iter().find(|(word, _)| *word == scheme) {
                Some((_, advice)) => bad(text, "is of a sort that scant does not know").advise(*advice),
                None => failure,
            },
            None => failure,
        });
    Ok(Kind::Word(text.into(), reference))
}

/// Refuses a word that is a scheme but for one or two letters; `docker-archve:x` would be read as image and tag.
fn check_scheme(text: &str, scheme: &str) -> Result<(), Failure> {
    let near = SCHEMES
        .into_iter()
        .filter(|known| known.len() >= 6 && *known != "docker")
        .find(|known| {
            let slips = strsim::damerau_levenshtein(&scheme.to_ascii_lowercase(), known);
            slips <= if known.contains('-') { 2 } else { 1 }
        });
    match near {
        Some(near) => {
            Err(bad(text, "is of a sort that scant does not know").advise(format!("did you mean `{near}:`?")))
        }
        None => Ok(()),
    }
}

/// `PATH`, `PATH:name`, `PATH@sha256:…`, `PATH@3` or `PATH:@3`: the path ends at the first colon.
fn split_select(text: &str, rest: &str) -> Result<(PathBuf, Option<Select>), Failure> {
    let at_digest = rest.rfind("@sha256:").or_else(|| rest.rfind("@sha512:"));
    let (path, select) = if let Some(at) = at_digest {
        let (path, digest) = rest.split_at(at);
        let digest = digest
            .trim_start_matches('@')
            .parse()
            .map_err(|why: String| bad(text, &why))?;
        // A tag before the digest is for the reader only.
        (
            path.split(':').next().unwrap_or_default(),
            Some(Select::Digest(digest)),
        )
    } else if let Some((path, name)) = rest.split_once(':') {
        let index = name
            .strip_prefix('@')
            .map(|number| number.parse().map(Select::Index));
        match index {
            Some(Ok(index)) => (path, Some(index)),
            Some(Err(_)) => return Err(bad(text, "needs a number or a digest behind the @")),
            None if name.is_empty() => (path, None),
            None => (path, Some(Select::Name(name.to_owned()))),
        }
    } else {
        match rest.rsplit_once('@').map(|(path, number)| (path, number.parse())) {
            Some((path, Ok(index))) => (path, Some(Select::Index(index))),
            _ => (rest, None),
        }
    };
    if path.is_empty() {
        return Err(bad(text, "names no path"));
    }
    Ok((path.into(), select))
}

fn bad(text: &str, why: &str) -> Failure {
    Failure::new(
        Code::BadTarget,
        format!("the target `{}` {why}", text::escape(text.as_bytes())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(text: &str) -> Kind {
        text.parse::<Target>().unwrap().kind
    }

    fn advice(text: &str) -> String {
        let failure = match text.parse::<Target>() {
            Err(failure)
            | Ok(Target {
                kind: Kind::Word(_, Err(failure)),
                ..
            }) => failure,
            Ok(target) => panic!("{target:?}"),
        };
        assert_eq!(failure.code, Code::BadTarget);
        failure.advice.unwrap_or_default()
    }

    #[test]
    fn references_and_words() {
        for text in [
            "nginx",
            "docker:27",
            "oci",
            "root:1",
            "registry:5000/x",
            "ghcr.io/a/b:1",
            "podman:latest",
        ] {
            let Kind::Word(path, reference) = kind_of(text) else {
                panic!("{text}")
            };
            assert_eq!((path, reference.unwrap()), (text.into(), text.parse().unwrap()));
        }
        assert_eq!(
            kind_of("docker://nginx"),
            Kind::Registry("nginx".parse().unwrap())
        );
    }

    #[test]
    fn paths() {
        for text in ["/a.tar", "./a", "../a", "."] {
            assert_eq!(kind_of(text), Kind::Path(text.into()));
        }
        assert_eq!(kind_of("-"), Kind::Stdin);
        assert_eq!(kind_of("rootfs:/"), Kind::Rootfs("/".into()));
        assert_eq!(kind_of("docker-daemon:a:1"), Kind::DockerDaemon("a:1".into()));
    }

    #[test]
    fn selections() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let by_digest = Some(Select::Digest(digest.parse().unwrap()));
        for (text, path, select) in [
            ("oci:d".to_owned(), "d", None),
            ("oci:d:1.0".into(), "d", Some(Select::Name("1.0".into()))),
            (format!("oci:/d@{digest}"), "/d", by_digest.clone()),
            (format!("oci:/d:1.0@{digest}"), "/d", by_digest),
        ] {
            assert_eq!(kind_of(&text), Kind::OciLayout(path.into(), select));
        }
        for (text, path, select) in [
            ("docker-archive:a.tar", "a.tar", None),
            (
                "docker-archive:a.tar:nginx:1",
                "a.tar",
                Some(Select::Name("nginx:1".into())),
            ),
            ("docker-archive:a.tar@1", "a.tar", Some(Select::Index(1))),
            ("docker-archive:a.tar:@1", "a.tar", Some(Select::Index(1))),
            ("docker-archive:a@b.tar", "a@b.tar", None),
        ] {
            assert_eq!(kind_of(text), Kind::DockerArchive(path.into(), select));
        }
        assert!(matches!(kind_of("oci-archive:a.tar:x"), Kind::OciArchive(..)));
    }

    #[test]
    fn what_is_nearly_right_names_the_nearest() {
        assert!(advice("docker-archve:a.tar").contains("docker-archive:"));
        assert!(advice("oci-archiv:a.tar").contains("oci-archive:"));
        assert!(advice("docker-deamon:a").contains("docker-daemon:"));
        assert!(advice("rootf:/x").contains("rootfs:"));
        assert!(advice("oci-dir:/x").contains("oci:DIR"));
        assert!(advice("https://ghcr.io/a/b").contains("without https://"));
        for text in ["", "oci:", "rootfs:", "oci:x:@y", "docker-daemon:"] {
            advice(text);
        }
    }
}
