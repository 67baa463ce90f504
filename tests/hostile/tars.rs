//! Archives whose headers lie, and such that two readers would read differently.

use crate::{
    case::{
        Case,
        Expect::{Compliant, Denied, Found, Gap},
    },
    support::{
        elf,
        image::{Image, honest},
        tar::{Head, Tar, pax_records},
    },
};

fn tar(
    row: &'static str,
    name: &'static str,
    expect: crate::case::Expect,
    tar: impl Fn() -> Tar + Send + Sync + 'static,
) -> Case {
    Case::image(row, name, expect, move || Image::with_tar(tar().end()))
}

fn raw(
    row: &'static str,
    name: &'static str,
    expect: crate::case::Expect,
    tar: impl Fn() -> Vec<u8> + Send + Sync + 'static,
) -> Case {
    Case::image(row, name, expect, move || Image::with_tar(tar()))
}

fn shell() -> Tar {
    Tar::default().file("data", &elf::shell())
}

/// A sparse file whose program is stored in two pieces around a hole.
fn in_pieces(program: &[u8]) -> Tar {
    let half = 100;
    let map = format!("0,{half},{},{}", half + 8192, program.len() - half);
    let size = (program.len() + 8192).to_string();
    Tar::default()
        .pax(&[
            ("GNU.sparse.major", b"0"),
            ("GNU.sparse.minor", b"1"),
            ("GNU.sparse.numblocks", b"2"),
            ("GNU.sparse.map", map.as_bytes()),
            ("GNU.sparse.size", size.as_bytes()),
        ])
        .file("data", program)
}

