//! Archives of images whose members lie: twice, cut, linked, or with two lists that differ.

use std::{fs, path::Path};

use crate::{
    case::{
        Case, Expect,
        Expect::{Compliant, Denied, Error, Refused},
        Scene,
    },
    support::{
        codec::gzip,
        elf,
        image::{Image, Layer, archive},
        tar::{Head, Tar},
    },
};

/// An archive in a file and on standard input.
fn ways(directory: &Path, bytes: &[u8]) -> Vec<Scene> {
    let path = directory.join("image.tar");
    fs::write(&path, bytes).unwrap();
    vec![Scene::at("./image.tar"), Scene::stdin(path)]
}

fn saved(name: &'static str, expect: Expect, bytes: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Case {
    Case::scenes("archive", name, expect, move |directory| {
        ways(directory, &bytes())
    })
}

fn honestly(case: Case) -> Case {
    case.beside_scenes(|directory| ways(directory, &archive(&Image::default().docker()).end()))
}

fn with_shell() -> Image {
    Image::with_tar(Tar::default().file("tool", &elf::shell()).end())
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        honestly(saved("docker archive with a shell", Denied(&["shell"]), || {
            archive(&with_shell().docker()).end()
        })),
        saved("manifest.json twice", Error("ambiguous", &["twice"]), || {
            let members = Image::default().docker();
            let other = with_shell().docker();
            archive(&[members, other].concat()).end()
        }),
        saved("manifest.json twice in equal bytes", Compliant(&[]), || {
            let mut members = Image::default().docker();
            members.push(members.last().unwrap().clone());
            archive(&members).end()
        }),
        saved("layer twice", Error("ambiguous", &["layer0"]), || {
            let mut members = Image::default().docker();
            members.insert(
                0,
                ("layer0/layer.tar".into(), with_shell().layers[1].bytes.clone()),
            );
            archive(&members).end()
        }),
        saved("configuration of another name's digest", Refused(&[]), || {
            let mut members = Image::default().docker();
            members[0].1 = Image::default().user("1:1").config_bytes();
            archive(&members).end()
        }),
        saved(
            "layers of another diff id",
            Error("digest-mismatch", &["layer"]),
            || {
                let mut members = Image::default().docker();
                members[1].1.clone_from(&with_shell().layers[1].bytes);
                archive(&members).end()
            },
        ),
        saved("two lists that differ", Denied(&["shell"]), || {
            // index.json names a shell, manifest.json an honest image: both are judged.
            let members = [with_shell().files().members(), Image::default().docker()].concat();
            archive(&members).end()
        }),
        saved("cut off in a member", Error("corrupt", &[]), || {
            let mut all = archive(&Image::default().docker()).end();
            all.truncate(700);
            all
        }),
        saved("cut off in a header", Error("corrupt", &[]), || {
            let mut all = archive(&Image::default().docker()).0;
            all.extend(&Head::new(b'0', "more", 0).block()[..77]);
            all
        }),
        saved("gzip cut off", Error("corrupt", &[]), || {
            let mut all = gzip(&archive(&Image::default().docker()).end());
            all.truncate(all.len() / 2);
            all
        }),
        honestly(saved(
            "honest archive in the body of a file named like a directory",
            Denied(&["shell"]),
            || {
                let decoy = archive(&Image::default().docker()).end();
                let other = archive(&with_shell().docker());
                let head = Head::new(b'0', "decoy/", decoy.len() as u64);
                Tar::default().member(head, &decoy).raw(&other.0).end()
            },
        )),
        saved(
            "sparse manifest.json of another name",
            Error("ambiguous", &["manifest.json", "sparse"]),
            || {
                let tar = archive(&Image::default().docker()).pax(&[
                    ("GNU.sparse.numblocks", b"1"),
                    ("GNU.sparse.map", b"0,2"),
                    ("GNU.sparse.size", b"2"),
                    ("GNU.sparse.name", b"manifest.json"),
                ]);
                tar.file("decoy", b"[]").end()
            },
        ),
        saved(
            "configuration below a link to its directory",
            Error("ambiguous", &["/link/config.json"]),
            || {
                let tar = archive(&Image::default().docker());
                tar.symlink("link", "d").file("link/config.json", b"{}").end()
            },
        ),
        saved(
            "layer by a link to a file of this machine",
            Refused(&["not"]),
            || {
                let mut members = Image::default().docker();
                members.remove(1);
                archive(&members).symlink("layer0/layer.tar", "/etc/passwd").end()
            },
        ),
        saved("layer by a link that climbs out", Refused(&["not"]), || {
            let mut members = Image::default().docker();
            members.remove(1);
            archive(&members)
                .symlink("layer0/layer.tar", "../../../../../etc/passwd")
                .end()
        }),
        saved("layer by a loop of links", Refused(&["not"]), || {
            let mut members = Image::default().docker();
            members.remove(1);
            archive(&members)
                .symlink("layer0/layer.tar", "a")
                .symlink("layer0/a", "layer.tar")
                .end()
        }),
        honestly(saved(
            "layer that is the archive in an archive",
            Denied(&["missing-program"]),
            || {
                let inner = archive(&Image::default().docker()).end();
                archive(&Image::of(vec![Layer::new(inner)]).docker()).end()
            },
        )),
        saved(
            "manifest.json of nothing",
            Error("not-an-image", &["listed"]),
            || archive(&[("manifest.json".to_owned(), b"[]".to_vec())]).end(),
        ),
        saved(
            "manifest.json that is no list",
            Error("corrupt", &["manifest.json"]),
            || archive(&[("manifest.json".to_owned(), b"{\"a\":1}".to_vec())]).end(),
        ),
        saved("manifest.json without a configuration", Refused(&[]), || {
            archive(&[(
                "manifest.json".to_owned(),
                br#"[{"Config":"x.json","RepoTags":null,"Layers":[]}]"#.to_vec(),
            )])
            .end()
        }),
        saved("names that climb out", Compliant(&[]), || {
            let mut members = Image::default().docker();
            members.push(("../../../../tmp/escaped".into(), b"x".to_vec()));
            archive(&members).end()
        }),
        saved(
            "manifest.json of 80 MiB",
            Error("too-large", &["manifest.json"]),
            || {
                let mut members = Image::default().docker();
                let last = members.len() - 1;
                members[last].1.resize(80 << 20, b' ');
                archive(&members).end()
            },
        ),
        saved(
            "an archive of nothing but zeros",
            Error("not-an-image", &[]),
            || vec![0; 10_240],
        ),
        saved("an archive of text", Refused(&["archive"]), || {
            b"hello, world\n".repeat(100)
        }),
        saved("an empty file", Error("not-an-image", &[]), Vec::new),
    ]
}
