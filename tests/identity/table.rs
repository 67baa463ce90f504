//! The table of what is to be found: `tools.toml`, with the programs that two architectures' packages have.

use std::collections::BTreeMap;

use globset::{Glob, GlobSet};
use serde::Deserialize;

/// Architectures of packages that name none.
const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// One package.
#[derive(Deserialize)]
struct Row {
    architectures: Option<Vec<String>>,
    #[serde(flatten)]
    families: BTreeMap<String, Vec<String>>,
}

/// What the programs of one package are.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) architectures: Vec<String>,
    families: Vec<(String, Vec<Glob>, GlobSet)>,
}

/// Reads the table; the section `machine` is about programs of the machine that runs the test.
pub(crate) fn read() -> (Vec<Package>, Package) {
    let rows: BTreeMap<String, Row> = toml::from_str(include_str!("tools.toml")).unwrap();
    let mut packages: Vec<Package> = rows
        .into_iter()
        .map(|(name, row)| Package::new(name, row))
        .collect();
    let machine = packages
        .iter()
        .position(|package| package.name == "machine")
        .unwrap();
    let machine = packages.remove(machine);
    (packages, machine)
}

impl Package {
    fn new(name: String, row: Row) -> Self {
        let compile = |paths: Vec<String>| {
            let globs: Vec<Glob> = paths
                .iter()
                .map(|path| Glob::new(&path.replace('[', "[[]")).unwrap())
                .collect();
            let mut set = GlobSet::builder();
            for glob in &globs {
                set.add(glob.clone());
            }
            (globs, set.build().unwrap())
        };
        let families = row.families.into_iter().map(|(family, paths)| {
            let (globs, set) = compile(paths);
            (family, globs, set)
        });
        Self {
            name,
            architectures: row
                .architectures
                .unwrap_or_else(|| ARCHITECTURES.map(str::to_owned).to_vec()),
            families: families.collect(),
        }
    }

    /// The family that the program at `path` is to be; `None` for one that is no tool.
    pub(crate) fn family(&self, path: &str) -> Option<&str> {
        let known = self.families.iter().find(|(_, _, set)| set.is_match(path));
        known.map(|(family, ..)| family.as_str())
    }

    /// Every family with its globs, to tell those that nothing matched.
    pub(crate) fn globs(&self) -> impl Iterator<Item = &Glob> {
        self.families.iter().flat_map(|(_, globs, _)| globs)
    }
}
