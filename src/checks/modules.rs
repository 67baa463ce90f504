//! A module tree is code of a tool that an interpreter of the image runs, with or without a script of the tool's own.

use std::{collections::BTreeSet, fmt::Write as _};

use crate::{
    binary::{Form, Program},
    catalog::Module,
    finding::{Alias, AliasKind, Evidence, Finding, Qualifier, Rule},
    layer::Kind,
    path::RootPath,
    rootfs::Node,
};

use super::{Subject, tools};

/// Parts of one tool that a message names.
const NAMED: usize = 2;

/// One tree of a tool's code.
pub(super) struct Tree<'a> {
    module: &'a Module,
    /// The file that tells of it.
    key: &'a Node,
    /// Its directory, or the file itself if that stands alone.
    root: RootPath,
}

/// All trees of tools under a rule, by tool; what runs as it is before what must be unpacked first.
pub(super) fn find<'a>(rule: &Rule, subject: &Subject<'a>) -> Vec<Tree<'a>> {
    let under_rule = |module: &&Module| {
        let meaning = subject.catalog.meaning(&module.tool, &[]);
        meaning.is_some_and(|meaning| meaning.rule == Some(rule.id))
    };
    let modules: Vec<&Module> = subject.catalog.modules().iter().filter(under_rule).collect();
    let mut trees: Vec<Tree<'_>> = Vec::new();
    if modules.is_empty() {
        return trees;
    }
    let files = subject
        .rootfs
        .nodes()
        .filter(|node| node.kind == Kind::File && node.size > 0);
    for (node, path) in files.flat_map(|node| node.paths.iter().map(move |path| (node, path))) {
        for module in &modules {
            let Some(depth) = module.depth(path.as_bytes()) else {
                continue;
            };
            let shown = |node: &Node| {
                let kept = node.kept.as_ref();
                kept.is_some_and(|kept| module.shown_in(&kept.bytes))
            };
            if module.asks_for_content() && !shown(node) {
                continue;
            }
            let above = std::iter::successors(Some(path.clone()), RootPath::parent);
            let root = above.take(depth).last().unwrap_or_default();
            trees.push(Tree {
                module,
                key: node,
                root,
            });
        }
    }
    trees.sort_by(|a, b| key(a).cmp(&key(b)));
    trees.dedup_by(|a, b| key(a) == key(b));
    trees
}

fn key<'t>(tree: &'t Tree<'_>) -> (&'t str, bool, &'t RootPath) {
    (&tree.module.tool, tree.module.dormant, &tree.root)
}

