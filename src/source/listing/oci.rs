//! `index.json` lists the images of an OCI layout (image-spec `image-layout.md`).

use super::{Asked, Candidate, failed};
use crate::{
    failure::{self, Code, Failure},
    image::Digest,
    limits::Limits,
    path::RootPath,
    source::{
        Found, Options,
        files::{Files, read_blob},
        index::{self, Manifests, Names},
        manifest::{self, Descriptor, Document},
    },
};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// All that `index.json` lists, each by itself; `None` without that file.
pub(super) fn candidates(
    files: &dyn Files,
    asked: &Asked,
    options: &Options,
) -> failure::Result<Option<Vec<Candidate>>> {
    let limits = &options.limits;
    let Some(bytes) = files.read(&RootPath::from("index.json"), limits.manifest)? else {
        return Ok(None);
    };
    let mut notes = Vec::new();
    let document =
        manifest::parse(&bytes, Some(INDEX), limits, &mut notes).map_err(|f| f.at("index.json"))?;
    let Document::Index(children) = document else {
        return Err(Failure::new(Code::Corrupt, "index.json is not an index"));
    };
    let mut candidates: Vec<Candidate> = Vec::new();
    for child in children {
        let known = candidates
            .iter_mut()
            .find(|candidate| candidate.root.as_ref() == Some(&child.digest));
        if let Some(known) = known {
            known.names.extend(child.names);
        } else {
            let mut found = resolve(files, asked, options, &child);
            for image in found.iter_mut().flatten() {
                image.notes.extend(notes.iter().cloned());
            }
            candidates.push(Candidate {
                names: child.names,
                root: Some(child.digest),
                place: None,
                found,
            });
        }
    }
    Ok(Some(candidates))
}

fn resolve(files: &dyn Files, asked: &Asked, options: &Options, child: &Descriptor) -> Vec<Found> {
    let store = Layout {
        files,
        limits: &options.limits,
    };
    let names = Names {
        target: asked.text.clone(),
        reference: None,
        name: asked.stem.clone(),
    };
    let media_type = Some(child.media_type.as_str()).filter(|media_type| !media_type.is_empty());
    match &child.data {
        Some(data) => Ok(data.clone()),
        None => store.manifest(&child.digest, child.size),
    }
    .and_then(|bytes| index::images(&bytes, &child.digest, media_type, &store, &names, options))
    .unwrap_or_else(|failure| vec![failed(asked, &child.digest, failure)])
}

/// A layout's blobs as manifests and configurations.
struct Layout<'a> {
    files: &'a dyn Files,
    limits: &'a Limits,
}

impl Layout<'_> {
    fn blob(&self, what: &str, digest: &Digest, size: Option<u64>, cap: u64) -> failure::Result<Vec<u8>> {
        read_blob(self.files, digest, size, cap)?.ok_or_else(|| {
            Failure::new(
                Code::NotFound,
                format!("the {what} {digest} is listed but not there"),
            )
        })
    }
}

impl Manifests for Layout<'_> {
    fn manifest(&self, digest: &Digest, size: Option<u64>) -> failure::Result<Vec<u8>> {
        self.blob("manifest", digest, size, self.limits.manifest)
    }

    fn config(&self, digest: &Digest, size: Option<u64>) -> failure::Result<Vec<u8>> {
        self.blob("configuration", digest, size, self.limits.config)
    }
}
