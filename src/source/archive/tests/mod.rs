//! Tests of archives: by offset, and front to back.

mod caps;
mod framing;

use std::{io::Write as _, path::PathBuf};

use super::*;
use crate::{
    source::{
        PlatformChoice, open as open_target,
        samples::{Made, Sample, Seen, layer, options, see, write},
    },
    target::Target,
};

struct Saved {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

fn save(bytes: &[u8]) -> Saved {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.tar");
    write(&path, bytes);
    Saved {
        path,
        _directory: directory,
    }
}

impl Saved {
    fn open(&self, scheme: &str, select: &str) -> failure::Result<Seen> {
        let target: Target = format!("{scheme}{}{select}", self.path.display()).parse()?;
        see(open_target(&target, &options())?)
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Opens a sample in each way an archive can come: by offset, gzipped, in zstd, and plain front to back.
fn every_way(tar: &[u8]) -> Vec<failure::Result<Seen>> {
    let asked = Asked {
        text: "-".into(),
        stem: "app".into(),
        form: Form::Any,
        select: None,
    };
    let plain = ArchiveStream::new(Box::new(io::Cursor::new(tar.to_vec())), asked, options());
    vec![
        save(tar).open("", ""),
        save(&gzip(tar)).open("", ""),
        save(&zstd::encode_all(tar, 1).unwrap()).open("", ""),
        see(Opened::Stream(Box::new(plain))),
    ]
}

fn assert_code(tar: &[u8], code: Code) {
    for seen in every_way(tar) {
        let failure = match seen {
            Err(failure) => failure,
            Ok(Seen { found, .. }) => match found.into_iter().next() {
                Some(Err((_, failure))) => failure,
                other => panic!("{other:?}"),
            },
        };
        assert_eq!(failure.code, code, "{failure}");
    }
}

#[test]
fn images_come_with_names_and_right_bytes() {
    let made = || {
        [
            Made::new("ghcr.io/a/one:1", "1", &["a", "b"]),
            Made::new("two:2", "2", &["a"]),
        ]
    };
    for sample in [
        Sample::oci(&made()),
        Sample::docker(&made()),
        Sample::both(&made(), &made()),
    ] {
        for seen in every_way(&sample.to_tar()) {
            let seen = seen.unwrap();
            assert_eq!(seen.references(), ["ghcr.io/a/one:1", "docker.io/library/two:2"]);
            let users: Vec<&str> = seen
                .images()
                .iter()
                .map(|image| image.config.as_ref().unwrap().user.as_str())
                .collect();
            assert_eq!(users, ["1", "2"]);
            assert_eq!(seen.images()[0].name, "a/one");
            let layers: Vec<Vec<Vec<u8>>> = seen
                .layers
                .into_iter()
                .map(|layers| layers.into_iter().map(Result::unwrap).collect())
                .collect();
            assert_eq!(layers, [vec![layer("a"), layer("b")], vec![layer("a")]]);
        }
    }
}

#[test]
fn two_hundred_layers_and_none_are_images() {
    let names: Vec<String> = (0..200).map(|n| format!("file{n}")).collect();
    let many: Vec<&str> = names.iter().map(String::as_str).collect();
    for files in [&many[..], &[]] {
        let made = || [Made::new("one:1", "1", files)];
        for sample in [Sample::oci(&made()), Sample::docker(&made())] {
            for seen in every_way(&sample.to_tar()) {
                let seen = seen.unwrap();
                assert_eq!(seen.images()[0].layers.len(), files.len());
                let layers: Vec<Vec<u8>> = seen.layers.into_iter().flatten().map(Result::unwrap).collect();
                let want: Vec<Vec<u8>> = files.iter().map(|file| layer(file)).collect();
                assert!(layers == want, "every layer comes, in its order");
            }
        }
    }
}

#[test]
fn one_image_is_named() {
    let made = || [Made::new("one:1", "1", &["a"]), Made::new("two:2", "2", &["b"])];
    let docker = save(&Sample::docker(&made()).to_tar());
    for select in [":two:2", ":docker.io/library/two:2", ":2", "@1", ":@1"] {
        let seen = docker.open("docker-archive:", select).unwrap();
        assert_eq!(seen.references(), ["docker.io/library/two:2"], "{select}");
    }
    let oci = save(&Sample::oci(&made()).to_tar());
    let all = oci.open("oci-archive:", "").unwrap();
    let digest = all.images()[0].digest.clone().unwrap();
    let seen = oci.open("oci-archive:", &format!("@{digest}")).unwrap();
    assert_eq!(seen.references(), ["docker.io/library/one:1"]);
    for (archive, scheme, select) in [
        (&oci, "oci-archive:", ":three"),
        (&docker, "docker-archive:", "@2"),
    ] {
        let failure = archive.open(scheme, select).err().unwrap();
        assert_eq!(failure.code, Code::NotFound);
        assert!(failure.message.contains("two:2"), "{failure}");
    }
}

#[test]
fn the_form_that_the_scheme_promises_must_be_there() {
    let made = || [Made::new("one:1", "1", &["a"])];
    let oci = save(&Sample::oci(&made()).to_tar());
    assert_eq!(
        oci.open("docker-archive:", "").err().unwrap().code,
        Code::NotAnImage
    );
    let docker = save(&Sample::docker(&made()).to_tar());
    assert_eq!(
        docker.open("oci-archive:", "").err().unwrap().code,
        Code::NotAnImage
    );
    let both = save(&Sample::both(&made(), &made()).to_tar());
    for scheme in ["docker-archive:", "oci-archive:", ""] {
        assert_eq!(both.open(scheme, "").unwrap().found.len(), 1);
    }
}

#[test]
fn two_listings_that_differ_are_both_scanned() {
    let sample = Sample::both(
        &[Made::new("one:1", "1", &["a"])],
        &[Made::new("one:1", "0", &["a", "sh"])],
    );
    for seen in every_way(&sample.to_tar()) {
        let seen = seen.unwrap();
        assert_eq!(seen.images().len(), 2);
        assert_eq!(seen.images()[1].layers.len(), 2);
    }
}

#[test]
fn null_manifests_and_null_tags_are_read() {
    let mut made = Made::new("", "1", &["a"]);
    made.names.clear();
    let mut sample = Sample::docker(&[made]);
    sample.add("index.json", br#"{"schemaVersion":2,"manifests":null}"#);
    for seen in every_way(&sample.to_tar()) {
        let seen = seen.unwrap();
        assert_eq!(
            (seen.images()[0].name.as_str(), &seen.images()[0].reference),
            ("app", &None)
        );
    }
}

#[test]
fn layers_may_be_links_within_the_archive() {
    let made = Made::new("one:1", "1", &["a"]);
    let mut sample = Sample::default();
    sample.add("plain.tar", &layer("a"));
    sample.link("x/layer.tar", "../plain.tar");
    sample.add("config.json", &made.config());
    sample.add(
        "manifest.json",
        br#"[{"Config":"config.json","RepoTags":["one:1"],"Layers":["x/layer.tar"]}]"#,
    );
    for seen in every_way(&sample.to_tar()) {
        let seen = seen.unwrap();
        assert_eq!(seen.layers[0][0].as_ref().unwrap(), &layer("a"));
        let image = seen.images()[0];
        assert!(image.layers[0].digest.is_none() && image.layers[0].diff_id.is_some());
    }
    for outside in ["../../../../etc/passwd", "/etc/passwd", "layer.tar"] {
        let mut sample = sample.clone();
        sample.0[1].1 = crate::source::samples::Entry::Symlink(outside.into());
        assert_code(&sample.to_tar(), Code::NotFound);
    }
}

#[test]
fn members_given_twice_are_refused_unless_equal() {
    let sample = || Sample::docker(&[Made::new("one:1", "1", &["a"])]);
    let (layer_name, config_name) = (sample().0[0].0.clone(), sample().0[1].0.clone());
    for (name, bytes) in [
        ("manifest.json", b"[]".as_slice()),
        (&config_name, b"{}"),
        (&layer_name, &layer("sh")),
        (&layer_name, b"{}"),
    ] {
        let mut twice = sample();
        twice.add(name, bytes);
        assert_code(&twice.to_tar(), Code::Ambiguous);
    }
    // A link and another link, or a link and a file, in both orders.
    let links: [&dyn Fn(&mut Sample); 3] = [
        &|sample| {
            sample.link("l", &layer_name);
            sample.link("l", &config_name);
        },
        &|sample| sample.link(&config_name, &layer_name),
        &|sample| {
            sample.link("l", &layer_name);
            sample.add("l", b"{}");
        },
    ];
    for link in links {
        let mut twice = sample();
        link(&mut twice);
        assert_code(&twice.to_tar(), Code::Ambiguous);
    }
    let mut linked = sample();
    linked.link("l", &layer_name);
    linked.link("l", &layer_name);
    for seen in every_way(&linked.to_tar()) {
        assert!(seen.unwrap().found[0].is_ok(), "the same link twice is one");
    }
    let mut same = sample();
    let manifest = same.file("manifest.json").clone();
    same.add("./manifest.json", &manifest);
    for seen in every_way(&same.to_tar()) {
        assert_eq!(seen.unwrap().found.len(), 1);
    }
}

/// Why the first image, or else its first layer, cannot be read.
fn first_failure(seen: Seen) -> Failure {
    match seen.found.into_iter().next().unwrap() {
        Err((_, failure)) => failure,
        Ok(_) => seen.layers[0][0].clone().unwrap_err(),
    }
}

#[test]
fn wrong_bytes_are_found() {
    let oci = || Sample::oci(&[Made::new("one:1", "1", &["a"])]);
    // The layer, the configuration, the manifest, in the order they are written.
    for at in 0..3 {
        let mut sample = oci();
        let name = sample.0[at].0.clone();
        let bytes = sample.file(&name);
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        for seen in every_way(&sample.to_tar()) {
            let seen = seen.unwrap();
            let failure = first_failure(seen);
            assert_eq!(failure.code, Code::DigestMismatch, "{at}: {failure}");
        }
    }
    let mut docker = Sample::docker(&[Made::new("one:1", "1", &["a"])]);
    let name = docker.0[1].0.clone();
    docker.file(&name).push(b' ');
    assert_code(&docker.to_tar(), Code::DigestMismatch);
}

#[test]
fn sizes_that_lie_are_found() {
    let mut sample = Sample::oci(&[Made::new("one:1", "1", &["a"])]);
    let size = layer("a").len();
    let manifest = sample.0.remove(2).1;
    let crate::source::samples::Entry::File(manifest) = manifest else {
        panic!()
    };
    let (old, length) = (crate::source::samples::digest(&manifest), manifest.len());
    let manifest = String::from_utf8(manifest)
        .unwrap()
        .replace(&format!(r#""size":{size}"#), &format!(r#""size":{}"#, size + 1));
    assert_eq!(manifest.len(), length, "the manifest's own size stays right");
    let new = sample.blob(manifest.as_bytes());
    let index = String::from_utf8(sample.file("index.json").clone()).unwrap();
    *sample.file("index.json") = index.replace(old.hex(), new.hex()).into_bytes();
    for seen in every_way(&sample.to_tar()) {
        let seen = seen.unwrap();
        let failure = match seen.found.into_iter().next().unwrap() {
            Err((_, failure)) => failure,
            Ok(_) => seen.layers[0][0].clone().unwrap_err(),
        };
        assert_eq!(failure.code, Code::DigestMismatch);
    }
}

#[test]
fn wrong_bytes_are_found_even_if_nobody_reads_them() {
    for right in [true, false] {
        let mut sample = Sample::oci(&[Made::new("one:1", "1", &["a"])]);
        let name = sample.0[0].0.clone();
        sample.file(&name)[600] ^= u8::from(!right);
        let asked = Asked {
            text: "-".into(),
            stem: "app".into(),
            form: Form::Any,
            select: None,
        };
        let stream = ArchiveStream::new(Box::new(io::Cursor::new(sample.to_tar())), asked, options());
        let found = crate::source::Stream::run(Box::new(stream), &mut |_, _| {}).unwrap();
        let code = found[0].as_ref().err().map(|(_, failure)| failure.code);
        assert_eq!(code, (!right).then_some(Code::DigestMismatch));
    }
}

#[test]
fn an_empty_list_is_no_image() {
    for (name, list) in [
        ("index.json", r#"{"schemaVersion":2,"manifests":[]}"#),
        ("manifest.json", "[]"),
        ("manifest.json", "null"),
    ] {
        let mut sample = Sample::default();
        sample.add(name, list.as_bytes());
        for seen in every_way(&sample.to_tar()) {
            assert!(
                matches!(&seen, Err(failure) if [Code::NotAnImage, Code::Corrupt].contains(&failure.code)),
                "{list}"
            );
        }
    }
}

#[test]
fn a_listed_layer_that_is_absent_fails_that_image_alone() {
    let mut sample = Sample::docker(&[Made::new("one:1", "1", &["a"]), Made::new("two:1", "1", &["b"])]);
    sample.0.remove(0);
    for seen in every_way(&sample.to_tar()) {
        let found = seen.unwrap().found;
        let (name, failure) = found[0].as_ref().unwrap_err();
        assert!(
            failure.code == Code::NotFound && name.contains("one:1"),
            "{name}: {failure}"
        );
        assert!(found[1].is_ok());
    }
}

#[test]
fn a_layer_that_looks_like_json_is_no_hiding_place() {
    let made = Made::new("one:1", "1", &["{}"]);
    for sample in [
        Sample::oci(&[Made::new("one:1", "1", &["{}"])]),
        Sample::docker(&[made]),
    ] {
        for seen in every_way(&sample.to_tar()) {
            assert_eq!(seen.unwrap().layers[0][0].as_ref().unwrap(), &layer("{}"));
        }
    }
}

#[test]
fn a_root_file_system_is_one_layer_byte_by_byte() {
    let mut sample = Sample::default();
    sample.directory("etc/");
    sample.add("etc/passwd", b"root:x:0:0::/:/bin/sh\n");
    sample.link("bin", "usr/bin");
    sample.add(&format!("usr/bin/{}", "x".repeat(150)), b"{}");
    let mut tar = sample.to_tar();
    tar.extend_from_slice(b"behind the end");
    for (at, seen) in every_way(&tar).into_iter().enumerate() {
        let seen = seen.unwrap();
        let image = seen.images()[0];
        assert!(image.config.is_none() && image.name == "app");
        assert_eq!(seen.layers[0][0].as_ref().unwrap(), &tar, "way {at}");
    }
    let mut dotted = Sample::default();
    dotted.directory("./");
    dotted.0.extend(sample.0);
    let tar = dotted.to_tar();
    for seen in every_way(&tar) {
        assert_eq!(seen.unwrap().layers[0][0].as_ref().unwrap(), &tar);
    }
    let mut odd = Sample::default();
    odd.add("app", b"\x7fELF");
    assert_code(&odd.to_tar(), Code::NotAnImage);
    assert_eq!(
        save(&odd.to_tar()).open("rootfs:", "").unwrap().layers[0][0]
            .as_ref()
            .unwrap(),
        &odd.to_tar()
    );
}

#[test]
fn a_root_file_system_that_lists_images_is_not_taken_for_one() {
    let mut sample = Sample::default();
    sample.directory("etc/");
    sample
        .0
        .extend(Sample::docker(&[Made::new("one:1", "1", &["a"])]).0);
    let tar = sample.to_tar();
    assert_eq!(
        save(&tar).open("", "").unwrap().references(),
        ["docker.io/library/one:1"]
    );
    assert_eq!(
        save(&gzip(&tar)).open("", "").err().unwrap().code,
        Code::Ambiguous
    );
}

#[test]
fn other_compressions_are_named() {
    for (start, tool) in [(b"\xfd7zXZ\0\0\0".as_slice(), "xz"), (b"BZh91AY&SY", "bzip2")] {
        let failure = save(start).open("docker-archive:", "").err().unwrap();
        assert_eq!(failure.code, Code::NotAnImage);
        assert!(failure.advice.unwrap().contains(tool));
    }
}

#[test]
fn damaged_archives_are_corrupt() {
    let tar = Sample::docker(&[Made::new("one:1", "1", &["a"])]).to_tar();
    for cut in [100, 700, 1600, tar.len() - 1500] {
        assert_code(&tar[..cut], Code::Corrupt);
    }
    let mut sum = tar.clone();
    sum[150] ^= 1;
    assert_code(&sum, Code::Corrupt);
    assert_code(&[b'x'; 2000], Code::Corrupt);
    let failure = save(&gzip(&tar)[..200]).open("", "").err().unwrap();
    assert_eq!(failure.code, Code::Corrupt);
}

#[test]
fn long_names_and_pax_are_heeded() {
    let made = Made::new("one:1", "1", &["a"]);
    let long = format!("{}/layer.tar", "d/".repeat(120));
    let mut sample = Sample::default();
    sample.add(&long, &layer("a"));
    sample.add("config.json", &made.config());
    let mut tar = sample.to_tar();
    tar.truncate(tar.len() - 1024);
    let listing = format!(r#"[{{"Config":"config.json","RepoTags":null,"Layers":["{long}"]}}]"#);
    let mut builder = tar::Builder::new(tar);
    builder
        .append_pax_extensions([
            ("path", b"manifest.json".as_slice()),
            ("size", listing.len().to_string().as_bytes()),
        ])
        .unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_path("other").unwrap();
    // The header's own size is wrong, as that of a file beyond 8 GiB is.
    header.set_size(0);
    header.set_cksum();
    let out = builder.get_mut();
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(listing.as_bytes());
    out.resize(out.len().next_multiple_of(512), 0);
    for seen in every_way(&builder.into_inner().unwrap()) {
        assert_eq!(seen.unwrap().layers[0][0].as_ref().unwrap(), &layer("a"));
    }
}

#[test]
fn caps_hold() {
    let mut options = options();
    let sample = Sample::docker(&[Made::new("one:1", "1", &["a"])]);
    let run = |options: &Options, sample: &Sample| {
        let saved = save(&sample.to_tar());
        let target: Target = saved.path.to_str().unwrap().parse().unwrap();
        let by_offset = open_target(&target, options).and_then(see).err().unwrap().code;
        let saved = save(&gzip(&sample.to_tar()));
        let target: Target = saved.path.to_str().unwrap().parse().unwrap();
        assert_eq!(
            open_target(&target, options).and_then(see).err().unwrap().code,
            by_offset
        );
        by_offset
    };
    options.limits.members = 2;
    assert_eq!(run(&options, &sample), Code::TooLarge);
    options.limits = Limits {
        path: 20,
        ..Limits::default()
    };
    assert_eq!(run(&options, &sample), Code::Corrupt);
    options.limits = Limits {
        archive_json: 10,
        image: 500,
        ..Limits::default()
    };
    let saved = save(&gzip(&sample.to_tar()));
    let target: Target = saved.path.to_str().unwrap().parse().unwrap();
    assert_eq!(
        open_target(&target, &options).and_then(see).err().unwrap().code,
        Code::TooLarge
    );
    options.limits.image = 1 << 30;
    assert_eq!(
        open_target(&target, &options).and_then(see).err().unwrap().code,
        Code::TooLarge
    );
}

#[test]
fn caps_of_what_is_listed_hold() {
    let two = || {
        [
            Made::new("one:1", "1", &["a", "b"]),
            Made::new("two:2", "2", &["c"]),
        ]
    };
    let sample = Sample::docker(&two()).to_tar();
    for packed in [false, true] {
        let saved = save(&if packed { gzip(&sample) } else { sample.clone() });
        let target: Target = saved.path.to_str().unwrap().parse().unwrap();
        let mut options = options();
        options.limits.layers = 1;
        let seen = open_target(&target, &options).and_then(see).unwrap();
        assert_eq!(seen.found[0].as_ref().unwrap_err().1.code, Code::TooLarge);
        assert!(seen.found[1].is_ok(), "the other image is told");
        options.limits.descriptors = 1;
        let failure = open_target(&target, &options).and_then(see).err().unwrap();
        assert_eq!(failure.code, Code::TooLarge, "{failure}");
        options.limits = Limits {
            layers: 2,
            descriptors: 2,
            ..Limits::default()
        };
        assert_eq!(
            open_target(&target, &options)
                .and_then(see)
                .unwrap()
                .images()
                .len(),
            2
        );
    }
}

#[test]
fn no_layer_is_left_out_because_the_configuration_names_fewer() {
    let made = Made::new("one:1", "1", &["a"]);
    let fewer = Made::new("one:1", "1", &[]);
    for (config, layers) in [
        (fewer.config(), r#""a.tar""#),
        (made.config(), r#""a.tar","a.tar""#),
        (made.config(), ""),
    ] {
        let mut sample = Sample::default();
        sample.add("a.tar", &layer("a"));
        sample.add("config.json", &config);
        let listing = format!(r#"[{{"Config":"config.json","RepoTags":["one:1"],"Layers":[{layers}]}}]"#);
        sample.add("manifest.json", listing.as_bytes());
        assert_code(&sample.to_tar(), Code::Corrupt);
    }
}

#[test]
fn one_image_listed_twice_is_one_image() {
    let one = || Made::new("one:1", "1", &["a"]);
    let mut also = one();
    also.names = vec!["one:2"];
    let twice = || [one(), one(), Made::new("two:2", "2", &["b"])];
    for (sample, images) in [
        (Sample::oci(&twice()), 2),
        (Sample::both(&twice(), &[one()]), 2),
        (Sample::both(&[one()], &[also]), 1),
    ] {
        for seen in every_way(&sample.to_tar()) {
            let seen = seen.unwrap();
            assert_eq!(seen.images().len(), images);
            assert_eq!(seen.images()[0].name, "library/one");
        }
    }
}

#[test]
fn another_platform_is_refused() {
    let mut options = options();
    options.platform = PlatformChoice::Exact("linux/s390x".parse().unwrap());
    let saved = save(&Sample::docker(&[Made::new("one:1", "1", &["a"])]).to_tar());
    let target: Target = saved.path.to_str().unwrap().parse().unwrap();
    let seen = open_target(&target, &options).and_then(see).unwrap();
    assert_eq!(seen.found[0].as_ref().unwrap_err().1.code, Code::NoSuchPlatform);
}
