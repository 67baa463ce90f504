//! Tests of where credentials are found.

use std::fs;

use super::*;

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

fn in_file(json: &str, target: &str) -> Found {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    fs::write(&path, json).unwrap();
    find(
        &reference(target),
        &RegistryOptions::default(),
        &[path],
        &AtomicBool::new(false),
    )
}

fn login(username: &str, password: &str) -> Credentials {
    password_of(username, password)
}

#[test]
fn the_command_line_comes_first_then_files_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = ["absent", "other", "first", "second"]
        .iter()
        .map(|name| directory.path().join(name))
        .collect();
    fs::write(
        &paths[1],
        r#"{"auths":{"elsewhere.example":{"username":"x","password":"x"}}}"#,
    )
    .unwrap();
    fs::write(
        &paths[2],
        r#"{"auths":{"r.example":{"username":"first","password":"1"}}}"#,
    )
    .unwrap();
    fs::write(
        &paths[3],
        r#"{"auths":{"r.example":{"username":"second","password":"2"}}}"#,
    )
    .unwrap();
    let stop = AtomicBool::new(false);
    let target = reference("r.example/a");
    let mut options = RegistryOptions::default();
    assert_eq!(
        find(&target, &options, &paths, &stop).credentials,
        login("first", "1")
    );
    let Credentials::Password(flag) = login("flag", "f") else {
        panic!()
    };
    options.login = Some(flag);
    assert_eq!(
        find(&target, &options, &paths, &stop).credentials,
        login("flag", "f")
    );
    options.token = Some(Secret("t".into()));
    assert_eq!(
        find(&target, &options, &paths, &stop).credentials,
        Credentials::Token(Secret("t".into()))
    );
    let none = find(
        &reference("unknown.example/a"),
        &RegistryOptions::default(),
        &paths,
        &stop,
    );
    assert_eq!(none.credentials, Credentials::Anonymous);
    assert!(none.notes.is_empty());
}

#[test]
fn places_are_asked_in_the_documented_order() {
    let all = files(|name| Some(OsString::from(format!("/{name}"))));
    let all: Vec<&str> = all.iter().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(
        all,
        [
            "/REGISTRY_AUTH_FILE",
            "/DOCKER_CONFIG/config.json",
            "/XDG_RUNTIME_DIR/containers/auth.json",
            "/XDG_CONFIG_HOME/containers/auth.json",
            "/HOME/.docker/config.json",
            "/HOME/.dockercfg",
        ]
    );
    let home_only = files(|name| (name == "HOME").then(|| "/h".into()));
    assert_eq!(home_only[0], Path::new("/h/.config/containers/auth.json"));
    assert!(files(|_| Some(OsString::new())).is_empty());
}

#[test]
fn entries_of_every_form_are_understood() {
    // dTpwOnE= is `u:p:q`: the first colon splits.
    for (entry, want) in [
        (r#"{"auth":"dTpwOnE="}"#, login("u", "p:q")),
        (r#"{"username":"u","password":"p"}"#, login("u", "p")),
        // `u:p` and two zero bytes, as old clients wrote it.
        (r#"{"auth":"dTpwAAA="}"#, login("u", "p")),
        (
            r#"{"auth":"dTpw","identitytoken":"id"}"#,
            Credentials::Identity(Secret("id".into())),
        ),
        (
            r#"{"registrytoken":"rt"}"#,
            Credentials::Token(Secret("rt".into())),
        ),
        ("{}", Credentials::Anonymous),
    ] {
        let found = in_file(
            &format!(r#"{{"auths":{{"r.example":{entry}}},"psFormat":"x"}}"#),
            "r.example/a/b",
        );
        assert_eq!(found.credentials, want, "{entry}");
        assert!(found.notes.is_empty());
    }
}

#[test]
fn the_longest_key_wins_and_spelling_does_not_matter() {
    let namespaced = r#"{"auths":{
        "r.example:5000":{"username":"host","password":"p"},
        "r.example:5000/ns":{"username":"ns","password":"p"},
        "r.example:5000/ns/repo":{"username":"repo","password":"p"}}}"#;
    for (target, user) in [
        ("r.example:5000/ns/repo:1", "repo"),
        ("r.example:5000/ns/repository", "ns"),
        ("r.example:5000/nsx/repo", "host"),
    ] {
        assert_eq!(
            in_file(namespaced, target).credentials,
            login(user, "p"),
            "{target}"
        );
    }
    assert_eq!(
        in_file(namespaced, "r.example/ns/repo").credentials,
        Credentials::Anonymous
    );
    for key in [
        "https://index.docker.io/v1/",
        "docker.io",
        "index.docker.io",
        "https://registry-1.docker.io",
    ] {
        let file = format!(r#"{{"auths":{{"{key}":{{"username":"hub","password":"p"}}}}}}"#);
        assert_eq!(in_file(&file, "nginx").credentials, login("hub", "p"), "{key}");
        assert_eq!(
            in_file(&file, "ghcr.io/nginx").credentials,
            Credentials::Anonymous
        );
    }
}

#[test]
fn of_two_spellings_of_one_place_the_plainer_counts() {
    let entry = |user: &str| format!(r#"{{"username":"{user}","password":"p"}}"#);
    for (plain, other, target) in [
        ("docker.io", "https://index.docker.io/v1/", "nginx"),
        ("r.example", "http://r.example", "r.example/a"),
        ("r.example", "r.example/v2/", "r.example/a"),
    ] {
        let file = format!(
            r#"{{"auths":{{"{plain}":{},"{other}":{}}}}}"#,
            entry("plain"),
            entry("other")
        );
        assert_eq!(in_file(&file, target).credentials, login("plain", "p"), "{other}");
    }
    assert_eq!(server_key(&reference("nginx")), "https://index.docker.io/v1/");
    assert_eq!(server_key(&reference("r.example:1/a")), "r.example:1");
}

#[test]
fn the_oldest_file_has_entries_and_nothing_around_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".dockercfg");
    fs::write(&path, r#"{"r.example":{"auth":"dTpw","email":"a@b"}}"#).unwrap();
    let found = find(
        &reference("r.example/a"),
        &RegistryOptions::default(),
        &[path],
        &AtomicBool::new(false),
    );
    assert_eq!(found.credentials, login("u", "p"));
}

#[test]
fn a_broken_place_is_noted_without_its_secrets() {
    let found = in_file(r#"{"auths":{"r.example":"s3cret"}}"#, "r.example/a");
    assert_eq!(found.credentials, Credentials::Anonymous);
    assert_eq!(found.notes.len(), 1);
    let found_entry = in_file(r#"{"auths":{"r.example":{"auth":"s3cret%"}}}"#, "r.example/a");
    assert_eq!(found_entry.notes.len(), 1);
    let found_helper = in_file(
        r#"{"credHelpers":{"r.example":"no-such"},"auths":{"r.example":{"auth":"dTpw"}}}"#,
        "r.example/a",
    );
    assert_eq!(found_helper.credentials, login("u", "p"));
    assert!(found_helper.notes[0].contains("docker-credential-no-such"));
    for found in [found, found_entry] {
        assert!(!found.notes.concat().contains("s3cret"));
    }
    assert!(!format!("{:?}", login("u", "s3cret")).contains("s3cret"));
}
