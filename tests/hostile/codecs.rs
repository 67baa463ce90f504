//! Compression that lies, explodes, never ends or hides something behind its end.

use crate::{
    case::{
        Case,
        Expect::{Compliant, Denied, Error, Gap},
        Scene,
    },
    support::{
        codec::{estargz, gzip, gzip_bomb, skippable, wide_frame, zstd_bomb, zstd_frame},
        elf,
        image::{Image, Layer, honest},
        tar::{Head, Tar},
    },
};

fn packed(bytes: Vec<u8>, kind: &str) -> Image {
    // The diff ID is unknown: only an archive that passes compares it, so those forms are left out.
    Image::with(Layer::packed(bytes, kind))
}

fn tar_with_shell() -> Vec<u8> {
    Tar::default().file("data", &elf::shell()).end()
}

fn small_tar() -> Vec<u8> {
    Tar::default().file("data", b"some data").end()
}

/// The header of a file of nine bytes.
fn one_file() -> Vec<u8> {
    Head::new(b'0', "data", 9).block().to_vec()
}

/// The header of a file of so many MiB, whose zeros follow.
fn large_file(mib: usize) -> Vec<u8> {
    Head::new(b'0', "zeros", (mib as u64) << 20).block().to_vec()
}

fn packed_case(
    row: &'static str,
    name: &'static str,
    expect: crate::case::Expect,
    kind: &'static str,
    bytes: impl Fn() -> Vec<u8> + Send + Sync + 'static,
) -> Case {
    Case::scenes(row, name, expect, move |directory| {
        let files = packed(bytes(), kind).files();
        files.write(&directory.join("layout"));
        let path = directory.join("image.tar");
        std::fs::write(&path, crate::support::image::archive(&files.members()).end()).unwrap();
        vec![Scene::at("oci:layout"), Scene::at("oci-archive:image.tar")]
    })
}

