//! The speed budget: scant's wall time and peak memory on given OCI layouts, beside the least that any scanner must do.
//!
//! `cargo bench --bench bound [-- LAYOUT…]` runs on the given layouts, or on three that it packs from the machine's own
//! files: one layer of 1 GiB, eight of 64 MiB, forty of 4 MiB. It runs, in turn and several times over: scant; the bound, which is every
//! compressed byte hashed once (SHA-256) and every gzip byte inflated once, spread over all cores, by the faster of two
//! decoders; and prints medians, their spread and the ratio. Only ratios of one run mean anything: machines differ and are shared.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads files, starts programs and prints"
)]

mod make;

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use nix::sys::resource::{UsageWho, getrusage};

const ROUNDS: usize = 5;

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    match words.split_first() {
        // The same program in a process of its own, so that peak memory is that of one run alone.
        Some((first, rest)) if first == "--measure" => measure(rest),
        Some((first, rest)) if first == "--bound" => bound(&rest[0], Path::new(&rest[1])),
        Some(_) => words.iter().try_for_each(|layout| compare(Path::new(layout))),
        None => {
            for (name, layers, megabytes) in [("1-of-1024", 1, 1024), ("8-of-64", 8, 64), ("40-of-4", 40, 4)]
            {
                let layout = Path::new("target/bench").join(name);
                make::layout(&layout, layers, megabytes)?;
                compare(&layout)?;
            }
            Ok(())
        }
    }
}

/// One layout: all contenders in turn, round after round.
fn compare(layout: &Path) -> io::Result<()> {
    let blobs = layers(layout)?;
    let bytes: u64 = blobs
        .iter()
        .map(|blob| fs::metadata(blob).map_or(0, |meta| meta.len()))
        .sum();
    println!(
        "{}: {} layers, {:.1} MB compressed",
        layout.display(),
        blobs.len(),
        bytes as f64 / 1e6
    );
    let this = std::env::current_exe()?.display().to_string();
    let target = format!("oci:{}", layout.display());
    let scant = env!("CARGO_BIN_EXE_scant");
    let shown = layout.display().to_string();
    let contenders: [(&str, Vec<&str>); 4] = [
        (
            "scant",
            vec![
                scant,
                "scan",
                "--exit-zero",
                "--platform",
                "all",
                "-q",
                "-o",
                "json",
                &target,
            ],
        ),
        (
            "scant --jobs 1",
            vec![
                scant,
                "scan",
                "--exit-zero",
                "--platform",
                "all",
                "-q",
                "--jobs",
                "1",
                "-o",
                "json",
                &target,
            ],
        ),
        ("bound, zlib-rs", vec![&this, "--bound", "zlib-rs", &shown]),
        ("bound, libdeflate", vec![&this, "--bound", "libdeflate", &shown]),
    ];
    let mut runs: Vec<Vec<(Duration, u64)>> = vec![Vec::new(); contenders.len()];
    for round in 0..=ROUNDS {
        for ((_, command), runs) in contenders.iter().zip(&mut runs) {
            let run = run_measured(&this, command)?;
            // The first round warms the page cache and is not counted.
            if round > 0 {
                runs.push(run);
            }
        }
    }
    let medians: Vec<f64> = runs
        .iter_mut()
        .map(|runs| {
            runs.sort();
            runs[ROUNDS / 2].0.as_secs_f64()
        })
        .collect();
    let best = medians[2].min(medians[3]);
    for (((name, _), runs), median) in contenders.iter().zip(&runs).zip(&medians) {
        let peak = runs.iter().map(|run| run.1).max().unwrap_or(0);
        println!(
            "  {name:18} {:7.1} ms  ({:.1} to {:.1}, {ROUNDS} rounds)  {:6.1} MiB peak  {:5.2} x the bound",
            median * 1e3,
            runs[0].0.as_secs_f64() * 1e3,
            runs[ROUNDS - 1].0.as_secs_f64() * 1e3,
            peak as f64 / 1024.0,
            median / best,
        );
    }
    Ok(())
}

