//! Dockerfiles laid beside histories: which line made what.

use super::*;
use crate::{
    finding::Rule,
    image::{Digest, Layer},
    path::RootPath,
    scan::testing,
};

const APP: &str = "FROM base\nCOPY a /a\nENV A=b\nRUN make\nUSER 1\n";

/// A line of history: what it says, and whether it made a layer.
fn image(history: &[(&str, bool)], layers: usize, user: &str) -> Image {
    let history = history.iter().map(|(text, made)| History {
        created_by: Some((*text).to_owned()),
        comment: text.starts_with('[').then(|| MADE_UP.to_owned()),
        empty_layer: !made,
    });
    let config = ImageConfig {
        user: user.to_owned(),
        history: history.collect(),
        ..ImageConfig::default()
    };
    let layer = |number: usize| Layer {
        digest: None::<Digest>,
        diff_id: None,
        size: None,
        media_type: None,
        blob: number.to_string(),
    };
    testing::image(config, (0..layers).map(layer).collect())
}

/// The lines of the layers, and that of the user.
fn placed(text: &str, image: &Image) -> (Vec<Option<usize>>, Option<usize>) {
    let file = Dockerfile::parse("Dockerfile", text).unwrap();
    let placing = place(&file, image);
    let line = |finding: &Finding| placing.location(finding).map(|location| location.line);
    let of_layer = |layer: usize| {
        let mut finding = Finding::new(Rule::get("shell").unwrap(), "", "");
        finding.path = Some(RootPath::from("/bin/sh"));
        finding.layer = Some(layer);
        line(&finding)
    };
    let layers = (0..image.layers.len()).map(of_layer).collect();
    let mut user = Finding::new(Rule::get("root-user").unwrap(), "", "");
    user.subject = Some("User".to_owned());
    (layers, line(&user))
}

const COPY: (&str, bool) = ("COPY a /a # buildkit", true);
const ENV: (&str, bool) = ("ENV A=b", false);
const RUN: (&str, bool) = ("RUN /bin/sh -c make # buildkit", true);
const USER: (&str, bool) = ("USER 1", false);

#[test]
fn the_base_image_ends_where_the_stage_begins() {
    let all = (vec![Some(2), Some(4)], Some(5));
    assert_eq!(placed(APP, &image(&[COPY, ENV, RUN, USER], 2, "1")), all);
    // Builders leave out some lines, and add some.
    assert_eq!(
        placed(APP, &image(&[COPY, RUN, USER, ("LABEL x=y", false)], 2, "1")),
        all
    );
    let with_base = (vec![Some(1), Some(1), Some(2), Some(4)], Some(5));
    let base = [
        ("/bin/sh -c #(nop) ADD file:0 in / ", true),
        ENV,
        ("bazel build ...", true),
    ];
    let history = [&base[..], &[COPY, ENV, RUN, USER]].concat();
    assert_eq!(placed(APP, &image(&history, 4, "1")), with_base);
    // A base without a history: its layers have no line, or made-up ones at the end.
    assert_eq!(placed(APP, &image(&[COPY, ENV, RUN, USER], 4, "1")), with_base);
    let made_up = [
        COPY,
        ENV,
        RUN,
        USER,
        ("[2/3] COPY a /a", true),
        ("[3/3] RUN make", true),
    ];
    assert_eq!(placed(APP, &image(&made_up, 4, "1")), with_base);
}

#[test]
fn what_does_not_fit_has_no_line() {
    let nothing = (vec![None, None], None);
    for history in [
        vec![],
        vec![COPY],
        vec![COPY, ENV, USER],
        vec![RUN, COPY],
        vec![COPY, ("RUN /bin/sh -c other # buildkit", true), RUN],
        vec![COPY, RUN, ("", true)],
    ] {
        assert_eq!(placed(APP, &image(&history, 2, "1")), nothing, "{history:?}");
    }
    // A stage without instructions says nothing that could be compared.
    assert_eq!(placed("FROM base\n", &image(&[COPY, RUN], 2, "1")), nothing);
    // Nothing lies below `scratch`.
    let scratch = APP.replace("base", "scratch");
    assert_eq!(
        placed(&scratch, &image(&[COPY, RUN], 2, "1")).0,
        [Some(2), Some(4)]
    );
    assert_eq!(
        placed(&scratch, &image(&[COPY, RUN], 3, "1")).0,
        [None, None, None]
    );
}

#[test]
fn one_layer_of_several_instructions_has_no_line() {
    let (copy, run) = ((COPY.0, false), RUN);
    let (layers, user) = placed(APP, &image(&[copy, ENV, run, USER], 1, "1"));
    assert_eq!((layers, user), (vec![None], Some(5)));
}

