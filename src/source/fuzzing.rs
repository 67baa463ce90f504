//! Fuzz targets of what sources parse: JSON, manifests, indexes, listings, archives.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, LazyLock, atomic::AtomicBool},
};

pub use super::registry::fuzzing::http_headers;
use super::{
    Found, Options, PlatformChoice, RegistryOptions, Stream,
    archive::ArchiveStream,
    files::Files,
    index::{self, Manifests, Names},
    json::{self as lenient, Value},
    listing::{self, Asked, Form},
    manifest::{self as document, Document},
};
use crate::{
    failure::{self, Code, Failure},
    fuzzing::{assert_all_shown, assert_shown, mended},
    image::{Algorithm, Digest, Platform},
    limits::Limits,
    path::RootPath,
    text,
};

fn limits() -> Limits {
    Limits {
        manifest: 2_000,
        config: 2_000,
        descriptors: 5,
        index_depth: 2,
        layers: 3,
        members: 8,
        tar_extension: 1_000,
        archive_json: 3_000,
        image: 16_000,
        zstd_window_log: 17,
        ..Limits::default()
    }
}

fn options(choice: u8) -> &'static Options {
    static OPTIONS: LazyLock<[Options; 3]> = LazyLock::new(|| {
        let platforms = [
            PlatformChoice::Default,
            PlatformChoice::All,
            PlatformChoice::Exact(Platform::new("linux", "arm64", None)),
        ];
        platforms.map(|platform| Options {
            platform,
            limits: limits(),
            stop: Arc::new(AtomicBool::new(false)),
            registry: RegistryOptions::default(),
        })
    });
    &OPTIONS[usize::from(choice % 3)]
}

fn assert_failure(failure: &Failure) {
    assert_shown(&failure.to_string());
    assert_shown(failure.advice.as_deref().unwrap_or_default());
    assert_ne!(failure.code, Code::Internal, "{failure}");
}

fn assert_found(found: &[Found]) {
    for found in found {
        match found {
            Ok(image) => assert_all_shown(&image.notes),
            Err((_, failure)) => assert_failure(failure),
        }
    }
}

/// Where the text is plain, it reads as another reader of JSON reads it.
pub fn json(data: &[u8]) {
    let ours = lenient::parse(data, "it");
    if let Err(failure) = &ours {
        assert_failure(failure);
    }
    let plain = std::str::from_utf8(data).is_ok_and(|text| !text.contains("\\u"));
    if plain {
        match (&ours, serde_json::from_slice::<serde_json::Value>(data)) {
            (Ok(ours), Ok(theirs)) => assert!(same(ours, &theirs), "{ours:?} {theirs:?}"),
            (Err(_), Err(_)) => {}
            (ours, theirs) => panic!("{ours:?} {theirs:?}"),
        }
    }
    let Ok(value) = ours else { return };
    let mut notes = Vec::new();
    match value.fields("it", ["User", "os", "Keys"], &mut notes) {
        Err(failure) => assert_failure(&failure),
        Ok([user, ..]) => {
            if let Value::Object(members) = &value
                && let Some((_, exact)) = members.iter().find(|(key, _)| key == "User")
            {
                assert_eq!(user, exact);
            }
        }
    }
    assert_all_shown(&notes);
    if let Ok(members) = value.map("it") {
        let mut keys: Vec<_> = members.iter().map(|(key, _)| key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), members.len());
    }
}

fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
        (Value::Integer(a), serde_json::Value::Number(b)) => b.as_i64() == Some(*a),
        (Value::Other, serde_json::Value::Number(b)) => b.as_i64().is_none(),
        (Value::Text(a), serde_json::Value::String(b)) => a == b,
        (Value::List(a), serde_json::Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), serde_json::Value::Object(b)) => {
            // The other reader keeps the last of equal keys.
            let last: BTreeMap<_, _> = a.iter().map(|(key, value)| (key, value)).collect();
            last.len() == b.len()
                && last
                    .into_iter()
                    .all(|(key, value)| b.get(key).is_some_and(|b| same(value, b)))
        }
        _ => false,
    }
}

