//! A file capability is a privilege that the kernel gives to whoever starts a file (`vfs_cap_data` of Linux' `uapi/linux/capability.h`).

use std::fmt::Write as _;

/// What `security.capability` of a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileCapabilities {
    /// The capabilities are active from the first instruction; otherwise the program must raise them itself.
    pub(super) effective: bool,
    /// Bit set of what the program gets, as far as the container's bounding set has it.
    pub(super) permitted: u64,
    /// Bit set of what the program keeps of the process' inheritable set; nothing in a default container.
    pub(super) inheritable: u64,
    /// Counts only where this uid is root of the user namespace (revision 3); 0 is every container's own root.
    pub(super) root_id: u32,
}

/// How much a set of capabilities gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Power {
    /// Nothing at all.
    Nothing,
    /// Little.
    Low,
    /// Help for an intruder.
    Medium,
    /// As good as root.
    Root,
}

/// Names by number, without `cap_`.
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// With one of these a process can make itself root, by a judgement that is ours.
const ROOT: &[u32] = &[0, 1, 2, 3, 6, 7, 8, 16, 17, 18, 19, 21, 22, 27, 31, 32, 33, 39];

/// These help to hide, listen, disturb or look around.
const MEDIUM: &[u32] = &[4, 5, 9, 12, 13, 15, 24, 25, 30, 34, 38, 40];

/// The default bounding set of Docker and containerd.
const BOUNDING: &[u32] = &[0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31];

/// Those of them that CRI-O's default set lacks (its documentation).
const NOT_OF_CRIO: &[u32] = &[13, 18, 27, 29, 31];

const fn bits(numbers: &[u32]) -> u64 {
    let mut set = 0;
    let mut at = 0;
    while at < numbers.len() {
        set |= 1 << numbers[at];
        at += 1;
    }
    set
}

/// Reads the raw value of `security.capability`.
///
/// # Errors
/// What is wrong with it, as a phrase; the kernel refuses to set such a value or to start such a file.
pub(super) fn decode(raw: &[u8]) -> Result<FileCapabilities, String> {
    let word = |index: usize| {
        raw.get(index * 4..index * 4 + 4)
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u32::from_le_bytes)
    };
    if raw.len() < 4 {
        return Err(format!("is too short ({} bytes)", raw.len()));
    }
    let magic = word(0);
    let revision = magic >> 24;
    let length = match revision {
        1 => 12,
        2 => 20,
        3 => 24,
        other => return Err(format!("has the unknown revision {other}")),
    };
    if raw.len() != length {
        return Err(format!(
            "needs {length} bytes for revision {revision} and has {}",
            raw.len()
        ));
    }
    let high = |index: usize| {
        if revision == 1 {
            0
        } else {
            u64::from(word(index)) << 32
        }
    };
    Ok(FileCapabilities {
        effective: magic & 1 != 0,
        permitted: u64::from(word(1)) | high(3),
        inheritable: u64::from(word(2)) | high(4),
        root_id: if revision == 3 { word(5) } else { 0 },
    })
}

impl FileCapabilities {
    /// What the permitted set is worth to an intruder.
    pub(super) fn power(&self) -> Power {
        if self.permitted & bits(ROOT) != 0 {
            Power::Root
        } else if self.permitted & bits(MEDIUM) != 0 {
            Power::Medium
        } else if self.permitted != 0 {
            Power::Low
        } else {
            Power::Nothing
        }
    }

    /// Capabilities that keep the program from starting in a default container: with the effective flag the kernel refuses
    /// a file whose permitted set goes beyond the bounding set. Unknown bits are ignored by the kernel.
    pub(super) fn beyond_default(&self) -> u64 {
        if self.effective {
            self.permitted & !bits(BOUNDING) & ((1 << NAMES.len()) - 1)
        } else {
            0
        }
    }

    /// The same for CRI-O, whose default set is smaller: what only it refuses.
    pub(super) fn beyond_crio(&self) -> u64 {
        if self.effective {
            self.permitted & bits(NOT_OF_CRIO)
        } else {
            0
        }
    }
}

