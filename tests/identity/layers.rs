//! Layers of renamed programs: what a package holds, under random names, goes the way of every image through scant.

use std::{
    collections::{BTreeMap, hash_map::RandomState},
    fs,
    hash::{BuildHasher, Hasher},
    io::Read,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize},
};

use scant::{
    binary::{Confidence, Form, Inspector, Program},
    catalog::Catalog,
    checks::{self, Subject},
    image::Platform,
    layer::{self, Reading},
    limits::Limits,
    path::RootPath,
    rootfs::Rootfs,
};

/// The regular files of a package as a layer, each under a random name.
pub(crate) struct Renamed {
    layer: Vec<u8>,
    /// The right path of each.
    paths: BTreeMap<String, String>,
}

/// What scant said of one file.
pub(crate) struct Seen {
    /// Where the package has it.
    pub(crate) path: String,
    pub(crate) elf: bool,
    /// It is a program that can be started.
    pub(crate) starts: bool,
    /// The family by which a rule found it.
    pub(crate) family: Option<String>,
    /// The rule that found it.
    pub(crate) rule: Option<String>,
    pub(crate) certain: bool,
}

impl Renamed {
    /// Renames what is in a package's archive.
    pub(crate) fn of(tar: &[u8]) -> Self {
        let mut layer = tar::Builder::new(Vec::new());
        let mut paths = BTreeMap::new();
        for entry in tar::Archive::new(tar).entries().unwrap() {
            let mut entry = entry.unwrap();
            if entry.header().entry_type() != tar::EntryType::Regular {
                continue;
            }
            let path = entry.path().unwrap().to_string_lossy().into_owned();
            let path = path.trim_start_matches("./").to_owned();
            let mut header = entry.header().clone();
            // Set-id bits would bring findings of other rules.
            header.set_mode(header.mode().unwrap() & 0o777);
            // Letters that are no digits of a version, so that no name looks like that of a tool by chance.
            let random = RandomState::new().build_hasher().finish();
            let letters = (0..16).map(|place| char::from(b'g' + (random >> (4 * place) & 15) as u8));
            let name = format!("opt/{}", letters.collect::<String>());
            layer.append_data(&mut header, &name, &mut entry).unwrap();
            paths.insert(format!("/{name}"), path);
        }
        Self {
            layer: layer.into_inner().unwrap(),
            paths,
        }
    }

    /// Reads the layer, merges it, and runs the checks.
    pub(crate) fn look(&self, architecture: &str) -> Vec<Seen> {
        let (limits, stop) = (Limits::default(), AtomicBool::new(false));
        let reading = Reading {
            catalog: Catalog::builtin(),
            wants: &[],
            limits: &limits,
            stop: &stop,
            held: &AtomicUsize::new(0),
        };
        let facts = layer::read(&mut self.layer.as_slice(), None, &reading).unwrap();
        assert!(facts.gaps.is_empty(), "{:?}", facts.gaps);
        let rootfs = Rootfs::merge(&[&facts]);
        let platform: Platform = format!("linux/{architecture}").parse().unwrap();
        let subject = Subject::new(&rootfs, None, Some(&platform), Catalog::builtin());
        let findings = checks::run(&subject);
        let tools = findings.iter().filter_map(|finding| {
            let identity = finding.identity.as_ref()?;
            Some((finding.path.as_ref()?, (finding.rule.id, identity)))
        });
        let tools: BTreeMap<&RootPath, _> = tools.collect();
        let mut seen = Vec::new();
        for (name, path) in &self.paths {
            let node = rootfs.get(&RootPath::from(name.as_str())).unwrap();
            let Some(program) = &node.program else { continue };
            let found = tools.get(node.paths.first().unwrap());
            seen.push(Seen {
                path: path.clone(),
                elf: matches!(program.form, Form::Elf(_)),
                starts: program.starts() && matches!(program.form, Form::Elf(_)),
                family: found.map(|(_, identity)| identity.family.clone()),
                rule: found.map(|(rule, _)| (*rule).to_owned()),
                certain: program
                    .tool(Catalog::builtin())
                    .is_some_and(|(identity, _)| identity.confidence == Confidence::Certain),
            });
        }
        seen
    }
}

/// What the inspector says of one file's bytes.
pub(crate) fn inspect(bytes: &[u8]) -> Option<Program> {
    let limits = Limits::default();
    let mut inspector = Inspector::new(Catalog::builtin(), &limits);
    inspector.begin(bytes.len() as u64, true);
    inspector.feed(bytes);
    inspector.finish()
}

/// Hands every regular file below a directory that begins as an ELF file to `look`.
pub(crate) fn each_file(directory: &Path, look: &mut dyn FnMut(&Path, &[u8])) {
    let mut pending = vec![directory.to_owned()];
    while let Some(path) = pending.pop() {
        for entry in fs::read_dir(&path).into_iter().flatten().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                pending.push(entry.path());
            } else if kind.is_file() {
                let Ok(mut file) = fs::File::open(entry.path()) else {
                    continue;
                };
                let mut bytes = vec![0; 4];
                if file.read_exact(&mut bytes).is_ok() && bytes == *b"\x7fELF" {
                    file.read_to_end(&mut bytes).unwrap();
                    look(&entry.path(), &bytes);
                }
            }
        }
    }
}
