//! Where the programs of a sample come from: the machine, a package, or a few lines of Rust.
//!
//! `host:/bin/sh` is the machine's own file, links followed; `package:tini:/usr/bin/tini-static` a file of a Debian
//! package; `rust:server.rs` is compiled from `images/programs`, linked to the machine's libraries; `rust-static:server.rs`
//! the same without any library.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Result,
    apt::{Packages, output},
    context,
    tree::{Kind, Node},
};

/// The package that a source names, if it names one.
pub(crate) fn package_of(source: &str) -> Option<&str> {
    source.strip_prefix("package:")?.split(":/").next()
}

/// Everything that programs are taken from.
#[derive(Debug)]
pub(crate) struct Programs<'a> {
    /// `images/programs`.
    pub(crate) sources: PathBuf,
    /// Where compiled ones are put.
    pub(crate) built: PathBuf,
    pub(crate) packages: &'a Packages,
}

impl Programs<'_> {
    /// The bytes that `source` stands for, and their mode.
    pub(crate) fn read(&self, source: &str) -> Result<(Vec<u8>, u32)> {
        match source.split_once(':') {
            Some(("host", path)) => Ok((fs::read(path).map_err(context(path))?, 0o755)),
            Some(("rust", file)) => Ok((self.compile(file, false)?, 0o755)),
            Some(("rust-static", file)) => Ok((self.compile(file, true)?, 0o755)),
            Some(("package", _)) => self.unpack(source),
            _ => Err(format!("program {source:?}: copy from host:, rust:, rust-static: or package:").into()),
        }
    }

    /// What the bytes depend on, without making them.
    pub(crate) fn inputs(&self, source: &str) -> Result<Vec<u8>> {
        match source.split_once(':') {
            Some(("rust" | "rust-static", file)) => {
                let path = self.sources.join(file);
                let mut text = fs::read(&path).map_err(context(&path))?;
                text.extend(output(Command::new("rustc").arg("-vV"))?);
                Ok(text)
            }
            Some(("package", _)) => Ok(Vec::new()),
            _ => Ok(self.read(source)?.0),
        }
    }

    fn unpack(&self, source: &str) -> Result<(Vec<u8>, u32)> {
        let name = package_of(source).unwrap_or_default();
        let path = source.split_once(":/").map(|(_, path)| path).unwrap_or_default();
        match self.packages.files(name)?.nodes.remove(path) {
            Some(Node {
                kind: Kind::File(bytes),
                mode,
                ..
            }) => Ok((bytes, mode)),
            _ => Err(format!("{source}: no such file in the package").into()),
        }
    }

    fn compile(&self, file: &str, fixed: bool) -> Result<Vec<u8>> {
        fs::create_dir_all(&self.built).map_err(context(&self.built))?;
        let name = file.strip_suffix(".rs").unwrap_or(file);
        let kind = if fixed { "static" } else { "dynamic" };
        // Two recipes may compile the same program at the same time: each writes its own file.
        let out = self
            .built
            .join(format!("{name}-{kind}-{:?}", std::thread::current().id()));
        let mut rustc = Command::new("rustc");
        rustc
            .current_dir(&self.sources)
            .args(["--edition=2024", "--crate-type=bin", "-Copt-level=s"]);
        rustc.args(["-Cpanic=abort", "-Cstrip=symbols", "-Ccodegen-units=1"]);
        rustc.args(["--crate-name", name, file, "-o"]).arg(&out);
        if fixed {
            rustc.arg("-Ctarget-feature=+crt-static");
        }
        output(&mut rustc)?;
        let bytes = fs::read(&out).map_err(context(&out))?;
        fs::remove_file(&out).map_err(context(&out))?;
        Ok(bytes)
    }
}

/// The shared libraries that the machine's loader finds for a program of the machine, and the loader itself.
pub(crate) fn libraries(program: &[u8], scratch: &Path) -> Result<Vec<String>> {
    fs::create_dir_all(scratch).map_err(context(scratch))?;
    let copy = scratch.join(format!("program-{:?}", std::thread::current().id()));
    fs::write(&copy, program).map_err(context(&copy))?;
    // ldd fails for a static program, which then needs none.
    let said = Command::new("ldd").arg(&copy).output().map_err(context("ldd"))?;
    fs::remove_file(&copy).map_err(context(&copy))?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let paths = text
        .split_whitespace()
        .filter(|word| word.starts_with('/') && Path::new(word).is_file());
    Ok(paths.map(str::to_owned).collect())
}
