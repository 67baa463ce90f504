//! Lists of accounts that are too large, too odd or somewhere else.

use crate::{
    case::{
        Case,
        Expect::{Denied, Gap},
    },
    support::{
        codec::gzip,
        image::{Image, Layer},
        tar::Tar,
    },
};

fn passwd(content: impl AsRef<[u8]>, user: &str) -> Image {
    let tar = Tar::default().file("etc/passwd", content.as_ref()).end();
    let mut layer = Layer::new(gzip(&tar));
    layer.diff_id = crate::support::image::sha256(&tar);
    Image::with(layer).user(user)
}

fn many(count: usize, last: &str) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut text = (0..count).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "u{n}:x:{}:{}::/:/none", n + 1, n + 1);
        text
    });
    text.push_str(last);
    text.into_bytes()
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::image("accounts", "list of 20 MiB", Gap(&["passwd"]), || {
            passwd(many(800_000, "app:x:0:0::/:/none\n"), "app")
        })
        .beside(|| passwd(many(1_000, "app:x:1000:1000::/:/none\n"), "app:1000")),
        Case::image(
            "accounts",
            "100,000 users, the last one root",
            Denied(&["root-user"]),
            || passwd(many(100_000, "app:x:0:0::/:/none\n"), "app"),
        )
        .beside(|| passwd(many(100_000, "app:x:70000:70000::/:/none\n"), "app:70000")),
        Case::image("accounts", "line of 1 MiB", Denied(&["unknown-user"]), || {
            let mut text = b"long:x:5:5:".to_vec();
            text.extend(vec![b'x'; 1 << 20]);
            text.extend(b"\napp:x:0:0::/:/none\n");
            passwd(text, "app")
        }),
        Case::image(
            "accounts",
            "user number beyond 32 bits",
            Denied(&["unknown-user"]),
            || passwd(Vec::new(), "4294967296"),
        ),
        Case::image(
            "accounts",
            "user number of 1,000 digits",
            Denied(&["unknown-user"]),
            || passwd(Vec::new(), "9".repeat(1_000).as_str()),
        ),
        Case::image(
            "accounts",
            "user of blanks and zeros",
            Denied(&["unknown-user"]),
            || passwd(Vec::new(), " 00:00 "),
        ),
        Case::image("accounts", "user 00000", Denied(&["root-user"]), || {
            passwd(Vec::new(), "00000")
        }),
        Case::image(
            "accounts",
            "one name twice, the first is root",
            Denied(&["root-user"]),
            || passwd(b"app:x:0:0::/:/x\napp:x:1000:1000::/:/x\n", "app"),
        )
        .beside(|| passwd(b"app:x:1000:1000::/:/x\n", "app:1000")),
        Case::image(
            "accounts",
            "a number as a name of root",
            Denied(&["extra-root-account"]),
            || passwd(b"65532:x:0:0::/:/x\n", "65532"),
        ),
        Case::image(
            "accounts",
            "list by a link inside the image",
            Denied(&["root-user"]),
            || {
                let tar = Tar::default()
                    .file("data/list", b"app:x:0:0::/:/x\n")
                    .symlink("etc/passwd", "../../../data/list");
                Image::with_tar(tar.end()).user("app")
            },
        ),
        Case::image(
            "accounts",
            "list that is a directory",
            Denied(&["unknown-user"]),
            || Image::with_tar(Tar::default().directory("etc/passwd/").end()).user("app"),
        ),
        Case::image(
            "accounts",
            "list in a loop of links",
            Denied(&["unknown-user"]),
            || Image::with_tar(Tar::default().symlink("etc/passwd", "passwd").end()).user("app"),
        ),
        Case::image(
            "accounts",
            "user with an escape sequence",
            Denied(&["unknown-user"]),
            || passwd(Vec::new(), "\\u001b[2J\\nroot"),
        ),
        Case::image(
            "accounts",
            "list of one line of colons",
            Denied(&["unknown-user"]),
            || passwd(vec![b':'; 100_000], "65532:65532"),
        ),
    ]
}
