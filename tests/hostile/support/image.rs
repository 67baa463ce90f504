//! Images around hostile layers and texts: honest in everything that a case does not change.

use std::{collections::BTreeMap, fs, path::Path};

use aws_lc_rs::digest;

use super::{
    elf,
    tar::{Head, Tar},
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const TAR: &str = "application/vnd.oci.image.layer.v1.tar";

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = "sha256:".to_owned();
    for byte in digest::digest(&digest::SHA256, bytes).as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// One layer as a manifest lists it.
#[derive(Clone)]
pub(crate) struct Layer {
    /// The blob; not written when empty and `absent`.
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: String,
    pub(crate) diff_id: String,
    pub(crate) size: String,
    pub(crate) media_type: String,
    /// More members of the descriptor, as text: `,"urls":[…]`.
    pub(crate) more: String,
    pub(crate) absent: bool,
}

impl Layer {
    /// A plain tar.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let digest = sha256(&bytes);
        Self {
            size: bytes.len().to_string(),
            diff_id: digest.clone(),
            digest,
            media_type: TAR.to_owned(),
            more: String::new(),
            absent: false,
            bytes,
        }
    }

    /// A compressed tar; its diff ID is only right if the case says so.
    pub(crate) fn packed(bytes: Vec<u8>, media_type: &str) -> Self {
        Self {
            media_type: format!("{TAR}+{media_type}"),
            ..Self::new(bytes)
        }
    }
}

/// A layer with the one program of an honest image.
pub(crate) fn honest() -> Tar {
    Tar::default().file("app", &elf::server())
}

type Edit = Box<dyn Fn(String) -> Vec<u8>>;

/// An image in the making: one honest layer first.
pub(crate) struct Image {
    pub(crate) layers: Vec<Layer>,
    pub(crate) user: String,
    edit_config: Option<Edit>,
    edit_manifest: Option<Edit>,
    edit_index: Option<Edit>,
}

impl Default for Image {
    fn default() -> Self {
        Self::of(vec![Layer::new(honest().end())])
    }
}

impl Image {
    pub(crate) fn of(layers: Vec<Layer>) -> Self {
        Self {
            layers,
            user: "65532:65532".to_owned(),
            edit_config: None,
            edit_manifest: None,
            edit_index: None,
        }
    }

    /// An honest image with one more layer.
    pub(crate) fn with(layer: Layer) -> Self {
        let mut image = Self::default();
        image.layers.push(layer);
        image
    }

    /// The same whose second layer is this tar.
    pub(crate) fn with_tar(tar: Vec<u8>) -> Self {
        Self::with(Layer::new(tar))
    }

    pub(crate) fn user(mut self, user: &str) -> Self {
        user.clone_into(&mut self.user);
        self
    }

    pub(crate) fn config(mut self, edit: impl Fn(String) -> Vec<u8> + 'static) -> Self {
        self.edit_config = Some(Box::new(edit));
        self
    }

    pub(crate) fn manifest(mut self, edit: impl Fn(String) -> Vec<u8> + 'static) -> Self {
        self.edit_manifest = Some(Box::new(edit));
        self
    }

    pub(crate) fn index(mut self, edit: impl Fn(String) -> Vec<u8> + 'static) -> Self {
        self.edit_index = Some(Box::new(edit));
        self
    }

    pub(crate) fn config_bytes(&self) -> Vec<u8> {
        let diff_ids: Vec<String> = self
            .layers
            .iter()
            .map(|layer| format!("\"{}\"", layer.diff_id))
            .collect();
        let text = format!(
            r#"{{"architecture":"amd64","os":"linux","config":{{"User":"{}","Entrypoint":["/app"]}},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
            self.user,
            diff_ids.join(",")
        );
        edited(self.edit_config.as_ref(), text)
    }

    pub(crate) fn manifest_bytes(&self) -> Vec<u8> {
        let config = self.config_bytes();
        let layers: Vec<String> = self
            .layers
            .iter()
            .map(|layer| {
                format!(
                    r#"{{"mediaType":"{}","digest":"{}","size":{}{}}}"#,
                    layer.media_type, layer.digest, layer.size, layer.more
                )
            })
            .collect();
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"{CONFIG}","digest":"{}","size":{}}},"layers":[{}]}}"#,
            sha256(&config),
            config.len(),
            layers.join(",")
        );
        edited(self.edit_manifest.as_ref(), text)
    }

    /// The files of an OCI layout.
    pub(crate) fn files(&self) -> Files {
        let mut files = Files::default();
        for layer in &self.layers {
            if !layer.absent {
                files.named(&layer.digest, layer.bytes.clone());
            }
        }
        files.blob(self.config_bytes());
        let manifest = self.manifest_bytes();
        let text = format!(
            r#"{{"schemaVersion":2,"manifests":[{}]}}"#,
            descriptor(MANIFEST, &manifest)
        );
        files.blob(manifest);
        files.set("index.json", edited(self.edit_index.as_ref(), text));
        files.set("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec());
        files
    }

    /// The members of what `docker save` wrote before version 25.
    pub(crate) fn docker(&self) -> Vec<(String, Vec<u8>)> {
        let config = self.config_bytes();
        let hex = sha256(&config).split_off("sha256:".len());
        let mut members = vec![(format!("{hex}.json"), config)];
        let mut names = Vec::new();
        for (at, layer) in self.layers.iter().enumerate() {
            let name = format!("layer{at}/layer.tar");
            names.push(format!("\"{name}\""));
            members.push((name, layer.bytes.clone()));
        }
        let list = format!(
            r#"[{{"Config":"{hex}.json","RepoTags":["app:1"],"Layers":[{}]}}]"#,
            names.join(",")
        );
        members.push(("manifest.json".to_owned(), list.into_bytes()));
        members
    }
}

fn edited(edit: Option<&Edit>, text: String) -> Vec<u8> {
    match edit {
        Some(edit) => edit(text),
        None => text.into_bytes(),
    }
}

/// A descriptor of `bytes`.
pub(crate) fn descriptor(media_type: &str, bytes: &[u8]) -> String {
    format!(
        r#"{{"mediaType":"{media_type}","digest":"{}","size":{}}}"#,
        sha256(bytes),
        bytes.len()
    )
}

/// Members of a tar, in order.
pub(crate) fn archive(members: &[(String, Vec<u8>)]) -> Tar {
    members.iter().fold(Tar::default(), |tar, (name, bytes)| {
        tar.member(Head::new(b'0', name, bytes.len() as u64), bytes)
    })
}

/// The files of a layout.
#[derive(Clone, Default)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Vec<u8>>);

impl Files {
    pub(crate) fn set(&mut self, name: &str, bytes: Vec<u8>) {
        self.0.insert(name.to_owned(), bytes);
    }

    /// A blob under its own digest, which is returned.
    pub(crate) fn blob(&mut self, bytes: Vec<u8>) -> String {
        let digest = sha256(&bytes);
        self.named(&digest, bytes);
        digest
    }

    /// A blob under a digest that may be wrong.
    pub(crate) fn named(&mut self, digest: &str, bytes: Vec<u8>) {
        self.set(&format!("blobs/{}", digest.replacen(':', "/", 1)), bytes);
    }

    pub(crate) fn write(&self, directory: &Path) {
        for (name, bytes) in &self.0 {
            let path = directory.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    pub(crate) fn members(&self) -> Vec<(String, Vec<u8>)> {
        self.0.clone().into_iter().collect()
    }
}
