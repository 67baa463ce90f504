//! Tests of the catalogue.

use super::*;

fn by_name(name: &str) -> Option<&'static str> {
    Some(&Catalog::builtin().by_name(name.as_bytes())?.id)
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
    let of_applets = catalog
        .tables
        .applets
        .iter()
        .flat_map(|applet| &applet.capabilities);
    let of_tools = catalog.tools().iter().flat_map(|tool| &tool.capabilities);
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
    // Not knowing its applets is no reason to take it for a shell.
    assert_eq!(rule(&[]), "os-utility");
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
    let ranks: Vec<usize> = Catalog::builtin()
        .tools()
        .iter()
        .map(|tool| rank(tool.rule.as_deref()))
        .collect();
    assert!(ranks.is_sorted());
}

#[test]
fn windows_are_found_by_their_hash() {
    let catalog = Catalog::builtin();
    for (number, literal) in catalog.literals().iter().enumerate() {
        for hash in literal.windows {
            let index = catalog.index();
            assert!(if literal.wide {
                index.wide.may_have(hash)
            } else {
                index.short.may_have(hash)
            });
            let mut with = catalog.index().with(hash);
            assert!(with.any(|window| usize::from(window.literal) == number));
        }
    }
    assert!(catalog.literals().len() > 2_000);
    assert!(
        catalog.index().text_only(),
        "the search cannot pass over machine code"
    );
}

