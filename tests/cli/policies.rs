//! Policies from the user's side: profiles, own files, waivers, and what scant says about its rules.

use std::{fs, path::Path};

use crate::process::{Ran, finish, oci, run, scant};

/// Runs scant in a folder with these files.
fn with_files(files: &[(&str, &str)], words: &[&str]) -> Ran {
    let folder = folder(files);
    finish(scant(words).current_dir(folder.path()), b"")
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn profiles_by_name() {
    let demo = oci("demo");
    for name in ["distroless", "runtime", "strict", "minimal"] {
        let ran = run(&["scan", "-o", "json", "--policy", name, &demo]);
        assert_eq!(ran.json()["policy"]["name"], name);
    }
    // A hidden leftover is denied by the strict bar only.
    let hidden = oci("removed-shell");
    assert_eq!(run(&["scan", "-p", "distroless", &hidden]).code, Some(0));
    assert_eq!(run(&["scan", "-p", "strict", &hidden]).code, Some(1));
    run(&["scan", "-p", "strikt", &demo]).refused_with("did you mean `strict`?");
}

#[test]
fn own_policies_extend_profiles() {
    let lax =
        "extends = \"distroless\"\npass-mark = 0\n\n[levels]\nshell = \"allow\"\nroot-user = \"warn\"\n";
    let files = [
        ("lax.toml", lax),
        (
            "more/own.toml",
            "extends = \"../lax.toml\"\n[levels]\nroot-user = \"deny\"\n",
        ),
    ];
    let demo = oci("demo");
    let ran = with_files(&files, &["scan", "-o", "json", "--policy", "lax.toml", &demo]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = with_files(
        &files,
        &["scan", "-o", "json", "--policy", "more/own.toml", &demo],
    );
    assert_eq!(ran.code, Some(1), "{ran:?}");

    for (text, part) in [
        ("extends = \"distrolss\"", "did you mean `distroless`?"),
        ("extend = \"distroless\"", "did you mean `extends`?"),
        (
            "extends = \"distroless\"\n[levels]\nshel = \"deny\"",
            "did you mean `shell`?",
        ),
        (
            "extends = \"distroless\"\n[levels]\nshell = \"denied\"",
            "did you mean `deny`?",
        ),
        ("extends = \"bad.toml\"", "bad.toml"),
        ("= nonsense", "bad.toml"),
    ] {
        with_files(&[("bad.toml", text)], &["scan", "-p", "bad.toml", &demo]).refused_with(part);
        with_files(&[("bad.toml", text)], &["policy", "check", "bad.toml"]).refused_with(part);
    }
}

const USED: &str = "[[waiver]]\nrule = \"shell\"\npaths = [\"/bin/sh\"]\nreason = \"probed by the old platform\"\n\
                    owner = \"team\"\nexpires = \"2026-09-21\"\n";

/// `SOURCE_DATE_EPOCH` is 2026-09-21, which is the last day of [`USED`].
#[test]
fn waivers_accept_until_their_day_is_over() {
    let demo = oci("demo");
    let words = ["scan", "-o", "json", "--waivers", "w.toml", demo.as_str()];
    let scan = |text: &str| with_files(&[("w.toml", text)], &words);
    let denied = |ran: &Ran| {
        let report = ran.json();
        let findings = report["images"][0]["findings"].as_array().unwrap().iter();
        let denied = findings.filter(|finding| finding["level"] == "deny" && finding["waiver"].is_null());
        (denied.count(), report["unused_waivers"].as_array().unwrap().len())
    };
    let (all, _) = denied(&scan(""));
    assert_eq!(denied(&scan(USED)), (all - 1, 0), "the last day counts");
    assert_eq!(denied(&scan(&USED.replace("/bin/sh", "/bin/none"))), (all, 1));

    let folder = folder(&[("w.toml", USED)]);
    let mut tomorrow = scant(&words);
    tomorrow
        .env("SOURCE_DATE_EPOCH", "1790035200")
        .current_dir(folder.path());
    let ran = finish(&mut tomorrow, b"");
    assert_eq!(denied(&ran), (all, 1), "{ran:?}");
    assert_eq!(ran.json()["unused_waivers"][0]["expired"], true);
    let text = finish(
        scant(&["scan", "--waivers", "w.toml", &demo])
            .env("SOURCE_DATE_EPOCH", "1790035200")
            .current_dir(folder.path()),
        b"",
    );
    assert!(text.out.contains("ended on 2026-09-21"), "{text:?}");

    for (text, part) in [
        (USED.replace("2026-09-21", "2026-13-01"), "2026-13-01"),
        (USED.replace("shell", "shel"), "did you mean `shell`?"),
        (USED.replace("reason", "reasn"), "did you mean `reason`?"),
        (USED.replace("expires = \"2026-09-21\"\n", ""), "expires"),
        (
            USED.replace("reason = \"probed by the old platform\"\n", ""),
            "reason",
        ),
    ] {
        scan(&text).refused_with(part);
    }
    run(&["scan", "--waivers", "absent.toml", &demo]).refused_with("waiver file `absent.toml`");
    let bad_epoch = finish(scant(&["scan", &demo]).env("SOURCE_DATE_EPOCH", "soon"), b"");
    bad_epoch.refused_with("SOURCE_DATE_EPOCH");
}

#[test]
fn what_is_shown_can_be_used() {
    let shown = run(&["policy", "show", "runtime"]);
    assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""));
    let files = [("shown.toml", shown.out.as_str()), ("w.toml", USED)];
    let checked = with_files(&files, &["policy", "check", "shown.toml", "strict"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert_eq!(checked.out.lines().count(), 2);
    let own = format!("extends = \"distroless\"\n{USED}");
    let shown = with_files(&[("own.toml", &own)], &["policy", "show", "own.toml"]);
    assert!(shown.out.contains("probed by the old platform"), "{shown:?}");
    let again = with_files(&[("again.toml", &shown.out)], &["policy", "show", "again.toml"]);
    let digest = |ran: &Ran| {
        ran.out
            .lines()
            .find(|line| line.starts_with("# sha256:"))
            .map(str::to_owned)
    };
    assert!(digest(&again).is_some());
    assert_eq!(digest(&again), digest(&shown));
    run(&["policy", "show", "distrolesss"]).refused_with("did you mean `distroless`?");
}

#[test]
fn rules_are_explained() {
    let ran = run(&["explain", "shell"]);
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.out.starts_with("shell") && ran.out.contains("FROM "),
        "{ran:?}"
    );
    assert!(!ran.out.contains('\u{1b}'));
    run(&["explain", "shel"]).refused_with("did you mean `shell`?");
    let listed = run(&["rules"]);
    assert_eq!(listed.code, Some(0));
    let markdown = run(&["rules", "--markdown"]);
    assert_eq!(markdown.out.lines().count(), listed.out.lines().count() + 2);
    for line in listed.out.lines() {
        let id = line.split_whitespace().next().unwrap();
        assert_eq!(run(&["explain", id]).code, Some(0), "{id}");
    }
}
