//! The kernel as referee: what programs of this machine really open, seen with `strace`, must be in their closure.

#![expect(
    clippy::disallowed_methods,
    reason = "a test that runs the machine's own programs and reads what they opened"
)]

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{machine::Files, *};
use crate::{binary::Inspector, catalog::Catalog, layer::Entry, limits::Limits, rootfs::testing::rootfs};

/// A command, and of what it opens the parts of paths that no reading of files can foretell, each with the limit.
type Row = (&'static [&'static str], &'static [(&'static str, &'static str)]);

/// Limits, as `docs/reach.md` states them.
const BY_CODE: &str = "programs that code starts by their path";
const MADE_UP: &str = "Names that a program makes up while it runs";
const FIND_LIBRARY: &str = "`find_library` of ctypes";

/// What is run: by each way in which one file leads to another.
const ROWS: &[Row] = &[
    (
        &[
            "/usr/bin/python3",
            "-c",
            "import ssl, json, sqlite3, ctypes, hashlib, socket, lzma, bz2, zlib, curses, readline, decimal, uuid, asyncio, \
             multiprocessing, xml.etree.ElementTree, unicodedata, csv, http.client, logging, mmap, resource, pwd\n\
             pwd.getpwnam('nobody'); socket.getaddrinfo('localhost', 80)",
        ],
        &[],
    ),
    (
        &[
            "/usr/bin/python3",
            "-c",
            "import ctypes; ctypes.CDLL('lib' + 'anl.so.1')",
        ],
        &[("libanl.so", MADE_UP)],
    ),
    (
        &[
            "/usr/bin/python3",
            "-c",
            "import ctypes.util; print(ctypes.util.find_library('anl'))",
        ],
        &[("/ldconfig", FIND_LIBRARY)],
    ),
    (
        &[
            "/usr/bin/python3",
            "-c",
            "import subprocess; subprocess.run(['/usr/bin/gzip', '--version'])",
        ],
        &[("/usr/bin/gzip", BY_CODE)],
    ),
    (
        &[
            "/usr/bin/perl",
            "-MPOSIX",
            "-MSocket",
            "-MList::Util",
            "-MFile::Glob",
            "-MData::Dumper",
            "-e",
            "getpwnam('nobody'); gethostbyname('localhost')",
        ],
        &[],
    ),
    (
        &[
            "/usr/bin/node",
            "-e",
            "require('crypto').randomBytes(3); require('dns').lookup('localhost', () => {})",
        ],
        &[],
    ),
    (&["/usr/bin/java", "-version"], &[]),
    (&["/usr/bin/ruby", "-e", "require 'json'; require 'openssl'"], &[]),
    (&["/usr/bin/tclsh", "/dev/null"], &[]),
    (
        &["/usr/bin/openssl", "list", "-providers", "-provider", "legacy"],
        &[],
    ),
    (
        &["/usr/bin/iconv", "-f", "UTF-16", "-t", "KOI8-R", "/dev/null"],
        &[],
    ),
    (&["/usr/bin/getent", "hosts", "localhost"], &[]),
    (&["/usr/bin/id", "nobody"], &[]),
    // Its library of LDAP begins SASL, which loads what lies in a directory.
    (&["/usr/bin/curl", "--version"], &[]),
    (&["/usr/bin/git", "--version"], &[]),
    (&["/usr/bin/htpasswd", "-nb", "a", "b"], &[]),
    (&["/usr/bin/skopeo", "--version"], &[]),
    (&["/usr/bin/gdb", "--version"], &[("/usr/bin/iconv", BY_CODE)]),
    (
        &[
            "/usr/bin/env",
            "/usr/bin/bash",
            "-c",
            "exec /usr/bin/sort /dev/null",
        ],
        &[],
    ),
];

/// Scripts of Debian's own packages, by what leads on in them.
const SCRIPTS: &[&[&str]] = &[
    &["/usr/bin/zcat", "--version"],
    &["/usr/bin/gunzip", "--version"],
    &["/usr/bin/zgrep", "root", "/etc/passwd"],
    &["/usr/bin/zdiff", "/etc/passwd", "/etc/passwd"],
    &["/usr/bin/egrep", "root", "/etc/passwd"],
    &["/usr/bin/ldd", "/usr/bin/true"],
    &["/usr/bin/which", "true"],
    &["/usr/bin/xzgrep", "root", "/etc/passwd"],
    &["/usr/bin/sh", "/usr/bin/egrep", "root", "/etc/passwd"],
    &[
        "/usr/bin/env",
        "sh",
        "-c",
        "id -u | sort > /dev/null && exec grep root /etc/passwd",
    ],
];

