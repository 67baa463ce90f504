//! Checks turn facts into findings: one file per check, and one ordered list of them.

mod access;
mod build_tool;
mod capability;
mod combination;
mod command_line;
mod debug_tool;
mod device_file;
mod empty_password;
mod extra_root_account;
mod file_capability;
mod foreign_executable;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod identify;
mod inside;
mod interpreter;
mod interpreters;
mod login_account;
mod machine;
mod missing_library;
mod missing_program;
mod modules;
mod network_tool;
mod no_command;
mod non_numeric_user;
mod obstacle;
mod os_utility;
mod package_database;
mod package_manager;
mod packed_executable;
mod privilege_tool;
mod reach;
mod remote_login_port;
mod residue;
mod root_group;
mod root_user;
mod secret_file;
mod secret_in_config;
mod sensitive_volume;
mod set_id;
mod setgid_file;
mod setuid_file;
mod shell;
mod shell_form_command;
mod shell_healthcheck;
mod start;
#[cfg(test)]
mod tests;
mod tools;
mod trusted;
mod unknown_user;
mod unreachable_executable;
mod user;
mod who;
mod world_writable_path;
mod writable_program;

use std::{cell::OnceCell, collections::BTreeMap};

pub use combination::{Together, combinations};

use crate::{
    catalog::Catalog,
    finding::{FamilyOfRules, Finding, RULES, Rule, State},
    gap::Hides,
    image::{ImageConfig, Platform},
    layer::Want,
    path::RootPath,
    rootfs::Rootfs,
};

/// One check. It only finds: it does not print, judge, score, waive or exit.
pub struct Check {
    /// Id of the rule whose findings it makes.
    pub rule: &'static str,
    /// Files whose content it needs.
    pub wants: &'static [Want],
    /// Looks at an image.
    pub run: fn(&Subject<'_>) -> Vec<Finding>,
}

/// What a check may look at; made by [`Subject::new`].
pub struct Subject<'a> {
    /// The merged file system.
    pub rootfs: &'a Rootfs,
    /// The configuration; `None` for a bare root file system.
    pub config: Option<&'a ImageConfig>,
    /// The platform of the image, where known.
    pub platform: Option<&'a Platform>,
    /// What the tools are.
    pub catalog: &'a Catalog,
    /// What the entry point needs, once it was asked for.
    closure: OnceCell<reach::Closure>,
    /// See [`Subject::rules_of_tools`].
    rules_of_tools: OnceCell<Vec<Option<&'static str>>>,
}

impl<'a> Subject<'a> {
    /// An image as checks see it: see the fields.
    pub fn new(
        rootfs: &'a Rootfs,
        config: Option<&'a ImageConfig>,
        platform: Option<&'a Platform>,
        catalog: &'a Catalog,
    ) -> Self {
        Self {
            rootfs,
            config,
            platform,
            catalog,
            closure: OnceCell::new(),
            rules_of_tools: OnceCell::new(),
        }
    }

    /// What the entry point needs.
    fn closure(&self) -> &reach::Closure {
        self.closure.get_or_init(|| reach::closure(self))
    }

    /// For each node, in their order, the rule about tools that it falls under by its content or its names.
    fn rules_of_tools(&self) -> &[Option<&'static str>] {
        self.rules_of_tools.get_or_init(|| {
            let rule = |node| tools::rule_of(node, self);
            self.rootfs.nodes().map(rule).collect()
        })
    }
}

/// Every check, in the order of the rules.
pub static CHECKS: &[Check] = &[
    shell::CHECK,
    package_manager::CHECK,
    network_tool::CHECK,
    debug_tool::CHECK,
    build_tool::CHECK,
    interpreter::CHECK,
    privilege_tool::CHECK,
    os_utility::CHECK,
    packed_executable::CHECK,
    foreign_executable::CHECK,
    package_database::CHECK,
    root_user::CHECK,
    root_group::CHECK,
    unknown_user::CHECK,
    non_numeric_user::CHECK,
    extra_root_account::CHECK,
    login_account::CHECK,
    empty_password::CHECK,
    setuid_file::CHECK,
    setgid_file::CHECK,
    file_capability::CHECK,
    world_writable_path::CHECK,
    writable_program::CHECK,
    device_file::CHECK,
    shell_form_command::CHECK,
    missing_program::CHECK,
    missing_library::CHECK,
    no_command::CHECK,
    shell_healthcheck::CHECK,
    secret_file::CHECK,
    secret_in_config::CHECK,
    remote_login_port::CHECK,
    sensitive_volume::CHECK,
    residue::CHECK,
    unreachable_executable::CHECK,
];

