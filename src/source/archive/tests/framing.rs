//! Archives that two readers would take for two images: what Go's reader sees, with which others load them, is what counts.

use super::*;

/// A header of the dialect that `magic` names; its checksum is right.
fn header(name: &[u8], flag: u8, size: usize, change: impl Fn(&mut [u8; 512])) -> Vec<u8> {
    let mut block = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| {
        block[at..at + bytes.len()].copy_from_slice(bytes);
    };
    put(0, name);
    for (at, field) in [(100, "0000644\0"), (108, "0000000\0"), (116, "0000000\0")] {
        put(at, field.as_bytes());
    }
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0        ");
    put(156, &[flag]);
    put(257, b"ustar\x0000");
    change(&mut block);
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block.to_vec()
}

fn plain(name: &str, flag: u8, body: &[u8]) -> Vec<u8> {
    [header(name.as_bytes(), flag, body.len(), |_| {}), filled(body)].concat()
}

/// Bytes filled up to the block.
fn filled(body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(512), 0);
    body
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let record = |(key, value): &(&str, &str)| {
        let rest = key.len() + value.len() + 3;
        let length = (rest..rest + 9).find(|length| *length == rest + length.to_string().len());
        format!("{} {key}={value}\n", length.unwrap())
    };
    plain(
        "pax",
        b'x',
        records.iter().map(record).collect::<String>().as_bytes(),
    )
}

/// An image that runs as this user, its configuration under a name that promises no digest; without the end of the archive.
fn image(user: &'static str) -> (Vec<u8>, Vec<u8>) {
    let made = Made::new("one:1", user, &["a"]);
    let listing = br#"[{"Config":"d/config.json","RepoTags":["one:1"],"Layers":["a.tar"]}]"#;
    let mut sample = Sample::default();
    sample.add("a.tar", &layer("a"));
    sample.add("d/config.json", &made.config());
    sample.add("manifest.json", listing);
    let mut tar = sample.to_tar();
    tar.truncate(tar.len() - 1024);
    (tar, made.config())
}

fn end() -> Vec<u8> {
    vec![0; 1024]
}

fn users(tar: &[u8]) -> Vec<Result<Vec<String>, Code>> {
    let seen = every_way(tar).into_iter();
    seen.map(|seen| {
        let users = |seen: Seen| {
            seen.images()
                .iter()
                .map(|it| it.config.as_ref().unwrap().user.clone())
                .collect()
        };
        seen.map(users).map_err(|failure| failure.code)
    })
    .collect()
}

#[test]
fn a_file_named_like_a_directory_has_a_body() {
    let (honest, _) = image("1");
    let (other, _) = image("0");
    let decoy = [honest, end()].concat();
    let tar = [plain("x/", b'0', &decoy), other, end()].concat();
    assert_eq!(users(&tar), vec![Ok(vec!["0".to_owned()]); 4]);
    // Of the old type it is a directory, which has none.
    let tar = [header(b"x/", 0, 1024, |_| {}), image("0").0, end()].concat();
    assert_eq!(users(&tar), vec![Ok(vec!["0".to_owned()]); 4]);
}

