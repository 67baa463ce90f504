//! A script's first line, read by the rules of the kernel (`fs/binfmt_script.c`).

use super::Script;

/// The first bytes of every script.
pub(super) const MAGIC: &[u8] = b"#!";
/// Bytes of a file that the kernel reads of the line (`BINPRM_BUF_SIZE`, since Linux 5.1), less the final NUL.
const LINE: usize = 255;

/// The interpreter and argument of a file that begins with `head`. `None`: the kernel would not start it, because no
/// interpreter is named or its path does not end within the first 255 bytes.
///
/// Of the argument, which may hold blanks, only trailing ones are cut. A carriage return belongs to the name.
pub(super) fn read(head: &[u8]) -> Option<Script> {
    let line = head.get(..LINE).unwrap_or(head);
    let newline = memchr::memchr2(b'\n', 0, line);
    let line = line.get(..newline.unwrap_or(line.len()))?.strip_prefix(MAGIC)?;
    let line = line.get(line.iter().position(|byte| !is_blank(*byte))?..)?;
    let end = line.iter().position(|byte| is_blank(*byte));
    if end.is_none() && newline.is_none() && head.len() >= LINE {
        return None;
    }
    let (interpreter, rest) = line.split_at_checked(end.unwrap_or(line.len()))?;
    let from = rest.iter().position(|byte| !is_blank(*byte));
    let to = rest.iter().rposition(|byte| !is_blank(*byte));
    let argument = from.zip(to).and_then(|(from, to)| rest.get(from..=to));
    (!interpreter.is_empty()).then(|| Script {
        interpreter: interpreter.to_vec(),
        argument: argument.map(<[u8]>::to_vec),
    })
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Option<(String, Option<String>)> {
        let script = read(text.as_bytes())?;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Some((text(script.interpreter), script.argument.map(text)))
    }

    fn parts(interpreter: &str, argument: Option<&str>) -> (String, Option<String>) {
        (interpreter.to_owned(), argument.map(str::to_owned))
    }

    #[test]
    fn lines_are_read_as_the_kernel_does() {
        assert_eq!(line("#!/bin/sh\necho"), Some(parts("/bin/sh", None)));
        assert_eq!(
            line("#! \t/bin/sh -e -u \t\necho"),
            Some(parts("/bin/sh", Some("-e -u")))
        );
        assert_eq!(line("#!/bin/sh\r\n"), Some(parts("/bin/sh\r", None)));
        assert_eq!(line("#!/bin/sh"), Some(parts("/bin/sh", None)));
        assert_eq!(line("#!bin/app x"), Some(parts("bin/app", Some("x"))));
        assert_eq!(line("#!/bin/sh\0-x\n"), Some(parts("/bin/sh", None)));
        for nothing in ["#!", "#!\n", "#!  \t\n/bin/sh", "\u{feff}#!/bin/sh\n", "#", ""] {
            assert_eq!(line(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn a_cut_interpreter_is_none_a_cut_argument_is() {
        let long = format!("#!/{}", "x".repeat(300));
        assert_eq!(line(&long), None);
        let path = "/".repeat(250);
        assert_eq!(
            line(&format!("#!{path} argument-that-is-cut"))
                .unwrap()
                .1
                .as_deref(),
            Some("ar")
        );
        assert_eq!(line(&format!("#!{path}\n")).unwrap().0, path);
    }
}
