//! Accounts are the lines of passwd, group and shadow, read as the runtimes' Go code reads them.

use std::collections::HashMap;

use super::{Node, Rootfs, Unresolved};
use crate::{layer::Kind, limits::Limits};

/// What every container has mounted.
const PROC: &str = "/proc";

/// Longest line of passwd, in bytes, that Go's line scanner takes.
const PASSWD_LINE: usize = (64 << 10) - 1;

/// Longest line of group, in bytes.
const GROUP_LINE: usize = (1 << 20) - 1;

/// What an image has at the path of an account file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountFile<'r> {
    /// Nothing, or a link to nothing.
    Absent,
    /// Something that cannot be read as a file; holds what. Docker takes it for absent, containerd refuses to start.
    NotAFile(&'static str),
    /// A file that every runtime refuses; holds why.
    Refused(String),
    /// A file whose content was not kept whole; holds why.
    Unknown(String),
    /// The content.
    Text(&'r [u8]),
}

/// The account files of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts<'r> {
    /// `/etc/passwd`.
    pub passwd: AccountFile<'r>,
    /// `/etc/group`.
    pub group: AccountFile<'r>,
    /// `/etc/shadow`.
    pub shadow: AccountFile<'r>,
}

/// A line of passwd. Fields that the line lacks are empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account<'r> {
    /// Number of the line, from 1.
    pub line: usize,
    /// Login name.
    pub name: &'r [u8],
    /// Password field.
    pub password: &'r [u8],
    /// The uid as written.
    pub uid_field: &'r [u8],
    /// The uid as the runtimes read it, before they cut it to 32 bits.
    pub uid: i64,
    /// The gid as the runtimes read it, before they cut it to 32 bits.
    pub gid: i64,
    /// Login shell as written; libc takes an empty one for `/bin/sh`.
    pub shell: &'r [u8],
    /// Whether a C library inside the container reads the line as well. What glibc takes counts, since musl is stricter: four
    /// fields with numeric ids (tried with glibc 2.36; musl wants all seven), no NIS, no comment.
    pub libc: bool,
    /// Whether every reader takes it alike: seven fields and ids of digits alone.
    pub plain: bool,
}

/// A line of group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group<'r> {
    /// Number of the line, from 1.
    pub line: usize,
    /// Name.
    pub name: &'r [u8],
    /// The gid as the runtimes read it, before they cut it to 32 bits.
    pub gid: i64,
    members: &'r [u8],
}

/// An account that can log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login<'r> {
    /// The account.
    pub account: Account<'r>,
    /// Its shell.
    pub shell: &'r Node,
    /// Whether its password is locked. That does not stop keys, nor `su` by root.
    pub locked: bool,
}

/// An account that needs no password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmptyPassword<'r> {
    /// The account.
    pub account: Account<'r>,
    /// The file that says so.
    pub file: &'static str,
}

impl<'r> Accounts<'r> {
    /// Finds the account files of an image, following links inside its root.
    pub fn read(rootfs: &'r Rootfs) -> Self {
        Self {
            passwd: AccountFile::read(rootfs, "/etc/passwd", PASSWD_LINE),
            group: AccountFile::read(rootfs, "/etc/group", GROUP_LINE),
            shadow: AccountFile::read(rootfs, "/etc/shadow", usize::MAX),
        }
    }

    /// Why some account file could not be looked into, one sentence each.
    pub fn gaps(&self) -> impl Iterator<Item = &str> {
        [&self.passwd, &self.group, &self.shadow]
            .into_iter()
            .filter_map(|file| match file {
                AccountFile::Unknown(why) => Some(why.as_str()),
                _ => None,
            })
    }

