//! umoci unpacks an image layout as a runtime would: the referee for what scant says a container sees.

use std::{
    collections::BTreeMap,
    fs::{self, Metadata},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt},
    },
    path::Path,
    process::Command,
};

use scant::path::RootPath;

/// What lies at one path of an unpacked image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// `file`, `directory`, `link to …`, `named pipe`, `character device 1:3` or `block device 8:0`.
    pub(crate) kind: String,
    /// The low 12 bits; 0 for a symbolic link, whose mode means nothing.
    pub(crate) mode: u32,
    /// `None` where the unpacker could not set owners.
    pub(crate) owner: Option<(u64, u64)>,
    /// Bytes of a file.
    pub(crate) size: u64,
    /// Raw `security.capability`; `None` also where the unpacker could not set it.
    pub(crate) capability: Option<Vec<u8>>,
    /// Paths that are the same inode have the same first path here.
    pub(crate) first: RootPath,
}

/// Everything below the root of one unpacked image.
pub(crate) type Listing = BTreeMap<RootPath, Seen>;

/// Whether unpacking sets owners and capabilities: only root can.
pub(crate) fn privileged() -> bool {
    let own = tempfile::tempfile().expect("a temporary file");
    own.metadata().expect("metadata").uid() == 0
}

/// Unpacks the image named `latest` of a layout and lists it.
pub(crate) fn unpack(layout: &Path) -> Listing {
    try_unpack(layout).unwrap_or_else(|why| panic!("umoci unpack failed: {why}"))
}

/// The same of an image that umoci may refuse: then what it says.
pub(crate) fn try_unpack(layout: &Path) -> Result<Listing, String> {
    let bundle = tempfile::tempdir().expect("a temporary directory");
    let to = bundle.path().join("rootfs");
    let mut umoci = Command::new("umoci");
    umoci
        .args(["raw", "unpack", "--image"])
        .arg(format!("{}:latest", layout.display()));
    if !privileged() {
        umoci.arg("--rootless");
    }
    let done = umoci
        .arg(&to)
        .output()
        .expect("umoci cannot be started: install the package umoci");
    if done.status.success() {
        Ok(list(&to))
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

/// What a file is that is no regular one.
fn special(metadata: &Metadata) -> Option<String> {
    let device = |sort: &str| {
        let number = metadata.rdev();
        format!(
            "{sort} device {}:{}",
            rustix::fs::major(number),
            rustix::fs::minor(number)
        )
    };
    let kind = metadata.file_type();
    match () {
        () if kind.is_char_device() => Some(device("character")),
        () if kind.is_block_device() => Some(device("block")),
        () if kind.is_fifo() => Some("named pipe".to_owned()),
        () => None,
    }
}

/// Everything below a directory.
pub(crate) fn list(root: &Path) -> Listing {
    let privileged = privileged();
    let mut listing = Listing::new();
    let mut names: BTreeMap<u64, Vec<RootPath>> = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).expect("readable") {
            let path = entry.expect("an entry").path();
            let at = RootPath::clean(
                path.strip_prefix(root)
                    .expect("below the root")
                    .as_os_str()
                    .as_bytes(),
            );
            let metadata = fs::symlink_metadata(&path).expect("metadata");
            let kind = if metadata.is_dir() {
                waiting.push(path.clone());
                "directory".to_owned()
            } else if metadata.is_symlink() {
                let target = fs::read_link(&path).expect("a link");
                format!("link to {}", target.display())
            } else {
                special(&metadata).unwrap_or_else(|| "file".to_owned())
            };
            let seen = Seen {
                mode: if metadata.is_symlink() {
                    0
                } else {
                    metadata.mode() & 0o7777
                },
                owner: privileged.then(|| (metadata.uid().into(), metadata.gid().into())),
                size: if metadata.is_file() { metadata.len() } else { 0 },
                capability: capability(&path),
                first: at.clone(),
                kind,
            };
            names.entry(metadata.ino()).or_default().push(at.clone());
            listing.insert(at, seen);
        }
    }
    for paths in names.values() {
        let first = paths.iter().min().expect("an inode has a name");
        for path in paths {
            listing.get_mut(path).expect("listed").first = first.clone();
        }
    }
    listing
}

fn capability(path: &Path) -> Option<Vec<u8>> {
    let mut value = [0_u8; 64];
    let length = rustix::fs::lgetxattr(path, "security.capability", &mut value[..]).ok()?;
    value.get(..length).map(<[u8]>::to_vec)
}
