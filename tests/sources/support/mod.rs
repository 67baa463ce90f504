//! What the tests of sources stand on: small images, a real registry, and one that fails on demand.

pub(crate) mod certificates;
pub(crate) mod fault;
pub(crate) mod image;
pub(crate) mod registry;

use std::{
    io::Read,
    process::{Command, Stdio},
    sync::{Arc, atomic::AtomicBool},
};

use scant::{
    failure::{Code, Failure, Result},
    image::Image,
    limits::Limits,
    source::{self, Blobs, Opened, Options, RegistryOptions},
};

/// Options as a scan has them, with waits short enough for a test.
pub(crate) fn options() -> Options {
    Options {
        platform: source::PlatformChoice::Default,
        limits: Limits {
            stall: 2,
            retry_after: 2,
            ..Limits::default()
        },
        stop: Arc::new(AtomicBool::new(false)),
        registry: RegistryOptions::default(),
    }
}

/// Opens a reference.
pub(crate) fn open(target: &str, options: &Options) -> Result<(Vec<Image>, Arc<dyn Blobs>)> {
    match source::registry::open(&target.parse()?, target, options)? {
        Opened::Images { images, blobs } => {
            let images: Result<Vec<Image>, _> = images.into_iter().collect();
            Ok((images.map_err(|(_, failure)| failure)?, blobs))
        }
        Opened::Stream(_) => panic!("a registry is no stream"),
    }
}

/// Opens a reference to one image and reads all its layers at once, each on its own thread.
pub(crate) fn pull(target: &str, options: &Options) -> Result<(Image, Vec<Vec<u8>>)> {
    let (mut images, blobs) = open(target, options)?;
    assert_eq!(images.len(), 1, "{target} is one image");
    let image = images.remove(0);
    let layers: Result<Vec<_>> = std::thread::scope(|scope| {
        let readers: Vec<_> = image
            .layers
            .iter()
            .map(|layer| scope.spawn(|| read(blobs.open(layer)?)))
            .collect();
        readers
            .into_iter()
            .map(|reader| reader.join().expect("no panic"))
            .collect()
    });
    Ok((image, layers?))
}

/// Reads a layer to its end.
pub(crate) fn read(mut blob: Box<dyn Read + Send>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // A test's server may send for ever.
    (&mut blob)
        .take(64 << 20)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::from_io(error, Code::Internal))?;
    Ok(bytes)
}

/// Runs a program of the machine to its end; one that is missing fails the test.
pub(crate) fn run(package: &str, program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| {
            panic!("{program} cannot be started ({error}); install the package {package}")
        });
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Runs the calling test again in a process of its own with other environment variables, and says whether this is that
/// process: only it should go on.
pub(crate) fn in_own_process(test: &str, variables: &[(&str, &str)]) -> bool {
    const MARK: &str = "SCANT_TEST_IN_OWN_PROCESS";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args([test, "--exact", "--nocapture"])
        .envs(variables.iter().copied())
        .env(MARK, "1")
        .output()
        .unwrap();
    let printed = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{printed}"
    );
    false
}
