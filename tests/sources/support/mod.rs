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

/// Pulls `target` in a process of its own, since the environment belongs to a whole process, and says how it went:
/// `pulled N layers`, or the failure.
pub(crate) fn pull_with_environment(target: &str, variables: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "support::pulls_for_another_test",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env_remove("HOME")
        .env("PULL", target)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{printed}"
    );
    printed
}

/// The other half of [`pull_with_environment`].
#[test]
#[ignore = "only run by other tests"]
fn pulls_for_another_test() {
    let Ok(target) = std::env::var("PULL") else { return };
    let mut options = options();
    options.registry.plain_http.extend(std::env::var("PLAIN_HTTP"));
    options.registry.ca_file = std::env::var_os("CA_FILE").map(Into::into);
    if std::env::var_os("ONE_TRY").is_some() {
        options.limits.tries = 1;
    }
    match pull(&target, &options) {
        Ok((_, layers)) => println!("pulled {} layers", layers.len()),
        Err(failure) => println!("{failure:?}"),
    }
}
