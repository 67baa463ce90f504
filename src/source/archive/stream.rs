//! An archive that passes once: small JSON is kept, layers are handed on as they come, and both are joined at the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    sync::atomic::Ordering,
};

use super::{
    ROOT_BLOB, is_root_mark,
    members::{Kind, Member, Members},
    packed, refuse_below, root_image, sparse, twice,
};
use crate::{
    failure::{self, Code, Failure},
    image::{Image, Layer},
    path::RootPath,
    source::{
        Found, Options, Stream,
        files::{Files, blob_digest, blob_name},
        listing::{self, Asked, DOCKER_MARK, Form, OCI_MARKS},
        no_layer, read_capped,
        verified::{self, Verified},
    },
};

type OnBlob<'a> = &'a mut dyn FnMut(&str, &mut (dyn Read + Send));

/// Standard input, a compressed archive, a daemon's answer.
pub(crate) struct ArchiveStream {
    reader: Box<dyn Read + Send>,
    asked: Asked,
    options: Options,
}

impl ArchiveStream {
    pub(crate) fn new(reader: Box<dyn Read + Send>, asked: Asked, options: Options) -> Self {
        Self {
            reader,
            asked,
            options,
        }
    }
}

impl Stream for ArchiveStream {
    fn run(self: Box<Self>, on_blob: OnBlob<'_>) -> failure::Result<Vec<Found>> {
        let Self {
            reader,
            asked,
            options,
        } = *self;
        let reader = packed::unpack(reader, &options.limits)?;
        let mut members = Members::streaming(reader, &options.limits);
        // `tar c .` begins with the directory itself, which tells nothing.
        let mut before = Vec::new();
        let first = loop {
            let member = members.next()?;
            match member {
                None => return Err(Failure::new(Code::NotAnImage, "the archive is empty")),
                Some(member) if member.path.is_root() => before.extend(members.take_raw()),
                Some(member) => break member,
            }
        };
        let found = if asked.form == Form::Any && is_root_mark(&first.path) {
            root(members, before, &first, &asked, on_blob)?
        } else {
            let mut passed = Passed {
                hops: options.limits.link_hops,
                ..Passed::default()
            };
            let mut next = Some(first);
            while let Some(member) = next {
                if options.stop.load(Ordering::Relaxed) {
                    return Err(Failure::stopped());
                }
                passed.take(&member, &mut members, &options, on_blob)?;
                next = members.next()?;
            }
            // The writer of a pipe should not die of the padding that nobody reads.
            drain(members.rest());
            for link in passed.links.keys() {
                refuse_below(link, &passed.json)?;
                refuse_below(link, &passed.handed)?;
                refuse_below(link, &passed.links)?;
            }
            let found = listing::images(&passed, &asked, &options)?;
            found
                .into_iter()
                .map(|found| passed.join(found, on_blob))
                .collect()
        };
        Ok(found)
    }
}

fn drain(rest: &mut impl Read) {
    // Whatever is wrong behind the end of the archive is of no matter.
    let _ = io::copy(&mut rest.take(64 << 20), &mut io::sink());
}

/// Hands a root file system on as the one layer it is.
fn root<R: Read + Send + Send>(
    members: Members<'_, R>,
    mut before: Vec<u8>,
    first: &Member,
    asked: &Asked,
    on_blob: OnBlob<'_>,
) -> failure::Result<Vec<Found>> {
    let mut whole = Whole {
        members,
        pending: io::Cursor::default(),
        ended: false,
        marked: false,
    };
    whole.step(Some(first));
    before.append(whole.pending.get_mut());
    whole.pending = io::Cursor::new(before);
    on_blob(ROOT_BLOB, &mut whole);
    io::copy(&mut whole, &mut io::sink()).map_err(|error| Failure::from_io(error, Code::Corrupt))?;
    if whole.marked {
        return Err(Failure::new(
            Code::Ambiguous,
            "the archive begins as a root file system does, but also lists images",
        )
        .advise("save it to a file and name that"));
    }
    Ok(vec![Ok(root_image(asked))])
}

/// A tar that passes on its own bytes unchanged while its members' names are looked at.
struct Whole<'l, R> {
    members: Members<'l, R>,
    pending: io::Cursor<Vec<u8>>,
    ended: bool,
    marked: bool,
}

impl<R: Read + Send + Send> Whole<'_, R> {
    fn step(&mut self, member: Option<&Member>) {
        self.pending = io::Cursor::new(self.members.take_raw());
        self.members.include_padding();
        match member {
            Some(member) => {
                let is = |mark: &&str| RootPath::from(*mark) == member.path;
                self.marked |= OCI_MARKS.iter().chain([&DOCKER_MARK]).any(is);
            }
            None => self.ended = true,
        }
    }
}

impl<R: Read + Send + Send> Read for Whole<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let count = self.pending.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            if self.ended {
                return self.members.rest().read(buffer);
            }
            let count = self.members.body().read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            let member = self.members.next()?;
            self.step(member.as_ref());
        }
    }
}

/// What has passed of an archive of images.
#[derive(Default)]
struct Passed {
    json: BTreeMap<RootPath, Vec<u8>>,
    json_bytes: u64,
    links: BTreeMap<RootPath, RootPath>,
    /// Members handed on, and their sizes.
    handed: BTreeMap<RootPath, u64>,
    /// Those whose bytes were not what their names promise.
    wrong: BTreeMap<RootPath, Failure>,
    hops: usize,
}

