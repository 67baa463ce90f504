//! Layers whose bytes are not those that the image names: the message says which layer, what was named and what came.

use std::{fs, path::Path};

use serde_json::json;

use crate::{
    process::run,
    support::{
        fault::{Server, serve},
        image::{TestImage, sha256},
    },
};

/// That a scan of `target` fails since layer 1 of `image` has `bytes` instead of its own.
#[track_caller]
fn told(target: &str, image: &TestImage, bytes: &[u8]) {
    let ran = run(&["scan", "-o", "json", target]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let error = &ran.json()["images"][0]["error"];
    assert_eq!(error["code"], "digest-mismatch", "{ran:?}");
    let message = error["message"].as_str().unwrap();
    let (wanted, came) = (sha256(&image.layers[1]), sha256(bytes));
    for part in [format!("layer 1 ({wanted})"), format!("hash to {came}")] {
        assert!(message.contains(&part), "no {part} in {message}");
    }
    assert!(!message.contains("layer 0"), "{message}");
}

/// The second layer of an image with one bit changed.
fn spoiled(image: &TestImage) -> Vec<u8> {
    let mut bytes = image.layers[1].clone();
    bytes[100] ^= 1;
    bytes
}

#[test]
fn of_a_registry() {
    let image = TestImage::plain();
    let (kept, wrong) = (image.clone(), sha256(&image.layers[1]));
    let server = Server::start(move |request| {
        let mut reply = serve(&kept, request);
        if request.path.contains(&wrong) {
            reply.body[100] ^= 1;
        }
        reply
    });
    told(&format!("{}/a:1", server.address), &image, &spoiled(&image));
}

#[test]
fn of_a_layout() {
    let image = TestImage::plain();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &image);
    let layer = sha256(&image.layers[1]).replace(':', "/");
    fs::write(folder.path().join("blobs").join(layer), spoiled(&image)).unwrap();
    told(
        &format!("oci:{}", folder.path().display()),
        &image,
        &spoiled(&image),
    );
}

/// Writes an image as an OCI layout.
fn write(folder: &Path, image: &TestImage) {
    fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
    let manifest = (sha256(&image.manifest), image.manifest.as_slice());
    for (digest, bytes) in image.blobs().chain([manifest]) {
        fs::write(folder.join("blobs").join(digest.replace(':', "/")), bytes).unwrap();
    }
    let descriptor = json!({
        "mediaType": image.media_type,
        "digest": sha256(&image.manifest),
        "size": image.manifest.len(),
    });
    let index = json!({ "schemaVersion": 2, "manifests": [descriptor] });
    fs::write(folder.join("index.json"), index.to_string()).unwrap();
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}
