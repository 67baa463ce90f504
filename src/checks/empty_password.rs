//! An empty password lets anybody in who asks for the account.

use std::fmt::Write as _;

use super::{Check, Subject, user};
use crate::{
    finding::{Finding, Rule, Severity},
    rootfs::accounts::{Accounts, EmptyPassword},
    text::escape,
};

const RULE: &str = "empty-password";

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: user::PASSWORDS,
    run,
};

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(rule) = Rule::get(RULE) else {
        return Vec::new();
    };
    let accounts = Accounts::read(subject.rootfs);
    let mut found = accounts.empty_passwords().peekable();
    if found.peek().is_none() {
        return Vec::new();
    }
    let door = door(subject);
    let found = found.map(|account| finding(rule, &account, door.as_deref(), subject));
    user::one_per_account(found.collect())
}

/// A program in the image that lets people in by password.
fn door(subject: &Subject<'_>) -> Option<String> {
    let lets_in = |id: &str| matches!(id, "net.sshd" | "net.dropbear" | "priv.su" | "priv.login");
    subject.rootfs.nodes().find_map(|node| {
        let program = node.program.as_deref().filter(|_| node.mode & 0o111 != 0)?;
        let known = program.identities.iter().any(|identity| {
            let inside = |applet: &String| matches!(applet.as_str(), "su" | "login" | "telnetd" | "dropbear");
            lets_in(&identity.family) || identity.applets.iter().any(inside)
        });
        let path = node.paths.first()?;
        let named = matches!(path.name(), b"su" | b"login" | b"sshd");
        (known || named).then(|| path.to_string())
    })
}

fn finding(
    rule: &'static Rule,
    empty: &EmptyPassword<'_>,
    door: Option<&str>,
    subject: &Subject<'_>,
) -> Finding {
    let name = escape(empty.account.name);
    let mut message = format!(
        "The account `{name}` (uid {}) needs no password: its field in {} is empty",
        escape(empty.account.uid_field),
        empty.file
    );
    let mut severity = Severity::Medium;
    if let Some(door) = door {
        severity = rule.severity;
        let _ = write!(message, "; {door} lets people in by password");
        if empty.account.uid as u32 == 0 {
            severity = Severity::Critical;
        }
    }
    let mut finding = Finding::new(rule, message, "Lock the account: write `*` into the field");
    finding.severity = severity;
    finding.subject = Some(name);
    finding.layer = user::layer_of(empty.file, subject);
    finding
}
