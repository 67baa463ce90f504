//! Tests of squashfs images that `mksquashfs` makes.

use std::{fs, process::Command};

use super::*;

/// What `mksquashfs` makes of a directory of tools and texts.
#[expect(
    clippy::disallowed_methods,
    reason = "a test writes what another program is to pack"
)]
fn made(options: &str) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join("root").join(name);
    fs::create_dir_all(at("usr/lib/deep/er")).unwrap();
    fs::create_dir_all(at("many")).unwrap();
    fs::create_dir_all(at("empty")).unwrap();
    fs::write(at("AppRun"), "#!/bin/sh\nexec \"$APPDIR/usr/healthd\"\n").unwrap();
    fs::write(at("usr/healthd"), tool()).unwrap();
    fs::write(at("usr/lib/deep/er/large"), large_tool()).unwrap();
    fs::write(at("usr/lib/tools.tar"), tar(&[("a/tool", &tool())])).unwrap();
    fs::write(at("usr/notes"), "no program, but many words\n".repeat(2_000)).unwrap();
    fs::hard_link(at("usr/healthd"), at("usr/other-name")).unwrap();
    std::os::unix::fs::symlink("healthd", at("usr/link")).unwrap();
    // A program with a hole of several blocks before its texts.
    let mut holey = tool();
    let texts = holey.split_off(500);
    holey.resize(300_000, 0);
    holey.extend(texts);
    fs::write(at("usr/sparse"), holey).unwrap();
    // More than one block of metadata.
    for number in 0..500 {
        fs::write(
            at(&format!("many/file-with-a-long-name-{number}")),
            number.to_string(),
        )
        .unwrap();
    }
    fs::write(at("many/tool"), [tool(), b"another".to_vec()].concat()).unwrap();
    let image = directory.path().join("image");
    let made = Command::new("mksquashfs")
        .args([&directory.path().join("root"), &image])
        .args(["-quiet", "-no-progress", "-all-root", "-no-xattrs"])
        .args(options.split_whitespace())
        .output()
        .expect("mksquashfs, of squashfs-tools");
    assert!(made.status.success(), "{options}: {made:?}");
    read(&image).unwrap()
}

/// What is in it.
const TOOLS: [&str; 5] = [
    "many/tool",
    "usr/healthd",
    "usr/lib/deep/er/large",
    "usr/lib/tools.tar!/a/tool",
    "usr/sparse",
];

/// The paths of the tools in it, sorted, unless something could not be looked into.
fn paths_if_read(bytes: &[u8]) -> Option<Vec<String>> {
    let (found, unread) = held(bytes);
    let mut paths: Vec<String> = found.iter().map(|one| one.replace("=shell.bash", "")).collect();
    paths.sort();
    unread.is_empty().then_some(paths)
}

#[test]
fn the_images_that_mksquashfs_makes_are_looked_into() {
    for options in [
        "-comp gzip",
        "-comp xz",
        "-comp xz -Xbcj x86",
        "-comp zstd",
        "-comp zstd -b 1M",
        "-comp zstd -always-use-fragments -b 8192",
        "-comp gzip -noI -noD -noF",
        "-comp xz -no-duplicates -nopad -no-exports",
        "-comp lzo -noI -noD -noF",
    ] {
        let image = made(options);
        if options.contains("lzo") {
            let (found, unread) = held(&image);
            assert_eq!((found.len(), unread.len()), (0, 1), "{options}");
            assert!(
                unread[0].starts_with("is compressed with lzo, which is not read"),
                "{}",
                unread[0]
            );
            continue;
        }
        assert_eq!(paths_if_read(&image).unwrap(), TOOLS, "{options}");
    }
}

