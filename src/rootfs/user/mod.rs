//! The user is who a container runs as: what each runtime makes of `config.User` and the image's account files.
//!
//! Three models: Docker (moby's `GetExecUser`, which podman, buildah and CRI-O share), containerd's image mode (`ctr`,
//! nerdctl) and its CRI mode (Kubernetes). Beside them stands the kubelet, which judges `runAsNonRoot` by the text alone.

use std::fmt;

mod models;
#[cfg(test)]
mod tests;

use super::{
    Rootfs,
    accounts::{Accounts, Number, atoi},
};
use crate::text::escape;
use models::{account, containerd, docker, kubelet, number, split};

/// A way to find out who a container runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Runtime {
    /// Docker, podman, buildah, CRI-O.
    Docker,
    /// containerd's image mode: `ctr`, nerdctl.
    Containerd,
    /// containerd's CRI mode: Kubernetes.
    Kubernetes,
}

/// Shown by name.
impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "Docker",
            Self::Containerd => "containerd",
            Self::Kubernetes => "containerd under Kubernetes",
        })
    }
}

/// Ids that a container starts with, cut to 32 bits as runtimes do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids {
    /// User.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Supplementary groups in the order of the file, without the primary one that some runtimes add.
    pub groups: Vec<u32>,
}

/// What a runtime does with the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It starts.
    Starts(Ids),
    /// It refuses to start.
    Refused(Refusal),
    /// The answer is in a file whose content was not kept.
    Unknown(String),
}

/// Why a runtime refuses to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub part: Part,
    /// The same as a sentence, image text escaped.
    pub why: String,
}

/// The part of `User` or of the account files for which a runtime refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// A user name that passwd lacks.
    User,
    /// A group name that group lacks.
    Group,
    /// A number outside 0 to 2³¹−1.
    Range,
    /// More than two parts.
    Form,
    /// A file that cannot be read.
    File,
}

/// What the kubelet does under `runAsNonRoot: true` without `runAsUser`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kubelet {
    /// Starts it.
    Accepts,
    /// Refuses: root.
    Root,
    /// Refuses: cannot verify a name.
    Name,
    /// Refuses a number that no user id can be; kubelets before 2025 accept it.
    Range,
}

/// Who the container runs as, in every model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserResolution {
    /// `config.User` as written.
    pub user: String,
    /// Docker's answer.
    pub docker: Outcome,
    /// containerd's answer.
    pub containerd: Outcome,
    /// containerd's answer under Kubernetes.
    pub kubernetes: Outcome,
    /// The kubelet's answer.
    pub kubelet: Kubelet,
    /// What could not be looked into.
    pub gap: Option<String>,
    line: Option<Line>,
}

/// The line of passwd that gives the user its ids.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    number: usize,
    name: Vec<u8>,
    uid_field: Vec<u8>,
    uid: i64,
}

/// A fact about the user that a rule asks for: which runtimes it holds for, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Where it shows; never empty.
    pub runtimes: Vec<Runtime>,
    /// Why, a clause in lower case without a full stop, image text escaped.
    pub why: String,
    /// Whether what happens behind the runtime's specification is not certain.
    pub unsure: bool,
}

/// Finds out who a container of the image runs as. `user` is `config.User`, empty when unset.
pub fn resolve(user: &str, rootfs: &Rootfs) -> UserResolution {
    let files = Accounts::read(rootfs);
    let [docker, containerd, kubernetes] = [
        docker(user, &files),
        containerd(user, &files, Runtime::Containerd),
        containerd(user, &files, Runtime::Kubernetes),
    ]
    .map(|result| result.map_or_else(|stop| stop, Outcome::Starts));
    let gap = [&docker, &containerd, &kubernetes]
        .into_iter()
        .find_map(|outcome| match outcome {
            Outcome::Unknown(why) => Some(why.clone()),
            _ => None,
        });
    let (name, _) = split(user);
    let line = account(files.passwd.text(), name).map(|account| Line {
        number: account.line,
        name: account.name.into(),
        uid_field: account.uid_field.into(),
        uid: account.uid,
    });
    UserResolution {
        user: user.into(),
        docker,
        containerd,
        kubernetes,
        kubelet: kubelet(name),
        gap,
        line,
    }
}

impl UserResolution {
    /// Each model with its answer.
    pub fn models(&self) -> [(Runtime, &Outcome); 3] {
        [
            (Runtime::Docker, &self.docker),
            (Runtime::Containerd, &self.containerd),
            (Runtime::Kubernetes, &self.kubernetes),
        ]
    }

    /// The ids to report: Docker's, else those of the first model that starts.
    pub fn ids(&self) -> Option<&Ids> {
        self.models().into_iter().find_map(|(_, outcome)| match outcome {
            Outcome::Starts(ids) => Some(ids),
            _ => None,
        })
    }

