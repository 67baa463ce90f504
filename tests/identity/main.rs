//! The measurement: programs of Debian's packages, renamed at random, must be known by their content alone, and nothing else
//! must be taken for a tool. `docs/identity.md` holds the result; `UPDATE=1` writes it anew.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fetches packages, and reads programs of the machine it runs on"
)]

#[path = "../../images/assemble/apt.rs"]
mod apt;
mod command;
mod layers;
mod others;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use apt::Packages;
use layers::{Renamed, Seen};
use scant::catalog::Catalog;
use table::Package;

/// Classes that the bar holds for, by rule.
const CLASSES: [(&str, &str); 6] = [
    ("shell", "shells"),
    ("package-manager", "package managers"),
    ("network-tool", "network"),
    ("debug-tool", "debug and process"),
    ("privilege-tool", "privilege and containers"),
    ("build-tool", "compilers and build"),
];
/// Least recall over all of them, in tenths of a per cent.
const BAR: usize = 995;
/// The page that holds the result, and the marks around it.
const PAGE: &str = "docs/identity.md";
const MARKS: [&str; 2] = ["<!-- measured: begin -->\n", "<!-- measured: end -->\n"];

/// What was counted.
#[derive(Default)]
struct Counts {
    /// By class: found and all programs.
    classes: BTreeMap<&'static str, (usize, usize)>,
    /// Families found, by class.
    families: BTreeMap<&'static str, BTreeSet<String>>,
    certain: usize,
    /// ELF files that are no tool by the table.
    others: usize,
    missed: Vec<String>,
    wrong: Vec<String>,
    /// Globs that matched something.
    used: BTreeSet<(String, String)>,
}

#[test]
fn tools_are_known_by_content_alone_and_nothing_else_is_one() {
    let (packages, machine) = table::read();
    let cache = Packages::new(Path::new("target/assemble"));
    let names: Vec<String> = packages
        .iter()
        .flat_map(|package| {
            let one = |architecture: &String| format!("{}:{architecture}", package.name);
            package.architectures.iter().map(one)
        })
        .collect();
    cache.fetch(&names.iter().map(String::as_str).collect()).unwrap();

    let work: Vec<(&Package, &String)> = packages
        .iter()
        .flat_map(|package| {
            package
                .architectures
                .iter()
                .map(move |architecture| (package, architecture))
        })
        .collect();
    let counts = Mutex::new(Counts::default());
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((package, architecture)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let file = cache.file(&format!("{}:{architecture}", package.name)).unwrap();
                    let tar = apt::output(Command::new("dpkg-deb").arg("--fsys-tarfile").arg(&file)).unwrap();
                    let renamed = Renamed::of(&tar);
                    let seen = renamed.look(architecture);
                    counts.lock().unwrap().package(package, architecture, &seen);
                }
            });
        }
    });
    let mut counts = counts.into_inner().unwrap();
    for package in &packages {
        for glob in package.globs().map(globset::Glob::glob) {
            let used = counts.used.contains(&(package.name.clone(), glob.to_owned()));
            assert!(used, "{}: {glob} matches no program", package.name);
        }
    }
    let programs: usize = counts.classes.values().map(|(_, all)| all).sum();
    let in_packages = counts.others;
    let on_machine = counts.machine(&packages, &machine);
    let table = counts.table(&names, in_packages, on_machine);
    print!("{table}");
    let measured: Vec<(usize, usize)> = CLASSES
        .iter()
        .filter_map(|(rule, _)| counts.classes.get(rule).copied())
        .collect();
    let found: usize = measured.iter().map(|(found, _)| found).sum();
    let all: usize = measured.iter().map(|(_, all)| all).sum();
    counts.missed.sort();
    counts.wrong.sort();
    assert!(
        all >= 240 && programs > all,
        "{all} programs of the classes, {programs} in all"
    );
    assert!(
        found * 1000 >= all * BAR,
        "{found} of {all} found; missed:\n{}",
        counts.missed.join("\n")
    );
    assert!(
        counts.wrong.is_empty(),
        "taken for tools:\n{}",
        counts.wrong.join("\n")
    );
    keep(MARKS, &table);
}

