//! Fuzz targets of own entries of the catalogue, and of what tells secrets.

use super::{compile::compile, own, secrets::Secrets, tables::Tables, words};
use crate::fuzzing::{lossy, parts};

/// A file of entries compiles or is an error; what compiles keeps to its own rules.
pub fn catalogue(data: &[u8]) {
    let Ok(file) = own::read(&lossy(data)) else {
        return;
    };
    let mut tables = Tables::default();
    if compile(&file, &mut tables).is_ok() {
        assert_eq!(tables.tools.len(), file.tool.len());
        assert!(tables.literals.is_sorted());
        let numbers = tables.tools.iter().flat_map(|tool| &tool.signatures);
        for signature in numbers {
            assert!((1..=signature.any.len()).contains(&signature.k));
            let known = |number: &u16| usize::from(*number) < tables.literals.len();
            assert!(signature.any.iter().chain(&signature.none).all(known));
        }
    }
}

/// A name and a text, apart by a NUL: what is told of them lies in them, and what is shown holds no token any more.
pub fn secrets(data: &[u8]) {
    let [name, text] = parts(data, 0);
    let secrets = Secrets::builtin();
    let lines = memchr::memchr_iter(b'\n', text).count() + 1;
    let found = secrets.in_file(name, text);
    assert!(
        found.is_sorted_by(|a, b| a.1 < b.1),
        "one for each line, in order"
    );
    for (kind, line) in found {
        assert!(secrets.kind(kind).is_some());
        assert!((1..=lines).contains(&(line as usize)));
    }
    let _ = secrets.is_test_data(name.split(|&byte| byte == b'/'), name);
    let (name, text) = (lossy(name), lossy(text));
    let shown = words::mask(&text);
    for (kind, range) in secrets.tokens(&shown) {
        let token = shown.as_bytes().get(range).unwrap_or_default();
        assert!(token.contains(&0xe2), "{} is shown in {shown:?}", kind.id);
    }
    assert!(shown.len() <= text.len() + 3 * text.len());
    if words::is_secret_name(&name) && !text.is_empty() {
        assert_eq!(words::mask_value(&name, &text), "…");
    }
    for reveal in words::of_variable(&name, &text) {
        assert_eq!(reveal.name.as_deref(), Some(name.as_str()));
    }
    let _ = words::of_command(&text);
    let argv: Vec<String> = text.split('\n').map(str::to_owned).collect();
    assert_eq!(words::mask_words(&argv).len(), argv.len());
}
