//! A machine is the processor that an ELF file is built for (`e_machine`, System V ABI), held against an image's platform.

use crate::{binary::Elf, image::Platform};

/// `e_machine`, its name in Go's spelling, and the byte order if the name depends on it.
const NAMES: &[(u16, Option<bool>, &str)] = &[
    (3, None, "386"),
    (8, Some(true), "mipsle"),
    (8, Some(false), "mips"),
    (21, Some(true), "ppc64le"),
    (21, Some(false), "ppc64"),
    (20, None, "ppc"),
    (22, None, "s390x"),
    (40, None, "arm"),
    (62, None, "amd64"),
    (183, None, "arm64"),
    (243, None, "riscv64"),
    (258, None, "loong64"),
];

/// What the file is built for, if that is another processor than the platform's and needs an emulator there.
///
/// A 64-bit x86 kernel runs i386 programs and most 64-bit arm ones run arm programs, so those count as native. Nothing is
/// said where the platform or the machine is not known.
pub(super) fn foreign(elf: &Elf, platform: Option<&Platform>) -> Option<&'static str> {
    let arch = platform?.arch.as_str();
    let (_, _, machine) = NAMES.iter().find(|(number, order, _)| {
        *number == elf.machine && order.is_none_or(|little| little == elf.little_endian)
    })?;
    let known = NAMES.iter().any(|(_, _, name)| *name == arch);
    // A 64-bit MIPS file has the same `e_machine` as a 32-bit one.
    let arch = match arch {
        "mips64" => "mips",
        "mips64le" => "mipsle",
        other if known => other,
        _ => return None,
    };
    let native = *machine == arch || matches!((arch, *machine), ("amd64", "386") | ("arm64", "arm"));
    (!native).then_some(*machine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(machine: u16, little_endian: bool) -> Elf {
        Elf {
            machine,
            little_endian,
            ..Elf::default()
        }
    }

    #[test]
    fn only_what_needs_an_emulator_is_foreign() {
        for (arch, machine, little, want) in [
            ("amd64", 62, true, None),
            ("amd64", 3, true, None),
            ("amd64", 183, true, Some("arm64")),
            ("386", 62, true, Some("amd64")),
            ("arm64", 40, true, None),
            ("arm", 183, true, Some("arm64")),
            ("ppc64le", 21, true, None),
            ("ppc64le", 21, false, Some("ppc64")),
            ("mips64le", 8, true, None),
            ("amd64", 0x1234, true, None),
            ("wasm", 62, true, None),
        ] {
            let platform = Platform::new("linux", arch, None);
            assert_eq!(
                foreign(&elf(machine, little), Some(&platform)),
                want,
                "{arch} {machine}"
            );
        }
        assert_eq!(foreign(&elf(183, true), None), None);
    }
}
