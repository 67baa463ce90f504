//! What an index says of a child that is absent, odd or marked as something else.

use super::*;

/// An image of these layer types, with a right configuration.
fn image_of(store: &mut Store, platform: &str, layers: &[&str]) -> Digest {
    let (os, arch) = platform.split_once('/').unwrap();
    let id = "0".repeat(64);
    let ids = vec![format!(r#""sha256:{id}""#); layers.len()].join(",");
    let config = store.put(&format!(
        r#"{{"os":"{os}","architecture":"{arch}","rootfs":{{"type":"layers","diff_ids":[{ids}]}}}}"#
    ));
    let layers: Vec<String> = layers
        .iter()
        .map(|layer| format!(r#"{{"mediaType":"{layer}","digest":"sha256:{id}","size":10}}"#))
        .collect();
    store.put(&format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"{IMAGE_CONFIG}","digest":"{config}"}},"layers":[{}]}}"#,
        layers.join(",")
    ))
}

fn absent() -> Digest {
    Digest::of_hash(Algorithm::Sha256, &[7; 32])
}

#[test]
fn one_layer_that_is_no_statement_makes_an_image() {
    let mut store = Store::default();
    let plain = store.image("linux/s390x", LAYER, "");
    for (layers, is_image) in [
        (&[IN_TOTO, LAYER][..], true),
        (&[LAYER, IN_TOTO], true),
        (&[IN_TOTO, IN_TOTO], false),
    ] {
        let odd = image_of(&mut store, "linux/riscv64", layers);
        let root = index(&[
            child(&plain, MANIFEST, "linux/s390x"),
            child(&odd, MANIFEST, "unknown/unknown"),
        ]);
        let found = open(&mut store, &root, PlatformChoice::All).unwrap();
        assert_eq!(found.len(), 1 + usize::from(is_image), "{layers:?}");
    }
}

#[test]
fn a_child_of_the_hosts_processor_in_another_variant_is_its_own() {
    let mut store = Store::default();
    let arch = Platform::host().arch;
    let own = format!("linux/{arch}/v9");
    let (ours, other) = (store.image(&own, LAYER, ""), store.image(foreign(), LAYER, ""));
    let root = index(&[child(&other, MANIFEST, foreign()), child(&ours, MANIFEST, &own)]);
    let found = open(&mut store, &root, PlatformChoice::Default).unwrap();
    assert_eq!(platforms(&found), [own]);
}

#[test]
fn one_child_listed_twice_is_one_image() {
    let mut store = Store::default();
    let image = store.image("linux/s390x", LAYER, "");
    let other = store.image("linux/riscv64", LAYER, "");
    let root = index(&[
        child(&image, MANIFEST, "linux/s390x"),
        child(&other, MANIFEST, "linux/riscv64"),
        child(&image, MANIFEST, "linux/s390x"),
        child(&image, MANIFEST, "linux/386"),
        child(&image, MANIFEST, ""),
    ]);
    let found = open(&mut store, &root, PlatformChoice::All).unwrap();
    assert_eq!(platforms(&found), ["linux/s390x", "linux/riscv64"]);
}

#[test]
fn what_is_said_to_be_too_large_is_not_read() {
    let mut store = Store::default();
    let limits = Limits::default();
    let inner = store.put(&index(&[]));
    let image = store.image("linux/s390x", LAYER, "");
    let sized = |json: String, size: u64| json.replace(r#""size":5"#, &format!(r#""size":{size}"#));
    // A nested index, and a manifest that has to be read to know its platform.
    for (child, over) in [
        (child(&inner, INDEX, ""), true),
        (child(&image, MANIFEST, ""), true),
        (child(&image, MANIFEST, ""), false),
    ] {
        let root = index(&[sized(child, limits.manifest + u64::from(over))]);
        let before = store.reads.get();
        let found = open(&mut store, &root, PlatformChoice::All).unwrap();
        assert_eq!(
            found[0].as_ref().err().map(|(_, failure)| failure.code),
            over.then_some(Code::TooLarge)
        );
        assert_eq!(store.reads.get() == before, over);
    }
    let manifest = String::from_utf8(store.blobs[&image].clone()).unwrap();
    for over in [true, false] {
        let size = limits.config + u64::from(over);
        let root = manifest.replacen(r#""},"#, &format!(r#"","size":{size}}},"#), 1);
        assert_ne!(root, manifest);
        let found = open(&mut store, &root, PlatformChoice::Default);
        assert_eq!(
            found.err().map(|failure| failure.code),
            over.then_some(Code::TooLarge)
        );
    }
}

#[test]
fn an_absent_child_that_could_be_anything_is_no_mere_note() {
    let mut store = Store::default();
    let image = store.image("linux/s390x", LAYER, "");
    let with = |platform: &str| {
        index(&[
            child(&image, MANIFEST, "linux/s390x"),
            child(&absent(), MANIFEST, platform),
        ])
    };
    let found = open(&mut store, &with(""), PlatformChoice::All).unwrap();
    assert!(found[0].is_ok());
    assert_eq!(found[1].as_ref().unwrap_err().1.code, Code::NotFound);
    let found = open(&mut store, &with(""), exact("linux/s390x")).unwrap();
    let notes = &found[0].as_ref().unwrap().notes;
    assert!(
        notes.iter().any(|note| note.contains("cannot be read")),
        "{notes:?}"
    );
    // It may be the one that was asked for.
    let failure = open(&mut store, &with(""), exact("linux/riscv64")).unwrap_err();
    assert_eq!(failure.code, Code::NotFound);
    // Statements often are left behind.
    let found = open(&mut store, &with("unknown/unknown"), PlatformChoice::All).unwrap();
    let notes = &found[0].as_ref().unwrap().notes;
    assert!(
        found.len() == 1 && notes.iter().any(|note| note.contains("not there")),
        "{notes:?}"
    );
    let failure = open(&mut store, &with("unknown/unknown"), exact("linux/riscv64")).unwrap_err();
    assert_eq!(failure.code, Code::NoSuchPlatform);
}

#[test]
fn documents_that_are_said_to_be_too_large_are_not_fetched() {
    let read = |of: &str, cap: u64| {
        let mut store = Store::default();
        let config =
            store.put(r#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}"#);
        let size = |what: &str| if of == what { 9_999 } else { 5 };
        let image = store.put(&format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"{IMAGE_CONFIG}","digest":"{config}","size":{}}},"layers":[]}}"#,
            size("configuration")
        ));
        let root = index(&[format!(
            r#"{{"mediaType":"{MANIFEST}","digest":"{image}","size":{}}}"#,
            size("manifest")
        )]);
        let mut options = options(PlatformChoice::All);
        (options.limits.manifest, options.limits.config) = (cap, cap);
        let found = open_with(&mut store, &root, &options);
        let failure = match found {
            Ok(mut found) => found.remove(0).err().map(|(_, failure)| failure),
            Err(failure) => Some(failure),
        };
        (failure, store.reads.get())
    };
    for (of, reads) in [("manifest", 0), ("configuration", 1)] {
        assert_eq!(read(of, 9_999).0, None);
        let (failure, done) = read(of, 9_998);
        let failure = failure.unwrap();
        assert_eq!((failure.code, done), (Code::TooLarge, reads), "{failure}");
        let says = format!("the {of} has 9999 bytes (limit 9998)");
        assert!(failure.message.contains(&says), "{failure}");
    }
}