/// All contents that the checks need.
pub fn wants() -> Vec<Want> {
    let mut wants: Vec<Want> = CHECKS.iter().flat_map(|check| check.wants).copied().collect();
    wants.sort_unstable();
    wants.dedup();
    wants
}

/// Runs every check. Findings come in the order of the rules, then by path and subject.
pub fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in CHECKS {
        let mut found = (check.run)(subject);
        for finding in &mut found {
            add_reach(finding, subject);
        }
        found.sort_by(|a, b| (&a.path, &a.subject, a.layer).cmp(&(&b.path, &b.subject, b.layer)));
        findings.append(&mut found);
    }
    findings
}

/// Rules that look at the configuration alone.
const OF_CONFIG: [&str; 5] = [
    "shell-form-command",
    "no-command",
    "secret-in-config",
    "remote-login-port",
    "sensitive-volume",
];

/// Says of a tool whether the entry point needs it.
fn add_reach(finding: &mut Finding, subject: &Subject<'_>) {
    if finding.rule.family == FamilyOfRules::Tools && finding.state == State::Present {
        let node = finding.path.as_ref().and_then(|path| subject.rootfs.get(path));
        finding.reach = node.and_then(|node| subject.closure().reach(node));
    }
}

/// The rules whose findings something unread could hide, in the order of the rules.
pub fn hidden_by(hides: Hides) -> Vec<&'static Rule> {
    let could_hide = |rule: &&Rule| match hides {
        // What is read of the configuration alone no file can hide.
        Hides::Anything => !OF_CONFIG.contains(&rule.id),
        Hides::Programs => rule.family == FamilyOfRules::Tools || rule.id == "login-account",
        Hides::Accounts => rule.family == FamilyOfRules::Users,
        Hides::Contents => {
            matches!(rule.family, FamilyOfRules::Leftovers | FamilyOfRules::Cargo)
                && rule.id != "unreachable-executable"
        }
        Hides::Nothing => false,
    };
    RULES.iter().filter(could_hide).collect()
}

/// Something that an intruder could do with what a container holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ability {
    /// Id in the catalogue: `exec.shell`.
    pub id: String,
    /// One word for several that are told together: `execute`.
    pub group: String,
    /// What it means, in words.
    pub meaning: String,
    /// ATT&CK techniques.
    pub attack: Vec<String>,
    /// The cheapest way: the surest program, then the shortest path.
    pub by: RootPath,
}

/// What could be done with what the container sees, each with the cheapest way; sorted by id.
pub fn capabilities<'f>(findings: impl IntoIterator<Item = &'f Finding>, catalog: &Catalog) -> Vec<Ability> {
    let mut cheapest: BTreeMap<&str, (u8, usize, &RootPath)> = BTreeMap::new();
    for finding in findings {
        let (Some(path), State::Present) = (&finding.path, finding.state) else {
            continue;
        };
        let (unsure, length, _) = combination::cost(finding);
        let way = (unsure, length, path);
        for id in &finding.capabilities {
            cheapest
                .entry(id)
                .and_modify(|best| *best = way.min(*best))
                .or_insert(way);
        }
    }
    cheapest
        .into_iter()
        .map(|(id, (_, _, by))| {
            let known = catalog.capability(id);
            Ability {
                id: id.to_owned(),
                group: known.map_or_else(String::new, |known| known.group.clone()),
                meaning: known.map_or_else(String::new, |known| known.meaning.clone()),
                attack: known.map_or_else(Vec::new, |known| known.attack.clone()),
                by: by.clone(),
            }
        })
        .collect()
}
