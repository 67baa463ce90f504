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

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(rule) = Rule::get(RULE) else {
        return Vec::new();
    };
    let users = access::users(subject);
    let readable = |node: &Node| {
        users
            .iter()
            .any(|who| access::may_read(who, node, subject.rootfs))
    };
    let found = |node: &Node| finding(rule, node, readable(node));
    let devices = subject
        .rootfs
        .nodes()
        .filter(|node| matches!(node.kind, Kind::CharDevice { .. } | Kind::BlockDevice { .. }));
    devices.filter_map(found).collect()
}

fn finding(rule: &'static Rule, node: &Node, readable: bool) -> Option<Finding> {
    let (sort, major, minor, known) = match node.kind {
        // How overlay file systems mark what was removed.
        Kind::CharDevice { major: 0, minor: 0 } => return None,
        Kind::CharDevice { major, minor } => {
            let known = CHARACTER
                .iter()
                .find(|known| known.major == major && known.minors.contains(&minor));
            let harmless = known.is_some_and(|known| known.harmless);
            let strong = known.is_some_and(|known| !known.harmless);
            (
                "character",
                major,
                minor,
                (known.map(|known| known.what), harmless, strong),
            )
        }
        Kind::BlockDevice { major, minor } => ("block", major, minor, (Some("a disk"), false, true)),
        _ => return None,
    };
    let (what, harmless, strong) = known;
    let path = tools::first_path(node);
    let covered = path.is_below(&RootPath::from("/dev"));
    let is = what.map_or_else(String::new, |what| format!(", {what}"));
    let mut message = format!(
        "{path} is a {sort} device ({major}:{minor}{is}) of mode {:04o}",
        node.mode
    );
    message.push_str(if covered {
        "; a runtime covers /dev with its own"
    } else {
        "; it is outside /dev, which a runtime would cover"
    });
    let mut severity = match (strong, harmless && covered) {
        (true, _) => Severity::High,
        (_, true) => Severity::Info,
        _ => rule.severity,
    };
    if strong && !covered && readable {
        severity = Severity::Critical;
    }
    if readable && !harmless {
        message.push_str("; the user that the container runs as may read it");
    }
    let mut finding = Finding::new(
        rule,
        message,
        "Leave devices out of the image, and let whoever starts the container grant the one that is needed",
    );
    finding.severity = severity;
    finding.layer = Some(node.layer);
    finding.path = Some(path);
    Some(finding)
}
