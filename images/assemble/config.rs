//! An image's configuration and history, as a Dockerfile's lines on top of a base would leave them.

use serde_json::{Value, json};

use crate::recipe::{Command, ConfigRecipe};

/// The time that all samples claim to be made.
pub(crate) const CREATED: &str = "1970-01-01T00:00:00Z";

/// A history line in `BuildKit`'s form.
pub(crate) fn line(instruction: Option<&str>, empty: bool) -> Value {
    let mut line = json!({ "created": CREATED });
    if let Some(text) = instruction {
        line["created_by"] = text.into();
        line["comment"] = "buildkit.dockerfile.v0".into();
    }
    if empty {
        line["empty_layer"] = true.into();
    }
    line
}

/// Sets what the recipe sets, as a Dockerfile on top of the base would.
pub(crate) fn configure(wanted: &ConfigRecipe, config: &mut Value, history: &mut Vec<Value>) {
    // An image without any told layer is one that Bazel made: it has no history for its settings either.
    let told = history.iter().any(|line| line.get("created_by").is_some());
    let mut say = |text: String| {
        if told {
            history.push(line(Some(&text), true));
        }
    };
    for setting in &wanted.env {
        let name = setting.split('=').next().unwrap_or(setting);
        let mut all = config["Env"].as_array().cloned().unwrap_or_default();
        all.retain(|old| {
            old.as_str()
                .is_some_and(|old| old.split('=').next() != Some(name))
        });
        all.push(setting.as_str().into());
        config["Env"] = all.into();
        say(format!("ENV {setting}"));
    }
    for (name, value) in &wanted.labels {
        config["Labels"][name] = value.as_str().into();
        say(format!("LABEL {name}={value}"));
    }
    if let Some(directory) = &wanted.working_dir {
        config["WorkingDir"] = directory.as_str().into();
        say(format!("WORKDIR {directory}"));
    }
    for port in &wanted.expose {
        config["ExposedPorts"][port] = json!({});
        say(format!("EXPOSE [{port}]"));
    }
    for volume in &wanted.volumes {
        config["Volumes"][volume] = json!({});
        say(format!("VOLUME [{volume}]"));
    }
    if let Some(user) = &wanted.user {
        config["User"] = user.as_str().into();
        say(format!("USER {user}"));
    }
    if let Some(command) = &wanted.entrypoint {
        let words = words(command);
        say(format!("ENTRYPOINT {}", shown(&words)));
        config["Entrypoint"] = words.into();
        // A base's CMD is forgotten where a Dockerfile sets an ENTRYPOINT.
        if let Some(fields) = config.as_object_mut() {
            fields.remove("Cmd");
        }
    }
    if let Some(command) = &wanted.cmd {
        let words = words(command);
        say(format!("CMD {}", shown(&words)));
        config["Cmd"] = words.into();
    }
    if let Some(command) = &wanted.healthcheck {
        let test = match command {
            Command::Exec(words) => [vec!["CMD".to_owned()], words.clone()].concat(),
            Command::Shell(text) => vec!["CMD-SHELL".to_owned(), text.clone()],
        };
        say(format!("HEALTHCHECK {}", shown(&test)));
        config["Healthcheck"] = json!({ "Test": test });
    }
}

fn words(command: &Command) -> Vec<String> {
    match command {
        Command::Exec(words) => words.clone(),
        Command::Shell(text) => vec!["/bin/sh".to_owned(), "-c".to_owned(), text.clone()],
    }
}

fn shown(words: &[String]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("{word:?}")).collect();
    format!("[{}]", quoted.join(" "))
}