#[test]
fn no_signature_is_in_the_tables_in_the_clear() {
    let tables = include_bytes!(concat!(env!("OUT_DIR"), "/catalog.bin"));
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
                if !Catalog::builtin()
                    .tools()
                    .iter()
                    .any(|tool| tool.id.contains(literal))
                {
                    let found = memchr::memmem::find(tables, literal.as_bytes());
                    assert_eq!(found, None, "{literal:?}");
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

fn with(text: &str) -> Result<Catalog, String> {
    Catalog::with(&[("mine.toml".to_owned(), text.to_owned())])
}

#[test]
fn every_pattern_compiles() {
    let catalog = Catalog::builtin();
    catalog.go.check().unwrap();
    catalog.script.check().unwrap();
}

#[test]
fn own_entries_join_the_catalogue() {
    let entry = r#"
[[tool]]
id = "shell.mine"
rule = "shell"
kind = "program"
capabilities = ["exec.shell"]
names = ["mine"]
swallows = ["shell.dash"]
[[tool.signature]]
k = 1
any = ["a text that only my shell has"]
[[tool.structure]]
all = ["minhits:shell.bash=2", "import:my_symbol"]
[[tool]]
id = "go.mine"
kind = "program"
go = ['github\.com/containers/skopeo/cmd/mine']
"#;
    let mine = with(entry).unwrap();
    let builtin = Catalog::builtin();
    assert_eq!(mine.families().len(), builtin.families().len() + 2);
    assert_eq!(mine.literals().len(), builtin.literals().len() + 1);
    assert_ne!(mine.digest(), builtin.digest());
    assert_eq!(with(entry).unwrap().digest(), mine.digest());
    assert!(mine.symbols().find(b"my_symbol\0").is_some());
    assert_eq!(mine.by_name(b"mine").unwrap().id, "shell.mine");
    assert!(
        mine.tools()
            .iter()
            .map(|tool| rank(tool.rule.as_deref()))
            .is_sorted()
    );
    // The numbers of all signatures still mean the same texts.
    let texts = |catalog: &Catalog, id: &str| {
        let signatures = &catalog.tool(id).unwrap().signatures;
        let numbers = signatures.iter().flat_map(|signature| &signature.any);
        numbers
            .map(|number| catalog.literals()[usize::from(*number)])
            .collect::<Vec<_>>()
    };
    for tool in builtin.tools() {
        assert_eq!(texts(&mine, &tool.id), texts(builtin, &tool.id), "{}", tool.id);
    }
    assert_eq!(texts(&mine, "shell.mine").len(), 1);
    // And so do those of the patterns.
    for (catalog, id) in [(&mine, "go.mine"), (&mine, "ct.skopeo"), (builtin, "ct.skopeo")] {
        let path = format!(
            "github.com/containers/skopeo/cmd/{}",
            id.rsplit('.').next().unwrap()
        );
        let found = catalog.with_main_package(path.as_bytes());
        let found: Vec<&str> = found
            .iter()
            .map(|number| catalog.tools()[*number].id.as_str())
            .collect();
        assert_eq!(found, [id]);
    }
}

#[test]
fn mistakes_in_own_entries_name_the_entry_and_what_was_meant() {
    let tool = |rest: &str| format!("[[tool]]\nid = \"shell.mine\"\nkind = \"program\"\n{rest}");
    let texts = |rest: &str| tool(&format!("[[tool.signature]]\n{rest}"));
    let module = |rest: &str| {
        format!("[[module]]\n{rest}\nneeds = [\"interp.node\"]\nrun = \"node x\"\nfiles = [\"x/y.js\"]")
    };
    for (text, wanted) in [
        (
            tool("capabilites = []"),
            "shell.mine: there is no key `capabilites`; did you mean `capabilities`?",
        ),
        (texts("k = 1\nal = []"), "shell.mine: there is no key `al`"),
        (
            "[[tools]]\n".to_owned(),
            "there is no key `tools`; did you mean `tool`?",
        ),
        (
            "[[tool]]\nid = \"shell.mine\"\nkind = \"shell\"".to_owned(),
            "unknown variant `shell`, expected one of",
        ),
        (tool(""), "tool shell.mine: it has nothing to be found by"),
        (
            tool("rule = \"shel\"\ngo = [\"x\"]"),
            "rule shel is none of shell,",
        ),
        (
            tool("capabilities = [\"exec.all\"]\ngo = [\"x\"]"),
            "there is no capability exec.all",
        ),
        (tool("go = [\"(\"]"), "tool shell.mine: pattern `(`"),
        (texts("k = 2\nany = [\"long enough\"]"), "k = 2 of 1 literals"),
        (texts("k = 1\nany = [\"short\"]"), "has 5 bytes, not 8 to 110"),
        (
            tool("[[tool.structure]]\nall = [\"calls:x\"]"),
            "condition calls:x is of an unknown kind",
        ),
        (
            tool("go = [\"x\"]").replace("shell.mine", "shell.bash"),
            "tool shell.bash stands twice",
        ),
        ("[[tool".to_owned(), "line 1"),
        (module("tol = \"pm.pip\""), "there is no key `tol`; did you mean `tool`?"),
        (module("tool = \"pm.nothing\""), "module of pm.nothing: there is no tool pm.nothing"),
        (
            module("tool = \"pm.pip\"").replace("interp.node", "interp.nod"),
            "module of pm.pip: it needs interp.nod, which is no tool",
        ),
        (
            module("tool = \"pm.pip\"").replace("x/y.js", "x/*"),
            "module of pm.pip: file x/* fits every file",
        ),
        (
            module("tool = \"pm.pip\"").replace("x/y.js", "/x.js"),
            "module of pm.pip: file /x.js is no end of a path",
        ),
        (
            "[[combination]]\nid = \"a\"\nmeaning = \"m\"\nattack = []\nall = [[\"exec.shel\"], [\"net.fetch\"]]".to_owned(),
            "combination a: there is no capability exec.shel",
        ),
    ] {
        let error = with(&text).unwrap_err();
        assert!(
            error.starts_with("catalogue `mine.toml`: ") || error.contains("pattern"),
            "{error}"
        );
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn every_key_that_is_offered_is_one() {
    // What `own` takes for known, the reader of entries knows too: all keys at once are read.
    let all = r#"
[[tool]]
id = "x.x"
rule = "shell"
kind = "program"
generic = false
capabilities = []
names = []
swallows = []
table = "busybox"
go = []
script = []
[[tool.signature]]
variant = ""
k = 1
any = ["long enough"]
none = []
origin = ""
tested = true
note = ""
[[tool.structure]]
variant = ""
all = ["role:exec"]
because = ""
tested = true
[[capability]]
id = "x.y"
group = ""
meaning = ""
attack = []
[[applets]]
rule = "shell"
capabilities = []
names = []
[[module]]
tool = "x.x"
serves = []
needs = ["x.x"]
run = "x"
files = ["x.y"]
contains = []
dormant = false
[[combination]]
id = "x-and-y"
meaning = ""
attack = []
all = [["x.y"], ["rule:x"]]
"#;
    with(all).unwrap();
    let keys = all.lines().filter_map(|line| line.split_once(" = ")).count();
    assert_eq!(
        own::KEYS.iter().map(|(_, keys)| keys.len()).sum::<usize>(),
        keys + 2 + 5
    );
}

proptest::proptest! {
    #[test]
    fn a_damaged_file_of_entries_is_an_error_and_no_panic(
        at in 0..400_usize, cut in 0..40_usize, put in "[\\[\\]=\"a-z0-9*:.\\n]{0,12}"
    ) {
        let whole = "[[tool]]\nid = \"shell.mine\"\nrule = \"shell\"\nkind = \"program\"\nswallows = [\"shell.*\"]\n\
                     go = [\"a/(b|c)\"]\n[[tool.signature]]\nk = 1\nany = [\"a text of my shell\"]\n\
                     [[tool.structure]]\nall = [\"minhits:shell.bash=2\", \"maxsize:100\"]\n";
        let at = at.min(whole.len());
        let end = (at + cut).min(whole.len());
        let damaged = format!("{}{put}{}", &whole[..at], &whole[end..]);
        let read = own::read(&damaged);
        if let Ok(file) = read {
            // The tools that it names are not there: only that it ends is asked.
            let _ = compile::compile(&file, &mut Tables::default());
        }
    }
}
