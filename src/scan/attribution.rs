//! Attribution puts a layer down to a line of the image's history: a hint, since the builder wrote it, never a fact.

use crate::{
    catalog::words,
    dockerfile::MADE_UP,
    image::{History, ImageConfig},
    text,
};

/// The instruction of each of `layers` layers, where the history fits: as many lines that made a layer as there are
/// layers, and none that claims to have made none although it copies or runs something (as buildah writes it).
pub(super) fn instructions(config: Option<&ImageConfig>, layers: usize) -> Vec<Option<String>> {
    let history = config.map_or(&[][..], |config| &config.history);
    let making: Vec<&History> = history.iter().filter(|line| !line.empty_layer).collect();
    let mut doubtful = history.iter().filter(|line| line.empty_layer).any(makes_a_layer);
    // BuildKit makes up lines for layers of a base without a history, and puts them behind those of the build.
    let made_up = |line: &&History| line.comment.as_deref() == Some(MADE_UP);
    doubtful |= making.iter().any(made_up) && !making.iter().all(made_up);
    if making.len() != layers || doubtful {
        return vec![None; layers];
    }
    making
        .into_iter()
        .map(|line| line.created_by.as_deref().and_then(instruction))
        .collect()
}

fn makes_a_layer(line: &History) -> bool {
    let created_by = line.created_by.as_deref().unwrap_or_default().trim_start();
    // Docker's classic builder and buildah write what a shell ran, with the build's arguments before it or not.
    let ran = created_by.starts_with(['/', '|']) && !created_by.contains("#(nop)");
    ran || [created_by, without_shell(created_by)].iter().any(|words| {
        ["COPY ", "ADD ", "RUN "]
            .iter()
            .any(|word| words.starts_with(word))
    })
}

/// The history line as a Dockerfile would have it: without `/bin/sh -c`, `#(nop)`, build arguments and `# buildkit`.
pub(super) fn instruction(created_by: &str) -> Option<String> {
    let mut line = without_shell(created_by)
        .trim()
        .trim_end_matches("# buildkit")
        .trim()
        .to_owned();
    if line.is_empty() {
        return None;
    }
    let keyword = line.split_whitespace().next().unwrap_or_default();
    if !(keyword.len() > 1 && keyword.bytes().all(|b| b.is_ascii_uppercase())) && ran_by_shell(created_by) {
        line.insert_str(0, "RUN ");
    }
    Some(text::escape(words::mask(&line).as_bytes()))
}

fn ran_by_shell(created_by: &str) -> bool {
    created_by.contains("/bin/sh -c ") && !created_by.contains("#(nop)")
}

