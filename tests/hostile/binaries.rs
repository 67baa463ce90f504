//! ELF files that lie: whatever their headers say, a shell stays a shell, and an honest neighbour stays unremarkable.

use crate::{
    case::{
        Case,
        Expect::{Compliant, Denied, Gap},
    },
    support::{
        elf::{DYNAMIC, Elf, INTERP, LOAD, SHELL, Segment},
        image::{Image, Layer},
        tar::Tar,
    },
};

const SERVER: &[u8] = b"a server that serves\0";

/// An image with a program that holds `data`, and lies.
fn image(data: &[u8], lie: &dyn Fn(Elf) -> Elf) -> Image {
    Image::with_tar(
        Tar::default()
            .file("tool", &lie(Elf::holding(data)).bytes())
            .end(),
    )
}

/// The same lie told by a shell and by a server.
fn lie(name: &'static str, lie: impl Fn(Elf) -> Elf + Send + Sync + Clone + 'static) -> Case {
    let (told, again) = (lie.clone(), lie);
    Case::image("elf", name, Denied(&["shell"]), move || image(SHELL, &told))
        .beside(move || image(SERVER, &again))
}

/// A lie that keeps what a loader reads from being read, beside an honest server.
fn unreadable(
    name: &'static str,
    why: &'static [&'static str],
    lie: impl Fn(Elf) -> Elf + Send + Sync + 'static,
) -> Case {
    Case::image("elf", name, Gap(why), move || image(SHELL, &lie)).beside(|| image(SERVER, &|elf| elf))
}

fn quad(number: u64) -> [u8; 8] {
    number.to_le_bytes()
}

