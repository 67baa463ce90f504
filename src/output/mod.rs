//! Outputs render a report: one file per format, each with its own wire types.