/// Cuts what builders put before the words of the Dockerfile: `|2 A=b C=d /bin/sh -c …`, `/bin/sh -c #(nop) …`. What a
/// build argument was set to goes with it: it may be a secret.
fn without_shell(created_by: &str) -> &str {
    let line = created_by.trim_start();
    let (run, rest) = match line.strip_prefix("RUN ") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let cut = match rest.split_once("/bin/sh -c ") {
        Some((before, after)) if before.is_empty() || before.starts_with('|') => after,
        _ => return line,
    };
    match cut.trim_start().strip_prefix("#(nop)") {
        Some(words) => words.trim_start(),
        None if run => cut,
        None => cut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(created_by: &str, empty_layer: bool) -> History {
        History {
            created_by: Some(created_by.to_owned()),
            comment: None,
            empty_layer,
        }
    }

    fn of(history: Vec<History>, layers: usize) -> Vec<Option<String>> {
        instructions(
            Some(&ImageConfig {
                history,
                ..ImageConfig::default()
            }),
            layers,
        )
    }

    #[test]
    fn builders_texts_become_instructions() {
        for (written, want) in [
            ("/bin/sh -c #(nop) ADD file:0 in / ", "ADD file:0 in /"),
            (
                "/bin/sh -c apt-get install -y bash",
                "RUN apt-get install -y bash",
            ),
            ("RUN /bin/sh -c apt-get update # buildkit", "RUN apt-get update"),
            ("COPY /out/app /app # buildkit", "COPY /out/app /app"),
            ("|1 TOKEN=abc /bin/sh -c make", "RUN make"),
            ("RUN |1 TOKEN=abc /bin/sh -c make # buildkit", "RUN make"),
            ("bazel build ...", "bazel build ..."),
        ] {
            assert_eq!(
                of(vec![line(written, false)], 1),
                [Some(want.to_owned())],
                "{written}"
            );
        }
    }

    #[test]
    fn a_history_that_does_not_fit_tells_nothing() {
        assert_eq!(of(vec![line("COPY a b", false)], 2), [None, None]);
        assert_eq!(
            of(vec![line("COPY a b", true), line("COPY c d", false)], 1),
            [None]
        );
        assert_eq!(
            of(vec![line("CMD [\"x\"]", true), line("COPY c d", false)], 1).len(),
            1
        );
        assert_eq!(
            of(vec![line("CMD [\"x\"]", true), line("COPY c d", false)], 1)[0].as_deref(),
            Some("COPY c d")
        );
        assert_eq!(instructions(None, 1), [None]);
    }

    #[test]
    fn a_line_that_claims_to_be_empty_but_copies_or_runs_makes_all_doubtful() {
        for (text, doubtful) in [
            ("COPY a b", true),
            ("COPY a b # buildkit", true),
            ("ADD a b", true),
            ("RUN make", true),
            ("RUN /bin/sh -c make # buildkit", true),
            ("RUN |1 A=b /bin/sh -c make # buildkit", true),
            ("/bin/sh -c make", true),
            ("/bin/bash -o pipefail -c make", true),
            ("|1 A=b /bin/sh -c make", true),
            ("/bin/sh -c #(nop) COPY file:0 in / ", true),
            ("/bin/sh -c #(nop) ADD file:0 in / ", true),
            ("/bin/sh -c #(nop)  CMD [\"/bin/sh\" \"-c\" \"make\"]", false),
            ("CMD [\"/bin/sh\" \"-c\" \"make\"]", false),
            ("ENV RUN=COPY x", false),
            ("USER 1", false),
            ("", false),
        ] {
            let told = of(vec![line(text, true), line("COPY c d", false)], 1);
            assert_eq!(told[0].is_none(), doubtful, "{text}");
        }
    }

    #[test]
    fn lines_that_the_exporter_made_up_stand_in_no_order() {
        let made_up = |text: &str| History {
            comment: Some(MADE_UP.to_owned()),
            ..line(text, false)
        };
        let told = of(vec![line("COPY a b", false), made_up("[1/2] COPY c d")], 2);
        assert_eq!(told, [None, None]);
        assert!(of(vec![made_up("COPY a b"), made_up("COPY c d")], 2)[0].is_some());
        // `docker import` writes a comment alone.
        let imported = History {
            created_by: None,
            comment: Some("Imported from -".to_owned()),
            empty_layer: false,
        };
        assert_eq!(
            of(vec![imported, line("COPY a b", false)], 2),
            [None, Some("COPY a b".to_owned())]
        );
    }

    #[test]
    fn a_line_cannot_write_to_the_terminal() {
        let told = of(vec![line("COPY \u{1b}[2J\u{202e} /", false)], 1);
        assert_eq!(told[0].as_deref(), Some("COPY \\x1b[2J\\u{202e} /"));
    }

    #[test]
    fn secrets_of_the_history_are_not_shown() {
        let shown = of(
            vec![line(
                "RUN DB_PASSWORD=hunter2 curl https://me:hunter2@host/x",
                false,
            )],
            1,
        );
        assert_eq!(
            shown[0].as_deref(),
            Some("RUN DB_PASSWORD=… curl https://…@host/x")
        );
    }
}
