//! Fuzz target of the loader's cache.

use super::cache;

/// Names and paths are texts of the cache, at most one for each entry.
pub fn loader_cache(data: &[u8]) {
    let found = cache::read(data);
    assert!(found.len() <= data.len() / 24);
    for text in found.into_iter().flat_map(|(name, path)| [name, path]) {
        assert!(!text.contains(&0) && text.len() < data.len());
    }
}
