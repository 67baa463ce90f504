//! Taxonomies tie rules to weaknesses (CWE) and techniques (ATT&CK) for readers other than GitHub, which passes over them.

use serde_sarif::sarif::{
    MultiformatMessageString, ReportingDescriptor, ReportingDescriptorReference,
    ReportingDescriptorRelationship, ToolComponent, ToolComponentReference,
};

use crate::{finding::Rule, output::standards};

/// One taxonomy, and its key in `policies/standards.toml`.
struct Taxonomy {
    key: &'static str,
    name: &'static str,
    page: &'static str,
    about: &'static str,
}

const ALL: [Taxonomy; 2] = [
    Taxonomy {
        key: "cwe",
        name: "CWE",
        page: "https://cwe.mitre.org/",
        about: "The MITRE Common Weakness Enumeration.",
    },
    Taxonomy {
        key: "attack",
        name: "ATT&CK",
        page: "https://attack.mitre.org/",
        about: "MITRE ATT&CK: what adversaries do.",
    },
];

/// The taxonomies, with every clause that a rule may speak to.
pub(super) fn all() -> Vec<ToolComponent> {
    let component = |taxonomy: &Taxonomy| {
        let taxa: Vec<ReportingDescriptor> = standards::clauses(taxonomy.key)
            .into_iter()
            .map(|clause| {
                ReportingDescriptor::builder()
                    .id(&clause.id)
                    .short_description(text(&clause.title))
                    .build()
            })
            .collect();
        ToolComponent::builder()
            .name(taxonomy.name)
            .organization("MITRE")
            .information_uri(taxonomy.page)
            .short_description(text(taxonomy.about))
            .taxa(taxa)
            .build()
    };
    ALL.iter().map(component).collect()
}

/// What the driver says of them.
pub(super) fn supported() -> Vec<ToolComponentReference> {
    (0..)
        .zip(&ALL)
        .map(|(index, taxonomy)| reference(taxonomy, index))
        .collect()
}

/// What a rule has to do with them.
pub(super) fn relationships(rule: &Rule) -> Vec<ReportingDescriptorRelationship> {
    let mut relationships = Vec::new();
    for (component, taxonomy) in (0..).zip(&ALL) {
        let known = standards::clauses(taxonomy.key);
        for clause in standards::of_rule(rule, taxonomy.key) {
            let Some(index) = known.iter().position(|one| one.id == clause.id) else {
                continue;
            };
            let mut target = ReportingDescriptorReference::builder()
                .id(&clause.id)
                .tool_component(reference(taxonomy, component))
                .build();
            target.index = i64::try_from(index).ok();
            relationships.push(
                ReportingDescriptorRelationship::builder()
                    .target(target)
                    .kinds(vec!["relevant".to_owned()])
                    .build(),
            );
        }
    }
    relationships
}

fn reference(taxonomy: &Taxonomy, index: i64) -> ToolComponentReference {
    ToolComponentReference::builder()
        .name(taxonomy.name)
        .index(index)
        .build()
}

fn text(text: &str) -> MultiformatMessageString {
    MultiformatMessageString::builder().text(text).build()
}