    /// Accounts that a runtime starts as uid 0, besides the first one named `root`.
    pub fn extra_roots(&self) -> impl Iterator<Item = Account<'r>> {
        let mut root_seen = false;
        passwd(self.passwd.text()).filter(move |account| {
            let first_root = account.name == b"root" && !root_seen;
            root_seen |= first_root;
            account.uid as u32 == 0 && !first_root
        })
    }

    /// Accounts whose shell leads to a file that `is_shell` knows for a shell, whatever its name.
    pub fn logins(
        &self,
        rootfs: &'r Rootfs,
        is_shell: impl Fn(&Node) -> bool,
    ) -> impl Iterator<Item = Login<'r>> {
        let shadow = self.shadow_passwords();
        passwd(self.passwd.text())
            .filter(|account| account.libc)
            .filter_map(move |account| {
                let written = if account.shell.is_empty() {
                    b"/bin/sh"
                } else {
                    account.shell
                };
                let shell = rootfs.resolve_from(&"/".into(), written).ok()?;
                let password = match account.password {
                    b"x" => shadow.get(account.name).copied(),
                    own => Some(own),
                };
                is_shell(shell).then_some(Login {
                    account,
                    shell,
                    locked: password.is_none_or(|field| field.starts_with(b"!") || field.starts_with(b"*")),
                })
            })
    }

    /// Accounts that need no password.
    pub fn empty_passwords(&self) -> impl Iterator<Item = EmptyPassword<'r>> {
        let shadow = self.shadow_passwords();
        passwd(self.passwd.text())
            .filter(|account| account.libc)
            .filter_map(move |account| {
                let file = match account.password {
                    b"" => "/etc/passwd",
                    b"x" if shadow.get(account.name).is_some_and(|field| field.is_empty()) => "/etc/shadow",
                    _ => return None,
                };
                Some(EmptyPassword { account, file })
            })
    }

    /// The password field of each name in shadow; the first line of a name counts.
    fn shadow_passwords(&self) -> HashMap<&'r [u8], &'r [u8]> {
        let mut passwords = HashMap::new();
        for (_, line) in lines(self.shadow.text()) {
            let mut fields = line.split(|&b| b == b':');
            if let (Some(name), Some(password)) = (fields.next(), fields.next()) {
                passwords.entry(name).or_insert(password);
            }
        }
        passwords
    }
}

impl<'r> AccountFile<'r> {
    fn read(rootfs: &'r Rootfs, path: &str, longest: usize) -> Self {
        let node = match rootfs.resolve(&path.into()) {
            Ok(node) => node,
            // Some of what is mounted there leads back into the image.
            Err(Unresolved::Missing(at)) if at == PROC.into() || at.is_below(&PROC.into()) => {
                return Self::Unknown(format!(
                    "{path} leads to {at}, which is known only when the container runs"
                ));
            }
            Err(Unresolved::Missing(_)) => return Self::Absent,
            Err(Unresolved::Loop) => return Self::NotAFile("a loop of links"),
            Err(Unresolved::NotADirectory(_)) => {
                return Self::NotAFile("below something that is no directory");
            }
        };
        match node.kind {
            Kind::File => {}
            Kind::Directory => return Self::NotAFile("a directory"),
            _ => return Self::NotAFile("no regular file"),
        }
        let cap = Limits::default().accounts;
        if node.size > cap as u64 {
            return Self::Refused(format!("{path} is larger than {} MiB", cap >> 20));
        }
        match &node.kept {
            Some(kept) if !kept.cut => {
                let mut lines = kept.bytes.split(|&b| b == b'\n');
                match lines.position(|line| line.len() > longest) {
                    Some(at) => Self::Refused(format!(
                        "line {} of {path} is longer than {longest} bytes",
                        at + 1
                    )),
                    None => Self::Text(&kept.bytes),
                }
            }
            None if node.size == 0 => Self::Text(b""),
            _ => Self::Unknown(format!("the content of {path} was not kept whole")),
        }
    }

    /// The content, or nothing.
    pub fn text(&self) -> &'r [u8] {
        match self {
            Self::Text(text) => text,
            _ => b"",
        }
    }
}

/// The lines of a passwd file: all of them, there are no comments.
pub fn passwd(text: &[u8]) -> impl Iterator<Item = Account<'_>> {
    lines(text).map(|(line, raw)| {
        let mut fields = raw.splitn(7, |&b| b == b':');
        let [name, password, uid_field, gid_field, _, _] =
            std::array::from_fn(|_| fields.next().unwrap_or_default());
        let shell = fields.next();
        // glibc's strtoul skips blanks in front of a number.
        let numeric = |field: &[u8]| {
            let field = field.trim_ascii_start();
            matches!(atoi(field), Number::Exact(0..=0xffff_ffff)) && !field.starts_with(b"-")
        };
        Account {
            line,
            name,
            password,
            uid_field,
            uid: atoi(uid_field).or_zero(),
            gid: atoi(gid_field).or_zero(),
            shell: shell.unwrap_or_default(),
            libc: numeric(uid_field)
                && numeric(gid_field)
                && !matches!(name.first(), None | Some(b'+' | b'-' | b'#')),
            plain: shell.is_some()
                && [uid_field, gid_field]
                    .iter()
                    .all(|field| !field.is_empty() && field.iter().all(u8::is_ascii_digit)),
        }
    })
}

