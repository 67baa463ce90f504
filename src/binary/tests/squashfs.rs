//! Tests of what is found in squashfs images: real ones, which `mksquashfs` makes, and ones that lie.

use std::{fs, process::Command};

use proptest::prelude::*;

use super::{
    archives::{held, held_in, paths, tar, tool},
    *,
};

/// A program of several blocks whose texts stand in the last of them.
fn large_tool() -> Vec<u8> {
    let mut data: Vec<u8> = (0..100_000_u32)
        .flat_map(|word| word.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    for text in texts_of("shell.bash") {
        data.extend(text.as_bytes());
        data.push(0);
    }
    Elf64 {
        fixed: true,
        data,
        ..Elf64::default()
    }
    .bytes()
}

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
    super::read(&image).unwrap()
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

fn opaque(bytes: &[u8]) -> Option<String> {
    inspect(bytes).and_then(|program| program.opaque)
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

/// Writes images whose every number may be a lie. All is stored, blocks are of 4,096 bytes.
struct Liar {
    data: Vec<u8>,
    inodes: Vec<u8>,
    lists: Vec<u8>,
    used: Option<u64>,
}

/// Bytes of a block of metadata.
const METADATA: usize = 8 << 10;

impl Liar {
    fn new() -> Self {
        Self {
            data: vec![0; 96],
            inodes: Vec::new(),
            lists: Vec::new(),
            used: None,
        }
    }

    fn inode(&mut self, kind: u16, body: &[&[u8]]) -> u64 {
        let at = self.inodes.len() as u64;
        self.inodes.extend(kind.to_le_bytes());
        // All have the number 1: who looks for inodes by their numbers finds the wrong ones.
        self.inodes
            .extend([0o755_u16, 0, 0].into_iter().flat_map(u16::to_le_bytes));
        self.inodes
            .extend([0, 1_u32].into_iter().flat_map(u32::to_le_bytes));
        self.inodes.extend(body.concat());
        at
    }

    /// A file, of which `size` bytes are stated.
    fn file(&mut self, content: &[u8], size: u64) -> u64 {
        let at = self.data.len() as u64;
        self.data.extend(content);
        let mut sizes = Vec::new();
        for block in content.chunks(4_096) {
            sizes.extend((1_u32 << 24 | block.len() as u32).to_le_bytes());
        }
        let none = u32::MAX.to_le_bytes();
        let (at, size) = (at.to_le_bytes(), size.to_le_bytes());
        let links = 1_u32.to_le_bytes();
        self.inode(9, &[&at, &size, &[0; 8], &links, &none, &[0; 4], &none, &sizes])
    }

    fn tool(&mut self) -> u64 {
        let tool = tool();
        self.file(&tool, tool.len() as u64)
    }

    /// A directory whose list begins at `from` and has so many bytes.
    fn listed(&mut self, from: usize, bytes: usize) -> u64 {
        let block = (from / METADATA * (METADATA + 2)) as u32;
        let offset = (from % METADATA) as u16;
        let size = (bytes + 3) as u32;
        let words = [1, size, block, 1].map(u32::to_le_bytes).concat();
        self.inode(8, &[&words, &[0, 0], &offset.to_le_bytes(), &[0xff; 4]])
    }

    /// A directory of these names.
    fn directory(&mut self, entries: &[(&str, u64)]) -> u64 {
        let from = self.lists.len();
        for (name, inode) in entries {
            let block = (*inode as usize / METADATA * (METADATA + 2)) as u32;
            self.lists.extend([0, block, 1].map(u32::to_le_bytes).concat());
            let offset = (*inode as usize % METADATA) as u16;
            let length = name.len() as u16 - 1;
            self.lists
                .extend([offset, 0, 2, length].map(u16::to_le_bytes).concat());
            self.lists.extend(name.as_bytes());
        }
        self.listed(from, self.lists.len() - from)
    }

    fn stored(bytes: &[u8]) -> Vec<u8> {
        let blocks = bytes.chunks(METADATA);
        blocks
            .flat_map(|block| [&(1 << 15 | block.len() as u16).to_le_bytes(), block].concat())
            .collect()
    }

    fn end(self, root: u64) -> Vec<u8> {
        let mut out = self.data;
        let inodes = out.len() as u64;
        out.extend(Self::stored(&self.inodes));
        let lists = out.len() as u64;
        out.extend(Self::stored(&self.lists));
        let root = ((root / METADATA as u64 * (METADATA as u64 + 2)) << 16) | (root % METADATA as u64);
        let used = self.used.unwrap_or(out.len() as u64);
        let head = [
            &b"hsqs"[..],
            &[1, 0, 4_096, 0].map(u32::to_le_bytes).concat(),
            &[1_u16, 12, 0, 1, 4, 0].map(u16::to_le_bytes).concat(),
            &[root, used, u64::MAX, u64::MAX, inodes, lists, u64::MAX, u64::MAX]
                .map(u64::to_le_bytes)
                .concat(),
        ]
        .concat();
        out[..96].copy_from_slice(&head);
        out
    }
}

#[test]
fn the_liar_writes_images_when_it_does_not_lie() {
    let mut liar = Liar::new();
    let tool = liar.tool();
    let large = large_tool();
    let large = liar.file(&large, large.len() as u64);
    let below = liar.directory(&[("large", large)]);
    let root = liar.directory(&[("below", below), ("tool", tool)]);
    assert_eq!(paths(&liar.end(root)), ["tool", "below/large"]);
}

#[test]
fn directories_in_a_circle_end() {
    let mut liar = Liar::new();
    let tool = liar.tool();
    // The root is the first directory, whose list names itself and a second one with the same list.
    let list = liar.lists.len();
    let first = liar.inodes.len() as u64;
    liar.listed(list, 3 * 24);
    let second = liar.listed(list, 3 * 24);
    for (name, inode) in [("self", first), ("two.", second), ("tool", tool)] {
        liar.lists.extend([0, 0, 1].map(u32::to_le_bytes).concat());
        liar.lists
            .extend([inode as u16, 0, 1, 3].map(u16::to_le_bytes).concat());
        liar.lists.extend(name.as_bytes());
    }
    assert_eq!(paths(&liar.end(first)), ["tool"]);
}

#[test]
fn directories_may_be_deep() {
    let mut liar = Liar::new();
    let tool = liar.tool();
    let mut inner = liar.directory(&[("tool", tool)]);
    for _ in 0..60_000 {
        inner = liar.directory(&[("a-directory", inner)]);
    }
    let found = paths(&liar.end(inner));
    assert_eq!(found.len(), 1);
    assert!(found[0].ends_with("a-directory/tool") && found[0].len() < 5_000);
}

#[test]
fn stated_sizes_allocate_nothing() {
    for size in [u64::MAX, 1 << 40, 4_097] {
        let mut liar = Liar::new();
        let tool = liar.tool();
        let text = liar.file(b"a text", size);
        let cut = liar.file(&super::archives::tool(), size);
        let root = liar.directory(&[("cut", cut), ("text", text), ("tool", tool)]);
        let (found, unread) = held(&liar.end(root));
        assert_eq!(found, ["cut=shell.bash", "tool=shell.bash"]);
        // Of the text nothing more is wanted than its first bytes.
        assert_eq!(unread.len(), 1, "{unread:?}");
        assert!(unread[0].contains("cannot be read"));
    }
    let mut liar = Liar::new();
    let tool = liar.tool();
    let wide = liar.listed(0, (u32::MAX - 3) as usize);
    let far = liar.listed(1 << 20, 100);
    let root = liar.directory(&[("far", far), ("tool", tool), ("wide", wide)]);
    let (found, unread) = held(&liar.end(root));
    assert_eq!((found, unread.len()), (vec!["tool=shell.bash".to_owned()], 1));
}

#[test]
fn caps_hold_in_images() {
    // One list, seen through many directories.
    let mut liar = Liar::new();
    let tool = liar.tool();
    let names: Vec<String> = (0..1_000).map(|number| format!("{number:04}")).collect();
    let inner: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), tool)).collect();
    liar.directory(&inner);
    let bytes = liar.lists.len();
    let twins: Vec<u64> = names.iter().map(|_| liar.listed(0, bytes)).collect();
    let entries: Vec<(&str, u64)> = names.iter().map(String::as_str).zip(twins).collect();
    let root = liar.directory(&entries);
    let (found, unread) = held(&liar.end(root));
    assert_eq!(found, ["0000/0000=shell.bash"]);
    assert_eq!(
        unread,
        ["has too many members (limit 100000): the rest was not looked into"]
    );
    // Holes are unpacked to zeros, for which the budget pays.
    let mut liar = Liar::new();
    let start = program_with(["nothing"]);
    let mut content = start.clone();
    content.resize(4_096, 0);
    let holes = liar.file(&content, 1 << 30);
    liar.inodes.extend(vec![0; 4 << 18]);
    let root = liar.directory(&[("holes", holes)]);
    let limits = Limits {
        archive_ratio: 0,
        archive_floor: 1 << 20,
        ..Limits::default()
    };
    let (found, unread) = held_in(&liar.end(root), &[1 << 20], &limits);
    assert_eq!(found, [""; 0]);
    assert!(unread[0].contains("unpacks to more than"), "{unread:?}");
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

