//! A line of an image's history, compared with an instruction: is it what some builder writes of it?
//!
//! Builders write differently: Docker's classic one `/bin/sh -c #(nop) COPY file:… in /app`, `BuildKit` `COPY a /app # buildkit`,
//! kaniko the line as it stands. A variable's value is known to the builder alone: where one is expanded, anything fits.

use super::Instruction;

/// Stands for the value of a variable.
const ANYTHING: char = '\0';

/// The comment of history lines that `BuildKit`'s exporter makes up for layers that had none: they stand at the end, in no
/// order that says anything.
pub const MADE_UP: &str = "buildkit.exporter.image.v0";

/// Keyword and words of a history line. What a shell runs has no keyword in Docker's classic builder.
pub fn parts(created_by: &str) -> (&str, &str) {
    let line = created_by.trim();
    let line = line.strip_suffix("# buildkit").unwrap_or(line).trim_end();
    let line = match line.split_once("#(nop)") {
        Some((_, words)) => words.trim_start(),
        None => line,
    };
    let (keyword, words) = super::split(line);
    let is_keyword = KEYWORDS.contains(&keyword);
    if is_keyword {
        (keyword, words)
    } else {
        ("RUN", line)
    }
}

const KEYWORDS: [&str; 17] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

impl Instruction {
    /// Whether it makes a layer whatever the builder.
    pub fn makes_a_layer(&self) -> bool {
        ["RUN", "COPY", "ADD"].contains(&self.keyword.as_str())
    }

    /// Whether a builder may have written `created_by` of it.
    pub fn wrote(&self, created_by: &str) -> bool {
        let (keyword, written) = parts(created_by);
        if keyword != self.keyword {
            return false;
        }
        match keyword {
            "RUN" => self.ran(written),
            "COPY" | "ADD" => self.copied(written),
            "EXPOSE" => self.exposed(written),
            "ARG" => name(&self.words) == name(written),
            "WORKDIR" => self.said(written) || ends_with_path(&plain(written), &plain(&self.words)),
            "HEALTHCHECK" => {
                let (written, said) = (plain(written), plain(&self.command()));
                if said == "NONE" || written == "NONE" {
                    written == said
                } else {
                    written.contains(&said)
                }
            }
            "CMD" | "ENTRYPOINT" => {
                let (written, said) = (plain(written), plain(&self.words));
                written == said || shell_ran(&written, &said)
            }
            _ => self.said(written),
        }
    }

    /// What a configuration holds of `USER`: compared with the value alone.
    pub fn says(&self, value: &str) -> bool {
        self.said(value)
    }

    fn said(&self, written: &str) -> bool {
        let said = expanded(&self.words);
        let said = match said.split_once(char::is_whitespace) {
            // The old form, `ENV NAME value`.
            Some((name, value))
                if ["ENV", "LABEL"].contains(&self.keyword.as_str()) && !name.contains('=') =>
            {
                format!("{name}={value}")
            }
            _ => said,
        };
        fits(&plain(&said), &plain(written))
    }

    /// `HEALTHCHECK` without its options and its `CMD`.
    fn command(&self) -> String {
        let words = &self.words;
        words.strip_prefix("CMD").unwrap_or(words).trim().to_owned()
    }

    fn ran(&self, written: &str) -> bool {
        let written = squeezed(written);
        let mut said = self.words.clone();
        match &self.heredocs[..] {
            [] => {}
            [only] if said.starts_with("<<") && !said.contains(char::is_whitespace) => {
                // One with an own interpreter becomes a file of its name that is run.
                if only.body.starts_with("#!") && written.ends_with(&format!("/{}", only.name)) {
                    return true;
                }
                said.clone_from(&only.body);
            }
            several => {
                for heredoc in several {
                    said.push('\n');
                    said.push_str(&heredoc.body);
                    said.push_str(&heredoc.name);
                }
            }
        }
        let said = squeezed(&said);
        if said.starts_with('[') && plain(&said) == plain(&written) {
            return true;
        }
        written == said || shell_ran(&written, &said)
    }

    fn copied(&self, written: &str) -> bool {
        let said = expanded(&self.words);
        let said: Vec<String> = plain(&said).split(' ').map(heredoc_name).collect();
        let written = plain(written);
        let words = written.split(' ');
        let has: Vec<&str> = words.skip_while(|word| word.starts_with("--")).collect();
        // The classic builder hashes what it copies and names no source.
        if let [hash, "in", to] = has[..]
            && ["file:", "dir:", "multi:"]
                .iter()
                .any(|kind| hash.starts_with(kind))
        {
            let target = said.last().map_or("", String::as_str);
            return fits(target, to) || ends_with_path(to, target);
        }
        has.len() == said.len()
            && said
                .iter()
                .zip(&has)
                .all(|(said, has)| fits(said, &heredoc_name(has)))
    }