fn sized(flag: u8, field: &[u8; 12]) -> Tar {
    Tar::default().member(Head::new(flag, "odd", 0).size_field(field), b"")
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all = vec![
        tar(
            "tar framing",
            "size of 8 EiB",
            Gap(&["layer 1", "cut off"]),
            || sized(b'0', b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff").raw(&shell().0),
        ),
        tar("tar framing", "size beyond 64 bits", Gap(&["layer 1"]), || {
            sized(b'0', b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
        }),
        tar(
            "tar framing",
            "negative size",
            Gap(&["layer 1", "negative"]),
            || sized(b'0', &[0xff; 12]),
        ),
        tar("tar framing", "size that is no number", Gap(&["layer 1"]), || {
            sized(b'0', b"zzzzzzzzzzz\0")
        }),
        tar("tar framing", "wrong checksum", Gap(&["layer 1"]), || {
            let mut block = Head::new(b'0', "odd", 0).block();
            block[148] = b'7';
            shell().raw(&block)
        }),
        raw(
            "tar framing",
            "cut off in a header",
            Gap(&["layer 1", "cut off"]),
            || {
                let mut all = shell().0;
                all.extend(&Head::new(b'0', "odd", 0).block()[..100]);
                all
            },
        ),
        raw(
            "tar framing",
            "cut off in a body",
            Gap(&["layer 1", "cut off"]),
            || {
                let mut all = shell().0;
                all.truncate(700);
                all
            },
        ),
        raw("tar framing", "no end at all", Denied(&["shell"]), || shell().0),
        raw(
            "tar framing",
            "shell behind a single block of zeros",
            Gap(&["layer 1", "single block"]),
            || {
                Tar::default()
                    .file("data", b"some data")
                    .raw(&[0; 512])
                    .raw(&shell().0)
                    .end()
            },
        ),
        raw("tar framing", "shell behind the end", Found(&["residue"]), || {
            Tar::default()
                .file("data", b"some data")
                .raw(&[0; 1024])
                .raw(&shell().0)
                .end()
        }),
        tar(
            "tar framing",
            "member of unknown type",
            Denied(&["shell"]),
            || Tar::default().member(Head::new(b'Z', "odd", elf::shell().len() as u64), &elf::shell()),
        ),
        tar(
            "tar framing",
            "contiguous file holds a shell",
            Denied(&["shell"]),
            || Tar::default().member(Head::new(b'7', "odd", elf::shell().len() as u64), &elf::shell()),
        ),
        tar("tar framing", "volume header and such", Compliant(&[]), || {
            Tar::default()
                .member(Head::new(b'V', "label", 0), b"")
                .file("data", b"some data")
        }),
        tar(
            "pax",
            "body of 8 GiB",
            Gap(&["layer 1", "(limit 1048576)"]),
            || {
                Tar::default()
                    .member(Head::new(b'x', "pax", 8 << 30), b"")
                    .raw(&shell().0)
            },
        ),
        tar(
            "pax",
            "long name of 8 GiB",
            Gap(&["layer 1", "(limit 1048576)"]),
            || {
                Tar::default()
                    .member(Head::new(b'L', "long", 8 << 30), b"")
                    .raw(&shell().0)
            },
        ),
        tar("pax", "100,000 records", Gap(&["layer 1", "PAX records"]), || {
            let body = b"9 a=bcde\n".repeat(100_000);
            Tar::default()
                .member(Head::new(b'x', "pax", body.len() as u64), &body)
                .file("data", b"x")
        }),
        tar(
            "pax",
            "record longer than its body",
            Gap(&["layer 1", "PAX"]),
            || {
                Tar::default()
                    .member(Head::new(b'x', "pax", 10), b"99 path=a\n")
                    .file("data", b"x")
            },
        ),
        tar(
            "pax",
            "path twice, the last one counts",
            Found(&["package-database"]),
            || {
                Tar::default()
                    .pax(&[("path", b"harmless"), ("path", b"var/lib/dpkg/status")])
                    .file(
                        "x",
                        b"Package: bash\nStatus: install ok installed\nVersion: 5\n\n",
                    )
            },
        ),
        tar("pax", "long name against path", Denied(&["shell"]), || {
            let shell = elf::shell();
            Tar::default()
                .pax(&[("path", b"one")])
                .member(Head::new(b'L', "long", 4), b"two\0")
                .file("x", &shell)
        })
        .beside(|| {
            Image::with_tar(
                Tar::default()
                    .pax(&[("path", b"one")])
                    .file("x", b"some data")
                    .end(),
            )
        }),
        tar(
            "pax",
            "size in PAX hides a shell in the body",
            Gap(&["layer 1"]),
            || {
                // Readers that take the header's size see a file of no bytes, then a second header: the shell.
                let hidden = shell().0;
                let size = hidden.len().to_string();
                Tar::default()
                    .pax(&[("size", size.as_bytes())])
                    .member(Head::new(b'0', "outer", 0), b"")
                    .raw(&hidden)
                    .raw(b"and no header")
                    .body(b"")
            },
        ),
        tar("pax", "negative size in PAX", Gap(&["layer 1"]), || {
            Tar::default().pax(&[("size", b"-5")]).file("data", b"x")
        }),
        tar("pax", "NUL in a path", Gap(&["layer 1", "NUL"]), || {
            Tar::default()
                .pax(&[("path", b"bin/sh\0.txt")])
                .file("data", b"x")
        }),
        tar(
            "pax",
            "attribute of 1 MiB less a bit",
            Gap(&["layer 1", "extended attribute"]),
            || {
                Tar::default()
                    .pax(&[("SCHILY.xattr.user.x", &vec![b'x'; 900_000])])
                    .file("data", b"x")
            },
        ),
        tar("pax", "global path", Denied(&["shell"]), || {
            let body = pax_records(&[("path", b"harmless"), ("size", b"0")]);
            Tar::default()
                .member(Head::new(b'g', "pax", body.len() as u64), &body)
                .raw(&shell().0)
        }),
        tar("sparse", "map of 250,000 pieces", Compliant(&[]), || {
            let map = "1,0,".repeat(250_000) + "1,0";
            Tar::default()
                .pax(&[
                    ("GNU.sparse.major", b"0"),
                    ("GNU.sparse.minor", b"1"),
                    ("GNU.sparse.numblocks", b"250001"),
                    ("GNU.sparse.map", map.as_bytes()),
                    ("GNU.sparse.size", b"1000000"),
                ])
                .file("data", b"")
        }),
        tar(
            "sparse",
            "map of a million pieces",
            Gap(&["layer 1", "(limit 1048576)"]),
            || {
                let map = "1,0,".repeat(1_000_000) + "1,0";
                Tar::default()
                    .pax(&[("GNU.sparse.map", map.as_bytes())])
                    .file("data", b"")
            },
        ),
        tar("sparse", "8 EiB logical size", Compliant(&[]), || {
            Tar::default()
                .pax(&[
                    ("GNU.sparse.major", b"0"),
                    ("GNU.sparse.minor", b"1"),
                    ("GNU.sparse.numblocks", b"1"),
                    ("GNU.sparse.map", b"9223372036854775807,0"),
                    ("GNU.sparse.size", b"9223372036854775807"),
                    ("GNU.sparse.name", b"huge"),
                ])
                .file("data", b"")
        }),
        tar(
            "sparse",
            "overlapping pieces",
            Gap(&["layer 1", "sparse"]),
            || {
                Tar::default()
                    .pax(&[
                        ("GNU.sparse.major", b"0"),
                        ("GNU.sparse.minor", b"1"),
                        ("GNU.sparse.numblocks", b"2"),
                        ("GNU.sparse.map", b"0,10,5,10"),
                        ("GNU.sparse.size", b"100"),
                    ])
                    .file("data", &[b'x'; 20])
            },
        ),
        tar("sparse", "shell in pieces", Denied(&["shell"]), || {
            in_pieces(&elf::shell())
        })
        .beside(|| Image::with_tar(in_pieces(&elf::server()).end())),
        tar(
            "sparse",
            "map in the body without end",
            Gap(&["layer 1", "sparse"]),
            || {
                Tar::default()
                    .pax(&[("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0")])
                    .file("data", &b"9".repeat(5_000))
            },
        ),
    ];
    // Sizes stated for what has no body: Go ignores them, other readers skip the next members.
    for (flag, name) in [
        (b'1', "size on a hard link"),
        (b'2', "size on a symbolic link"),
        (b'3', "size on a device"),
        (b'4', "size on a block device"),
        (b'5', "size on a directory"),
        (b'6', "size on a FIFO"),
    ] {
        all.push(
            tar("tar framing", name, Denied(&["shell"]), move || {
                let shell = shell().0;
                Tar::default()
                    .file("first", b"x")
                    .member(Head::new(flag, "odd", shell.len() as u64).link("first"), b"")
                    .raw(&shell)
            })
            .beside(move || {
                let tar = Tar::default().file("first", b"x");
                Image::with_tar(tar.member(Head::new(flag, "odd", 0).link("first"), b"").end())
            }),
        );
    }
    all.push(
        Case::image(
            "tar framing",
            "the same name twice, a shell last",
            Denied(&["shell"]),
            || {
                Image::with_tar(
                    Tar::default()
                        .file("x", b"some data")
                        .file("x", &elf::shell())
                        .end(),
                )
            },
        )
        .beside(|| {
            Image::with_tar(
                Tar::default()
                    .file("x", &elf::server())
                    .file("x", b"some data")
                    .end(),
            )
        }),
    );
    all.push(Case::image(
        "tar framing",
        "the same name twice, a shell first",
        Found(&["residue"]),
        || Image::with_tar(honest().file("x", &elf::shell()).file("x", b"some data").end()),
    ));
    all
}
