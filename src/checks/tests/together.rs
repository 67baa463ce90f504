//! Tests of all checks together: what they ask for, what a gap hides from them, what their findings add up to.

use super::{users::PASSWD, *};
use crate::finding::{Reach, Tier};

/// What all checks say of an image for amd64.
fn all(files: &Rootfs, config: Option<&ImageConfig>) -> Vec<Finding> {
    let platform = Platform::new("linux", "amd64", None);
    run(&Subject::new(files, config, Some(&platform), Catalog::builtin()))
}

#[test]
fn an_image_without_anything_to_say_says_nothing() {
    let files = rootfs([
        program("/server", []),
        dir("/tmp", 0o1777),
        file("/etc/ssl/certs/ca-certificates.crt", 0o644),
    ]);
    let config = config("65532:65532", &["/server"], &[]);
    assert_eq!(all(&files, Some(&config)), []);
}

#[test]
fn checks_ask_for_what_they_read() {
    for want in [
        Want::Path("/etc/passwd"),
        Want::Path("/etc/group"),
        Want::Accounts,
    ] {
        assert!(wants().contains(&want), "{want:?}");
    }
    assert!(wants().windows(2).all(|pair| pair[0] < pair[1]));
    // Without the contents the account rules cannot speak.
    let mut passwd = text("/etc/passwd", PASSWD);
    passwd.kept = None;
    let files = rootfs([passwd]);
    assert!(look("non-numeric-user", &files, Some(&config("app", &["/app"], &[]))).is_empty());
}

#[test]
fn a_gap_hides_what_it_could() {
    let ids = |hides| hidden_by(hides).iter().map(|rule| rule.id).collect::<Vec<_>>();
    assert!(ids(Hides::Anything).contains(&"root-user") && ids(Hides::Anything).contains(&"shell"));
    assert!(
        ids(Hides::Programs).contains(&"packed-executable") && !ids(Hides::Programs).contains(&"root-user")
    );
    // Who logs in does so with a shell.
    assert!(ids(Hides::Programs).contains(&"login-account"));
    // What the configuration alone says no file hides.
    assert!(!ids(Hides::Anything).contains(&"shell-form-command"));
    assert_eq!(
        ids(Hides::Accounts),
        [
            "root-user",
            "root-group",
            "unknown-user",
            "non-numeric-user",
            "extra-root-account",
            "login-account",
            "empty-password"
        ]
    );
    assert_eq!(ids(Hides::Contents), ["package-database", "residue"]);
    assert!(ids(Hides::Nothing).is_empty());
}

#[test]
fn tools_say_whether_the_entry_point_needs_them() {
    let files = rootfs([
        program("/usr/bin/env", []),
        program("/bin/python3", ["interp.python"]),
        script("/app", "/usr/bin/env python3", []),
        program("/bin/curl", ["net.curl"]),
    ]);
    let config = config("", &["/app"], &[]);
    let found = all(&files, Some(&config));
    let reach = |rule: &str| {
        let finding = found.iter().find(|finding| finding.rule.id == rule).unwrap();
        finding.reach.clone()
    };
    assert_eq!(reach("network-tool"), Some(Reach::NotNeeded));
    assert_eq!(
        reach("interpreter"),
        Some(Reach::Needed {
            tier: Tier::Start,
            why: "run by /usr/bin/env".to_owned()
        })
    );
    assert!(all(&files, None).iter().all(|finding| finding.reach.is_none()));
}

#[test]
fn the_cheapest_way_is_sure_and_then_short() {
    let found = |path: &str, confidence: Confidence| {
        let mut entry = program(path, ["shell.bash"]);
        entry.program.as_mut().unwrap().identities[0].confidence = confidence;
        entry
    };
    let files = rootfs([
        found("/a", Confidence::Likely),
        found("/usr/bin/bash", Confidence::Certain),
        found("/usr/local/bin/bash", Confidence::Certain),
    ]);
    let found = look("shell", &files, None);
    let ways = capabilities(&found, Catalog::builtin());
    let shell = ways.iter().find(|way| way.id == "exec.shell").unwrap();
    assert_eq!(shell.by, RootPath::from("/usr/bin/bash"));
    assert_eq!(shell.attack, ["T1059.004", "T1609"]);
    assert!(ways.windows(2).all(|pair| pair[0].id < pair[1].id));
    let mut gone = found;
    for finding in &mut gone {
        finding.state = State::Removed;
    }
    assert!(capabilities(&gone, Catalog::builtin()).is_empty());
}

#[test]
fn what_is_allowed_together_is_told_with_the_cheapest_way() {
    let files = rootfs([
        program("/usr/bin/bash", ["shell.dash"]),
        program("/usr/bin/nc", ["net.nc-openbsd"]),
        program("/usr/local/bin/python3", ["interp.python"]),
        program("/usr/bin/curl", ["net.curl"]),
    ]);
    let subject = Subject::new(&files, None, None, Catalog::builtin());
    let mut findings = run(&subject);
    let all = |findings: &[Finding]| combinations(findings, Catalog::builtin());
    let by = |findings: &[Finding], id: &str| -> Option<Vec<String>> {
        let found = all(findings).into_iter().find(|one| one.id == id)?;
        assert!(!found.attack.is_empty() && !found.meaning.is_empty());
        Some(found.by.iter().map(ToString::to_string).collect())
    };
    let reverse = by(&findings, "reverse-shell").unwrap();
    assert_eq!(reverse.len(), 2, "{reverse:?}");
    assert!(reverse.contains(&"/usr/bin/nc".to_owned()), "{reverse:?}");
    assert!(by(&findings, "drop-and-run").is_some());
    assert!(by(&findings, "root-by-set-id").is_none());
    // One program that can do both is one way.
    findings.retain(|one| one.path == Some("/usr/local/bin/python3".into()));
    assert_eq!(
        by(&findings, "reverse-shell").unwrap(),
        ["/usr/local/bin/python3"]
    );
    // A name alone gives nothing.
    for finding in &mut findings {
        finding.qualifier = Some(Qualifier::NameOnly);
    }
    assert!(all(&findings).is_empty());
    // A set-id program that starts others does alone.
    let sudo = mode(program("/usr/bin/x", ["shell.bash"]), 0o4755);
    let files = rootfs([sudo]);
    let found = look("setuid-file", &files, None);
    assert_eq!(by(&found, "root-by-set-id").unwrap(), ["/usr/bin/x"]);
}
