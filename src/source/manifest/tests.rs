//! Tests of manifests, indexes and configurations.

use super::*;

const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

fn point(media_type: &str) -> String {
    format!(r#"{{"mediaType":"{media_type}","digest":"{DIGEST}","size":2}}"#)
}

fn manifest(config: &str, layer: &str, more: &str) -> String {
    format!(
        r#"{{"schemaVersion":2,"config":{},"layers":[{}]{more}}}"#,
        point(config),
        point(layer)
    )
}

fn read(json: &str, stated: Option<&str>) -> failure::Result<Document> {
    parse(json.as_bytes(), stated, &Limits::default(), &mut Vec::new())
}

fn code(json: &str, stated: Option<&str>) -> Code {
    read(json, stated).unwrap_err().code
}

#[test]
fn a_manifest_is_read_with_or_without_its_type() {
    for (own, stated) in [
        ("", None),
        ("", Some(OCI_MANIFEST)),
        (OCI_MANIFEST, None),
        (
            DOCKER_MANIFEST,
            Some("application/vnd.docker.distribution.manifest.v2+json; charset=utf-8"),
        ),
        (OCI_MANIFEST, Some("application/json")),
    ] {
        let more = if own.is_empty() {
            String::new()
        } else {
            format!(r#","mediaType":"{own}""#)
        };
        let Document::Manifest(manifest) = read(&manifest(CONFIG, LAYER, &more), stated).unwrap() else {
            panic!("{own} is an index")
        };
        assert_eq!((manifest.layers.len(), manifest.config.size), (1, Some(2)));
        manifest.expect_image().unwrap();
    }
}

#[test]
fn confusion_of_types_is_refused() {
    let both = manifest(CONFIG, LAYER, r#","manifests":[]"#);
    assert_eq!(code(&both, None), Code::Ambiguous);
    let plain = manifest(CONFIG, LAYER, "");
    assert_eq!(code(&plain, Some(OCI_INDEX)), Code::Corrupt);
    let with_parameters = format!("{OCI_INDEX} ; charset=utf-8");
    assert_eq!(code(&plain, Some(&with_parameters)), Code::Corrupt);
    let typed = manifest(CONFIG, LAYER, &format!(r#","mediaType":"{OCI_MANIFEST}""#));
    assert_eq!(code(&typed, Some(DOCKER_MANIFEST)), Code::Corrupt);
    let index = format!(r#"{{"schemaVersion":2,"manifests":[],"mediaType":"{OCI_MANIFEST}"}}"#);
    assert_eq!(code(&index, None), Code::Corrupt);
    assert_eq!(code(r#"{"schemaVersion":2}"#, None), Code::Corrupt);
    assert_eq!(code(&plain.replace(":2,", ":3,"), None), Code::Corrupt);
}

#[test]
fn an_index_may_have_null_manifests() {
    let json = r#"{"schemaVersion":2,"manifests":null}"#;
    assert_eq!(read(json, Some(OCI_INDEX)).unwrap(), Document::Index(vec![]));
}

#[test]
fn schema_1_is_refused_with_advice() {
    for json in [
        r#"{"schemaVersion":1,"name":"a","fsLayers":[]}"#,
        r#"{"schemaVersion":2,"fsLayers":[]}"#,
        r#"{"schemaVersion":1}"#,
    ] {
        let failure = read(json, None).unwrap_err();
        assert_eq!(failure.code, Code::NotAnImage);
        assert!(failure.advice.unwrap().contains("skopeo copy"));
    }
    let signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    assert_eq!(code(r#"{"schemaVersion":2}"#, Some(signed)), Code::NotAnImage);
}

#[test]
fn what_is_no_image_is_called_by_its_name() {
    let empty = "application/vnd.oci.empty.v1+json";
    for (config, layer, artifact, name) in [
        (
            "application/vnd.cncf.helm.config.v1+json",
            "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
            "",
            "Helm",
        ),
        (
            CONFIG,
            "application/vnd.dev.cosign.simplesigning.v1+json",
            "",
            "cosign",
        ),
        (CONFIG, "application/vnd.in-toto+json", "", "in-toto"),
        (empty, "application/sarif+json", "", "SARIF"),
        (empty, empty, "application/spdx+json", "SPDX"),
        (
            "application/vnd.wasm.config.v0+json",
            "application/wasm",
            "",
            "WebAssembly",
        ),
        ("application/vnd.cncf.flux.config.v1+json", LAYER, "", "Flux"),
        (
            empty,
            "application/x-thing",
            "application/vnd.acme.thing",
            "vnd.acme.thing",
        ),
        ("application/octet-stream", LAYER, "", "octet-stream"),
        ("", LAYER, "", "configuration of type ``"),
    ] {
        let json = manifest(config, layer, &format!(r#","artifactType":"{artifact}""#));
        let Document::Manifest(manifest) = read(&json, None).unwrap() else {
            panic!("{json}")
        };
        let failure = manifest.expect_image().unwrap_err();
        assert_eq!(failure.code, Code::NotAnImage);
        assert!(failure.message.contains(name), "{name}: {failure}");
    }
    let marked = manifest(CONFIG, LAYER, r#","artifactType":"application/spdx+json""#);
    let Document::Manifest(marked) = read(&marked, None).unwrap() else {
        panic!()
    };
    marked.expect_image().unwrap();
}

#[test]
fn descriptors_are_checked() {
    let plain = manifest(CONFIG, LAYER, "");
    assert_eq!(
        code(&plain.replace(r#""size":2"#, r#""size":-1"#), None),
        Code::Corrupt
    );
    assert_eq!(
        code(&plain.replace(r#""size":2"#, r#""size":2.0"#), None),
        Code::Corrupt
    );
    assert_eq!(code(&plain.replace("sha256:", "md5:"), None), Code::Corrupt);
    assert_eq!(
        code(&plain.replace("sha256:44136fa", "sha256:44136FA"), None),
        Code::Corrupt
    );
    let with = |data: &str| plain.replacen(r#""size":2"#, &format!(r#""size":2,"data":"{data}""#), 1);
    let Document::Manifest(manifest) = read(&with("e30="), None).unwrap() else {
        panic!()
    };
    assert_eq!(manifest.config.data.as_deref(), Some(b"{}".as_slice()));
    assert_eq!(code(&with("W10="), None), Code::DigestMismatch);
    assert_eq!(code(&with("e30K"), None), Code::DigestMismatch);
    assert_eq!(code(&with("%"), None), Code::Corrupt);
}

#[test]
fn caps_hold() {
    let limits = Limits {
        manifest: 100,
        layers: 0,
        descriptors: 0,
        config: 1,
        ..Limits::default()
    };
    let json = manifest(CONFIG, LAYER, "");
    let read = |json: &str, limits: &Limits| {
        parse(json.as_bytes(), None, limits, &mut Vec::new())
            .unwrap_err()
            .code
    };
    assert_eq!(read(&json, &limits), Code::TooLarge);
    let small = Limits {
        manifest: json.len() as u64 - 1,
        ..Limits::default()
    };
    assert_eq!(read(&json, &small), Code::TooLarge);
    let limits = Limits {
        manifest: 10_000,
        ..limits
    };
    assert_eq!(read(&json, &limits), Code::TooLarge);
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, point(OCI_MANIFEST));
    assert_eq!(read(&index, &limits), Code::TooLarge);
    assert_eq!(
        parse_config(b"{}", &limits, &mut Vec::new()).unwrap_err().code,
        Code::TooLarge
    );
}

#[test]
fn a_configuration_is_read_as_runtimes_read_it() {
    let json = format!(
        r#"{{"architecture":"aarch64","os":"linux","variant":"v8","extra":[1],
        "config":{{"User":"65532","Entrypoint":["/app"],"Cmd":null,"Env":["A=b",null],"WorkingDir":"/w",
          "ExposedPorts":{{"80/tcp":{{}},"22/tcp":{{}}}},"Volumes":null,"Labels":{{"a":"1","A":"2"}},
          "Healthcheck":{{"Test":["CMD","/h"],"Interval":1e3}}}},
        "rootfs":{{"type":"layers","diff_ids":["{DIGEST}"]}},
        "history":[{{"created_by":"COPY"}},{{"comment":"c","empty_layer":true}},null]}}"#
    );
    let mut notes = Vec::new();
    let (platform, config) = parse_config(json.as_bytes(), &Limits::default(), &mut notes).unwrap();
    assert_eq!(platform.unwrap().to_string(), "linux/arm64");
    assert_eq!(
        (config.user.as_str(), config.working_dir.as_str()),
        ("65532", "/w")
    );
    assert_eq!((config.entrypoint, config.cmd), (vec!["/app".to_owned()], vec![]));
    assert_eq!(config.env, ["A=b", ""]);
    assert_eq!(config.exposed_ports, ["22/tcp", "80/tcp"]);
    assert_eq!(config.labels.len(), 2);
    assert_eq!(config.healthcheck, ["CMD", "/h"]);
    assert_eq!(config.diff_ids.len(), 1);
    assert_eq!(config.history.len(), 3);
    assert!(config.history[1].empty_layer && notes.is_empty(), "{notes:?}");
}

#[test]
fn one_text_is_a_command_of_one_word() {
    let json = r#"{"os":"linux","architecture":"amd64","config":{"Entrypoint":"/bin/sh -c x","Cmd":"y"}}"#;
    let (_, config) = parse_config(json.as_bytes(), &Limits::default(), &mut Vec::new()).unwrap();
    assert_eq!(
        (config.entrypoint, config.cmd),
        (vec!["/bin/sh -c x".to_owned()], vec!["y".to_owned()])
    );
}

#[test]
fn a_configuration_that_misleads_is_refused() {
    let code = |json: &str| {
        parse_config(json.as_bytes(), &Limits::default(), &mut Vec::new())
            .unwrap_err()
            .code
    };
    assert_eq!(
        code(r#"{"architecture":"amd64","config":{"User":"1000","uſer":"0"}}"#),
        Code::Ambiguous
    );
    assert_eq!(
        code(r#"{"architecture":"amd64","config":{},"Config":{"User":"0"}}"#),
        Code::Ambiguous
    );
    assert_eq!(
        code(r#"{"os":"Windows","architecture":"amd64"}"#),
        Code::UnsupportedPlatform
    );
    assert_eq!(code(r#"{"rootfs":{"type":"other"}}"#), Code::Corrupt);
    assert_eq!(code(r#"{"config":{"Env":{}}}"#), Code::Corrupt);
    let mut notes = Vec::new();
    let (_, config) = parse_config(
        br#"{"os":"linux","architecture":"amd64","config":{"user":"0"}}"#,
        &Limits::default(),
        &mut notes,
    )
    .unwrap();
    assert_eq!((config.user.as_str(), notes.len()), ("0", 1));
}

#[test]
fn caps_are_named() {
    let three = |list: &str, one: &str, rest: &str| {
        format!(r#"{{"schemaVersion":2,"{list}":[{one},{one},{one}]{rest}}}"#)
    };
    let image = three(
        "layers",
        &point(LAYER),
        &format!(r#","config":{}"#, point(CONFIG)),
    );
    let index = three("manifests", &point(OCI_MANIFEST), "");
    let limits = |change: fn(&mut Limits, usize), to: usize| {
        let mut limits = Limits::default();
        change(&mut limits, to);
        limits
    };
    let layers = |limits: &mut Limits, to: usize| limits.layers = to;
    let children = |limits: &mut Limits, to: usize| limits.descriptors = to;
    let bytes = |limits: &mut Limits, to: usize| limits.manifest = to as u64;
    for (json, change, most, says) in [
        (
            &image,
            layers as fn(&mut Limits, usize),
            3,
            "the manifest has 3 layers (limit 2)".to_owned(),
        ),
        (
            &index,
            children,
            3,
            "the index lists 3 manifests (limit 2)".to_owned(),
        ),
        (&image, bytes, image.len(), format!("(limit {})", image.len() - 1)),
    ] {
        let read = |limits: &Limits| parse(json.as_bytes(), None, limits, &mut Vec::new());
        read(&limits(change, most)).unwrap();
        let failure = read(&limits(change, most - 1)).unwrap_err();
        assert_eq!(failure.code, Code::TooLarge);
        assert!(failure.message.contains(&says), "{failure}");
    }
    let config = br#"{"os":"linux","architecture":"amd64"}"#;
    let read = |config_cap: u64| {
        let limits = Limits {
            config: config_cap,
            ..Limits::default()
        };
        parse_config(config, &limits, &mut Vec::new())
    };
    read(config.len() as u64).unwrap();
    let failure = read(config.len() as u64 - 1).unwrap_err();
    assert_eq!(failure.code, Code::TooLarge);
    assert!(
        failure.message.contains(&format!("(limit {})", config.len() - 1)),
        "{failure}"
    );
}