#[test]
fn what_stands_behind_an_image_is_not_forgotten() {
    let mut liar = Liar::new();
    let text = liar.file(b"a text", 6);
    let root = liar.directory(&[("text", text)]);
    let image = liar.end(root);
    let program = program_with(["nothing"]);
    assert_eq!(opaque(&[&program[..], &image, &[0; 4_096]].concat()), None);
    let file = [&program[..], &image, &[0; 100], &tool()].concat();
    assert!(opaque(&file).unwrap().contains("behind its end"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_image_makes_it_panic(
        changes in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..12),
        size in 1_usize..3_000,
        cut in any::<u16>(),
    ) {
        let mut liar = Liar::new();
        let tool = liar.tool();
        let below = liar.directory(&[("tool", tool)]);
        let root = liar.directory(&[("below", below), ("tool", tool)]);
        let mut image = liar.end(root);
        for (at, byte) in changes {
            // Where the numbers stand, rather than in the tool.
            let at = usize::from(at) % (image.len() - tool_bytes());
            let at = if at < 96 { at } else { at + tool_bytes() };
            image[at] = byte;
        }
        image.truncate(image.len().max(1) - usize::from(cut) % 40);
        let file = [program_with(["nothing"]), image].concat();
        let found = held_in(&file, &[size], &Limits::default());
        prop_assert_eq!(found, held(&file));
    }
}

fn tool_bytes() -> usize {
    tool().len()
}
