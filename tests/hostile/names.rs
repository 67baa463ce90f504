//! Names that no file system holds, that climb out of the root, or that speak to terminals and parsers.

use crate::{
    case::{
        Case,
        Expect::{Compliant, Denied},
    },
    support::{
        elf,
        image::Image,
        tar::{Head, Tar},
    },
};

fn named(row: &'static str, name: &'static str, member: &'static [u8]) -> Case {
    Case::image(row, name, Denied(&["shell"]), move || {
        Image::with_tar(Tar::default().long_file(member, &elf::shell()).end())
    })
    .beside(move || Image::with_tar(Tar::default().long_file(member, &elf::server()).end()))
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        named(
            "names",
            "name that climbs out of the root",
            b"../../../../bin/tool",
        ),
        named("names", "absolute name", b"//bin/tool"),
        named("names", "name with a drive", b"C:\\windows\\tool.exe"),
        named("names", "name with escapes", b"bin/\x1b[2Jtool\x1b]0;x\x07"),
        named(
            "names",
            "name with line breaks",
            b"bin/a\r\n::error::tool\n##[error]b",
        ),
        named(
            "names",
            "name that runs from right to left",
            "bin/\u{202e}loot\u{2066}".as_bytes(),
        ),
        named("names", "name in HTML", b"bin/<script>alert(1)</script>\"'&"),
        named(
            "names",
            "name of odd URI characters",
            b"bin/javascript:%2e%2e#[a b]?:",
        ),
        named("names", "name that is no UTF-8", b"bin/\xff\xfe\xc3"),
        named("names", "name as a formula", b"=cmd|'/C calc'!A0"),
        named("names", "name with Markdown", b"bin/`|[x](javascript:x)|`"),
        named("names", "dots and slashes", b"./././//bin/.//../bin/./tool"),
        Case::image("names", "path of 900 KiB", Compliant(&[]), || {
            Image::with_tar(
                Tar::default()
                    .long_file(&b"directory/".repeat(90_000), &elf::shell())
                    .end(),
            )
        }),
        Case::image("names", "100,000 components", Compliant(&[]), || {
            Image::with_tar(
                Tar::default()
                    .long_file(&b"d/".repeat(100_000), &elf::shell())
                    .end(),
            )
        }),
        Case::image("names", "component of 300 bytes", Compliant(&[]), || {
            Image::with_tar(Tar::default().long_file(&[b'n'; 300], &elf::shell()).end())
        })
        .beside(|| Image::with_tar(Tar::default().long_file(&[b'n'; 255], &elf::server()).end())),
        Case::image("names", "empty name", Compliant(&[]), || {
            Image::with_tar(Tar::default().file("", &elf::server()).file("data", b"x").end())
        }),
        Case::image("names", "file in place of the root", Denied(&["shell"]), || {
            Image::with_tar(Tar::default().file(".", b"x").file("data", &elf::shell()).end())
        }),
        Case::image("whiteouts", "marker for the marker", Denied(&["shell"]), || {
            Image::with_tar(
                Tar::default()
                    .file(".wh..wh..opq", b"")
                    .file("bin/tool", &elf::shell())
                    .end(),
            )
        }),
        Case::image(
            "whiteouts",
            "marker without a name",
            Denied(&["missing-program", "shell"]),
            || {
                Image::with_tar(
                    Tar::default()
                        .file(".wh.app", b"")
                        .file("bin/tool", &elf::shell())
                        .end(),
                )
            },
        ),
        Case::image(
            "whiteouts",
            "marker of dots removes nothing outside",
            Denied(&["shell"]),
            || {
                let mut image = Image::with_tar(
                    Tar::default()
                        .file("d/.wh...", b"")
                        .file("d/.wh..", b"")
                        .file("d/.wh.", b"")
                        .end(),
                );
                image.layers.insert(
                    1,
                    crate::support::image::Layer::new(Tar::default().file("bin/tool", &elf::shell()).end()),
                );
                image
            },
        )
        .beside(|| Image::with_tar(Tar::default().file("d/data", b"").end())),
        Case::image(
            "whiteouts",
            "marker in the layer of the file",
            Denied(&["shell"]),
            || {
                Image::with_tar(
                    Tar::default()
                        .file("bin/tool", &elf::shell())
                        .file("bin/.wh.tool", b"")
                        .end(),
                )
            },
        ),
        Case::image(
            "whiteouts",
            "marker with a shell in its body",
            Compliant(&[]),
            || Image::with_tar(Tar::default().file("bin/.wh.tool", &elf::shell()).end()),
        ),
        Case::image(
            "whiteouts",
            "directory named as a marker holds a shell",
            Denied(&["shell"]),
            || {
                Image::with_tar(
                    Tar::default()
                        .directory(".wh.x/")
                        .file(".wh.x/tool", &elf::shell())
                        .end(),
                )
            },
        ),
        Case::image(
            "whiteouts",
            "shell hidden behind a marker of another case",
            Denied(&["shell"]),
            || {
                let mut image = Image::with_tar(Tar::default().file("bin/.WH.tool", b"").end());
                image.layers.insert(
                    1,
                    crate::support::image::Layer::new(Tar::default().file("bin/tool", &elf::shell()).end()),
                );
                image
            },
        ),
        Case::image("names", "device and FIFO", Compliant(&[]), || {
            Image::with_tar(
                Tar::default()
                    .member(Head::new(b'3', "dev/mem", 0).with(329, b"0000001\0"), b"")
                    .member(Head::new(b'6', "run/pipe", 0), b"")
                    .end(),
            )
        }),
    ]
}
