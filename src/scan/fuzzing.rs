//! Fuzz target of what an image's history says of its layers.

use super::attribution::instructions;
use crate::{
    fuzzing::{assert_shown, lossy},
    image::{History, ImageConfig},
};

/// Lines of history, each behind a byte that says whether a layer belongs to it, are safe to show and no more than layers.
pub fn history(data: &[u8]) {
    let lines = data.split(|&byte| byte == 0).filter_map(|line| {
        let (kind, text) = line.split_first()?;
        Some(History {
            created_by: (kind & 2 == 0).then(|| lossy(text)),
            comment: None,
            empty_layer: kind & 1 == 1,
        })
    });
    let config = ImageConfig {
        history: lines.collect(),
        ..ImageConfig::default()
    };
    let making = config.history.iter().filter(|line| !line.empty_layer).count();
    for layers in [making, making + 1] {
        let said = instructions(Some(&config), layers);
        assert_eq!(said.len(), layers);
        for line in said.into_iter().flatten() {
            assert_eq!(layers, making);
            assert!(!line.is_empty());
            assert_shown(&line);
        }
    }
}
