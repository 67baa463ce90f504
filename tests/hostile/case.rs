//! A case: one hostile image, what scant must answer, and an honest neighbour that shows that not everything is refused.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::support::{
    image::{Files, Image, archive},
    run::{Run, scant},
};

/// The kinds of attack. Each has at least one case.
pub(crate) const ROWS: &[&str] = &[
    "identity",
    "stated size",
    "index",
    "layers",
    "codec",
    "bomb",
    "tar framing",
    "pax",
    "sparse",
    "names",
    "links",
    "whiteouts",
    "counts",
    "json",
    "not an image",
    "elf",
    "accounts",
    "kept files",
    "archive",
    "root directory",
    "network",
];

/// What scant must answer.
pub(crate) enum Expect {
    /// The image cannot be scanned: the error's code, and what its message must say.
    Error(&'static str, &'static [&'static str]),
    /// It is not judged, and the error or a gap says so: an archive that passes knows only at its end that a part of
    /// it is absent.
    Refused(&'static [&'static str]),
    /// It is incomplete: what one gap must say.
    Gap(&'static [&'static str]),
    /// It is judged, and these rules find something that is denied.
    Denied(&'static [&'static str]),
    /// It is compliant, but these rules find something.
    Found(&'static [&'static str]),
    /// It is compliant, with such a note if any.
    Compliant(&'static [&'static str]),
}

/// What to run scant on.
pub(crate) struct Scene {
    pub(crate) target: String,
    pub(crate) stdin: Option<PathBuf>,
    pub(crate) words: Vec<String>,
}

impl Scene {
    pub(crate) fn at(target: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            stdin: None,
            words: Vec::new(),
        }
    }

    pub(crate) fn stdin(path: PathBuf) -> Self {
        Self {
            stdin: Some(path),
            ..Self::at("-")
        }
    }
}

type Make = Box<dyn Fn(&Path) -> Vec<Scene> + Send + Sync>;

pub(crate) struct Case {
    pub(crate) row: &'static str,
    pub(crate) name: &'static str,
    make: Make,
    expect: Expect,
    beside: Option<Make>,
}

/// A layout in all its forms: a directory, an archive in a file, an archive that passes.
pub(crate) fn forms(directory: &Path, files: &Files) -> Vec<Scene> {
    files.write(&directory.join("layout"));
    let path = directory.join("image.tar");
    fs::write(&path, archive(&files.members()).end()).unwrap();
    vec![
        Scene::at("oci:layout"),
        Scene::at("oci-archive:image.tar"),
        Scene::stdin(path),
    ]
}

impl Case {
    pub(crate) fn scenes(
        row: &'static str,
        name: &'static str,
        expect: Expect,
        make: impl Fn(&Path) -> Vec<Scene> + Send + Sync + 'static,
    ) -> Self {
        Self {
            row,
            name,
            make: Box::new(make),
            expect,
            beside: None,
        }
    }

    /// An image in all forms.
    pub(crate) fn image(
        row: &'static str,
        name: &'static str,
        expect: Expect,
        image: impl Fn() -> Image + Send + Sync + 'static,
    ) -> Self {
        Self::scenes(row, name, expect, move |directory| {
            forms(directory, &image().files())
        })
    }

    /// A large image, as a directory only.
    pub(crate) fn large(
        row: &'static str,
        name: &'static str,
        expect: Expect,
        image: impl Fn() -> Image + Send + Sync + 'static,
    ) -> Self {
        Self::scenes(row, name, expect, move |directory| {
            image().files().write(&directory.join("layout"));
            vec![Scene::at("oci:layout")]
        })
    }

    /// A layout in all forms.
    pub(crate) fn files(
        row: &'static str,
        name: &'static str,
        expect: Expect,
        files: impl Fn() -> Files + Send + Sync + 'static,
    ) -> Self {
        Self::scenes(row, name, expect, move |directory| forms(directory, &files()))
    }

