//! An OCI image layout on disk: `oci-layout`, `index.json` and blobs by digest (image-spec `image-layout.md`).

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Result, context};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// What a manifest says about a blob.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Descriptor {
    #[serde(rename = "mediaType")]
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
}

/// All blobs of all samples; layouts hold hard links to them.
#[derive(Debug)]
pub(crate) struct Blobs(PathBuf);

impl Blobs {
    pub(crate) fn new(directory: PathBuf) -> Result<Self> {
        fs::create_dir_all(&directory).map_err(context(&directory))?;
        Ok(Self(directory))
    }

    /// Keeps `stored` under the digest of `described`: both are the same but in samples with a defect.
    pub(crate) fn put(&self, media_type: &str, stored: &[u8], described: &[u8]) -> Result<Descriptor> {
        let descriptor = Descriptor {
            media_type: media_type.to_owned(),
            digest: sha256(described),
            size: described.len() as u64,
        };
        let path = self.0.join(Self::name(&descriptor, stored == described));
        // Written beside and renamed: another thread may be linking the same blob.
        let beside = path.with_extension(format!("{:?}", std::thread::current().id()));
        fs::write(&beside, stored).map_err(context(&beside))?;
        fs::rename(&beside, &path).map_err(context(&path))?;
        Ok(descriptor)
    }

    /// Keeps a JSON document.
    pub(crate) fn put_json(&self, media_type: &str, value: &Value) -> Result<Descriptor> {
        let text = serde_json::to_vec(value)?;
        self.put(media_type, &text, &text)
    }

    /// Whether the blob is still there.
    pub(crate) fn has(&self, descriptor: &Descriptor, damaged: bool) -> bool {
        self.0.join(Self::name(descriptor, !damaged)).is_file()
    }

    /// Blobs with a defect are kept apart: a sound sample may have the same digest.
    fn name(descriptor: &Descriptor, sound: bool) -> String {
        let hex = descriptor.digest.trim_start_matches("sha256:");
        if sound {
            hex.to_owned()
        } else {
            format!("{hex}-damaged")
        }
    }

    /// Writes a layout that holds `blobs` and names `top` in its index. `damaged` blobs take the place of sound ones.
    pub(crate) fn layout(&self, out: &Path, top: &Value, blobs: &[(Descriptor, bool)]) -> Result<()> {
        let directory = out.join("blobs/sha256");
        if out.exists() {
            fs::remove_dir_all(out).map_err(context(out))?;
        }
        fs::create_dir_all(&directory).map_err(context(&directory))?;
        for (descriptor, damaged) in blobs {
            let from = self.0.join(Self::name(descriptor, !damaged));
            let to = directory.join(Self::name(descriptor, true));
            if to.exists() {
                continue;
            }
            if fs::hard_link(&from, &to).is_err() {
                fs::copy(&from, &to).map_err(context(&from))?;
            }
        }
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [top] });
        let files = [
            ("oci-layout", json!({ "imageLayoutVersion": "1.0.0" })),
            ("index.json", index),
        ];
        for (name, value) in files {
            let path = out.join(name);
            fs::write(&path, serde_json::to_vec_pretty(&value)?).map_err(context(&path))?;
        }
        Ok(())
    }
}

/// A digest as manifests write it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in digest(&SHA256, bytes).as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
