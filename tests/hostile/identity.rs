//! Bytes that are not what a digest, a size or a diff ID promises.

use crate::{
    case::{
        Case,
        Expect::{Denied, Error, Gap, Refused},
        Scene,
    },
    support::{
        codec::gzip,
        elf,
        image::{Files, Image, Layer, honest, sha256},
        tar::Tar,
    },
};

fn second(change: impl Fn(&mut Layer)) -> Image {
    let mut layer = Layer::new(Tar::default().file("data", b"some data").end());
    change(&mut layer);
    Image::with(layer)
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::image(
            "identity",
            "layer of another digest",
            Error("digest-mismatch", &["layer"]),
            || second(|layer| layer.bytes[700] ^= 1),
        )
        .beside(|| second(|_| {})),
        Case::image(
            "identity",
            "layer of 64 equal hex digits",
            Error("digest-mismatch", &["sha256:aaaa"]),
            || second(|layer| layer.digest = format!("sha256:{}", "a".repeat(64))),
        ),
        Case::image(
            "stated size",
            "layer shorter than stated",
            Error("digest-mismatch", &["bytes"]),
            || second(|layer| layer.size = (layer.bytes.len() + 1).to_string()),
        )
        .beside(|| second(|_| {})),
        Case::image(
            "stated size",
            "layer longer than stated",
            Error("digest-mismatch", &["bytes"]),
            || second(|layer| layer.size = (layer.bytes.len() - 512).to_string()),
        ),
        Case::image(
            "stated size",
            "layer of negative size",
            Error("corrupt", &["size"]),
            || second(|layer| layer.size = "-1".into()),
        ),
        Case::image(
            "stated size",
            "layer of 8 EiB",
            Error("digest-mismatch", &["9223372036854775807"]),
            || second(|layer| layer.size = i64::MAX.to_string()),
        ),
        Case::image(
            "stated size",
            "layer of size 1e3",
            Error("corrupt", &["size"]),
            || second(|layer| layer.size = "1e3".into()),
        ),
        Case::image(
            "identity",
            "layer that is not there",
            Refused(&["sha256:", "not there"]),
            || second(|layer| layer.absent = true),
        ),
        Case::image("identity", "digest by md5", Error("corrupt", &["md5"]), || {
            second(|layer| layer.digest = format!("md5:{}", "a".repeat(32)))
        }),
        Case::image(
            "identity",
            "digest in upper case",
            Error("corrupt", &["digest"]),
            || second(|layer| layer.digest = layer.digest.to_uppercase().replace("SHA", "sha")),
        ),
        Case::image(
            "identity",
            "digest that climbs out",
            Error("corrupt", &["digest"]),
            || {
                second(|layer| {
                    layer.digest = "sha256:../../../../etc/passwd".into();
                    layer.absent = true;
                })
            },
        ),
        Case::image(
            "identity",
            "digest cut short",
            Error("corrupt", &["digest"]),
            || second(|layer| layer.digest = "sha256:abcd".into()),
        ),
        Case::files(
            "identity",
            "manifest of another digest",
            Error("digest-mismatch", &["sha256:"]),
            || {
                let image = Image::default();
                let mut files = image.files();
                let mut manifest = image.manifest_bytes();
                let digest = sha256(&manifest);
                manifest.push(b' ');
                files.named(&digest, manifest);
                files
            },
        ),
        Case::files(
            "identity",
            "configuration of another digest",
            Error("digest-mismatch", &["configuration"]),
            || {
                let image = Image::default();
                let mut files = image.files();
                let root = image.config_bytes();
                let other = String::from_utf8(root.clone())
                    .unwrap()
                    .replace("65532:65532", "10000:10000");
                files.named(&sha256(&root), other.into_bytes());
                files
            },
        )
        .beside(|| Image::default().user("10000:10000")),
        Case::files(
            "identity",
            "configuration that is not there",
            Error("not-found", &["configuration"]),
            || {
                let image = Image::default();
                let mut files = image.files();
                let config = sha256(&image.config_bytes()).replacen(':', "/", 1);
                files.0.remove(&format!("blobs/{config}"));
                files
            },
        ),
        Case::scenes(
            "identity",
            "wrong diff id is noticed when asked for",
            Error("digest-mismatch", &["layer 1"]),
            |directory| {
                let image = second(|layer| layer.diff_id = format!("sha256:{}", "b".repeat(64)));
                image.files().write(&directory.join("layout"));
                let mut scene = Scene::at("oci:layout");
                scene.words.push("--verify-diff-ids".into());
                vec![scene]
            },
        )
        .beside_scenes(|directory| {
            second(|_| {}).files().write(&directory.join("layout"));
            let mut scene = Scene::at("oci:layout");
            scene.words.push("--verify-diff-ids".into());
            vec![scene]
        }),
        Case::image(
            "layers",
            "fewer diff ids than layers",
            Error("corrupt", &["2 layers"]),
            || {
                second(|_| {}).config(|text| {
                    let cut = text.rfind(",\"sha256").unwrap();
                    format!("{}]}}}}", &text[..cut]).into_bytes()
                })
            },
        ),
        Case::image("layers", "blob of no bytes", Gap(&["layer 1", "empty"]), || {
            Image::with_tar(Vec::new())
        })
        .beside(|| Image::with_tar(vec![0; 1024])),
        Case::image(
            "layers",
            "layer that is a web page",
            Gap(&["layer 1", "neither tar"]),
            || Image::with_tar(b"<!DOCTYPE html><html><title>502 Bad Gateway</title></html>".to_vec()),
        ),
        Case::image(
            "layers",
            "layer that is JSON",
            Gap(&["layer 1", "neither tar"]),
            || Image::with_tar(br#"{"errors":[{"code":"DENIED"}]}"#.to_vec()),
        ),
        Case::image(
            "layers",
            "media type says gzip of a plain shell",
            Denied(&["shell"]),
            || {
                let mut layer = Layer::new(Tar::default().file("data", &elf::shell()).end());
                layer.media_type += "+gzip";
                Image::with(layer)
            },
        ),
        Case::image(
            "layers",
            "media type says plain of a gzipped shell",
            Denied(&["shell"]),
            || {
                let tar = Tar::default().file("data", &elf::shell()).end();
                Image::with(Layer {
                    diff_id: sha256(&tar),
                    ..Layer::new(gzip(&tar))
                })
            },
        ),
        Case::image("layers", "media type is nonsense", Denied(&["shell"]), || {
            let mut layer = Layer::new(Tar::default().file("data", &elf::shell()).end());
            layer.media_type = "text/plain".into();
            Image::with(layer)
        })
        .beside(|| second(|layer| layer.media_type = "text/plain".into())),
        Case::image(
            "layers",
            "foreign layer with addresses",
            Refused(&["sha256:", "not there"]),
            || {
                second(|layer| {
                    layer.media_type = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip".into();
                    layer.more = r#","urls":["http://127.0.0.1:9/layer","file:///etc/passwd"]"#.into();
                    layer.absent = true;
                })
            },
        )
        .beside(|| {
            second(|layer| {
                layer.media_type = "application/vnd.oci.image.layer.nondistributable.v1.tar".into();
                layer.more = r#","urls":["http://127.0.0.1:9/layer"]"#.into();
            })
        }),
        Case::image(
            "layers",
            "one layer listed 1,000 times",
            Denied(&["shell"]),
            || {
                let layer = Layer::new(honest().file("bin/x", &elf::shell()).end());
                Image::of(vec![layer; 1_000])
            },
        )
        .beside(|| Image::of(vec![Layer::new(honest().end()); 1_000])),
        Case::image(
            "layers",
            "100,000 layers",
            Error("too-large", &["layers", "1024"]),
            || {
                Image::default().manifest(|text| {
                    let one = format!(r#"{{"digest":"sha256:{}","size":1}}"#, "c".repeat(64));
                    let many = vec![one; 40_000].join(",");
                    text.replace("\"layers\":[", &format!("\"layers\":[{many},"))
                        .into_bytes()
                })
            },
        ),
        Case::image("layers", "no layers at all", Denied(&["missing-program"]), || {
            Image::of(Vec::new())
        }),
        Case::files(
            "stated size",
            "manifest of 8 MiB",
            Error("too-large", &["4194304"]),
            || {
                Image::default()
                    .manifest(|text| (text + &" ".repeat(8 << 20)).into_bytes())
                    .files()
            },
        )
        .beside(|| Image::default().manifest(|text| (text + &" ".repeat(3 << 20)).into_bytes())),
        Case::files(
            "stated size",
            "configuration of 8 MiB",
            Error("too-large", &["configuration", "4194304"]),
            || {
                Image::default()
                    .config(|text| (text + &" ".repeat(8 << 20)).into_bytes())
                    .files()
            },
        )
        .beside(|| Image::default().config(|text| (text + &" ".repeat(3 << 20)).into_bytes())),
        Case::files(
            "stated size",
            "index of 8 MiB",
            Error("too-large", &["index.json"]),
            || {
                Image::default()
                    .index(|text| (text + &" ".repeat(8 << 20)).into_bytes())
                    .files()
            },
        ),
        Case::files("identity", "empty layout", Error("not-an-image", &[]), || {
            let mut files = Files::default();
            files.set("oci-layout", b"{}".to_vec());
            files
        }),
    ]
}
