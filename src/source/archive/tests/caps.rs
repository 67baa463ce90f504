//! Caps on archives: each one is hit one step beyond it, is named where it is, and lets pass what keeps to it.

use super::*;
use crate::source::samples::Entry;

/// How a sample fails with these limits, by offset and front to back.
fn refused(sample: &Sample, limits: &Limits) -> Vec<Option<Failure>> {
    let (tar, mut options) = (sample.to_tar(), options());
    options.limits = limits.clone();
    [tar.clone(), gzip(&tar)]
        .iter()
        .map(|bytes| {
            let saved = save(bytes);
            let target: Target = saved.path.to_str().unwrap().parse().unwrap();
            match open_target(&target, &options).and_then(see) {
                Err(failure) => Some(failure),
                Ok(seen) => seen.found.into_iter().find_map(|found| Some(found.err()?.1)),
            }
        })
        .collect()
}

/// The same cap at its edge: `fits` lets the sample pass, one less refuses it with `code` and words that name the cap.
#[track_caller]
fn edge(sample: &Sample, fits: u64, set: fn(&mut Limits, u64), code: Code, says: impl Fn(u64) -> String) {
    for (value, passes) in [(fits, true), (fits - 1, false)] {
        let mut limits = Limits::default();
        set(&mut limits, value);
        for failure in refused(sample, &limits) {
            match failure {
                None => assert!(passes, "{value} let it pass"),
                Some(failure) => {
                    assert!(!passes, "{value}: {failure}");
                    assert_eq!(failure.code, code, "{failure}");
                    assert!(failure.message.contains(&says(value)), "{failure}");
                }
            }
        }
    }
}

fn docker() -> Sample {
    Sample::docker(&[Made::new("one:1", "1", &["a", "b"])])
}

#[test]
fn members_and_names_are_counted() {
    let sample = docker();
    let set = |limits: &mut Limits, most: u64| limits.members = most as usize;
    edge(&sample, sample.0.len() as u64, set, Code::TooLarge, |most| {
        format!("too many members (limit {most})")
    });
    let longest = sample.0.iter().map(|(name, _)| name.len()).max().unwrap();
    let set = |limits: &mut Limits, most: u64| limits.path = most as usize;
    edge(&sample, longest as u64, set, Code::Corrupt, |most| {
        format!("has {longest} bytes (limit {most})")
    });
}

#[test]
fn layers_and_images_of_a_list_are_counted() {
    let set = |limits: &mut Limits, most: u64| limits.layers = most as usize;
    edge(&docker(), 2, set, Code::TooLarge, |most| {
        format!("2 layers (limit {most})")
    });
    let three = ["one:1", "two:1", "three:1"].map(|name| Made::new(name, "1", &["a"]));
    let set = |limits: &mut Limits, most: u64| limits.descriptors = most as usize;
    edge(&Sample::docker(&three), 3, set, Code::TooLarge, |most| {
        format!("manifest.json lists 3 images (limit {most})")
    });
}

