//! A device file is a block or character node in the image, which opens a piece of the host where a container may use it.

use super::{Check, Subject, access, tools, user};
use crate::{
    finding::{Finding, Rule, Severity},
    layer::Kind,
    path::RootPath,
    rootfs::Node,
};

const RULE: &str = "device-file";

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: user::WANTS,
    run,
};

/// A character device whose number has a meaning, by Linux' `admin-guide/devices.txt`.
struct Known {
    major: u32,
    minors: std::ops::RangeInclusive<u32>,
    what: &'static str,
    harmless: bool,
}

const fn known(major: u32, first: u32, last: u32, what: &'static str, harmless: bool) -> Known {
    Known {
        major,
        minors: first..=last,
        what,
        harmless,
    }
}

const CHARACTER: &[Known] = &[
    known(1, 1, 1, "the memory of the machine", false),
    known(1, 2, 2, "the memory of the kernel", false),
    known(1, 4, 4, "the ports of the machine", false),
    known(1, 3, 3, "the null device", true),
    known(1, 5, 5, "the zero device", true),
    known(1, 7, 7, "the full device", true),
    known(1, 8, 9, "a source of random numbers", true),
    known(5, 0, 2, "a terminal", true),
    known(136, 0, u32::MAX, "a terminal", true),
    known(137, 0, u32::MAX, "a terminal", true),
    known(138, 0, u32::MAX, "a terminal", true),
    known(139, 0, u32::MAX, "a terminal", true),
    known(140, 0, u32::MAX, "a terminal", true),
    known(141, 0, u32::MAX, "a terminal", true),
    known(142, 0, u32::MAX, "a terminal", true),
    known(143, 0, u32::MAX, "a terminal", true),
    known(10, 200, 200, "network tunnels", false),
    known(10, 229, 229, "file systems in user space", false),
    known(21, 0, u32::MAX, "disks without a file system", false),
    known(162, 0, u32::MAX, "raw disks", false),
];

/// What a device opens.
pub(super) struct Device {
    /// `a block device (8:0, a disk)`.
    pub(super) what: String,
    /// It opens a piece of the host.
    strong: bool,
    /// It opens nothing that a container does not have anyway.
    pub(super) harmless: bool,
}

/// What a node opens; `None`: it is no device.
pub(super) fn device(kind: &Kind) -> Option<Device> {
    let (sort, major, minor) = match *kind {
        // How overlay file systems mark what was removed.
        Kind::CharDevice { major: 0, minor: 0 } => return None,
        Kind::CharDevice { major, minor } => ("character", major, minor),
        Kind::BlockDevice { major, minor } => ("block", major, minor),
        _ => return None,
    };
    let block = sort == "block";
    let known = CHARACTER
        .iter()
        .find(|known| !block && known.major == major && known.minors.contains(&minor));
    let opens = if block {
        ", a disk".to_owned()
    } else {
        known.map_or_else(String::new, |known| format!(", {}", known.what))
    };
    Some(Device {
        what: format!("a {sort} device ({major}:{minor}{opens})"),
        strong: block || known.is_some_and(|known| !known.harmless),
        harmless: known.is_some_and(|known| known.harmless),
    })
}

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(rule) = Rule::get(RULE) else {
        return Vec::new();
    };
    let users = access::users(subject);
    let root = user::resolution(subject).is_some_and(|user| user.root().is_some());
    let readable = |node: &Node| {
        root || users
            .iter()
            .any(|who| access::may_read(who, node, subject.rootfs))
    };
    let found = |node: &Node| Some(finding(rule, node, &device(&node.kind)?, readable(node)));
    subject.rootfs.nodes().filter_map(found).collect()
}

fn finding(rule: &'static Rule, node: &Node, device: &Device, readable: bool) -> Finding {
    let dev = RootPath::from("/dev");
    let outside = node.paths.iter().find(|path| !path.is_below(&dev));
    let path = outside.cloned().unwrap_or_else(|| tools::first_path(node));
    let mut message = format!("{path} is {} of mode {:04o}", device.what, node.mode);
    message.push_str(if outside.is_none() {
        "; a runtime covers /dev with its own"
    } else {
        "; it is outside /dev, which a runtime would cover"
    });
    if readable && !device.harmless {
        message.push_str("; the user that the container runs as may read it");
    }
    let mut finding = Finding::new(
        rule,
        message,
        "Leave devices out of the image, and let whoever starts the container grant the one that is needed",
    );
    finding.severity = match (device.strong, device.harmless) {
        (true, _) if outside.is_some() || readable => Severity::Critical,
        (true, _) => Severity::High,
        (_, true) if outside.is_none() => Severity::Info,
        _ => rule.severity,
    };
    finding.layer = Some(node.layer);
    finding.path = Some(path);
    finding
}
