//! Files are what a layout or archive holds, wherever it lies: in a directory, in a tar file, in a stream that passed.

use crate::{failure, image::Digest, path::RootPath, source::verified};

/// Looks up what a layout or archive holds; links lead to its own files only.
pub(crate) trait Files {
    /// The content of a small file; `None` if there is none, `TooLarge` if it has more than `cap` bytes.
    fn read(&self, path: &RootPath, cap: u64) -> failure::Result<Option<Vec<u8>>>;

    /// The regular file at `path`, links followed; `None` if there is none.
    fn locate(&self, path: &RootPath) -> failure::Result<Option<RootPath>>;
}

/// Where a layout keeps a blob (image-spec `image-layout.md`).
pub(crate) fn blob_path(digest: &Digest) -> RootPath {
    RootPath::from(format!("blobs/{}", digest.to_string().replace(':', "/")).as_str())
}

/// The digest that a path of a layout promises; `None` if it is not a blob's path.
pub(crate) fn blob_digest(path: &RootPath) -> Option<Digest> {
    let path = std::str::from_utf8(path.as_bytes()).ok()?;
    let (algorithm, hex) = path.strip_prefix("blobs/")?.split_once('/')?;
    format!("{algorithm}:{hex}").parse().ok()
}

/// A blob of a layout, verified.
pub(crate) fn read_blob(
    files: &dyn Files,
    digest: &Digest,
    size: Option<u64>,
    cap: u64,
) -> failure::Result<Option<Vec<u8>>> {
    let Some(bytes) = files.read(&blob_path(digest), cap)? else {
        return Ok(None);
    };
    verified::check(&format!("blob {digest}"), &bytes, digest, size)?;
    Ok(Some(bytes))
}

/// The name under which a layer at `path` is opened: its digest if the path promises one, else the path.
pub(crate) fn blob_name(path: &RootPath) -> String {
    blob_digest(path).map_or_else(|| path.to_lossy(), |digest| digest.to_string())
}