#[test]
fn a_user_that_was_changed_since_has_no_line() {
    let image = image(&[COPY, ENV, RUN, USER], 2, "0");
    assert_eq!(placed(APP, &image).1, None);
    assert_eq!(placed(&APP.replace("USER 1", "USER $ID"), &image).1, Some(5));
    assert_eq!(placed(&APP.replace("USER 1\n", ""), &image).1, Some(1));
}

#[test]
fn of_stages_that_fit_the_closest_is_taken() {
    let text = "FROM base AS one\nCOPY a /a\nFROM one AS two\nUSER 1\nFROM one AS three\nCMD [\"x\"]\n";
    let stage = |image: &Image| {
        let file = Dockerfile::parse("Dockerfile", text).unwrap();
        place(&file, image).note().unwrap()
    };
    assert!(stage(&image(&[COPY], 1, "")).contains("`one` (line 1)"));
    assert!(stage(&image(&[COPY, USER], 1, "1")).contains("`two` (line 3)"));
    assert!(stage(&image(&[COPY, ("CMD [\"x\"]", false)], 1, "")).contains("`three` (line 5)"));
}

#[test]
fn long_histories_and_files_end_soon() {
    let many = vec![RUN; 20_000];
    let text = format!("FROM base\n{}", "RUN make\n".repeat(350));
    let (layers, _) = placed(&text, &image(&many, 20_000, ""));
    assert_eq!((layers[0], layers[19_999]), (Some(1), Some(351)));
    let text = format!("FROM base\n{}", "RUN make\n".repeat(LONGEST + 1));
    assert_eq!(placed(&text, &image(&many, 20_000, "")).0[0], None);
}

#[test]
fn a_base_below_a_stage_from_nothing_fits_no_stage() {
    let scratch = APP.replace("base", "scratch");
    let history = [("/bin/sh -c #(nop) ADD file:0 in / ", true), COPY, ENV, RUN, USER];
    let nothing = (vec![None, None, None], None);
    assert_eq!(placed(&scratch, &image(&history, 3, "1")), nothing);
}

#[test]
fn more_lines_than_layers_tell_nothing_of_layers() {
    let found = placed(APP, &image(&[COPY, ENV, RUN, USER], 1, "1"));
    assert_eq!(found, (vec![None], Some(5)));
}

/// A finding of a rule, about a subject, or about a path of a layer that is not known.
fn finding(rule: &str, subject: Option<&str>, path: Option<&str>) -> Finding {
    let mut finding = Finding::new(Rule::get(rule).unwrap(), "", "");
    finding.subject = subject.map(str::to_owned);
    finding.path = path.map(RootPath::from);
    finding
}

#[test]
fn what_the_configuration_says_is_put_down_to_the_last_line_that_says_it() {
    let text = "FROM base\nEXPOSE 22\nEXPOSE 2222 80\nVOLUME /var\nVOLUME /run\nENV TOKEN=a\nENV TOKEN2=b\nENV A=TOKEN_\nENTRYPOINT [\"/x\"]\nCMD [\"y\"]\nCOPY a /a\nHEALTHCHECK CMD x\n";
    let mut image = image(&[("COPY a /a # buildkit", true)], 1, "");
    let file = Dockerfile::parse("Dockerfile", text).unwrap();
    let line = |image: &Image, rule: &str, subject: Option<&str>, path: Option<&str>| {
        let location = place(&file, image).location(&finding(rule, subject, path));
        location.map(|location| location.line)
    };
    for (rule, subject, want) in [
        ("remote-login-port", Some("22/tcp"), 2),
        ("remote-login-port", Some("2222/tcp"), 3),
        ("remote-login-port", Some("23/tcp"), 1),
        ("sensitive-volume", Some("/var"), 4),
        ("secret-in-config", Some("ENV TOKEN"), 6),
        ("secret-in-config", Some("TOKEN2=…"), 7),
        ("shell-form-command", Some("Cmd"), 10),
        ("shell-form-command", Some("Entrypoint"), 9),
        ("missing-program", None, 10),
        ("shell-healthcheck", None, 12),
        ("root-user", Some("User"), 1),
    ] {
        assert_eq!(
            line(&image, rule, subject, None),
            Some(want),
            "{rule} {subject:?}"
        );
    }
    image.config.as_mut().unwrap().entrypoint = vec!["/x".to_owned()];
    assert_eq!(line(&image, "missing-program", None, None), Some(9));
    // Of a path whose layer is not known nothing is told, nor of a rule that no instruction decides.
    assert_eq!(line(&image, "root-user", Some("User"), Some("/x")), None);
    assert_eq!(line(&image, "unreachable-executable", None, None), None);
}

#[test]
fn only_whole_words_are_mentioned() {
    for (line, is) in [
        ("apt install bash", true),
        ("a/bash,", true),
        ("bash", true),
        ("rebash", false),
        ("bash2 bash_x _bash", false),
        ("bash2 bash", true),
        ("", false),
    ] {
        assert_eq!(mentions(line, "bash"), is, "{line}");
    }
    assert!(!mentions("any", ""));
}
