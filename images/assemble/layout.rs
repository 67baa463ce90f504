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

    /// Keeps `stored` and describes `described`: both are the same but in samples with a defect.
    pub(crate) fn put(&self, media_type: &str, stored: &[u8], described: &[u8]) -> Result<Descriptor> {
        let descriptor = Descriptor {
            media_type: media_type.to_owned(),
            digest: sha256(described),
            size: described.len() as u64,
        };
        let path = self.path(&sha256(stored));
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

    /// Whether the bytes of this digest are still there.
    pub(crate) fn has(&self, stored: &str) -> bool {
        self.path(stored).is_file()
    }

    fn path(&self, stored: &str) -> PathBuf {
        self.0.join(stored.trim_start_matches("sha256:"))
    }

    /// Writes a layout that names `top` in its index and holds `blobs`: the digest that names one, and the digest of what
    /// is stored for it.
    pub(crate) fn layout(&self, out: &Path, top: &Value, blobs: &[(&str, &str)]) -> Result<()> {
        let directory = out.join("blobs/sha256");
        if out.exists() {
            fs::remove_dir_all(out).map_err(context(out))?;
        }
        fs::create_dir_all(&directory).map_err(context(&directory))?;
        for (digest, stored) in blobs {
            let from = self.path(stored);
            let to = directory.join(digest.trim_start_matches("sha256:"));
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
