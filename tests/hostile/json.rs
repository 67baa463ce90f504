//! JSON that two readers would understand differently, that is too deep, or that describes no image.

use crate::{
    case::{
        Case,
        Expect::{Compliant, Error},
    },
    support::image::{Files, Image, descriptor},
};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn config(name: &'static str, expect: crate::case::Expect, from: &'static str, to: &'static str) -> Case {
    Case::image("json", name, expect, move || {
        Image::default().config(move |text| text.replacen(from, to, 1).into_bytes())
    })
}

fn manifest(
    row: &'static str,
    name: &'static str,
    expect: crate::case::Expect,
    from: &'static str,
    to: &'static str,
) -> Case {
    Case::image(row, name, expect, move || {
        Image::default().manifest(move |text| text.replacen(from, to, 1).into_bytes())
    })
}

/// A layout whose `index.json` lists only `root`.
fn nested(files: &mut Files, root: &str) {
    let text = format!(r#"{{"schemaVersion":2,"manifests":[{root}]}}"#);
    files.set("index.json", text.into_bytes());
}

fn index_of(children: &[String]) -> Vec<u8> {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#,
        children.join(",")
    )
    .into_bytes()
}

/// An honest image below so many indexes, each of which lists the next `fan` times.
fn tower(height: usize, fan: usize) -> Files {
    let image = Image::default();
    let mut files = image.files();
    let mut child = descriptor(
        "application/vnd.oci.image.manifest.v1+json",
        &image.manifest_bytes(),
    );
    for _ in 0..height {
        let index = index_of(&vec![child; fan]);
        child = descriptor(INDEX, &index);
        files.blob(index);
    }
    nested(&mut files, &child);
    files
}