const MEDIA_TYPES: [Option<&str>; 5] = [
    None,
    Some("application/vnd.oci.image.index.v1+json"),
    Some("application/vnd.oci.image.manifest.v1+json; charset=utf-8"),
    Some("application/vnd.docker.distribution.manifest.list.v2+json"),
    Some("text/plain"),
];

/// A manifest or index, behind a byte that chooses the media type stated for it.
pub fn manifest(data: &[u8]) {
    let Some((stated, bytes)) = data.split_first() else {
        return;
    };
    let limits = limits();
    let mut notes = Vec::new();
    match document::parse(bytes, MEDIA_TYPES[usize::from(stated % 5)], &limits, &mut notes) {
        Err(failure) => assert_failure(&failure),
        Ok(Document::Index(children)) => assert!(children.len() <= limits.descriptors),
        Ok(Document::Manifest(manifest)) => {
            assert!(manifest.layers.len() <= limits.layers);
            if let Some(what) = manifest.not_an_image() {
                assert_shown(&what);
            }
            assert_eq!(manifest.expect_image().is_ok(), manifest.not_an_image().is_none());
        }
    }
    assert_all_shown(&notes);
}

/// An image configuration.
pub fn config(data: &[u8]) {
    let mut notes = Vec::new();
    match document::parse_config(data, &limits(), &mut notes) {
        Err(failure) => assert_failure(&failure),
        Ok((platform, config)) => {
            if let Some(platform) = platform {
                assert_shown(&platform.to_string());
                let again = Platform::new(&platform.os, &platform.arch, platform.variant.as_deref());
                assert_eq!(again, platform, "a platform is normal once");
            }
            assert!(config.exposed_ports.is_sorted() && config.volumes.is_sorted());
            assert!(config.env_names().count() == config.env.len());
        }
    }
    assert_all_shown(&notes);
}

/// Blobs as the parts of the input; what a digest leads to hangs on its first digit, so that cycles are easy.
struct Parts<'a>(Vec<&'a [u8]>);

impl Parts<'_> {
    fn get(&self, digest: &Digest) -> failure::Result<Vec<u8>> {
        let number = digest.hex().chars().next().and_then(|digit| digit.to_digit(16));
        let part = self.0.get(number.unwrap_or_default() as usize);
        part.map(|part| part.to_vec())
            .ok_or_else(|| Failure::new(Code::NotFound, "nothing is there"))
    }
}

impl Manifests for Parts<'_> {
    fn manifest(&self, digest: &Digest, _: Option<u64>) -> failure::Result<Vec<u8>> {
        self.get(digest)
    }

    fn config(&self, digest: &Digest, _: Option<u64>) -> failure::Result<Vec<u8>> {
        self.get(digest)
    }
}

/// Indexes in indexes end, whatever leads where; parts stand apart by NULs.
pub fn index(data: &[u8]) {
    let Some((choice, parts)) = data.split_first() else {
        return;
    };
    let parts = Parts(parts.split(|&byte| byte == 0).collect());
    let names = Names {
        target: "x".to_owned(),
        reference: None,
        name: "x".to_owned(),
    };
    let options = options(*choice);
    let root = Digest::of_hash(Algorithm::Sha256, &[0; 32]);
    let bytes = parts.0.first().copied().unwrap_or_default();
    match index::images(
        bytes,
        &root,
        MEDIA_TYPES[usize::from(choice >> 4) % 5],
        &parts,
        &names,
        options,
    ) {
        Err(failure) => assert_failure(&failure),
        Ok(found) => {
            assert!(
                !found.is_empty(),
                "nothing to judge must not look like nothing to find"
            );
            assert_found(&found);
            for image in found.iter().flatten() {
                assert!(image.layers.len() <= options.limits.layers);
                if let PlatformChoice::Exact(wanted) = &options.platform {
                    assert!(image.platform.as_ref().is_none_or(|platform| platform == wanted));
                }
            }
        }
    }
}

/// `index.json`, `manifest.json` and blobs, apart by NULs. `#3` in one of them is the hash of the third blob behind it.
struct Layout(BTreeMap<RootPath, Vec<u8>>);

