//! Tests of what a word or a path leads to.

use super::{samples::write, *};

/// A folder with these files in it.
fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        write(&path, b"{}");
    }
    folder
}

#[test]
fn a_folder_is_what_its_marks_say() {
    for (files, what) in [
        (&["oci-layout"][..], Directory::Layout),
        (&["index.json"], Directory::Layout),
        (&["manifest.json"], Directory::Layout),
        (&["oci-layout", "manifest.json", "version"], Directory::Layout),
        (&["manifest.json", "version"], Directory::Skopeo),
        (&["etc/passwd"], Directory::Root),
        (&["bin/app"], Directory::Root),
        (&["usr/bin/app"], Directory::Root),
        (&["index.json", "etc/passwd"], Directory::Layout),
        (&["version"], Directory::Neither),
        (&["Dockerfile", "src/main.rs"], Directory::Neither),
        (&[], Directory::Neither),
    ] {
        let folder = folder(files);
        assert_eq!(layout_or_root(folder.path()), what, "{files:?}");
        assert_eq!(
            looks_scannable(folder.path()),
            what != Directory::Neither,
            "{files:?}"
        );
    }
}

#[test]
fn a_file_is_a_target_if_it_can_be_an_archive() {
    let folder = folder(&[]);
    let tar = samples::layer("a");
    let is_target = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        write(&path, bytes);
        looks_scannable(&path)
    };
    for (name, bytes, is) in [
        ("nginx", tar.as_slice(), true),
        ("nginx", b"\x1f\x8b\x08\0\0\0", true),
        ("nginx", b"\x28\xb5\x2f\xfd\0\0", true),
        ("nginx", b"\xfd7zXZ\0", true),
        ("nginx", b"worker_processes 4;\n", false),
        ("nginx", b"", false),
        ("nginx.conf", b"worker_processes 4;\n", false),
        // Such a name is meant, whatever is in it.
        ("nginx.tar", b"", true),
        ("nginx.tgz", b"", true),
    ] {
        assert_eq!(is_target(name, bytes), is, "{name} {bytes:?}");
    }
    assert!(!looks_scannable(&folder.path().join("absent")));
    let pipe = folder.path().join("pipe.tar");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from(0o600),
        0,
    )
    .unwrap();
    assert!(!looks_scannable(&pipe));
}

#[test]
fn a_registry_is_asked_for_what_is_not_here() {
    let host = |target: &Target| registry_host(target).map(str::to_owned);
    let parse = |text: &str| text.parse::<Target>().unwrap();
    assert_eq!(host(&parse("docker://r.example/a")).as_deref(), Some("r.example"));
    assert_eq!(host(&parse("nginx")).as_deref(), Some("docker.io"));
    for here in [
        "-",
        "./nginx",
        "/nginx",
        "oci:nginx",
        "rootfs:nginx",
        "docker-daemon:nginx",
    ] {
        assert_eq!(host(&parse(here)), None, "{here}");
    }
    let folder = folder(&["index.json"]);
    let word = |path: &Path| Target {
        text: "nginx".into(),
        kind: Kind::Word(path.to_owned(), "nginx".parse()),
    };
    assert_eq!(host(&word(folder.path())), None);
    assert_eq!(
        host(&word(&folder.path().join("absent"))).as_deref(),
        Some("docker.io")
    );
}