pub(crate) fn cases() -> Vec<Case> {
    let user = r#""User":"65532:65532""#;
    vec![
        config(
            "User twice",
            Error("ambiguous", &["User"]),
            user,
            r#""User":"0","User":"65532""#,
        )
        .beside(|| Image::default().user("10001:10001")),
        config(
            "User in two cases",
            Error("ambiguous", &["ser"]),
            user,
            r#""User":"65532","user":"0""#,
        ),
        config(
            "User with a long s",
            Error("ambiguous", &["ser"]),
            user,
            "\"User\":\"65532\",\"u\u{17f}er\":\"0\"",
        ),
        config(
            "User by escapes",
            Error("ambiguous", &["ser"]),
            user,
            r#""User":"65532","\u0055ser":"0""#,
        ),
        config(
            "config in two cases",
            Error("ambiguous", &["onfig"]),
            "\"rootfs\"",
            r#""Config":{"User":"0"},"rootfs""#,
        ),
        config(
            "User alone with a long s",
            Compliant(&["u\u{17f}er"]),
            "\"User\"",
            "\"u\u{17f}er\"",
        ),
        config(
            "User is a number",
            Error("corrupt", &["User"]),
            user,
            r#""User":0"#,
        ),
        config(
            "rootfs of another type",
            Error("corrupt", &["rootfs"]),
            r#""type":"layers""#,
            r#""type":"magic""#,
        ),
        config(
            "byte order mark",
            Error("corrupt", &["configuration"]),
            "{\"arch",
            "\u{feff}{\"arch",
        ),
        config(
            "text behind the value",
            Error("corrupt", &["configuration"]),
            "]}}",
            "]}} {}",
        ),
        config(
            "no JSON at all",
            Error("corrupt", &["configuration"]),
            "{\"architecture\"",
            "<html>",
        ),
        Case::image(
            "json",
            "nested 100,000 deep",
            Error("corrupt", &["configuration"]),
            || {
                Image::default().config(|text| {
                    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
                    text.replacen("{\"arch", &format!("{{\"x\":{deep},\"arch"), 1)
                        .into_bytes()
                })
            },
        )
        .beside(|| {
            Image::default().config(|text| {
                let deep = "[".repeat(100) + &"]".repeat(100);
                text.replacen("{\"arch", &format!("{{\"x\":{deep},\"arch"), 1)
                    .into_bytes()
            })
        }),
        manifest(
            "json",
            "layers twice",
            Error("ambiguous", &["layers"]),
            "\"layers\"",
            "\"layers\":[],\"layers\"",
        ),
        manifest(
            "json",
            "layers in two cases",
            Error("ambiguous", &["ayers"]),
            "\"layers\"",
            "\"Layers\":[],\"layers\"",
        ),
        manifest(
            "json",
            "digest in two cases",
            Error("ambiguous", &["igest"]),
            "\"digest\"",
            "\"Digest\":\"\",\"digest\"",
        ),
        manifest(
            "json",
            "both an index and an image",
            Error("ambiguous", &["manifests"]),
            "\"layers\"",
            "\"manifests\":[],\"layers\"",
        ),
        manifest(
            "json",
            "schemaVersion 3",
            Error("corrupt", &["schemaVersion"]),
            "\"schemaVersion\":2",
            "\"schemaVersion\":3",
        ),
        manifest(
            "json",
            "media type of another kind",
            Error("corrupt", &["manifest"]),
            "vnd.oci.image.manifest.v1",
            "vnd.oci.image.index.v1",
        ),
        manifest(
            "not an image",
            "schema 1",
            Error("not-an-image", &["schema 1"]),
            "\"schemaVersion\":2",
            "\"schemaVersion\":1",
        ),
        manifest(
            "not an image",
            "Helm chart",
            Error("not-an-image", &["Helm"]),
            "vnd.oci.image.config.v1",
            "vnd.cncf.helm.config.v1",
        ),
        manifest(
            "not an image",
            "software bill of materials",
            Error("not-an-image", &["bill of materials"]),
            "vnd.oci.image.config.v1+json",
            "spdx+json",
        )
        .beside(|| {
            Image::default().manifest(|text| {
                text.replacen("\"layers\"", "\"annotations\":{\"a\":\"b\"},\"layers\"", 1)
                    .into_bytes()
            })
        }),
        manifest(
            "not an image",
            "configuration of unknown type",
            Error("not-an-image", &["config"]),
            "vnd.oci.image.config.v1",
            "vnd.example.x",
        ),
        config(
            "Windows",
            Error("unsupported-platform", &["indows"]),
            "\"linux\"",
            "\"windows\"",
        ),
        Case::files(
            "index",
            "index that lists itself by a wrong digest",
            Error("digest-mismatch", &["sha256:dddd"]),
            || {
                let mut files = Files::default();
                let digest = format!("sha256:{}", "d".repeat(64));
                let index = index_of(&[format!(
                    r#"{{"mediaType":"{INDEX}","digest":"{digest}","size":4}}"#
                )]);
                let own = format!(
                    r#"{{"mediaType":"{INDEX}","digest":"{digest}","size":{}}}"#,
                    index.len()
                );
                files.named(&digest, index);
                files.set("oci-layout", b"{}".to_vec());
                nested(&mut files, &own);
                files
            },
        ),
        Case::files(
            "index",
            "ten to the thirty paths to one image",
            Error("too-large", &["index"]),
            || tower(30, 10),
        )
        .beside_scenes(|directory| crate::case::forms(directory, &tower(5, 1))),
        Case::files(
            "index",
            "seven levels of a thousand equal children",
            Compliant(&[]),
            || tower(6, 1_000),
        ),
        Case::files(
            "index",
            "20,000 manifests in one index",
            Error("too-large", &["10000"]),
            || {
                let mut files = Image::default().files();
                let child = format!(
                    r#"{{"mediaType":"{INDEX}","digest":"sha256:{}","size":4}}"#,
                    "e".repeat(64)
                );
                let index = index_of(&vec![child; 20_000]);
                let root = descriptor(INDEX, &index);
                files.blob(index);
                nested(&mut files, &root);
                files
            },
        ),
        Case::files("index", "index of no images", Error("not-an-image", &[]), || {
            let mut files = Image::default().files();
            nested(&mut files, "");
            files
        }),
        Case::files(
            "index",
            "inline data of another digest",
            Error("digest-mismatch", &["inline"]),
            || {
                Image::default()
                    .index(|text| {
                        text.replacen("\"size\"", "\"data\":\"e30=\",\"size\"", 1)
                            .into_bytes()
                    })
                    .files()
            },
        ),
    ]
}
