//! Links that lead out of the root, in circles, or through each other.

use crate::{
    case::{
        Case,
        Expect::{Compliant, Denied, Gap},
    },
    support::{
        elf,
        image::{Image, Layer},
        tar::Tar,
    },
};

fn two(first: Tar, second: Tar) -> Image {
    let mut image = Image::with_tar(first.end());
    image.layers.push(Layer::new(second.end()));
    image
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::image("links", "symbolic link out of the root", Compliant(&[]), || {
            Image::with_tar(Tar::default().symlink("data", "../../../../../../bin/sh").end())
        }),
        Case::image(
            "links",
            "accounts by a link to those of this machine",
            Denied(&["unknown-user"]),
            || {
                Image::with_tar(
                    Tar::default()
                        .symlink("etc/passwd", "/proc/self/root/etc/passwd")
                        .end(),
                )
                .user("root2")
            },
        ),
        Case::image("links", "hard link out of the root", Compliant(&[]), || {
            Image::with_tar(
                Tar::default()
                    .hard_link("data", "../../../../../../etc/shadow")
                    .end(),
            )
        }),
        Case::image("links", "link loop", Compliant(&[]), || {
            Image::with_tar(
                Tar::default()
                    .symlink("a", "b")
                    .symlink("b", "a")
                    .symlink("c", "c/c/c")
                    .end(),
            )
        }),
        Case::image(
            "links",
            "loop in the way of the program",
            Denied(&["missing-program"]),
            || {
                Image::of(vec![Layer::new(
                    Tar::default().symlink("app", "b").symlink("b", "app").end(),
                )])
            },
        )
        .beside(|| {
            Image::of(vec![Layer::new(
                Tar::default()
                    .file("real", &elf::server())
                    .symlink("app", "real")
                    .end(),
            )])
        }),
        Case::image("links", "hard link to itself", Compliant(&[]), || {
            Image::with_tar(Tar::default().hard_link("a", "a").end())
        }),
        Case::image("links", "chain of 5,000 links", Compliant(&[]), || {
            let tar = (0..5_000).fold(Tar::default(), |tar, n| {
                tar.symlink(&format!("l{n}"), &format!("l{}", n + 1))
            });
            Image::with_tar(tar.end())
        }),
        Case::image(
            "links",
            "links that double the path at each step",
            Gap(&["layer 1", "/l0/l0/x", "loop"]),
            || {
                let tar = (0..60).fold(Tar::default(), |tar, n| {
                    tar.symlink(&format!("l{n}"), &format!("l{}/../l{}", n + 1, n + 1))
                });
                Image::with_tar(tar.file("l0/l0/x", b"x").end())
            },
        ),
        Case::image(
            "links",
            "written through a link that replaces a directory",
            Denied(&["shell"]),
            || {
                two(
                    Tar::default().directory("lib/").symlink("bin", "/lib"),
                    Tar::default().file("bin/tool", &elf::shell()),
                )
            },
        )
        .beside(|| {
            two(
                Tar::default().directory("lib/").symlink("bin", "/lib"),
                Tar::default().file("bin/tool", &elf::server()),
            )
        }),
        Case::image(
            "links",
            "hard link to a shell of a lower layer, which goes",
            Denied(&["shell"]),
            || {
                two(
                    Tar::default().file("bin/tool", &elf::shell()),
                    Tar::default()
                        .hard_link("data", "bin/tool")
                        .file("bin/.wh.tool", b""),
                )
            },
        ),
        Case::image(
            "links",
            "directory over a file over a directory",
            Gap(&["layer 1", "/a/b/c", "cannot be unpacked"]),
            || {
                Image::with_tar(
                    Tar::default()
                        .file("a/b", b"x")
                        .file("a", b"x")
                        .file("a/b/c", &elf::shell())
                        .end(),
                )
            },
        ),
    ]
}
