//! Fuzz targets of policy and waiver files.

use super::load::load;
use crate::{
    finding::{Finding, RULES},
    fuzzing::{lossy, parts},
    path::RootPath,
};

/// A policy, a profile that it may extend, and a waiver file, apart by NULs: all right or an error.
pub fn policy(data: &[u8]) {
    let [main, other, waivers] = parts(data, 0).map(lossy);
    let files = |name: &str| match name {
        "main.toml" => Ok(main.clone()),
        "other.toml" => Ok(other.clone()),
        _ => Err("there is no such file".to_owned()),
    };
    let waivers = [("waivers".to_owned(), waivers)];
    let Ok(policy) = load("main.toml", &waivers, &files) else {
        return;
    };
    assert_eq!(policy.levels.len(), RULES.len());
    assert!((0.0..=100.0).contains(&policy.pass_mark));
    assert_eq!(
        load("main.toml", &waivers, &files)
            .map(|again| again.digest)
            .as_ref(),
        Ok(&policy.digest)
    );
    for waiver in &policy.waivers {
        assert!(!waiver.reason.trim().is_empty());
        let mut finding = Finding::new(waiver.rule, "", "");
        finding.path = Some(RootPath::from("/usr/bin/sh"));
        // Without globs it is about every finding of its rule, but for an identity.
        let all = waiver.paths.is_empty() && waiver.images.is_empty() && waiver.identity.is_none();
        assert!(waiver.matches(&finding, &["acme/app"]) || !all);
    }
}