#[test]
fn lists_and_configurations_are_capped() {
    let size = |sample: &Sample, end: &str| {
        let (_, entry) = sample.0.iter().find(|(name, _)| name.ends_with(end)).unwrap();
        let Entry::File(bytes) = entry else { panic!() };
        bytes.len() as u64
    };
    let small = |bytes: u64| Limits {
        manifest: bytes,
        config: bytes,
        ..Limits::default()
    };
    let made = || [Made::new("one:1", "1", &["a"])];
    let mut config = Sample::docker(&made());
    let list = size(&config, "manifest.json");
    // The list is the larger one unless the configuration is blown up.
    for (sample, largest) in [(Sample::docker(&made()), list), (Sample::oci(&made()), 0)] {
        let largest = if largest > 0 {
            largest.max(size(&sample, ".json"))
        } else {
            sample
                .0
                .iter()
                .filter_map(|(_, entry)| match entry {
                    Entry::File(bytes) if bytes.starts_with(b"{") => Some(bytes.len() as u64),
                    _ => None,
                })
                .max()
                .unwrap()
        };
        for (bytes, passes) in [(largest, true), (largest - 1, false)] {
            for failure in refused(&sample, &small(bytes)) {
                assert_eq!(failure.is_none(), passes, "{bytes}: {failure:?}");
            }
        }
    }
    // Each of the two documents by its own cap.
    let name = config.0[config.0.len() - 2].0.clone();
    let own = size(&config, &name);
    for (limits, passes) in [
        (
            Limits {
                config: own,
                ..Limits::default()
            },
            true,
        ),
        (
            Limits {
                config: own - 1,
                ..Limits::default()
            },
            false,
        ),
        (
            Limits {
                manifest: list - 1,
                ..Limits::default()
            },
            false,
        ),
    ] {
        for failure in refused(&config, &limits) {
            assert_eq!(failure.is_none(), passes, "{failure:?}");
            if let Some(failure) = failure {
                assert_eq!(failure.code, Code::TooLarge, "{failure}");
            }
        }
    }
    config.file("manifest.json").extend(b" ".repeat(100));
    assert!(refused(&config, &small(list + 99)).iter().all(Option::is_some));
}

#[test]
fn links_in_an_archive_end() {
    let mut sample = docker();
    let (name, entry) = sample.0.remove(0);
    sample.0.insert(0, ("real".to_owned(), entry));
    // One link in the place of the layer, and two on the way from there.
    sample.link(&name, "/l1");
    sample.link("l1", "l2");
    sample.link("l2", "real");
    for (hops, passes) in [(3, true), (2, false), (1, false)] {
        let limits = Limits {
            link_hops: hops,
            ..Limits::default()
        };
        for failure in refused(&sample, &limits) {
            assert_eq!(failure.is_none(), passes, "{hops}: {failure:?}");
        }
    }
}

#[test]
fn what_comes_twice_is_compared_up_to_a_size() {
    let mut sample = docker();
    sample.add("notes", &[b'x'; 900]);
    sample.add("notes", &[b'x'; 900]);
    let tar = save(&sample.to_tar());
    for (manifest, passes) in [(900, true), (899, false)] {
        let mut options = options();
        options.limits.manifest = manifest;
        let target: Target = tar.path.to_str().unwrap().parse().unwrap();
        let opened = open_target(&target, &options).and_then(see);
        assert_eq!(opened.is_ok(), passes, "{manifest}");
        if let Err(failure) = opened {
            assert_eq!(failure.code, Code::Ambiguous);
        }
    }
}

#[test]
fn headers_in_front_of_one_member_are_capped() {
    let headers = |count: usize| {
        let mut tar = Vec::new();
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::XGlobalHeader);
        header.set_path("global").unwrap();
        header.set_size(0);
        header.set_cksum();
        for _ in 0..count {
            tar.extend_from_slice(header.as_bytes());
        }
        tar.extend(docker().to_tar());
        tar
    };
    // Sixteen times what one of them may have.
    for (count, passes) in [(16 * 2, true), (16 * 2 + 2, false)] {
        let mut options = options();
        options.limits.tar_extension = 1024;
        for bytes in [headers(count), gzip(&headers(count))] {
            let saved = save(&bytes);
            let target: Target = saved.path.to_str().unwrap().parse().unwrap();
            let opened = open_target(&target, &options).and_then(see);
            assert_eq!(opened.is_ok(), passes, "{count}: {:?}", opened.err());
        }
    }
}

