//! A remote login port is one on which people log in or administer a machine, declared by `EXPOSE`.

use super::{Check, Subject, tools};
use crate::{
    finding::{Finding, Rule, Severity},
    text::escape,
};

const RULE: &str = "remote-login-port";

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: &[],
    run,
};

/// Port, service, the families and applets of programs that serve it. By IANA's registry, but for 2222 and 2375, which custom gave
/// their meaning.
const PORTS: &[(u16, &str, &[&str])] = &[
    (22, "ssh", &["net.sshd", "net.dropbear", "sshd", "dropbear"]),
    (
        2222,
        "ssh by custom",
        &["net.sshd", "net.dropbear", "sshd", "dropbear"],
    ),
    (23, "telnet", &["telnetd"]),
    (512, "rexec", &["rexecd"]),
    (513, "rlogin", &["rlogind"]),
    (514, "rsh", &["rshd"]),
    (2375, "the Docker daemon without encryption", &["dockerd"]),
    (2376, "the Docker daemon", &["dockerd"]),
    (3389, "remote desktops", &["xrdp"]),
    (5900, "VNC", &["Xvnc", "x11vnc"]),
    (5901, "VNC", &["Xvnc", "x11vnc"]),
    (5902, "VNC", &["Xvnc", "x11vnc"]),
    (5903, "VNC", &["Xvnc", "x11vnc"]),
    (5985, "WinRM", &[]),
    (10250, "the kubelet", &["kubelet"]),
];
/// Ports that other programs use as well.
const BY_CUSTOM: &[u16] = &[2222, 10250];

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let (Some(rule), Some(config)) = (Rule::get(RULE), subject.config) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for exposed in &config.exposed_ports {
        let (number, protocol) = exposed.split_once('/').unwrap_or((exposed, "tcp"));
        let Some((port, service, servers)) = PORTS
            .iter()
            .find(|(port, ..)| protocol.eq_ignore_ascii_case("tcp") && number.parse() == Ok(*port))
        else {
            continue;
        };
        let server = server(servers, subject);
        if server.is_none() && BY_CUSTOM.contains(port) {
            continue;
        }
        let written = escape(exposed.as_bytes());
        let mut finding = Finding::new(
            rule,
            match &server {
                Some(path) => {
                    format!("Port {written} is declared, which is that of {service}, and {path} can serve it")
                }
                None => format!("Port {written} is declared, which is that of {service}"),
            },
            "Remove the port from EXPOSE and the service from the image; use the runtime's own means to look inside",
        );
        if server.is_some() {
            finding.severity = Severity::Medium;
        }
        finding.subject = Some(written);
        found.push(finding);
    }
    found
}

/// The path of a program that serves a port: by its content, or by its name where the catalogue does not know it.
fn server(servers: &[&str], subject: &Subject<'_>) -> Option<String> {
    subject.rootfs.nodes().find_map(|node| {
        let program = node.program.as_deref().filter(|_| node.mode & 0o111 != 0)?;
        let by_content = program.identities.iter().any(|identity| {
            servers.contains(&identity.family.as_str())
                || identity
                    .applets
                    .iter()
                    .any(|applet| servers.contains(&applet.as_str()))
        });
        let by_name = program.starts()
            && node
                .paths
                .iter()
                .any(|path| servers.iter().any(|server| server.as_bytes() == path.name()));
        (by_content || by_name).then(|| tools::first_path(node).to_string())
    })
}