/// Whether a script of this family loads code that is not in the image. One that carries its code in itself does not.
pub(super) fn lacks_code(program: &Program, family: &str, trees: &[Tree<'_>], subject: &Subject<'_>) -> bool {
    let Form::Script(_) = program.form else {
        return false;
    };
    let carries = |program: &Program| {
        let mut families = program.identities.iter().map(|identity| identity.family.as_str());
        families.any(|family| family.starts_with("bundle."))
    };
    let mut known = subject.catalog.modules().iter();
    let mut there = trees.iter().filter(|tree| !tree.module.dormant);
    known.any(|module| module.serves(family))
        && !there.any(|tree| tree.module.serves(family))
        && !carries(program)
        // The code may be in what was not read.
        && subject.rootfs.gaps().is_empty()
}

/// One finding for each tool, of its scripts and its trees.
pub(super) fn join(
    rule: &'static Rule,
    words: &tools::Words,
    scripts: Vec<(String, Finding)>,
    trees: &[Tree<'_>],
    runnable: impl Fn(&Module) -> bool,
    subject: &Subject<'_>,
) -> Vec<Finding> {
    let trees: Vec<&Tree<'_>> = trees.iter().filter(|tree| runnable(tree.module)).collect();
    let of_scripts = scripts.iter().map(|(family, _)| family.clone());
    let families: BTreeSet<String> = of_scripts
        .chain(trees.iter().map(|tree| tree.module.tool.clone()))
        .collect();
    let mut by_family: Vec<(String, Vec<Finding>)> =
        families.into_iter().map(|family| (family, Vec::new())).collect();
    for (family, finding) in scripts {
        if let Some((_, all)) = by_family.iter_mut().find(|(known, _)| *known == family) {
            all.push(finding);
        }
    }
    let mut found = Vec::new();
    for (family, mut scripts) in by_family {
        let trees = trees.iter().filter(|tree| tree.module.tool == family);
        let mut trees: Vec<Finding> = trees
            .filter_map(|tree| of_tree(rule, words, tree, subject))
            .collect();
        scripts.sort_by(|a, b| (b.severity, &a.path).cmp(&(a.severity, &b.path)));
        scripts.append(&mut trees);
        let mut parts = scripts.into_iter();
        if let Some(first) = parts.next() {
            found.push(parts.fold(Joined::of(first), Joined::with).end());
        }
    }
    found
}

/// A finding that takes up others of the same tool.
struct Joined {
    finding: Finding,
    others: Vec<RootPath>,
}

impl Joined {
    fn of(finding: Finding) -> Self {
        Self {
            finding,
            others: Vec::new(),
        }
    }

    fn with(mut self, part: Finding) -> Self {
        self.finding.bytes = self.finding.bytes.saturating_add(part.bytes);
        self.finding.capabilities.extend(part.capabilities);
        self.finding.aliases.extend(part.aliases);
        if let Some(path) = part.path {
            self.finding.aliases.push(Alias {
                path: path.clone(),
                kind: AliasKind::Part,
            });
            self.others.push(path);
        }
        self
    }

    fn end(mut self) -> Finding {
        let finding = &mut self.finding;
        finding.capabilities.sort_unstable();
        finding.capabilities.dedup();
        finding.aliases.sort_unstable();
        finding.aliases.dedup();
        if !self.others.is_empty() {
            let named: Vec<String> = self.others.iter().take(NAMED).map(ToString::to_string).collect();
            let more = self.others.len().saturating_sub(NAMED);
            finding.message.push_str("; more of it in ");
            finding.message.push_str(&named.join(" and "));
            if more > 0 {
                let _ = write!(finding.message, ", and {more} more");
            }
        }
        self.finding
    }
}

fn of_tree(
    rule: &'static Rule,
    words: &tools::Words,
    tree: &Tree<'_>,
    subject: &Subject<'_>,
) -> Option<Finding> {
    let Tree { module, key, root } = tree;
    let family = subject.catalog.family(&module.tool)?;
    let meaning = subject.catalog.meaning(&module.tool, &[])?;
    let name = family.names.first().unwrap_or(&family.id);
    let (what, run) = (words.what, &module.run);
    let message = if module.dormant {
        format!("{root} holds {name}, {what}, packed: `{run}` unpacks it")
    } else {
        format!("{root} is likely {name}, {what}: `{run}` runs it without a script of its own")
    };
    let mut finding = Finding::new(rule, message, words.fix);
    if module.dormant {
        finding.severity = tools::lower(rule.severity, 2);
        finding.qualifier = Some(Qualifier::Dormant);
    }
    finding.layer = Some(key.layer);
    finding.capabilities = meaning.capabilities.iter().map(|&id| id.to_owned()).collect();
    let below = subject.rootfs.under(root).map(|(_, node)| node.size);
    let alone = key.paths.contains(root).then_some(key.size);
    finding.bytes = below.chain(alone).fold(0, u64::saturating_add);
    finding.identity = Some(Evidence {
        name: name.clone(),
        family: module.tool.clone(),
        version: None,
        confidence: "likely",
        evidence: format!(
            "its modules, which an interpreter of the image runs ({})",
            module.needs.join(", ")
        ),
        latent: false,
    });
    finding.path = Some(root.clone());
    Some(finding)
}
