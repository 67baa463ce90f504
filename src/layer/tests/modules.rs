//! The beginnings of modules' code share the room for kept contents with all other files of a layer.

use super::*;

/// A layer with the code of `count` tools, in the first of whose trees that ask for content.
fn code(count: usize) -> (Vec<u8>, usize) {
    let mut modules = Catalog::builtin().modules().iter();
    let module = modules.find(|one| one.asks_for_content()).unwrap();
    let path = module.examples()[0].trim_start_matches('/').to_owned();
    let text = module.example_content();
    let tree = (0..count).fold(Tar::default(), |tar, at| {
        tar.file(&format!("{at}/{path}"), text.as_bytes())
    });
    (tree.end(), text.len())
}

#[test]
fn code_that_has_no_room_is_a_gap_with_the_number_of_its_cap() {
    let (blob, length) = code(3);
    let read = |kept_layer: usize| {
        let limits = Limits {
            kept_layer,
            ..Limits::default()
        };
        read_with(&blob, &[], &limits).unwrap()
    };
    let whole = read(3 * length);
    assert_eq!((kept(&whole).len(), whole.gaps.len()), (3, 0));
    let cut = read(3 * length - 1);
    assert_eq!((kept(&cut).len(), cut.gaps.len()), (2, 1));
    let gap = &cut.gaps[0];
    assert!(
        gap.path.as_ref().unwrap().to_string().starts_with("/2/"),
        "{gap:?}"
    );
    assert_eq!(gap.hides, Hides::Programs);
    let says = format!("(limit {} bytes of all such files", 3 * length - 1);
    assert!(gap.why.contains(&says), "{}", gap.why);
}
