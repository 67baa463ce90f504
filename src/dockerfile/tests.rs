//! Dockerfiles as people write them, and what must be read out of them.

use super::*;

fn parse(text: &str) -> Dockerfile {
    Dockerfile::parse("Dockerfile", text).unwrap()
}

/// Keyword, words, first and last line of each instruction behind the first FROM.
fn of(text: &str) -> Vec<(String, String, usize, usize)> {
    let file = parse(text);
    file.stages[0]
        .instructions
        .iter()
        .map(|i| (i.keyword.clone(), i.words.clone(), i.line, i.end_line))
        .collect()
}

fn one(keyword: &str, words: &str, line: usize, end_line: usize) -> (String, String, usize, usize) {
    (keyword.to_owned(), words.to_owned(), line, end_line)
}

#[test]
fn continuations_hold_comments_and_empty_lines() {
    let text = "FROM a\nrun apt-get update && \\\n  # why\n\n  apt-get install -y \\ \t\n    bash\nUSER 1\n";
    assert_eq!(
        of(text),
        [
            one("RUN", "apt-get update &&   apt-get install -y     bash", 2, 6),
            one("USER", "1", 7, 7),
        ]
    );
    // Two escapes are a text's own, and a file may end inside a continuation.
    assert_eq!(
        of("FROM a\nRUN echo \\\\\nUSER 1 \\"),
        [one("RUN", "echo \\\\", 2, 2), one("USER", "1", 3, 3),]
    );
}

#[test]
fn line_ends_and_a_byte_order_mark_do_not_matter() {
    let plain = "# escape=`\nFROM a\nRUN a `\n  b\nCOPY <<E /x\ntext\nE\nCMD [\"x\"]\n";
    let windows = format!("\u{feff}{}", plain.replace('\n', "\r\n"));
    assert_eq!(parse(plain), parse(&windows));
    assert_eq!(of(plain)[0], one("RUN", "a   b", 3, 4));
}

#[test]
fn directives_stand_at_the_top_only() {
    let with = |top: &str| of(&format!("{top}FROM a\nRUN a `\nUSER 1\n")).len();
    assert_eq!(with("# syntax=docker/dockerfile:1\n#ESCAPE = `\n"), 1);
    assert_eq!(with("# a comment\n# escape=`\n"), 2);
    assert_eq!(with("\n# escape=`\n"), 2);
    assert_eq!(with("# some=thing\n# escape=`\n"), 2);
}

#[test]
fn here_documents_are_taken_out() {
    let text = "FROM a\nRUN <<-'EOF' cat > /x && cat <<B\n\techo 1\nFROM nothing\n\tEOF\nb\nB\nCOPY <<\"f\" <<g /d/\n# 1\nf\ng\nUSER 1\n";
    let file = parse(text);
    let of = &file.stages[0].instructions;
    assert_eq!(file.stages.len(), 1);
    assert_eq!((of[0].line, of[0].end_line), (2, 7));
    assert_eq!(
        of[0].heredocs,
        [
            Heredoc {
                name: "EOF".into(),
                body: "echo 1\nFROM nothing\n".into()
            },
            Heredoc {
                name: "B".into(),
                body: "b\n".into()
            },
        ]
    );
    assert_eq!(of[1].heredocs[0].body, "# 1\n");
    assert_eq!(of[1].heredocs[1].body, "");
    assert_eq!((of[2].keyword.as_str(), of[2].line), ("USER", 12));
    // Neither of these is one.
    for words in [
        "RUN cat <<<EOF",
        "RUN echo '<<EOF'",
        "CMD cat <<EOF",
        "RUN echo \"a <<EOF b\"",
    ] {
        let file = parse(&format!("FROM a\n{words}\nUSER 1\n"));
        assert_eq!(file.stages[0].instructions.len(), 2, "{words}");
    }
    let why = Dockerfile::parse("f", "FROM a\nRUN <<EOF\nx\n").unwrap_err();
    assert!(why.contains("`EOF` of line 2"), "{why}");
}

#[test]
fn stages_continue_one_another() {
    let text = "ARG V=1\nFROM golang:$V AS Build\nRUN make\nFROM --platform=linux/amd64 scratch as base\nCOPY --from=build --chown=1:1 /a /b\nFROM BASE AS debug\nUSER 0\nFROM base\nUSER 1\n";
    let file = parse(text);
    let names: Vec<_> = file.stages.iter().map(|stage| stage.name.as_deref()).collect();
    assert_eq!(names, [Some("build"), Some("base"), Some("debug"), None]);
    let continues: Vec<_> = file.stages.iter().map(|stage| stage.continues).collect();
    assert_eq!(continues, [None, None, Some(1), Some(1)]);
    let words = |stage: usize| -> Vec<&str> { file.chain(stage).iter().map(|i| i.words.as_str()).collect() };
    assert_eq!(words(2), ["/a /b", "0"]);
    assert_eq!(words(3), ["/a /b", "1"]);
    assert_eq!(file.base(3).unwrap().line, 4);
    assert_eq!(file.line(5), "COPY --from=build --chown=1:1 /a /b");
    assert_eq!((file.line(0), file.line(99)), ("", ""));
}

#[test]
fn what_has_no_from_is_no_dockerfile() {
    for text in ["", "# nothing\n", "ARG A\nRUN x\n"] {
        assert!(Dockerfile::parse("f", text).is_err(), "{text}");
    }
}
