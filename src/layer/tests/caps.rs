//! A cap that is hit is named with its number, in a gap of the layer or in the error that ends it.

use super::*;

/// What the only gap says of a layer read with these limits.
#[track_caller]
fn gap(blob: &[u8], limits: &Limits) -> String {
    let got = read_with(blob, &[Want::Below("/")], limits).unwrap();
    assert_eq!(got.gaps.len(), 1, "{:?}", got.gaps);
    got.gaps[0].why.clone()
}

fn three() -> Tar {
    Tar::default()
        .file("aaaa", b"x")
        .file("bbbb", b"x")
        .file("cccc", b"x")
}

#[test]
fn each_gap_names_its_cap() {
    let default = Limits::default;
    let long = |flag: u8, tar: &Tar| {
        let name = [b"n".repeat(30), b"/m".repeat(10)].concat();
        Tar::default().extension(flag, &name).raw(&tar.0).end()
    };
    let link = Tar::default().member(Head::new(b'2', b"x", 0), b"");
    let file = Tar::default().file("x", b"");
    for (blob, limits, says) in [
        (
            three().end(),
            Limits {
                members: 2,
                ..default()
            },
            "members (limit 2)",
        ),
        (
            three().end(),
            Limits {
                names: 11,
                ..default()
            },
            "names (limit 11)",
        ),
        (
            three().end(),
            Limits {
                layer: 2048,
                ..default()
            },
            "limit 2048 bytes uncompressed",
        ),
        (
            [gzip(b""), gzip(b""), gzip(&three().end())].concat(),
            Limits {
                frames: 2,
                ..default()
            },
            "members or frames (limit 2)",
        ),
        (
            [skippable(b""), skippable(b""), zstd_frame(&three().end())].concat(),
            Limits {
                frames: 2,
                ..default()
            },
            "members or frames (limit 2)",
        ),
        (
            long(b'L', &file),
            Limits {
                path: 49,
                ..default()
            },
            "a path longer than 49 bytes",
        ),
        (
            long(b'L', &file),
            Limits {
                component: 29,
                ..default()
            },
            "a component longer than 29 bytes",
        ),
        (
            long(b'K', &link),
            Limits {
                path: 49,
                ..default()
            },
            "`x` is longer than 49 bytes",
        ),
        (
            Tar::default().file("passwd", b"root").end(),
            Limits {
                kept_file: 3,
                ..default()
            },
            "cut after 3 bytes (limit 3 bytes of one file)",
        ),
        (
            Tar::default().file("passwd", b"root").end(),
            Limits {
                kept_layer: 3,
                ..default()
            },
            "cut after 3 bytes (limit 3 bytes of all such files of a layer)",
        ),
    ] {
        let why = gap(&blob, &limits);
        assert!(why.contains(says), "{says}: {why}");
    }
}

#[test]
fn a_wide_zstd_window_is_refused_by_its_number() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.window_log(20).unwrap();
    io::Write::write_all(&mut encoder, &three().end()).unwrap();
    let blob = encoder.finish().unwrap();
    let read = |zstd_window_log: u32| {
        let limits = Limits {
            zstd_window_log,
            ..Limits::default()
        };
        read_with(&blob, &[], &limits)
    };
    assert_eq!(read(20).unwrap().entries.len(), 3);
    let failure = read(19).unwrap_err();
    assert_eq!(failure.code, Code::TooLarge);
    assert!(failure.message.contains("above 2^19 bytes"), "{failure}");
}

#[test]
fn facts_of_one_layer_are_refused_by_their_number() {
    let limits = |facts: usize| Limits {
        facts,
        ..Limits::default()
    };
    let entries = 3 * (size_of::<Entry>() + "aaaa".len());
    assert!(read_with(&three().end(), &[], &limits(entries)).is_ok());
    let failure = read_with(&three().end(), &[], &limits(entries - 1)).unwrap_err();
    assert_eq!(failure.code, Code::TooLarge);
    let says = format!("(limit {} bytes of facts)", entries - 1);
    assert!(failure.message.contains(&says), "{failure}");
}

#[test]
fn members_and_names_are_capped() {
    let blob = three().end();
    for limits in [
        Limits {
            members: 2,
            ..Limits::default()
        },
        Limits {
            names: 11,
            ..Limits::default()
        },
    ] {
        let got = read_with(&blob, &[], &limits).unwrap();
        assert_eq!(paths(&got), ["/aaaa", "/bbbb"]);
        assert_eq!(got.gaps.len(), 1);
        assert_eq!(got.gaps[0].hides, Hides::Anything);
        assert_eq!(got.size, blob.len() as u64);
    }
    for limits in [
        Limits {
            members: 3,
            ..Limits::default()
        },
        Limits {
            names: 12,
            ..Limits::default()
        },
    ] {
        assert_eq!(read_with(&blob, &[], &limits).unwrap().gaps, []);
    }
}
