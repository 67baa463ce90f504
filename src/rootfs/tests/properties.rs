//! What holds for any layers: a naive model agrees, nothing panics.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn arbitrary_entry() -> impl Strategy<Value = Entry> {
    let path =
        prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..4).prop_map(|p| p.join("/"));
    (path, 0..8u8, 1..100u64).prop_map(|(path, kind, size)| match kind {
        0..3 => sized(file(&path, 0o644), size),
        3 => dir(&path, 0o755),
        // To itself, since files put below a link that leads somewhere also show there.
        4 => symlink(&path, &format!("/{path}")),
        5 => opaque(&path),
        _ => whiteout(&path),
    })
}

proptest! {
    #[test]
    fn merges_like_the_naive_model(
        layers in prop::collection::vec(prop::collection::vec(arbitrary_entry(), 0..8).prop_map(layer), 0..5)
    ) {
        let mut layers = layers;
        layers.iter_mut().for_each(model::plain);
        let fs = Rootfs::merge(&layers.iter().collect::<Vec<_>>());
        let ours: BTreeMap<RootPath, (u64, bool)> = fs
            .under(&RootPath::root())
            .map(|(path, node)| (path.clone(), (node.size, node.kind == Kind::Directory)))
            .collect();
        prop_assert_eq!(ours, model::merge(&layers));
        // Nothing is lost: each file and link is either there or residue.
        let shipped = layers.iter().flat_map(|layer| &layer.entries);
        let shipped = shipped.filter(|entry| matches!(entry.kind, Kind::File | Kind::Symlink(_))).count();
        let there = fs.nodes().filter(|node| node.kind != Kind::Directory).count();
        prop_assert_eq!(shipped, there + residue(&fs).len());
    }

    #[test]
    fn nothing_panics_and_tables_agree(
        layers in prop::collection::vec(prop::collection::vec((arbitrary_entry(), 0..8u8, "[a-c./]{0,6}"), 0..12), 0..4)
    ) {
        let layers: Vec<LayerFacts> = layers.into_iter().map(|entries| layer(entries.into_iter().map(|(entry, kind, target)| {
            match kind {
                0 => Entry { kind: Kind::Symlink(target.into()), ..entry },
                1 => Entry { kind: Kind::HardLink(target.as_str().into()), ..entry },
                2 => Entry { path: RootPath::root(), ..entry },
                _ => entry,
            }
        }))).collect();
        let fs = Rootfs::merge(&layers.iter().collect::<Vec<_>>());
        let mut names = 1;
        for (path, node) in fs.under(&RootPath::root()) {
            names += 1;
            prop_assert_eq!(fs.get(path), Some(node));
            prop_assert!(node.paths.contains(path) && node.paths.is_sorted());
            if !matches!(node.kind, Kind::Symlink(_)) {
                prop_assert_eq!(fs.resolve(path), Ok(node));
            } else if let Ok(target) = fs.resolve(path) {
                prop_assert!(fs.aliases(target).iter().any(|alias| alias.path == *path));
            }
        }
        prop_assert_eq!(fs.nodes().map(|node| node.paths.len()).sum::<usize>(), names);
        prop_assert!(fs.nodes().is_sorted_by_key(|node| &node.paths[0]));
    }
}