#[test]
fn a_name_that_only_go_reads_is_the_name() {
    let (honest, _) = image("1");
    let (_, config) = image("0");
    let listing = br#"[{"Config":"e.json","RepoTags":["one:1"],"Layers":["a.tar"]}]"#;
    let size = listing.len().to_string();
    let sparse = [
        ("GNU.sparse.numblocks", "1"),
        ("GNU.sparse.map", &format!("0,{size}")),
        ("GNU.sparse.size", &size),
        ("GNU.sparse.name", "manifest.json"),
    ];
    let named = |more: Vec<u8>, name: &[u8], flag: u8, body: &[u8], change: &dyn Fn(&mut [u8; 512])| {
        [more, header(name, flag, body.len(), change), filled(body)].concat()
    };
    let over = |at: usize, bytes: &'static [u8]| {
        move |block: &mut [u8; 512]| block[at..at + bytes.len()].copy_from_slice(bytes)
    };
    for (what, last) in [
        // A global header uses up the one before it.
        (
            "global",
            [
                pax(&[("path", "decoy")]),
                plain("g", b'g', b"13 comment=a\n"),
                plain("manifest.json", b'0', listing),
            ]
            .concat(),
        ),
        ("sparse", named(pax(&sparse), b"decoy", b'0', listing, &|_| {})),
        (
            "unknown type",
            named(Vec::new(), b"manifest.json", b'Z', listing, &|_| {}),
        ),
        (
            "prefix of another version",
            named(Vec::new(), b"config.json", b'0', &config, &|block| {
                over(263, b"xx")(block);
                over(345, b"d")(block);
            }),
        ),
        (
            "prefix in an old GNU header",
            named(Vec::new(), b"config.json", b'0', &config, &|block| {
                over(257, b"ustar  \0")(block);
                over(345, b"d")(block);
            }),
        ),
        (
            "below a link",
            [
                header(b"l", b'2', 0, over(157, b"d")),
                plain("l/config.json", b'0', &config),
            ]
            .concat(),
        ),
    ] {
        let tar = [honest.clone(), last, end()].concat();
        assert_eq!(users(&tar), vec![Err(Code::Ambiguous); 4], "{what}");
    }
}

#[test]
fn a_sparse_listing_makes_no_root_file_system() {
    let records = [
        ("GNU.sparse.numblocks", "1"),
        ("GNU.sparse.map", "0,2"),
        ("GNU.sparse.size", "2"),
    ];
    let listing = [pax(&records), plain("manifest.json", b'0', b"[]")].concat();
    let tar = [plain("etc/x", b'0', b""), listing, end()].concat();
    assert_eq!(users(&tar), vec![Err(Code::Ambiguous); 4]);
}

#[test]
fn a_sparse_listing_is_refused_wherever_it_stands() {
    let listing = br#"[{"Config":"d/config.json","RepoTags":["one:1"],"Layers":["a.tar"]}]"#;
    let size = listing.len().to_string();
    let map = format!("0,{size}");
    let records = [
        ("GNU.sparse.numblocks", "1"),
        ("GNU.sparse.map", &map),
        ("GNU.sparse.size", &size),
    ];
    let made = Made::new("one:1", "1", &["a"]);
    let mut sample = Sample::default();
    sample.add("a.tar", &layer("a"));
    sample.add("d/config.json", &made.config());
    let mut start = sample.to_tar();
    start.truncate(start.len() - 1024);
    let whole = [start.clone(), plain("manifest.json", b'0', listing), end()].concat();
    assert_eq!(users(&whole), vec![Ok(vec!["1".to_owned()]); 4]);
    let sparse = [start, pax(&records), plain("manifest.json", b'0', listing), end()].concat();
    assert_eq!(users(&sparse), vec![Err(Code::Ambiguous); 4]);
}

#[test]
fn one_block_of_zeros_is_no_end() {
    let (honest, _) = image("1");
    let (other, _) = image("0");
    let two = [honest.clone(), vec![0; 512], other].concat();
    assert_eq!(users(&two), vec![Err(Code::Corrupt); 4]);
    for blocks in 0..4 {
        let tar = [honest.clone(), vec![0; blocks * 512]].concat();
        assert_eq!(users(&tar), vec![Ok(vec!["1".to_owned()]); 4], "{blocks}");
    }
}

#[test]
fn a_layer_that_looks_like_json_is_verified_too() {
    let mut sample = Sample::oci(&[Made::new("one:1", "1", &["{}"])]);
    sample.damage(0);
    for seen in every_way(&sample.to_tar()) {
        let seen = seen.unwrap();
        let failure = first_failure(seen);
        assert_eq!(failure.code, Code::DigestMismatch, "{failure}");
    }
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
