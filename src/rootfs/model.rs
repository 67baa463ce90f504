//! A model of the merge, too simple to be wrong: layers applied one after the other onto a map of paths.

use std::collections::BTreeMap;

use crate::{
    layer::{Entry, Kind, LayerFacts},
    path::RootPath,
};

/// Applies the layers.
pub(super) fn merge(layers: &[LayerFacts]) -> BTreeMap<RootPath, (u64, bool)> {
    let mut map: BTreeMap<RootPath, (u64, bool)> = BTreeMap::new();
    let remove = |map: &mut BTreeMap<RootPath, (u64, bool)>, path: &RootPath, itself: bool| {
        map.retain(|key, _| !(key.is_below(path) || itself && key == path));
    };
    for layer in layers {
        for entry in &layer.entries {
            match entry.kind {
                Kind::Whiteout => remove(&mut map, &entry.path, true),
                Kind::Opaque if map.get(&entry.path).is_some_and(|it| it.1) => {
                    remove(&mut map, &entry.path, false);
                }
                _ => {}
            }
        }
        for entry in &layer.entries {
            let is_dir = entry.kind == Kind::Directory;
            if matches!(entry.kind, Kind::Whiteout | Kind::Opaque) {
                continue;
            }
            let mut above = entry.path.parent();
            while let Some(dir) = above.filter(|dir| !dir.is_root()) {
                // A file or link of a lower layer gives way to a directory.
                map.insert(dir.clone(), (0, true));
                above = dir.parent();
            }
            if !is_dir {
                remove(&mut map, &entry.path, true);
            }
            map.insert(entry.path.clone(), (entry.size, is_dir));
        }
    }
    map
}

/// Leaves out what the model does not know: markers beside new entries at or above their path, and members below or
/// directories after a file or link of their own layer.
pub(super) fn plain(layer: &mut LayerFacts) {
    let entries = std::mem::take(&mut layer.entries);
    for entry in entries {
        let marker = matches!(entry.kind, Kind::Whiteout | Kind::Opaque);
        let exotic = layer.entries.iter().any(|other| {
            let other_marker = matches!(other.kind, Kind::Whiteout | Kind::Opaque);
            let related = other.path == entry.path
                || other.path.is_below(&entry.path)
                || entry.path.is_below(&other.path);
            let leaf = |entry: &Entry| !matches!(entry.kind, Kind::Directory);
            related
                && (marker != other_marker
                    || !marker && leaf(other) && (entry.path.is_below(&other.path) || !leaf(&entry)))
        });
        if !exotic {
            layer.entries.push(entry);
        }
    }
}