/// Runs a command in a measuring process of its own: wall time, and peak memory in KiB.
fn run_measured(this: &str, command: &[&str]) -> io::Result<(Duration, u64)> {
    let output = Command::new(this).arg("--measure").args(command).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text
        .split_whitespace()
        .filter_map(|word| word.parse::<u64>().ok());
    match (output.status.success(), numbers.next(), numbers.next()) {
        (true, Some(micros), Some(kib)) => Ok((Duration::from_micros(micros), kib)),
        _ => Err(io::Error::other(format!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        ))),
    }
}

fn measure(command: &[String]) -> io::Result<()> {
    let start = Instant::now();
    let status = Command::new(&command[0])
        .args(&command[1..])
        .stdout(Stdio::null())
        .status()?;
    let wall = start.elapsed();
    if !status.success() {
        return Err(io::Error::other(format!("ended with {status}")));
    }
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    println!("{} {peak}", wall.as_micros());
    Ok(())
}

/// Every distinct layer blob of a layout: all blobs but the small ones that are JSON.
fn layers(layout: &Path) -> io::Result<Vec<PathBuf>> {
    let mut blobs = Vec::new();
    for entry in fs::read_dir(layout.join("blobs/sha256"))? {
        let path = entry?.path();
        let mut first = [0];
        let is_json = fs::File::open(&path)?.read(&mut first)? == 1 && first[0] == b'{';
        if !is_json {
            blobs.push(path);
        }
    }
    // The largest first, so that none is left to run alone at the end.
    blobs.sort_by_key(|blob| std::cmp::Reverse(fs::metadata(blob).map_or(0, |meta| meta.len())));
    Ok(blobs)
}

/// The least work: each blob hashed, and inflated to nothing. Two tasks a blob, taken by as many threads as there are cores.
fn bound(decoder: &str, layout: &Path) -> io::Result<()> {
    let blobs = layers(layout)?;
    let tasks: Vec<(&PathBuf, bool)> = blobs
        .iter()
        .flat_map(|blob| [(blob, true), (blob, false)])
        .collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((blob, inflates)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let done = if *inflates {
                        inflate(decoder, blob)
                    } else {
                        hash(blob)
                    };
                    done.unwrap_or_else(|error| panic!("{}: {error}", blob.display()));
                }
            });
        }
    });
    Ok(())
}

fn hash(blob: &Path) -> io::Result<()> {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let mut file = fs::File::open(blob)?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => context.update(&buffer[..count]),
        }
    }
    std::hint::black_box(context.finish());
    Ok(())
}

fn inflate(decoder: &str, blob: &Path) -> io::Result<()> {
    let mut file = fs::File::open(blob)?;
    let mut magic = [0; 4];
    let count = file.read(&mut magic)?;
    if magic[..2] != [0x1f, 0x8b] {
        let file = fs::File::open(blob)?;
        let mut plain: Box<dyn Read> = match &magic[..count] {
            [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::Decoder::new(file)?),
            _ => Box::new(file),
        };
        return io::copy(&mut plain, &mut io::sink()).map(|_| ());
    }
    if decoder == "libdeflate" {
        let bytes = fs::read(blob)?;
        let size = bytes
            .last_chunk::<4>()
            .map_or(0, |last| u32::from_le_bytes(*last));
        let mut out = vec![0; size as usize];
        let whole = libdeflater::Decompressor::new().gzip_decompress(&bytes, &mut out);
        return whole
            .map(|_| ())
            .map_err(|error| io::Error::other(error.to_string()));
    }
    let mut reader =
        flate2::read::MultiGzDecoder::new(io::BufReader::with_capacity(256 << 10, fs::File::open(blob)?));
    let mut buffer = vec![0; 256 << 10];
    while reader.read(&mut buffer)? > 0 {}
    Ok(())
}