impl Counts {
    fn package(&mut self, package: &Package, architecture: &str, seen: &[Seen]) {
        for one in seen {
            let place = format!("{}:{architecture} /{}", package.name, one.path);
            let Some(family) = package.family(&one.path) else {
                self.others += usize::from(one.elf);
                if let Some(found) = &one.family {
                    self.wrong.push(format!("{place} as {found}"));
                }
                continue;
            };
            for glob in package.globs() {
                if glob.compile_matcher().is_match(&one.path) {
                    self.used.insert((package.name.clone(), glob.glob().to_owned()));
                }
            }
            // Libraries and data beside the programs of a package.
            if !one.starts {
                continue;
            }
            let known = Catalog::builtin()
                .family(family)
                .unwrap_or_else(|| panic!("no family {family}"));
            let rule = Catalog::builtin().rule_order();
            let rule = rule.iter().find(|rule| Some(**rule) == known.rule.as_deref());
            let (class, _) = CLASSES
                .iter()
                .find(|(class, _)| Some(class) == rule)
                .unwrap_or(&("other", "interpreters and utilities"));
            let counted = self.classes.entry(class).or_default();
            counted.1 += 1;
            // A busybox is whatever its applets are; any other program belongs to its family's rule.
            let multi_call = family.starts_with("multi.");
            let finds = one.family.as_deref() == Some(family)
                && (multi_call || one.rule.as_deref() == known.rule.as_deref());
            if finds {
                counted.0 += 1;
                self.certain += usize::from(one.certain);
                self.families.entry(class).or_default().insert(family.to_owned());
            } else {
                let missed = format!("{place}: {family}, but found {:?} by {:?}", one.family, one.rule);
                if *class == "other" {
                    self.wrong.push(missed);
                } else {
                    self.missed.push(missed);
                }
            }
        }
    }

    /// Looks at every ELF file of the machine's `/usr`: each tool found there must be named so, or be in the table.
    fn machine(&mut self, packages: &[Package], machine: &Package) -> usize {
        let mut files = 0;
        layers::each_file(Path::new("/usr"), &mut |path, bytes| {
            let Some(program) = layers::inspect(bytes) else {
                return;
            };
            if !matches!(program.form, scant::binary::Form::Elf(_)) {
                return;
            }
            files += 1;
            let Some((identity, _)) = program.tool(Catalog::builtin()) else {
                return;
            };
            let inside = path.strip_prefix("/").unwrap().to_string_lossy().into_owned();
            let name = path.file_name().unwrap().as_encoded_bytes();
            let fits = Catalog::builtin()
                .by_name(name)
                .is_some_and(|family| family.id == identity.family);
            // Debian's older packages have programs in `/bin` that a merged system has in `/usr/bin`.
            let known = packages.iter().chain([machine]).any(|package| {
                [inside.as_str(), inside.trim_start_matches("usr/")]
                    .into_iter()
                    .any(|path| package.family(path) == Some(&identity.family))
            });
            if !fits && !known {
                self.wrong
                    .push(format!("{} as {}", path.display(), identity.family));
            }
        });
        files
    }

    fn table(&self, packages: &[String], in_packages: usize, on_machine: usize) -> String {
        let mut out = String::new();
        let _ = writeln!(
            out,
            "| class | families | programs | found | recall |\n|---|---|---|---|---|"
        );
        let mut sum = (0, 0, 0);
        let mut row = |class: &str, families: usize, found: usize, all: usize| {
            let recall = found as f64 * 100.0 / all.max(1) as f64;
            let _ = writeln!(out, "| {class} | {families} | {all} | {found} | {recall:.1} % |");
        };
        let of = |rule: &str| {
            let (found, all) = self.classes.get(rule).copied().unwrap_or_default();
            (self.families.get(rule).map_or(0, BTreeSet::len), found, all)
        };
        for (rule, class) in CLASSES {
            let (families, found, all) = of(rule);
            row(class, families, found, all);
            sum = (sum.0 + families, sum.1 + found, sum.2 + all);
        }
        row("**all of these**", sum.0, sum.1, sum.2);
        let (families, found, all) = of("other");
        row("interpreters and utilities", families, found, all);
        let _ = writeln!(
            out,
            "\n{} of those found are `certain`. {} packages. Taken for a tool without being one: {} of {in_packages} other ELF \
             files of these packages.",
            self.certain,
            packages.len(),
            self.wrong.len(),
        );
        println!("{on_machine} ELF files of this machine's /usr looked at");
        out
    }
}

/// Compares a table with the one between two marks on the page, or writes it there.
fn keep(marks: [&str; 2], table: &str) {
    let page = fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(marks[0]).unwrap();
    let (old, after) = rest.split_once(marks[1]).unwrap();
    if std::env::var_os("UPDATE").is_some() {
        let [begin, end] = marks;
        fs::write(PAGE, format!("{before}{begin}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(old, table, "{PAGE} is out of date: run this test with UPDATE=1");
    }
}
