//! What identity costs: the inspector over programs in memory beside a plain pass over the same bytes, and whole scans with
//! and without it.
//!
//! `cargo bench --bench identity [-- LAYOUT…]` takes the machine's own programs and libraries and prints bytes per second of CPU
//! time of this process; then, for each OCI layout that is named, wall and CPU time of a scan with all cores, with identity and
//! without, and their ratios against the aim; last the same of one gzip layer that holds nothing but those programs, the worst case.
//! What is compared runs in turn, and only the figures of one run can be compared.

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
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, AtomicUsize},
    },
    thread,
    time::{Duration, Instant},
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
    policy,
    scan::{self, Plan, Progress},
    source::{Options, PlatformChoice, RegistryOptions},
};

const ROUNDS: usize = 7;
/// Bytes of programs that are held.
const PROGRAMS: usize = 256 << 20;
/// Bytes a second that the identity of programs should reach on one core.
const AIM: f64 = 1e9;
/// What a scan of gzip layers may take with identity, as a share of what it takes without, in wall time.
const AIM_RATIO: f64 = 1.15;

/// Knows no program.
static NONE: LazyLock<Catalog> = LazyLock::new(Catalog::empty);

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
        let [least, median, most] = spread(times, |time| time.cpu).map(|time| speed(&time) / 1e6);
        println!("  {name:20} {median:7.0} MB/s and core  ({most:.0} to {least:.0}, {ROUNDS} rounds)");
    }
    println!("  aim                  {:7.0} MB/s and core", AIM / 1e6);

    for layout in std::env::args().skip(1).filter(|word| word != "--bench") {
        compare(&layout, |catalog| scan(&layout, catalog))?;
    }
    let layer = gzip_layer(&programs)?;
    compare("one layer of nothing but programs", |catalog| {
        read(&layer, catalog, &limits);
    })
}

/// Runs a task with and without identity.
fn compare(name: &str, task: impl Fn(&'static Catalog)) -> io::Result<()> {
    println!("{name}");
    let [with, without] = in_turn([&|| task(Catalog::builtin()), &|| task(&NONE)])?;
    print_ratio(
        "wall",
        &format!("  (aim: {AIM_RATIO})"),
        &with,
        &without,
        |time| time.wall,
    );
    print_ratio("CPU", "", &with, &without, |time| time.cpu);
    Ok(())
}

fn print_ratio(kind: &str, aim: &str, with: &[Time], without: &[Time], of: impl Fn(&Time) -> Duration) {
    for (name, times) in [("with identity", with), ("without", without)] {
        let [least, median, most] = spread(times, &of).map(|time| time.as_secs_f64() * 1e3);
        println!("  {name:20} {median:7.0} ms {kind:4} ({least:.0} to {most:.0}, {ROUNDS} rounds)");
    }
    let ratio = spread(with, &of)[1].as_secs_f64() / spread(without, &of)[1].as_secs_f64();
    println!("  ratio of medians     {ratio:7.2}{aim}");
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

fn scan(layout: &str, catalog: &'static Catalog) {
    let plan = Plan {
        targets: vec![format!("oci:{layout}").parse().expect("the path of a layout")],
        source: Options {
            platform: PlatformChoice::All,
            limits: Limits::default(),
            stop: Arc::new(AtomicBool::new(false)),
            registry: RegistryOptions::default(),
        },
        catalog,
        policy: policy::load("distroless", &[], &|path| Err(format!("no {path}")))
            .expect("a built-in profile"),
        jobs: thread::available_parallelism().map_or(1, usize::from),
        verify_diff_ids: false,
        dockerfile: None,
        today: jiff::civil::date(2026, 11, 21),
    };
    let report = scan::run(&plan, &Unseen);
    assert!(report.exit_code < 2, "{layout} is not read to its end");
}

/// Nobody looks on.
struct Unseen;

impl Progress for Unseen {
    fn opened(&self, _: usize, _: usize, _: u64) {}
    fn read(&self, _: u64) {}
    fn layer_done(&self) {}
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

/// How long a task took.
struct Time {
    wall: Duration,
    /// Of all threads.
    cpu: Duration,
}

/// Times of each task, which run in turn, round after round; the first round warms up and is not counted.
fn in_turn(tasks: [&dyn Fn(); 2]) -> io::Result<[Vec<Time>; 2]> {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (task, times) in tasks.iter().zip(&mut times) {
            let (start, before) = (Instant::now(), cpu()?);
            task();
            if round > 0 {
                times.push(Time {
                    wall: start.elapsed(),
                    cpu: cpu()?.saturating_sub(before),
                });
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
fn spread(times: &[Time], of: impl Fn(&Time) -> Duration) -> [Duration; 3] {
    let mut sorted: Vec<Duration> = times.iter().map(of).collect();
    sorted.sort();
    [sorted[0], sorted[sorted.len() / 2], sorted[sorted.len() - 1]]
}
