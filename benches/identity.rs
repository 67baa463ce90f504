//! What identity costs: the inspector over programs in memory beside a plain pass over the same bytes, and reading gzip
//! layers with and without it.
//!
//! `cargo bench --bench identity [-- LAYOUT…]` takes the machine's own programs and libraries and prints, for one core and in CPU
//! time of this process, bytes per second; then the ratio of the two readings against the aim: of one layer that holds nothing but
//! programs, the worst case, and of all gzip layers of each OCI layout that is named. What is compared runs in turn, and only the
//! figures of one run can be compared.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads files and prints"
)]

use std::{
    fs,
    hint::black_box,
    io::{self, Write},
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize},
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use scant::{
    binary::Inspector,
    catalog::Catalog,
    layer::{self, Reading},
    limits::Limits,
};

const ROUNDS: usize = 7;
/// Bytes of programs that are held.
const PROGRAMS: usize = 256 << 20;
/// Bytes a second that the identity of programs should reach on one core.
const AIM: f64 = 1e9;
/// What reading a gzip layer may take with identity, as a share of what it takes without.
const AIM_RATIO: f64 = 1.15;

fn main() -> io::Result<()> {
    let programs = programs();
    let bytes: usize = programs.iter().map(Vec::len).sum();
    println!(
        "{} programs and libraries, {:.0} MB",
        programs.len(),
        bytes as f64 / 1e6
    );
    let (catalog, limits) = (Catalog::builtin(), Limits::default());

    let [identity, plain] = in_turn([&|| identify(&programs, catalog, &limits), &|| sum(&programs)])?;
    for (name, times) in [("identity", &identity), ("a sum of all bytes", &plain)] {
        let speed = |time: &Duration| bytes as f64 / time.as_secs_f64();
        let [least, median, most] = spread(times).map(|time| speed(&time) / 1e6);
        println!("  {name:20} {median:7.0} MB/s and core  ({most:.0} to {least:.0}, {ROUNDS} rounds)");
    }
    println!("  aim                  {:7.0} MB/s and core", AIM / 1e6);

    compare("one layer of nothing else", &[gzip_layer(&programs)?], &limits)?;
    let words = std::env::args().skip(1).filter(|word| word != "--bench");
    words
        .into_iter()
        .try_for_each(|layout| compare(&layout, &gzip_layers(Path::new(&layout))?, &limits))
}

/// Reads layers with and without identity.
fn compare(name: &str, layers: &[Vec<u8>], limits: &Limits) -> io::Result<()> {
    let (catalog, none) = (Catalog::builtin(), Catalog::empty());
    let bytes: usize = layers.iter().map(Vec::len).sum();
    println!("{name}: {:.0} MB of gzip", bytes as f64 / 1e6);
    let all = |catalog: &Catalog| layers.iter().for_each(|layer| read(layer, catalog, limits));
    let [with, without] = in_turn([&|| all(catalog), &|| all(&none)])?;
    for (name, times) in [("with identity", &with), ("without", &without)] {
        let [least, median, most] = spread(times).map(|time| time.as_secs_f64() * 1e3);
        println!("  {name:20} {median:7.0} ms CPU  ({least:.0} to {most:.0}, {ROUNDS} rounds)");
    }
    let ratio = spread(&with)[1].as_secs_f64() / spread(&without)[1].as_secs_f64();
    println!("  ratio of medians     {ratio:7.2}  (aim: {AIM_RATIO})");
    Ok(())
}

/// ELF files of the machine.
fn programs() -> Vec<Vec<u8>> {
    let (mut all, mut left) = (Vec::new(), PROGRAMS);
    for folder in [
        "/usr/bin",
        "/usr/sbin",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
    ] {
        let Ok(entries) = fs::read_dir(Path::new(folder)) else {
            continue;
        };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths
            .into_iter()
            .filter(|path| !path.is_symlink() && path.is_file())
        {
            let Ok(bytes) = fs::read(path) else { continue };
            if bytes.starts_with(b"\x7fELF") && bytes.len() <= left {
                left -= bytes.len();
                all.push(bytes);
            }
        }
    }
    all
}

fn identify(programs: &[Vec<u8>], catalog: &Catalog, limits: &Limits) {
    let mut inspector = Inspector::new(catalog, limits);
    for program in programs {
        inspector.begin(program.len() as u64, true);
        inspector.feed(program);
        black_box(inspector.finish());
    }
}

fn sum(programs: &[Vec<u8>]) {
    for program in programs {
        black_box(program.iter().map(|byte| u64::from(*byte)).sum::<u64>());
    }
}

fn gzip_layer(programs: &[Vec<u8>]) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (number, program) in programs.iter().enumerate() {
        let mut header = tar::Header::new_gnu();
        header.set_size(program.len() as u64);
        header.set_mode(0o755);
        header.set_cksum();
        tar.append_data(&mut header, format!("bin/{number}"), program.as_slice())?;
    }
    let mut gzip = tar.into_inner()?;
    gzip.flush()?;
    gzip.finish()
}

/// Every gzip layer of a layout.
fn gzip_layers(layout: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut layers = Vec::new();
    for entry in fs::read_dir(layout.join("blobs/sha256"))? {
        let bytes = fs::read(entry?.path())?;
        if bytes.starts_with(b"\x1f\x8b") {
            layers.push(bytes);
        }
    }
    Ok(layers)
}

fn read(layer: &[u8], catalog: &Catalog, limits: &Limits) {
    let reading = Reading {
        catalog,
        wants: &[],
        limits,
        stop: &AtomicBool::new(false),
        held: &AtomicUsize::new(0),
    };
    let facts = layer::read(&mut &*layer, None, &reading);
    black_box(facts.expect("a layer that was just packed can be read"));
}

/// CPU times of each task, which run in turn, round after round; the first round warms up and is not counted.
fn in_turn(tasks: [&dyn Fn(); 2]) -> io::Result<[Vec<Duration>; 2]> {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (task, times) in tasks.iter().zip(&mut times) {
            let before = cpu()?;
            task();
            if round > 0 {
                times.push(cpu()?.saturating_sub(before));
            }
        }
    }
    Ok(times)
}

/// CPU time that this process has taken.
fn cpu() -> io::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(micros.unsigned_abs()))
}

/// The least, the median and the most.
fn spread(times: &[Duration]) -> [Duration; 3] {
    let mut sorted = times.to_vec();
    sorted.sort();
    [sorted[0], sorted[sorted.len() / 2], sorted[sorted.len() - 1]]
}
