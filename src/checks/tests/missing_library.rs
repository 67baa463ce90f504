//! Tests of `missing-library`.

use super::*;

#[test]
fn a_missing_library_is_told_with_who_needs_it() {
    let mut app = dynamic(program("/app", []), LOADER);
    elf(&mut app).needed = vec!["libpq.so.5".into()];
    let files = |extra: Option<Entry>| rootfs([app.clone(), program(LOADER, [])].into_iter().chain(extra));
    let config = config("", &["/app"], &[]);
    let found = look("missing-library", &files(None), Some(&config));
    assert_eq!(
        messages(&found),
        ["The container cannot start: /app needs the library libpq.so.5, which is not in the image"]
    );
    assert_eq!(found[0].subject.as_deref(), Some("libpq.so.5"));
    let library = library("/opt/libpq.so.5", []);
    let found = look("missing-library", &files(Some(library)), Some(&config));
    assert_eq!(
        messages(&found),
        [
            "The container cannot start: /app needs the library libpq.so.5, which is at /opt/libpq.so.5, where the loader \
          does not look or cannot use it; the image has no /etc/ld.so.cache"
        ]
    );
    let facts = with_gap(layer([app.clone(), program(LOADER, [])]), None);
    assert!(look("missing-library", &merge([facts]), Some(&config)).is_empty());
    // What is not started needs nothing.
    let other = super::config("", &[LOADER], &[]);
    assert!(look("missing-library", &files(None), Some(&other)).is_empty());
    assert!(look("missing-library", &files(None), None).is_empty());
}
