//! A login account is one whose shell is in the image and is a shell by its content.

use super::{Check, Subject, identify, tools, user};
use crate::{
    binary::Program,
    finding::{Finding, Rule},
    layer::Kind,
    rootfs::{
        Node,
        accounts::{Accounts, Login},
    },
    text::escape,
};

const RULE: &str = "login-account";

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
    let found = accounts.logins(subject.rootfs, |node| is_shell(node, subject));
    user::one_per_account(found.map(|login| finding(rule, &login, subject)).collect())
}

/// A program that can be started and is a shell, whatever its name.
fn is_shell(node: &Node, subject: &Subject<'_>) -> bool {
    let runs = node.kind == Kind::File && node.mode & 0o111 != 0;
    let starts = node.program.as_deref().is_some_and(Program::starts);
    runs && starts && identify::is_shell(node, subject)
}

fn finding(rule: &'static Rule, login: &Login<'_>, subject: &Subject<'_>) -> Finding {
    let name = escape(login.account.name);
    let path = tools::first_path(login.shell);
    let known = identify::evidence(login.shell, subject).map(|(evidence, _)| evidence);
    let called = known
        .as_ref()
        .map_or_else(String::new, |known| format!(" ({})", known.name));
    let written = if login.account.shell.is_empty() {
        "no shell, which means /bin/sh,".to_owned()
    } else {
        format!("the shell {},", escape(login.account.shell))
    };
    let lock = if login.locked {
        "; its password is locked, which stops neither keys nor `su` by root"
    } else {
        ""
    };
    let mut finding = Finding::new(
        rule,
        format!(
            "The account `{name}` in line {} of /etc/passwd has {written} which leads to {path}{called}{lock}",
            login.account.line
        ),
        "Use a base without a shell, or give the account `/sbin/nologin`",
    );
    finding.subject = Some(name);
    finding.layer = user::layer_of("/etc/passwd", subject);
    finding.identity = known;
    finding
}