#[test]
fn a_packed_archive_is_capped_as_a_whole() {
    let tar = docker().to_tar();
    let open = |bytes: &[u8], limits: Limits| {
        let saved = save(bytes);
        let mut options = options();
        options.limits = limits;
        let target: Target = saved.path.to_str().unwrap().parse().unwrap();
        open_target(&target, &options).and_then(see)
    };
    for (image, passes) in [(tar.len() as u64, true), (tar.len() as u64 - 1, false)] {
        let limits = Limits {
            image,
            ..Limits::default()
        };
        let opened = open(&gzip(&tar), limits);
        assert_eq!(opened.is_ok(), passes);
        if let Err(failure) = opened {
            assert_eq!(failure.code, Code::TooLarge);
            let says = format!("the archive unpacks to more than {image} bytes");
            assert!(failure.message.contains(&says), "{failure}");
        }
    }
    let json: u64 = docker()
        .0
        .iter()
        .filter_map(|(_, entry)| match entry {
            Entry::File(bytes) if bytes.starts_with(b"{") || bytes.starts_with(b"[") => {
                Some(bytes.len() as u64)
            }
            _ => None,
        })
        .sum();
    for (archive_json, passes) in [(json, true), (json - 1, false)] {
        let limits = Limits {
            archive_json,
            ..Limits::default()
        };
        let opened = open(&gzip(&tar), limits);
        assert_eq!(opened.is_ok(), passes);
        if let Err(failure) = opened {
            assert_eq!(failure.code, Code::TooLarge);
            let says = format!("more than {archive_json} bytes of JSON");
            assert!(failure.message.contains(&says), "{failure}");
        }
    }
    let mut wide = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    wide.long_distance_matching(true).unwrap();
    wide.window_log(20).unwrap();
    wide.write_all(&tar).unwrap();
    let wide = wide.finish().unwrap();
    for (zstd_window_log, code) in [(20, None), (19, Some(Code::Corrupt))] {
        let limits = Limits {
            zstd_window_log,
            ..Limits::default()
        };
        assert_eq!(open(&wide, limits).err().map(|failure| failure.code), code);
    }
}

#[test]
fn caps_hold() {
    let mut options = options();
    let sample = Sample::docker(&[Made::new("one:1", "1", &["a"])]);
    let run = |options: &Options, sample: &Sample| {
        let saved = save(&sample.to_tar());
        let target: Target = saved.path.to_str().unwrap().parse().unwrap();
        let by_offset = open_target(&target, options).and_then(see).err().unwrap().code;
        let saved = save(&gzip(&sample.to_tar()));
        let target: Target = saved.path.to_str().unwrap().parse().unwrap();
        assert_eq!(
            open_target(&target, options).and_then(see).err().unwrap().code,
            by_offset
        );
        by_offset
    };
    options.limits.members = 2;
    assert_eq!(run(&options, &sample), Code::TooLarge);
    options.limits = Limits {
        path: 20,
        ..Limits::default()
    };
    assert_eq!(run(&options, &sample), Code::Corrupt);
    options.limits = Limits {
        archive_json: 10,
        image: 500,
        ..Limits::default()
    };
    let saved = save(&gzip(&sample.to_tar()));
    let target: Target = saved.path.to_str().unwrap().parse().unwrap();
    assert_eq!(
        open_target(&target, &options).and_then(see).err().unwrap().code,
        Code::TooLarge
    );
    options.limits.image = 1 << 30;
    assert_eq!(
        open_target(&target, &options).and_then(see).err().unwrap().code,
        Code::TooLarge
    );
}

#[test]
fn caps_of_what_is_listed_hold() {
    let two = || {
        [
            Made::new("one:1", "1", &["a", "b"]),
            Made::new("two:2", "2", &["c"]),
        ]
    };
    let sample = Sample::docker(&two()).to_tar();
    for packed in [false, true] {
        let saved = save(&if packed { gzip(&sample) } else { sample.clone() });
        let target: Target = saved.path.to_str().unwrap().parse().unwrap();
        let mut options = options();
        options.limits.layers = 1;
        let seen = open_target(&target, &options).and_then(see).unwrap();
        assert_eq!(seen.found[0].as_ref().unwrap_err().1.code, Code::TooLarge);
        assert!(seen.found[1].is_ok(), "the other image is told");
        options.limits.descriptors = 1;
        let failure = open_target(&target, &options).and_then(see).err().unwrap();
        assert_eq!(failure.code, Code::TooLarge, "{failure}");
        options.limits = Limits {
            layers: 2,
            descriptors: 2,
            ..Limits::default()
        };
        assert_eq!(
            open_target(&target, &options)
                .and_then(see)
                .unwrap()
                .images()
                .len(),
            2
        );
    }
}
