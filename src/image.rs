//! The nouns of a container image: digest, platform, layer, configuration, image.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Algorithm of a [`Digest`] (image-spec `descriptor.md`, "Registered algorithms").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// SHA-256: 64 hex digits.
    Sha256,
    /// SHA-512: 128 hex digits.
    Sha512,
}

/// A content digest, `sha256:` or `sha512:` and lower-case hex. Anything else is refused, never "unchecked".
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest {
    algorithm: Algorithm,
    hex: Box<str>,
}

impl Digest {
    /// A digest from the raw bytes of a hash, 32 or 64 of them.
    pub fn of_hash(algorithm: Algorithm, hash: &[u8]) -> Self {
        Self {
            algorithm,
            hex: crate::text::hex(hash).into(),
        }
    }

    /// Which hash made it.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The hex digits after the colon.
    pub fn hex(&self) -> &str {
        &self.hex
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shown = crate::text::escape(text.as_bytes());
        let (name, hex) = text
            .split_once(':')
            .ok_or_else(|| format!("`{shown}` is not a digest"))?;
        let (algorithm, length) = match name {
            "sha256" => (Algorithm::Sha256, 64),
            "sha512" => (Algorithm::Sha512, 128),
            _ => return Err(format!("digest `{shown}` is neither sha256 nor sha512")),
        };
        if hex.len() != length || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(format!(
                "digest `{shown}` does not have {length} lower-case hex digits"
            ));
        }
        Ok(Self {
            algorithm,
            hex: hex.into(),
        })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.algorithm {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
        };
        write!(f, "{name}:{}", self.hex)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// An operating system and processor, `os/arch[/variant]`, in the spelling of Go's `GOOS` and `GOARCH`.
///
/// Construction normalises as containerd does: `aarch64` is `arm64`, `x86_64` is `amd64`, `armhf` is `arm/v7`, and the
/// default variants `arm64/v8`, `arm/v7` and `amd64/v1` are dropped, so that equal platforms compare equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`, `windows`, …
    pub os: String,
    /// `amd64`, `arm64`, …
    pub arch: String,
    /// `v6`, `v3`, …; `None` for the architecture's default.
    pub variant: Option<String>,
}

impl Platform {
    /// A platform from its parts, normalised.
    pub fn new(os: &str, arch: &str, variant: Option<&str>) -> Self {
        let lower = arch.to_ascii_lowercase();
        let (arch, implied) = match lower.as_str() {
            "aarch64" => ("arm64", None),
            "x86_64" | "x86-64" => ("amd64", None),
            "i386" => ("386", None),
            "armhf" => ("arm", Some("v7")),
            "armel" => ("arm", Some("v6")),
            other => (other, None),
        };
        let variant = variant
            .filter(|v| !v.is_empty())
            .or(implied)
            .map(str::to_ascii_lowercase);
        let variant = variant.filter(|v| {
            !matches!(
                (arch, v.as_str()),
                ("arm64", "v8" | "8") | ("arm", "v7" | "7") | ("amd64", "v1")
            )
        });
        Self {
            os: os.to_ascii_lowercase(),
            arch: arch.to_owned(),
            variant,
        }
    }

    /// The platform of the machine scant runs on, as a container on it would be: always Linux.
    pub fn host() -> Self {
        Self::new("linux", std::env::consts::ARCH, None)
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts[..] {
            [os, arch] if !os.is_empty() && !arch.is_empty() => Ok(Self::new(os, arch, None)),
            [os, arch, variant] if ![os, arch, variant].contains(&"") => {
                Ok(Self::new(os, arch, Some(variant)))
            }
            _ => Err(format!(
                "`{}` is not a platform: write os/arch or os/arch/variant, such as linux/arm64",
                crate::text::escape(text.as_bytes())
            )),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}",
            crate::text::escape(self.os.as_bytes()),
            crate::text::escape(self.arch.as_bytes())
        )?;
        match &self.variant {
            Some(variant) => write!(f, "/{}", crate::text::escape(variant.as_bytes())),
            None => Ok(()),
        }
    }
}

/// One layer of an image: what is said of its blob before a byte of it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Digest of the blob as stored; `None` where the source has none (old archives, root directories).
    pub digest: Option<Digest>,
    /// Digest of the uncompressed bytes, from the configuration.
    pub diff_id: Option<Digest>,
    /// Stated size of the blob in bytes.
    pub size: Option<u64>,
    /// Stated media type; a hint only, since contents are sniffed.
    pub media_type: Option<String>,
    /// The name under which the layer's source opens it. Two layers with equal names hold equal bytes.
    pub blob: String,
}

