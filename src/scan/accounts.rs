//! The accounts of an image may be read in part only, or differently by different readers: what is said of that.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    gap::{Gap, Hides},
    rootfs::{
        Rootfs,
        accounts::{Account, Accounts, passwd},
        user::UserResolution,
    },
    text::escape,
};

/// What of the account files was not kept, though the rules about users ask for it.
pub(super) fn unread(user: Option<&UserResolution>, rootfs: &Rootfs) -> impl Iterator<Item = Gap> {
    let accounts = Accounts::read(rootfs);
    let asked = user.and_then(|user| user.gap.as_deref());
    let unread: BTreeSet<String> = asked
        .into_iter()
        .chain(accounts.gaps())
        .map(str::to_owned)
        .collect();
    unread.into_iter().map(|why| Gap {
        path: None,
        why,
        hides: Hides::Accounts,
    })
}

/// Lines of passwd that its readers take for different accounts, one note for each sort, with the first such line.
pub(super) fn ambiguous(text: &[u8]) -> Vec<String> {
    let (mut names, mut uids) = (BTreeMap::new(), BTreeMap::new());
    let mut found: [(&str, Vec<Account<'_>>); 4] = [
        (
            "is a number: runtimes take it in `USER` for a uid, unless it is out of range, and then older ones for this name \
             (CVE-2026-46680)",
            Vec::new(),
        ),
        (
            "has a line before: runtimes and C libraries take the first",
            Vec::new(),
        ),
        (
            "shares its uid with a line before: runtimes differ in whose groups it gets",
            Vec::new(),
        ),
        (
            "has an id that is no number or too few fields: runtimes read 0, C libraries differ",
            Vec::new(),
        ),
    ];
    for account in passwd(text) {
        let again = |line: &mut usize| std::mem::replace(line, account.line) != account.line;
        let is = [
            !account.name.is_empty() && account.name.iter().all(u8::is_ascii_digit),
            again(names.entry(account.name).or_insert(account.line)),
            again(uids.entry(account.uid).or_insert(account.line)),
            !account.plain,
        ];
        for (is, (_, lines)) in is.into_iter().zip(&mut found) {
            lines.extend(is.then_some(account));
        }
    }
    let told = found.into_iter().filter_map(|(what, lines)| {
        let (first, more) = lines.split_first()?;
        let more = match more.len() {
            0 => String::new(),
            more => format!(", and so do {more} more"),
        };
        Some(format!(
            "the account `{}` in line {} of /etc/passwd {what}{more}",
            escape(first.name),
            first.line
        ))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layer::Entry,
        rootfs::{
            testing::{file, rootfs, symlink, text},
            user::resolve,
        },
    };

    #[test]
    fn accounts_that_were_not_kept_are_gaps_with_and_without_a_configuration() {
        let passwd = "root:x:0:0::/:\napp:x:1000:1000::/:\n";
        let lost = |path| Entry {
            size: 5,
            ..file(path, 0o600)
        };
        for path in ["/etc/passwd", "/etc/shadow", "/etc/group"] {
            let mut entries = vec![text("/etc/passwd", passwd), text("/etc/group", "app:x:1000:\n")];
            entries.retain(|entry| entry.path != path.into());
            let direct = [&entries[..], &[lost(path)]].concat();
            let linked = [&entries[..], &[symlink(path, "/lost"), lost("/lost")]].concat();
            for entries in [direct, linked] {
                let fs = rootfs(entries);
                let user = resolve("1000:1000", &fs);
                for user in [Some(&user), None] {
                    let gaps: Vec<Gap> = unread(user, &fs).collect();
                    assert_eq!(gaps.len(), 1, "{path}");
                    assert!(gaps[0].why.contains(path), "{gaps:?}");
                    assert_eq!(gaps[0].hides, Hides::Accounts);
                }
            }
        }
        let fs = rootfs([text("/etc/passwd", passwd)]);
        assert_eq!(unread(None, &fs).count(), 0);
    }

    #[test]
    fn lines_that_readers_take_differently_are_noted_once_for_each_sort() {
        let passwd = "root:x:0:0::/:\n1000:x:5:5::/:\nb:x:6:6::/:\nb:x:7:7::/:\nc:x:6:8::/:\nshort:x:9:9\nd:x: 10:10::/:\n\
                      12:x:13:13::/:\n1b:x:14:14::/:\n";
        let notes = ambiguous(passwd.as_bytes());
        let starts = [
            "the account `1000` in line 2 of /etc/passwd is a number",
            "the account `b` in line 4 of /etc/passwd has a line before",
            "the account `c` in line 5 of /etc/passwd shares its uid",
            "the account `short` in line 6 of /etc/passwd has an id that is no number or too few fields",
        ];
        assert_eq!(notes.len(), starts.len(), "{notes:#?}");
        for (note, start) in notes.iter().zip(starts) {
            assert!(note.starts_with(start), "{note}");
        }
        assert!(notes[0].contains("CVE-2026-46680") && notes[0].ends_with(", and so do 1 more"));
        assert!(notes[3].ends_with(", and so do 1 more") && !notes[1].contains("more"));
        assert!(ambiguous(b"root:x:0:0::/:\n#a:x:1:1::/:\nb:x:2:1::/:\n").is_empty());
    }
}
