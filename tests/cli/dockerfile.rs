//! `--dockerfile`: findings are put down to its lines where the image's history fits it, and to none where it does not.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::process::{Ran, finish, oci, run, scant};

/// The Dockerfile beside a sample's recipe.
fn text(sample: &str) -> String {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("images");
    fs::read_to_string(images.join(sample).join("Dockerfile")).unwrap()
}

/// Scans `sample` in a repository whose folder `deploy` holds this Dockerfile.
fn beside(sample: &str, dockerfile: &str, format: &str) -> Ran {
    let repository = tempfile::tempdir().unwrap();
    let folder = repository.path().join("deploy");
    fs::create_dir_all(repository.path().join(".git")).unwrap();
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("Dockerfile"), dockerfile).unwrap();
    std::os::unix::fs::symlink("Dockerfile", folder.join("link")).unwrap();
    let words = ["scan", "-o", format, "--dockerfile", "link", &oci(sample)];
    finish(scant(&words).current_dir(&folder), b"")
}

fn findings(ran: &Ran) -> Vec<Value> {
    ran.json()["images"][0]["findings"].as_array().unwrap().clone()
}

/// First and last line of the findings of `rule` at `path`.
#[track_caller]
fn lines(ran: &Ran, rule: &str, path: Option<&str>) -> (u64, u64) {
    let findings = findings(ran);
    let wanted = |one: &&Value| one["rule"] == rule && path.is_none_or(|path| one["path"] == path);
    let one = findings
        .iter()
        .find(wanted)
        .unwrap_or_else(|| panic!("no {rule} at {path:?}: {ran:?}"));
    let location = &one["location"];
    assert_eq!(location["file"], "deploy/Dockerfile", "{one:#}");
    assert_eq!(one["attribution"], "matched", "{one:#}");
    (
        location["line"].as_u64().unwrap(),
        location["end_line"].as_u64().unwrap(),
    )
}

fn notes(ran: &Ran) -> String {
    ran.json()["images"][0]["notes"].to_string()
}

#[test]
fn the_stage_that_was_built_is_found() {
    let ran = beside("two-finals", &text("two-finals"), "json");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(lines(&ran, "shell", Some("/busybox/sh")), (12, 15));
    assert_eq!(lines(&ran, "root-user", None), (16, 16));
    assert!(
        notes(&ran).contains("deploy/Dockerfile: the image was built from stage `debug` (line 11)"),
        "{ran:?}"
    );
    let layers = ran.json()["images"][0]["layers"].as_array().unwrap().clone();
    let said: Vec<(&str, &str)> = layers
        .iter()
        .map(|layer| {
            (
                layer["attribution"].as_str().unwrap(),
                layer["instruction"].as_str().unwrap(),
            )
        })
        .collect();
    // The base has no history, which does not make its layers the stage's.
    let (base, own) = said.split_at(said.len() - 2);
    assert!(!base.is_empty());
    for layer in base {
        assert_eq!(
            *layer,
            ("matched", "FROM gcr.io/distroless/static-debian12:nonroot AS app")
        );
    }
    assert_eq!(
        own,
        [
            ("matched", "COPY /out/server /app"),
            ("matched", "COPY /bin/busybox /busybox/sh")
        ]
    );

    // The other final stage, with an image that was built from it.
    let ran = beside("go-static-nonroot", &text("two-finals"), "json");
    assert!(notes(&ran).contains("stage `release` (line 19)"), "{ran:?}");
}

#[test]
fn a_run_over_several_lines_is_found_whatever_ends_them() {
    let unix = text("run-over-lines");
    let windows = unix.replace('\n', "\r\n");
    let escaped = format!("# escape=`\n{}", unix.replace(" \\\n", " `\n"));
    for (dockerfile, by) in [(&unix, 0), (&windows, 0), (&escaped, 1)] {
        let ran = beside("run-over-lines", dockerfile, "json");
        let at = |line: u64, end: u64| (line + by, end + by);
        assert_eq!(lines(&ran, "network-tool", Some("/usr/bin/curl")), at(7, 12));
        assert_eq!(
            lines(&ran, "network-tool", Some("/usr/local/bin/fetch")),
            at(13, 16)
        );
        // What came with the base image, and what it left unset, stands at the FROM of the stage.
        assert_eq!(lines(&ran, "shell", Some("/usr/bin/bash")), at(4, 4));
        assert_eq!(lines(&ran, "root-user", None), at(4, 4));
    }
    let text = beside("run-over-lines", &unix, "text").out;
    assert!(
        text.contains("Dockerfile:11") && text.contains("Dockerfile:4"),
        "{text}"
    );
}

