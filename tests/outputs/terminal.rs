//! The terminal report fits on a screen, and no name in an image can command a terminal.

use scant::{
    finding::RULES,
    output::{Format, Style},
    policy::Level,
    report::Outcome,
};

use crate::{samples, written};

fn text(report: &scant::report::Report, style: &Style) -> String {
    String::from_utf8(written(Format::Text, report, style)).expect("the terminal report is UTF-8")
}

#[test]
fn a_clean_image_gets_three_lines() {
    assert_eq!(text(&samples::clean(), &Style::default()).lines().count(), 3);
}

#[test]
fn a_bad_image_fits_on_one_screen() {
    let shown = text(&samples::bad(), &Style::default());
    assert!(shown.lines().count() <= 25, "{shown}");
    for line in shown.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn an_image_that_breaks_every_rule_still_fits() {
    let mut report = samples::bad();
    for image in &mut report.images {
        if let Outcome::Judged(verdict) = &mut image.outcome {
            for rule in RULES {
                let path = format!("/opt/{}", rule.id);
                let finding = samples::tool(rule.id, "odd", None, &path, 1);
                verdict.findings.push(samples::judged(finding, Level::Warn, 0.1));
            }
        }
    }
    let shown = text(&report, &Style::default());
    assert!(shown.lines().count() <= 28, "{shown}");
    for rule in RULES {
        assert!(shown.contains(rule.id), "{} is not told\n{shown}", rule.id);
    }
}

#[test]
fn long_paths_that_differ_in_the_middle_stay_apart() {
    let mut report = samples::bad();
    let path = |middle| format!("/opt/{}/{middle}/{}", "a".repeat(60), "z".repeat(60));
    for image in &mut report.images {
        if let Outcome::Judged(verdict) = &mut image.outcome {
            verdict.findings = ["one", "two"]
                .map(|middle| samples::tool("shell", "dash", None, &path(middle), 0))
                .map(|finding| samples::judged(finding, Level::Deny, 1.0))
                .into();
        }
    }
    let shown = text(&report, &Style::default());
    assert!(
        shown.contains(&path("one")) && shown.contains(&path("two")),
        "{shown}"
    );
}

#[test]
fn verbose_shows_every_finding() {
    let verbose = Style {
        verbose: true,
        ..Style::default()
    };
    let shown = text(&samples::bad(), &verbose);
    for n in 0..40 {
        assert!(shown.contains(&format!("/usr/bin/tool{n:02} ")), "tool{n:02}");
    }
}

#[test]
fn names_cannot_command_the_terminal() {
    for verbose in [false, true] {
        let shown = text(
            &samples::hostile(),
            &Style {
                verbose,
                ..Style::default()
            },
        );
        for c in shown.chars() {
            assert!(c == '\n' || !c.is_control(), "{c:?}");
            assert!(!('\u{202a}'..='\u{202e}').contains(&c), "{c:?}");
        }
        assert!(
            !shown.lines().any(|line| line.trim_start().starts_with("::")),
            "{shown}"
        );
        assert!(!shown.contains("##["), "{shown}");
        assert!(shown.contains(r":error::owned#\x23[error]owned"), "{shown}");
        assert_eq!(shown.contains(r"  \x3a:error"), !verbose, "{shown}");
        assert!(
            shown.contains(r"esc\x1b]0;owned\x07") && (!verbose || shown.contains(r"rlo-\u{202e}gpj.sh")),
            "{shown}"
        );
    }
}

#[test]
fn colours_only_add_to_the_words() {
    for (name, report) in samples::all() {
        let plain = text(&report, &Style::default());
        let coloured = text(
            &report,
            &Style {
                color: true,
                ..Style::default()
            },
        );
        assert_ne!(plain, coloured, "{name}");
        let stripped = anstream::adapter::strip_str(&coloured).to_string();
        assert_eq!(plain, stripped, "{name}");
    }
}

#[test]
fn ascii_terminals_get_ascii() {
    let shown = text(
        &samples::bad(),
        &Style {
            unicode: false,
            ..Style::default()
        },
    );
    assert!(shown.is_ascii(), "{shown}");
}

#[test]
fn values_of_the_environment_are_never_shown() {
    for format in Format::ALL {
        let verbose = Style {
            verbose: true,
            ..Style::default()
        };
        let shown = String::from_utf8(written(format, &samples::bad(), &verbose)).expect("UTF-8");
        assert!(!shown.contains("never-shown"), "{format}");
    }
}