impl Layout {
    fn of(data: &[u8]) -> Self {
        let mut parts: Vec<Vec<u8>> = data
            .split(|&byte| byte == 0)
            .take(8)
            .map(<[u8]>::to_vec)
            .collect();
        let mut files = BTreeMap::new();
        let mut hashes: Vec<String> = Vec::new();
        while let Some(part) = parts.pop() {
            let mut bytes = Vec::new();
            let mut rest = part.as_slice();
            while let Some(at) = memchr::memchr(b'#', rest) {
                let (before, after) = rest.split_at(at);
                bytes.extend_from_slice(before);
                let number = after.get(1).map(|digit| usize::from(digit.wrapping_sub(b'1')));
                match number.and_then(|number| hashes.iter().rev().nth(number)) {
                    Some(hash) => bytes.extend_from_slice(hash.as_bytes()),
                    None => bytes.push(b'#'),
                }
                rest = after.get(2..).unwrap_or_default();
            }
            bytes.extend_from_slice(rest);
            let name = match parts.len() {
                0 => "index.json".to_owned(),
                1 => "manifest.json".to_owned(),
                _ => {
                    let hash =
                        text::hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes).as_ref());
                    let name = format!("blobs/sha256/{hash}");
                    hashes.push(hash);
                    name
                }
            };
            if !bytes.is_empty() {
                files.insert(RootPath::from(name.as_str()), bytes);
            }
        }
        Self(files)
    }
}

impl Files for Layout {
    fn read(&self, path: &RootPath, cap: u64) -> failure::Result<Option<Vec<u8>>> {
        let bytes = self.0.get(path);
        if bytes.is_some_and(|bytes| bytes.len() as u64 > cap) {
            return Err(Failure::new(Code::TooLarge, "it is too large"));
        }
        Ok(bytes.cloned())
    }

    fn locate(&self, path: &RootPath) -> failure::Result<Option<RootPath>> {
        Ok(self.0.contains_key(path).then(|| path.clone()))
    }
}

fn asked(choice: u8) -> Asked {
    Asked {
        text: "x".to_owned(),
        stem: "x".to_owned(),
        form: [Form::Any, Form::Oci, Form::Docker][usize::from(choice >> 4) % 3],
        select: None,
    }
}

/// What a layout or a Docker archive lists.
pub fn listing(data: &[u8]) {
    let Some((choice, parts)) = data.split_first() else {
        return;
    };
    let options = options(*choice);
    let files = Layout::of(parts);
    match listing::images(&files, &asked(*choice), options) {
        Err(failure) => assert_failure(&failure),
        Ok(found) => {
            assert!(!found.is_empty());
            assert_found(&found);
            let layers = found.iter().flatten().flat_map(|image| &image.layers);
            assert!(layers.into_iter().all(|layer| !layer.blob.is_empty()));
        }
    }
}

/// An archive that passes once: what it hands on is there, and each name only once.
pub fn archive(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let bytes = if choice & 0x80 == 0 {
        mended(bytes)
    } else {
        bytes.to_vec()
    };
    let stream = ArchiveStream::new(
        Box::new(io::Cursor::new(bytes)),
        asked(*choice),
        options(*choice).clone(),
    );
    let mut names = std::collections::BTreeSet::new();
    let mut passed = 0;
    let found = Box::new(stream).run(&mut |name, blob| {
        assert!(names.insert(name.to_owned()), "{name} was handed on twice");
        let mut buffer = [0; 700];
        // Some are read, some not, some in part.
        for _ in 0..choice >> 2 & 7 {
            match blob.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => passed += count,
                Err(error) => {
                    assert_failure(&Failure::from_io(error, Code::Corrupt));
                    break;
                }
            }
        }
    });
    assert!(passed <= 64 << 10);
    match found {
        Err(failure) => assert_failure(&failure),
        Ok(found) => {
            assert_found(&found);
            for layer in found.iter().flatten().flat_map(|image| &image.layers) {
                assert!(names.contains(&layer.blob), "{} was not handed on", layer.blob);
            }
        }
    }
}
