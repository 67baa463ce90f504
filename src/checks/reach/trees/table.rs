//! The table of trees: who reads which directories.

/// Who reads a tree.
#[derive(Clone, Copy)]
pub(super) enum Reader {
    /// Whoever has the code of this family.
    Family(&'static str),
    /// Whoever loads the library whose soname begins so.
    Library(&'static str),
}

/// One kind of tree.
pub(super) struct Tree {
    pub(super) reader: Reader,
    /// Directories. `HOME` is the directory above one that holds the reader or a link to it, `*` stands for the rest of a name.
    pub(super) directories: &'static [&'static str],
    pub(super) what: &'static str,
}

/// Every one that is known.
pub(super) const TREES: &[Tree] = &[
    Tree {
        reader: Reader::Family("interp.python"),
        directories: PYTHON,
        what: "modules of Python",
    },
    Tree {
        reader: Reader::Library("libpython"),
        directories: PYTHON,
        what: "modules of Python",
    },
    Tree {
        reader: Reader::Family("interp.perl"),
        directories: PERL,
        what: "modules of Perl",
    },
    Tree {
        reader: Reader::Library("libperl.so"),
        directories: PERL,
        what: "modules of Perl",
    },
    Tree {
        reader: Reader::Family("interp.ruby"),
        directories: RUBY,
        what: "modules of Ruby",
    },
    Tree {
        reader: Reader::Library("libruby"),
        directories: RUBY,
        what: "modules of Ruby",
    },
    Tree {
        reader: Reader::Family("build.jvm-launcher"),
        directories: &["HOME/lib"],
        what: "the Java runtime",
    },
    Tree {
        reader: Reader::Family("interp.node"),
        directories: &["/usr/share/nodejs"],
        what: "modules of Node.js",
    },
    Tree {
        reader: Reader::Library("libcrypto.so"),
        directories: &[
            "/usr/lib/*/ossl-modules",
            "/usr/lib/*/engines-*",
            "/usr/lib/ossl-modules",
            "/usr/lib/engines-*",
            "/usr/lib64/ossl-modules",
            "/usr/lib64/engines-*",
        ],
        what: "modules of OpenSSL",
    },
    Tree {
        reader: Reader::Library("libpam.so"),
        directories: &[
            "/usr/lib/*/security",
            "/usr/lib/security",
            "/usr/lib64/security",
            "/lib/*/security",
            "/lib/security",
        ],
        what: "modules of PAM",
    },
    Tree {
        reader: Reader::Library("libsasl2.so"),
        directories: &["/usr/lib/*/sasl2", "/usr/lib/sasl2", "/usr/lib64/sasl2"],
        what: "mechanisms of SASL",
    },
    Tree {
        reader: Reader::Library("libkrb5.so"),
        directories: &[
            "/usr/lib/*/krb5/plugins",
            "/usr/lib/krb5/plugins",
            "/usr/lib64/krb5/plugins",
        ],
        what: "modules of Kerberos",
    },
    Tree {
        reader: Reader::Library("libp11-kit.so"),
        directories: &["/usr/lib/*/pkcs11", "/usr/lib/pkcs11", "/usr/lib64/pkcs11"],
        what: "modules of PKCS #11",
    },
    Tree {
        reader: Reader::Library("libaprutil-1.so"),
        directories: &[
            "/usr/lib/*/apr-util-1",
            "/usr/lib/apr-util-1",
            "/usr/lib64/apr-util-1",
        ],
        what: "drivers of Apache's portable runtime",
    },
    Tree {
        reader: Reader::Library("libc.so.6"),
        directories: &["/usr/lib/*/gconv", "/usr/lib/gconv", "/usr/lib64/gconv"],
        what: "character sets of the C library",
    },
];

const PYTHON: &[&str] = &["HOME/lib/python*", "/usr/lib/python3*", "/usr/local/lib/python*"];
const PERL: &[&str] = &[
    "/usr/lib/*/perl*",
    "/usr/share/perl*",
    "/usr/local/lib/*/perl",
    "/usr/local/share/perl",
    "/etc/perl",
    "HOME/lib/perl5",
];
const RUBY: &[&str] = &[
    "HOME/lib/ruby",
    "/usr/lib/*/ruby",
    "/var/lib/gems",
    "/usr/local/bundle",
];
