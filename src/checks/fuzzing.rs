//! Fuzz targets of what checks decode.

pub use super::reach::fuzzing::loader_cache;
use super::{
    capability::{decode, names},
    command_line,
};
use crate::{binary::Script, fuzzing::lossy, image::ImageConfig};

/// A value says what its words say, read by hand.
pub fn capability(data: &[u8]) {
    let word = |at: usize| {
        let bytes = data.get(4 * at..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)))
    };
    match decode(data) {
        Err(why) => {
            assert!(!why.is_empty() && !matches!((word(0) >> 24, data.len()), (1, 12) | (2, 20) | (3, 24)));
        }
        Ok(read) => {
            let high = |at: usize| if data.len() > 12 { word(at) << 32 } else { 0 };
            assert_eq!(read.permitted, word(1) | high(3));
            assert_eq!(read.inheritable, word(2) | high(4));
            assert_eq!(read.effective, word(0) & 1 == 1);
            assert_eq!(
                u64::from(read.root_id),
                if data.len() == 24 { word(5) } else { 0 }
            );
            assert_eq!(read.beyond_default() & !read.permitted, 0);
            assert!((read.power() == super::capability::Power::Nothing) == (read.permitted == 0));
            let shown = names(read.permitted);
            let count = shown.split(", ").filter(|name| !name.is_empty()).count();
            assert!(
                shown == "all" || count == read.permitted.count_ones() as usize,
                "{shown}"
            );
        }
    }
}

/// What a command line hands on is part of it.
pub fn command_line(data: &[u8]) {
    let argv: Vec<&[u8]> = data.split(|&byte| byte == 0).collect();
    // A command that hands on to another, and so on, ends: each step has fewer bytes.
    let mut line = argv.clone();
    let weight = |line: &[&[u8]]| line.iter().map(|word| word.len() + 1).sum::<usize>();
    while let Some(inner) = command_line::delegated(&line) {
        assert!(
            !inner.is_empty() && weight(&inner) < weight(&line),
            "{line:?} {inner:?}"
        );
        line = inner;
    }
    if let Some(command) = command_line::shell_command(&argv) {
        assert!(argv.contains(&command));
    }
    let script = Script {
        interpreter: argv.first().copied().unwrap_or_default().to_vec(),
        argument: argv.get(1).map(|word| word.to_vec()),
        ..Script::default()
    };
    if let Some(program) = command_line::env_line(&script).and_then(|line| line.program) {
        assert!(
            script
                .argument
                .is_some_and(|argument| argument.len() >= program.len())
        );
    }
    let words: Vec<String> = argv.iter().map(|word| lossy(word)).collect();
    let half = words.len() / 2;
    let config = ImageConfig {
        entrypoint: words[..half].to_vec(),
        cmd: words[half..].to_vec(),
        env: words.clone(),
        ..ImageConfig::default()
    };
    assert!(command_line::words(&config).len() <= words.len());
    assert!(!config.shell_form() || words.len() >= 2);
    assert!(config.env_names().all(|name| !name.contains('=')));
    let _ = command_line::search_path(&config);
}
