//! A listing is what a layout or archive says of its images: `index.json` (OCI), `manifest.json` (Docker), or both.

mod docker;
mod oci;

use super::{Found, Options, PlatformChoice, files::Files};
use crate::{
    failure::{self, Code, Failure},
    image::{Digest, Image},
    reference::Reference,
    target::Select,
    text,
};

/// Which listing the user's word for the target promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Oci,
    Docker,
    Any,
}

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// As the user wrote it.
    pub(crate) text: String,
    /// The archive's or directory's name without extension, for images without a name.
    pub(crate) stem: String,
    pub(crate) form: Form,
    pub(crate) select: Option<Select>,
}

/// One thing listed: an image, or one for several platforms.
struct Candidate {
    /// Names and tags given to it.
    names: Vec<String>,
    /// Digest of its manifest or index.
    root: Option<Digest>,
    /// Its place in `manifest.json`.
    place: Option<usize>,
    found: Vec<Found>,
}

/// Paths that show an OCI layout, and a Docker archive.
pub(crate) const OCI_MARKS: [&str; 2] = ["oci-layout", "index.json"];
pub(crate) const DOCKER_MARK: &str = "manifest.json";

/// The images listed in `files` that were asked for.
///
/// # Errors
/// `NotAnImage` without a listing of the promised form, `NotFound` if nothing has the name asked for, and whatever is
/// wrong with a listing itself.
pub(crate) fn images(files: &dyn Files, asked: &Asked, options: &Options) -> failure::Result<Vec<Found>> {
    let oci = oci::candidates(files, asked, options)?;
    let docker = docker::candidates(files, asked, options)?;
    if oci.is_none() && asked.form == Form::Oci || docker.is_none() && asked.form == Form::Docker {
        let (word, file) = match asked.form {
            Form::Docker => ("docker-archive", DOCKER_MARK),
            _ => ("oci", "index.json"),
        };
        return Err(
            Failure::new(Code::NotAnImage, format!("there is no {file}, as {word} has it"))
                .advise("name the path alone, and what is there is looked at"),
        );
    }
    if oci.is_none() && docker.is_none() {
        return Err(nothing_listed());
    }
    let mut candidates = oci.unwrap_or_default();
    for candidate in docker.unwrap_or_default() {
        match candidates.iter_mut().find(|known| same(known, &candidate)) {
            Some(known) => {
                // What is in manifest.json are whole names, where index.json often has the tag alone.
                known.names.splice(0..0, candidate.names);
                known.place = known.place.or(candidate.place);
            }
            None => candidates.push(candidate),
        }
    }
    if candidates.is_empty() {
        // Nothing to judge must never look like nothing to find.
        return Err(Failure::new(Code::NotAnImage, "no image is listed here"));
    }
    let chosen = select(candidates, asked)?;
    Ok(without_the_rest(
        chosen
            .into_iter()
            .flat_map(|candidate| named(candidate, asked))
            .collect(),
        options,
    ))
}

pub(crate) fn nothing_listed() -> Failure {
    Failure::new(
        Code::NotAnImage,
        "this holds neither index.json nor manifest.json",
    )
    .advise("if it is a root file system, write rootfs: before its name")
}

/// Whether both listings mean one image: equal configurations and equal blobs.
fn same(oci: &Candidate, docker: &Candidate) -> bool {
    let Some(Ok(image)) = docker.found.first() else {
        return false;
    };
    let blobs = |image: &Image| {
        image
            .layers
            .iter()
            .map(|layer| layer.blob.clone())
            .collect::<Vec<_>>()
    };
    oci.found
        .iter()
        .flatten()
        .any(|other| other.config == image.config && blobs(other) == blobs(image))
}