impl Passed {
    fn take<R: Read + Send + Send>(
        &mut self,
        member: &Member,
        members: &mut Members<'_, R>,
        options: &Options,
        on_blob: OnBlob<'_>,
    ) -> failure::Result<()> {
        let path = &member.path;
        match &member.kind {
            Kind::Other => return Ok(()),
            Kind::Sparse => return Err(sparse(path)),
            Kind::Link(to) => {
                let earlier = self.links.insert(path.clone(), to.clone());
                let same = earlier.is_none_or(|earlier| earlier == *to);
                let new = !self.json.contains_key(path) && !self.handed.contains_key(path);
                return if same && new { Ok(()) } else { Err(twice(path)) };
            }
            Kind::File => {}
        }
        let digest = blob_digest(path);
        if self.links.contains_key(path) || self.handed.contains_key(path) {
            return if digest.is_some() {
                Ok(())
            } else {
                Err(twice(path))
            };
        }
        let limits = &options.limits;
        let mut body = members.body();
        let cap = limits.manifest.max(limits.config);
        let start = read_capped(body.by_ref().take(64), 64, path)?;
        if member.size <= cap && is_json(&start) {
            let bytes = read_capped(start.chain(body), cap, path)?;
            self.json_bytes = self.json_bytes.saturating_add(bytes.len() as u64);
            if self.json_bytes > limits.archive_json {
                return Err(Failure::new(
                    Code::TooLarge,
                    format!(
                        "the archive holds more than {} bytes of JSON",
                        limits.archive_json
                    ),
                ));
            }
            let earlier = self.json.insert(path.clone(), bytes);
            let same = earlier.is_none_or(|earlier| self.json.get(path) == Some(&earlier));
            return if same || digest.is_some() {
                Ok(())
            } else {
                Err(twice(path))
            };
        }
        if self.json.contains_key(path) {
            return if digest.is_some() {
                Ok(())
            } else {
                Err(twice(path))
            };
        }
        let name = blob_name(path);
        let mut reader = start.chain(body);
        match digest {
            None => on_blob(&name, &mut reader),
            Some(digest) => {
                let mut reader = Verified::new(reader, digest, Some(member.size), format!("layer {name}"));
                on_blob(&name, &mut reader);
                if let Err(error) = io::copy(&mut reader, &mut io::sink()) {
                    self.wrong
                        .insert(path.clone(), Failure::from_io(error, Code::Corrupt));
                }
            }
        }
        self.handed.insert(path.clone(), member.size);
        Ok(())
    }

    /// An image whose layers have all passed; else why it cannot be scanned.
    fn join(&self, found: Found, on_blob: OnBlob<'_>) -> Found {
        let image = found?;
        let mut late = BTreeSet::new();
        match image
            .layers
            .iter()
            .try_for_each(|layer| self.check(layer, &mut late, on_blob))
        {
            Ok(()) => Ok(image),
            Err(failure) => Err((label(&image), failure)),
        }
    }

    fn check(
        &self,
        layer: &Layer,
        late: &mut BTreeSet<RootPath>,
        on_blob: OnBlob<'_>,
    ) -> failure::Result<()> {
        let path = match &layer.digest {
            Some(digest) => super::blob_path(digest),
            None => RootPath::from(layer.blob.as_str()),
        };
        let path = self.follow(&path).ok_or_else(|| no_layer(layer))?;
        if let Some(failure) = self.wrong.get(&path) {
            return Err(failure.clone());
        }
        let size = match (self.handed.get(&path), self.json.get(&path)) {
            (Some(size), _) => *size,
            (None, Some(bytes)) => {
                // A layer that looked like JSON.
                if let Some(digest) = &layer.digest {
                    verified::check(&format!("layer {digest}"), bytes, digest, layer.size)?;
                }
                if late.insert(path.clone()) {
                    on_blob(&layer.blob, &mut bytes.as_slice());
                }
                bytes.len() as u64
            }
            (None, None) => return Err(no_layer(layer)),
        };
        match layer.size {
            Some(stated) if stated != size => Err(Failure::new(
                Code::DigestMismatch,
                format!("layer {} has {size} bytes, not the stated {stated}", layer.blob),
            )),
            _ => Ok(()),
        }
    }

    fn follow(&self, path: &RootPath) -> Option<RootPath> {
        let mut path = path.clone();
        for _ in 0..=self.hops {
            match self.links.get(&path) {
                Some(to) => path = to.clone(),
                None => return Some(path),
            }
        }
        None
    }
}

fn label(image: &Image) -> String {
    image.reference.clone().unwrap_or_else(|| image.target.clone())
}

fn is_json(start: &[u8]) -> bool {
    matches!(start.trim_ascii_start().first(), Some(b'{' | b'['))
}

impl Files for Passed {
    fn read(&self, path: &RootPath, cap: u64) -> failure::Result<Option<Vec<u8>>> {
        let too_large =
            |size: u64| Failure::new(Code::TooLarge, format!("{path} has {size} bytes (limit {cap})"));
        let Some(place) = self.follow(path) else {
            return Ok(None);
        };
        match (self.json.get(&place), self.handed.get(&place)) {
            (Some(bytes), _) if bytes.len() as u64 > cap => Err(too_large(bytes.len() as u64)),
            (Some(bytes), _) => Ok(Some(bytes.clone())),
            (None, Some(size)) if *size > cap => Err(too_large(*size)),
            (None, Some(_)) => Err(Failure::new(Code::Corrupt, format!("{path} is not JSON"))),
            (None, None) => Ok(None),
        }
    }

    fn locate(&self, path: &RootPath) -> failure::Result<Option<RootPath>> {
        let there = |path: &RootPath| self.handed.contains_key(path) || self.json.contains_key(path);
        Ok(self.follow(path).filter(there))
    }
}