fn honestly(case: Case, kind: &'static str, bytes: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Case {
    case.beside_scenes(move |directory| {
        packed(bytes(), kind).files().write(&directory.join("layout"));
        vec![Scene::at("oci:layout")]
    })
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        honestly(
            packed_case(
                "bomb",
                "4 GiB in 4 MiB of gzip, then a shell",
                Denied(&["shell"]),
                "gzip",
                || {
                    let mut all = gzip_bomb(&large_file(4096), 4096);
                    all.extend(gzip(&tar_with_shell()));
                    all
                },
            ),
            "gzip",
            || {
                let mut all = gzip_bomb(&large_file(64), 64);
                all.extend(gzip(&small_tar()));
                all
            },
        ),
        honestly(
            packed_case(
                "bomb",
                "8 GiB in 300 KiB of zstd, then a shell",
                Denied(&["shell"]),
                "zstd",
                || {
                    let mut all = zstd_bomb(&large_file(4000), 4000);
                    all.extend(zstd_bomb(&large_file(4000), 4000));
                    all.extend(zstd_frame(&tar_with_shell()));
                    all
                },
            ),
            "zstd",
            || {
                let mut all = zstd_bomb(&large_file(64), 64);
                all.extend(zstd_frame(&small_tar()));
                all
            },
        ),
        packed_case(
            "bomb",
            "4 GiB of zeros that are no archive",
            Compliant(&[]),
            "gzip",
            || gzip_bomb(&[0; 1024], 4096),
        ),
        packed_case(
            "bomb",
            "a program that inflates to 2 GiB",
            Denied(&["shell"]),
            "zstd",
            || {
                let mut program = elf::shell();
                program.resize(1 << 20, 0);
                let mut head = Head::new(b'0', "program", (2048 << 20) + (1 << 20))
                    .block()
                    .to_vec();
                head.extend(program);
                let mut all = zstd_bomb(&head, 2048);
                all.extend(zstd_frame(&[0; 1024]));
                all
            },
        ),
        honestly(
            packed_case(
                "codec",
                "zstd window of 2 GiB",
                Gap(&["layer 1", "window"]),
                "zstd",
                || wide_frame(21, &small_tar()),
            ),
            "zstd",
            || wide_frame(10, &small_tar()),
        ),
        packed_case(
            "codec",
            "zstd window of 128 TiB",
            Gap(&["layer 1", "window"]),
            "zstd",
            || wide_frame(31, &small_tar()),
        ),
        honestly(
            packed_case(
                "codec",
                "1,100,000 empty gzip members",
                Gap(&["layer 1", "1000000"]),
                "gzip",
                || {
                    let mut all = gzip(&small_tar());
                    all.extend(gzip(b"").repeat(1_100_000));
                    all
                },
            ),
            "gzip",
            || {
                let mut all = gzip(b"").repeat(1_000);
                all.extend(gzip(&small_tar()));
                all
            },
        ),
        honestly(
            packed_case(
                "codec",
                "1,100,000 skippable zstd frames",
                Gap(&["layer 1", "1000000"]),
                "zstd",
                || {
                    let mut all = skippable(b"").repeat(1_100_000);
                    all.extend(zstd_frame(&small_tar()));
                    all
                },
            ),
            "zstd",
            || {
                let mut all = skippable(b"some").repeat(1_000);
                all.extend(zstd_frame(&small_tar()));
                all
            },
        ),
        packed_case(
            "codec",
            "shell behind empty gzip members",
            Denied(&["shell"]),
            "gzip",
            || {
                let mut all = gzip(b"").repeat(1_000);
                all.extend(gzip(&tar_with_shell()));
                all
            },
        ),
        packed_case(
            "codec",
            "shell split over two gzip members",
            Denied(&["shell"]),
            "gzip",
            || {
                let tar = tar_with_shell();
                let (a, b) = tar.split_at(700);
                [gzip(a), gzip(b)].concat()
            },
        ),
        packed_case("codec", "gzip in gzip", Gap(&["layer 1"]), "gzip", || {
            gzip(&gzip(&small_tar()))
        }),
        packed_case("codec", "zstd in gzip", Gap(&["layer 1"]), "gzip", || {
            gzip(&zstd_frame(&small_tar()))
        }),
        packed_case(
            "codec",
            "gzip cut off",
            Gap(&["layer 1", "cut off"]),
            "gzip",
            || {
                let mut all = gzip(&small_tar());
                all.truncate(all.len() - 12);
                all
            },
        ),
        packed_case(
            "codec",
            "zstd cut off",
            Gap(&["layer 1", "cut off"]),
            "zstd",
            || {
                let mut all = zstd_frame(&tar_with_shell());
                all.truncate(all.len() / 2);
                all
            },
        ),
        packed_case(
            "codec",
            "gzip of a wrong checksum",
            Gap(&["layer 1", "damaged"]),
            "gzip",
            || {
                let mut all = gzip(&small_tar());
                let at = all.len() - 8;
                all[at] ^= 1;
                all
            },
        ),
        packed_case("codec", "gzip that is damaged", Gap(&["layer 1"]), "gzip", || {
            let mut all = gzip(&elf::shell().repeat(9));
            let at = all.len() / 2;
            all[at..at + 20].fill(0xff);
            all
        }),
        packed_case(
            "codec",
            "text behind gzip in the middle of the archive",
            Gap(&["layer 1", "followed"]),
            "gzip",
            || {
                let tar = Tar::default().file("data", b"some data").0;
                [gzip(&tar), b"and so on".to_vec()].concat()
            },
        ),
        honestly(
            packed_case(
                "codec",
                "text behind gzip behind the archive",
                Compliant(&["behind"]),
                "gzip",
                || [gzip(&small_tar()), b"and so on".to_vec()].concat(),
            ),
            "gzip",
            || gzip(&small_tar()),
        ),
        honestly(
            packed_case(
                "codec",
                "eStargz table of another name",
                Gap(&["layer 1", "table of contents", "/bin/sh"]),
                "gzip",
                || estargz(&one_file(), b"some data", "bin/sh", 0),
            ),
            "gzip",
            || estargz(&one_file(), b"some data", "data", 0),
        ),
        packed_case(
            "codec",
            "eStargz table of another content",
            Gap(&["layer 1", "table of contents", "/data"]),
            "gzip",
            || estargz(&one_file(), b"some data", "data", 1),
        ),
        packed_case("codec", "xz", Gap(&["layer 1", "xz"]), "xz", || {
            b"\xfd7zXZ\0\0\x04".repeat(100)
        }),
        packed_case("codec", "bzip2", Gap(&["layer 1", "bzip2"]), "bzip2", || {
            b"BZh91AY&SY".repeat(100)
        }),
        packed_case("codec", "two bytes of gzip", Gap(&["layer 1"]), "gzip", || {
            vec![0x1f, 0x8b]
        }),
        packed_case(
            "codec",
            "gzip header of endless name",
            Gap(&["layer 1"]),
            "gzip",
            || {
                let mut all = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3];
                all.extend(vec![b'n'; 8 << 20]);
                all
            },
        ),
        Case::scenes(
            "bomb",
            "whole archive as a gzip bomb on standard input",
            Error("not-an-image", &[]),
            |directory| {
                let path = directory.join("bomb");
                std::fs::write(&path, gzip_bomb(&large_file(64), 1024)).unwrap();
                vec![Scene::stdin(path)]
            },
        )
        .beside_scenes(|directory| {
            let path = directory.join("image");
            let tar = crate::support::image::archive(
                &Image::of(vec![Layer::new(honest().end())]).files().members(),
            );
            std::fs::write(&path, gzip(&tar.end())).unwrap();
            vec![Scene::stdin(path)]
        }),
    ]
}
