//! Floods: of members, names, findings, layers and the memory that their facts take.

use crate::{
    case::{
        Case,
        Expect::{Compliant, Denied, Error, Gap},
        Scene,
    },
    support::{
        codec::{gzip, zstd_frame},
        elf,
        image::{Image, Layer},
        tar::{Head, Tar},
    },
};

/// So many empty members, named by number, packed on the fly.
fn members(from: usize, count: usize, name: impl Fn(usize) -> String) -> Vec<u8> {
    let mut packed = Vec::new();
    for start in (from..from + count).step_by(20_000) {
        let tar = (start..(start + 20_000).min(from + count)).fold(Tar::default(), |tar, n| {
            tar.member(Head::new(b'0', name(n), 0), b"")
        });
        packed.extend(zstd_frame(&tar.0));
    }
    packed
}

fn flood(count: usize) -> Vec<u8> {
    let mut all = members(0, count, |n| format!("d/{n}"));
    all.extend(zstd_frame(&[0; 1024]));
    all
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::large(
            "counts",
            "1,050,000 members",
            Gap(&["layer 1", "too many members", "500000"]),
            || Image::with(Layer::packed(flood(1_050_000), "zstd")),
        )
        .beside_scenes(|directory| {
            Image::with(Layer::packed(flood(20_000), "zstd"))
                .files()
                .write(&directory.join("layout"));
            vec![Scene::at("oci:layout")]
        }),
        Case::large(
            "counts",
            "eight layers of 400,000 members",
            Error("too-large", &["members", "limit"]),
            || {
                let layers = (0..8).map(|at| {
                    let mut all = members(at * 400_000, 400_000, |n| format!("d/{n}"));
                    all.extend(zstd_frame(&[0; 1024]));
                    Layer::packed(all, "zstd")
                });
                let mut image = Image::default();
                image.layers.extend(layers);
                image
            },
        ),
        Case::large("counts", "names of 500 MiB", Gap(&["layer 1", "names"]), || {
            let directory = "d".repeat(200) + "/";
            let mut packed = Vec::new();
            for start in 0..70 {
                let tar = (0..2_000).fold(Tar::default(), |tar, n| {
                    tar.long_file(format!("{}{start}-{n}", directory.repeat(19)).as_bytes(), b"")
                });
                packed.extend(zstd_frame(&tar.0));
            }
            packed.extend(zstd_frame(&[0; 1024]));
            Image::with(Layer::packed(packed, "zstd"))
        }),
        Case::large(
            "kept files",
            "24 layers of accounts of 9 MiB",
            Error("too-large", &["limit"]),
            || {
                let layers = (0..24).map(|at| {
                    let tar = Tar::default()
                        .file("etc/passwd", &vec![b'#'; 9 << 20])
                        .file(at.to_string(), b"");
                    Layer::packed(zstd_frame(&tar.end()), "zstd")
                });
                let mut image = Image::default();
                image.layers.extend(layers);
                image
            },
        ),
        Case::large(
            "kept files",
            "24 layers of small lists of accounts",
            Compliant(&[]),
            || {
                let mut image = Image::default();
                image.layers.extend((0..24).map(|at| {
                    let tar = Tar::default()
                        .file("etc/passwd", b"app:x:65532:65532::/:/none\n")
                        .file(at.to_string(), b"");
                    Layer::new(tar.end())
                }));
                image
            },
        ),
        Case::large(
            "counts",
            "gaps with names of a mebibyte each",
            Gap(&["layer 1"]),
            || {
                let name = vec![0xff; 900_000];
                let mut packed = Vec::new();
                for n in 0..200_u32 {
                    let mut long = name.clone();
                    long.extend(n.to_le_bytes());
                    packed.extend(zstd_frame(&Tar::default().long_file(&long, b"x").0));
                }
                // The archive ends in the middle of a member, so that there is a gap that hides something.
                packed.extend(zstd_frame(&Head::new(b'0', "cut", 512).block()));
                Image::with(Layer::packed(packed, "zstd"))
            },
        ),
        Case::large("counts", "7,000 shells", Denied(&["shell"]), || {
            let shell = elf::shell();
            let tar = (0..7_000).fold(Tar::default(), |tar, n| tar.file(format!("bin/s{n}"), &shell));
            Image::with(Layer::packed(gzip(&tar.end()), "gzip"))
        }),
        Case::large(
            "counts",
            "5,000 directories in one another, written twice",
            Compliant(&[]),
            || {
                let path = "d/".repeat(2_000);
                let tar = (1..2_000).fold(Tar::default(), |tar, n| {
                    tar.long_file(format!("{}f", &path[..n * 2]).as_bytes(), b"")
                });
                Image::with(Layer::packed(gzip(&tar.end()), "gzip"))
            },
        ),
        Case::large("counts", "100,000 labels and variables", Compliant(&[]), || {
            Image::default().config(|text| {
                let labels: Vec<String> = (0..50_000).map(|n| format!("\"l{n}\":\"x\"")).collect();
                let env: Vec<String> = (0..50_000).map(|n| format!("\"V{n}=x\"")).collect();
                text.replace(
                    "\"config\":{",
                    &format!(
                        "\"config\":{{\"Labels\":{{{}}},\"Env\":[{}],",
                        labels.join(","),
                        env.join(",")
                    ),
                )
                .into_bytes()
            })
        }),
        Case::large("counts", "100,000 lines of history", Compliant(&[]), || {
            Image::default().config(|text| {
                let history = vec![r#"{"created_by":"x","empty_layer":true}"#; 100_000].join(",");
                text.replace(
                    "{\"architecture\"",
                    &format!("{{\"history\":[{history}],\"architecture\""),
                )
                .into_bytes()
            })
        }),
    ]
}
