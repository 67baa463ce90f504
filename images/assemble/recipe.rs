//! A recipe says how a sample image is put together, and what a perfect scanner says about it.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

use crate::{Result, context};

/// One `image.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    /// One sentence: what this image stands for.
    pub(crate) about: String,
    /// The recipe whose layers and settings come first.
    pub(crate) base: Option<String>,
    /// `os/architecture`; the base's, or the machine's.
    pub(crate) platform: Option<String>,
    /// Recipes that become the children of a many-platform index; then nothing else is given.
    #[serde(default)]
    pub(crate) index: Vec<String>,
    /// Own layers, lowest first.
    #[serde(default, rename = "layer")]
    pub(crate) layers: Vec<LayerRecipe>,
    /// What the image's configuration says beyond the base's.
    #[serde(default)]
    pub(crate) config: ConfigRecipe,
    /// One verdict for each profile that is of interest.
    #[serde(default)]
    pub(crate) expect: Vec<Expect>,
}

/// One layer. With `style = "distroless"` each package becomes a layer of its own before it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LayerRecipe {
    /// The history line; without one the layer has no history, as in images that Bazel builds.
    pub(crate) instruction: Option<String>,
    /// Debian packages to unpack: `libc6`, `busybox-static:arm64`.
    pub(crate) packages: Vec<String>,
    /// What is written beside the packages' files.
    pub(crate) style: Style,
    /// If given, only these paths of the packages (and what lies below them).
    pub(crate) only: Vec<String>,
    /// Not these paths of the packages (nor what lies below them).
    pub(crate) without: Vec<String>,
    /// Directories and their modes.
    pub(crate) dirs: BTreeMap<String, String>,
    /// Files and their text; mode 0644 unless `attributes` says more.
    pub(crate) files: BTreeMap<String, String>,
    /// Files and where they come from: see [`crate::programs`]. Mode 0755, or what it is in the package.
    pub(crate) copy: BTreeMap<String, String>,
    /// Everything that another recipe's image shows, as `COPY --from=NAME / /` takes it.
    pub(crate) copy_all: Option<String>,
    /// Archives, after `copy`: later ones may hold earlier ones.
    pub(crate) archives: Vec<ArchiveRecipe>,
    /// Adds the shared libraries that the machine's loader finds for the files that `copy` names.
    pub(crate) libraries: bool,
    /// Symbolic links and their targets.
    pub(crate) links: BTreeMap<String, String>,
    /// Hard links and their targets in the same layer.
    pub(crate) hard_links: BTreeMap<String, String>,
    /// Many symbolic links to one program.
    pub(crate) applets: Vec<Applets>,
    /// Device files, mode 0600: `b 8:0` for a block device, `c 1:3` for a character device.
    pub(crate) devices: BTreeMap<String, String>,
    /// Mode, owner and capability of paths that one of the keys above made.
    pub(crate) attributes: BTreeMap<String, Attributes>,
    /// Paths of lower layers that are hidden, by `.wh.` markers.
    pub(crate) delete: Vec<String>,
    /// Directories whose lower content is hidden, by `.wh..wh..opq` markers.
    pub(crate) opaque: Vec<String>,
    /// How the tar is stored.
    pub(crate) compression: Compression,
    /// A defect to put in on purpose.
    pub(crate) damage: Option<Damage>,
}

/// What goes with packages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Style {
    /// The files alone.
    #[default]
    Plain,
    /// A layer for each package, with `/var/lib/dpkg/status.d`.
    Distroless,
    /// The files alone, those of `/bin` and `/lib` below `/usr`, for a base that has them there.
    Merged,
    /// As `merged`, all in one layer, with `/var/lib/dpkg/status` and `info`.
    Debian,
}

/// How a layer is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Compression {
    #[default]
    Gzip,
    Zstd,
    None,
}

/// A defect of a layer's blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Damage {
    /// The compressed stream stops half-way; its digest is right.
    CutStream,
    /// The blob's file is shorter than the manifest says.
    CutBlob,
    /// One byte of the blob's file is another: its digest is wrong.
    ChangedByte,
}

