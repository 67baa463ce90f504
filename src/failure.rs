//! A failure: why an image, or a part of it, cannot be scanned at all, and whether trying again may help.

use std::{error, fmt, io};

/// What went wrong, as a stable word for programs. The report carries it as `error.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Nothing is there under that name, or it may not be seen (registries do not tell which).
    NotFound,
    /// The registry refuses these credentials.
    Denied,
    /// Something is there, but it is no container image (a chart, a signature, an SBOM, an old manifest).
    NotAnImage,
    /// The image has no child for the platform asked for.
    NoSuchPlatform,
    /// A platform that scant does not judge, such as Windows.
    UnsupportedPlatform,
    /// A reference, path or archive member name that cannot be meant.
    BadTarget,
    /// Bytes differ from their digest or stated size.
    DigestMismatch,
    /// A manifest, index, configuration or archive that breaks its specification.
    Corrupt,
    /// JSON that two readers would understand differently.
    Ambiguous,
    /// A cap of `limits.rs` was hit before anything could be judged.
    TooLarge,
    /// A certificate that nobody vouches for, or another failure of TLS.
    Untrusted,
    /// A file or directory of this machine cannot be read.
    Unreadable,
    /// No connection, a time-out, a stalled or cut transfer, 429 or 5xx: a retry may help.
    Unavailable,
    /// The scan was interrupted, or took too long.
    Interrupted,
    /// A defect of scant.
    Internal,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 15] = [
        Self::NotFound,
        Self::Denied,
        Self::NotAnImage,
        Self::NoSuchPlatform,
        Self::UnsupportedPlatform,
        Self::BadTarget,
        Self::DigestMismatch,
        Self::Corrupt,
        Self::Ambiguous,
        Self::TooLarge,
        Self::Untrusted,
        Self::Unreadable,
        Self::Unavailable,
        Self::Interrupted,
        Self::Internal,
    ];

    /// The word in reports: kebab-case, stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Denied => "denied",
            Self::NotAnImage => "not-an-image",
            Self::NoSuchPlatform => "no-such-platform",
            Self::UnsupportedPlatform => "unsupported-platform",
            Self::BadTarget => "bad-target",
            Self::DigestMismatch => "digest-mismatch",
            Self::Corrupt => "corrupt",
            Self::Ambiguous => "ambiguous",
            Self::TooLarge => "too-large",
            Self::Untrusted => "untrusted",
            Self::Unreadable => "unreadable",
            Self::Unavailable => "unavailable",
            Self::Interrupted => "interrupted",
            Self::Internal => "internal",
        }
    }

    /// Whether the same command may succeed later: exit code 4 instead of 3.
    pub fn retryable(self) -> bool {
        matches!(self, Self::Unavailable | Self::Interrupted)
    }
}

/// Why something cannot be scanned.
///
/// `message` is one sentence in lower case without a full stop that names the image, layer or entry; `advice` says what
/// to do. Neither ever holds a secret, and text that came from outside has been through [`crate::text::escape`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The stable word for it.
    pub code: Code,
    /// What happened, where.
    pub message: String,
    /// What the reader can do about it.
    pub advice: Option<String>,
}

impl Failure {
    /// A failure without advice.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            advice: None,
        }
    }

    /// Work that was told to stop before it was done.
    pub fn stopped() -> Self {
        Self::new(
            Code::Interrupted,
            "the scan was stopped before this was read: interrupted, or longer than --timeout allows",
        )
    }

    /// The same failure with a line that says what to do.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// The same failure with the place it happened in put before its message.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// Takes the failure out of an I/O error that carries one, else makes one with `otherwise`'s code.
    pub fn from_io(error: io::Error, otherwise: Code) -> Self {
        match error.downcast::<Self>() {
            Ok(failure) => failure,
            Err(error) => Self::new(otherwise, error.to_string()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for Failure {}

/// Lets a failure travel through [`io::Read`]; [`Failure::from_io`] takes it out again.
impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        Self::other(failure)
    }
}

/// Shorthand of everything that can fail so.
pub type Result<T, E = Failure> = std::result::Result<T, E>;