    fn exposed(&self, written: &str) -> bool {
        if self.words.contains(['$', '-']) {
            return true;
        }
        ports(&self.words) == ports(written)
    }
}

/// Whether what was written is a shell that was told to run this, with the build's arguments before it or not.
fn shell_ran(written: &str, said: &str) -> bool {
    let Some(before) = written.strip_suffix(said) else {
        return false;
    };
    let before = before.trim_end();
    let is_flag = |word: &&str| word.starts_with('-') && word.ends_with('c');
    // One flag only, the last word: a second would belong to what the shell runs.
    (before.starts_with('/') || before.starts_with('|'))
        && before.split(' ').next_back().is_some_and(|word| is_flag(&word))
        && before.split(' ').filter(is_flag).count() == 1
}

/// Whether `path` is `end` seen from some working directory.
fn ends_with_path(path: &str, end: &str) -> bool {
    let end = end.trim_start_matches("./");
    if end == "." || end.is_empty() {
        return true;
    }
    !end.starts_with('/') && path.strip_suffix(end).is_some_and(|before| before.ends_with('/'))
}

/// `<<-"EOF"` as `BuildKit` writes it: `<<EOF`.
fn heredoc_name(word: &str) -> String {
    match word.strip_prefix("<<") {
        Some(name) => format!("<<{}", name.trim_start_matches('-')),
        None => word.to_owned(),
    }
}

fn name(words: &str) -> &str {
    let name = words.split(|c: char| c == '=' || c.is_whitespace()).next();
    name.unwrap_or_default()
}

/// Ports with their protocol, sorted: `map[80/tcp:{}]`, `[80/tcp]`, `80`.
fn ports(words: &str) -> Vec<String> {
    let words = words.strip_prefix("map").unwrap_or(words).replace(":{}", "");
    let mut ports: Vec<String> = plain(&words)
        .split(' ')
        .map(|port| match port.split_once('/') {
            Some((port, protocol)) => format!("{port}/{}", protocol.to_ascii_lowercase()),
            None => format!("{port}/tcp"),
        })
        .collect();
    ports.sort();
    ports.dedup();
    ports
}

/// Without what builders quote with, and with single blanks.
fn plain(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c == ',' { ' ' } else { c })
        .filter(|c| !['[', ']', '"', '\'', '\\'].contains(c))
        .collect();
    squeezed(&text)
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text with [`ANYTHING`] in place of each variable.
fn expanded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let cut = match after.strip_prefix('{') {
            Some(inside) => closed(inside).map(|end| end.saturating_add(1)),
            None => after
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .or(Some(after.len()))
                .filter(|&end| end > 0),
        };
        if let Some(behind) = cut.and_then(|cut| after.get(cut..)) {
            out.push(ANYTHING);
            rest = behind;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out + rest
}

/// Bytes up to and with the brace that closes the one before the text.
fn closed(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth = depth.saturating_add(1),
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some(at.saturating_add(1));
        }
    }
    None
}