/// Programs that `tests/run` or Debian itself puts on every machine: rows that may not be left out.
const EVERYWHERE: [&str; 10] = [
    "python3", "perl", "node", "openssl", "iconv", "getent", "id", "htpasswd", "skopeo", "env",
];

/// Files that a command opened or started, as it named them.
fn opened(command: &[&str], at: usize) -> Vec<PathBuf> {
    let traces = std::env::temp_dir().join(format!("scant-opened-{}-{at}", std::process::id()));
    fs::create_dir_all(&traces).unwrap();
    // A file for each process, so that no line is torn; `-y` shows which directory a relative path begins at.
    let run = Command::new("strace")
        .args(["-ff", "-y", "-qq", "-s", "4096", "-e", "trace=%file", "-o"])
        .arg(traces.join("of"))
        .args(command)
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .output()
        .expect("strace is installed by tests/run");
    assert!(
        run.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&run.stderr)
    );
    let mut paths = Vec::new();
    for trace in fs::read_dir(&traces).unwrap() {
        let text = String::from_utf8_lossy(&fs::read(trace.unwrap().path()).unwrap()).into_owned();
        paths.extend(text.lines().filter_map(opened_by));
    }
    fs::remove_dir_all(&traces).unwrap();
    assert!(!paths.is_empty(), "{command:?}");
    paths
}

/// The file that one line of a trace tells to have been opened or started.
fn opened_by(line: &str) -> Option<PathBuf> {
    let (call, rest) = line.split_once('(')?;
    let result = line.rsplit_once(" = ")?.1;
    let opens = matches!(call, "open" | "openat" | "openat2" | "execve" | "execveat");
    if !opens || result.starts_with('-') {
        return None;
    }
    let (before, rest) = rest.split_once('"')?;
    let directory = before.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    let path = rest.split_once('"')?.0;
    Some(Path::new(directory.map_or("/", |(path, _)| path)).join(path))
}

#[test]
fn a_line_of_a_trace_is_read() {
    let read = |line: &str| opened_by(line).map(|path| path.display().to_string());
    for (line, want) in [
        (
            "openat(AT_FDCWD</>, \"/lib/a.so\", O_RDONLY|O_CLOEXEC) = 3</usr/lib/a.so>",
            Some("/lib/a.so"),
        ),
        (
            "openat(5</srv>, \"a.so\", O_RDONLY) = 3</srv/a.so>",
            Some("/srv/a.so"),
        ),
        (
            "execve(\"/usr/bin/true\", [\"true\"], 0x7ffd /* 2 vars */) = 0",
            Some("/usr/bin/true"),
        ),
        (
            "openat(AT_FDCWD</>, \"/a\", O_RDONLY) = -1 ENOENT (No such file or directory)",
            None,
        ),
        ("access(\"/etc/ld.so.preload\", R_OK) = 0", None),
        ("+++ exited with 0 +++", None),
    ] {
        assert_eq!(read(line).as_deref(), want, "{line}");
    }
}