/// A dynamic section of these entries behind a segment that points to it.
fn dynamic(elf: Elf, entries: &[(u64, u64)]) -> Elf {
    let at = elf.data_at() + 56 + elf.data.len() as u64;
    let mut elf = elf.segment(Segment::new(DYNAMIC, at, entries.len() as u64 * 16));
    for (tag, value) in entries {
        elf.data.extend(quad(*tag));
        elf.data.extend(quad(*value));
    }
    let size = elf.data_at() + elf.data.len() as u64;
    if let Some(first) = elf.segments.first_mut() {
        (first.file_size, first.memory_size) = (size, size);
    }
    elf
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all = vec![
        lie("65,535 program headers", |elf| elf.lie(56, [0xff, 0xff])),
        lie("no program headers", |elf| elf.lie(56, [0, 0])),
        lie("program headers outside the file", |elf| {
            elf.lie(32, quad(u64::MAX - 8))
        }),
        lie("program headers of odd size", |elf| elf.lie(54, [57, 0])),
        lie("program headers in the header itself", |elf| elf.lie(32, quad(0))),
        lie("65,535 section headers", |elf| {
            elf.lie(60, [0xff, 0xff]).lie(40, quad(64))
        }),
        lie("section names outside the file", |elf| {
            elf.lie(62, [0xff, 0xff]).lie(40, quad(1 << 60))
        }),
        lie("segment larger than the file", |elf| {
            elf.lie(64 + 32, quad(u64::MAX))
        }),
        lie("segment that wraps around", |elf| {
            elf.lie(64 + 8, quad(u64::MAX - 4096))
                .lie(64 + 16, quad(u64::MAX - 4096))
        }),
        lie("overlapping segments", |elf| {
            elf.segment(Segment::new(LOAD, 0, 4096))
                .segment(Segment::new(LOAD, 1, u64::MAX))
        }),
        lie("32-bit class on a 64-bit file", |elf| elf.lie(4, [1])),
        lie("big-endian on a little-endian file", |elf| elf.lie(5, [2])),
        lie("class and byte order of nonsense", |elf| elf.lie(4, [9, 9])),
        lie("unknown machine", |elf| elf.lie(18, [0xfe, 0xca])),
        lie("interpreter without an end", |elf| {
            elf.segment(Segment::new(INTERP, 0, u64::MAX))
        }),
        lie("interpreter outside the file", |elf| {
            elf.segment(Segment::new(INTERP, 1 << 62, 20))
        }),
        unreadable(
            "dynamic section outside the file",
            &["/tool", "the dynamic section lies outside the file"],
            |elf| elf.segment(Segment::new(DYNAMIC, 1 << 62, 1 << 62)),
        ),
        unreadable(
            "names of libraries outside the file",
            &["/tool", "the names of its libraries lie outside"],
            |elf| dynamic(elf, &[(1, 1 << 40), (5, 1 << 62), (0, 0)]),
        ),
        unreadable(
            "dynamic section without an end",
            &["/tool", "more entries than are looked at (limit: 4096)"],
            |elf| dynamic(elf, &vec![(1, 0); 5_000]),
        ),
        lie("hash table of four billion symbols", |elf| {
            let at = elf.data_at();
            dynamic(
                elf.lie(4096, [0xff; 16]),
                &[(4, 4096), (5, at), (6, 64), (10, u64::MAX), (11, 24), (0, 0)],
            )
        }),
        lie("GNU hash table of lies", |elf| {
            dynamic(
                elf.lie(4096, [0xff; 4096]),
                &[(0x6fff_fef5, 4096), (5, 64), (6, 64), (0, 0)],
            )
        }),
        lie("GNU hash table with chains without end", |elf| {
            let table: Vec<u8> = [1_u32, 1, 1, 0, 0, 0, 1]
                .into_iter()
                .flat_map(u32::to_le_bytes)
                .collect();
            let mut elf = dynamic(elf, &[(0x6fff_fef5, 4096), (5, 64), (6, 64), (0, 0)]);
            elf.lies.push((4096, table));
            elf.lies.push((5000, vec![0; 1 << 20]));
            elf
        }),
        lie("data of 3 MiB behind the last segment", |elf| {
            elf.lie(3 << 20, [1])
        }),
        lie("header fields all ones", |elf| elf.lie(24, [0xff; 40])),
        lie("UPX marks and lengths of lies", |elf| {
            let at = elf.data_at() as usize + elf.data.len();
            elf.lie(
                at,
                b"UPX!\x0d\x0e\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff UPX!",
            )
        }),
        lie("string table of nothing but NULs", |elf| {
            dynamic(
                elf.lie(12 << 20, [0]),
                &[(5, 4096), (10, 12 << 20), (6, 64), (0, 0)],
            )
        }),
        unreadable(
            "string table of nothing but 0xff",
            &["/tool", "the names of its libraries lie outside"],
            |elf| {
                dynamic(
                    elf.lie(8192, vec![0xff; 1 << 20]),
                    &[(1, 1), (5, 8192), (10, 1 << 20), (6, 64), (0, 0)],
                )
            },
        ),
    ];
    all.push(Case::image(
        "elf",
        "nothing but the magic number",
        Compliant(&[]),
        || Image::with_tar(Tar::default().file("tool", b"\x7fELF").end()),
    ));
    all.push(Case::image(
        "elf",
        "texts of a shell that no kernel starts",
        Compliant(&[]),
        || Image::with_tar(Tar::default().file("tool", &[b"\x7fELF", SHELL].concat()).end()),
    ));
    all.push(
        Case::large(
            "elf",
            "texts of a shell behind 40 MiB",
            Denied(&["shell"]),
            || {
                let mut elf = Elf::holding(b"x").lie(40 << 20, SHELL);
                elf.segments[0].file_size = 41 << 20;
                Image::with(Layer::new(Tar::default().file("tool", &elf.bytes()).end()))
            },
        )
        .beside(|| {
            let elf = Elf::holding(b"x").lie(40 << 20, b"a server");
            Image::with(Layer::new(Tar::default().file("tool", &elf.bytes()).end()))
        }),
    );
    all.push(Case::image(
        "elf",
        "first line of a script of 1 MiB",
        Compliant(&[]),
        || {
            let mut script = b"#!/".to_vec();
            script.extend(vec![b'x'; 1 << 20]);
            Image::with_tar(Tar::default().file("tool", &script).end())
        },
    ));
    all
}
