//! A program with file capabilities gives parts of root's rights to whoever starts it.

use crate::{
    binary::Form,
    finding::{Finding, Rule, Severity},
    layer::Kind,
    rootfs::Node,
};

use super::{
    Check, Subject,
    capability::{self, FileCapabilities, Power, names},
    identify, tools,
};

const RULE: &str = "file-capability";
const FIX: &str = "Remove the capability with `setcap -r` in the instruction that brings the file, and grant what the \
                   application needs when the container is started";

/// The attribute's name in libarchive's own form (`tar(5)`).
const NOT_APPLIED: &str = "LIBARCHIVE.xattr.security.capability";

/// The check.
pub(super) const CHECK: Check = Check {
    rule: RULE,
    wants: &[],
    run,
};

fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(rule) = Rule::get(RULE) else {
        return Vec::new();
    };
    let found = |node: &Node| {
        let Some(raw) = node.capability.as_deref() else {
            return not_applied(rule, node);
        };
        let value = capability::decode(raw);
        let script = matches!(
            node.program.as_ref().map(|program| &program.form),
            Some(Form::Script(_))
        );
        let runs = node.kind == Kind::File && node.mode & 0o111 != 0 && !script;
        // A broken value harms the extraction of any file; a good one only counts on a program.
        if value.is_ok() && !runs {
            return None;
        }
        Some(finding(rule, node, &value, subject))
    };
    subject.rootfs.nodes().filter_map(found).collect()
}

/// A capability in the form of old bsdtar, which Go's `archive/tar` and so the common runtimes leave out.
fn not_applied(rule: &'static Rule, node: &Node) -> Option<Finding> {
    if !node.xattrs.iter().any(|name| name == NOT_APPLIED) {
        return None;
    }
    let path = tools::first_path(node);
    let carries = format!("{path} carries `{NOT_APPLIED}`, which common runtimes do not apply");
    let message = match node.unapplied_capability.as_deref().map(capability::decode) {
        Some(Ok(set)) if set.permitted != 0 => {
            format!(
                "{carries}; one that does would give {} to whoever starts it",
                names(set.permitted)
            )
        }
        Some(Err(why)) => format!("{carries}; its value {why}"),
        Some(Ok(_)) | None => carries,
    };
    let mut finding = Finding::new(rule, message, FIX);
    finding.severity = Severity::Low;
    finding.layer = Some(node.layer);
    finding.path = Some(path);
    Some(finding)
}

fn finding(
    rule: &'static Rule,
    node: &Node,
    value: &Result<FileCapabilities, String>,
    subject: &Subject<'_>,
) -> Finding {
    let path = tools::first_path(node);
    let (severity, message) = match value {
        Ok(set) => describe(&path.to_string(), set),
        Err(why) => (
            Severity::Low,
            format!(
                "{path} carries a `security.capability` that {why}: the layer may not unpack, or the program not start"
            ),
        ),
    };
    let mut finding = Finding::new(rule, message, FIX);
    finding.severity = severity;
    finding.aliases = identify::aliases(node, subject);
    finding.layer = Some(node.layer);
    finding.bytes = node.size;
    finding.path = Some(path);
    if let Some((evidence, capabilities)) = identify::evidence(node, subject) {
        finding.identity = Some(evidence);
        finding.capabilities = capabilities;
    }
    finding
}

fn describe(path: &str, set: &FileCapabilities) -> (Severity, String) {
    let how = if set.effective {
        ""
    } else {
        " once the program raises it"
    };
    let gives = format!("{path} gives {} to whoever starts it{how}", names(set.permitted));
    let (mut severity, fact) = match set.power() {
        Power::Root => (Severity::High, format!("{gives}, which is as good as root")),
        Power::Medium => (Severity::Medium, gives),
        Power::Low => (Severity::Low, gives),
        Power::Nothing if set.inheritable != 0 => (
            Severity::Info,
            format!(
                "{path} may inherit {}, which gives nothing in a container that is started with the defaults",
                names(set.inheritable)
            ),
        ),
        Power::Nothing => (
            Severity::Info,
            format!("{path} carries an empty set of file capabilities"),
        ),
    };
    let mut remarks = vec![fact];
    if set.root_id != 0 {
        severity = tools::lower(severity, 1);
        remarks.push(format!(
            "it counts only in user namespaces whose root is uid {}",
            set.root_id
        ));
    }
    let beyond = set.beyond_default();
    if beyond != 0 {
        remarks.push(format!(
            "a container without {} in its bounding set cannot start it at all",
            names(beyond)
        ));
    } else if set.beyond_crio() != 0 {
        remarks.push(format!(
            "CRI-O, whose default bounding set has no {}, cannot start it at all",
            names(set.beyond_crio())
        ));
    }
    (severity, remarks.join("; "))
}