fn select(candidates: Vec<Candidate>, asked: &Asked) -> failure::Result<Vec<Candidate>> {
    let Some(select) = &asked.select else {
        return Ok(candidates);
    };
    let mut names: Vec<String> = candidates
        .iter()
        .flat_map(|candidate| &candidate.names)
        .map(|name| text::escape(name.as_bytes()))
        .collect();
    let chosen: Vec<Candidate> = candidates
        .into_iter()
        .enumerate()
        .filter(|(at, candidate)| match select {
            Select::Index(index) => candidate.place.unwrap_or(*at) == *index,
            Select::Name(name) => candidate.names.iter().any(|own| is_called(own, name)),
            Select::Digest(digest) => {
                candidate.root.as_ref() == Some(digest)
                    || candidate
                        .found
                        .iter()
                        .flatten()
                        .any(|image| image.digest.as_ref() == Some(digest))
            }
        })
        .map(|(_, candidate)| candidate)
        .collect();
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    names.truncate(20);
    let there = if names.is_empty() {
        "no image with a name".to_owned()
    } else {
        names.join(", ")
    };
    Err(Failure::new(
        Code::NotFound,
        format!("no image in it is the one asked for; it holds {there}"),
    )
    .advise("leave the part behind the path away to scan all of them"))
}

/// Whether `own`, a tag or a full name, is what the user means by `wanted`.
fn is_called(own: &str, wanted: &str) -> bool {
    own == wanted
        || own.rsplit_once(':').is_some_and(|(_, tag)| tag == wanted)
        || own.parse::<Reference>().is_ok_and(|own| {
            wanted
                .parse::<Reference>()
                .is_ok_and(|wanted| own.canonical() == wanted.canonical())
        })
}

/// Gives a candidate's images their names.
fn named(candidate: Candidate, asked: &Asked) -> Vec<Found> {
    let Candidate { names, found, .. } = candidate;
    let full = names
        .iter()
        .filter(|name| name.contains(['/', ':']))
        .find_map(|name| name.parse::<Reference>().ok());
    let tag = names
        .first()
        .map(|tag| format!("{}:{}", asked.stem, text::escape(tag.as_bytes())));
    let mut others = names
        .iter()
        .skip(1)
        .map(|name| text::escape(name.as_bytes()))
        .collect::<Vec<_>>();
    others.sort();
    others.dedup();
    let label = names
        .first()
        .map_or_else(String::new, |name| format!("[{}]", text::escape(name.as_bytes())));
    let one = |found: Found| match found {
        Ok(mut image) => {
            image.reference = full.as_ref().map(Reference::canonical).or_else(|| tag.clone());
            full.as_ref()
                .map_or(asked.stem.as_str(), Reference::name)
                .clone_into(&mut image.name);
            if !others.is_empty() {
                image.notes.push(format!("also named {}", others.join(", ")));
            }
            Ok(image)
        }
        Err((name, failure)) => Err((format!("{name}{label}"), failure)),
    };
    found.into_iter().map(one).collect()
}

/// Leaves out what is no image, or none for the platform asked for, if there is anything else; a note says so.
fn without_the_rest(found: Vec<Found>, options: &Options) -> Vec<Found> {
    let exact = matches!(options.platform, PlatformChoice::Exact(_));
    let beside = |found: &Found| match found {
        Ok(_) => false,
        Err((_, failure)) => match failure.code {
            Code::NotAnImage | Code::UnsupportedPlatform => true,
            Code::NoSuchPlatform => exact,
            _ => false,
        },
    };
    if found.iter().all(beside) {
        return found;
    }
    let (left_out, mut kept): (Vec<Found>, Vec<Found>) = found.into_iter().partition(beside);
    for (_, failure) in left_out.into_iter().filter_map(Result::err) {
        for image in kept.iter_mut().flatten() {
            image.notes.push(format!("beside it: {failure}"));
        }
    }
    kept
}

fn failed(asked: &Asked, place: impl std::fmt::Display, failure: Failure) -> Found {
    Err((asked.text.clone(), failure.at(place)))
}
