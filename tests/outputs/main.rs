//! What the outputs write, held against golden files, the JSON Schema and the validators that code scanning uses.

mod golden;
mod json;
mod samples;
mod sarif;
mod terminal;

use scant::{
    output::{Format, Style, render},
    report::Report,
};

/// The whole report as bytes.
fn written(format: Format, report: &Report, style: &Style) -> Vec<u8> {
    let mut out = Vec::new();
    render(format, report, style, &mut out).expect("memory takes everything");
    out
}
