//! Wrong bytes, wrong sizes, and files that are no archives.

use super::*;

#[test]
fn wrong_bytes_are_found() {
    let oci = || Sample::oci(&[Made::new("one:1", "1", &["a"])]);
    // The layer, the configuration, the manifest, in the order they are written.
    for at in 0..3 {
        let mut sample = oci();
        sample.damage(at);
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
fn wrong_bytes_are_found_even_if_nobody_reads_them() {
    for right in [true, false] {
        let mut sample = Sample::oci(&[Made::new("one:1", "1", &["a"])]);
        let name = sample.0[0].0.clone();
        sample.file(&name)[600] ^= u8::from(!right);
        let stream = streamed(sample.to_tar());
        let found = crate::source::Stream::run(Box::new(stream), &mut |_, _| {}).unwrap();
        let code = found[0].as_ref().err().map(|(_, failure)| failure.code);
        assert_eq!(code, (!right).then_some(Code::DigestMismatch));
    }
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
        assert_eq!(first_failure(seen.unwrap()).code, Code::DigestMismatch);
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
fn other_compressions_are_named() {
    for (start, tool) in [(b"\xfd7zXZ\0\0\0".as_slice(), "xz"), (b"BZh91AY&SY", "bzip2")] {
        let failure = save(start).open("docker-archive:", "").err().unwrap();
        assert_eq!(failure.code, Code::NotAnImage);
        assert!(failure.advice.unwrap().contains(tool));
    }
}
