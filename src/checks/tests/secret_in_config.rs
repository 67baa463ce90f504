//! Tests of `secret-in-config`.

use super::*;

#[test]
fn secrets_of_the_configuration_are_named_and_never_shown() {
    let mut config = config("1000:1000", &["/x", "--api-token=planted81x"], &[]);
    config.env.push("DB_PASSWORD=planted81".to_owned());
    config.env.push("URL=https://me:planted81@host".to_owned());
    config
        .labels
        .insert("build-token".to_owned(), "planted81".to_owned());
    config.history.push(crate::image::History {
        created_by: Some("RUN |1 NPM_TOKEN=planted81 /bin/sh -c npm ci # buildkit".to_owned()),
        ..crate::image::History::default()
    });
    config.history.push(crate::image::History {
        created_by: Some("ENV DB_PASSWORD=planted81".to_owned()),
        ..crate::image::History::default()
    });
    let found = look("secret-in-config", &rootfs([]), Some(&config));
    assert_eq!(
        subjects(&found),
        [
            "variable DB_PASSWORD",
            "variable URL",
            "variable build-token",
            "variable api-token",
            "variable NPM_TOKEN"
        ]
    );
    for finding in &found {
        assert!(!format!("{finding:?}").contains("planted81"), "{finding:?}");
    }
}
