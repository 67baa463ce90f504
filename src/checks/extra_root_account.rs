//! An extra root account is a line of passwd that stands for uid 0 and is not the first one named `root`.

use super::{Check, Subject, user};
use crate::{
    finding::{Finding, Rule},
    rootfs::accounts::{Account, Accounts},
    text::escape,
};

const RULE: &str = "extra-root-account";

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: user::WANTS,
    run,
};

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(rule) = Rule::get(RULE) else {
        return Vec::new();
    };
    let accounts = Accounts::read(subject.rootfs);
    let found = accounts
        .extra_roots()
        .map(|account| finding(rule, &account, subject));
    user::one_per_account(found.collect())
}

fn finding(rule: &'static Rule, account: &Account<'_>, subject: &Subject<'_>) -> Finding {
    let name = escape(account.name);
    let field = escape(account.uid_field);
    let why = match account.uid {
        0 if account.uid_field.is_empty() => "it has no uid, which runtimes read as 0".to_owned(),
        0 if !account.uid_field.iter().all(u8::is_ascii_digit) => {
            format!("its uid is `{field}`, which runtimes read as 0")
        }
        0 => format!("its uid is {field}"),
        _ => format!("its uid is {field}, of which runtimes keep the low 32 bits, 0"),
    };
    let mut message = format!(
        "The account `{name}` in line {} of /etc/passwd is root: {why}",
        account.line
    );
    if account.name == b"root" {
        message.push_str("; it is not the first line of that name");
    }
    if !account.libc {
        message.push_str("; the C library inside the container does not read the line");
    }
    if !account.name.is_empty() && account.name.iter().all(u8::is_ascii_digit) {
        message.push_str(
            "; its name is a number, for which older containerd takes a `USER` out of range (CVE-2026-46680)",
        );
    }
    let mut finding = Finding::new(
        rule,
        message,
        "Delete the line, or give the account a uid of its own",
    );
    finding.subject = Some(name);
    finding.layer = user::layer_of("/etc/passwd", subject);
    finding
}
