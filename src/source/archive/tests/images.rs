//! Which images an archive holds, and what they are called.

use super::*;

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
fn another_platform_is_refused() {
    let mut options = options();
    options.platform = PlatformChoice::Exact("linux/s390x".parse().unwrap());
    let saved = save(&Sample::docker(&[Made::new("one:1", "1", &["a"])]).to_tar());
    let target: Target = saved.path.to_str().unwrap().parse().unwrap();
    let seen = open_target(&target, &options).and_then(see).unwrap();
    assert_eq!(seen.found[0].as_ref().unwrap_err().1.code, Code::NoSuchPlatform);
}
