//! A writable program is one that the user the container runs as can change, or that loads or trusts what they can change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::{
    finding::{Finding, Qualifier, Rule},
    layer::Kind,
    path::RootPath,
};

use super::{
    Check, Subject,
    access::{self, Way},
    identify,
    start::Who,
    trusted::{Role, Trusted, trusted},
    user,
};

const RULE: &str = "writable-program";
const FIX: &str = "Let root own it and take the write bits for others away (`COPY --chmod=755` without `--chown`) in the \
                   instruction that brings it";
/// Paths below a directory that are counted.
const COUNTED: usize = 1_000;

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: user::WANTS,
    run,
};

/// Something that the user may change, and how much goes with it.
struct Changed {
    role: Role,
    path: RootPath,
    uid: u64,
    way: Way,
    /// Further paths that the same lets them change.
    more: usize,
}

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(rule) = Rule::get(RULE) else {
        return Vec::new();
    };
    let users = access::users(subject);
    if users.is_empty() {
        return Vec::new();
    }
    let mut seen: BTreeSet<RootPath> = BTreeSet::new();
    let mut found: Vec<Changed> = Vec::new();
    let mut groups: BTreeMap<Group, usize> = BTreeMap::new();
    // The strongest role of a path comes first.
    for trusted in trusted(subject) {
        for changed in changes(&trusted, &users, subject) {
            if !seen.insert(changed.path.clone()) {
                continue;
            }
            let group = group(&changed);
            let known = group.as_ref().and_then(|group| groups.get(group)).copied();
            if let Some(known) = known.and_then(|at| found.get_mut(at)) {
                known.more = known.more.saturating_add(1).saturating_add(changed.more);
                continue;
            }
            if let Some(group) = group {
                groups.insert(group, found.len());
            }
            found.push(changed);
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
        .iter()
        .map(|changed| finding(rule, changed, subject))
        .collect()
}

/// What is told in one finding: paths that one directory gives away, or of one role in one directory, or all of one role.
type Group = (Option<Role>, Option<RootPath>);

fn group(changed: &Changed) -> Option<Group> {
    match (changed.role, &changed.way) {
        (Role::Entry | Role::Interpreter, _) => None,
        (role @ (Role::Libraries | Role::Tree | Role::Application | Role::Other), _) => {
            Some((Some(role), None))
        }
        (_, Way::Directory(directory) | Way::Absent(directory)) => Some((None, Some(directory.clone()))),
        (role, Way::Mode(_) | Way::Owner) => Some((Some(role), changed.path.parent())),
    }
}

/// What some user may change of one trusted path.
fn changes(trusted: &Trusted, users: &[Who], subject: &Subject<'_>) -> Vec<Changed> {
    let rootfs = subject.rootfs;
    let changed = |who: &Who, path: RootPath, way: Way| Changed {
        role: trusted.role,
        path,
        uid: who.uid,
        way,
        more: 0,
    };
    let decides = users.iter().find_map(|who| {
        access::may_decide(who, &trusted.path, rootfs).map(|(path, way)| changed(who, path, way))
    });
    if decides.is_some() || !trusted.below {
        return decides.into_iter().collect();
    }
    let Some(directory) = rootfs
        .resolve(&trusted.path)
        .ok()
        .filter(|node| node.kind == Kind::Directory)
        .and_then(|node| node.paths.first())
    else {
        return Vec::new();
    };
    // The directory itself is safe, so that what can be changed below it is changed where it is.
    let mut below = rootfs
        .under(directory)
        .filter_map(|(path, node)| {
            let mut users = users.iter();
            let (who, way) = users.find_map(|who| Some((who, access::may_write(who, node)?)))?;
            access::reaches(who, path, rootfs).then(|| changed(who, path.clone(), way))
        })
        .take(COUNTED);
    let first = below.next();
    let more = below.count();
    first.into_iter().map(|first| Changed { more, ..first }).collect()
}

fn finding(rule: &'static Rule, changed: &Changed, subject: &Subject<'_>) -> Finding {
    let Changed {
        role,
        path,
        uid,
        way,
        more,
    } = changed;
    let mut message = format!("{path}, {}, can be changed by uid {uid}: {way}", role.words());
    match more {
        0 => {}
        1 => message.push_str("; so can one more path"),
        more => {
            let _ = write!(message, "; so can {more} more paths");
        }
    }
    let mut finding = Finding::new(rule, message, FIX);
    finding.severity = role.severity();
    if *role != Role::Entry {
        finding.qualifier = Some(Qualifier::BesideEntryPoint);
    }
    let node = subject.rootfs.get(path);
    let holder = || {
        let above = std::iter::successors(path.parent(), RootPath::parent);
        above.into_iter().find_map(|above| subject.rootfs.get(&above))
    };
    finding.aliases = node.map_or_else(Vec::new, |node| identify::aliases(node, subject));
    finding.layer = node.or_else(holder).map(|node| node.layer);
    finding.path = Some(path.clone());
    finding
}