/// The names of a bit set, in order of their numbers: `net_admin, net_raw, cap_41`; `all` for all that there are.
pub(super) fn names(set: u64) -> String {
    if set == (1 << NAMES.len()) - 1 {
        return "all".to_owned();
    }
    let mut out = String::new();
    for number in (0..64_usize).filter(|number| set >> number & 1 != 0) {
        if !out.is_empty() {
            out.push_str(", ");
        }
        match NAMES.get(number) {
            Some(name) => out.push_str(name),
            None => {
                let _ = write!(out, "cap_{number}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        text.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    /// Value, effective, permitted, inheritable, root id, power, refused by the default bounding set.
    #[test]
    fn every_known_value_reads_as_the_kernel_reads_it() {
        use Power::{Low, Medium, Nothing, Root};
        for (raw, effective, permitted, inheritable, root_id, power, beyond) in [
            (
                "0100000200200000000000000000000000000000",
                true,
                "net_raw",
                "",
                0,
                Medium,
                "",
            ),
            (
                "0100000200040000000000000000000000000000",
                true,
                "net_bind_service",
                "",
                0,
                Low,
                "",
            ),
            (
                "0100000200300000000000000000000000000000",
                true,
                "net_admin, net_raw",
                "",
                0,
                Medium,
                "net_admin",
            ),
            (
                "0000000280000000000000000000000000000000",
                false,
                "setuid",
                "",
                0,
                Root,
                "",
            ),
            (
                "0100000200002000000020000000000000000000",
                true,
                "sys_admin",
                "sys_admin",
                0,
                Root,
                "sys_admin",
            ),
            (
                "0000000200000000020000000000000000000000",
                false,
                "",
                "dac_override",
                0,
                Nothing,
                "",
            ),
            (
                "010000020000000000000000c001000000000000",
                true,
                "perfmon, bpf, checkpoint_restore",
                "",
                0,
                Root,
                "perfmon, bpf, checkpoint_restore",
            ),
            (
                "0000000200000000000000000000000000000000",
                false,
                "",
                "",
                0,
                Nothing,
                "",
            ),
            (
                "0100000300100000000000000000000000000000e8030000",
                true,
                "net_admin",
                "",
                1000,
                Medium,
                "net_admin",
            ),
            (
                "010000030030000000000000000000000000000000000000",
                true,
                "net_admin, net_raw",
                "",
                0,
                Medium,
                "net_admin",
            ),
            ("010000010020000000000000", true, "net_raw", "", 0, Medium, ""),
            ("000000018000000080000000", false, "setuid", "setuid", 0, Root, ""),
            (
                "0100000200000000000000000002000000000000",
                true,
                "cap_41",
                "",
                0,
                Low,
                "",
            ),
        ] {
            let read = decode(&hex(raw)).unwrap();
            assert_eq!(read.effective, effective, "{raw}");
            assert_eq!(names(read.permitted), permitted, "{raw}");
            assert_eq!(names(read.inheritable), inheritable, "{raw}");
            assert_eq!(read.root_id, root_id, "{raw}");
            assert_eq!(read.power(), power, "{raw}");
            assert_eq!(names(read.beyond_default()), beyond, "{raw}");
        }
        let all = decode(&hex("01000002ffffffff00000000ff01000000000000")).unwrap();
        assert_eq!((names(all.permitted).as_str(), all.power()), ("all", Root));
    }

    /// Number, name, what it is worth, and whether Docker's and CRI-O's default bounding sets have it.
    #[test]
    fn every_capability_has_its_name_weight_and_bounds() {
        use Power::{Low, Medium, Root};
        let rows = [
            ("chown", Root, true, true),
            ("dac_override", Root, true, true),
            ("dac_read_search", Root, false, false),
            ("fowner", Root, true, true),
            ("fsetid", Medium, true, true),
            ("kill", Medium, true, true),
            ("setgid", Root, true, true),
            ("setuid", Root, true, true),
            ("setpcap", Root, true, true),
            ("linux_immutable", Medium, false, false),
            ("net_bind_service", Low, true, true),
            ("net_broadcast", Low, false, false),
            ("net_admin", Medium, false, false),
            ("net_raw", Medium, true, false),
            ("ipc_lock", Low, false, false),
            ("ipc_owner", Medium, false, false),
            ("sys_module", Root, false, false),
            ("sys_rawio", Root, false, false),
            ("sys_chroot", Root, true, false),
            ("sys_ptrace", Root, false, false),
            ("sys_pacct", Low, false, false),
            ("sys_admin", Root, false, false),
            ("sys_boot", Root, false, false),
            ("sys_nice", Low, false, false),
            ("sys_resource", Medium, false, false),
            ("sys_time", Medium, false, false),
            ("sys_tty_config", Low, false, false),
            ("mknod", Root, true, false),
            ("lease", Low, false, false),
            ("audit_write", Low, true, false),
            ("audit_control", Medium, false, false),
            ("setfcap", Root, true, false),
            ("mac_override", Root, false, false),
            ("mac_admin", Root, false, false),
            ("syslog", Medium, false, false),
            ("wake_alarm", Low, false, false),
            ("block_suspend", Low, false, false),
            ("audit_read", Low, false, false),
            ("perfmon", Medium, false, false),
            ("bpf", Root, false, false),
            ("checkpoint_restore", Medium, false, false),
        ];
        assert_eq!(rows.len(), NAMES.len());
        for (number, (name, power, docker, crio)) in rows.into_iter().enumerate() {
            let set = FileCapabilities {
                effective: true,
                permitted: 1 << number,
                inheritable: 0,
                root_id: 0,
            };
            assert_eq!(names(set.permitted), name);
            assert_eq!(set.power(), power, "{name}");
            assert_eq!(set.beyond_default() == 0, docker, "{name}");
            assert_eq!(
                set.beyond_default() == 0 && set.beyond_crio() == 0,
                crio,
                "{name}"
            );
            let raised = FileCapabilities {
                effective: false,
                ..set
            };
            assert_eq!((raised.beyond_default(), raised.beyond_crio()), (0, 0), "{name}");
        }
    }

    /// The upper halves of the masks stand apart.
    #[test]
    fn upper_halves_belong_to_their_masks() {
        let read = decode(&hex("0000000200000000000000000100000080000000")).unwrap();
        assert_eq!((read.permitted, read.inheritable), (1 << 32, 1 << 39));
    }

    #[test]
    fn values_the_kernel_refuses_are_errors() {
        for (raw, why) in [
            ("0100000200200000", "needs 20 bytes for revision 2 and has 8"),
            (
                "010000040000000000000000000000000000000000000000",
                "has the unknown revision 4",
            ),
            ("", "is too short (0 bytes)"),
            (
                "01000002002000000000000000000000000000000a",
                "needs 20 bytes for revision 2 and has 21",
            ),
        ] {
            assert_eq!(decode(&hex(raw)).unwrap_err(), why, "{raw}");
        }
    }
}
