//! Small layers and root file systems for tests, written as lists of entries.

use super::Rootfs;
use crate::{
    binary::{Confidence, Elf, Form, Identity, Program},
    layer::{Entry, Kept, Kind, LayerFacts},
    path::RootPath,
};

/// An entry of any kind, owned by root.
pub(crate) fn entry(path: &str, kind: Kind, mode: u16) -> Entry {
    Entry {
        path: RootPath::from(path),
        kind,
        mode,
        uid: 0,
        gid: 0,
        size: 0,
        capability: None,
        unapplied_capability: None,
        xattrs: Vec::new(),
        program: None,
        kept: None,
        secrets: Vec::new(),
    }
}

/// A regular file that is no program.
pub(crate) fn file(path: &str, mode: u16) -> Entry {
    entry(path, Kind::File, mode)
}

/// A regular file whose content was kept.
pub(crate) fn text(path: &str, content: &str) -> Entry {
    Entry {
        size: content.len() as u64,
        kept: Some(Kept {
            bytes: content.into(),
            cut: false,
        }),
        ..file(path, 0o644)
    }
}

/// A startable static ELF file of mode 0755 that holds the code of each of these families (`shell.bash`).
pub(crate) fn program<const N: usize>(path: &str, families: [&str; N]) -> Entry {
    let identities = families.map(|family| Identity {
        family: family.into(),
        confidence: Confidence::Certain,
        evidence: "made for a test".into(),
        applets: Vec::new(),
        version: None,
    });
    Entry {
        size: 4096,
        program: Some(Box::new(Program {
            form: Form::Elf(Elf {
                machine: 62,
                class64: true,
                little_endian: true,
                startable: true,
                ..Elf::default()
            }),
            identities: identities.into(),
            opaque: None,
            inside: Vec::new(),
        })),
        ..file(path, 0o755)
    }
}

/// A directory.
pub(crate) fn dir(path: &str, mode: u16) -> Entry {
    entry(path, Kind::Directory, mode)
}

/// A symbolic link to `target`, as written.
pub(crate) fn symlink(path: &str, target: &str) -> Entry {
    entry(path, Kind::Symlink(target.into()), 0o777)
}

/// A hard link to `target`, whose own header says 0755.
pub(crate) fn hardlink(path: &str, target: &str) -> Entry {
    entry(path, Kind::HardLink(RootPath::from(target)), 0o755)
}

/// The marker that hides `path`.
pub(crate) fn whiteout(path: &str) -> Entry {
    entry(path, Kind::Whiteout, 0)
}

/// The marker that hides all that lower layers have below `directory`.
pub(crate) fn opaque(directory: &str) -> Entry {
    entry(directory, Kind::Opaque, 0)
}

/// The same entry with another owner and group.
pub(crate) fn owned(entry: Entry, uid: u64, gid: u64) -> Entry {
    Entry { uid, gid, ..entry }
}

/// A layer of these members, in this order.
pub(crate) fn layer(entries: impl IntoIterator<Item = Entry>) -> LayerFacts {
    LayerFacts {
        entries: entries.into_iter().collect(),
        ..LayerFacts::default()
    }
}

/// All layers merged, base first.
pub(crate) fn merge(layers: impl IntoIterator<Item = LayerFacts>) -> Rootfs {
    let layers: Vec<LayerFacts> = layers.into_iter().collect();
    Rootfs::merge(&layers.iter().collect::<Vec<_>>())
}

/// A root file system of one layer.
pub(crate) fn rootfs(entries: impl IntoIterator<Item = Entry>) -> Rootfs {
    merge([layer(entries)])
}
