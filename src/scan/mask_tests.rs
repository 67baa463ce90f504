//! What of an image's configuration goes into a report holds no secret of it.

use super::{testing::image, verdict::without_secrets};
use crate::image::{History, ImageConfig};

#[test]
fn secrets_go_no_further_than_the_verdict() {
    let secret = "hunter2hunter2";
    let say = format!("curl -H TOKEN={secret} https://me:{secret}@host/x");
    let words = || vec!["tool".to_owned(), format!("--password={secret}")];
    let config = ImageConfig {
        entrypoint: words(),
        cmd: words(),
        healthcheck: words(),
        env: vec![format!("DB_PASSWORD={secret}")],
        labels: [("api_token".to_owned(), secret.to_owned())].into(),
        history: vec![History {
            created_by: Some(say.clone()),
            comment: Some(say),
            empty_layer: false,
        }],
        ..ImageConfig::default()
    };
    let shown = without_secrets(&image(config, Vec::new())).config.unwrap();
    let shown = [
        format!("{:?}", shown.entrypoint),
        format!("{:?}", shown.cmd),
        format!("{:?}", shown.healthcheck),
        format!("{:?}", shown.env),
        format!("{:?}", shown.labels),
        format!("{:?}", shown.history[0].created_by),
        format!("{:?}", shown.history[0].comment),
    ];
    for (place, text) in shown.iter().enumerate() {
        assert!(!text.contains(secret) && text.contains('…'), "{place}: {text}");
    }
}
