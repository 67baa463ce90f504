//! Fuzz target of Dockerfiles, and of history lines held against them.

use super::{Dockerfile, history_parts};
use crate::fuzzing::{lossy, parts};

/// A Dockerfile and a history line, apart by a NUL: every instruction stands on lines of the file, every chain of stages
/// ends, and a line is compared with each instruction in good time.
pub fn dockerfile(data: &[u8]) {
    let [text, line] = parts(data, 0).map(lossy);
    let (keyword, words) = history_parts(&line);
    assert!(keyword.len() + words.len() <= line.len() + 3);
    let Ok(file) = Dockerfile::parse("Dockerfile", &text) else {
        return;
    };
    let lines = text.lines().count();
    for (number, stage) in file.stages.iter().enumerate() {
        assert!(stage.continues.is_none_or(|earlier| earlier < number));
        for instruction in [&stage.from].into_iter().chain(&stage.instructions) {
            assert!(1 <= instruction.line && instruction.line <= instruction.end_line);
            assert!(instruction.end_line <= lines, "{instruction:?}");
            let _ = (instruction.wrote(&line), instruction.says(&line));
        }
        let chain = file.chain(number);
        assert!(chain.len() >= stage.instructions.len());
        assert!(file.base(number).is_some());
    }
    assert_eq!(file.line(0), "");
    assert_eq!(file.line(lines + 1), "");
}
