//! gzip, zstd, plain tar, and what is none of them.

use super::*;

fn archive() -> Vec<u8> {
    let noise: Vec<u8> = (0..300_000_u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    Tar::default()
        .file("a", b"one")
        .file("big", &noise)
        .file("b", b"two")
        .end()
}

#[test]
fn every_codec_gives_the_same_facts() {
    let plain = archive();
    let want = facts(&plain);
    assert_eq!(paths(&want), ["/a", "/big", "/b"]);
    assert_eq!(want.size, plain.len() as u64);
    assert_eq!(want.uncompressed, plain.len() as u64);
    for blob in [gzip(&plain), zstd_frame(&plain)] {
        let got = facts(&blob);
        assert_eq!(got.entries, want.entries);
        assert_eq!(
            (got.size, got.uncompressed),
            (blob.len() as u64, plain.len() as u64)
        );
        assert_eq!((got.gaps, got.notes), (vec![], vec![]));
    }
}

#[test]
fn many_members_frames_and_empty_ones_are_read() {
    let plain = archive();
    let (head, tail) = plain.split_at(700);
    let gzips = [gzip(b""), gzip(head), gzip(b""), gzip(b""), gzip(tail), gzip(b"")].concat();
    let zstds = [
        skippable(b"toc"),
        zstd_frame(head),
        zstd_frame(b""),
        skippable(b""),
        zstd_frame(tail),
        skippable(b"x"),
    ]
    .concat();
    for blob in [gzips, zstds] {
        assert_eq!(facts(&blob).entries, facts(&plain).entries);
        let limits = Limits {
            frames: 5,
            ..Limits::default()
        };
        let capped = read_with(&blob, &[], &limits).unwrap();
        assert_eq!(capped.gaps.len(), 1);
        assert_eq!(capped.gaps[0].hides, Hides::Anything);
        assert!(capped.gaps[0].why.contains("limit 5"), "{:?}", capped.gaps);
        let limits = Limits {
            frames: 6,
            ..Limits::default()
        };
        assert_eq!(read_with(&blob, &[], &limits).unwrap().gaps, []);
    }
}

#[test]
fn bytes_behind_gzip_matter_only_before_the_end_of_the_archive() {
    let plain = archive();
    for behind in [&[0_u8; 700][..], b"garbage", b"\x1f", b"\x1fx"] {
        let got = facts(&[&gzip(&plain), behind].concat());
        assert_eq!(got.entries, facts(&plain).entries);
        assert_eq!(
            got.notes,
            [format!(
                "{} bytes behind the end of the last gzip member",
                behind.len()
            )]
        );
        let open = Tar::default().file("a", b"one").0;
        let failure = refusal(&[&gzip(&open), behind].concat());
        assert_eq!(failure.code, Code::Corrupt);
        assert!(failure.message.contains("after `/a`"), "{failure}");
    }
    assert_eq!(paths(&facts(&gzip(&Tar::default().file("a", b"one").0))), ["/a"]);
}

#[test]
fn damaged_gzip_is_refused() {
    let blob = gzip(&archive());
    for at in [5, 15, 100, blob.len() - 9, blob.len() - 1] {
        assert_eq!(refusal(&blob[..at]).code, Code::Corrupt, "cut at {at}");
    }
    for at in [blob.len() - 8, blob.len() - 4] {
        let mut bad = blob.clone();
        bad[at] ^= 1;
        assert_eq!(refusal(&bad).code, Code::Corrupt, "CRC or length at {at}");
    }
    assert_eq!(refusal(&gzip(&blob)).code, Code::Corrupt, "gzip in gzip");
}

#[test]
fn damaged_zstd_is_refused() {
    let plain = archive();
    let blob = zstd_frame(&plain);
    for at in [5, 15, 100, blob.len() - 1] {
        assert_eq!(refusal(&blob[..at]).code, Code::Corrupt, "cut at {at}");
    }
    for behind in [&[0_u8; 8][..], b"garbage"] {
        assert_eq!(refusal(&[&blob, behind].concat()).code, Code::Corrupt);
    }
    assert_eq!(facts(&skippable(b"only")).entries, []);
}

#[test]
fn a_large_zstd_window_is_refused() {
    use zstd::stream::raw::CParameter;
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.set_parameter(CParameter::WindowLog(24)).unwrap();
    io::Write::write_all(&mut encoder, &archive()).unwrap();
    let blob = encoder.finish().unwrap();
    assert_eq!(facts(&blob).entries.len(), 3);
    let limits = Limits {
        zstd_window_log: 20,
        ..Limits::default()
    };
    let failure = read_with(&blob, &[], &limits).unwrap_err();
    assert_eq!(failure.code, Code::TooLarge);
}

#[test]
fn what_is_no_layer_is_said() {
    assert_eq!(refusal(b"").code, Code::Corrupt);
    assert!(refusal(b"").message.contains("empty"));
    assert_eq!(facts(&[0; 1024]).entries, []);
    assert_eq!(facts(&[0; 1024]).gaps, []);
    assert_eq!(facts(&gzip(&[0; 1024])).gaps, []);
    for (blob, name) in [
        (&b"\xfd7zXZ\0...."[..], "xz"),
        (b"BZh91AY", "bzip2"),
        (b"x", "neither"),
        (&[b'x'; 5_000], "neither"),
        (&[0; 511], "neither"),
    ] {
        let got = facts(blob);
        assert_eq!(got.size, blob.len() as u64);
        assert_eq!(got.gaps.len(), 1);
        assert_eq!(got.gaps[0].hides, Hides::Anything);
        assert!(got.gaps[0].why.contains(name), "{:?}", got.gaps);
    }
}

#[test]
fn a_bomb_stops_at_the_cap() {
    let plain = archive();
    let limits = Limits {
        layer: 2_000,
        ..Limits::default()
    };
    for blob in [plain.clone(), gzip(&plain), zstd_frame(&plain)] {
        let got = read_with(&blob, &[], &limits).unwrap();
        assert_eq!(paths(&got), ["/a"]);
        assert_eq!((got.size, got.uncompressed), (blob.len() as u64, 2_000));
        assert_eq!(got.gaps.len(), 1);
        assert!(got.gaps[0].why.contains("layer too large"));
    }
    let limits = Limits {
        layer: plain.len() as u64,
        ..Limits::default()
    };
    assert_eq!(read_with(&gzip(&plain), &[], &limits).unwrap().gaps, []);
}

#[test]
fn the_diff_id_is_checked() {
    let plain = archive();
    for (algorithm, name) in [
        (&aws_lc_rs::digest::SHA256, Algorithm::Sha256),
        (&aws_lc_rs::digest::SHA512, Algorithm::Sha512),
    ] {
        let want = Digest::of_hash(name, aws_lc_rs::digest::digest(algorithm, &plain).as_ref());
        assert_eq!(
            read_from(&mut &gzip(&plain)[..], Some(name)).unwrap().diff_id,
            Some(want)
        );
    }
}

/// Gives its bytes, then fails.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(Failure::new(Code::Unavailable, "the connection broke").into()),
            count => Ok(count),
        }
    }
}

#[test]
fn the_blobs_own_failure_wins() {
    let blob = gzip(&archive());
    let mut damaged = blob.clone();
    damaged[300_000] ^= 0xff;
    for bytes in [&blob[..], &blob[..100], &damaged, b"", b"garbage"] {
        let failure = read_from(&mut Failing(bytes), None).unwrap_err();
        assert_eq!(failure, Failure::new(Code::Unavailable, "the connection broke"));
    }
}

#[test]
fn a_stopped_scan_is_interrupted() {
    let limits = Limits::default();
    let reading = Reading {
        catalog: Catalog::builtin(),
        wants: &[],
        limits: &limits,
        stop: &AtomicBool::new(true),
        held: &AtomicUsize::new(0),
    };
    let failure = read(&mut &archive()[..], None, &reading).unwrap_err();
    assert_eq!(failure.code, Code::Interrupted);
}

#[test]
fn a_panicking_reader_is_a_failure() {
    struct Panicking;
    impl Read for Panicking {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("on purpose");
        }
    }
    assert_eq!(read_from(&mut Panicking, None).unwrap_err().code, Code::Internal);
}
