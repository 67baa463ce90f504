//! The page of limits says what the code does.

use std::{collections::BTreeMap, fs};

use scant::limits::Limits;

#[test]
fn the_page_and_the_code_agree() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/limits.md");
    let page = fs::read_to_string(path).unwrap();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let said: BTreeMap<String, String> = rows
        .iter()
        .map(|row| (row[1].trim_matches('`').to_owned(), row[2].to_owned()))
        .collect();
    // `Debug` lists every field there is, so that a new one cannot be forgotten here.
    let debug = format!("{:#?}", Limits::default());
    let is: BTreeMap<String, String> = debug
        .lines()
        .filter_map(|line| line.trim().trim_end_matches(',').split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(said, is);
    assert_eq!(rows.len(), is.len(), "a limit is listed twice");
    for row in rows {
        assert!(
            row.len() == 6 && row[3..5].iter().all(|cell| cell.len() > 3),
            "{row:?} needs a unit and a reason"
        );
    }
}
