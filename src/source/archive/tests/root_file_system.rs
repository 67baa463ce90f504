//! Archives that are a bare root file system.

use super::*;

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
