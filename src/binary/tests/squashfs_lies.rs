//! Tests of squashfs images that lie.

use proptest::prelude::*;

use super::*;

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
        let cut = liar.file(&super::tool(), size);
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
