//! Golden reports: every sample in every format, rewritten by `UPDATE=1`.

use std::path::PathBuf;

use scant::output::{Format, SarifProfile, Style};

use crate::{samples, written};

fn check(name: &str, got: &[u8]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    #[expect(clippy::disallowed_methods, reason = "a test asks whether to rewrite its own goldens")]
    let update = std::env::var("UPDATE").is_ok_and(|value| value == "1");
    if update {
        #[expect(clippy::disallowed_methods, reason = "a test rewrites its own goldens")]
        std::fs::write(&path, got).unwrap_or_else(|error| panic!("{name}: {error}"));
        return;
    }
    #[expect(clippy::disallowed_methods, reason = "a test reads its own goldens")]
    let want = std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(
        String::from_utf8_lossy(got),
        String::from_utf8_lossy(&want),
        "{name} has changed; if that is meant, run with UPDATE=1 and read the difference"
    );
}

#[test]
fn reports_are_as_they_were() {
    for (name, report) in samples::all() {
        let style = Style::default();
        check(&format!("{name}.txt"), &written(Format::Text, &report, &style));
        check(&format!("{name}.json"), &written(Format::Json, &report, &style));
        for profile in [SarifProfile::Plain, SarifProfile::Github] {
            let style = Style { sarif: profile, ..Style::default() };
            check(&format!("{name}.{}.sarif", profile.name()), &written(Format::Sarif, &report, &style));
        }
    }
    let verbose = Style { verbose: true, ..Style::default() };
    check("bad.verbose.txt", &written(Format::Text, &samples::bad(), &verbose));
}

#[test]
fn equal_reports_give_equal_bytes() {
    for (name, report) in samples::all() {
        for format in Format::ALL {
            let style = Style::default();
            assert_eq!(
                written(format, &report, &style),
                written(format, &report.clone(), &style),
                "{name} as {format}"
            );
        }
    }
}