/// Whether `text` is `pattern`, in which [`ANYTHING`] stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split(ANYTHING);
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use crate::dockerfile::Dockerfile;

    fn wrote(instruction: &str, created_by: &str) -> bool {
        let file = Dockerfile::parse("f", &format!("FROM a\n{instruction}\n")).unwrap();
        file.stages[0].instructions[0].wrote(created_by)
    }

    #[test]
    fn every_builders_line_is_known() {
        for (instruction, created_by) in [
            (
                "RUN apt-get update && \\\n    apt-get install -y bash",
                "RUN /bin/sh -c apt-get update &&     apt-get install -y bash # buildkit",
            ),
            ("RUN make", "/bin/sh -c make"),
            ("RUN make", "|2 A=b TOKEN=x y /bin/sh -c make"),
            ("RUN make", "RUN |1 A=b /bin/sh -c make # buildkit"),
            ("RUN make", "RUN /bin/bash -o pipefail -ec make # buildkit"),
            ("RUN make", "RUN make"),
            (
                "RUN --mount=type=cache,target=/x make $A",
                "RUN /bin/sh -c make $A # buildkit",
            ),
            ("RUN [\"/a\", \"b c\"]", "RUN /a b c # buildkit"),
            ("RUN <<EOF\na\nb\nEOF", "RUN /bin/sh -c a\nb\n # buildkit"),
            (
                "RUN <<EOF cat > /x\na\nEOF",
                "RUN /bin/sh -c <<EOF cat > /x\na\nEOF # buildkit",
            ),
            ("RUN <<EOF\n#!/bin/python3\nEOF", "RUN /dev/pipes/EOF # buildkit"),
            (
                "COPY --from=b --chown=1:1 /out/app /app",
                "COPY /out/app /app # buildkit",
            ),
            ("COPY --chmod=755 a b ./", "COPY --chmod=755 a b ./ # buildkit"),
            ("COPY [\"a b\", \"/x\"]", "COPY a b /x # buildkit"),
            ("COPY a /app", "/bin/sh -c #(nop) COPY file:8c1f in /app "),
            ("COPY . app/", "/bin/sh -c #(nop) COPY dir:8c1f in /srv/app/ "),
            ("COPY . .", "/bin/sh -c #(nop) COPY dir:8c1f in /srv/ "),
            ("COPY <<-\"F\" /f\nx\nF", "COPY <<F /f # buildkit"),
            ("COPY $A/x ${B:-${C}}/", "COPY out/x /srv/ # buildkit"),
            ("ADD root.tar /", "ADD root.tar / # buildkit"),
            ("ENV A=b \\\n  C=\"d e\"", "ENV A=b C=d e"),
            ("ENV A b c", "/bin/sh -c #(nop)  ENV A=b c"),
            ("ENV PATH=/x:$PATH", "ENV PATH=/x:/usr/bin:/bin"),
            ("CMD [\"a\", \"b\"]", "CMD [\"a\" \"b\"]"),
            ("CMD [\"a\", \"b\"]", "/bin/sh -c #(nop)  CMD [\"a\" \"b\"]"),
            ("CMD ./a --b", "CMD [\"/bin/sh\" \"-c\" \"./a --b\"]"),
            ("ENTRYPOINT [\"/a\"]", "ENTRYPOINT [\"/a\"]"),
            ("EXPOSE 8080 53/UDP", "EXPOSE map[53/udp:{} 8080/tcp:{}]"),
            ("EXPOSE 80", "EXPOSE [80/tcp]"),
            ("EXPOSE 80", "/bin/sh -c #(nop)  EXPOSE 80"),
            ("EXPOSE $PORT", "EXPOSE map[22/tcp:{}]"),
            ("USER ${UID}:0", "USER 1000:0"),
            ("WORKDIR app", "WORKDIR /srv/app"),
            ("VOLUME [\"/data\"]", "VOLUME [/data]"),
            ("ARG V=1", "ARG V=2"),
            (
                "HEALTHCHECK --interval=5s CMD curl -f http://x || exit 1",
                "HEALTHCHECK &{[\"CMD-SHELL\" \"curl -f http://x || exit 1\"] \"5s\" \"0s\" \"0s\" '\\x00'}",
            ),
            ("HEALTHCHECK NONE", "HEALTHCHECK NONE"),
            ("SHELL [\"/bin/bash\", \"-c\"]", "SHELL [/bin/bash -c]"),
            ("LABEL a=\"b\"", "LABEL a=b"),
            ("ONBUILD COPY . /x", "ONBUILD COPY . /x"),
            ("MAINTAINER me <me@x>", "MAINTAINER me <me@x>"),
        ] {
            assert!(wrote(instruction, created_by), "{instruction:?} {created_by:?}");
        }
    }

    #[test]
    fn another_instructions_line_is_not_taken() {
        for (instruction, created_by) in [
            ("RUN make", "RUN /bin/sh -c make all # buildkit"),
            ("RUN make", "RUN /bin/sh -c cmake # buildkit"),
            ("RUN make", "RUN /bin/sh -c rm x && make # buildkit"),
            ("RUN make", "COPY make / # buildkit"),
            ("RUN make $A", "RUN /bin/sh -c make b # buildkit"),
            ("COPY a /app", "COPY b /app # buildkit"),
            ("COPY a /app", "COPY a b /app # buildkit"),
            ("COPY a /app", "ADD a /app # buildkit"),
            ("COPY a /app", "/bin/sh -c #(nop) COPY file:8c1f in /application "),
            ("COPY a app", "/bin/sh -c #(nop) COPY file:8c1f in /srv/myapp "),
            ("COPY $A/x /b", "COPY out/y /b # buildkit"),
            ("USER 1", "USER 10"),
            ("USER ${UID}:0", "USER 1000:1"),
            ("ENV A=b", "ENV A=c"),
            ("EXPOSE 80", "EXPOSE map[22/tcp:{} 80/tcp:{}]"),
            ("EXPOSE 53/udp", "EXPOSE map[53/tcp:{}]"),
            ("CMD [\"a\"]", "CMD [\"b\" \"a\"]"),
            ("ENTRYPOINT [\"a\"]", "CMD [\"a\"]"),
            ("WORKDIR app", "WORKDIR /srv/webapp"),
            ("HEALTHCHECK NONE", "HEALTHCHECK &{[\"CMD\" \"NONESUCH\"]}"),
            ("HEALTHCHECK CMD a", "HEALTHCHECK NONE"),
            ("ARG V", "ARG W"),
        ] {
            assert!(!wrote(instruction, created_by), "{instruction:?} {created_by:?}");
        }
    }

    #[test]
    fn any_text_ends() {
        for text in ["$", "${", "${a", "$$", "a${b${c}", "${}", "[", "<<"] {
            assert!(!wrote(&format!("USER {text}-x"), "USER y"), "{text}");
            wrote(&format!("COPY {text}"), "COPY ");
        }
    }
}
