//! Which layers an image of an archive has: linked, given twice, absent, left out.

use super::*;

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
