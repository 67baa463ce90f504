//! An image configuration says how a container is started and which uncompressed layers it has.

use super::{cap, corrupt, shown};
use crate::{
    failure::{self, Code, Failure},
    image::{History, ImageConfig, Platform},
    limits::Limits,
    source::json::{self, Value},
};

/// Parses an image configuration (image-spec `config.md`, and Docker's `Healthcheck`).
///
/// # Errors
/// `UnsupportedPlatform` for Windows; `Ambiguous`, `Corrupt`, `TooLarge`.
pub(crate) fn parse_config(
    bytes: &[u8],
    limits: &Limits,
    notes: &mut Vec<String>,
) -> failure::Result<(Option<Platform>, ImageConfig)> {
    const WHAT: &str = "the configuration";
    cap("configuration", bytes, limits.config)?;
    let root = json::parse(bytes, WHAT)?;
    let [os, arch, variant, config, rootfs, history] = root.fields(
        WHAT,
        ["os", "architecture", "variant", "config", "rootfs", "history"],
        notes,
    )?;
    let (os, arch, variant) = (os.text(WHAT)?, arch.text(WHAT)?, variant.text(WHAT)?);
    if os.eq_ignore_ascii_case("windows") {
        return Err(windows());
    }
    let platform = if arch.is_empty() {
        notes.push("the configuration names no platform".to_owned());
        None
    } else {
        Some(Platform::new(
            if os.is_empty() { "linux" } else { os },
            arch,
            Some(variant),
        ))
    };
    let [
        user,
        entrypoint,
        cmd,
        env,
        working_dir,
        exposed_ports,
        volumes,
        labels,
        healthcheck,
    ] = config.fields(
        WHAT,
        [
            "User",
            "Entrypoint",
            "Cmd",
            "Env",
            "WorkingDir",
            "ExposedPorts",
            "Volumes",
            "Labels",
            "Healthcheck",
        ],
        notes,
    )?;
    let [healthcheck] = healthcheck.fields("Healthcheck of the configuration", ["Test"], notes)?;
    let [rootfs_type, diff_ids] =
        rootfs.fields("rootfs of the configuration", ["type", "diff_ids"], notes)?;
    let rootfs_type = rootfs_type.text("rootfs.type")?;
    if !["", "layers"].contains(&rootfs_type) {
        return Err(corrupt(format!(
            "rootfs.type of the configuration is `{}`, not `layers`",
            shown(rootfs_type)
        )));
    }
    let diff_ids = diff_ids.texts("diff_ids of the configuration")?;
    let sorted_keys = |value: &Value, what: &str| -> failure::Result<Vec<String>> {
        let mut keys: Vec<String> = value.map(what)?.iter().map(|(key, _)| key.clone()).collect();
        keys.sort();
        Ok(keys)
    };
    let config = ImageConfig {
        user: user.text("User of the configuration")?.to_owned(),
        entrypoint: words(entrypoint, "Entrypoint of the configuration")?,
        cmd: words(cmd, "Cmd of the configuration")?,
        env: env.texts("Env of the configuration")?,
        working_dir: working_dir.text("WorkingDir of the configuration")?.to_owned(),
        exposed_ports: sorted_keys(exposed_ports, "ExposedPorts of the configuration")?,
        volumes: sorted_keys(volumes, "Volumes of the configuration")?,
        labels: labels
            .map("Labels of the configuration")?
            .iter()
            .map(|(key, value)| Ok((key.clone(), value.text("Labels of the configuration")?.to_owned())))
            .collect::<failure::Result<_>>()?,
        healthcheck: words(healthcheck, "Healthcheck.Test of the configuration")?,
        diff_ids: diff_ids
            .iter()
            .map(|id| {
                id.parse()
                    .map_err(|error| corrupt(format!("diff_ids of the configuration: {error}")))
            })
            .collect::<failure::Result<_>>()?,
        history: history
            .list("history of the configuration")?
            .iter()
            .map(|line| history_line(line, notes))
            .collect::<failure::Result<_>>()?,
    };
    Ok((platform, config))
}

fn history_line(line: &Value, notes: &mut Vec<String>) -> failure::Result<History> {
    const WHAT: &str = "history of the configuration";
    let [created_by, comment, empty_layer] =
        line.fields(WHAT, ["created_by", "comment", "empty_layer"], notes)?;
    let text = |value: &Value| Ok(Some(value.text(WHAT)?.to_owned()).filter(|text| !text.is_empty()));
    Ok(History {
        created_by: text(created_by)?,
        comment: text(comment)?,
        empty_layer: empty_layer.flag(WHAT)?,
    })
}

/// Docker's own type for these also takes one text for a list of one.
fn words(value: &Value, what: &str) -> failure::Result<Vec<String>> {
    match value {
        Value::Text(one) => Ok(vec![one.clone()]),
        _ => value.texts(what),
    }
}

/// The failure for an image that runs on Windows only.
pub(crate) fn windows() -> Failure {
    Failure::new(
        Code::UnsupportedPlatform,
        "this is a Windows image, which scant does not judge",
    )
    .advise("name a Linux image, or choose a Linux platform with --platform")
}
