//! `manifest.json` lists the images of what `docker save`, podman, kaniko and others write.

use super::{Asked, Candidate, DOCKER_MARK, failed};
use crate::{
    failure::{self, Code, Failure},
    image::{Image, Layer},
    path::RootPath,
    source::{
        Options, PlatformChoice,
        files::{Files, blob_digest, blob_name},
        json::{self, Value},
        manifest, verified,
    },
    text,
};

/// All that `manifest.json` lists; `None` without that file.
pub(super) fn candidates(
    files: &dyn Files,
    asked: &Asked,
    options: &Options,
) -> failure::Result<Option<Vec<Candidate>>> {
    let limits = &options.limits;
    let Some(bytes) = files.read(&RootPath::from(DOCKER_MARK), limits.manifest)? else {
        return Ok(None);
    };
    let root = json::parse(&bytes, DOCKER_MARK)?;
    let entries = root.list(DOCKER_MARK)?;
    if entries.len() > limits.descriptors {
        return Err(Failure::new(
            Code::TooLarge,
            format!(
                "{DOCKER_MARK} lists {} images (limit {})",
                entries.len(),
                limits.descriptors
            ),
        ));
    }
    let mut candidates = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let mut notes = Vec::new();
        let [config, tags, layers] =
            entry.fields(DOCKER_MARK, ["Config", "RepoTags", "Layers"], &mut notes)?;
        let (config, layers) = (config.text(DOCKER_MARK)?, layers.list(DOCKER_MARK)?);
        let found = image(files, asked, options, config, layers, notes)
            .or_else(|failure| failed(asked, format!("image {place} of {DOCKER_MARK}"), failure));
        candidates.push(Candidate {
            names: tags.texts(DOCKER_MARK)?,
            root: None,
            place: Some(place),
            found: vec![found],
        });
    }
    Ok(Some(candidates))
}

fn image(
    files: &dyn Files,
    asked: &Asked,
    options: &Options,
    config: &str,
    layers: &[Value],
    mut notes: Vec<String>,
) -> failure::Result<Image> {
    let limits = &options.limits;
    if layers.len() > limits.layers {
        return Err(Failure::new(
            Code::TooLarge,
            format!("{} layers (limit {})", layers.len(), limits.layers),
        ));
    }
    let path = RootPath::from(config);
    let bytes = files
        .read(&path, limits.config)?
        .ok_or_else(|| absent("configuration", config))?;
    check_name(&path, &bytes)?;
    let (platform, config) = manifest::parse_config(&bytes, limits, &mut notes)?;
    if let (PlatformChoice::Exact(wanted), Some(own)) = (&options.platform, &platform)
        && wanted != own
    {
        return Err(Failure::new(
            Code::NoSuchPlatform,
            format!("there is no image for {wanted}; there is {own}"),
        ));
    }
    if config.diff_ids.len() != layers.len() {
        return Err(Failure::new(
            Code::Corrupt,
            format!(
                "{} layers are listed, but the configuration names {}",
                layers.len(),
                config.diff_ids.len()
            ),
        ));
    }
    let layers = layers
        .iter()
        .zip(&config.diff_ids)
        .map(|(layer, diff_id)| {
            let name = layer.text("Layers of manifest.json")?;
            let path = files
                .locate(&RootPath::from(name))?
                .ok_or_else(|| absent("layer", name))?;
            Ok(Layer {
                digest: blob_digest(&path),
                diff_id: Some(diff_id.clone()),
                size: None,
                media_type: None,
                blob: blob_name(&path),
            })
        })
        .collect::<failure::Result<_>>()?;
    Ok(Image {
        target: asked.text.clone(),
        reference: None,
        name: asked.stem.clone(),
        digest: None,
        index_digest: None,
        platform,
        config: Some(config),
        layers,
        other_platforms: Vec::new(),
        notes,
    })
}

/// A configuration named by its hash, as in `HEX.json`, `sha256:HEX` and `blobs/sha256/HEX`, must have it.
fn check_name(path: &RootPath, bytes: &[u8]) -> failure::Result<()> {
    let name = String::from_utf8_lossy(path.name()).into_owned();
    let hex = name
        .strip_suffix(".json")
        .or_else(|| name.strip_prefix("sha256:"));
    let digest = blob_digest(path).or_else(|| format!("sha256:{}", hex?).parse().ok());
    match digest {
        Some(digest) => verified::check(&format!("the configuration {path}"), bytes, &digest, None),
        None => Ok(()),
    }
}

fn absent(what: &str, name: &str) -> Failure {
    Failure::new(
        Code::NotFound,
        format!(
            "the {what} `{}` is listed but not there",
            text::escape(name.as_bytes())
        ),
    )
}