#[test]
fn what_programs_of_this_machine_open_is_in_their_closure() {
    let page: Vec<&str> = include_str!("../../../docs/reach.md")
        .split_whitespace()
        .collect();
    let page = page.join(" ");
    let mut told = Vec::new();
    let mut met = BTreeSet::new();
    for (at, (command, limits)) in ROWS.iter().enumerate() {
        let name = command[0].trim_start_matches("/usr/bin/");
        if !Path::new(command[0]).exists() {
            assert!(
                !EVERYWHERE.contains(&name),
                "{name} is not installed: run tests/run"
            );
            continue;
        }
        let Compared { by_tier, missed, .. } = compare(command, at);
        println!("{name}: {by_tier:?}, missed: {missed:?}");
        for path in missed {
            let path = path.to_string();
            match limits.iter().find(|(part, _)| path.contains(part)) {
                Some((_, limit)) => met.extend(page.contains(limit).then_some(*limit)),
                None => told.push(format!("{name} opens {path}")),
            }
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
    // So that this test is known to see what is missed.
    assert_eq!(met, BTreeSet::from([BY_CODE, MADE_UP, FIND_LIBRARY]));
}

#[test]
fn what_scripts_of_this_machine_run_is_in_their_closure_or_it_says_that_it_is_not_all() {
    let mut whole = 0;
    let mut told = Vec::new();
    for (at, command) in SCRIPTS.iter().enumerate() {
        let compared = compare(command, ROWS.len() + at);
        println!("{command:?}: {compared:?}");
        whole += usize::from(compared.incomplete.is_none());
        if compared.incomplete.is_none() && !compared.missed.is_empty() {
            told.push(format!("{command:?} opens {:?}", compared.missed));
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert!(
        whole * 2 >= SCRIPTS.len(),
        "of {} scripts only {whole} are followed to the end",
        SCRIPTS.len()
    );
}

/// What the kernel starts for a program.
fn interpreter(entry: &Entry) -> Option<Vec<u8>> {
    match &entry.program.as_ref()?.form {
        Form::Elf(elf) => elf.interpreter.clone(),
        Form::Script(script) => Some(script.interpreter.clone()),
        _ => None,
    }
}

/// What a command opens, held against its closure.
#[derive(Debug)]
struct Compared {
    /// How many of the programs and libraries are in each tier.
    by_tier: BTreeMap<&'static str, usize>,
    /// Those that are in none.
    missed: Vec<RootPath>,
    incomplete: Option<&'static str>,
}

/// Programs that a script names, as far as the machine has them: a path may or may not be taken.
fn named(entry: &Entry) -> Vec<PathBuf> {
    let Some(Form::Script(script)) = entry.program.as_ref().map(|program| &program.form) else {
        return Vec::new();
    };
    let commands = script.commands.iter();
    let words = commands.flat_map(|commands| commands.run.iter().chain(&commands.mentioned));
    let paths = words.map(|word| Path::new("/usr/bin").join(OsStr::from_bytes(word)));
    paths.filter(|path| path.is_file()).collect()
}

fn compare(command: &[&str], at: usize) -> Compared {
    let limits = Limits::default();
    let mut inspector = Inspector::new(Catalog::builtin(), &limits);
    let mut files = Files::default();
    let mut real = BTreeSet::new();
    for path in opened(command, at) {
        let Ok(about) = fs::metadata(&path) else { continue };
        let made_up = ["/proc", "/sys", "/dev"]
            .iter()
            .any(|made_up| path.starts_with(made_up));
        if !about.is_file() || made_up {
            continue;
        }
        let begin = fs::read(&path).unwrap();
        // Data, and modules that are text, are not what the closure is about.
        let script = begin.starts_with(b"#!") && about.permissions().mode() & 0o111 != 0;
        if script || begin.starts_with(b"\x7fELF") {
            files.add(&path, &mut inspector);
            let path = fs::canonicalize(path).unwrap();
            real.insert(RootPath::clean(path.as_os_str().as_bytes()));
        }
    }
    let named: Vec<PathBuf> = files.0.values().flat_map(named).collect();
    for path in named {
        files.add(&path, &mut inspector);
    }
    // What the kernel opens within `execve`: the interpreter of a script, and the loader of that.
    for _ in 0..2 {
        let more: BTreeSet<Vec<u8>> = files.0.values().filter_map(interpreter).collect();
        for path in more {
            files.add(Path::new(OsStr::from_bytes(&path)), &mut inspector);
        }
    }
    for link in ["/bin", "/lib", "/lib64"] {
        files.add(Path::new(link), &mut inspector);
    }
    for path in ["/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/nsswitch.conf"] {
        files.keep(path);
    }
    let root = rootfs(files.0.into_values());
    let config = ImageConfig {
        entrypoint: command.iter().map(|&word| word.to_owned()).collect(),
        env: vec!["PATH=/usr/bin:/bin".to_owned()],
        ..ImageConfig::default()
    };
    let subject = Subject::new(&root, Some(&config), None, Catalog::builtin());
    let closure = closure(&subject);
    assert!(closure.missing.is_empty(), "{command:?}: {:?}", closure.missing);
    let mut by_tier = BTreeMap::new();
    let mut missed = Vec::new();
    for path in real {
        match closure.reached.get(&path) {
            Some(Reach::Needed { tier, .. }) => *by_tier.entry(tier.as_str()).or_default() += 1,
            _ => missed.push(path),
        }
    }
    Compared {
        by_tier,
        missed,
        incomplete: closure.incomplete,
    }
}
