//! Help is what scant says of its rules: one page, or the table of all.
