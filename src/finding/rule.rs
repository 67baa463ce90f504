//! A rule: a public, stable id, its severity, and the page that explains it.

use super::Severity;

/// A family of rules, for grouping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FamilyOfRules {
    /// Programs that do not belong to the application.
    Tools,
    /// Files that building left behind.
    Leftovers,
    /// Who the container runs as, and who could log in.
    Users,
    /// Modes, owners and capabilities that give away rights.
    Privileges,
    /// Whether and how the container starts.
    StartUp,
    /// What the image tells or opens to others.
    Exposure,
    /// What is shipped without being seen.
    Cargo,
}

impl FamilyOfRules {
    /// The word in reports and documentation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Leftovers => "leftovers",
            Self::Users => "users",
            Self::Privileges => "privileges",
            Self::StartUp => "start-up",
            Self::Exposure => "exposure",
            Self::Cargo => "cargo",
        }
    }
}

/// One rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Kebab-case, public, stable: reads well after "allow".
    pub id: &'static str,
    /// A short title, sentence case, no full stop.
    pub title: &'static str,
    /// Where it belongs.
    pub family: FamilyOfRules,
    /// How bad a finding of it is, if the evidence does not say otherwise.
    pub severity: Severity,
    /// Whether it speaks of security; `missing-program` and such speak of an image that does not work.
    pub security: bool,
    /// The page: what, why, how to fix. Markdown.
    pub page: &'static str,
}

impl Rule {
    /// The rule with this id.
    pub fn get(id: &str) -> Option<&'static Self> {
        RULES.iter().find(|rule| rule.id == id)
    }
}

/// Writes one row of the table: the page's file name is the rule's id.
macro_rules! rule {
    ($id:literal, $family:ident, $severity:ident, $title:literal) => {
        rule!($id, $family, $severity, $title, security: true)
    };
    ($id:literal, $family:ident, $severity:ident, $title:literal, security: $security:literal) => {
        Rule {
            id: $id,
            title: $title,
            family: FamilyOfRules::$family,
            severity: Severity::$severity,
            security: $security,
            page: include_str!(concat!("../../policies/rules/", $id, ".md")),
        }
    };
}

/// Every rule, in the order of reports and documentation.
pub static RULES: &[Rule] = &[
    rule!("shell", Tools, Critical, "A shell is in the image"),
    rule!(
        "package-manager",
        Tools,
        High,
        "A package manager is in the image"
    ),
    rule!("network-tool", Tools, High, "A network tool is in the image"),
    rule!("debug-tool", Tools, Medium, "A debug tool is in the image"),
    rule!("build-tool", Tools, Medium, "A build tool is in the image"),
    rule!("interpreter", Tools, Medium, "An interpreter is in the image"),
    rule!(
        "privilege-tool",
        Tools,
        High,
        "A tool that changes privileges is in the image"
    ),
    rule!(
        "os-utility",
        Tools,
        Low,
        "An operating-system utility is in the image"
    ),
    rule!(
        "packed-executable",
        Tools,
        High,
        "An executable is packed and cannot be looked into"
    ),
    rule!(
        "foreign-executable",
        Tools,
        Low,
        "A program is for another processor"
    ),
    rule!(
        "package-database",
        Leftovers,
        Low,
        "A package manager's database is in the image"
    ),
    rule!("root-user", Users, High, "The container runs as root"),
    rule!("root-group", Users, Low, "The container runs with group 0"),
    rule!(
        "unknown-user",
        Users,
        Medium,
        "The configured user cannot be resolved"
    ),
    rule!(
        "non-numeric-user",
        Users,
        Low,
        "The user is a name, which Kubernetes cannot verify"
    ),
    rule!("extra-root-account", Users, High, "Another account is root"),
    rule!("login-account", Users, Low, "An account can log in"),
    rule!("empty-password", Users, High, "An account needs no password"),
    rule!(
        "setuid-file",
        Privileges,
        High,
        "A program runs with its owner's rights"
    ),
    rule!(
        "setgid-file",
        Privileges,
        Medium,
        "A program runs with its group's rights"
    ),
    rule!(
        "file-capability",
        Privileges,
        High,
        "A program carries file capabilities"
    ),
    rule!(
        "world-writable-path",
        Privileges,
        Medium,
        "A path is writable by everybody"
    ),
    rule!(
        "writable-program",
        Privileges,
        High,
        "The running user can change what it runs"
    ),
    rule!("device-file", Privileges, Medium, "A device is in the image"),
    rule!(
        "shell-form-command",
        StartUp,
        Medium,
        "The container starts through a shell"
    ),
    rule!("missing-program", StartUp, High, "The program to start is not there", security: false),
    rule!(
        "missing-library",
        StartUp,
        High,
        "A library that the program needs is not there",
        security: false
    ),
    rule!("no-command", StartUp, Info, "The image names nothing to start", security: false),
    rule!(
        "shell-healthcheck",
        StartUp,
        Low,
        "The health check needs a shell, or cannot run"
    ),
    rule!("secret-file", Exposure, High, "A file holds a secret"),
    rule!(
        "secret-in-config",
        Exposure,
        High,
        "The configuration holds a secret"
    ),
    rule!(
        "remote-login-port",
        Exposure,
        Low,
        "A port for remote login is declared"
    ),
    rule!(
        "sensitive-volume",
        Exposure,
        Low,
        "A volume covers a place of the system"
    ),
    rule!(
        "residue",
        Cargo,
        Low,
        "A lower layer still ships what was removed"
    ),
    rule!(
        "unreachable-executable",
        Cargo,
        Info,
        "Programs that the entry point does not reach"
    ),
];
