//! Marks that the kernel and overlay file systems leave on files and directories.

use std::os::fd::OwnedFd;

use rustix::fs;

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

/// An extended attribute's value, if there is one of at most `cap` bytes.
pub(super) fn attribute(file: &OwnedFd, name: &str, cap: usize) -> Option<Vec<u8>> {
    let mut value = vec![0; cap];
    let length = fs::fgetxattr(file, name, value.as_mut_slice()).ok()?;
    value.truncate(length);
    Some(value)
}