#[test]
fn what_cannot_be_read_behind_a_program_is_opaque() {
    let program = program_with(["nothing"]);
    let behind = |image: &[u8]| opaque(&[&program[..], image].concat()).unwrap_or_default();
    assert!(behind(&made("-comp lz4")).contains("behind it is compressed with lz4, which is not read"));
    assert!(behind(&made("-comp lzma")).contains("behind it is compressed with lzma, which is not read"));
    assert!(behind(&[b"hsqs", &[1; 600][..]].concat()).contains("of a form that is not read"));
    let limits = Limits {
        squashfs: 5_000,
        ..Limits::default()
    };
    let image = made("-comp gzip");
    let whole = [&program[..], &image].concat();
    let said = inspect_in(&whole, &[7_000], &limits).unwrap().opaque;
    assert_eq!(
        said.as_deref(),
        Some("the squashfs image behind it is larger than 5000 bytes (limit) and was not looked into")
    );
    let (found, unread) = held_in(&image, &[7_000], &limits);
    assert_eq!(found, [""; 0]);
    assert_eq!(
        unread,
        ["is larger than 5000 bytes (limit) and was not looked into"]
    );
}

#[test]
fn an_app_image_that_cannot_be_looked_into_is_opaque() {
    let marked = |kind: u8| {
        let mut program = program_with(["nothing"]);
        program[8..11].copy_from_slice(&[b'A', b'I', kind]);
        program
    };
    let of = |kind: u8, payload: &[u8]| opaque(&[&marked(kind), payload].concat());
    assert!(of(1, &[7; 700]).unwrap().contains("AppImage of type 1"));
    assert!(of(2, b"DWARFS and so on").unwrap().contains("of no known form"));
    assert_eq!(of(3, &[7; 700]), None);
    assert_eq!(of(2, b""), None);
    let image = made("-comp zstd");
    assert_eq!(of(2, &image), None);
    assert_eq!(
        paths_if_read(&[marked(2), image.clone()].concat()).unwrap(),
        TOOLS
    );
    // Also behind something else than padding, and of a program that is too large to be held.
    let file = [&marked(2)[..], b"a header, then hsqs, then", &image].concat();
    assert_eq!(opaque(&file), None);
    let limits = Limits {
        program: 600,
        ..Limits::default()
    };
    for size in [1, 97, 512, 1 << 20] {
        let mut found = held_in(&file, &[size], &limits).0;
        found.sort();
        assert_eq!(found, TOOLS.map(|path| format!("{path}=shell.bash")), "{size}");
    }
}

#[test]
fn a_script_may_have_an_image_behind_it() {
    let text = b"#!/bin/sh\nunsquashfs -o 50 \"$0\"\nexit 0\n";
    let file = |image: &[u8]| [&text[..], image].concat();
    assert_eq!(paths_if_read(&file(&made("-comp xz"))).unwrap(), TOOLS);
    assert!(opaque(&file(&made("-comp lz4"))).unwrap().contains("lz4"));
}

#[test]
fn a_cut_image_is_never_silent() {
    let program = program_with(["nothing"]);
    let image = made("-comp gzip");
    for length in (4..image.len() - 4_096).step_by(9_973) {
        let file = [&program[..], &image[..length]].concat();
        // What is cut off behind the tables is needed by nobody.
        let whole = paths_if_read(&file).is_some_and(|found| found == TOOLS);
        assert!(opaque(&file).is_some() || whole, "{length} of {}", image.len());
    }
}

#[test]
fn a_dictionary_takes_no_more_memory_than_it_may() {
    let image = made("-comp xz -noI -noF -b 4096");
    let stream = memchr::memmem::find(&image, b"\xfd7zXZ\0").unwrap();
    // The size of the dictionary: the largest one, 4 GiB; then the header's sum.
    let mut image = image;
    let header = stream + 12..stream + 12 + 4 * (usize::from(image[stream + 12]) + 1) - 4;
    let place = memchr::memmem::find(&image[header.clone()], &[0x21, 1]).unwrap();
    image[header.start + place + 2] = 40;
    let mut sum = flate2::Crc::new();
    sum.update(&image[header.clone()]);
    image[header.end..header.end + 4].copy_from_slice(&sum.sum().to_le_bytes());
    let (found, unread) = held(&image);
    assert!(!found.is_empty());
    assert!(
        unread
            .iter()
            .any(|why| why.contains("needs more than 2^27 bytes of memory")),
        "{unread:?}"
    );
}
