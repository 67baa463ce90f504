//! The JSON report, version 1: one document for one run, described by `docs/schema/scant-1.json`.

mod wire;

use std::io::{self, Write};

use crate::report::{ImageReport, Report};

/// The JSON Schema of this format.
pub fn schema() -> &'static str {
    include_str!("../../../docs/schema/scant-1.json")
}

/// Writes `images` of `report`; one image at a time is held in its wire form.
pub(super) fn write(report: &Report, images: &[ImageReport], out: &mut dyn Write) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, &wire::document(report, images))?;
    out.write_all(b"\n")?;
    out.flush()
}
