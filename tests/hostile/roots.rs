//! Root directories with traps, and targets that are not there.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, fs::symlink, net::UnixListener},
    path::Path,
};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::{
    case::{
        Case, Expect,
        Expect::{Compliant, Denied, Error, Gap},
        Scene,
    },
    support::elf,
};

fn root(name: &'static str, expect: Expect, fill: impl Fn(&Path) + Send + Sync + 'static) -> Case {
    Case::scenes("root directory", name, expect, move |directory| {
        let root = directory.join("root");
        for part in ["etc", "bin"] {
            fs::create_dir_all(root.join(part)).unwrap();
        }
        fill(&root);
        vec![Scene::at("rootfs:root")]
    })
    .beside_scenes(|directory| {
        let root = directory.join("root");
        fs::create_dir_all(root.join("bin")).unwrap();
        program(&root.join("bin/server"), &elf::server());
        vec![Scene::at("rootfs:root")]
    })
}

fn program(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        root("FIFO that nobody writes to", Compliant(&[]), |root| {
            mknodat(CWD, root.join("etc/passwd"), FileType::Fifo, Mode::from(0o644), 0).unwrap();
        }),
        root("socket", Compliant(&[]), |root| {
            drop(UnixListener::bind(root.join("bin/s")).unwrap());
        }),
        root("links to this machine's files", Compliant(&[]), |root| {
            symlink("/etc/passwd", root.join("etc/passwd")).unwrap();
            symlink("/bin/sh", root.join("bin/sh")).unwrap();
            symlink("/", root.join("all")).unwrap();
            symlink("/proc/self/exe", root.join("exe")).unwrap();
        }),
        root(
            "shell that is called like a marker of layers",
            Gap(&["/bin/.wh.tool", "called like a marker"]),
            |root| program(&root.join("bin/.wh.tool"), &elf::shell()),
        ),
        root(
            "shell that carries the attribute of a whiteout",
            Denied(&["shell"]),
            |root| {
                let path = root.join("bin/tool");
                program(&path, &elf::shell());
                // Where attributes cannot be set the shell is found all the same.
                let flags = rustix::fs::XattrFlags::empty();
                let _ = rustix::fs::setxattr(&path, "user.overlay.whiteout", b"", flags);
            },
        ),
        root("links in a loop", Compliant(&[]), |root| {
            symlink("..", root.join("bin/up")).unwrap();
            symlink("loop", root.join("loop")).unwrap();
        }),
        root("a shell of another name", Denied(&["shell"]), |root| {
            program(&root.join("bin/data"), &elf::shell());
        }),
        root("a shell behind a link", Denied(&["shell"]), |root| {
            program(&root.join("etc/data"), &elf::shell());
            symlink("../etc/data", root.join("bin/tool")).unwrap();
        }),
        root("a sparse file of 8 TiB", Gap(&["/etc/huge", "holes"]), |root| {
            fs::File::create(root.join("etc/huge"))
                .unwrap()
                .set_len(8 << 40)
                .unwrap();
        }),
        root("5,000 names with line breaks", Compliant(&[]), |root| {
            for n in 0..5_000 {
                fs::write(root.join(format!("etc/{n}\n::error::\u{1b}[2J")), b"").unwrap();
            }
        }),
        root(
            "300 directories in one another",
            Gap(&["nested too deep"]),
            |root| {
                fs::create_dir_all(root.join("d/".repeat(300))).unwrap();
            },
        ),
        Case::scenes(
            "root directory",
            "root directory that is not there",
            Error("not-found", &["absent"]),
            |_| {
                vec![
                    Scene::at("rootfs:absent"),
                    Scene::at("oci:absent"),
                    Scene::at("oci-archive:absent"),
                    Scene::at("./absent"),
                ]
            },
        ),
        Case::scenes(
            "root directory",
            "layout that is a FIFO inside",
            Error("not-found", &["sha256:"]),
            |directory| {
                let files = crate::support::image::Image::default().files();
                files.write(&directory.join("layout"));
                let config =
                    crate::support::image::sha256(&crate::support::image::Image::default().config_bytes());
                let path = directory.join("layout/blobs").join(config.replacen(':', "/", 1));
                fs::remove_file(&path).unwrap();
                mknodat(CWD, &path, FileType::Fifo, Mode::from(0o644), 0).unwrap();
                vec![Scene::at("oci:layout")]
            },
        ),
        Case::scenes(
            "network",
            "registry that does not answer",
            Error("unavailable", &["127.0.0.1"]),
            |_| vec![Scene::at("127.0.0.1:1/app:1")],
        ),
    ]
}