/// The lines of a group file, without comments.
pub fn groups(text: &[u8]) -> impl Iterator<Item = Group<'_>> {
    lines(text)
        .filter(|(_, raw)| !raw.starts_with(b"#"))
        .map(|(line, raw)| {
            let mut fields = raw.split(|&b| b == b':');
            let [name, _, gid, members] = std::array::from_fn(|_| fields.next().unwrap_or_default());
            Group {
                line,
                name,
                gid: atoi(gid).or_zero(),
                members,
            }
        })
}

impl Group<'_> {
    /// Whether the group lists this user.
    pub fn lists(&self, user: &[u8]) -> bool {
        !self.members.is_empty() && self.members.split(|&b| b == b',').any(|member| member == user)
    }
}

/// Lines that are not blank, without the blanks around them, and their numbers.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    (1..)
        .zip(text.split(|&b| b == b'\n'))
        .map(|(number, line)| (number, trim(line)))
        .filter(|(_, line)| !line.is_empty())
}

/// Without blanks at both ends, Unicode's too, as Go's `bytes.TrimSpace`.
fn trim(line: &[u8]) -> &[u8] {
    let first = line.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let line = &line[first.len() - first.trim_start().len()..];
    let last = match line.utf8_chunks().last() {
        Some(chunk) if chunk.invalid().is_empty() => chunk.valid(),
        _ => "",
    };
    &line[..line.len() - (last.len() - last.trim_end().len())]
}

/// What Go's `strconv.Atoi` makes of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// A number of 64 bits.
    Exact(i64),
    /// A number beyond 64 bits; holds the nearest one, which Go returns beside the error.
    Beyond(i64),
    /// No number.
    No,
}

impl Number {
    /// The value where the error is not looked at.
    fn or_zero(self) -> i64 {
        match self {
            Self::Exact(value) | Self::Beyond(value) => value,
            Self::No => 0,
        }
    }
}

