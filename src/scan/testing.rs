//! Images for tests, as a source would have told them.

use crate::image::{Image, ImageConfig, Layer};

/// An image of this configuration and these layers, of which nothing else is known.
pub(super) fn image(config: ImageConfig, layers: Vec<Layer>) -> Image {
    Image {
        target: String::new(),
        reference: None,
        name: String::new(),
        digest: None,
        index_digest: None,
        platform: None,
        config: Some(config),
        layers,
        other_platforms: Vec::new(),
        notes: Vec::new(),
    }
}
