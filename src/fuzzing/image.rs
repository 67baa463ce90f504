//! A whole image from its blobs and configuration to its findings.

use super::assert_shown;
use crate::{
    catalog::Catalog,
    checks,
    gap::Hides,
    image::ImageConfig,
    layer::{self, LayerFacts},
    rootfs::Rootfs,
};

/// Two layers and a command line: nothing that they hold keeps the checks from saying it in words that are safe to show.
pub fn image(data: &[u8]) {
    let Some(([cut, user, words], data)) = data.split_first_chunk() else {
        return;
    };
    let (first, second) = data.split_at(data.len().min(usize::from(*cut) * 512));
    let wants = checks::wants();
    let layers: Vec<LayerFacts> = [first, second]
        .iter()
        .filter_map(|blob| layer::fuzzing::facts_of([&super::mended(blob)[..]], &wants).ok())
        .collect();
    let rootfs = Rootfs::merge(&layers.iter().collect::<Vec<_>>());
    let strings = [
        "",
        "/a",
        "a",
        "/bin/sh",
        "-c",
        "exec a b",
        "env",
        "b\u{1b}[31m",
        "0",
        "root",
        "a:b",
        "65532:65532",
        "-1",
        "x:",
        "c",
        "/",
    ];
    let word = |byte: u8| strings[usize::from(byte & 15)].to_owned();
    let config = ImageConfig {
        user: word(*user),
        entrypoint: vec![word(user >> 4), word(*words)],
        cmd: vec![word(words >> 4)],
        env: vec!["PATH=/a:/b:/".to_owned()],
        healthcheck: vec!["CMD-SHELL".to_owned(), word(words.wrapping_add(*user))],
        ..ImageConfig::default()
    };
    let subject = checks::Subject::new(&rootfs, Some(&config), None, Catalog::builtin());
    let findings = checks::run(&subject);
    for finding in &findings {
        assert_shown(&finding.message);
        assert_shown(&finding.fix);
        assert!(!finding.message.is_empty());
        assert!(finding.layer.is_none_or(|layer| layer < layers.len().max(1)));
        assert!(finding.aliases.is_sorted());
    }
    let _ = checks::capabilities(&findings, Catalog::builtin());
    for (_, gap) in rootfs.gaps() {
        assert!(gap.hides == Hides::Nothing || !checks::hidden_by(gap.hides).is_empty());
    }
}