    /// The honest neighbour, which must be compliant.
    pub(crate) fn beside(self, image: impl Fn() -> Image + Send + Sync + 'static) -> Self {
        self.beside_scenes(move |directory| forms(directory, &image().files()))
    }

    pub(crate) fn beside_scenes(
        mut self,
        make: impl Fn(&Path) -> Vec<Scene> + Send + Sync + 'static,
    ) -> Self {
        self.beside = Some(Box::new(make));
        self
    }

    /// Whether it or its neighbour is to be called compliant.
    pub(crate) fn has_honest_image(&self) -> bool {
        self.beside.is_some() || matches!(self.expect, Expect::Compliant(_))
    }

    /// What scant answers otherwise than expected.
    pub(crate) fn unmet(&self) -> Vec<String> {
        let mut unmet = Vec::new();
        let mut play = |make: &Make, expect: &Expect, role: &str| {
            let directory = tempfile::tempdir().unwrap();
            for scene in make(directory.path()) {
                let mut words = vec!["scan", "-o", "json", "--platform", "linux/amd64"];
                words.extend(scene.words.iter().map(String::as_str));
                words.push(&scene.target);
                let run = scant(directory.path(), &words, scene.stdin.as_deref());
                let wrong = run.breaches().into_iter().chain(expect.unmet(&run));
                unmet.extend(wrong.map(|what| format!("{}{role} ({}): {what}", self.name, scene.target)));
            }
        };
        play(&self.make, &self.expect, "");
        if let Some(beside) = &self.beside {
            play(beside, &Expect::Compliant(&[]), ", its neighbour");
        }
        unmet
    }
}

impl Expect {
    fn unmet(&self, run: &Run) -> Vec<String> {
        let report = run.report();
        let image = &report["images"][0];
        let list = |key: &str| image[key].as_array().cloned().unwrap_or_default();
        let all = |text: &str, says: &[&str]| says.iter().all(|say| text.contains(say));
        let (exit, compliant, met) = match self {
            Self::Error(code, says) => {
                let error = &image["error"];
                let met = error["code"] == *code && all(error["message"].as_str().unwrap_or_default(), says);
                (if *code == "unavailable" { 4 } else { 3 }, Value::Null, met)
            }
            Self::Refused(says) => {
                let text = format!("{error} {gaps}", error = image["error"], gaps = image["gaps"]);
                (3, Value::Null, all(&text, says))
            }
            Self::Gap(says) => {
                let met = list("gaps").iter().any(|gap| {
                    let [place, why] =
                        ["where", "why"].map(|key| gap[key].as_str().unwrap_or_default().to_owned());
                    all(&format!("{place}: {why}"), says)
                });
                (3, Value::Null, met && image["status"] == "incomplete")
            }
            Self::Denied(rules) => {
                let met = rules.iter().all(|rule| {
                    list("findings")
                        .iter()
                        .any(|finding| finding["rule"] == *rule && finding["level"] == "deny")
                });
                (1, Value::Bool(false), met)
            }
            Self::Found(rules) => {
                let found = list("findings");
                let met = rules
                    .iter()
                    .all(|rule| found.iter().any(|finding| finding["rule"] == *rule));
                (0, Value::Bool(true), met)
            }
            Self::Compliant(says) => {
                let notes: Vec<String> = list("notes").iter().map(Value::to_string).collect();
                (0, Value::Bool(true), all(&notes.join("\n"), says))
            }
        };
        if run.exit == Some(exit) && image["compliant"] == compliant && met {
            return Vec::new();
        }
        let short = |value: &Value| value.to_string().chars().take(900).collect::<String>();
        vec![format!(
            "exit {:?}, status {}, compliant {}, error {}, gaps {}, notes {}, findings {}; stderr {}",
            run.exit,
            image["status"],
            image["compliant"],
            image["error"],
            short(&image["gaps"]),
            short(&image["notes"]),
            list("findings")
                .iter()
                .map(|finding| short(&finding["rule"]))
                .collect::<Vec<_>>()
                .join(" "),
            run.stderr.chars().take(300).collect::<String>()
        )]
    }
}
