//! Fuzz targets of the merged file system, its links and its accounts.

use super::{
    Rootfs,
    accounts::Accounts,
    testing::{entry, layer, merge as merged, rootfs, text},
    user::{Outcome, resolve},
};
use crate::{
    fuzzing::{assert_all_shown, assert_shown, lossy, parts},
    layer::{Entry, Kind, LayerFacts},
    path::RootPath,
};

/// Names that meet often, and some that are odd.
const NAMES: [&str; 8] = ["a", "b", "c", "a/b", "..", "d/./e", "", "link"];

/// Layers out of bytes: four for each entry.
fn layers(data: &[u8]) -> Vec<LayerFacts> {
    let mut layers = vec![LayerFacts::default()];
    for &[kind, first, second, third] in data.as_chunks().0 {
        if kind == 0xff {
            layers.push(LayerFacts::default());
            continue;
        }
        let name = |byte: u8| NAMES[usize::from(byte % 8)];
        let path = [name(first), name(first >> 3), name(second)].join("/");
        let target = format!(
            "{}{}/{}",
            if third & 64 == 0 { "/" } else { "" },
            name(third),
            name(third >> 3)
        );
        let made = Entry {
            size: u64::from(third),
            ..match kind % 10 {
                0..3 => entry(&path, Kind::File, 0o644 | u16::from(third & 6) << 9),
                3 | 4 => entry(&path, Kind::Directory, 0o755),
                5 => entry(&path, Kind::Symlink(target.into()), 0o777),
                6 => entry(&path, Kind::HardLink(target.as_str().into()), 0o755),
                7 => entry(&path, Kind::Opaque, 0),
                8 => entry(
                    &path,
                    Kind::CharDevice {
                        major: 0,
                        minor: u32::from(third & 1),
                    },
                    0o600,
                ),
                _ => entry(&path, Kind::Whiteout, 0),
            }
        };
        if let Some(last) = layers.last_mut() {
            if second & 0x80 == 0 {
                last.entries.push(made);
            } else {
                last.behind_end.push(made);
            }
        }
    }
    layers
}

/// Whatever the layers, the tables of the merged file system agree with each other, links end, and where no entry is
/// exotic the naive model sees the same.
pub fn merge(data: &[u8]) {
    let mut layers = layers(data);
    hold(&merged(layers.clone()));
    for layer in &mut layers {
        layer.behind_end.clear();
        layer.entries.retain(|entry| {
            !entry.path.is_root()
                && matches!(
                    entry.kind,
                    Kind::File | Kind::Directory | Kind::Opaque | Kind::Whiteout
                )
        });
        super::model::plain(layer);
    }
    let rootfs = merged(layers.clone());
    let root = RootPath::root();
    let ours = rootfs
        .under(&root)
        .map(|(path, node)| (path.clone(), (node.size, node.kind == Kind::Directory)));
    let directories_have_no_size = |(path, (size, directory)): (RootPath, (u64, bool))| {
        (path, (if directory { 0 } else { size }, directory))
    };
    let model = super::model::merge(&layers);
    assert_eq!(
        ours.map(directories_have_no_size).collect::<Vec<_>>(),
        model
            .into_iter()
            .map(directories_have_no_size)
            .collect::<Vec<_>>()
    );
}

fn hold(rootfs: &Rootfs) {
    let mut names = 1;
    for (path, node) in rootfs.under(&RootPath::root()) {
        names += 1;
        assert_eq!(rootfs.get(path), Some(node));
        assert!(node.paths.contains(path) && node.paths.is_sorted());
        assert_eq!(RootPath::clean(path.as_bytes()), *path);
        if !matches!(node.kind, Kind::Symlink(_)) {
            assert_eq!(rootfs.resolve(path), Ok(node));
        } else if let Ok(target) = rootfs.resolve(path) {
            assert!(rootfs.aliases(target).iter().any(|alias| alias.path == *path));
        }
    }
    assert_eq!(rootfs.nodes().map(|node| node.paths.len()).sum::<usize>(), names);
    assert!(rootfs.nodes().is_sorted_by_key(|node| &node.paths[0]));
    assert_all_shown(rootfs.notes());
    for (_, gap) in rootfs.gaps() {
        assert_shown(&gap.why);
    }
}

/// `User`, passwd, group and shadow, apart by NULs, have an answer in every model, and no rule contradicts another.
pub fn accounts(data: &[u8]) {
    let [user, passwd, group, shadow] = parts(data, 0).map(lossy);
    let rootfs = rootfs([
        text("/etc/passwd", &passwd),
        text("/etc/group", &group),
        text("/etc/shadow", &shadow),
    ]);
    let found = resolve(&user, &rootfs);
    let too_long = [&passwd, &group]
        .iter()
        .any(|text| text.split('\n').any(|line| line.len() >= 64 << 10));
    assert!(too_long || found.gap.is_none());
    assert!(found.ids().is_some() || found.refused().is_some());
    assert!(found.root().is_none() || found.root_group().is_none() && found.non_numeric().is_none());
    for verdict in [found.root(), found.root_group()].into_iter().flatten() {
        assert!(!verdict.runtimes.is_empty());
        assert_shown(&verdict.why);
    }
    if let Some((_, verdict)) = found.refused() {
        assert_shown(&verdict.why);
    }
    if let Some((numeric, verdict)) = found.non_numeric() {
        assert_shown(&verdict.why);
        assert!(numeric.bytes().all(|byte| byte.is_ascii_digit() || byte == b':'));
    }
    // Two numbers in range start everywhere; the models look at passwd for the first.
    if let Some((uid, gid)) = user.split_once(':')
        && let (Ok(uid), Ok(gid)) = (uid.parse::<u32>(), gid.parse::<u32>())
        && i32::try_from(uid).is_ok()
        && i32::try_from(gid).is_ok()
    {
        for (_, outcome) in found.models() {
            match outcome {
                Outcome::Starts(ids) => assert_eq!((ids.uid, ids.gid), (uid, gid)),
                Outcome::Refused(_) | Outcome::Unknown(_) => assert!(too_long, "{outcome:?}"),
            }
        }
    }
    let files = Accounts::read(&rootfs);
    let lines = passwd.split('\n').count();
    let extra = files.extra_roots().inspect(|account| {
        assert_eq!(account.uid as u32, 0);
        assert!((1..=lines).contains(&account.line));
    });
    let _ = extra.count();
    let _ = files.logins(&rootfs, |_| true).count();
    assert!(files.empty_passwords().all(|empty| empty.account.libc));
    // What lower layers have changes nothing.
    if data.len().is_multiple_of(8) {
        let again = merged([
            layer([text("/etc/passwd", "x:x:1:1::/:\n")]),
            layer([text("/etc/passwd", &passwd), text("/etc/group", &group)]),
        ]);
        assert_eq!(resolve(&user, &again), found);
    }
}