#[test]
fn code_scanning_gets_one_line_of_the_repository() {
    let ran = beside("run-over-lines", &text("run-over-lines"), "sarif");
    let run = &ran.json()["runs"][0];
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    let results = run["results"].as_array().unwrap();
    let place = |result: &Value| result["locations"][0]["physicalLocation"].clone();
    for result in results {
        assert_eq!(place(result)["artifactLocation"]["uri"], "deploy/Dockerfile");
    }
    let curl = results
        .iter()
        .find(|one| {
            one["message"]["text"]
                .as_str()
                .unwrap()
                .contains("/usr/bin/curl ")
        })
        .unwrap();
    // The line of the instruction that names it, up to its end.
    let region = json!({ "startLine": 11, "startColumn": 1, "endLine": 11, "endColumn": 15 });
    assert_eq!(place(curl)["region"], region, "{curl:#}");
    assert!(!ran.out.contains("location-guessed"));

    // The same findings have the same fingerprints as without a Dockerfile.
    let prints = |ran: &Ran| -> Vec<Value> {
        findings(ran)
            .iter()
            .map(|one| one["fingerprint"].clone())
            .collect()
    };
    let without = run_json("run-over-lines");
    let with = beside("run-over-lines", &text("run-over-lines"), "json");
    assert_eq!(prints(&with), prints(&without));
    assert_eq!(with.code, without.code);
}

fn run_json(sample: &str) -> Ran {
    run(&["scan", "-o", "json", &oci(sample)])
}

/// What the demo image could have been built from.
const DEMO: &str = "\
FROM scratch
COPY rootfs/ /
COPY healthd /app/healthd
RUN rm /app/deploy.sh
WORKDIR /app
EXPOSE 8080
ENTRYPOINT [\"/app/server\"]
";

#[test]
fn a_dockerfile_of_another_image_places_nothing_and_says_so() {
    let own = beside("demo", DEMO, "json");
    assert_eq!(lines(&own, "shell", Some("/bin/sh")), (2, 2));
    assert_eq!(lines(&own, "shell", Some("/app/healthd")), (3, 3));
    // Of another image; with an instruction too many; with one too few; in another order; with another word; without any.
    let others = [
        text("two-finals"),
        format!("{DEMO}RUN true\n"),
        DEMO.replace("COPY rootfs/ /\n", ""),
        DEMO.replace(
            "COPY healthd /app/healthd\nRUN rm /app/deploy.sh\n",
            "RUN rm /app/deploy.sh\nCOPY healthd /app/healthd\n",
        ),
        DEMO.replace("deploy.sh", "deploy"),
        "FROM scratch\n".to_owned(),
    ];
    for dockerfile in others {
        let ran = beside("demo", &dockerfile, "json");
        assert_eq!(ran.code, own.code);
        assert!(
            notes(&ran).contains("no stage of it fits the image's history"),
            "{ran:?}"
        );
        let findings = findings(&ran);
        assert!(findings.len() > 3);
        assert!(
            findings.iter().all(|one| one["location"].is_null()),
            "{dockerfile}"
        );
        assert!(
            findings.iter().all(|one| one["attribution"] != "matched"),
            "{dockerfile}"
        );
        assert!(
            findings.iter().any(|one| one["attribution"] == "by-position"),
            "{dockerfile}"
        );

        let sarif = beside("demo", &dockerfile, "sarif").json();
        let told = sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"].to_string();
        assert!(
            told.contains("location-guessed") && told.contains("does not fit"),
            "{told}"
        );
        let text = beside("demo", &dockerfile, "text").out;
        assert!(
            text.contains("deploy/Dockerfile does not fit the image"),
            "{text}"
        );
        assert!(!text.contains("Dockerfile:"), "{text}");
    }
}

#[test]
fn mistakes_are_named() {
    run(&["scan", "--dockerfile", "no-such-file", "x"]).refused_with("dockerfile `no-such-file`");
    for (text, why) in [
        ("RUN x\n", "there is no FROM"),
        ("FROM a\nRUN <<E\n", "`E` of line 2"),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        run(&["scan", "--dockerfile", file.path().to_str().unwrap(), "x"]).refused_with(why);
    }
}