    /// Rule `root-user`: some runtime starts the container as uid 0.
    ///
    /// Uid 2³²−1 counts, unsure: the kernel takes it as "leave unchanged", so that a runtime may stay root.
    pub fn root(&self) -> Option<Verdict> {
        let root = |ids: &Ids| ids.uid == 0 || ids.uid == u32::MAX;
        let mut runtimes = self.starting(root);
        let (name, _) = split(&self.user);
        if self.gap.is_some() && (name.is_empty() || number(name) == Some(0)) {
            // No account file changes that.
            runtimes = self.models().map(|(runtime, _)| runtime).into();
        }
        if runtimes.is_empty() {
            return None;
        }
        let user = escape(self.user.as_bytes());
        let why = match &self.line {
            _ if self.user.is_empty() => "User is unset, which means root".into(),
            _ if name.is_empty() => format!("User `{user}` names no user, which means root"),
            _ if number(name) == Some(0) => format!("User `{user}` is uid 0"),
            Some(line) => {
                let field = escape(&line.uid_field);
                let read = match (atoi(&line.uid_field), line.uid as u32) {
                    (Number::Exact(0), _) => "uid 0".into(),
                    (Number::No, _) => format!("`{field}` for a uid, which runtimes read as 0"),
                    (_, cut) => format!("uid {field}, which runtimes cut to {cut}"),
                };
                format!(
                    "line {} of /etc/passwd gives `{}` {read}",
                    line.number,
                    escape(&line.name)
                )
            }
            None => format!("User `{user}` is uid 0"),
        };
        let unsure = self.starting(|ids| ids.uid == 0).is_empty() && self.gap.is_none();
        Some(Verdict {
            runtimes,
            why,
            unsure,
        })
    }

    /// Rule `root-group`: not root, but some runtime gives it gid 0 or a supplementary group 0.
    pub fn root_group(&self) -> Option<Verdict> {
        if self.root().is_some() {
            return None;
        }
        let runtimes = self.starting(|ids| ids.gid == 0 || ids.groups.contains(&0));
        let primary = self.starting(|ids| ids.gid == 0);
        if runtimes.is_empty() {
            return None;
        }
        let user = escape(self.user.as_bytes());
        let (_, group) = split(&self.user);
        let why = match (&self.line, group) {
            _ if primary.is_empty() => "/etc/group lists it in a group of gid 0".into(),
            (_, Some(group)) if !group.is_empty() => format!("User `{user}` asks for a group of gid 0"),
            (_, Some(_)) if primary.len() < 3 => {
                format!("User `{user}` ends in a colon, for which containerd takes gid 0")
            }
            (Some(line), _) => format!("line {} of /etc/passwd gives it gid 0", line.number),
            (None, _) => {
                format!("User `{user}` has no line in /etc/passwd and names no group, which means gid 0")
            }
        };
        Some(Verdict {
            runtimes,
            why,
            unsure: false,
        })
    }

    /// Rule `unknown-user`: some runtime refuses to start because of `User` or the account files. With what is wrong.
    pub fn refused(&self) -> Option<(Part, Verdict)> {
        let mut refusals = self
            .models()
            .into_iter()
            .filter_map(|(runtime, outcome)| match outcome {
                Outcome::Refused(refusal) => Some((runtime, refusal)),
                _ => None,
            });
        let (runtime, refusal) = refusals.next()?;
        let runtimes = std::iter::once(runtime)
            .chain(refusals.map(|(runtime, _)| runtime))
            .collect();
        Some((
            refusal.part,
            Verdict {
                runtimes,
                why: refusal.why.clone(),
                unsure: false,
            },
        ))
    }

    /// Rule `non-numeric-user`: `User` is a name, so that Kubernetes cannot verify `runAsNonRoot`. With the numeric form to
    /// write instead.
    pub fn non_numeric(&self) -> Option<(String, Verdict)> {
        let (name, _) = split(&self.user);
        let ids = self.ids()?;
        if number(name).is_some() || self.root().is_some() {
            return None;
        }
        let verdict = Verdict {
            runtimes: self.starting(|_| true),
            why: format!("User `{}` is a name", escape(self.user.as_bytes())),
            unsure: false,
        };
        Some((format!("{}:{}", ids.uid, ids.gid), verdict))
    }

    fn starting(&self, holds: impl Fn(&Ids) -> bool) -> Vec<Runtime> {
        let models = self.models().into_iter();
        models
            .filter(|(_, outcome)| matches!(outcome, Outcome::Starts(ids) if holds(ids)))
            .map(|(runtime, _)| runtime)
            .collect()
    }
}
