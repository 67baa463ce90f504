//! Tests of who the container runs as.

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::{
    layer::Entry,
    rootfs::{
        Node,
        testing::{dir, file, program, rootfs, symlink, text},
    },
};

/// The shared test vectors; their head says what each field means.
const VECTORS: &str = include_str!("../../../tests/data/users.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    fixture: Fixture,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    passwd: String,
    group: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the fields of the data file")]
struct Case {
    name: String,
    user: String,
    passwd: Option<String>,
    group: Option<String>,
    shadow: Option<String>,
    #[serde(default)]
    no_passwd: bool,
    #[serde(default)]
    no_group: bool,
    passwd_is: Option<String>,
    #[serde(default)]
    shells: Vec<String>,
    docker: Start,
    #[serde(default)]
    docker_groups: Vec<u32>,
    containerd: Start,
    #[serde(default)]
    containerd_groups: Vec<u32>,
    cri: Option<Start>,
    cri_groups: Option<Vec<u32>>,
    uid: Option<u32>,
    gid: Option<u32>,
    kubelet: String,
    starts: String,
    root: bool,
    rules: Vec<String>,
    #[serde(default)]
    unsure: bool,
    #[serde(rename = "note")]
    _note: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Start {
    Never(bool),
    Ids([u32; 2]),
}

fn entries(case: &Case, fixture: &Fixture) -> Vec<Entry> {
    let content = case.passwd.as_ref().unwrap_or(&fixture.passwd);
    let mut entries = vec![dir("/etc", 0o755)];
    match case.passwd_is.as_deref() {
        _ if case.no_passwd => {}
        None => entries.push(text("/etc/passwd", content)),
        Some("rellink") => entries.extend([
            symlink("/etc/passwd", "../real/passwd"),
            text("/real/passwd", content),
        ]),
        Some("abslink") => entries.extend([
            symlink("/etc/passwd", "/real/passwd"),
            text("/real/passwd", content),
        ]),
        Some("dangling") => entries.push(symlink("/etc/passwd", "/nowhere/passwd")),
        Some("dir") => entries.push(dir("/etc/passwd", 0o755)),
        Some("loop") => entries.push(symlink("/etc/passwd", "passwd")),
        Some("escape") => entries.push(symlink("/etc/passwd", "../../outside")),
        Some(other) => panic!("{}: unknown passwd_is {other}", case.name),
    }
    if !case.no_group {
        let group = case.group.as_ref().unwrap_or(&fixture.group);
        entries.push(text("/etc/group", group));
    }
    if let Some(shadow) = &case.shadow {
        entries.push(text("/etc/shadow", shadow));
    }
    entries.extend(case.shells.iter().map(|path| program(path, ["shell.bash"])));
    entries
}

fn is_shell(node: &Node) -> bool {
    let identities = node.program.iter().flat_map(|program| &program.identities);
    identities
        .into_iter()
        .any(|identity| identity.family == "shell.bash")
}

fn start(outcome: &Outcome) -> (Start, Vec<u32>) {
    match outcome {
        Outcome::Starts(ids) => (Start::Ids([ids.uid, ids.gid]), ids.groups.clone()),
        Outcome::Refused(_) => (Start::Never(false), Vec::new()),
        Outcome::Unknown(why) => panic!("unknown: {why}"),
    }
}

#[test]
fn every_vector_holds() {
    let vectors: Vectors = toml::from_str(VECTORS).unwrap();
    assert_eq!(vectors.case.len(), 94);
    for case in &vectors.case {
        let name = &case.name;
        let fs = rootfs(entries(case, &vectors.fixture));
        let found = resolve(&case.user, &fs);
        assert_eq!(found.gap, None, "{name}");
        let cri = case.cri.unwrap_or(case.containerd);
        let cri_groups = case.cri_groups.as_ref().unwrap_or(&case.containerd_groups);
        assert_eq!(
            start(&found.docker),
            (case.docker, case.docker_groups.clone()),
            "{name}: Docker"
        );
        assert_eq!(
            start(&found.containerd),
            (case.containerd, case.containerd_groups.clone()),
            "{name}: containerd"
        );
        assert_eq!(start(&found.kubernetes), (cri, cri_groups.clone()), "{name}: CRI");
        assert_eq!(found.ids().map(|ids| ids.uid), case.uid, "{name}: uid");
        assert_eq!(found.ids().map(|ids| ids.gid), case.gid, "{name}: gid");

        let kubelet = match found.kubelet {
            Kubelet::Accepts => "accept",
            Kubelet::Root => "root",
            Kubelet::Name => "name",
            Kubelet::Range => "range",
        };
        assert_eq!(kubelet, case.kubelet, "{name}: kubelet");
        let starts = match (found.refused(), found.ids()) {
            (None, _) => "yes",
            (Some(_), Some(_)) => "some",
            (Some(_), None) => "no",
        };
        assert_eq!(starts, case.starts, "{name}: starts");
        let root = found.root();
        assert_eq!(root.is_some(), case.root, "{name}: root");
        if let Some(root) = root {
            assert_eq!(root.unsure, case.unsure, "{name}: unsure");
        }

        let accounts = Accounts::read(&fs);
        let rules = [
            ("root-user", found.root().is_some()),
            ("root-group", found.root_group().is_some()),
            ("unknown-user", found.refused().is_some()),
            ("non-numeric-user", found.non_numeric().is_some()),
            ("extra-root-account", accounts.extra_roots().next().is_some()),
            ("login-account", accounts.logins(&fs, is_shell).next().is_some()),
            ("empty-password", accounts.empty_passwords().next().is_some()),
        ];
        for (rule, fires) in rules {
            assert_eq!(fires, case.rules.iter().any(|it| it == rule), "{name}: {rule}");
        }
        assert!(case.rules.iter().all(|rule| rules.iter().any(|it| it.0 == rule)));
    }
}

const PASSWD: &str = "root:x:0:0::/root:/bin/sh\n\napp:x:1000:1000::/:/bin/false\nodd:x: 7:7::/:\n\
                      wide:x:4294967296:1::/:\nminus:x:-1:5::/:\n";
const GROUP: &str = "root:x:0:app\napp:x:1000:\n";

fn fixture(user: &str) -> UserResolution {
    resolve(
        user,
        &rootfs([text("/etc/passwd", PASSWD), text("/etc/group", GROUP)]),
    )
}

#[test]
fn root_says_what_made_it_root() {
    for (user, why) in [
        ("", "User is unset, which means root"),
        (":1000", "User `:1000` names no user, which means root"),
        ("00:5", "User `00:5` is uid 0"),
        ("root", "line 1 of /etc/passwd gives `root` uid 0"),
        (
            "odd",
            "line 4 of /etc/passwd gives `odd` ` 7` for a uid, which runtimes read as 0",
        ),
        (
            "wide",
            "line 5 of /etc/passwd gives `wide` uid 4294967296, which runtimes cut to 0",
        ),
        (
            "minus",
            "line 6 of /etc/passwd gives `minus` uid -1, which runtimes cut to 4294967295",
        ),
    ] {
        let root = fixture(user).root().unwrap();
        assert_eq!(root.why, why);
        assert_eq!(root.runtimes.len(), 3);
    }
    assert_eq!(fixture("app").root(), None);
}

#[test]
fn the_other_rules_say_why_and_where() {
    let (instead, verdict) = fixture("app").non_numeric().unwrap();
    assert_eq!(
        (instead.as_str(), verdict.why.as_str()),
        ("1000:1000", "User `app` is a name")
    );
    assert_eq!(fixture("1000").non_numeric(), None);

    for (user, why, runtimes) in [
        ("app", "/etc/group lists it in a group of gid 0", 3),
        (
            "app:",
            "User `app:` ends in a colon, for which containerd takes gid 0",
            3,
        ),
        ("1000:0", "User `1000:0` asks for a group of gid 0", 3),
        ("1000:root", "User `1000:root` asks for a group of gid 0", 3),
        (
            "4242",
            "User `4242` has no line in /etc/passwd and names no group, which means gid 0",
            3,
        ),
        // Docker drops supplementary groups where a group is given.
        ("app:app", "/etc/group lists it in a group of gid 0", 2),
    ] {
        let group = fixture(user).root_group().unwrap();
        assert_eq!(
            (group.why.as_str(), group.runtimes.len()),
            (why, runtimes),
            "{user}"
        );
    }

    for (user, part, why) in [
        ("gh\u{1b}ost", Part::User, r"/etc/passwd has no user `gh\x1bost`"),
        ("app:ghost", Part::Group, "/etc/group has no group `ghost`"),
        ("-1:5", Part::Range, "-1 is outside 0 to 2147483647"),
        (
            "1:2147483648",
            Part::Range,
            "2147483648 is outside 0 to 2147483647",
        ),
        ("app:b:c", Part::Group, "/etc/group has no group `b:c`"),
    ] {
        let (found, verdict) = fixture(user).refused().unwrap();
        assert_eq!((found, verdict.why.as_str()), (part, why));
    }
    assert!(matches!(
        fixture("app:b:c").containerd,
        Outcome::Refused(Refusal { part: Part::Form, .. })
    ));
}

/// moby looks a uid up before it checks the range.
#[test]
fn a_uid_beyond_the_range_is_root_where_passwd_has_it() {
    let found = fixture("4294967296");
    assert_eq!(found.root().unwrap().runtimes, [Runtime::Docker]);
    assert_eq!(found.refused().unwrap().0, Part::Range);
}

#[test]
fn files_that_every_runtime_refuses() {
    let long = format!("{}\n", "x".repeat(64 << 10));
    let huge = Entry {
        size: 11 << 20,
        ..file("/etc/passwd", 0o644)
    };
    for passwd in [text("/etc/passwd", &(PASSWD.to_owned() + &long)), huge] {
        let fs = rootfs([passwd, text("/etc/group", GROUP)]);
        for user in ["1000", "1000:1000", "app"] {
            let (part, verdict) = resolve(user, &fs).refused().unwrap();
            assert_eq!((part, verdict.runtimes.len()), (Part::File, 3), "{user}");
        }
        // The image mode does not read passwd for an unset user.
        let unset = resolve("", &fs);
        assert!(matches!(unset.containerd, Outcome::Starts(_)));
        assert!(matches!(
            (unset.docker, unset.kubernetes),
            (Outcome::Refused(_), Outcome::Refused(_))
        ));
    }
    // A line of group may be longer, to a mebibyte.
    for (length, part) in [((1 << 20) - 1, None), (1 << 20, Some(Part::File))] {
        let group = format!("{}\n", "x".repeat(length));
        let fs = rootfs([text("/etc/passwd", PASSWD), text("/etc/group", &group)]);
        let refused = resolve("1000", &fs).refused();
        assert_eq!(refused.map(|(part, _)| part), part, "{length}");
    }
    // One byte less is read.
    let line = &long[1..];
    assert_eq!(
        resolve("1000", &rootfs([text("/etc/passwd", line)])).refused(),
        None
    );
}

/// Docker takes what is no file for absent, containerd starts nothing.
#[test]
fn what_is_no_file_is_refused_by_containerd_alone() {
    use crate::layer::Kind;
    let passwd = |kind| crate::rootfs::testing::entry("/etc/passwd", kind, 0o644);
    for entries in [
        vec![dir("/etc/passwd", 0o755)],
        vec![symlink("/etc/passwd", "passwd")],
        vec![passwd(Kind::CharDevice { major: 1, minor: 3 })],
        vec![passwd(Kind::BlockDevice { major: 8, minor: 0 })],
        vec![passwd(Kind::Fifo)],
        vec![symlink("/etc/passwd", "/file/passwd"), file("/file", 0o644)],
    ] {
        let found = resolve("1000", &rootfs(entries.clone()));
        let (part, verdict) = found.refused().unwrap();
        assert_eq!(part, Part::File, "{entries:?}");
        assert_eq!(verdict.runtimes, [Runtime::Containerd, Runtime::Kubernetes]);
        assert_eq!(found.root_group().unwrap().runtimes, [Runtime::Docker]);
    }
}

/// A group that lists the user and whose gid is 2³² is group 0.
#[test]
fn supplementary_groups_are_cut_to_32_bits_as_well() {
    let group = "app:x:1000:\nwide:x:4294967296:app\n";
    let fs = rootfs([text("/etc/passwd", PASSWD), text("/etc/group", group)]);
    let found = resolve("1000", &fs).root_group().unwrap();
    assert_eq!(found.runtimes.len(), 3);
}

#[test]
fn a_file_that_was_not_kept_is_a_gap() {
    let lost = |path| Entry {
        size: 5,
        ..file(path, 0o644)
    };
    let cut = |path| {
        let mut entry = text(path, PASSWD);
        entry.kept.iter_mut().for_each(|kept| kept.cut = true);
        entry
    };
    for passwd in [lost("/etc/passwd"), cut("/etc/passwd")] {
        let fs = rootfs([passwd, text("/etc/group", GROUP)]);
        let found = resolve("app", &fs);
        assert_eq!(
            found.gap.as_deref(),
            Some("the content of /etc/passwd was not kept whole")
        );
        assert_eq!((found.root(), found.refused(), found.ids()), (None, None, None));
        // What no file can change is still said.
        assert!(resolve("0", &fs).root().is_some());
        assert_eq!(Accounts::read(&fs).gaps().count(), 1);
    }
    let fs = rootfs([text("/etc/passwd", PASSWD), lost("/etc/group")]);
    assert!(resolve("app", &fs).gap.is_some());
    assert_eq!(resolve("4242", &fs).gap, None);
    // An empty file has nothing to keep.
    let fs = rootfs([file("/etc/passwd", 0o644)]);
    assert_eq!(resolve("1000:1000", &fs).gap, None);
}

proptest! {
    #[test]
    fn any_text_has_an_answer(user in "[-+0-9a-z:# ]{0,12}", passwd in "([-a-z#]{0,2}:x?:[-+0-9 x]{0,21}:[0-9]{0,3}\n?){0,5}", group in ".{0,40}") {
        let fs = rootfs([text("/etc/passwd", &passwd), text("/etc/group", &group)]);
        let found = resolve(&user, &fs);
        prop_assert_eq!(&found.gap, &None);
        // Either something starts or something says why not, and no rule contradicts another.
        prop_assert!(found.ids().is_some() || found.refused().is_some());
        prop_assert!(found.root().is_none() || found.root_group().is_none() && found.non_numeric().is_none());
        // A numeric pair inside the range starts everywhere, with just these ids.
        let pair = resolve("65532:65532", &fs);
        for (_, outcome) in pair.models() {
            let Outcome::Starts(ids) = outcome else { panic!("{outcome:?}") };
            prop_assert_eq!((ids.uid, ids.gid), (65532, 65532));
        }
    }
}