/// Many links to one program.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Applets {
    /// Where the links lie.
    pub(crate) dir: String,
    /// What they all point to.
    pub(crate) target: String,
    /// Their names, separated by blanks.
    pub(crate) names: String,
}

/// One archive: zip, or by the end of its path a compressed tar.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ArchiveRecipe {
    /// Where it lies.
    pub(crate) path: String,
    /// Members and their text.
    pub(crate) files: BTreeMap<String, String>,
    /// Members and where they come from, as in a layer, or `layer:/PATH`, a file that the layer has already.
    pub(crate) copy: BTreeMap<String, String>,
    /// A program that the archive stands behind, from such a place.
    pub(crate) behind: Option<String>,
}

/// What a file carries besides its content.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Attributes {
    /// Octal.
    pub(crate) mode: Option<String>,
    /// `uid:gid`.
    pub(crate) owner: Option<String>,
    /// Names without `cap_`, permitted and effective: `["net_raw"]`.
    pub(crate) capabilities: Vec<String>,
}

/// The image's configuration, as a Dockerfile would set it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ConfigRecipe {
    pub(crate) user: Option<String>,
    pub(crate) entrypoint: Option<Command>,
    pub(crate) cmd: Option<Command>,
    pub(crate) healthcheck: Option<Command>,
    pub(crate) env: Vec<String>,
    pub(crate) working_dir: Option<String>,
    pub(crate) expose: Vec<String>,
    pub(crate) volumes: Vec<String>,
    pub(crate) labels: BTreeMap<String, String>,
}

/// A list is exec form; a text is shell form, which builders write as `/bin/sh -c text`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Command {
    Exec(Vec<String>),
    Shell(String),
}

/// What a perfect scanner says; `images/README.md` explains each key. The assembler only checks the form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expect {
    profile: String,
    platform: Option<String>,
    exit: Option<u8>,
    grade: Option<String>,
    at_least: Option<String>,
    at_best: Option<String>,
    incomplete: bool,
    findings: Vec<ExpectedFinding>,
    absent: Vec<ExpectedFinding>,
    residue: Vec<String>,
    none: bool,
    no_other_deny: bool,
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            profile: "distroless".to_owned(),
            platform: None,
            exit: None,
            grade: None,
            at_least: None,
            at_best: None,
            incomplete: false,
            findings: Vec::new(),
            absent: Vec::new(),
            residue: Vec::new(),
            none: false,
            no_other_deny: false,
        }
    }
}

/// A finding, by as much as is worth saying.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read by the test that compares; here the form is checked"
)]
pub(crate) struct ExpectedFinding {
    rule: String,
    path: Option<String>,
    subject: Option<String>,
    name: Option<String>,
    level: Option<String>,
}

impl Recipe {
    /// Reads `directory/image.toml`; also gives its text, which is part of what the result depends on.
    pub(crate) fn load(directory: &Path) -> Result<(Self, String)> {
        let path = directory.join("image.toml");
        let text = std::fs::read_to_string(&path).map_err(context(&path))?;
        let recipe: Self = toml::from_str(&text).map_err(context(&path))?;
        if recipe.expect.is_empty() {
            return Err(format!("{}: no [[expect]]: say what a scanner must find", path.display()).into());
        }
        if !recipe.index.is_empty() && (recipe.base.is_some() || !recipe.layers.is_empty()) {
            return Err(format!("{}: an index has neither base nor layers", path.display()).into());
        }
        Ok((recipe, text))
    }

    /// Recipes that have to be assembled first.
    pub(crate) fn needs(&self) -> impl Iterator<Item = &String> {
        let copied = self.layers.iter().filter_map(|layer| layer.copy_all.as_ref());
        self.base.iter().chain(&self.index).chain(copied)
    }

    /// Every package named anywhere in it, also those that single programs are taken from.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().flat_map(|layer| {
            let whole = layer.packages.iter().map(String::as_str);
            let archived = layer
                .archives
                .iter()
                .flat_map(|archive| archive.copy.values().chain(&archive.behind));
            let copied = layer.copy.values().chain(archived);
            whole.chain(copied.filter_map(|source| crate::programs::package_of(source)))
        })
    }
}
