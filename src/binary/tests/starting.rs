//! What starts, and what is only loaded: by its headers, as the kernel takes them.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use super::*;

#[test]
fn what_starts_is_told_from_what_is_only_loaded() {
    let shell = || Elf64 {
        data: texts_of("shell.bash").join("\0").into_bytes(),
        ..Elf64::default()
    };
    let of_type = |kind: u8, elf: Elf64<'_>| {
        let mut bytes = elf.bytes();
        bytes[16] = kind;
        bytes
    };
    let (relocatable, fixed, shared, core) = (1, 2, 3, 4);
    let libc = || vec!["libc.so.6"];
    let interpreter = Some(LOADER);
    let soname = Some("libextra.so");
    for (what, bytes, starts) in [
        ("fixed", of_type(fixed, shell()), true),
        ("static, position-independent", of_type(shared, shell()), true),
        (
            "dynamic with the name of a library",
            of_type(
                shared,
                Elf64 {
                    interpreter,
                    soname,
                    needed: libc(),
                    ..shell()
                },
            ),
            true,
        ),
        (
            "position-independent by its flag alone",
            of_type(
                shared,
                Elf64 {
                    position_independent: true,
                    needed: libc(),
                    ..shell()
                },
            ),
            true,
        ),
        (
            "library",
            of_type(
                shared,
                Elf64 {
                    soname,
                    needed: libc(),
                    ..shell()
                },
            ),
            false,
        ),
        (
            "library that needs none",
            of_type(shared, Elf64 { soname, ..shell() }),
            false,
        ),
        (
            "library without a name",
            of_type(
                shared,
                Elf64 {
                    needed: libc(),
                    ..shell()
                },
            ),
            false,
        ),
        (
            "library of functions alone",
            of_type(
                shared,
                Elf64 {
                    imports: vec!["f"],
                    ..shell()
                },
            ),
            false,
        ),
        ("object", of_type(relocatable, shell()), false),
        ("memory of a dead process", of_type(core, shell()), false),
    ] {
        let program = inspect(&bytes).unwrap();
        assert_eq!(families(&program), ["shell.bash"], "{what}");
        assert_eq!(program.starts(), starts, "{what}");
        assert_eq!(program.tool(Catalog::builtin()).is_some(), starts, "{what}");
    }
}

#[test]
fn a_library_is_no_tool() {
    let data = texts_of("shell.bash").join("\0").into_bytes();
    let program = |soname, interpreter| {
        let elf = Elf64 {
            soname,
            interpreter,
            data: data.clone(),
            ..Elf64::default()
        };
        inspect(&elf.bytes()).unwrap()
    };
    let rule = |program: &Program| {
        program
            .tool(Catalog::builtin())
            .and_then(|(_, meaning)| meaning.rule)
    };
    let library = program(Some("libx.so"), None);
    assert_eq!((families(&library), rule(&library)), (vec!["shell.bash"], None));
    // Being named like a library does not keep it from starting.
    assert_eq!(rule(&program(Some("libx.so"), Some(LOADER))), Some("shell"));
    assert_eq!(rule(&inspect(&program_with([])).unwrap()), None);
}

#[test]
fn a_loader_starts_and_is_no_tool() {
    let loader = Elf64 {
        soname: Some("ld-linux-x86-64.so.2"),
        ..Elf64::default()
    };
    let mut bytes = loader.bytes();
    bytes[24] = 100;
    bytes[64 + 4] = 5;
    let program = inspect(&bytes).unwrap();
    assert_eq!(families(&program), ["loader.ld-so"]);
    assert!(program.starts() && program.tool(Catalog::builtin()).is_none());
}

#[test]
fn the_kernel_starts_what_is_called_a_library_if_it_begins_in_code() {
    let soname = Some("libextra.so");
    // The one segment as code, and an entry point in it.
    let entered = |elf: Elf64<'_>, entry: u8, flags: u8| {
        let mut bytes = elf.bytes();
        bytes[24] = entry;
        bytes[64 + 4] = flags;
        bytes
    };
    let shell = |needed: &[&'static str], imports: &[&'static str]| Elf64 {
        soname,
        needed: needed.to_vec(),
        imports: imports.to_vec(),
        data: texts_of("shell.bash").join("\0").into_bytes(),
        ..Elf64::default()
    };
    let tool = |imports: &[&'static str]| Elf64 {
        data: texts_of("net.curl").join("\0").into_bytes(),
        ..shell(&[], imports)
    };
    for (what, bytes, starts) in [
        ("a static program with a name", entered(tool(&[]), 100, 5), true),
        ("an entry point in data", entered(tool(&[]), 100, 6), false),
        // The magic number is a jump there, always taken.
        ("an entry point in the header", entered(tool(&[]), 0, 5), true),
        // Old linkers gave libraries an entry point: what libraries must bring tells them apart.
        ("a library", entered(tool(&["malloc"]), 100, 5), false),
        // Unless it is a shell, which a loader runs without any word about an interpreter in it.
        (
            "a shell made a library",
            entered(shell(&["libc.so.6"], &["malloc"]), 100, 5),
            true,
        ),
        (
            "a library with a shell in it",
            entered(shell(&["libc.so.6"], &["malloc"]), 0, 6),
            false,
        ),
    ] {
        let program = inspect(&bytes).unwrap();
        assert_eq!(program.identities.len(), 1, "{what}");
        assert_eq!(program.starts(), starts, "{what}");
        assert_eq!(program.tool(Catalog::builtin()).is_some(), starts, "{what}");
    }
    // What a library's weak symbols ask for need not be there.
    let mut weak = entered(tool(&["__cxa_finalize"]), 100, 5);
    let symbol = memchr::memmem::find(&weak, &[0x12, 0, 0, 0]).unwrap();
    weak[symbol] = 0x22;
    assert!(inspect(&weak).unwrap().starts());
    // What is packed in an unknown way may be a shell.
    let packed = |flags: u8| {
        let noise = Elf64 {
            data: noise(100_000),
            ..shell(&["libc.so.6"], &["malloc"])
        };
        let mut bytes = entered(noise, 100, flags);
        bytes[60] = 0;
        let program = inspect(&bytes).unwrap();
        (program.opaque.is_some(), program.starts())
    };
    assert_eq!(packed(5), (true, true));
    assert_eq!(packed(6), (false, false));
}

