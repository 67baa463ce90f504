//! Fuzz target of own entries of the catalogue.

use super::{compile::compile, own, tables::Tables};
use crate::fuzzing::lossy;

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
