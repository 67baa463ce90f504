//! Marks that the kernel and overlay file systems leave on files and directories.

use std::{fs::File, io::Read as _, os::fd::OwnedFd};

use rustix::{
    fs::{self, FileType, Stat},
    io::Errno,
};

/// Bytes of the attributes that are met most.
const SHORT: usize = 256;
/// The bit of the right to see `trusted.*` attributes, `CAP_SYS_ADMIN`.
const SYS_ADMIN: u64 = 1 << 21;
/// Bytes of `/proc/self/status` in which the rights stand.
const STATUS: u64 = 1 << 16;

/// File systems that the kernel makes up: proc, sysfs, cgroup, cgroup2, devpts, mqueue, securityfs, debugfs, tracefs, bpf.
const MADE_UP: [u64; 10] = [
    0x9fa0,
    0x6265_6572,
    0x0027_e0eb,
    0x6367_7270,
    0x1cd1,
    0x1980_0202,
    0x7363_6673,
    0x6462_6720,
    0x7472_6163,
    0xcafe_4a11,
];

/// Whether a directory shows the kernel's state and not an image's files.
pub(super) fn is_made_up(directory: &OwnedFd) -> bool {
    fs::fstatfs(directory).is_ok_and(|fs| MADE_UP.contains(&(fs.f_type.cast_unsigned())))
}

/// An attribute that overlay file systems write, under the name that root mounts use or that others do.
pub(super) fn overlay(file: &OwnedFd, name: &str) -> Option<Vec<u8>> {
    ["trusted", "user"]
        .iter()
        .find_map(|space| attribute(file, &format!("{space}.overlay.{name}"), 4096))
}

/// An extended attribute's value, if it is there; empty if it has more than `cap` bytes.
pub(super) fn attribute(file: &OwnedFd, name: &str, cap: usize) -> Option<Vec<u8>> {
    let read = |room: usize| {
        let mut value = vec![0; room];
        let length = fs::fgetxattr(file, name, value.as_mut_slice())?;
        value.truncate(length);
        Ok(value)
    };
    // Nearly all have none, or a short one.
    match read(SHORT.min(cap)) {
        Err(Errno::RANGE) => Some(read(cap).unwrap_or_default()),
        value => value.ok(),
    }
}

/// Whether the attributes of overlay file systems that root mounted can be seen: the kernel hides them from all others, as if
/// there were none.
pub(super) fn sees_trusted() -> bool {
    let text = |path: &str| {
        let mut text = String::new();
        #[expect(
            clippy::disallowed_methods,
            reason = "the kernel's own file, bounded by `take`"
        )]
        let read = File::open(path).and_then(|file| file.take(STATUS).read_to_string(&mut text));
        read.map(|_| text).unwrap_or_default()
    };
    may_see_trusted(&text("/proc/self/status"), &text("/proc/self/uid_map"))
}

/// The same by what the kernel says of a process: it must be an administrator, and not only of a user namespace.
fn may_see_trusted(status: &str, uid_map: &str) -> bool {
    let rights = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let administrator = rights
        .and_then(|rights| u64::from_str_radix(rights.trim(), 16).ok())
        .is_some_and(|rights| rights & SYS_ADMIN != 0);
    administrator && uid_map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// Whether an entry would be taken for a whiteout of a layer although it is none: those are empty files, as fuse-overlayfs
/// writes them.
pub(super) fn reads_as_marker(name: &[u8], stat: &Stat) -> bool {
    let marker = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => stat.st_size == 0,
        // What is in it is told under its own path.
        FileType::Directory => true,
        FileType::CharacterDevice => stat.st_rdev == 0,
        _ => false,
    };
    name.starts_with(b".wh.") && !marker
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_administrator_of_the_system_sees_trusted_attributes() {
        let all = "         0          0 4294967295\n";
        for (rights, uid_map, sees) in [
            ("000001ffffffffff", all, true),
            ("0000000000200000", all, true),
            // What a container's root is left with.
            ("00000000a80425fb", all, false),
            ("0000000000000000", all, false),
            ("x", all, false),
            // Root of a user namespace.
            ("000001ffffffffff", "0 1000 1\n1 100000 65536\n", false),
            ("000001ffffffffff", "", false),
        ] {
            let status = format!("CapPrm:\tffffffffffffffff\nCapEff:\t{rights}\nSeccomp:\t0\n");
            assert_eq!(may_see_trusted(&status, uid_map), sees, "{rights} {uid_map:?}");
        }
        assert!(!may_see_trusted("Name:\tscant\n", all));
    }
}
