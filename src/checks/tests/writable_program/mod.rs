//! Tests of `writable-program`: what the user that a container runs as can change of what it runs and trusts.

mod access;
mod loader;
mod start;
mod trusted;

use super::*;

const MUSL: &str = "/lib/ld-musl-x86_64.so.1";

/// Findings as path and the beginning of what is said of the path, for a container of user 1000 in groups 1000 and 10.
fn changed(
    entries: impl IntoIterator<Item = Entry>,
    command: &[&str],
    change: impl FnOnce(&mut ImageConfig),
) -> Vec<(String, String)> {
    let mut entries: Vec<Entry> = entries.into_iter().collect();
    if !entries.iter().any(|entry| entry.path == "/etc/group".into()) {
        entries.push(text("/etc/passwd", "app:x:1000:1000::/:/x\n"));
        entries.push(text("/etc/group", "wheel:x:10:app\n"));
    }
    let mut config = config("1000", command, &[]);
    change(&mut config);
    look("writable-program", &rootfs(entries), Some(&config))
        .into_iter()
        .map(|finding| {
            let path = finding.path.as_ref().unwrap().to_string();
            let entry = finding.qualifier.is_none();
            let role = finding.message.strip_prefix(&format!("{path}, ")).unwrap();
            let role = role.split(", can be changed").next().unwrap();
            assert_eq!(entry, role == "the program that the container starts", "{role}");
            assert_eq!(
                entry || role == "what runs the program that the container starts",
                finding.severity == Severity::High
            );
            assert!(finding.layer.is_some());
            (path, role.to_owned())
        })
        .collect()
}

fn changeable(entries: impl IntoIterator<Item = Entry>, command: &[&str]) -> Vec<String> {
    let found = changed(entries, command, |_| {});
    found.into_iter().map(|(path, _)| path).collect()
}

fn mine(entry: Entry) -> Entry {
    owned(entry, 1000, 0)
}

fn needs(entry: Entry, loader: &str, needed: &[&str]) -> Entry {
    let mut entry = dynamic(entry, loader);
    elf(&mut entry).needed = needed.iter().map(|name| name.as_bytes().to_vec()).collect();
    entry
}
