//! Models of the runtimes: each turns `config.User` and the account files into ids, in the order of the runtime's own code.

use super::{Ids, Kubelet, Outcome, Part, Refusal, Runtime};
use crate::{
    rootfs::accounts::{Account, AccountFile, Accounts, Group, Number, atoi, groups, passwd},
    text::escape,
};

/// The text before the first colon, and behind it.
pub(super) fn split(user: &str) -> (&str, Option<&str>) {
    user.split_once(':')
        .map_or((user, None), |(name, group)| (name, Some(group)))
}

pub(super) fn number(text: &str) -> Option<i64> {
    match atoi(text.as_bytes()) {
        Number::Exact(value) => Some(value),
        Number::Beyond(_) | Number::No => None,
    }
}

fn in_range(id: i64) -> bool {
    (0..=i64::from(i32::MAX)).contains(&id)
}

/// The first line of passwd that this user part means.
pub(super) fn account<'r>(text: &'r [u8], name: &str) -> Option<Account<'r>> {
    let uid = if name.is_empty() { Some(0) } else { number(name) };
    passwd(text).find(|account| match uid {
        Some(uid) => account.uid == uid,
        None => account.name == name.as_bytes(),
    })
}

fn refuse<T>(part: Part, why: String) -> Result<T, Outcome> {
    Err(Outcome::Refused(Refusal { part, why }))
}

fn no_user<T>(name: &str) -> Result<T, Outcome> {
    refuse(
        Part::User,
        format!("/etc/passwd has no user `{}`", escape(name.as_bytes())),
    )
}

fn no_group<T>(name: &str) -> Result<T, Outcome> {
    refuse(
        Part::Group,
        format!("/etc/group has no group `{}`", escape(name.as_bytes())),
    )
}

fn out_of_range<T>(id: &str) -> Result<T, Outcome> {
    refuse(
        Part::Range,
        format!("{} is outside 0 to 2147483647", escape(id.as_bytes())),
    )
}

/// The gids of these groups but the primary one, which some runtimes add and some do not.
fn ids_of<'r>(groups: impl Iterator<Item = Group<'r>>, primary: u32) -> Vec<u32> {
    groups
        .map(|group| group.gid as u32)
        .filter(|&gid| gid != primary)
        .collect()
}

/// The content of an account file as a runtime gets it. Only Docker takes what is no file for absent.
fn content<'r>(file: &AccountFile<'r>, path: &str, runtime: Runtime) -> Result<&'r [u8], Outcome> {
    match file {
        AccountFile::NotAFile(what) if runtime != Runtime::Docker => {
            refuse(Part::File, format!("{path} is {what}"))
        }
        AccountFile::Refused(why) => refuse(Part::File, why.clone()),
        AccountFile::Unknown(why) => Err(Outcome::Unknown(why.clone())),
        file => Ok(file.text()),
    }
}

/// moby's `GetExecUser`.
pub(super) fn docker(user: &str, files: &Accounts<'_>) -> Result<Ids, Outcome> {
    let (name, group) = split(user);
    let group = group.unwrap_or_default();
    let line = account(content(&files.passwd, "/etc/passwd", Runtime::Docker)?, name);
    let (uid, mut gid) = match (&line, number(name)) {
        (Some(line), _) => (line.uid, line.gid),
        (None, Some(uid)) if in_range(uid) => (uid, 0),
        (None, Some(_)) => return out_of_range(name),
        (None, None) if name.is_empty() => (0, 0),
        (None, None) => return no_user(name),
    };
    let member = line.map_or(&[][..], |line| line.name);
    let mut supplementary = Vec::new();
    if !group.is_empty() || !member.is_empty() {
        let text = content(&files.group, "/etc/group", Runtime::Docker)?;
        if group.is_empty() {
            let listed = groups(text).filter(|group| group.lists(member));
            supplementary = ids_of(listed, gid as u32);
        } else {
            let wanted = number(group);
            let found = groups(text).find(|line| match wanted {
                Some(gid) => line.gid == gid,
                None => line.name == group.as_bytes(),
            });
            gid = match (found, wanted) {
                (Some(found), _) => found.gid,
                (None, Some(gid)) if in_range(gid) => gid,
                (None, Some(_)) => return out_of_range(group),
                (None, None) => return no_group(group),
            };
        }
    }
    Ok(Ids {
        uid: uid as u32,
        gid: gid as u32,
        groups: supplementary,
    })
}

/// containerd's `WithUser`, then `WithAdditionalGIDs`.
pub(super) fn containerd(user: &str, files: &Accounts<'_>, runtime: Runtime) -> Result<Ids, Outcome> {
    let passwd_text = || content(&files.passwd, "/etc/passwd", runtime);
    let group_text = || content(&files.group, "/etc/group", runtime);
    let by_name = |name: &str| match account(passwd_text()?, name) {
        Some(line) => Ok(line),
        None => no_user(name),
    };
    let ranged = |text: &str| match number(text) {
        Some(id) if !in_range(id) => out_of_range(text),
        id => Ok(id),
    };
    let parts: Vec<&str> = user.split(':').collect();
    let (uid, gid) = match parts[..] {
        [""] => (0, 0),
        [name] => {
            if let Some(uid) = ranged(name)? {
                (uid, account(passwd_text()?, name).map_or(0, |line| line.gid))
            } else {
                let line = by_name(name)?;
                (line.uid, line.gid)
            }
        }
        [name, group] => {
            let (uid, gid) = (ranged(name)?, ranged(group)?);
            let uid = match uid {
                Some(uid) => uid,
                None if name.is_empty() => 0,
                None => by_name(name)?.uid,
            };
            let gid = match gid {
                Some(gid) => gid,
                None if group.is_empty() => 0,
                None => match groups(group_text()?).find(|line| line.name == group.as_bytes()) {
                    Some(line) => line.gid,
                    None => return no_group(group),
                },
            };
            (uid, gid)
        }
        _ => {
            return refuse(
                Part::Form,
                format!("User `{}` has more than two parts", escape(user.as_bytes())),
            );
        }
    };
    let mut ids = Ids {
        uid: uid as u32,
        gid: gid as u32,
        groups: Vec::new(),
    };
    // Whose groups: the image mode goes by uid, the CRI mode by the text.
    let who = match (runtime, user) {
        (Runtime::Kubernetes, "") => "0".into(),
        (Runtime::Kubernetes, user) => split(user).0.to_owned(),
        (_, "") => "root".into(),
        _ => ids.uid.to_string(),
    };
    let member = match number(&who) {
        None => who.as_bytes(),
        Some(_) => match account(passwd_text()?, &who) {
            Some(line) => line.name,
            None => return Ok(ids),
        },
    };
    let listed = groups(group_text()?).filter(|group| group.name != member && group.lists(member));
    ids.groups = ids_of(listed, ids.gid);
    Ok(ids)
}

/// What the kubelet's `verifyRunAsNonRoot` makes of the user part, which the container runtime hands it as a number or text.
pub(super) fn kubelet(name: &str) -> Kubelet {
    match number(name) {
        None if name.is_empty() => Kubelet::Root,
        None => Kubelet::Name,
        Some(0) => Kubelet::Root,
        Some(uid) if !in_range(uid) => Kubelet::Range,
        Some(_) => Kubelet::Accepts,
    }
}