/// A program of one segment without a dynamic section, that ends with status 42 if its code at `code` runs.
struct Tiny {
    class64: bool,
    machine: u8,
    entry: u8,
    flags: u32,
    /// Where the segment begins, and its bytes in the file.
    segment: (u64, u64),
    code: usize,
    /// It says of its stack that it is no code.
    stack: bool,
}

const TINY: Tiny = Tiny {
    class64: true,
    machine: 62,
    entry: 0x80,
    flags: 5,
    segment: (0, 0x1000),
    code: 0x80,
    stack: false,
};

impl Tiny {
    fn bytes(&self) -> Vec<u8> {
        let word = |value: u64| {
            let bytes = value.to_le_bytes();
            bytes[..if self.class64 { 8 } else { 4 }].to_vec()
        };
        let half = |value: u16| value.to_le_bytes();
        let (header, one) = if self.class64 { (64, 56) } else { (52, 32) };
        let mut out = b"\x7fELF\x01\x01\x01".to_vec();
        out[4] += u8::from(self.class64);
        out.resize(16, 0);
        out.extend([3, 0, self.machine, 0, 1, 0, 0, 0]);
        for value in [u64::from(self.entry), header, 0] {
            out.extend(word(value));
        }
        out.extend([0; 4]);
        for value in [header as u16, one, 1 + u16::from(self.stack), 0, 0, 0] {
            out.extend(half(value));
        }
        let segments = [(1, self.flags, self.segment), (0x6474_e551, 6, (0, 0))];
        for (kind, flags, (at, size)) in segments.into_iter().take(1 + usize::from(self.stack)) {
            out.extend(u32::to_le_bytes(kind));
            let flags = u32::to_le_bytes(flags);
            if self.class64 {
                out.extend(flags);
            }
            for value in [at, at, at, size, size] {
                out.extend(word(value));
            }
            if !self.class64 {
                out.extend(flags);
            }
            out.extend(word(0x1000));
        }
        out.resize(0x2000, 0);
        // exit(42), by the system call of each class
        let code: &[u8] = if self.class64 {
            b"\xbf\x2a\0\0\0\xb8\x3c\0\0\0\x0f\x05"
        } else {
            b"\xbb\x2a\0\0\0\xb8\x01\0\0\0\xcd\x80"
        };
        out[self.code..self.code + code.len()].copy_from_slice(code);
        out
    }

    /// Whether the kernel runs it.
    #[expect(
        clippy::disallowed_methods,
        reason = "a test asks the kernel by a program of its own making"
    )]
    fn runs(&self, path: &Path) -> bool {
        fs::write(path, self.bytes()).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        loop {
            match Command::new(path).status() {
                // Another test's child still holds the file open for writing.
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {}
                status => return status.unwrap().code() == Some(42),
            }
        }
    }
}

/// The kernel is asked, too, where it takes programs of the kind.
#[test]
fn an_entry_point_is_code_where_the_kernel_maps_it_as_code() {
    let folder = tempfile::tempdir().unwrap();
    for (what, tiny, starts) in [
        ("in the segment", TINY, true),
        ("in data", Tiny { flags: 6, ..TINY }, false),
        ("in what is only read", Tiny { flags: 4, ..TINY }, false),
        ("in code that cannot be read", Tiny { flags: 1, ..TINY }, true),
        (
            "behind the segment, in its last page",
            Tiny {
                segment: (0, 0x40),
                ..TINY
            },
            true,
        ),
        (
            "before the segment, in its first page",
            Tiny {
                segment: (0x800, 0x40),
                ..TINY
            },
            true,
        ),
        (
            "before the segment's first page",
            Tiny {
                segment: (0x1000, 0x40),
                ..TINY
            },
            false,
        ),
        // The magic number is a jump to byte 0x47, the last one of the flags: there another one follows, to 0x49 + 0x70.
        (
            "in the header",
            Tiny {
                entry: 0,
                flags: 0xeb00_0005,
                segment: (0x70, 0x1000),
                code: 0xb9,
                ..TINY
            },
            true,
        ),
    ] {
        let program = inspect(&tiny.bytes()).unwrap();
        assert_eq!(program.starts(), starts, "{what}");
        if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            assert_eq!(tiny.runs(&folder.path().join("tiny")), starts, "{what}");
        }
    }
    let old = Tiny {
        class64: false,
        machine: 3,
        flags: 4,
        ..TINY
    };
    let arm = Tiny { machine: 183, ..TINY };
    for (what, tiny, starts) in [
        // (READ_IMPLIES_EXEC)
        ("32 bits and no word about the stack", Tiny { ..old }, true),
        ("a stack that is data", Tiny { stack: true, ..old }, false),
        ("64-bit ARM", Tiny { ..arm }, true),
        ("its header is no instruction", Tiny { entry: 0, ..arm }, false),
    ] {
        assert_eq!(inspect(&tiny.bytes()).unwrap().starts(), starts, "{what}");
    }
}
