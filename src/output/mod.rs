//! Outputs render a report: one file per format, each with its own wire types.

pub mod help;
mod json;
mod page;
mod sarif;
mod standards;
mod terminal;

use std::{
    fmt,
    io::{self, Write},
    str::FromStr,
};

pub use json::schema;
pub use sarif::{MAX_RUNS, Profile as SarifProfile};

use crate::{
    report::{ImageReport, Report},
    text,
};

/// A format that a report can be written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// For a person at a terminal.
    #[default]
    Text,
    /// For programs: `docs/schema/scant-1.json`.
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
}

impl Format {
    /// Every format, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Text, Self::Json, Self::Sarif];

    /// The word after `-o`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Sarif => "sarif",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        if let Some(format) = Self::ALL.into_iter().find(|format| format.name() == word) {
            return Ok(format);
        }
        let shown = text::escape(word.as_bytes());
        let names = Self::ALL.map(Self::name);
        Err(match text::nearest(word, names) {
            Some(near) => format!("`{shown}` is no format: did you mean `{near}`?"),
            None => format!("`{shown}` is no format: choose one of {}", names.join(", ")),
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How to render: decided by the caller, so that outputs look at no terminal, environment or clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether the terminal report may use colours.
    pub color: bool,
    /// Whether the terminal report shows everything.
    pub verbose: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Whether the terminal shows more than ASCII.
    pub unicode: bool,
    /// Which readers the SARIF is for.
    pub sarif: SarifProfile,
    /// What SARIF categories begin with; with `None` a single image has no category.
    pub category: Option<String>,
    /// Seconds since 1970 that stand for "now" in reports; without it reports hold no time.
    pub source_date_epoch: Option<i64>,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            color: false,
            verbose: false,
            width: 100,
            unicode: true,
            sarif: SarifProfile::Plain,
            category: None,
            source_date_epoch: None,
        }
    }
}

/// Writes the whole report.
///
/// # Errors
/// Those of `out`; and for SARIF of the GitHub profile with more than [`MAX_RUNS`] images, which would be refused: write
/// one file an image with [`render_image`].
pub fn render(format: Format, report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => terminal::write(report, style, out),
        Format::Json => json::write(report, &report.images, out),
        Format::Sarif => sarif::write(report, &report.images, style, out),
    }
}

/// Writes the report of one image out of several, as a file of its own.
///
/// # Errors
/// Those of `out`.
pub fn render_image(
    format: Format,
    report: &Report,
    image: &ImageReport,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Text => terminal::write_image(report, image, style, out),
        Format::Json => json::write(report, std::slice::from_ref(image), out),
        Format::Sarif => sarif::write(report, std::slice::from_ref(image), style, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_name_or_nearly() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
        assert_eq!(
            "sarf".parse::<Format>().unwrap_err(),
            "`sarf` is no format: did you mean `sarif`?"
        );
        assert_eq!(
            "\u{1b}zz".parse::<Format>().unwrap_err(),
            "`\\x1bzz` is no format: choose one of text, json, sarif"
        );
    }
}
