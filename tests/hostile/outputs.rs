//! What hostile names look like in each output: no control character in a terminal, JSON that parses, SARIF URIs that
//! stay relative, equal bytes for any number of jobs.

use serde_json::Value;

use crate::support::{
    elf,
    image::{Image, Layer},
    run::scant,
    tar::Tar,
};

const NAMES: &[&[u8]] = &[
    b"bin/\x1b[2Jclear",
    b"bin/line\r\nbreak",
    b"bin/\x07bell\x7f",
    "bin/\u{202e}right\u{2066}".as_bytes(),
    "bin/\u{9b}31mred\u{85}\u{2028}".as_bytes(),
    b"bin/<script>alert(1)</script>",
    b"bin/%2e%2e/%00",
    b"bin/a#b?c:d[e] f",
    b"javascript:alert(1)",
    b"http://example.org/x",
    b"bin/\xff\xfe",
    b"bin/::error::x",
    b"bin/`|*_~\"'&\\",
];

fn image() -> Image {
    let shell = elf::shell();
    let tar = NAMES
        .iter()
        .fold(Tar::default(), |tar, name| tar.long_file(name, &shell));
    let mut image = Image::with(Layer::new(tar.end())).config(|text| {
        text.replace(
            "\"config\":{",
            r#""config":{"Labels":{"a\u001b[2J":"\u202e\n"},"Env":["A\u001b=x"],"#,
        )
        .into_bytes()
    });
    // A layer that leaves a gap with a name in it.
    let cut = Tar::default().long_file(b"bin/\x1b[2Jcut\n", &shell).0;
    image.layers.push(Layer::new(cut[..cut.len() - 700].to_vec()));
    image
}

fn written(format: &str, jobs: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    image().files().write(&directory.path().join("layout"));
    let words = ["scan", "-v", "-j", jobs, "-o", format, "oci:layout"];
    let run = scant(directory.path(), &words, None);
    assert_eq!(run.breaches(), [""; 0]);
    assert_eq!(run.exit, Some(3), "{}", run.stderr);
    for text in [&run.stderr, &String::from_utf8_lossy(&run.stdout).into_owned()] {
        assert_harmless(text);
    }
    String::from_utf8(run.stdout).unwrap()
}

fn assert_harmless(text: &str) {
    let odd = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(*c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}')
    };
    let found: Vec<char> = text.chars().filter(odd).collect();
    assert!(found.is_empty(), "{found:?} in {text}");
    assert!(
        text.lines()
            .all(|line| !line.starts_with("::") && !line.starts_with("break")),
        "{text}"
    );
}

#[test]
fn no_name_commands_a_terminal() {
    let text = written("text", "2");
    assert!(text.contains("clear"), "{text}");
}

#[test]
fn no_archive_commands_a_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("archive");
    std::fs::write(&path, b"\x1b]0;x\x07\r\n::error::no archive at all".repeat(100)).unwrap();
    for format in ["text", "json", "sarif"] {
        let run = scant(directory.path(), &["scan", "-o", format, "-"], Some(&path));
        assert_eq!((run.exit, run.breaches()), (Some(3), Vec::new()), "{format}");
        assert_harmless(&run.stderr);
        assert_harmless(&String::from_utf8(run.stdout).unwrap());
    }
}

#[test]
fn json_holds_every_name_escaped() {
    let report: Value = serde_json::from_str(&written("json", "2")).unwrap();
    let findings = report["images"][0]["findings"].as_array().unwrap().clone();
    let shells = findings
        .iter()
        .filter(|finding| finding["rule"] == "shell")
        .count();
    assert_eq!(shells, NAMES.len(), "{findings:?}");
}

#[test]
fn sarif_uris_are_relative_and_encoded() {
    let report: Value = serde_json::from_str(&written("sarif", "2")).unwrap();
    let mut uris = Vec::new();
    collect(&report["runs"][0]["results"], &mut uris);
    assert!(uris.len() >= NAMES.len(), "{uris:?}");
    for uri in uris {
        assert!(
            uri.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~/%!$&'()*+,;=@:".contains(&byte)),
            "{uri}"
        );
        let first = uri.split('/').next().unwrap_or_default();
        assert!(
            !first.contains(':') && !uri.starts_with('/'),
            "{uri} could be absolute"
        );
        assert!(!uri.split('/').any(|part| part == ".."), "{uri} climbs");
    }
}

fn collect(value: &Value, uris: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(uri) if key == "uri" => uris.push(uri.clone()),
                    other => collect(other, uris),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, uris)),
        _ => {}
    }
}

#[test]
fn reports_of_hostile_images_do_not_depend_on_jobs() {
    for format in ["json", "sarif", "text"] {
        assert_eq!(written(format, "1"), written(format, "8"), "{format}");
    }
    // Over a cap that all layers share, whichever of them meets it.
    let directory = tempfile::tempdir().unwrap();
    let mut image = Image::default();
    image.layers.extend((0..24).map(|at| {
        let tar = Tar::default()
            .file("etc/passwd", &vec![b'#'; 9 << 20])
            .file(at.to_string(), b"");
        Layer::packed(crate::support::codec::zstd_frame(&tar.end()), "zstd")
    }));
    image.files().write(&directory.path().join("layout"));
    let run = |jobs| {
        let run = scant(
            directory.path(),
            &["scan", "-j", jobs, "-o", "json", "oci:layout"],
            None,
        );
        assert_eq!(run.breaches(), [""; 0]);
        assert_eq!(run.report()["images"][0]["error"]["code"], "too-large");
        run.stdout
    };
    let one = run("1");
    for _ in 0..3 {
        assert_eq!(one, run("8"));
    }
}