/// One line of an image's history (image-spec `config.md`, "history"). Written by the builder, so a hint, never a fact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The command that made the layer.
    pub created_by: Option<String>,
    /// Free text; builders put their name here.
    pub comment: Option<String>,
    /// Whether the builder says that no layer belongs to this line.
    pub empty_layer: bool,
}

/// What a container of this image is started with (image-spec `config.md`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// `User` as written; empty when unset.
    pub user: String,
    /// `Entrypoint`; empty when unset.
    pub entrypoint: Vec<String>,
    /// `Cmd`; empty when unset.
    pub cmd: Vec<String>,
    /// `Env`, in order, as written: `NAME=value`. Values may be secret and are never shown.
    pub env: Vec<String>,
    /// `WorkingDir`; empty means `/`.
    pub working_dir: String,
    /// `ExposedPorts`, sorted.
    pub exposed_ports: Vec<String>,
    /// `Volumes`, sorted.
    pub volumes: Vec<String>,
    /// `Labels`.
    pub labels: BTreeMap<String, String>,
    /// `Healthcheck.Test`: `["CMD", …]`, `["CMD-SHELL", …]`, `["NONE"]`; empty when unset.
    pub healthcheck: Vec<String>,
    /// Digests of the uncompressed layers, base first.
    pub diff_ids: Vec<Digest>,
    /// The builder's account of how the image was made.
    pub history: Vec<History>,
}

impl ImageConfig {
    /// Whether the container starts through a shell: what a Dockerfile's shell form becomes, `/bin/sh -c …`.
    pub fn shell_form(&self) -> bool {
        let command = if self.entrypoint.is_empty() {
            &self.cmd
        } else {
            &self.entrypoint
        };
        let [program, flag, ..] = &command[..] else {
            return false;
        };
        let name = program.rsplit('/').next().unwrap_or(program);
        matches!(name, "sh" | "ash" | "bash" | "dash" | "ksh" | "zsh")
            && flag.starts_with('-')
            && flag.ends_with('c')
    }

    /// The names of the environment variables, in order, without their values.
    pub fn env_names(&self) -> impl Iterator<Item = &str> {
        self.env
            .iter()
            .map(|line| line.split_once('=').map_or(line.as_str(), |(name, _)| name))
    }
}

/// One image for one platform: what its source says of it, before any layer was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// What the user asked for, as written.
    pub target: String,
    /// Canonical name without digest, such as `docker.io/library/nginx:1.27`; `None` where the source names none.
    pub reference: Option<String>,
    /// Repository without registry host, tag and digest, or an archive's or directory's stem: stable over builds.
    pub name: String,
    /// Digest of the image manifest; `None` where the source has no manifest.
    pub digest: Option<Digest>,
    /// Digest of the index the image was chosen from.
    pub index_digest: Option<Digest>,
    /// The platform, by the configuration; `None` for a bare root file system.
    pub platform: Option<Platform>,
    /// The configuration; `None` for a bare root file system, whose user and start-up are unknown.
    pub config: Option<ImageConfig>,
    /// The layers, base first.
    pub layers: Vec<Layer>,
    /// Platforms that the index also holds and that were not looked at.
    pub other_platforms: Vec<Platform>,
    /// Oddities that change no verdict.
    pub notes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_normalised() {
        for (text, want) in [
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("Linux/x86_64", "linux/amd64"),
            ("linux/x86-64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v2", "linux/amd64/v2"),
            ("linux/i386", "linux/386"),
            ("linux/arm/v7", "linux/arm"),
            ("linux/armhf", "linux/arm"),
            ("linux/armel", "linux/arm/v6"),
            ("linux/arm/v6", "linux/arm/v6"),
        ] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), want);
        }
        assert!("linux".parse::<Platform>().is_err() && "linux//v1".parse::<Platform>().is_err());
    }

    #[test]
    fn digests_are_strict() {
        let good = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(good.parse::<Digest>().unwrap().to_string(), good);
        for bad in [
            "",
            "sha256:",
            "md5:00",
            &good.to_uppercase(),
            &good.replace('0', "g"),
            &good[..70],
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
}