/// Reads an optional sign and decimal digits, nothing else.
pub(super) fn atoi(text: &[u8]) -> Number {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Number::No;
    }
    let value = digits.iter().try_fold(0_i64, |value, digit| {
        let digit = i64::from(digit - b'0');
        value
            .checked_mul(10)?
            .checked_add(if negative { -digit } else { digit })
    });
    match value {
        Some(value) => Number::Exact(value),
        None => Number::Beyond(if negative { i64::MIN } else { i64::MAX }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rootfs::testing::{program, rootfs, symlink, text};

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        for (text, value) in [
            ("0", Number::Exact(0)),
            ("-0", Number::Exact(0)),
            ("+07", Number::Exact(7)),
            ("9223372036854775807", Number::Exact(i64::MAX)),
            ("-9223372036854775808", Number::Exact(i64::MIN)),
            ("9223372036854775808", Number::Beyond(i64::MAX)),
            ("-99999999999999999999", Number::Beyond(i64::MIN)),
        ] {
            assert_eq!(atoi(text.as_bytes()), value, "{text}");
        }
        for text in ["", "+", "-", "--1", " 0", "0 ", "0x0", "1_0", "1e3", "٣"] {
            assert_eq!(atoi(text.as_bytes()), Number::No, "{text}");
        }
    }

    #[test]
    fn lines_are_trimmed_and_numbered() {
        let text = "\u{feff}a:x:1:1\r\n\n \u{a0}b:y:2:3:g:h:/s:t\t\n#c:z:4\n".as_bytes();
        let accounts: Vec<_> = passwd(text).collect();
        let names: Vec<_> = accounts.iter().map(|it| (it.line, it.name)).collect();
        assert_eq!(
            names,
            [(1, "\u{feff}a".as_bytes()), (3, &b"b"[..]), (4, &b"#c"[..])]
        );
        assert_eq!((accounts[1].uid, accounts[1].gid), (2, 3));
        assert_eq!(accounts[1].shell, b"/s:t");
        assert!(accounts[1].libc && !accounts[2].libc);
        assert_eq!(trim(b"\xff x \xff "), b"\xff x \xff");
        assert_eq!(trim(b"  \xff\t"), b"\xff");

        let group: Vec<_> = groups(b"#no:x:0:a\ng:x:5:a,b\nempty:x:6:\n").collect();
        assert_eq!(group.len(), 2);
        assert!(group[0].lists(b"b") && !group[0].lists(b"") && !group[1].lists(b""));
    }

    /// Each line was given to `fgetpwent` of glibc 2.36, and NIS lines to its file service.
    #[test]
    fn the_c_library_reads_what_glibc_reads() {
        for (line, reads) in [
            ("a:x:1:1::/:/bin/sh", true),
            ("a::1:1", true),
            ("a::1:1:g:/h", true),
            ("a:: 1:1::/:/b", true),
            ("a::1: 1::/:/b", true),
            ("a::+1:1::/:/b", true),
            ("a::010:1::/:/b", true),
            ("  a::1:1::/:/b", true),
            ("a::-1:1::/:/b", false),
            ("a:: -1:1::/:/b", false),
            ("a::abc:1::/:/b", false),
            ("a::0x10:1::/:/b", false),
            ("a:::1::/:/b", false),
            ("a::1:1x::/:/b", false),
            ("a::1:", false),
            ("a::1", false),
            ("a", false),
            ("a::4294967296:1::/:/b", false),
            ("#a::1:1::/:/b", false),
            ("+a::1:1::/:/b", false),
            ("-a::1:1::/:/b", false),
        ] {
            let read: Vec<bool> = passwd(line.as_bytes()).map(|account| account.libc).collect();
            assert_eq!(read, [reads], "{line:?}");
        }
    }

    #[test]
    fn extra_roots_are_all_but_the_first_root() {
        let fs = rootfs([text(
            "/etc/passwd",
            "toor:x:0:0::/:\nroot:x:0:0::/:\nroot:x:0:1::/:\nshort\nmin:x:-9223372036854775808:1::/:\nok:x:5:0::/:\n",
        )]);
        let lines: Vec<_> = Accounts::read(&fs).extra_roots().map(|it| it.line).collect();
        assert_eq!(lines, [1, 3, 4, 5]);
    }

    #[test]
    fn logins_need_a_shell_by_content_and_tell_the_lock() {
        let fs = rootfs([
            text(
                "/etc/passwd",
                "root:x:0:0::/:/bin/menu\na:!:1:1::/:\nb:x:2:2::/:/bin/sh\nc:$6$x:3:3::/:/bin/sh\n\
                 d:x:4:4::/:/usr/sbin/nologin\n+:x:5:5::/:/bin/sh\nshort:x:6:6\nshorter:x:7\n",
            ),
            text("/etc/shadow", "root:$y$x:1::\nb:*:1::\n"),
            program("/bin/menu", ["shell.bash"]),
            symlink("/bin/sh", "menu"),
            program("/usr/sbin/nologin", []),
        ]);
        let is_shell = |node: &Node| node.program.as_ref().is_some_and(|it| !it.identities.is_empty());
        let logins: Vec<_> = Accounts::read(&fs)
            .logins(&fs, is_shell)
            .map(|it| (it.account.name, it.locked))
            .collect();
        assert_eq!(
            logins,
            [
                (&b"root"[..], false),
                (b"a", true),
                (b"b", true),
                (b"c", false),
                // No field for a shell means /bin/sh, and no line in shadow a lock.
                (b"short", true)
            ]
        );
    }

    #[test]
    fn empty_passwords_name_their_file() {
        let fs = rootfs([
            text(
                "/etc/passwd",
                "a::1:1::/:\nb:x:2:2::/:\nc:x:3:3::/:\nd:*:4:4::/:\ne:: 5:5\n",
            ),
            text("/etc/shadow", "b::1::\nb:*:1::\nd::1::\n"),
        ]);
        let found: Vec<_> = Accounts::read(&fs)
            .empty_passwords()
            .map(|it| (it.account.name, it.file))
            .collect();
        assert_eq!(
            found,
            [
                (&b"a"[..], "/etc/passwd"),
                (b"b", "/etc/shadow"),
                (b"e", "/etc/passwd")
            ]
        );
    }
}
