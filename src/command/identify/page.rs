//! A page is a view as text for a person: whole for one file, one line for each of many.

use std::fmt::Write;

use super::view::{ElfView, IdentityView, InnerView, ScriptView, View};

/// Columns of the words before what they are about.
const INDENT: usize = 14;

/// All that is known of one file.
pub(super) fn page(view: &View) -> String {
    let mut out = format!("{}\n", view.path);
    let mut row = |word: &str, text: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  {word:INDENT$}{text}");
    };
    if let Some(error) = &view.error {
        row("unread", error);
        return out;
    }
    row("form", &form(view));
    if let Some(ElfView {
        interpreter,
        needed,
        soname,
        damage,
        ..
    }) = &view.elf
    {
        if let Some(interpreter) = interpreter {
            row("interpreter", interpreter);
        }
        if !needed.is_empty() {
            row("needs", &needed.join(", "));
        }
        if let Some(soname) = soname {
            row("library name", soname);
        }
        if let Some(damage) = damage {
            row("damage", damage);
        }
    }
    if let Some(ScriptView {
        interpreter,
        argument,
        inner,
    }) = &view.script
    {
        let argument = argument
            .as_ref()
            .map_or_else(String::new, |argument| format!(" {argument}"));
        row("interpreter", &format!("{interpreter}{argument}"));
        if let Some(inner) = inner {
            row("starts", &format!("{inner}, with the same file"));
        }
    }
    for (number, identity) in view.identities.iter().enumerate() {
        row(if number == 0 { "is" } else { "and" }, &headline(identity));
        row("", &identity.evidence);
        if !identity.applets.is_empty() {
            row("applets", &identity.applets.join(" "));
        }
    }
    if let Some(rule) = view.rule {
        row("rule", rule);
    } else if !view.identities.is_empty() && view.elf.as_ref().is_some_and(|elf| elf.linkage == "library") {
        row(
            "rule",
            "none: a library is not started, it only carries that code",
        );
    } else if view.form.is_some() {
        row("rule", "none");
    }
    if let Some(family) = &view.called_like {
        row(
            "name",
            &format!("is that of {family}, but nothing in the file says so"),
        );
    }
    if let Some(opaque) = &view.opaque {
        row("opaque", opaque);
    }
    for (number, inner) in view.inside.iter().enumerate() {
        row(if number == 0 { "holds" } else { "" }, &held(inner));
    }
    for why in &view.unread {
        row("unread", &format!("it {why}"));
    }
    for (number, capability) in view.capabilities.iter().enumerate() {
        let attack = if capability.attack.is_empty() {
            String::new()
        } else {
            format!(" ({})", capability.attack.join(", "))
        };
        let word = if number == 0 { "allows" } else { "" };
        row(
            word,
            &format!("{}: it {}{attack}", capability.id, capability.meaning),
        );
    }
    out
}

/// One file in one line: path, rule, what it is.
pub(super) fn line(view: &View) -> String {
    let what = match (&view.error, view.identities.first()) {
        (Some(error), _) => format!("unread: {error}"),
        (None, Some(identity)) => headline(identity),
        (None, None) => match (&view.opaque, &view.called_like) {
            (Some(opaque), _) => format!("opaque: {opaque}"),
            (None, Some(family)) => format!("unknown, called like {family}"),
            (None, None) => match (view.inside.first(), view.unread.first()) {
                (Some(inner), _) => format!("holds {}", held(inner)),
                (None, Some(why)) => format!("unread: it {why}"),
                (None, None) => form(view),
            },
        },
    };
    format!("{}\t{}\t{what}\n", view.path, view.rule.unwrap_or("-"))
}

/// A program inside the file in one line.
fn held(inner: &InnerView) -> String {
    let path = if inner.path.is_empty() {
        ""
    } else {
        &format!("{}: ", inner.path)
    };
    let what = match (inner.identities.first(), &inner.opaque) {
        (Some(identity), _) => headline(identity),
        (None, Some(opaque)) => format!("opaque: {opaque}"),
        (None, None) => "a program".to_owned(),
    };
    let rule = inner
        .rule
        .map_or_else(String::new, |rule| format!(" (rule {rule})"));
    format!("{path}{what}{rule}")
}

fn headline(identity: &IdentityView) -> String {
    let version = identity
        .version
        .as_ref()
        .map_or_else(String::new, |version| format!(" {version}"));
    format!("{}{version}, {}", identity.family, identity.confidence)
}

fn form(view: &View) -> String {
    match (&view.elf, view.form) {
        (Some(elf), _) => format!(
            "ELF, {}, {} bits, {}-endian, {}",
            elf.machine, elf.bits, elf.byte_order, elf.linkage
        ),
        (None, Some("text")) => {
            "text without `#!` that reads like a shell's: the kernel refuses it".to_owned()
        }
        (None, Some("module")) => "code that an interpreter runs as a tool".to_owned(),
        (None, Some(form)) => form.to_owned(),
        (None, None) => "no program".to_owned(),
    }
}
