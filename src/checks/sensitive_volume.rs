//! A sensitive volume is declared on a place that belongs to the system, where a runtime then puts something writable.

use super::{Check, Subject};
use crate::{
    finding::{Finding, Rule, Severity},
    path::RootPath,
    text::escape,
};

const RULE: &str = "sensitive-volume";

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: &[],
    run,
};

/// Sockets with which a container rules its host.
const SOCKETS: &[&str] = &[
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/var/run/containerd/containerd.sock",
    "/run/containerd/containerd.sock",
    "/var/run/crio/crio.sock",
    "/run/podman/podman.sock",
];
/// Directories of the system, with all that is below.
const TREES: &[&str] = &[
    "/bin", "/sbin", "/lib", "/lib64", "/boot", "/dev", "/proc", "/sys",
];
/// Directories of the system themselves; what is below may be data.
const PLACES: &[&str] = &[
    "/",
    "/etc",
    "/etc/ssh",
    "/etc/ssl",
    "/etc/pam.d",
    "/home",
    "/root",
    "/root/.ssh",
    "/run",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/usr/local/bin",
    "/usr/sbin",
    "/var",
    "/var/lib/docker",
    "/var/run",
];

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let (Some(rule), Some(config)) = (Rule::get(RULE), subject.config) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for volume in &config.volumes {
        let path = RootPath::clean(volume.as_bytes());
        let is = |known: &&&str| RootPath::from(**known) == path;
        let socket = SOCKETS.iter().any(|known| is(&known));
        let below = TREES
            .iter()
            .any(|known| is(&known) || path.is_below(&RootPath::from(*known)));
        let (severity, why) = if socket {
            (Severity::Medium, "with which a container rules its host")
        } else if below || PLACES.iter().any(|known| is(&known)) {
            (rule.severity, "which belongs to the system")
        } else {
            continue;
        };
        let written = escape(volume.as_bytes());
        let mut finding = Finding::new(
            rule,
            format!("A volume is declared on {written}, {why}"),
            "Remove it from VOLUME: declare directories of data only, and let whoever starts the container mount the rest",
        );
        finding.severity = severity;
        finding.subject = Some(written);
        found.push(finding);
    }
    found
}
