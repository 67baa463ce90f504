//! Tests of the catalogue.

use super::*;

fn by_name(name: &str) -> Option<&'static str> {
    let id = &Catalog::builtin().by_name(name.as_bytes())?.id;
    tables::TOOLS.iter().map(|tool| tool.id).find(|known| known == id)
}

#[test]
fn names_are_found_without_versions_and_triplets() {
    for (name, family) in [
        ("bash", "shell.bash"),
        ("python3.11", "interp.python"),
        ("x86_64-linux-gnu-gcc-12", "build.gcc"),
        ("aarch64-alpine-linux-musl-gcc", "build.gcc"),
        ("kubectl.1.30", "ct.kubectl"),
        ("bash5", "shell.bash"),
        ("base64", "os.coreutils"),
    ] {
        assert_eq!(by_name(name), Some(family), "{name}");
    }
    for name in [
        "",
        "-",
        "1",
        "x86_64-linux-gnu-",
        "healthd",
        "bashful",
        "gnu-gcc",
        "2.7",
    ] {
        assert_eq!(by_name(name), None, "{name}");
    }
}

#[test]
fn every_name_leads_to_a_family_that_has_it() {
    for family in Catalog::builtin().families() {
        assert!(Catalog::builtin().family(&family.id).is_some());
        for name in &family.names {
            let found = Catalog::builtin().by_name(name.as_bytes()).unwrap();
            assert!(found.names.contains(name), "{name} leads to {}", found.id);
        }
    }
}

#[test]
fn every_capability_is_explained() {
    let catalog = Catalog::builtin();
    let of_applets = tables::APPLETS.iter().flat_map(|applet| applet.capabilities);
    let of_tools = tables::TOOLS.iter().flat_map(|tool| tool.capabilities);
    for id in of_applets.chain(of_tools) {
        let capability = catalog.capability(id).unwrap();
        assert!(!capability.meaning.is_empty(), "{id}");
        assert!(capability.attack.iter().all(|id| id.starts_with('T')), "{id}");
    }
    assert_eq!(
        catalog.capability("exec.shell").unwrap().attack,
        ["T1059.004", "T1609"]
    );
    assert_eq!(catalog.capability("exec.nothing"), None);
}

#[test]
fn the_strongest_applet_gives_the_rule() {
    let rule = |applets: &[&str]| {
        let applets: Vec<String> = applets.iter().map(|&name| name.to_owned()).collect();
        Catalog::builtin()
            .meaning("multi.busybox", &applets)
            .unwrap()
            .rule
            .unwrap()
    };
    assert_eq!(rule(&["cat", "sh", "wget"]), "shell");
    assert_eq!(rule(&["cat", "wget"]), "network-tool");
    assert_eq!(rule(&["cat", "dpkg", "rpm"]), "os-utility");
    assert_eq!(rule(&["no-such-applet"]), "os-utility");
    // A table that was not read may have a shell.
    assert_eq!(rule(&[]), "shell");
    let capabilities = Catalog::builtin()
        .meaning("multi.busybox", &["wget".to_owned()])
        .unwrap()
        .capabilities;
    assert!(
        capabilities.contains(&"net.fetch") && !capabilities.contains(&"exec.shell"),
        "{capabilities:?}"
    );
    assert_eq!(
        Catalog::builtin().meaning("shell.bash", &[]).unwrap().rule,
        Some("shell")
    );
    assert_eq!(Catalog::builtin().meaning("shell.nothing", &[]), None);
}

#[test]
fn rules_stand_in_the_order_of_strength() {
    assert_eq!(stronger(Some("os-utility"), Some("shell")), Some("shell"));
    assert_eq!(stronger(Some("shell"), None), Some("shell"));
    assert_eq!(stronger(None, Some("os-utility")), Some("os-utility"));
    let ranks: Vec<usize> = tables::TOOLS.iter().map(|tool| rank(tool.rule)).collect();
    assert!(ranks.is_sorted());
}

#[test]
fn literals_are_found_near_their_slot() {
    let catalog = Catalog::builtin();
    for (number, literal) in tables::LITERALS.iter().enumerate() {
        let (first, near) = catalog.literals_near(literal.slot);
        assert_eq!(near.get(number - first), Some(literal));
    }
    assert!(tables::LITERALS.len() > 2_000);
}

#[test]
fn no_signature_is_in_the_tables_in_the_clear() {
    let tables = include_str!(concat!(env!("OUT_DIR"), "/catalog.rs"));
    let mut checked = 0;
    #[expect(clippy::disallowed_methods, reason = "the project's own files")]
    let entries = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/policies/catalog"));
    let paths = entries.unwrap().map(|entry| entry.unwrap().path());
    for path in paths.filter(|path| path.extension().is_some_and(|end| end == "toml")) {
        #[expect(clippy::disallowed_methods, reason = "the project's own files")]
        let text = std::fs::read_to_string(path).unwrap();
        let file: toml::Table = text.parse().unwrap();
        let Some(tools) = file.get("tool") else { continue };
        for tool in tools.as_array().unwrap() {
            let signatures = tool
                .get("signature")
                .and_then(|all| all.as_array())
                .into_iter()
                .flatten();
            for literal in signatures.flat_map(|signature| signature["any"].as_array().unwrap()) {
                let literal = literal.as_str().unwrap();
                // A tool's id may be among the texts that it is found by.
                if !tables::TOOLS.iter().any(|tool| tool.id.contains(literal)) {
                    assert!(!tables.contains(literal), "{literal:?}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 2_000, "{checked}");
}

#[test]
fn the_digest_does_not_change_by_itself() {
    assert_eq!(Catalog::builtin().digest(), Catalog::builtin().digest());
    assert_ne!(Catalog::builtin().digest(), [0; 32]);
}
